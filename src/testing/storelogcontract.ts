/**
 * The contract of a store that has room for a whole log, as tests like those of storecontract.ts:
 *
 *     for (const { name, run } of [...STORE_CASES, ...STORE_LOG_CASES]) test(name, () => run(() => openMyStore(aNewPlace)));
 */

import assert from 'node:assert/strict';
import type { Change, LogChange, LogStore, PackedPart, PackedTile, Store } from '../contract.js';
import { compareUtf8 } from '../core/text.js';
import { PART_WIDTH, TILE_WIDTH } from '../core/tile.js';
import { storeCase, type OpenPlace, type StoreCase } from './storecontract.js';
import {
  change,
  hashTile,
  head,
  indexPage,
  KEY,
  logChange,
  OTHER_KEY,
  OTHER_NAME,
  pack,
  pendingEntries,
  SALT,
  tileAt,
} from './storevalues.js';

/** Records of the trees of these cases: some full data tiles, and one of 44 records. */
const SIZE = 10 * 256 + 44;

/** All cases, independent of each other and of their order. */
export const STORE_LOG_CASES: readonly StoreCase[] = [
  logCase('an empty store knows nothing of a whole log', async (store, log) => {
    const nothing = async (): Promise<void> => {
      assert.equal(await log.state(KEY), undefined);
      assert.deepEqual(await log.packs(KEY, [0, 7]), [undefined, undefined]);
      assert.deepEqual(await log.gaps(KEY, SIZE), [{ lo: 0, hi: 11 }]);
      assert.deepEqual(await log.gaps(KEY, 0), []);
      assert.deepEqual(await log.pages(KEY, [0]), [undefined]);
      assert.deepEqual(await log.pending(KEY, 0), []);
      assert.deepEqual(await log.pendingBuckets(KEY), []);
      assert.deepEqual(await log.modules(KEY, '', '', 10), []);
      assert.deepEqual(await log.seen(KEY, 0), []);
      assert.equal(await log.staged(KEY), undefined);
      assert.equal(await log.mark(KEY, 'watch'), undefined);
    };
    await nothing();
    await store.commit(KEY, change(undefined, [head(SIZE)]));
    await nothing();
    assert.equal(await statsOf(store), undefined);
    // and nothing again, when all was there
    await store.commit(KEY, logChange(SIZE, { ...FULL, staged: new Uint8Array(3) }));
    await log.setMark(KEY, 'watch', 3);
    assert.notEqual(await log.state(KEY), undefined);
    await store.clean();
    await nothing();
  }),

  logCase('packs are kept by number, a wider one in place of a narrower', async (store, log) => {
    await begin(store, { packs: [pack(0, 256), pack(10, 40), pack(3, 256)] });
    assert.deepEqual(await log.packs(KEY, [3, 10, 4, 0]), [pack(3, 256), pack(10, 40), undefined, pack(0, 256)]);
    await store.commit(KEY, logChange(SIZE, { packs: [pack(10, 44)] }));
    assert.deepEqual(await log.packs(KEY, [10]), [pack(10, 44)]);
    await store.commit(KEY, logChange(SIZE, { packs: [pack(10, 41), pack(3, 256, 1)] }));
    assert.deepEqual(await log.packs(KEY, [10, 3]), [pack(10, 44), pack(3, 256, 1)], 'a narrower one is not taken, one as wide is');
    assert.deepEqual(await log.packs(OTHER_KEY, [3]), [undefined]);
  }),

  logCase('parts of packs are read by themselves', async (store, log) => {
    await begin(store, { packs: [pack(0, 256), pack(10, 70), pack(3, 16)] });
    const part = ({ n, width, parts }: PackedTile, i: number): PackedPart => ({ n, part: i, width, bytes: parts[i] ?? new Uint8Array() });
    const at = (n: number, i: number): number => (n * TILE_WIDTH) / PART_WIDTH + i;
    const there = [part(pack(0, 256), 15), part(pack(10, 70), 4), part(pack(0, 256), 0), part(pack(3, 16), 0)];
    assert.deepEqual(await log.parts(KEY, [at(0, 15), at(10, 4), 0, at(3, 0)]), there);
    assert.deepEqual(await log.parts(KEY, [at(10, 5), at(3, 1), at(1, 0), at(40, 3)]), [undefined, undefined, undefined, undefined]);
    if (store.now !== undefined) assert.deepEqual([at(0, 15), at(10, 4), at(10, 5)].map((n) => store.now?.part(KEY, n)), [there[0], there[1], undefined]);
    assert.deepEqual(await log.parts(OTHER_KEY, [0]), [undefined]);
    await store.commit(KEY, logChange(SIZE, { packs: [pack(10, 129), pack(3, 17), pack(0, 256, 1)] }));
    assert.deepEqual(await log.parts(KEY, [at(10, 0), at(10, 8), at(3, 1), 0]), [part(pack(10, 129), 0), part(pack(10, 129), 8), part(pack(3, 17), 1), part(pack(0, 256, 1), 0)]);
  }),

  logCase('numbers go to the last data tile but one of 2^40 records', async (store, log) => {
    const last = 2 ** 32 - 2;
    await begin(store, { packs: [pack(last, 255)], indexed: Number.MAX_SAFE_INTEGER });
    assert.deepEqual(await log.packs(KEY, [last]), [pack(last, 255)]);
    assert.deepEqual(await log.gaps(KEY, last * 256 + 255), [{ lo: 0, hi: last }]);
    assert.equal((await log.state(KEY))?.indexed, Number.MAX_SAFE_INTEGER);
  }),

  logCase('gaps are what a tree has and the store has not, or not as wide', async (store, log) => {
    await begin(store, { packs: [1, 2, 3, 6, 8].map((n) => pack(n, n === 3 ? 7 : 256)) });
    const cases: readonly (readonly [size: number, ...gaps: (readonly [number, number])[]])[] = [
      [SIZE, [0, 1], [3, 6], [7, 8], [9, 11]],
      [0],
      [1, [0, 1]],
      [256, [0, 1]],
      [3 * 256, [0, 1]],
      [3 * 256 + 7, [0, 1]],
      [3 * 256 + 8, [0, 1], [3, 4]],
      [4 * 256, [0, 1], [3, 4]],
      [9 * 256, [0, 1], [3, 6], [7, 8]],
    ];
    for (const [size, ...gaps] of cases) {
      assert.deepEqual(await log.gaps(KEY, size), gaps.map(([lo, hi]) => ({ lo, hi })), `a tree of ${size}`);
    }
    await store.commit(KEY, logChange(SIZE, { packs: [0, 3, 4, 5, 7, 9, 10].map((n) => pack(n, n === 10 ? 44 : 256)) }));
    assert.deepEqual(await log.gaps(KEY, SIZE), []);
    assert.deepEqual(await log.gaps(KEY, SIZE + 1), [{ lo: 10, hi: 11 }]);
    assert.deepEqual(await log.gaps(OTHER_KEY, 300), [{ lo: 0, hi: 2 }]);
    assert.deepEqual(await statsOf(store), { records: SIZE, indexed: 0 });
  }),

  logCase('pages of the index, each in place of the one before', async (store, log) => {
    await begin(store, { pages: [indexPage(0, 3), indexPage(65535, 1000), indexPage(7, 0)] });
    assert.deepEqual(await log.pages(KEY, [65535, 1, 0, 7]), [indexPage(65535, 1000), undefined, indexPage(0, 3), indexPage(7, 0)]);
    await store.commit(KEY, logChange(SIZE, { pages: [indexPage(0, 2, 1)] }));
    assert.deepEqual(await log.pages(KEY, [0]), [indexPage(0, 2, 1)]);
    assert.deepEqual(await log.pages(OTHER_KEY, [0]), [undefined]);
  }),

  logCase('of a long page no more than some entries are read for a key, and all of the key are among them', async (store, log) => {
    const page = indexPage(9, 5000);
    const rests = Array.from({ length: 5000 }, (_, i) => new DataView(page.entries.buffer).getUint32(8 * i + 4, true));
    // entries of one key stand together, however many they are
    const same = { n: 10, entries: new Uint8Array(Uint32Array.from({ length: 2 * 700 }, (_, i) => (i % 2 === 0 ? i : i < 600 ? 77 : 2 ** 31)).buffer) };
    await begin(store, { pages: [page, same, indexPage(11, 0)] });
    assert.deepEqual(await log.pages(KEY, [9, 10]), [page, same]);
    const places = [...rests.map((rest) => ({ page: 9, rest })), { page: 9, rest: 0 }, { page: 9, rest: 2 ** 32 - 1 }];
    const found = await log.entries(KEY, places);
    for (const [i, { rest }] of places.entries()) {
      const entries = found[i] ?? new Uint8Array();
      assert.ok(entries.length > 0 && entries.length < page.entries.length / 10, `${entries.length} bytes for ${rest}`);
      const view = new DataView(entries.buffer, entries.byteOffset);
      const own = Array.from({ length: entries.length / 8 }, (_, at) => view.getUint32(8 * at + 4, true)).filter((each) => each === rest).length;
      assert.equal(own, rests.filter((each) => each === rest).length);
    }
    const [first, second, none] = await log.entries(KEY, [{ page: 10, rest: 77 }, { page: 10, rest: 2 ** 31 }, { page: 12, rest: 77 }]);
    assert.deepEqual([first, second, none], [same.entries.subarray(0, 8 * 300), same.entries.subarray(8 * 300), undefined]);
    assert.deepEqual(await log.entries(KEY, [{ page: 11, rest: 5 }]), [new Uint8Array()]);
    assert.deepEqual(await log.entries(OTHER_KEY, [{ page: 9, rest: rests[0] ?? 0 }]), [undefined]);
  }),

  logCase('of what is as it was written nothing is damaged', async (store, log) => {
    await begin(store, { packs: [pack(0, 256), pack(10, 44)], pages: [indexPage(7, 3)] });
    assert.deepEqual(await log.damagedTiles(KEY, 0, 100), []);
    assert.deepEqual(await log.damagedPages(KEY, 0, 65536), []);
    assert.deepEqual(await log.damagedTiles(OTHER_KEY, 0, 100), []);
  }),

  logCase('pending entries wait in their bucket until it is merged', async (store, log) => {
    await begin(store, { pending: [pendingEntries(9, 4), pendingEntries(255, 1)] });
    await store.commit(KEY, logChange(SIZE, { pending: [pendingEntries(9, 2, 1), pendingEntries(0, 3)] }));
    assert.deepEqual(await log.pendingBuckets(KEY), [0, 9, 255]);
    assert.deepEqual(new Set(await log.pending(KEY, 9)), new Set([pendingEntries(9, 4).entries, pendingEntries(9, 2, 1).entries]));
    const both = { merged: [9, 0], pages: [indexPage(9 * 256, 6)], pending: [pendingEntries(0, 1, 2)] };
    await store.commit(KEY, logChange(SIZE, both));
    assert.deepEqual(await log.pending(KEY, 9), []);
    assert.deepEqual(await log.pending(KEY, 0), [pendingEntries(0, 1, 2).entries], 'what comes with the merge stays');
    assert.deepEqual(await log.pendingBuckets(KEY), [0, 255]);
    assert.deepEqual(await log.pendingBuckets(OTHER_KEY), []);
  }),

  logCase('module paths, once each, in the order of their bytes', async (store, log) => {
    const paths = ['example.com/b', 'example.com/a/x', 'example.com/a', 'example.com/Z', 'example.com/ab', 'é.example', '\u{1f600}.example', '\uffee.example'];
    await begin(store, { modules: paths });
    await store.commit(KEY, logChange(SIZE, { modules: ['example.com/a', 'example.com/c', 'example.com/c'] }));
    const all = [...paths, 'example.com/c'].sort(compareUtf8);
    assert.deepEqual(await log.modules(KEY, '', '', 100), all);
    assert.deepEqual(await log.modules(KEY, '', '', 3), all.slice(0, 3));
    const below = ['example.com/a', 'example.com/a/x', 'example.com/ab'];
    assert.deepEqual(await log.modules(KEY, 'example.com/a', '', 100), below);
    assert.deepEqual(await log.modules(KEY, 'example.com/a', '', 2), below.slice(0, 2));
    assert.deepEqual(await log.modules(KEY, 'example.com/a', 'example.com/a/x', 2), below.slice(2));
    assert.deepEqual(await log.modules(KEY, 'example.com/a', 'example.com/ab', 2), []);
    assert.deepEqual(await log.modules(KEY, 'example.com/b', 'example.com/a', 2), ['example.com/b'], 'behind what comes before it');
    assert.deepEqual(await log.modules(KEY, 'example.com/x', '', 2), []);
    assert.deepEqual(await log.modules(KEY, '\u{1f600}', '', 9), ['\u{1f600}.example']);
    assert.deepEqual(await log.modules(OTHER_KEY, '', '', 2), []);
  }),

  logCase('the secret is the first one', async (store, log) => {
    await begin(store, { indexed: 5 });
    const other = { salt: new Uint8Array(16), indexed: 9, packs: [pack(0, 256)] };
    assert.equal(await store.commit(KEY, change(SIZE, [], { tiles: [hashTile(1, 0, 10)], log: other })), false);
    assert.deepEqual(await log.state(KEY), { salt: SALT, indexed: 5, changes: 1 });
    assert.deepEqual(await log.packs(KEY, [0]), [undefined]);
    assert.deepEqual(await store.tiles(KEY, [tileAt(1, 0, 10)]), [undefined], 'nothing of the change is there');
    assert.equal(await store.commit(KEY, logChange(SIZE, { packs: [pack(0, 256)] })), true);
    assert.deepEqual(await log.state(KEY), { salt: SALT, indexed: 5, changes: 2 }, 'what is not said stays');
  }),

  logCase('a change that was made from another state is lost', async (store, log) => {
    await store.commit(KEY, change(undefined, [head(SIZE)]));
    assert.equal(await store.commit(KEY, logChange(SIZE, { expect: 1, staged: new Uint8Array(1) })), false, 'there is none yet');
    assert.equal(await store.commit(KEY, logChange(SIZE, { expect: 0, pending: [pendingEntries(1, 1)] })), true);
    assert.equal(await store.commit(KEY, logChange(SIZE, { expect: 0, pending: [pendingEntries(1, 9)] })), false);
    assert.equal(await store.commit(KEY, logChange(SIZE, { expect: 1, pages: [indexPage(256, 1)], merged: [1] })), true);
    assert.equal(await store.commit(KEY, logChange(SIZE, { expect: 1, pages: [indexPage(256, 2)], merged: [1] })), false);
    assert.deepEqual(await log.pages(KEY, [256]), [indexPage(256, 1)]);
    assert.equal((await log.state(KEY))?.changes, 2);
    assert.equal(await store.commit(KEY, change(SIZE, [], { tiles: [hashTile(1, 0, 10)] })), true);
    assert.equal((await log.state(KEY))?.changes, 2, 'what adds nothing to the whole log does not count');
    assert.equal(await store.commit(KEY, { ...logChange(SIZE, FULL), expect: SIZE - 1 }), false, 'the newest head counts as ever');
    assert.deepEqual(await log.packs(KEY, [0]), [undefined]);
  }),

  logCase('the first time that a tree is seen stands', async (store, log) => {
    await begin(store, { seen: { size: SIZE, at: 1_000 } });
    await store.commit(KEY, logChange(SIZE, { seen: { size: SIZE, at: 2_000 } }));
    await store.commit(KEY, logChange(SIZE, { seen: { size: 7, at: 1_795_000_000_000 } }));
    assert.deepEqual(await log.seen(KEY, 0), [{ size: 7, at: 1_795_000_000_000 }, { size: SIZE, at: 1_000 }]);
    assert.deepEqual(await log.seen(KEY, 8), [{ size: SIZE, at: 1_000 }]);
    assert.deepEqual(await log.seen(KEY, SIZE + 1), []);
    assert.deepEqual(await log.seen(OTHER_KEY, 0), []);
  }),

  logCase('what is staged stays until it is taken back', async (store, log) => {
    const [one, two] = [new Uint8Array(100_000).fill(1), new Uint8Array(0)];
    await begin(store, { staged: one });
    assert.deepEqual(await log.staged(KEY), one);
    await store.commit(KEY, logChange(SIZE, { indexed: 1 }));
    assert.deepEqual(await log.staged(KEY), one);
    await store.commit(KEY, logChange(SIZE, { staged: two }));
    assert.deepEqual(await log.staged(KEY), two);
    await store.commit(KEY, logChange(SIZE, { staged: null }));
    assert.equal(await log.staged(KEY), undefined);
  }),

  logCase('marks, each of a name', async (store, log) => {
    await assert.rejects(log.setMark(KEY, 'watch', 5), 'of a key that is not known');
    await store.commit(KEY, change(undefined, [head(SIZE)]));
    await log.setMark(KEY, 'watch', 5);
    await log.setMark(KEY, 'feed é', 7);
    await log.setMark(KEY, 'watch', 6);
    assert.deepEqual([await log.mark(KEY, 'watch'), await log.mark(KEY, 'feed é'), await log.mark(KEY, 'no')], [6, 7, undefined]);
    assert.equal(await log.mark(OTHER_KEY, 'watch'), undefined);
    assert.equal(await log.state(KEY), undefined, 'a mark is no part of the log');
  }),

  logCase('a change with an impossible part is refused whole', async (store, log) => {
    await begin(store, {});
    const bad: Readonly<Record<string, Partial<LogChange>>> = {
      'a pack too wide': { packs: [{ ...pack(0, 256), width: 257 }] },
      'a pack of nothing': { packs: [{ ...pack(0, 1), width: 0 }] },
      'a pack without bytes': { packs: [{ ...pack(0, 1), parts: [new Uint8Array()] }] },
      'a pack with a part too many': { packs: [{ ...pack(0, 16), parts: pack(0, 17).parts }] },
      'a pack with a part too few': { packs: [{ ...pack(0, 17), parts: pack(0, 16).parts }] },
      'a pack beyond all': { packs: [{ ...pack(0, 1), n: 2 ** 53 }] },
      'a page too many': { pages: [{ ...indexPage(0, 1), n: 65536 }] },
      'half an entry': { pages: [{ n: 0, entries: new Uint8Array(12) }] },
      'a bucket too many': { pending: [{ ...pendingEntries(0, 1), bucket: 256 }] },
      'half a pending entry': { pending: [{ bucket: 0, entries: new Uint8Array(4) }] },
      'a merge of none': { merged: [-1] },
      'a time that is none': { seen: { size: 1, at: -1 } },
      'half a record': { indexed: 0.5 },
    };
    for (const [name, part] of Object.entries(bad)) {
      await assert.rejects(store.commit(KEY, logChange(SIZE, { packs: [pack(1, 256)], ...part })), name);
    }
    await assert.rejects(store.commit(OTHER_KEY, { ...change(undefined, [head(3)], { log: { salt: new Uint8Array(15) } }), name: OTHER_NAME }));
    assert.deepEqual(await log.packs(KEY, [0, 1]), [undefined, undefined]);
    assert.deepEqual(await log.pendingBuckets(KEY), []);
    assert.equal((await log.state(KEY))?.changes, 1);
  }),

  logCase('keys do not see each other’s whole logs', async (store, log) => {
    await begin(store, { ...FULL, indexed: 3, staged: new Uint8Array(1) });
    const salt = new Uint8Array(16).fill(9);
    await store.commit(OTHER_KEY, { ...change(undefined, [head(7)], { log: { salt, merged: [9], staged: null, packs: [pack(1, 7)] } }), name: OTHER_NAME });
    assert.deepEqual(await log.state(OTHER_KEY), { salt, indexed: 0, changes: 1 });
    assert.deepEqual(await log.packs(KEY, [1]), [undefined]);
    assert.deepEqual(await log.gaps(OTHER_KEY, 256 + 7), [{ lo: 0, hi: 1 }]);
    assert.deepEqual(await log.pendingBuckets(KEY), [9]);
    assert.deepEqual(await log.staged(KEY), new Uint8Array(1));
  }),

  {
    name: 'a whole log that one opening begins, another sees, and adds to',
    run: async (open: OpenPlace): Promise<void> => {
      const [one, other] = [await open(), await open()];
      await one.commit(KEY, change(undefined, [head(SIZE)]));
      const log = logOf(other);
      assert.deepEqual([await other.newest(KEY), await log.state(KEY)], [head(SIZE), undefined]);
      await one.commit(KEY, logChange(SIZE, FULL));
      assert.deepEqual(await log.packs(KEY, [0]), FULL.packs);
      assert.equal(await other.commit(KEY, logChange(SIZE, { expect: 1, packs: [pack(1, 256)] })), true);
      assert.equal(await one.commit(KEY, logChange(SIZE, { expect: 1, packs: [pack(1, 256, 1)] })), false);
      assert.deepEqual(await logOf(one).packs(KEY, [1]), [pack(1, 256)]);
      await one.close();
      await other.close();
    },
  },
];

/** A little of everything. */
const FULL: Partial<LogChange> = {
  packs: [pack(0, 256)],
  pages: [indexPage(1, 2)],
  pending: [pendingEntries(9, 2)],
  modules: ['example.com/a'],
  seen: { size: SIZE, at: 5 },
  indexed: 2,
};

/** First contact, and the first of a whole log. */
async function begin(store: Store, log: Partial<LogChange>): Promise<void> {
  const first: Change = change(undefined, [head(SIZE)], { log: { salt: SALT, ...log } });
  assert.equal(await store.commit(KEY, first), true);
}

function logOf(store: Store): LogStore {
  assert.ok(store.log, 'the store has room for a whole log');
  return store.log;
}

function logCase(name: string, check: (store: Store, log: LogStore) => Promise<void>): StoreCase {
  return storeCase(name, (store) => check(store, logOf(store)));
}

async function statsOf(store: Store): Promise<{ readonly records: number; readonly indexed: number } | undefined> {
  return (await store.stats()).databases.find(({ key }) => key === KEY)?.log;
}
