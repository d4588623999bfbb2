/**
 * Merging: the pending entries of the index go into its pages, bucket by bucket. What is merged is committed, so it can be ended
 * at any time and goes on from there.
 */

import type { IndexPage, LogChange, Store } from '../contract.js';
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
 * Merges all pending entries into the pages, then says how far the log is kept and indexed (`LogState.indexed`). Only one
 * process at a time may sync and merge a file: entries that another commits meanwhile to a bucket in work would be lost.
 *
 * @param name the name of the database, whose `key` it is.
 * @returns all records below this are kept, and in the pages.
 * @throws {GosumError} `STORE_FAILED`; the signal's reason.
 */
export async function mergePending(store: Store, name: string, key: string, { progress, signal }: MergeOptions = {}): Promise<number> {
  const log = logOf(store);
  const state = await log.state(key);
  if (state === undefined) return 0;
  // How far the log is kept is asked first: what is kept now has its entries pending, or in the pages.
  const size = (await store.newest(key))?.size ?? 0;
  const [gap] = await log.gaps(key, size);
  const complete = Math.max(state.indexed, gap === undefined ? size : gap.lo * TILE_WIDTH);

  const buckets = await log.pendingBuckets(key);
  progress?.phase('building the index', buckets.length);
  for (let work = new Merge(); buckets.length > 0 || work.merged.length > 0; ) {
    signal?.throwIfAborted();
    const bucket = buckets.shift();
    if (bucket !== undefined) {
      const pending = pendingByPage(bucket, await log.pending(key, bucket));
      const numbers = [...pending.keys()];
      const pages = await log.pages(key, numbers);
      work.add(
        bucket,
        numbers.map((n, i) => ({ n, entries: mergePage(pages[i]?.entries, pending.get(n) ?? new BigUint64Array()) })),
        [...pending.values()].reduce((sum, entries) => sum + entries.length, 0),
      );
      if (buckets.length > 0 && !work.isFull) continue;
    }
    await commit(store, name, key, { salt: state.salt, pages: work.pages, merged: work.merged });
    for (const _ of work.merged) progress?.tick();
    work = new Merge();
  }
  if (complete > state.indexed) await commit(store, name, key, { salt: state.salt, indexed: complete });
  return complete;
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

/** Commits under whichever head is the newest: the index hangs on none. */
async function commit(store: Store, name: string, key: string, log: LogChange): Promise<void> {
  for (;;) {
    const expect = (await store.newest(key))?.size;
    if (await store.commit(key, { name, expect, heads: [], tiles: [], receipts: [], log })) return;
  }
}

/** The whole log's place in a store. @throws {GosumError} `STORE_FAILED` where it has none. */
export function logOf(store: Store): NonNullable<Store['log']> {
  if (store.log !== undefined) return store.log;
  throw new GosumError('STORE_FAILED', `${store.label}: has no room for a whole log`, { hint: 'give a data file (--data FILE), and install better-sqlite3' });
}
