/**
 * Answers of a mirror that lie ready in memory: lookups and bulk answers, each made for one head, and hash tiles. Bounded by
 * bytes.
 */

import { LRUCache } from 'lru-cache';
import { HASH_SIZE } from '../core/hash.js';
import { formatLookup, type LogRecord } from '../core/record.js';
import { fullTile, TILE_WIDTH, tileNumber, type Tile } from '../core/tile.js';
import type { SignedHead } from '../core/treehead.js';

/** A lookup's answer, made for one head. */
interface ReadyLookup {
  readonly record: LogRecord;
  readonly head: SignedHead;
  readonly answer: Uint8Array;
}

/** A bulk answer, made for one head. */
type ReadyBulk = Pick<ReadyLookup, 'head' | 'answer'>;

/** What lies ready. */
export class ReadyAnswers {
  readonly #lookups: LRUCache<string, ReadyLookup>;
  readonly #bulks: LRUCache<string, ReadyBulk>;
  /** By `tileNumber`. */
  readonly #tiles: LRUCache<number, Uint8Array>;

  /** @param memory bytes: half of them for tiles. */
  constructor(memory: number) {
    const quarter = Math.ceil((memory + 1) / 4);
    this.#lookups = new LRUCache({ maxSize: quarter, sizeCalculation: ({ answer }) => answer.length + 500 });
    this.#bulks = new LRUCache({ maxSize: quarter, sizeCalculation: ({ answer }) => answer.length + 500 });
    this.#tiles = new LRUCache({ maxSize: 2 * quarter, sizeCalculation: (bytes) => bytes.length + 200 });
  }

  /** The answer for `path@version` with this very head. */
  lookup(name: string, head: SignedHead | undefined): Uint8Array | undefined {
    const ready = this.#lookups.get(name);
    return ready === undefined || ready.head !== head ? undefined : ready.answer;
  }

  /** The record of `path@version`, whatever head its answer was made for. */
  record(name: string): LogRecord | undefined {
    return this.#lookups.get(name)?.record;
  }

  /** Makes the answer for `path@version`, and holds it ready. */
  addLookup(name: string, record: LogRecord, head: SignedHead): Uint8Array {
    const answer = formatLookup({ ...record, note: head.note });
    this.#lookups.set(name, { record, head, answer });
    return answer;
  }

  /** The answer to a bulk query with this very head. */
  bulk(query: string, head: SignedHead | undefined): Uint8Array | undefined {
    const ready = this.#bulks.get(query);
    return ready === undefined || ready.head !== head ? undefined : ready.answer;
  }

  /** Holds the answer to a bulk query ready. */
  addBulk(query: string, answer: Uint8Array, head: SignedHead): void {
    this.#bulks.set(query, { head, answer });
  }

  /** A hash tile. By a full tile's number the widest is held that is known, by a partial one's what was cut from that. */
  tile(tile: Tile): Uint8Array | undefined {
    const length = tile.width * HASH_SIZE;
    const number = tileNumber(tile);
    const kept = this.#tiles.get(number);
    if (kept?.length === length) return kept;
    const widest = tile.width === TILE_WIDTH ? kept : this.#tiles.get(tileNumber(fullTile(tile)));
    if (widest === undefined || widest.length < length) return undefined;
    if (widest.length === length) return widest;
    const cut = widest.slice(0, length);
    this.#tiles.set(number, cut);
    return cut;
  }

  /** Holds a hash tile ready, of at least the width of `tile`, and gives it in that width. */
  addTile(tile: Tile, bytes: Uint8Array): Uint8Array {
    this.#tiles.set(tileNumber(fullTile(tile)), bytes);
    return bytes.length === tile.width * HASH_SIZE ? bytes : (this.tile(tile) ?? bytes.subarray(0, tile.width * HASH_SIZE));
  }
}
