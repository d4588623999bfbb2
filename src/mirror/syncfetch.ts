/**
 * Fetching data tiles: many at a time, in any order, each proved by itself the moment it comes, and committed in batches.
 * One that does not prove is named, and the others go on.
 */

import type { Source } from '../contract.js';
import { inTurns } from '../client/turns.js';
import { TileError, type ProvedTree } from '../core/plan.js';
import { formatTilePath, TILE_WIDTH, type Tile } from '../core/tile.js';
import { GosumError, isGosumError } from '../errors.js';
import type { LogBatch } from '../whole/batch.js';
import type { TilePool } from '../whole/pool.js';
import type { TileWork } from '../whole/work.js';
import { dataTileAt, readDataTile } from './datatile.js';
import type { SyncCommits } from './synccommit.js';
import { SyncFailures } from './syncfailures.js';

/** Milliseconds after which fewer are committed. */
const LONGEST_WAIT = 5000;

/** What fetching stands on. */
export interface FetchOptions {
  readonly source: Source;
  readonly pool: TilePool;
  readonly batch: LogBatch;
  readonly commits: SyncCommits;
  /** Tiles in work at a time: being read, or worked on. How many of them are read at a time the source bounds. */
  readonly concurrency: number;
  /** Tiles of one commit. */
  readonly tilesAtOnce: number;
  /** Told how many records more are proved. */
  readonly proved: (records: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What came of it. */
export interface Fetched {
  /** Records that were proved and kept. */
  readonly records: number;
  readonly failures: SyncFailures;
}

/**
 * Fetches the data tiles of `gaps`, proves them under the tree, and commits them.
 *
 * @param tree was proved with the tiles of level 1 over the gaps.
 * @param gaps ranges [lo, hi) of numbers of data tiles.
 * @returns also where tiles failed, or where so many did that it was given up.
 * @throws {GosumError} the signal's reason, `STORE_FAILED`; then what was proved before is committed, as far as that goes.
 */
export async function fetchTiles(tree: ProvedTree, gaps: Iterable<{ readonly lo: number; readonly hi: number }>, options: FetchOptions): Promise<Fetched> {
  const fetch = new Fetch(tree, options);
  const tiles = tilesOf(gaps, tree.head.size);
  const lane = async (): Promise<void> => {
    for (const tile of tiles) {
      await fetch.tile(tile);
      if (fetch.ended) return;
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, lane));
  return fetch.end();
}

function* tilesOf(gaps: Iterable<{ readonly lo: number; readonly hi: number }>, size: number): Generator<Tile, void, undefined> {
  for (const { lo, hi } of gaps) for (let n = lo; n < hi; n++) yield dataTileAt(n, size);
}

class Fetch {
  readonly #tree: ProvedTree;
  readonly #options: FetchOptions;
  readonly #failures = new SyncFailures();
  /** Ends what is being read, or waits for that, when no more is to be fetched. */
  readonly #ending = new AbortController();
  readonly #signal: AbortSignal;
  #records = 0;
  #committedAt = performance.now();
  /** What is thrown at the end. */
  #broken: Error | undefined;

  constructor(tree: ProvedTree, options: FetchOptions) {
    this.#tree = tree;
    this.#options = options;
    this.#signal = options.signal === undefined ? this.#ending.signal : AbortSignal.any([options.signal, this.#ending.signal]);
  }

  /** Whether no more is to be fetched. */
  get ended(): boolean {
    return this.#signal.aborted;
  }

  /** Fetches a tile. Does not reject: what goes wrong is thrown at the end. */
  async tile(tile: Tile): Promise<void> {
    const { source, batch, tilesAtOnce, proved } = this.#options;
    try {
      await inTurns(source, (way) => this.#prove(tile, way ?? source), () => undefined);
      this.#failures.proved();
      this.#records += tile.width;
      proved(tile.width);
      if (batch.records >= tilesAtOnce * TILE_WIDTH || performance.now() - this.#committedAt > LONGEST_WAIT) await this.#commit();
    } catch (error) {
      if (this.ended && (error === this.#signal.reason || isGosumError(error, 'INTERRUPTED') || isOfTheWay(error))) return;
      if (isOfTheWay(error)) this.#failures.add(error);
      else this.#broken ??= error as Error;
      if (this.#broken !== undefined || this.#failures.areHopeless) this.#ending.abort();
    }
  }

  /** Commits what is left. */
  async end(): Promise<Fetched> {
    // also where it was broken off: what is proved is true
    await this.#commit();
    this.#options.signal?.throwIfAborted();
    if (this.#broken !== undefined) throw this.#broken;
    return { records: this.#records, failures: this.#failures };
  }

  async #prove(tile: Tile, source: Source): Promise<void> {
    const { pool, batch } = this.#options;
    const bytes = await readDataTile(source, tile, { signal: this.#signal });
    this.#failures.read();
    let work: TileWork;
    try {
      work = await pool.run({ kind: 'tile', n: tile.n, width: tile.width, bytes });
    } catch (error) {
      if (!isGosumError(error, 'RECORD_MALFORMED')) throw error;
      throw new TileError('TILE_MISMATCH', formatTilePath(tile), `its records are not those of the tree: ${error.message}`);
    }
    batch.add(this.#tree, work);
  }

  async #commit(): Promise<void> {
    const { batch, commits } = this.#options;
    if (batch.records === 0) return;
    const change = batch.change();
    batch.committed(); // before the others have a turn: what they add is of the next one
    await commits.commit(change).catch((error: unknown) => {
      batch.forget();
      throw error;
    });
    this.#committedAt = performance.now();
  }
}

/** Reports whether a failure is of one tile and the ways to it, and says nothing of this machine. */
function isOfTheWay(error: unknown): error is GosumError {
  if (!isGosumError(error)) return false;
  const { outcome } = error;
  return outcome === 'unproved' || outcome === 'unreachable' || outcome === 'missing';
}
