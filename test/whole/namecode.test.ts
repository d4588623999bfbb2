/** The code of names: each comes out as it went in, none is longer in it, and what is no code is refused. */

import t from 'tap';
import { decodeUtf8, encodeUtf8 } from '../../src/core/text.js';
import { isGosumError } from '../../src/errors.js';
import { decodeName, encodeName, isNameByte, nameLength } from '../../src/whole/namecode.js';
import { namesOf } from '../../src/whole/usual.js';
import { Random } from '../differential/random.js';
import { realTexts } from './texts.js';

/** The code of a name, which stands somewhere in the middle. */
function codeOf(name: string): Uint8Array {
  const bytes = encodeUtf8(`github${name}v1.`);
  const into = new Uint8Array(name.length + 3);
  const end = encodeName(bytes, 6, 6 + name.length, into, 3);
  return into.slice(3, end);
}

function nameOf(code: Uint8Array): string {
  const bytes = new Uint8Array(code.length + 2);
  bytes.set(code, 2);
  const length = nameLength(bytes, 2, bytes.length);
  const into = new Uint8Array(length + 1);
  const end = decodeName(bytes, 2, bytes.length, into, 1);
  if (end !== length + 1) throw new Error(`${end - 1} bytes, and not ${length}`);
  return decodeUtf8(into.subarray(1));
}

// The form is kept on disk: a byte stands for the same for ever.
t.test('codes', async (t) => {
  for (const [name, code] of [
    ['x', '78'],
    ['github.com/', '02'],
    ['github.com/go-', '10'],
    ['golang.org/x/text v0.23.0', '03cd78749a3233aa'],
    ['example.com/m v0.0.0-20190308221718-c2843e01d9a2', '6578616d70c22e916d950120190308221718c2843e01d9a2'],
    ['github.com/aws/aws-sdk-go-v2/service/s3 v1.2.0-rc.1', '111d2f73339d30a631'],
    ['gopkg.in/yaml.v3 v3.0.1', '08ff6d6c2e7633a030ab'],
  ] as const) {
    t.equal(Buffer.from(codeOf(name)).toString('hex'), code, name);
  }
});

t.test('names come out as they went in', async (t) => {
  const names = [
    '',
    ' ',
    'github.com',
    'github.com/goog',
    'v0.0.0-20190308221718-c2843e01d9a2',
    'v0.0.0-20190308221718-c2843e01d9a2+incompatible',
    'v1.2.4-0.20190308221718-c2843e01d9a',
    'v0.0.0-2019030822171-c2843e01d9a2',
    'v0.0.0-20190308221718-C2843e01d9a2',
    'v0.0.0-20190308221718_c2843e01d9a2',
    '20190308221718-c2843e01d9a2c2843e01d9a2-c2843e01d9a2',
    Array.from({ length: 0x5f }, (_, i) => String.fromCharCode(0x20 + i)).join(''),
    ...realTexts().flatMap(namesOf).map(({ module, version }) => `${module} ${version}`),
  ];
  const random = new Random(5);
  for (let run = 0; run < 3000; run++) {
    const pieces = random.many(0, 12, () => random.pick(['github.com/', 'golang', 'gol', '/v2', ' v', '0.0.', '-0.', '20190308221718-', 'c2843e01d9a2', 'er', 'z', '~']));
    names.push(pieces.join(''));
  }
  let [length, coded] = [0, 0];
  for (const name of names) {
    const code = codeOf(name);
    if (nameOf(code) !== name || code.length > name.length) t.fail(name);
    length += name.length;
    coded += code.length;
  }
  t.ok(coded < length * 0.7, `${coded} of ${length} bytes`);
});

t.test('real names take less than half', async (t) => {
  const names = realTexts().flatMap(namesOf).map(({ module, version }) => `${module} ${version}`);
  const bytes = names.reduce((sum, name) => sum + codeOf(name).length, 0) / names.length;
  t.ok(bytes < 22, `${bytes} bytes a name`);
});

t.test('what is no code', async (t) => {
  const commit = codeOf('20190308221718-c2843e01d9a2');
  t.equal(commit.length, 14);
  for (let length = 1; length < 14; length++) t.throws(() => nameOf(commit.subarray(0, length)), { code: 'RECORD_MALFORMED' }, `${length} bytes of a commit`);
  t.throws(() => nameOf(Uint8Array.of(0)), { code: 'RECORD_MALFORMED' });
  const random = new Random(6);
  let refused = 0;
  for (let run = 0; run < 3000; run++) {
    try {
      nameOf(random.bytes(random.below(40)));
    } catch (error) {
      if (!isGosumError(error, 'RECORD_MALFORMED')) throw error;
      refused++;
    }
  }
  t.ok(refused > 100, `${refused}`);
});

t.test('bytes of names', async (t) => {
  const all = Array.from({ length: 256 }, (_, i) => i);
  t.strictSame(all.filter(isNameByte), all.slice(0x20, 0x7f));
});
