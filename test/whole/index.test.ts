/** The index's own forms: keys, entries, pages. */

import t from 'tap';
import { findInPage, findModuleInPage, mergePage, pendingByBucket, pendingByPage, checkRecordNumber } from '../../src/whole/entry.js';
import { encodeUtf8 } from '../../src/core/text.js';
import { joinKey, KeyHash, newSalt } from '../../src/whole/key.js';
import { Random } from '../differential/random.js';

t.test('keys are HalfSipHash-1-3 of path and version under the salt', async (t) => {
  const salt = Uint8Array.from({ length: 16 }, (_, i) => i);
  const hash = new KeyHash(salt);
  // Linux, lib/test_siphash.c: test_vectors_hsiphash of 32 bits, inputs of 0, 1, 2… bytes; of each the upper 24 bits
  const vectors = [0x5814c896, 0xe7e864ca, 0xbc4b0e30, 0x01539939, 0x7e059ea6, 0x88e3d89b, 0xa0080b65, 0x9d38d9d6];
  vectors.forEach((want, length) => {
    const bytes = Uint8Array.from({ length: length + 4 }, (_, i) => i - 2);
    t.equal(hash.module(bytes, 2, length + 2), want >>> 8, `${length} bytes`);
  });
  // the same algorithm in numbers of any size
  const random = new Random(30);
  for (let length = 0; length < 70; length++) {
    const bytes = random.bytes(length);
    t.equal(hash.module(bytes, 0, length), plainHalfSip(0x03020100n, 0x07060504n, bytes) >>> 8, `${length} bytes`);
    t.equal(hash.version(bytes, 0, length), plainHalfSip(0x0b0a0908n, 0x0f0e0d0cn, bytes) >>> 8, `${length} bytes, the other half`);
  }
  const { page, rest } = hash.key('example.com/a', 'v1.0.0');
  t.strictSame(hash.moduleKey('example.com/a'), { page, rest: (rest & 0xff000000) >>> 0 }, 'all versions share page and 8 bits');
  t.not(hash.key('example.com/a', 'v1.0.1').rest, rest);
  for (const length of [511, 512, 513, 2000]) {
    const path = 'm'.repeat(length);
    const bytes = encodeUtf8(path);
    const print = new Uint32Array(4);
    new KeyHash(salt).printText(path, print, 0);
    hash.print(bytes, 0, length, print, 2);
    t.strictSame(print.slice(0, 2), print.slice(2), `a path of ${length} bytes`);
    t.equal(new KeyHash(salt).moduleKey(path).page, hash.module(bytes, 0, length) >>> 8);
    t.equal(new KeyHash(salt).key('m', path).rest & 0xffffff, hash.version(bytes, 0, length));
  }
  t.not(new KeyHash(newSalt()).key('example.com/a', 'v1.0.0').rest, rest);
  t.throws(() => new KeyHash(new Uint8Array(15)), Error);
  t.strictSame(joinKey(0xabcdef, 0x123456), { page: 0xabcd, rest: 0xef123456 });
});

t.test('entries go by buckets into pages, sorted, each once', async (t) => {
  const random = new Random(31);
  const model = new Map<number, Set<string>>();
  const pages = new Map<number, Uint8Array>();
  for (let round = 0; round < 4; round++) {
    const batch = random.many(1, 3, () => {
      const count = random.below(4000);
      const some = Array.from({ length: count }, () => ({ page: random.below(600) * 109, id: random.below(round === 0 ? 5 : 2 ** 32), rest: random.below(2 ** 32) }));
      some.push(...some.slice(0, 50));
      for (const { page, id, rest } of some) model.set(page, (model.get(page) ?? new Set()).add(sortable(rest, id)));
      return { pages: Uint16Array.from(some, ({ page }) => page), words: Uint32Array.from(some.flatMap(({ id, rest }) => [id, rest])) };
    });
    const pending = pendingByBucket(batch);
    t.strictSame(pending.map(({ bucket }) => bucket), [...new Set(pending.map(({ bucket }) => bucket))].sort((a, b) => a - b));
    for (const { bucket, entries } of pending) {
      // as a store may give them: in several rows, at any place in memory
      const unaligned = new Uint8Array(entries.length + 1);
      unaligned.set(entries, 1);
      for (const [page, added] of pendingByPage(bucket, [unaligned.subarray(1), entries])) {
        t.ok(page >>> 8 === bucket || t.fail('of another bucket'));
        pages.set(page, mergePage(pages.get(page), added));
      }
    }
  }
  t.equal(pages.size, model.size);
  for (const [page, entries] of pages) {
    const words = new Uint32Array(entries.slice().buffer);
    const got = Array.from({ length: words.length / 2 }, (_, i) => sortable(words[2 * i + 1]!, words[2 * i]!));
    const want = [...model.get(page)!].sort();
    if (JSON.stringify(got) !== JSON.stringify(want)) t.strictSame(got, want, `page ${page}`);
  }
  t.throws(() => pendingByPage(1, [new Uint8Array(8)]), { code: 'STORE_FAILED' });
  t.throws(() => mergePage(new Uint8Array(7), new BigUint64Array()), { code: 'STORE_FAILED' });
});

t.test('a page is searched by key and by module', async (t) => {
  const entry = (rest: number, id: number): bigint => (BigInt(rest) << 32n) | BigInt(id);
  const page = mergePage(undefined, BigUint64Array.of(
    entry(0xff000001, 9), entry(0x05000001, 4), entry(0x05000001, 2), entry(0x05ffffff, 4294967295), entry(0x06000000, 7), entry(0x04ffffff, 1),
  ));
  t.strictSame(findInPage(page, { page: 0, rest: 0x05000001 }), [2, 4]);
  t.strictSame(findInPage(page, { page: 0, rest: 0x05ffffff }), [4294967295]);
  t.strictSame(findInPage(page, { page: 0, rest: 0xff000001 }), [9]);
  t.strictSame(findInPage(page, { page: 0, rest: 0x05000002 }), []);
  t.strictSame(findModuleInPage(page, { page: 0, rest: 0x05000000 }), [2, 4, 4294967295]);
  t.strictSame(findModuleInPage(page, { page: 0, rest: 0xff000000 }), [9]);
  t.strictSame(findModuleInPage(page, { page: 0, rest: 0x07000000 }), []);
  t.strictSame(findInPage(new Uint8Array(), { page: 0, rest: 1 }), []);
});

t.test('record numbers that have no room', async (t) => {
  checkRecordNumber(2 ** 32 - 1);
  t.throws(() => checkRecordNumber(2 ** 32), { code: 'STORE_FAILED' });
});

/** The same order as the entries have. */
function sortable(rest: number, id: number): string {
  return rest.toString(16).padStart(8, '0') + id.toString(16).padStart(8, '0');
}

function plainHalfSip(k0: bigint, k1: bigint, bytes: Uint8Array): number {
  const M = 0xffffffffn;
  const rol = (x: bigint, n: bigint): bigint => ((x << n) | (x >> (32n - n))) & M;
  let [v0, v1, v2, v3] = [k0, k1, 0x6c796765n ^ k0, 0x74656462n ^ k1];
  const round = (): void => {
    v0 = (v0 + v1) & M; v1 = rol(v1, 5n); v1 ^= v0; v0 = rol(v0, 16n);
    v2 = (v2 + v3) & M; v3 = rol(v3, 8n); v3 ^= v2;
    v0 = (v0 + v3) & M; v3 = rol(v3, 7n); v3 ^= v0;
    v2 = (v2 + v1) & M; v1 = rol(v1, 13n); v1 ^= v2; v2 = rol(v2, 16n);
  };
  const padded = [...bytes];
  while (padded.length % 4 !== 3) padded.push(0);
  padded.push(bytes.length & 0xff);
  for (let i = 0; i < padded.length; i += 4) {
    const m = padded.slice(i, i + 4).reduce((sum, byte, at) => sum | (BigInt(byte) << BigInt(8 * at)), 0n);
    v3 ^= m;
    round();
    v0 ^= m;
  }
  v2 ^= 0xffn;
  round(); round(); round();
  return Number(v1 ^ v3);
}
