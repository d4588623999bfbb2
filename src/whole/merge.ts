/**
 * Merging: the pending entries of the index go into its pages, bucket by bucket. What is merged is committed, so it can be ended
 * at any time and goes on from there.
 *
 * What is merged is forgotten as pending, so a row that is passed over would be lost: where one is not as it was written, its
 * bucket is made anew from the records (rebuild.ts), when all others are merged.
 */

import { setImmediate as turn } from 'node:timers/promises';
import type { IndexPage, LogStore, Store } from '../contract.js';
import type { Progress } from '../client/sumdb.js';
import { TILE_WIDTH } from '../core/tile.js';
import { GosumError } from '../errors.js';
import { BUCKETS, mergePage, pendingByPage } from './entry.js';
import { BEGIN_ANEW, rebuildPages } from './rebuild.js';

/** The most entries of one commit, but for a bucket that has more by itself: a small increment is one commit then. */
const MOST_ENTRIES = 2 ** 17;
/** The most buckets of one commit. */
const MOST_BUCKETS = 256;
/** The most pages that are rewritten in one commit: some have 10 kB. */
const MOST_PAGES = 4096;
/** The most buckets that are made anew at once: some 2 MB each in memory, and in the commit. */
const MOST_REBUILT = 16;

/** How it is done. */
export interface MergeOptions {
  /** A phase `building the index`, a step for each bucket; and where that has to be done, `building the index anew`. */
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Buckets that are known to have pages which are not as they were written: they are made anew, too. */
  readonly known?: Iterable<number>;
}

/**
 * Merges all pending entries into the pages, then says how far the log is kept and indexed (`LogState.indexed`). Others may
 * write meanwhile: what they changed under it is read again.
 *
 * @param name the name of the database, whose `key` it is. Something of its log was kept before.
 * @returns all records below this are kept, and in the pages.
 * @throws {GosumError} `STORE_FAILED`, also where something is not as it was written that cannot be made anew; the signal's reason.
 */
export async function mergePending(store: Store, name: string, key: string, { progress, signal, known = [] }: MergeOptions = {}): Promise<number> {
  const log = logOf(store);
  // How far the log is kept is asked first: what is kept now has its entries pending, or in the pages.
  const size = (await store.newest(key))?.size ?? 0;
  const [gap] = await log.gaps(key, size);
  const complete = gap === undefined ? size : gap.lo * TILE_WIDTH;

  const damaged = new Set(known);
  progress?.phase('building the index', (await log.pendingBuckets(key)).length);
  for (;;) {
    signal?.throwIfAborted();
    const state = await log.state(key);
    if (state === undefined) throw unread(store);
    const { salt, indexed, changes } = state;
    const merge = await nextMerge(store, key, damaged);
    const isAnew = merge.merged.length === 0 && damaged.size > 0;
    const { pages, merged } = isAnew ? await nextRebuild(store, key, salt, damaged, { progress, signal }) : merge;
    const done = merged.length === 0;
    if (done && complete <= indexed) return indexed;
    const change = done ? { indexed: complete } : { pages, merged };
    const expect = (await store.newest(key))?.size;
    const committed = await store.commit(key, { name, expect, heads: [], tiles: [], receipts: [], log: { salt, expect: changes, ...change } });
    await turn(); // a file is read and written at once: without it nobody hears that a person wants to end it
    if (!committed) continue;
    for (const bucket of merged) if (!damaged.delete(bucket)) progress?.tick();
  }
}

/**
 * Merges as many buckets as are one commit; none where nothing else is pending.
 *
 * @param damaged buckets that are passed over: some of their rows are not as they were written. More are added where they are met.
 */
async function nextMerge(store: Store, key: string, damaged: Set<number>): Promise<Merge> {
  const log = logOf(store);
  const work = new Merge();
  for (const bucket of await log.pendingBuckets(key)) {
    if (damaged.has(bucket)) continue;
    if (bucket >= BUCKETS) throw new GosumError('STORE_FAILED', `${store.label}: the index is damaged: there is no bucket ${bucket}`, { hint: BEGIN_ANEW });
    const entries = await log.pending(key, bucket);
    const pending = entries && pendingByPage(bucket, entries);
    const numbers = [...(pending?.keys() ?? [])];
    const pages = await log.pagesToMerge(key, numbers);
    if (pending === undefined || pages === undefined) {
      damaged.add(bucket);
      continue;
    }
    work.add(
      bucket,
      numbers.map((n, i) => ({ n, entries: mergePage(pages[i]?.entries, pending.get(n) ?? new BigUint64Array()) })),
      [...pending.values()].reduce((sum, entries) => sum + entries.length, 0),
    );
    if (work.isFull) break;
  }
  return work;
}

/** Makes some damaged buckets anew. What is asked of the store is asked after its state, under which it is committed. */
async function nextRebuild(store: Store, key: string, salt: Uint8Array, damaged: ReadonlySet<number>, options: MergeOptions): Promise<Pick<Merge, 'pages' | 'merged'>> {
  const merged = [...damaged].slice(0, MOST_REBUILT);
  const size = (await store.newest(key))?.size ?? 0;
  const pages = await rebuildPages(logOf(store), key, { label: store.label, size, salt, buckets: new Set(merged), ...options });
  return { pages, merged };
}

function unread(store: Store): GosumError {
  return new GosumError('STORE_FAILED', `${store.label}: what is known of the log cannot be read any more`, {
    hint: 'run sync again: it begins with what is kept now',
  });
}

/** What goes into one commit. */
class Merge {
  readonly pages: IndexPage[] = [];
  readonly merged: number[] = [];
  #entries = 0;

  get isFull(): boolean {
    return this.#entries >= MOST_ENTRIES || this.pages.length >= MOST_PAGES || this.merged.length >= MOST_BUCKETS;
  }

  add(bucket: number, pages: readonly IndexPage[], entries: number): void {
    for (const page of pages) this.pages.push(page);
    this.merged.push(bucket);
    this.#entries += entries;
  }
}

/** The whole log's place in a store. @throws {GosumError} `STORE_FAILED` where it has none. */
export function logOf(store: Pick<Store, 'label' | 'log'>): LogStore {
  if (store.log !== undefined) return store.log;
  throw new GosumError('STORE_FAILED', `${store.label}: has no room for a whole log`, { hint: 'give a data file (--data FILE), and install better-sqlite3' });
}
