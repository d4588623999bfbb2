/** The work on a tile: what it takes for records is what the core takes. */

import t from 'tap';
import { formatDataTile, parseDataTile } from '../../src/core/record.js';
import { isGosumError } from '../../src/errors.js';
import { KeyHash, newSalt } from '../../src/whole/key.js';
import { workTile } from '../../src/whole/work.js';
import { ODD_TEXTS, usualText } from './texts.js';
import { encodeUtf8 } from '../../src/core/text.js';

const hash = new KeyHash(newSalt());

function codeOf(work: () => unknown): string {
  try {
    work();
    return '';
  } catch (error) {
    if (isGosumError(error)) return error.code;
    throw error;
  }
}

t.test('a tile is refused where the core refuses it, whatever byte of it is another', (t) => {
  const usual = [usualText('example.com/a', 'v1.0.0'), usualText('b', 'v2.0.0')];
  let refused = 0;
  for (const texts of [usual, [...usual, encodeUtf8(ODD_TEXTS['one line'] ?? '')]]) {
    const width = texts.length;
    const tile = formatDataTile(texts);
    t.equal(codeOf(() => workTile({ kind: 'tile', n: 0, width, bytes: tile }, hash)), '');
    for (let i = 0; i < tile.length; i++) {
      for (const byte of [0x00, 0x09, 0x0a, 0x0d, 0x1f, 0x20, 0x7f, 0x80, 0xc3, 0xff]) {
        const bytes = tile.with(i, byte);
        const want = codeOf(() => parseDataTile(bytes, width));
        if (codeOf(() => workTile({ kind: 'tile', n: 0, width, bytes }, hash)) !== want) t.fail(`${byte} at ${i}`);
        if (want !== '') refused++;
      }
    }
  }
  t.ok(refused > 3000, `${refused}`);
  t.end();
});
