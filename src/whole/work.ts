/**
 * The work on one tile's records, all of it that costs time: check, hash, pack, and what the index wants to know. It is the
 * same for records that come (a data tile), and that are made (a log of one's own).
 */

import { checkLeafTexts, countLeaves, cutDataTile, hashLeaves, leafText, subtreeHashes, type Leaves } from '../core/leaves.js';
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
  /** The hashes of the complete subtrees, for `provePack`. */
  readonly nodes: Uint8Array;
  /** The index's entries: one a record, and of odd records one for each of their names. */
  readonly entries: NewEntries;
  /** Module paths; of usual records one each, as often as there are records of it. */
  readonly modules: PathBytes;
}

/** The same, with the hash tile of level 0: 32 bytes a record. Of records that come it is needed no more. */
export interface LeavesWork extends TileWork {
  readonly leaves: Uint8Array;
}

/**
 * Does the work of a job.
 *
 * @throws {GosumError} `RECORD_MALFORMED` where the bytes are no such tile, or a text in them can be no record's;
 * `STORE_FAILED` where the index has no room for the tile's records.
 */
export function workTile({ n, width, bytes }: TileJob, hash: KeyHash): TileWork {
  const leaves = cutDataTile(bytes, width);
  const usual = usualRecords(leaves);
  if (usual === undefined) checkLeafTexts(leaves); // every byte of a usual record is one of few
  return workHashed(n, leaves, usual, hashLeaves(leaves), hash);
}

/**
 * Does the work on leaves whose texts were checked.
 *
 * @throws {GosumError} `STORE_FAILED` as `workTile`.
 */
export function workLeaves(n: number, leaves: Leaves, hash: KeyHash): LeavesWork {
  const hashes = hashLeaves(leaves);
  return { ...workHashed(n, leaves, usualRecords(leaves), hashes, hash), leaves: hashes };
}

/** @param hashes of the leaves. */
function workHashed(n: number, leaves: Leaves, usual: UsualRecords | undefined, hashes: Uint8Array, hash: KeyHash): TileWork {
  const width = countLeaves(leaves);
  checkRecordNumber(n * TILE_WIDTH + width - 1);
  return {
    n,
    width,
    nodes: subtreeHashes(hashes),
    ...(usual === undefined ? oddIndex(n, leaves, hash) : usualIndex(n, usual, hash)),
    parts: packLeaves(leaves, usual),
  };
}

function usualIndex(n: number, { leaves: { bytes, at }, spaces, ends }: UsualRecords, hash: KeyHash): Pick<TileWork, 'entries' | 'modules'> {
  const count = ends.length;
  const pages = new Uint16Array(count);
  const words = new Uint32Array(2 * count);
  const prints = new Uint32Array(2 * count);
  const pathEnds = new Uint32Array(count);
  const paths = new Uint8Array(spaces.reduce((sum, space, i) => sum + space - (at[i] ?? 0), 0));
  let to = 0;
  for (let i = 0; i < count; i++) {
    const start = (at[i] ?? 0) + 1;
    const space = spaces[i] ?? 0;
    hash.print(bytes, start, space, prints, 2 * i);
    const module = (prints[2 * i] ?? 0) >>> 8;
    pages[i] = module >>> 8;
    words[2 * i] = n * TILE_WIDTH + i;
    words[2 * i + 1] = restOf(module, hash.version(bytes, space + 1, ends[i] ?? 0));
    for (let from = start; from < space; from++) paths[to++] = bytes[from] ?? 0;
    pathEnds[i] = ++to;
  }
  return { entries: { pages, words }, modules: { bytes: paths, ends: pathEnds, prints } };
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
  return { entries: { pages: Uint16Array.from(pages), words: Uint32Array.from(words) }, modules: pathBytes([...modules], hash) };
}
