/** Module paths as bytes: each comes once, and what is remembered is remembered exactly. */

import t from 'tap';
import { leavesOf } from '../../src/core/leaves.js';
import { encodeUtf8 } from '../../src/core/text.js';
import { KeyHash, SALT_SIZE } from '../../src/whole/key.js';
import { pathBytes, pathTexts, RecentPaths } from '../../src/whole/pathbytes.js';
import { usualRecords } from '../../src/whole/usual.js';
import { workLeaves } from '../../src/whole/work.js';

/** @param hash of all paths: so they have one place. */
function add(recent: RecentPaths, paths: readonly string[], hash = 7): string[] {
  return pathTexts(recent.add(pathBytes(paths, () => hash)));
}

t.test('texts are bytes and texts again', (t) => {
  for (const paths of [[], ['a'], ['example.com/a', 'example.com/ä/𝄞', 'x'.repeat(300)]]) {
    t.strictSame(pathTexts(pathBytes(paths, () => 0).bytes), paths);
  }
  t.strictSame([...pathBytes(['a', 'bcd'], ({ length }) => length).hashes], [1, 3]);
  t.end();
});

t.test('a path is left out only where the very same one is remembered', (t) => {
  const recent = new RecentPaths();
  t.strictSame(add(recent, ['example.com/a', 'example.com/a']), ['example.com/a'], 'once');
  t.strictSame(add(recent, ['example.com/a']), []);
  t.strictSame(add(recent, ['example.com/b']), ['example.com/b'], 'another at the same place');
  t.strictSame(add(recent, ['example.com/a']), ['example.com/a'], 'which has taken it');
  t.strictSame(add(recent, ['example.com/a/b', 'example.com']), ['example.com/a/b', 'example.com'], 'one begins as the other');
  t.strictSame(add(recent, ['example.com'], 8), ['example.com'], 'at another place');
  t.strictSame(add(recent, ['example.com', 'b', 'example.com'], 2 ** 17 + 8), ['b', 'example.com'], 'hashes have more bits than places');
  recent.clear();
  t.strictSame(add(recent, ['example.com'], 8), ['example.com']);
  t.end();
});

t.test('the longest that are remembered, and longer ones', (t) => {
  const recent = new RecentPaths();
  const [long, longer] = ['x'.repeat(63), 'x'.repeat(64)];
  t.strictSame([add(recent, [long]), add(recent, [long])], [[long], []]);
  t.strictSame([add(recent, [longer]), add(recent, [longer])], [[longer], [longer]], 'too long: it comes each time');
  t.strictSame(add(recent, [long], 7), [], 'and takes no place');
  t.strictSame(add(recent, ['x'.repeat(319)]).length, 1, 'a length that is 63 in one byte');
  t.end();
});

t.test('two paths of one tile with one hash both come', (t) => {
  const hash = new KeyHash(new Uint8Array(SALT_SIZE));
  const seen = new Map<number, string>();
  let pair: string[] = [];
  for (let i = 0; pair.length === 0 && i < 100_000; i++) {
    const path = `example.com/m${i}`;
    const own = hash.module(encodeUtf8(path), 0, path.length);
    const other = seen.get(own);
    if (other !== undefined) pair = [other, path];
    seen.set(own, path);
  }
  const [a = '', b = ''] = pair;
  const h1 = `h1:${'A'.repeat(43)}=`;
  const texts = [a, b, a, b].map((path, i) => encodeUtf8(`${path} v1.${i}.0 ${h1}\n${path} v1.${i}.0/go.mod ${h1}\n`));
  const leaves = leavesOf(texts);
  t.ok(usualRecords(leaves), 'all of the usual form');
  const { modules } = workLeaves(0, leaves, hash);
  t.strictSame(pathTexts(modules.bytes), pair);
  t.equal(new Set(modules.hashes).size, 1);
  t.end();
});
