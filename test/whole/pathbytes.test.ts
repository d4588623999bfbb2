/** Module paths as bytes, and those that are remembered. */

import t from 'tap';
import { leavesOf } from '../../src/core/leaves.js';
import { decodeUtf8, encodeUtf8 } from '../../src/core/text.js';
import { KeyHash, SALT_SIZE } from '../../src/whole/key.js';
import { pathBytes, pathTexts, RecentPaths } from '../../src/whole/pathbytes.js';
import { usualRecords } from '../../src/whole/usual.js';
import { workLeaves } from '../../src/whole/work.js';

const hash = new KeyHash(Uint8Array.from({ length: SALT_SIZE }, (_, i) => i));

/** Adds paths of which each has the print of its number. */
function add(recent: RecentPaths, paths: Readonly<Record<string, readonly [number, number]>>): string[] {
  return pathTexts(recent.add({ ...pathBytes(Object.keys(paths), hash), prints: Uint32Array.from(Object.values(paths).flat()) }));
}

t.test('texts are bytes and texts again', (t) => {
  for (const paths of [[], ['a'], ['example.com/a', 'example.com/ä/𝄞', 'x'.repeat(300)]]) {
    t.strictSame(pathTexts(pathBytes(paths, hash).bytes), paths);
  }
  t.end();
});

t.test('prints', (t) => {
  const { prints } = pathBytes(['a', 'bcd', 'a'], hash);
  t.strictSame(prints.subarray(0, 2), prints.subarray(4));
  t.notSame(prints.subarray(0, 2), prints.subarray(2, 4));
  t.equal(prints[2]! >>> 8, hash.module(encodeUtf8('bcd'), 0, 3));
  t.notSame(prints[2], prints[3]);
  t.end();
});

t.test('a path is left out only where its print is remembered', (t) => {
  const recent = new RecentPaths();
  t.strictSame(add(recent, { a: [7, 3], b: [7, 3] }), ['a'], 'once');
  t.strictSame(add(recent, { a: [7, 3] }), []);
  t.strictSame(add(recent, { b: [7, 5] }), ['b'], 'another at the same place');
  t.strictSame(add(recent, { a: [7, 3] }), ['a'], 'which has taken it');
  t.strictSame(add(recent, { a: [8, 3] }), ['a'], 'at another place');
  t.strictSame(add(recent, { a: [2 ** 20 + 7, 3] }), ['a'], 'the first word has more bits than places');
  t.strictSame(add(recent, { a: [0, 0], b: [2 ** 32 - 1, 2 ** 32 - 1], c: [2 ** 32 - 1, 2 ** 31 - 1] }), ['a', 'b', 'c'], 'no print is remembered before it came');
  t.strictSame(add(recent, { a: [0, 0] }), []);
  recent.clear();
  t.strictSame(add(recent, { a: [0, 0], b: [8, 3] }), ['a', 'b']);
  t.end();
});

t.test('of a tile all paths come, and of those that are remembered none', (t) => {
  const h1 = `h1:${'A'.repeat(43)}=`;
  const usual = ['a', 'b', 'a', 'x'.repeat(200)].map((path, i) => `${path} v1.${i}.0 ${h1}\n${path} v1.${i}.0/go.mod ${h1}\n`);
  for (const texts of [usual, [...usual, `c v1.0.0 ${h1}\nd v1.0.0 ${h1}\n`]]) {
    const leaves = leavesOf(texts.map(encodeUtf8));
    t.equal(usualRecords(leaves) === undefined, texts.length > usual.length);
    const { modules } = workLeaves(0, leaves, hash);
    const paths = pathTexts(modules.bytes);
    t.strictSame([...new Set(paths)], ['a', 'b', 'x'.repeat(200), ...(texts.length > usual.length ? ['c', 'd'] : [])]);
    t.strictSame([modules.prints, modules.ends], [pathBytes(paths, hash).prints, pathBytes(paths, hash).ends]);
    const recent = new RecentPaths();
    t.strictSame(pathTexts(recent.add(modules)), [...new Set(paths)]);
    t.equal(decodeUtf8(recent.add(modules)), '');
  }
  t.end();
});
