/**
 * The work on one tile's records, all of it that costs time: check, hash, pack, and what the index wants to know. It is the
 * same for records that come (a data tile), and that are made (a log of one's own).
 */

import { countLeaves, hashLeaves, leafText, splitDataTile, subtreeHashes, type Leaves } from '../core/leaves.js';
import { TILE_WIDTH } from '../core/tile.js';
import { checkRecordNumber, type NewEntries } from './entry.js';
import { KeyHash, restOf } from './key.js';
import { packLeaves } from './pack.js';
import { pathBytes, type PathBytes } from './pathbytes.js';
import { namesOf, usualRecords, type UsualRecords } from './usual.js';

/** A work to be done. */
export interface TileJob {
  readonly kind: 'tile';
  /** Number of the data tile. */
  readonly n: number;
  /** Records in it, 1 to 256. */
  readonly width: number;
  /** The data tile as it came. Attacker-controlled. */
  readonly bytes: Uint8Array;
}

/** What comes of it. Nothing of it is proved: that is `provePack`'s, by `nodes`. */
export interface TileWork {
  readonly n: number;
  readonly width: number;
  /** The pack. */
  readonly parts: readonly Uint8Array[];
  /** The hash tile of level 0: 32 bytes a record. */
  readonly leaves: Uint8Array;
  /** The hashes of the complete subtrees, for `provePack`. */
  readonly nodes: Uint8Array;
  /** The index's entries: one a record, and of odd records one for each of their names. */
  readonly entries: NewEntries;
  /** Module paths, each once. */
  readonly modules: PathBytes;
}

/**
 * Does the work of a job.
 *
 * @throws {GosumError} `RECORD_MALFORMED` where the bytes are no such tile, or a text in them can be no record's;
 * `STORE_FAILED` where the index has no room for the tile's records.
 */
export function workTile({ n, width, bytes }: TileJob, hash: KeyHash): TileWork {
  return workLeaves(n, splitDataTile(bytes, width), hash);
}

/**
 * Does the work on leaves whose texts were checked.
 *
 * @throws {GosumError} `STORE_FAILED` as `workTile`.
 */
export function workLeaves(n: number, leaves: Leaves, hash: KeyHash): TileWork {
  const usual = usualRecords(leaves);
  const width = countLeaves(leaves);
  checkRecordNumber(n * TILE_WIDTH + width - 1);
  const hashes = hashLeaves(leaves);
  return {
    n,
    width,
    leaves: hashes,
    nodes: subtreeHashes(hashes),
    ...(usual === undefined ? oddIndex(n, leaves, hash) : usualIndex(n, usual, hash)),
    parts: packLeaves(leaves, usual),
  };
}

function usualIndex(n: number, { leaves: { bytes, at }, spaces, ends }: UsualRecords, hash: KeyHash): Pick<TileWork, 'entries' | 'modules'> {
  const count = ends.length;
  const pages = new Uint16Array(count);
  const words = new Uint32Array(2 * count);
  const own = new OwnPaths(bytes, count);
  for (let i = 0; i < count; i++) {
    const start = (at[i] ?? 0) + 1;
    const space = spaces[i] ?? 0;
    const module = hash.module(bytes, start, space);
    pages[i] = module >>> 8;
    words[2 * i] = n * TILE_WIDTH + i;
    words[2 * i + 1] = restOf(module, hash.version(bytes, space + 1, ends[i] ?? 0));
    own.add(module, start, space);
  }
  return { entries: { pages, words }, modules: own.all() };
}

/** Paths of one tile's records, each once, found by their hashes. */
class OwnPaths {
  readonly #bytes: Uint8Array;
  /** One more than the number of the path that stands there; 0 where none does. Twice as many as there can be paths. */
  readonly #table = new Uint16Array(2 * TILE_WIDTH);
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #hashes: Uint32Array;
  #count = 0;
  #length = 0;

  /** @param bytes where all paths stand. @param most how many there can be, at most 256. */
  constructor(bytes: Uint8Array, most: number) {
    this.#bytes = bytes;
    this.#starts = new Uint32Array(most);
    this.#ends = new Uint32Array(most);
    this.#hashes = new Uint32Array(most);
  }

  add(hash: number, start: number, end: number): void {
    for (let at = hash % this.#table.length; ; at = (at + 1) % this.#table.length) {
      const place = (this.#table[at] ?? 0) - 1;
      if (place < 0) {
        this.#table[at] = this.#count + 1;
        break;
      }
      if (this.#hashes[place] === hash && this.#isAt(place, start, end)) return;
    }
    this.#hashes[this.#count] = hash;
    this.#starts[this.#count] = start;
    this.#ends[this.#count++] = end;
    this.#length += end - start + 1;
  }

  all(): PathBytes {
    const paths = new Uint8Array(this.#length);
    let to = 0;
    for (let place = 0; place < this.#count; place++) {
      const end = this.#ends[place] ?? 0;
      for (let from = this.#starts[place] ?? 0; from < end; from++) paths[to++] = this.#bytes[from] ?? 0;
      paths[to++] = 0;
    }
    return { bytes: paths, hashes: this.#hashes.slice(0, this.#count) };
  }

  #isAt(place: number, start: number, end: number): boolean {
    const other = this.#starts[place] ?? 0;
    if ((this.#ends[place] ?? 0) - other !== end - start) return false;
    for (let i = 0; i < end - start; i++) if (this.#bytes[other + i] !== this.#bytes[start + i]) return false;
    return true;
  }
}

function oddIndex(n: number, leaves: Leaves, hash: KeyHash): Pick<TileWork, 'entries' | 'modules'> {
  const pages: number[] = [];
  const words: number[] = [];
  const modules = new Set<string>();
  for (let i = 0; i < countLeaves(leaves); i++) {
    for (const { module, version } of namesOf(leafText(leaves, i))) {
      const { page, rest } = hash.key(module, version);
      pages.push(page);
      words.push(n * TILE_WIDTH + i, rest);
      modules.add(module);
    }
  }
  return { entries: { pages: Uint16Array.from(pages), words: Uint32Array.from(words) }, modules: pathBytes([...modules], (path) => hash.module(path, 0, path.length)) };
}
