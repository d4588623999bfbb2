/**
 * The contract of a store as tests: every store passes them, ours and yours.
 *
 *     for (const { name, run } of STORE_CASES) test(name, () => run(() => openMyStore(aNewPlace)));
 *
 * The cases' heads and notes are made up: a store believes its caller.
 */

import assert from 'node:assert/strict';
import type { Change, KeptReceipt, Store } from '../contract.js';
import { HASH_SIZE } from '../core/hash.js';
import type { Proved } from '../core/proved.js';
import { decodeUtf8, encodeUtf8 } from '../core/text.js';
import { isGosumError } from '../errors.js';
import { change, evidence, hashTile, head, KEY, NAME, OTHER_KEY, OTHER_NAME, proved, receipt, record, tileAt } from './storevalues.js';

/**
 * Opens a place that belongs to one run of one case and is empty at first. Each call opens the same place again, as another
 * process might.
 */
export type OpenPlace = () => Promise<Store>;

/** One case of the contract. Rejects where the store does not keep it. */
export interface StoreCase {
  readonly name: string;
  readonly run: (open: OpenPlace) => Promise<void>;
}

/** All cases, independent of each other and of their order. */
export const STORE_CASES: readonly StoreCase[] = [
  storeCase('an empty store knows nothing', async (store) => {
    assert.equal(await store.keyOf(NAME), undefined);
    assert.equal(await store.newest(KEY), undefined);
    assert.deepEqual(await store.timeline(KEY, 0), []);
    assert.deepEqual(await store.receipts(KEY, ['example.com/a@v1.0.0']), []);
    assert.deepEqual(await store.tiles(KEY, [tileAt(0, 0, 256), tileAt(1, 0, 1)]), [undefined, undefined]);
    assert.deepEqual(await store.evidence(), []);
    assert.equal(await store.clearEvidence(), 0);
    assert.deepEqual((await store.stats()).databases, []);
    await store.clean();
    assert.equal(await store.newest(KEY), undefined);
    assert.notEqual(store.label, '');
  }),

  storeCase('first contact is kept whole', async (store) => {
    assert.equal(await store.commit(KEY, change(undefined, [head(7)])), true);
    assert.equal(await store.keyOf(NAME), KEY);
    assert.deepEqual(await store.newest(KEY), head(7));
    assert.deepEqual(await store.timeline(KEY, 0), [head(7)]);
  }),

  storeCase('a swap is won under the expected head, and lost under any other', async (store) => {
    assert.equal(await store.commit(KEY, change(5, [head(7)])), false, 'nothing was there');
    assert.equal(await store.keyOf(NAME), undefined, 'what is lost leaves no name');
    assert.equal(await store.commit(KEY, change(undefined, [head(7)])), true);
    assert.equal(await store.commit(KEY, change(undefined, [head(9)])), false, 'something was there');
    assert.equal(await store.commit(KEY, change(7, [head(7, 9), head(9)])), true);
    const late = change(7, [head(7, 8), head(8)], {
      tiles: [hashTile(0, 0, 8)],
      receipts: [receipt('late', 'example.com/a@v1.0.0')],
    });
    assert.equal(await store.commit(KEY, late), false);
    assert.deepEqual(await store.timeline(KEY, 0), [head(7, 9), head(9)]);
    assert.deepEqual(await store.tiles(KEY, [tileAt(0, 0, 8)]), [undefined], 'no tile of a lost swap');
    assert.deepEqual(await store.receipts(KEY, ['example.com/a@v1.0.0']), [], 'no receipt of a lost swap');
  }),

  storeCase('tiles and receipts come under the newest head without a new one', async (store) => {
    await store.commit(KEY, change(undefined, [head(7)]));
    const more = change(7, [], { tiles: [hashTile(0, 0, 7)], receipts: [receipt('a', 'example.com/a@v1.0.0')] });
    assert.equal(await store.commit(KEY, more), true);
    assert.deepEqual(await store.timeline(KEY, 0), [head(7)]);
    assert.equal((await store.receipts(KEY, ['example.com/a@v1.0.0'])).length, 1);
  }),

  storeCase('what can be had without waiting is what there is', async (store) => {
    const { now } = store;
    if (now === undefined) return;
    const [wide, narrow] = [tileAt(0, 0, 7), tileAt(0, 0, 3)];
    const had = (): unknown[] => [now.tile(KEY, narrow), now.tile(KEY, wide), now.record(KEY, 'a@v1.0.0'), now.entries(KEY, { page: 0, rest: 0 }), now.part(KEY, 0)];
    const nothing = [undefined, undefined, undefined, undefined, undefined];
    assert.deepEqual(had(), nothing);
    await store.commit(KEY, change(undefined, [head(7)], { tiles: [hashTile(0, 0, 3)] }));
    assert.deepEqual(had(), [hashTile(0, 0, 3).bytes, ...nothing.slice(1)]);
    // while what was read is still of one state
    const done = store.commit(KEY, change(7, [], { tiles: [hashTile(0, 0, 7)], records: [record(2, 'a@v1.0.0')] }));
    assert.equal(await done, true);
    assert.deepEqual(had(), [hashTile(0, 0, 3).bytes, hashTile(0, 0, 7).bytes, record(2, 'a@v1.0.0'), undefined, undefined]);
    assert.equal(now.tile(OTHER_KEY, wide), undefined);
    assert.deepEqual(await store.tiles(KEY, [wide]), [hashTile(0, 0, 7).bytes]);
    await store.clean();
    assert.deepEqual(had(), nothing);
  }),

  {
    name: 'what another opening keeps can be had without waiting when others had their turn',
    run: async (open: OpenPlace): Promise<void> => {
      const [one, other] = [await open(), await open()];
      if (one.now !== undefined) {
        await one.commit(KEY, change(undefined, [head(7)]));
        assert.equal(one.now.tile(KEY, tileAt(0, 0, 7)), undefined);
        await new Promise((resolve) => setImmediate(resolve));
        await other.commit(KEY, change(7, [], { tiles: [hashTile(0, 0, 7)] }));
        assert.deepEqual(one.now.tile(KEY, tileAt(0, 0, 7)), hashTile(0, 0, 7).bytes);
      }
      await one.close();
      await other.close();
    },
  },

  storeCase('the timeline is ascending, and begins where it is asked to', async (store) => {
    await store.commit(KEY, change(undefined, [head(256)]));
    await store.commit(KEY, change(256, [head(1000), head(256, 1000)]));
    assert.equal(await store.commit(KEY, change(1000, [head(300, 1000)])), true, 'an older head, proved to lie on it');
    const all = [head(256, 1000), head(300, 1000), head(1000)];
    assert.deepEqual(await store.timeline(KEY, 0), all);
    assert.deepEqual(await store.timeline(KEY, 257), all.slice(1));
    assert.deepEqual(await store.timeline(KEY, 1000), all.slice(2));
    assert.deepEqual(await store.timeline(KEY, 1001), []);
    assert.deepEqual(await store.newest(KEY), head(1000));
  }),

  storeCase('sizes go to 2^53 - 1', async (store) => {
    const most = Number.MAX_SAFE_INTEGER;
    await store.commit(KEY, change(undefined, [head(most - 1)]));
    const grown = change(most - 1, [head(most - 1, most), head(most)], { tiles: [hashTile(0, 2 ** 45 - 1, 255)] });
    assert.equal(await store.commit(KEY, grown), true);
    assert.deepEqual(await store.timeline(KEY, most), [head(most)]);
    assert.deepEqual(await store.tiles(KEY, [tileAt(0, 2 ** 45 - 1, 255)]), [hashTile(0, 2 ** 45 - 1, 255).bytes]);
  }),

  storeCase('a change that leaves no newest head or two, or a broken chain, is refused whole', async (store) => {
    await store.commit(KEY, change(undefined, [head(7)]));
    const bad: Readonly<Record<string, Change>> = {
      'a second newest head': change(7, [head(9)]),
      'no newest head': change(7, [head(7, 9)]),
      'a way to a head that is not there': change(7, [head(5, 6)]),
      'a way backwards': change(7, [head(8, 7)]),
      'another hash for a size': change(7, [{ ...head(7), hash: head(8).hash }]),
      'a size that is no count': change(7, [{ ...head(5, 7), size: 1.5 }]),
      'a short hash': change(7, [{ ...head(5, 7), hash: new Uint8Array(HASH_SIZE - 1) }]),
      'one size twice': change(7, [head(5, 7), head(5, 7)]),
      'a tile of the wrong length': change(7, [], { tiles: [{ ...hashTile(0, 0, 7), bytes: new Uint8Array(8) }] }),
      'a tile of no level of ours': change(7, [], { tiles: [hashTile(7, 0, 7)] }),
      'a data tile': change(7, [], { tiles: [hashTile(-1, 0, 7)] }),
    };
    for (const [what, each] of Object.entries(bad)) {
      const { heads, tiles, expect } = each;
      const late = { ...change(expect, [], { tiles: [hashTile(1, 1, 1)], receipts: [receipt('x', 'x@v1.0.0')] }), heads };
      await assert.rejects(store.commit(KEY, { ...late, tiles: [...late.tiles, ...tiles] }), what);
    }
    assert.deepEqual(await store.timeline(KEY, 0), [head(7)]);
    assert.deepEqual(await store.tiles(KEY, [tileAt(1, 1, 1)]), [undefined]);
    assert.deepEqual(await store.receipts(KEY, ['x@v1.0.0']), []);
    await assert.rejects(store.commit(OTHER_KEY, change(undefined, [], { name: OTHER_NAME })), 'a first contact without head');
    assert.equal(await store.keyOf(OTHER_NAME), undefined);
  }),

  storeCase('a name keeps its key', async (store) => {
    await store.commit(KEY, change(undefined, [head(7)]));
    for (const expect of [undefined, 7]) {
      await assert.rejects(store.commit(OTHER_KEY, change(expect, [head(9)])), (error) =>
        isGosumError(error, 'KEY_CHANGED'),
      );
    }
    assert.equal(await store.keyOf(NAME), KEY);
    assert.equal(await store.newest(OTHER_KEY), undefined);
    await assert.rejects(store.commit(KEY, change(7, [], { name: OTHER_NAME })), 'and a key its name');
  }),

  storeCase('a tile is widened, never narrowed, and cut to what is wanted', async (store) => {
    await store.commit(KEY, change(undefined, [head(70_000)], { tiles: [hashTile(0, 3, 100), hashTile(1, 3, 9)] }));
    await store.commit(KEY, change(70_000, [], { tiles: [hashTile(0, 3, 40, 1)] }));
    const hundred = hashTile(0, 3, 100).bytes;
    const widths = [1, 40, 100, 101, 256].map((width) => tileAt(0, 3, width));
    const wanted = [hundred.slice(0, HASH_SIZE), hundred.slice(0, 40 * HASH_SIZE), hundred, undefined, undefined];
    assert.deepEqual(await store.tiles(KEY, widths), wanted);
    await store.commit(KEY, change(70_000, [], { tiles: [hashTile(0, 3, 256, 2)] }));
    const full = hashTile(0, 3, 256, 2).bytes;
    assert.deepEqual(await store.tiles(KEY, [tileAt(0, 3, 256), tileAt(0, 3, 2)]), [full, full.slice(0, 2 * HASH_SIZE)]);
    assert.deepEqual(await store.tiles(KEY, [tileAt(1, 3, 9), tileAt(0, 4, 1), tileAt(2, 3, 1)]), [
      hashTile(1, 3, 9).bytes,
      undefined,
      undefined,
    ]);
  }),

  storeCase('few receipts cover what is wanted', async (store) => {
    const first = [receipt('abc', 'a@v1.0.0', 'b@v1.0.0', 'c@v1.0.0'), receipt('d', 'd@v1.0.0')];
    await store.commit(KEY, change(undefined, [head(7)], { receipts: first }));
    await store.commit(KEY, change(7, [], { receipts: [receipt('be', 'b@v1.0.0', 'e@v1.0.0')] }));
    assert.deepEqual(await receiptsOf(store, 'a@v1.0.0', 'b@v1.0.0', 'c@v1.0.0'), ['abc']);
    assert.deepEqual(await receiptsOf(store, 'a@v1.0.0', 'b@v1.0.0', 'd@v1.0.0'), ['abc', 'd']);
    assert.deepEqual(await receiptsOf(store, 'b@v1.0.0'), ['be'], 'the newest of equals');
    assert.deepEqual(await receiptsOf(store, 'c@v1.0.0', 'c@v1.0.0', 'e@v1.0.0', 'unknown@v1.0.0'), ['abc', 'be']);
    assert.deepEqual(await receiptsOf(store, 'unknown@v1.0.0', "o'hara@v1.0.0", ''), []);
    assert.deepEqual(await receiptsOf(store), []);
  }),

  storeCase('a receipt that is the newest for nothing goes', async (store) => {
    await store.commit(KEY, change(undefined, [head(7)], { receipts: [receipt('old', 'a@v1.0.0', 'b@v1.0.0')] }));
    await store.commit(KEY, change(7, [], { receipts: [receipt('new', 'a@v1.0.0')] }));
    assert.deepEqual(await countsOf(store, KEY), { heads: 1, newest: 7, tiles: 0, receipts: 2, records: 2 });
    const both = receipt('newer', 'b@v1.0.0', 'c@v1.0.0');
    await store.commit(KEY, change(7, [], { receipts: [both, receipt('of nothing')] }));
    assert.deepEqual(await countsOf(store, KEY), { heads: 1, newest: 7, tiles: 0, receipts: 2, records: 3 });
    for (const also of ['c@v1.0.0', 'unknown@v1.0.0']) {
      assert.deepEqual(await receiptsOf(store, 'a@v1.0.0', 'b@v1.0.0', also), ['new', 'newer']);
    }
    await store.commit(KEY, change(7, [], { receipts: [receipt('newest', 'a@v1.0.0', 'b@v1.0.0', 'c@v1.0.0')] }));
    assert.deepEqual(await countsOf(store, KEY), { heads: 1, newest: 7, tiles: 0, receipts: 1, records: 3 });
  }),

  storeCase('records kept by themselves, each in the place of an older one', async (store) => {
    const [a, b] = [record(3, 'example.com/a@v1.0.0'), record(6, 'example.com/b@v1.0.0')];
    await store.commit(KEY, change(undefined, [head(7)], { records: [a, b] }));
    const wanted = ['example.com/b@v1.0.0', 'example.com/none@v1.0.0', 'example.com/a@v1.0.0'];
    assert.deepEqual(await store.records(KEY, wanted), [b, undefined, a]);
    assert.deepEqual(await store.records(OTHER_KEY, wanted), [undefined, undefined, undefined]);
    const later = record(4, 'example.com/a@v1.0.0', 'another text');
    await store.commit(KEY, change(7, [], { records: [later] }));
    assert.deepEqual(await store.records(KEY, ['example.com/a@v1.0.0']), [later]);
    assert.equal((await countsOf(store, KEY))?.records, 2);
    assert.equal(await store.commit(KEY, change(6, [], { records: [a] })), false);
    assert.deepEqual(await store.records(KEY, ['example.com/a@v1.0.0']), [later], 'a swap that is lost keeps no record');
    await store.clean();
    assert.deepEqual(await store.records(KEY, ['example.com/a@v1.0.0']), [undefined]);
  }),

  storeCase('all heads but the newest are forgotten where a change says so', async (store) => {
    await store.commit(KEY, change(undefined, [head(5, 7), head(7)]));
    await store.commit(KEY, change(7, [head(7, 9), head(9)], { newestOnly: true }));
    assert.deepEqual(await store.timeline(KEY, 0), [head(9)]);
    assert.deepEqual(await store.newest(KEY), head(9));
  }),

  storeCase('keys do not see each other', async (store) => {
    const mine = { tiles: [hashTile(0, 0, 7, 1)], receipts: [receipt('mine', 'a@v1.0.0')] };
    const theirs = { tiles: [hashTile(0, 0, 5, 2)], receipts: [receipt('theirs', 'a@v1.0.0')], name: OTHER_NAME };
    await store.commit(KEY, change(undefined, [head(7)], mine));
    assert.equal(await store.newest(OTHER_KEY), undefined);
    assert.deepEqual(await store.receipts(OTHER_KEY, ['a@v1.0.0']), []);
    assert.equal(await store.commit(OTHER_KEY, change(undefined, [head(5)], theirs)), true);
    assert.deepEqual(await store.timeline(KEY, 0), [head(7)]);
    assert.deepEqual(await store.timeline(OTHER_KEY, 0), [head(5)]);
    assert.deepEqual(await store.tiles(KEY, [tileAt(0, 0, 7)]), [hashTile(0, 0, 7, 1).bytes]);
    assert.deepEqual(await store.tiles(OTHER_KEY, [tileAt(0, 0, 7)]), [undefined]);
    assert.deepEqual(await store.receipts(KEY, ['a@v1.0.0']), [encodeUtf8('mine')]);
    assert.deepEqual(await store.receipts(OTHER_KEY, ['a@v1.0.0']), [encodeUtf8('theirs')]);
    assert.deepEqual([await store.keyOf(NAME), await store.keyOf(OTHER_NAME)], [KEY, OTHER_KEY]);
    await store.commit(KEY, change(7, [], { receipts: [receipt('more', 'b@v1.0.0')] }));
    assert.deepEqual(await store.receipts(KEY, ['a@v1.0.0']), [encodeUtf8('mine')], 'another’s newer receipt supersedes none');
  }),

  storeCase('evidence is kept once each, until a person clears it', async (store) => {
    await store.addEvidence(evidence(1));
    await store.addEvidence(evidence(2));
    await store.addEvidence({ ...evidence(1), foundAt: '2027-01-01T00:00:00Z' });
    assert.deepEqual(await store.evidence(), [evidence(1), evidence(2)]);
    assert.equal((await store.stats()).evidence, 2);
    await store.clean();
    assert.deepEqual(await store.evidence(), [evidence(1), evidence(2)]);
    assert.equal(await store.clearEvidence(), 2);
    assert.deepEqual(await store.evidence(), []);
  }),

  storeCase('cleaning forgets all but evidence and keys, and a first contact follows', async (store) => {
    const receipts = [receipt('a', 'a@v1.0.0')];
    await store.commit(KEY, change(undefined, [head(7)], { tiles: [hashTile(0, 0, 7)], receipts }));
    await store.clean();
    assert.equal(await store.newest(KEY), undefined);
    assert.deepEqual(await store.tiles(KEY, [tileAt(0, 0, 1)]), [undefined]);
    assert.deepEqual(await store.receipts(KEY, ['a@v1.0.0']), []);
    assert.equal(await store.keyOf(NAME), KEY);
    assert.deepEqual(await countsOf(store, KEY), { heads: 0, newest: undefined, tiles: 0, receipts: 0, records: 0 });
    await assert.rejects(store.commit(OTHER_KEY, change(undefined, [head(9)])), (error) => isGosumError(error, 'KEY_CHANGED'));
    assert.equal(await store.commit(KEY, change(7, [head(7, 9), head(9)])), false);
    assert.equal(await store.commit(KEY, change(undefined, [head(5)])), true);
  }),

  storeCase('a thousand tiles and a large receipt in one change', async (store) => {
    const tiles = Array.from({ length: 1000 }, (_, n) => hashTile(n % 4, n, n % 3 === 0 ? 256 : 255, n));
    const covers = Array.from({ length: 2000 }, (_, n) => `example.com/m${n}@v1.${n}.0`);
    const large: Proved<KeptReceipt> = proved({ bytes: new Uint8Array(1_000_000).fill(7), covers });
    assert.equal(await store.commit(KEY, change(undefined, [head(300_000)], { tiles, receipts: [large] })), true);
    assert.deepEqual(
      await store.tiles(KEY, tiles.map(({ tile }) => tile)),
      tiles.map(({ bytes }) => bytes),
    );
    assert.deepEqual(await store.receipts(KEY, covers), [large.bytes]);
    assert.deepEqual(await countsOf(store, KEY), { heads: 1, newest: 300_000, tiles: 1000, receipts: 1, records: 2000 });
  }),

  storeCase('what goes in or comes out is a copy', async (store) => {
    const tile = hashTile(0, 0, 7);
    const kept = receipt('a', 'a@v1.0.0');
    const first = head(7);
    await store.commit(KEY, change(undefined, [first], { tiles: [tile], receipts: [kept] }));
    for (const bytes of [tile.bytes, kept.bytes, first.note]) bytes.fill(0);
    const read = [...(await store.tiles(KEY, [tileAt(0, 0, 7)])), ...(await store.receipts(KEY, ['a@v1.0.0']))];
    assert.deepEqual(read, [hashTile(0, 0, 7).bytes, encodeUtf8('a')]);
    for (const bytes of read) bytes.fill(0);
    assert.deepEqual(await store.tiles(KEY, [tileAt(0, 0, 7)]), [hashTile(0, 0, 7).bytes]);
    assert.deepEqual(await store.receipts(KEY, ['a@v1.0.0']), [encodeUtf8('a')]);
    assert.deepEqual(await store.newest(KEY), head(7));
  }),

  {
    name: 'what one opening commits, another sees',
    run: async (open: OpenPlace): Promise<void> => {
      const one = await open();
      const other = await open();
      assert.equal(await other.newest(KEY), undefined);
      await one.commit(KEY, change(undefined, [head(7)], { receipts: [receipt('a', 'a@v1.0.0')] }));
      assert.deepEqual(await other.newest(KEY), head(7));
      assert.equal(await other.commit(KEY, change(undefined, [head(5)])), false);
      assert.equal(await other.commit(KEY, change(7, [head(7, 9), head(9)])), true);
      assert.equal(await one.commit(KEY, change(7, [head(7, 8), head(8)])), false);
      await one.close();
      await other.close();
      const third = await open();
      assert.deepEqual(await third.timeline(KEY, 0), [head(7, 9), head(9)]);
      assert.deepEqual(await third.receipts(KEY, ['a@v1.0.0']), [encodeUtf8('a')]);
      await third.close();
    },
  },

  {
    name: 'many who swap and try again lose nothing',
    run: async (open: OpenPlace): Promise<void> => {
      const [one, other] = [await open(), await open()];
      await Promise.all([one, other, one, other].map((store) => swapTimes(store, 10)));
      await checkChain(one, 40);
      await one.close();
      await other.close();
    },
  },
];

/**
 * Adds `times` heads to the timeline, each one record larger, with as many attempts as it takes. For races on one place:
 * run it in several processes, then `checkChain` with the sum.
 */
export async function swapTimes(store: Store, times: number): Promise<void> {
  for (let done = 0; done < times; ) {
    const newest = (await store.newest(KEY))?.size;
    const size = (newest ?? 0) + 1;
    const heads = newest === undefined ? [head(size)] : [head(newest, size), head(size)];
    const receipts = [receipt(`${size}`, `example.com/m${size}@v1.0.0`)];
    if (await store.commit(KEY, change(newest, heads, { tiles: [hashTile(0, size, 256)], receipts }))) done++;
  }
}

/** Checks that the timeline is what `size` calls of `swapTimes(store, 1)` make of an empty place. */
export async function checkChain(store: Store, size: number): Promise<void> {
  const sizes = Array.from({ length: size }, (_, i) => i + 1);
  const heads = sizes.map((each) => (each === size ? head(each) : head(each, each + 1)));
  assert.deepEqual(await store.timeline(KEY, 0), heads);
  assert.deepEqual(await store.newest(KEY), heads.at(-1));
  const tiles = sizes.map((each) => hashTile(0, each, 256));
  assert.deepEqual(
    await store.tiles(KEY, tiles.map(({ tile }) => tile)),
    tiles.map(({ bytes }) => bytes),
  );
  const kept = await store.receipts(KEY, sizes.map((each) => `example.com/m${each}@v1.0.0`));
  assert.equal(kept.length, size);
}

/** A case for which one opening is enough. */
export function storeCase(name: string, check: (store: Store) => Promise<void>): StoreCase {
  return {
    name,
    run: async (open: OpenPlace): Promise<void> => {
      const store = await open();
      try {
        await check(store);
      } finally {
        await store.close();
      }
    },
  };
}

type Counts = Omit<Awaited<ReturnType<Store['stats']>>['databases'][number], 'name' | 'key'>;

async function countsOf(store: Store, key: string): Promise<Counts | undefined> {
  const row = (await store.stats()).databases.find((database) => database.key === key);
  if (row === undefined) return undefined;
  const { heads, newest, tiles, receipts, records } = row;
  return { heads, newest, tiles, receipts, records };
}

/** The receipts' texts, in an order of ours: a store may give them in any. */
async function receiptsOf(store: Store, ...wanted: string[]): Promise<string[]> {
  return (await store.receipts(KEY, wanted)).map(decodeUtf8).sort();
}
