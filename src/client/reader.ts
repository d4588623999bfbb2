/**
 * Reading suspect bytes: from the store and the caches first, then from the database. Each path is read once.
 * Nothing read here is believed.
 */

import type { ReadOptions, Source, Store } from '../contract.js';
import { GosumError, isGosumError } from '../errors.js';
import { MAX_BULK_ANSWER } from '../core/bulkform.js';
import { HASH_SIZE } from '../core/hash.js';
import { formatTilePath, fullTile, TILE_BYTES, TILE_WIDTH, type Tile } from '../core/tile.js';
import { Once } from './once.js';

/** The most bytes of a signed note: a tree head has some 200, and 100 signatures are the most. Go has no such limit. */
const NOTE_LIMIT = 32 * 1024;
/** The most bytes of a lookup's answer: a record of two lines, most often some 200 bytes, and a note. */
const LOOKUP_LIMIT = 2 * NOTE_LIMIT;

/** Bytes, and whether the database itself gave them. */
export interface Answer {
  readonly bytes: Uint8Array;
  readonly fromCache: boolean;
}

/** Where a reader reads. */
export interface ReaderOptions {
  /** Canonical verifier key, by which the store keeps tiles. */
  readonly key: string;
  readonly store: Store;
  /** Places that may have an answer, asked before the database: the go command's cache. */
  readonly caches: readonly Source[];
  /** The database; `undefined` offline. */
  readonly source: Source | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads each path once, from the nearest place that has it. */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #tiles = new Once<Answer>();
  /** Tiles of the store by path, in the width that they were wanted in. */
  readonly #kept = new Map<string, Uint8Array>();
  /** Paths whose cached bytes did not authenticate: of these only the database is asked. */
  readonly #distrusted = new Set<string>();
  #asked = false;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Whether the database was asked for anything. */
  get asked(): boolean {
    return this.#asked;
  }

  /** The newest signed note that the database shows. @throws {GosumError} as `Source.read`; `OFFLINE`. */
  latest(): Promise<Uint8Array> {
    return this.#ask('/latest', NOTE_LIMIT);
  }

  /** The newest signed notes that the caches have. */
  async cachedLatest(): Promise<Uint8Array[]> {
    const options = { limit: NOTE_LIMIT, signal: this.#options.signal };
    const notes = await Promise.all(this.#options.caches.map((cache) => cache.read('/latest', options)));
    return notes.filter((note) => note !== undefined);
  }

  /**
   * The answer to a lookup.
   *
   * @param signal in place of the reader's own.
   * @throws {GosumError} as `Source.read`; `OFFLINE`.
   */
  async lookup(path: string, signal: AbortSignal | undefined = this.#options.signal): Promise<Answer> {
    const cached = await this.#cached(path, LOOKUP_LIMIT);
    if (cached !== undefined) return { bytes: cached, fromCache: true };
    return { bytes: await this.#ask(path, LOOKUP_LIMIT, signal), fromCache: false };
  }

  /**
   * The database's answer to a bulk query; `undefined` where the way has not announced that it takes them.
   *
   * @param reads how many reads it stands for.
   * @throws {GosumError} as `Source.read`.
   */
  async bulk(query: Uint8Array, reads: number): Promise<Uint8Array | undefined> {
    const { source, signal } = this.#options;
    const bytes = await source?.bulk?.(query, { limit: MAX_BULK_ANSWER, signal, reads });
    this.#asked ||= bytes !== undefined;
    return bytes;
  }

  /** As `Source.onBulk`. */
  onBulk(heard: () => void): () => void {
    return this.#options.source?.onBulk?.(heard) ?? (() => undefined);
  }

  /** As `Source.onWide`. */
  onWide(heard: () => void): () => void {
    return this.#options.source?.onWide?.(heard) ?? (() => undefined);
  }

  /** Takes out of the store what it has of tiles that will be read. @throws {GosumError} `STORE_FAILED`. */
  async fetchKept(tiles: readonly Tile[]): Promise<void> {
    const { store, key } = this.#options;
    const kept = await store.tiles(key, tiles);
    tiles.forEach((tile, i) => {
      const bytes = kept[i];
      if (bytes !== undefined) this.#kept.set(formatTilePath(tile), bytes);
    });
  }

  /** The bytes of a hash tile, at least as many as its width wants. @throws {GosumError} as `Source.read`; `OFFLINE`. */
  async tile(tile: Tile): Promise<Answer> {
    const answer = await this.#tiles.get(formatTilePath(tile), () => this.#readTile(tile));
    return { bytes: answer.bytes.subarray(0, tile.width * HASH_SIZE), fromCache: answer.fromCache };
  }

  /** Asks only the database for this path from now on: what a cache had of it is not true. */
  distrust(path: string): void {
    this.#distrusted.add(path);
    this.#tiles.forget(path.slice(1));
  }

  async #readTile(tile: Tile): Promise<Answer> {
    const path = `/${formatTilePath(tile)}`;
    const full = `/${formatTilePath(fullTile(tile))}`;
    const partial = tile.width < TILE_WIDTH;
    if (!this.#distrusted.has(path)) {
      const bytes =
        this.#kept.get(formatTilePath(tile)) ?? (await this.#cached(path, TILE_BYTES)) ?? (partial ? await this.#cached(full, TILE_BYTES) : undefined);
      if (bytes !== undefined) return { bytes, fromCache: true };
    }
    if (!partial) return { bytes: await this.#ask(path, TILE_BYTES), fromCache: false };
    try {
      const bytes = await this.#ask(path, TILE_BYTES);
      if (bytes.length === tile.width * HASH_SIZE) return { bytes, fromCache: false };
    } catch (error) {
      if (this.#options.signal?.aborted === true || this.#options.source === undefined) throw error;
      // A partial tile may be gone once the full one exists. If that is not the reason, the first error says more.
      return { bytes: await this.#ask(full, TILE_BYTES).catch(() => Promise.reject(error as Error)), fromCache: false };
    }
    return { bytes: await this.#ask(full, TILE_BYTES), fromCache: false };
  }

  async #cached(path: string, limit: number): Promise<Uint8Array | undefined> {
    if (this.#distrusted.has(path)) return undefined;
    for (const cache of this.#options.caches) {
      const bytes = await cache.read(path, { limit, signal: this.#options.signal });
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  }

  async #ask(path: string, limit: number, signal: AbortSignal | undefined = this.#options.signal): Promise<Uint8Array> {
    const { source } = this.#options;
    if (source === undefined) throw new GosumError('OFFLINE', `${path.slice(1)}: not cached, and offline`);
    const bytes = await this.#readSource(source, path, { limit, signal });
    if (bytes === undefined) throw new GosumError('UNREACHABLE', `${path.slice(1)}: ${source.label} has no answer`);
    return bytes;
  }

  /** Reads from the database. Only of a lookup is "not found" a word about a module; a tile or a head has to be there. */
  async #readSource(source: Source, path: string, options: ReadOptions): Promise<Uint8Array | undefined> {
    try {
      const bytes = await source.read(path, options);
      this.#asked = true;
      return bytes;
    } catch (error) {
      this.#asked ||= !isGosumError(error, 'OFFLINE');
      if (!isGosumError(error, 'NOT_FOUND') || path.startsWith('/lookup/')) throw error;
      throw new GosumError('UNREACHABLE', error.message, { cause: error });
    }
  }
}
