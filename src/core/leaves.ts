/**
 * The leaves of one tile: its records as one byte string, their hashes, and the proof that they are in the log at their place.
 *
 * Millions of records come this way, so nothing is made for each: every text stands behind the zero byte that is hashed in
 * front of it (RFC 6962 §2.1), and where each begins is a number in a typed array.
 */

import { hashLevels, sha256Into } from '#crypto';
import type { PackedTile } from '../contract.js';
import { GosumError } from '../errors.js';
import { equalBytes, HASH_SIZE, hashAt } from './hash.js';
import { TileError, type ProvedTree } from './plan.js';
import type { Proved } from './proved.js';
import { joinBytes, decodeUtf8 } from './text.js';
import { DATA_LEVEL, formatTilePath, TILE_WIDTH } from './tile.js';
import { nodesOf } from './tree.js';

const NEWLINE = 0x0a;
const LEAF = Uint8Array.of(0);

/** Records of a tile, 1 to 256. */
export interface Leaves {
  /** For each record a zero byte and its text, one after the other. */
  readonly bytes: Uint8Array;
  /** Where each record's zero byte stands, and behind them the length of all: one more than there are records. */
  readonly at: Uint32Array;
}

/** How many records they are. */
export function countLeaves({ at }: Leaves): number {
  return at.length - 1;
}

/**
 * Splits a data tile of `width` records: one after the other, without numbers, each followed by a blank line, which may be
 * left out behind the last. Takes what `parseDataTile` takes, with the same checks of every text.
 *
 * @param tile attacker-controlled. It is copied.
 * @throws {GosumError} `RECORD_MALFORMED`.
 */
export function splitDataTile(tile: Uint8Array, width: number): Leaves {
  const leaves = cutDataTile(tile, width);
  checkLeafTexts(leaves);
  return leaves;
}

/**
 * As `splitDataTile`, without the checks of `checkLeafTexts`: for who looks at every byte of the texts anyway.
 *
 * @param tile attacker-controlled. It is copied.
 * @throws {GosumError} `RECORD_MALFORMED` for an empty text, a blank line, a text without a newline at its end; another count.
 */
export function cutDataTile(tile: Uint8Array, width: number): Leaves {
  const at = new Uint32Array(width + 1);
  let count = 0;
  let start = 0;
  while (start < tile.length) {
    let next = start;
    do {
      const newline = tile.indexOf(NEWLINE, next);
      if (newline < 0) throw malformed('the text does not end in a newline');
      if (newline === start) throw malformed('blank line');
      next = newline + 1;
    } while (next < tile.length && tile[next] !== NEWLINE);
    // the blank line's own byte becomes the next record's zero byte: so what stands at `start` here stands at `start + 1` there
    if (count < width) at[count] = start;
    count++;
    start = next + 1;
  }
  if (count !== width) throw malformed(`a data tile of ${count} records, want ${width}`);
  at[width] = start;
  const bytes = new Uint8Array(start);
  bytes.set(start === tile.length + 1 ? tile : tile.subarray(0, start - 1), 1);
  for (let i = 0; i < width; i++) bytes[at[i] ?? 0] = 0;
  return { bytes, at };
}

/** Checks that the texts are UTF-8 without control characters but newlines. @throws {GosumError} `RECORD_MALFORMED`. */
export function checkLeafTexts({ bytes, at }: Leaves): void {
  let isAscii = true;
  for (let record = 0, i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte >= 0x80) isAscii = false;
    if (byte >= 0x20 || byte === NEWLINE) continue;
    if (i !== at[record++]) throw malformed('control character');
  }
  if (!isAscii) checkUtf8(bytes);
}

/** The leaves of texts, which the caller has checked (`checkRecordText`). */
export function leavesOf(texts: readonly Uint8Array[]): Leaves {
  const at = new Uint32Array(texts.length + 1);
  texts.forEach((text, i) => (at[i + 1] = (at[i] ?? 0) + 1 + text.length));
  return { bytes: joinBytes(texts.flatMap((text) => [LEAF, text])), at };
}

/** The text of one record. A view. */
export function leafText({ bytes, at }: Leaves, i: number): Uint8Array {
  return bytes.subarray((at[i] ?? 0) + 1, at[i + 1]);
}

/** The data tile, with a blank line after every record, as `formatDataTile` has it. */
export function dataTileOf({ bytes, at }: Leaves): Uint8Array {
  const tile = new Uint8Array(bytes.length);
  tile.set(bytes.subarray(1));
  for (let i = 1; i < at.length; i++) tile[(at[i] ?? 0) - 1] = NEWLINE;
  return tile;
}

/** The hashes of the records as leaves of the tree: 32 bytes each, the hash tile of level 0. */
export function hashLeaves({ bytes, at }: Leaves): Uint8Array {
  const hashes = new Uint8Array((at.length - 1) * HASH_SIZE);
  for (let i = 0; i + 1 < at.length; i++) sha256Into(bytes.subarray(at[i], at[i + 1]), hashes, i * HASH_SIZE);
  return hashes;
}

/**
 * The hashes of the complete subtrees that a tile's leaves are made of, the greatest first: one where the tile is full.
 *
 * @param hashes of the leaves, from the tile's first on.
 */
export function subtreeHashes(hashes: Uint8Array): Uint8Array {
  const width = hashes.length / HASH_SIZE;
  const above = hashLevels(hashes);
  const subtrees = nodesOf({ lo: 0, hi: width }).map(({ level, n }) => {
    if (level === 0) return hashAt(hashes, n);
    let from = 0;
    for (let below = 1; below < level; below++) from += Math.floor(width / 2 ** below);
    return hashAt(above, from + n);
  });
  return joinBytes(subtrees);
}

/**
 * Proves that a packed tile's records are in the log at their place.
 *
 * @param tree was proved by a plan that has the tile (level 1 for a full tile, level 0 for a partial one) in its `tiles`.
 * @param nodes what `subtreeHashes` gives of the very records that are packed. That they are, the caller answers for.
 * @throws {TileError} `TILE_MISMATCH` where the tree has other hashes there; the error of a tile of the tree that failed.
 */
export function provePack(tree: ProvedTree, pack: PackedTile, nodes: Uint8Array): Proved<PackedTile> {
  const lo = pack.n * TILE_WIDTH;
  const subtrees = nodesOf({ lo, hi: lo + pack.width });
  if (nodes.length !== subtrees.length * HASH_SIZE) throw new Error(`${nodes.length} bytes of hashes, want ${subtrees.length} hashes`);
  subtrees.forEach(({ level, n }, i) => {
    if (!equalBytes(hashAt(nodes, i), tree.read(level, n))) {
      const path = formatTilePath({ level: DATA_LEVEL, n: pack.n, width: pack.width });
      throw new TileError('TILE_MISMATCH', path, 'its records are not those of the tree');
    }
  });
  return pack as Proved<PackedTile>;
}

function checkUtf8(bytes: Uint8Array): void {
  try {
    decodeUtf8(bytes);
  } catch (cause) {
    throw malformed('invalid UTF-8', cause);
  }
}

function malformed(detail: string, cause?: unknown): GosumError {
  return new GosumError('RECORD_MALFORMED', `malformed record: ${detail}`, { cause });
}
