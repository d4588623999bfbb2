/** Which tiles a tree has, counted by hand. */

import t from 'tap';
import { DATA_LEVEL, isTileInTree, tileInTree, tileNumber } from '../../src/core/tile.js';

t.test('the least tree that has all of a tile', (t) => {
  // a tile's last hash is number 256·n + width of its level, and each hash stands for 256^level records
  const cases: [name: string, level: number, n: number, width: number, least: number][] = [
    ['the first record', DATA_LEVEL, 0, 1, 1],
    ['the first hash', 0, 0, 1, 1],
    ['a full tile', 0, 0, 256, 256],
    ['a full data tile', DATA_LEVEL, 0, 256, 256],
    ['the next one', 0, 1, 1, 257],
    ['a partial tile behind others', 0, 3, 17, 785],
    ['a partial data tile behind others', DATA_LEVEL, 3, 17, 785],
    ['the first hash of level 1', 1, 0, 1, 256],
    ['two hashes of level 1', 1, 0, 2, 512],
    ['a full tile of level 1', 1, 0, 256, 65_536],
    ['a tile of level 1 behind others', 1, 2, 3, 131_840],
    ['the first hash of level 3, past 23 bits', 3, 0, 1, 16_777_216],
    ['past 32 bits', 4, 0, 2, 8_589_934_592],
    ['past 48 bits', 6, 0, 3, 844_424_930_131_968],
  ];
  for (const [name, level, n, width, least] of cases) {
    const tile = { level, n, width };
    t.notOk(isTileInTree(tile, 0), `${name}: the empty tree`);
    t.notOk(isTileInTree(tile, least - 1), `${name}: ${least - 1}`);
    t.ok(isTileInTree(tile, least), `${name}: ${least}`);
    t.ok(isTileInTree(tile, least + 1), `${name}: ${least + 1}`);
    t.ok(isTileInTree(tile, Number.MAX_SAFE_INTEGER), `${name}: the greatest tree`);
  }
  t.end();
});

t.test('a tree has its own tiles, and those of each tree that it begins with', (t) => {
  for (const size of [1, 255, 256, 257, 65_535, 65_536, 65_793, 16_777_217]) {
    for (const level of [DATA_LEVEL, 0, 1, 2, 3]) {
      const hashes = Math.floor(size / 256 ** Math.max(level, 0));
      const n = Math.floor(hashes / 256);
      const tile = tileInTree(level, n, size);
      if (tile === undefined) {
        t.notOk(isTileInTree({ level, n, width: 1 }, size), `level ${level} of ${size}`);
        continue;
      }
      for (let width = 1; width <= 256; width++) {
        if (isTileInTree({ level, n, width }, size) !== width <= tile.width) t.fail(`tile ${level}/${n} of width ${width} in ${size}`);
      }
      t.notOk(isTileInTree({ level, n: n + 1, width: 1 }, size), `behind the right edge of level ${level} of ${size}`);
    }
  }
  t.end();
});

t.test('each tile of a tree has a number of its own', (t) => {
  const numbers = new Map<number, string>();
  for (const n of [0, 1, 2, 255, 256, 2 ** 31, 2 ** 42 - 1]) {
    for (let level = DATA_LEVEL; level <= 6; level++) {
      for (const width of [1, 2, 255, 256]) {
        const number = tileNumber({ level, n, width });
        if (!Number.isSafeInteger(number) || numbers.has(number)) t.fail(`${level}/${n}.p/${width} has the number of ${numbers.get(number)}`);
        numbers.set(number, `${level}/${n}.p/${width}`);
      }
    }
  }
  t.equal(numbers.size, 7 * 8 * 4);
  t.ok(tileNumber({ level: DATA_LEVEL, n: 2 ** 42, width: 1 }) > Math.max(...numbers.keys()), 'what no tree has');
  t.end();
});
