/**
 * Sync: the whole log, read once, proved, and kept.
 *
 * The newest head first, on the timeline as ever; then the hash tiles of level 1 and above (0.4 % of all), authenticated
 * under it; then every data tile proves itself, in any order, so that a lie is located at once. Level 0 is computed, not
 * read. What is committed counts: whatever ends a sync, the next one goes on from there and trusts nothing that was not proved.
 */

import type { Source, Store } from '../contract.js';
import { SumDB, type Progress, type SumDBOptions } from '../client/sumdb.js';
import { accuses } from '../core/fork.js';
import { equalBytes } from '../core/hash.js';
import { formatVerifierKey } from '../core/key.js';
import { TILE_WIDTH, tileInTree, type Tile } from '../core/tile.js';
import { joinRanges, type Range } from '../core/tree.js';
import type { TreeHead } from '../core/treehead.js';
import type { GosumError } from '../errors.js';
import { LogBatch } from '../whole/batch.js';
import { logOf, mergePending } from '../whole/merge.js';
import { openTilePool, type TilePool } from '../whole/pool.js';
import { standsStill } from './standstill.js';
import { findDamaged, type Damaged } from './synccheck.js';
import { SyncCommits } from './synccommit.js';
import { SyncFailures } from './syncfailures.js';
import { fetchTiles, type Fetched } from './syncfetch.js';

/** Some 130,000 records, 16 MB. */
const TILES_AT_ONCE = 512;
/** Tiles that wait in each thread: some 50 KB and half a millisecond of work each, so that it has work while this one commits. */
const JOBS_AT_ONCE = 64;

/** What a sync stands on. */
export interface SyncOptions extends Pick<SumDBOptions, 'key' | 'notice'> {
  readonly source: Source;
  /** Has room for a whole log. */
  readonly store: Store;
  /** Data tiles that the source reads at a time. */
  readonly concurrency: number;
  /** Threads that hash and pack. */
  readonly threads: number;
  /** Data tiles of one commit; 512 by default. */
  readonly tilesAtOnce?: number;
  /** Looks compare all that is kept with its digests, too, until all could be had: what is not as it was written is fetched or made anew. */
  readonly check?: boolean;
  readonly progress?: Progress | undefined;
}

/** What came of one look at the log. */
export interface Synced {
  /** The newest head, proved. */
  readonly head: TreeHead;
  /** Records that are kept more than before. */
  readonly records: number;
  /** All records below this are kept and in the index; the head's size where nothing is missing. */
  readonly indexed: number;
  /** Why tiles could not be read or proved: the first of them. */
  readonly failures: readonly GosumError[];
  /** How many they were. */
  readonly failed: number;
  /** Whether so many failed in a row that it was given up. */
  readonly gaveUp: boolean;
  /** What was kept and not as it was written, where that was looked for: it is made anew, as far as nothing failed. */
  readonly damaged?: Damaged;
  /** Milliseconds that the look took. */
  readonly took: number;
}

/** Keeps the whole log of one database. */
export class Sync {
  readonly #options: SyncOptions;
  readonly #db: SumDB;
  readonly #vkey: string;
  readonly #batch = new LogBatch();
  #checks: boolean;
  #pool: { readonly salt: Uint8Array; readonly pool: TilePool } | undefined;

  /** @throws {GosumError} `KEY_MALFORMED`; `STORE_FAILED` where the store has no room for a whole log. */
  constructor(options: SyncOptions) {
    const { key, source, store, notice, progress, check = false } = options;
    logOf(store);
    this.#options = options;
    this.#checks = check;
    this.#db = new SumDB({ key, source, store, keep: 'all', progress, ...(notice === undefined ? {} : { notice }) });
    this.#vkey = formatVerifierKey(this.#db.key);
  }

  /**
   * Looks at the newest head, and fetches, proves and keeps all that is missing of its tree.
   *
   * @throws {GosumError} where nothing could be done: the newest head or the tiles over the missing records could not be had
   * or proved (`unreachable`, `unproved`); `FORK`, with the evidence kept; `KEY_CHANGED`, `STORE_FAILED`; the signal's
   * reason. What was proved before that is kept.
   */
  async look(signal?: AbortSignal): Promise<Synced> {
    const { store, progress } = this.#options;
    const log = logOf(store);
    const since = performance.now();
    const found = await this.#refresh(signal);
    const commits = await SyncCommits.begin(store, this.#db.key);
    if ((await log.seen(this.#vkey, found.size)).every(({ size }) => size !== found.size)) {
      await commits.commit({ seen: { size: found.size, at: Date.now() } });
    }
    const damaged = this.#checks ? await findDamaged(log, this.#vkey, found.size, { progress, signal }) : undefined;
    const { head, records, failures } = await this.#fetch(found, damaged?.tiles, commits, signal);
    // to merge takes a while, and less often is better: where much is still to come, later
    const state = failures.areHopeless ? await log.state(this.#vkey) : undefined;
    if (failures.count === 0) this.#checks = false; // else what is damaged would be no gap for the next look
    // without all of the records an index cannot be made anew
    const known = failures.count > 0 ? [] : (damaged?.pages ?? []).map((page) => page >>> 8);
    const indexed = state?.indexed ?? (await mergePending(store, this.#db.key.name, this.#vkey, { progress, signal, known }));
    const took = performance.now() - since;
    return { head, records, indexed, failures: failures.kept, failed: failures.count, gaveUp: failures.areHopeless, took, ...(damaged === undefined ? {} : { damaged }) };
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await this.#pool?.pool.close();
  }

  /** The newest head that upstream shows, proved to lie on the timeline. */
  async #refresh(signal: AbortSignal | undefined): Promise<TreeHead> {
    const evidence = await this.#options.store.evidence();
    if (evidence.some((each) => accuses(each, this.#db.key))) throw standsStill(this.#db.key.name);
    const { head, problem } = await this.#db.lookup([], { fresh: true, signal });
    if (problem !== undefined) throw problem;
    if (head === undefined) throw new Error('a fresh head, and none is there');
    return head;
  }

  /**
   * Fetches what is missing of the tree of a head, or of the one that was taken meanwhile.
   *
   * @param damaged data tiles that are kept, and fetched all the same. Where these were looked for, all hash tiles are proved anew, too.
   */
  async #fetch(found: TreeHead, damaged: readonly number[] | undefined, commits: SyncCommits, signal: AbortSignal | undefined): Promise<Fetched & { readonly head: TreeHead }> {
    const { source, store, concurrency, threads, tilesAtOnce = TILES_AT_ONCE, progress } = this.#options;
    for (let head = found; ; ) {
      const { size } = head;
      const again = (damaged ?? []).map((n) => ({ lo: n, hi: n + 1 }));
      const gaps = joinRanges([...(await logOf(store).gaps(this.#vkey, size)), ...again]);
      const over = damaged === undefined ? gaps : [{ lo: 0, hi: Math.ceil(size / TILE_WIDTH) }];
      if (over.length === 0) return { head, records: 0, failures: new SyncFailures() };
      const tree = await this.#db.tree({ tiles: tilesOver(over, size) }, { signal });
      head = tree.head;
      if (head.size !== size) continue; // another process has taken it meanwhile
      progress?.phase('records', recordsIn(gaps, size));
      const fetched = await fetchTiles(tree, gaps, {
        source,
        pool: await this.#poolOf(commits.salt),
        batch: this.#batch,
        commits,
        // while some are read, others are hashed
        concurrency: concurrency + JOBS_AT_ONCE * threads,
        tilesAtOnce,
        proved: (some) => progress?.tick(some),
        signal,
      });
      return { ...fetched, head };
    }
  }

  async #poolOf(salt: Uint8Array): Promise<TilePool> {
    if (this.#pool !== undefined && equalBytes(this.#pool.salt, salt)) return this.#pool.pool;
    await this.#pool?.pool.close();
    this.#batch.drop(); // the file is another one than before
    this.#pool = { salt, pool: openTilePool(this.#options.threads, salt, JOBS_AT_ONCE) };
    return this.#pool.pool;
  }
}

/** The tiles of level 1 over ranges of data tiles of the tree of `size`. */
function tilesOver(ranges: readonly Range[], size: number): Tile[] {
  const numbers = new Set<number>();
  for (const { lo, hi } of ranges) {
    for (let n = Math.floor(lo / TILE_WIDTH); n * TILE_WIDTH < hi; n++) numbers.add(n);
  }
  return [...numbers].flatMap((n) => tileInTree(1, n, size) ?? []);
}

/** How many records of a tree of `size` stand in ranges of its data tiles. */
function recordsIn(ranges: readonly Range[], size: number): number {
  return ranges.reduce((sum, { lo, hi }) => sum + Math.min(hi * TILE_WIDTH, size) - lo * TILE_WIDTH, 0);
}
