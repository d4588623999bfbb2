/**
 * Changes that were proved and could not be kept, since the disk is full or fails: held in memory, to be kept later.
 *
 * It is bounded: past that the records and their tiles that came first are let go, which can be asked for again. Tiles that
 * the file has in another width stay, and so do all above the lowest level: they tie to the newest head what is in the file.
 */

import type { Change, KeptRecord, TileBytes, TimelineHead } from '../contract.js';
import type { Proved } from '../core/proved.js';
import { formatTilePath, fullTile, TILE_WIDTH, type Tile } from '../core/tile.js';
import { HASH_SIZE } from '../core/hash.js';

/** Of one database. */
export class Unkept {
  readonly #most: number;
  readonly #isInFile: (tile: Tile) => Promise<boolean>;
  readonly #heads = new Map<number, Proved<TimelineHead>>();
  /** By the path of the full tile. */
  readonly #tiles = new Map<string, Proved<TileBytes>>();
  readonly #records = new Map<string, Proved<KeptRecord>>();
  #first: Change | undefined;
  #bytes = 0;

  /** @param most bytes of tiles and records. */
  constructor(most: number, isInFile: (tile: Tile) => Promise<boolean>) {
    this.#most = most;
    this.#isInFile = isInFile;
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** The newest head, where it moved on since. */
  get newest(): TimelineHead | undefined {
    return [...this.#heads.values()].find((head) => head.next === undefined);
  }

  tile(tile: Tile): Uint8Array | undefined {
    const bytes = this.#tiles.get(pathOf(tile))?.bytes;
    return bytes !== undefined && bytes.length >= tile.width * HASH_SIZE ? bytes.subarray(0, tile.width * HASH_SIZE) : undefined;
  }

  record(covers: string): KeptRecord | undefined {
    return this.#records.get(covers);
  }

  /** All of it, and one more change, as one. */
  with(change: Change): Change {
    if (this.#first === undefined) return change;
    const heads = new Map(this.#heads);
    for (const head of change.heads) heads.set(head.size, head);
    return {
      ...change,
      expect: this.#first.expect,
      heads: [...heads.values()],
      tiles: [...this.#tiles.values(), ...change.tiles],
      records: [...this.#records.values(), ...(change.records ?? [])],
    };
  }

  /** Takes a change that was made to what is here. */
  async add(change: Change): Promise<void> {
    if (change.log !== undefined) throw new Error('what is added to a whole log is kept on disk or not at all');
    this.#first ??= change;
    for (const head of change.heads) this.#heads.set(head.size, head);
    for (const each of change.tiles) {
      const path = pathOf(each.tile);
      const before = this.#tiles.get(path)?.bytes.length ?? 0;
      if (before > each.bytes.length) continue;
      this.#tiles.set(path, each);
      this.#bytes += each.bytes.length - before;
    }
    for (const each of change.records ?? []) {
      this.#bytes += each.text.length - (this.#records.get(each.covers)?.text.length ?? 0);
      this.#records.set(each.covers, each);
    }
    if (this.#bytes > this.#most) await this.#letGo();
  }

  async #letGo(): Promise<void> {
    const gone = new Set<number>();
    for (const [path, { tile, bytes }] of this.#tiles) {
      if (this.#bytes <= this.#most / 2) break;
      if (tile.level > 0 || tile.width < TILE_WIDTH || (await this.#isInFile(tile))) continue;
      this.#tiles.delete(path);
      this.#bytes -= bytes.length;
      gone.add(tile.n);
    }
    for (const [covers, { id, text }] of this.#records) {
      if (!gone.has(Math.floor(id / TILE_WIDTH))) continue;
      this.#records.delete(covers);
      this.#bytes -= text.length;
    }
  }
}

function pathOf(tile: Tile): string {
  return formatTilePath(fullTile(tile));
}
