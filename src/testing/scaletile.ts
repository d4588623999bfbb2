/** A full tile of a scale log: its records, and the hashes of the tree above them. */

import { HASH_SIZE, hashAt, type Hash } from '../core/hash.js';
import { TILE_BYTES, TILE_HEIGHT, TILE_WIDTH } from '../core/tile.js';
import { hashLevels, sha256Into } from '#crypto';
import { RECORD_LIMIT, type ScaleRecords } from './scalerecords.js';

/** What `readTile` made last. It is overwritten by the next call. */
export interface ScaleTile {
  /** The data tile, with a blank line behind every record. */
  readonly data: Uint8Array;
  /** Where each record ends, its blank line not included. */
  readonly ends: Uint32Array;
}

// In front of the first record is one byte more, for hashing: see leavesOf.
const buffer = new Uint8Array(1 + TILE_WIDTH * RECORD_LIMIT);
const ends = new Uint32Array(TILE_WIDTH);

/** Makes tile `n`: full, for a scale log's records go on behind every end. */
export function readTile(records: ScaleRecords, n: number): ScaleTile {
  const end = records.write(n * TILE_WIDTH, (n + 1) * TILE_WIDTH, buffer, 1, ends);
  for (let i = 0; i < TILE_WIDTH; i++) ends[i] = (ends[i] ?? 0) - 1;
  return { data: buffer.subarray(1, end), ends };
}

/** The hashes of a tile's records, and behind them those of all nodes above them, level by level: `nodeOf` finds one. */
export function hashTile({ ends }: ScaleTile): Uint8Array {
  const hashes = new Uint8Array(TILE_BYTES);
  for (let i = 0, start = 0; i < TILE_WIDTH; i++) {
    // A leaf's hash is of 0x00 and the text: the zero takes the place of the newline in front of the text for a moment.
    const end = 1 + (ends[i] ?? 0);
    buffer[start] = 0;
    sha256Into(buffer.subarray(start, end), hashes, i * HASH_SIZE);
    buffer[start] = NEWLINE;
    start = end;
  }
  const above = hashLevels(hashes);
  const all = new Uint8Array(TILE_BYTES + above.length);
  all.set(hashes);
  all.set(above, TILE_BYTES);
  return all;
}

/** Of a tile's hashes: node `n` of `level`, 0 to 8, counted within the tile. A view. */
export function nodeOf(hashes: Uint8Array, level: number, n: number): Hash {
  // the levels below have 256 + 128 + … hashes
  const before = 2 * TILE_WIDTH - 2 ** (TILE_HEIGHT + 1 - level);
  return hashAt(hashes, before + n);
}

const NEWLINE = 0x0a;
