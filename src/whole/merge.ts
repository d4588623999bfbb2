/**
 * Merging: the pending entries of the index go into its pages, bucket by bucket. What is merged is committed, so it can be ended
 * at any time and goes on from there.
 */

import type { IndexPage, LogStore, Store } from '../contract.js';
import type { Progress } from '../client/sumdb.js';
import { TILE_WIDTH } from '../core/tile.js';
import { GosumError } from '../errors.js';
import { mergePage, pendingByPage } from './entry.js';

/** The most entries of one commit, but for a bucket that has more by itself: a small increment is one commit then. */
const MOST_ENTRIES = 2 ** 17;
/** The most buckets of one commit. */
const MOST_BUCKETS = 256;
/** The most pages that are rewritten in one commit: some have 10 kB. */
const MOST_PAGES = 1024;

/** How it is done. */
export interface MergeOptions {
  /** A phase `building the index`, a step for each bucket. */
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Merges all pending entries into the pages, then says how far the log is kept and indexed (`LogState.indexed`). Others may
 * write meanwhile: what they changed under it is read again.
 *
 * @param name the name of the database, whose `key` it is.
 * @returns all records below this are kept, and in the pages.
 * @throws {GosumError} `STORE_FAILED`; the signal's reason.
 */
export async function mergePending(store: Store, name: string, key: string, { progress, signal }: MergeOptions = {}): Promise<number> {
  const log = logOf(store);
  // How far the log is kept is asked first: what is kept now has its entries pending, or in the pages.
  const size = (await store.newest(key))?.size ?? 0;
  const [gap] = await log.gaps(key, size);
  const complete = gap === undefined ? size : gap.lo * TILE_WIDTH;

  progress?.phase('building the index', (await log.pendingBuckets(key)).length);
  for (;;) {
    signal?.throwIfAborted();
    const state = await log.state(key);
    if (state === undefined) return 0;
    const { salt, indexed, changes } = state;
    const work = await nextMerge(log, key);
    const done = work.merged.length === 0;
    if (done && complete <= indexed) return indexed;
    const change = done ? { indexed: complete } : { pages: work.pages, merged: work.merged };
    const expect = (await store.newest(key))?.size;
    const committed = await store.commit(key, { name, expect, heads: [], tiles: [], receipts: [], log: { salt, expect: changes, ...change } });
    if (committed) work.merged.forEach(() => progress?.tick());
  }
}

/** Merges as many buckets as are one commit; none where nothing is pending. */
async function nextMerge(log: LogStore, key: string): Promise<Merge> {
  const work = new Merge();
  for (const bucket of await log.pendingBuckets(key)) {
    const pending = pendingByPage(bucket, await log.pending(key, bucket));
    const numbers = [...pending.keys()];
    const pages = await log.pages(key, numbers);
    work.add(
      bucket,
      numbers.map((n, i) => ({ n, entries: mergePage(pages[i]?.entries, pending.get(n) ?? new BigUint64Array()) })),
      [...pending.values()].reduce((sum, entries) => sum + entries.length, 0),
    );
    if (work.isFull) break;
  }
  return work;
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
export function logOf(store: Store): LogStore {
  if (store.log !== undefined) return store.log;
  throw new GosumError('STORE_FAILED', `${store.label}: has no room for a whole log`, { hint: 'give a data file (--data FILE), and install better-sqlite3' });
}
