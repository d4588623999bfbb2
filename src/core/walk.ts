/**
 * The walk: how records and as few hashes as can be give the root of a tree, and, where asked for, the root of an earlier
 * tree on the way (RFC 6962 §2.1; docs/receipt.md, docs/bulk.md).
 *
 * [0, size) is walked by the splits of RFC 6962. A range that holds none of the ids, and does not straddle the earlier size
 * (`lo < old < hi`), takes the next hash; a single leaf that is asked for is computed from its text; everything else is split.
 */

import { sha256Into } from '#crypto';
import { HASH_SIZE, type Hash } from './hash.js';
import { splitPoint } from './integer.js';
import type { Malformed } from './parts.js';
import { recordHash, type LogRecord } from './record.js';
import type { Range } from './tree.js';
import { EMPTY_HASH } from './treehead.js';

/** What is hashed for a node: 0x01, and the hashes of its two halves. */
const FRAME_SIZE = 1 + 2 * HASH_SIZE;

/** More than any tree is deep: sizes are less than 2^53. */
const DEPTHS = 54;

/** Told of every range [lo, hi) that is split at `mid`. `halves`: 0x01 and the hashes of both halves; valid in the call alone. */
export type Visit = (lo: number, mid: number, hi: number, halves: Uint8Array) => void;

/** What a walk goes through. */
export interface Walk {
  /** Size of the tree. */
  readonly size: number;
  /** Size of an earlier tree whose root the walk shall come by; 0 for none. At most `size`. */
  readonly old: number;
  /** Ids strictly ascending and less than `size`. */
  readonly records: readonly LogRecord[];
  /** Hashes of 32 bytes, one after the other. Attacker-controlled. */
  readonly hashes: Uint8Array;
}

/** The ranges whose hashes a walk takes, in its order. `ids`: strictly ascending, less than `size`. */
export function coveringRanges(size: number, ids: readonly number[], old = 0): Range[] {
  const ranges: Range[] = [];
  const walk = (lo: number, hi: number, from: number, to: number): void => {
    if (from === to && !straddles(lo, hi, old)) {
      ranges.push({ lo, hi });
    } else if (hi - lo > 1) {
      const mid = lo + splitPoint(hi - lo);
      const split = lowerBound(ids, mid, from, to);
      walk(lo, mid, from, split);
      walk(mid, hi, split, to);
    }
  };
  if (size > 0) walk(0, size, 0, ids.length);
  return ranges;
}

/**
 * The walk of a check, which takes each record and each hash exactly once, in order: the root that they give.
 *
 * A warm run is mostly this, before anything is optimized. So it makes no object for a node: hashes and frames, what is hashed
 * for a node of each depth, lie in one array, and a hash is copied within it or written to where the node above has it.
 *
 * @param malformed makes what is thrown where there are more hashes than the walk takes, or fewer.
 */
export function walkRoot({ size, old, records, hashes }: Walk, malformed: Malformed, visit?: Visit): Hash {
  const ids = records.map((record) => record.id);
  const bytes = new Uint8Array(hashes.length + HASH_SIZE + DEPTHS * FRAME_SIZE);
  bytes.set(hashes);
  const root = hashes.length;
  const frames: Uint8Array[] = [];
  let used = 0;
  /** Writes the next hash to `at`. */
  const take = (at: number): void => {
    if (used === hashes.length) throw malformed('fewer hashes than the proof needs');
    bytes.copyWithin(at, used, (used += HASH_SIZE));
  };
  /** Writes to `at` the hash of a range that takes none: it holds the records from `from` up to `to`. */
  const walk = (lo: number, hi: number, from: number, to: number, at: number, depth: number): void => {
    const width = hi - lo;
    const record = records[from];
    if (width === 1 && record !== undefined) {
      bytes.set(recordHash(record.text), at);
      return;
    }
    const mid = lo + splitPoint(width);
    const split = lowerBound(ids, mid, from, to);
    const left = root + HASH_SIZE + depth * FRAME_SIZE + 1;
    const frame = (frames[depth] ??= bytes.subarray(left - 1, left - 1 + FRAME_SIZE));
    frame[0] = 1;
    if (split === from && !straddles(lo, mid, old)) take(left);
    else walk(lo, mid, from, split, left, depth + 1);
    if (split === to && !straddles(mid, hi, old)) take(left + HASH_SIZE);
    else walk(mid, hi, split, to, left + HASH_SIZE, depth + 1);
    visit?.(lo, mid, hi, frame);
    sha256Into(frame, bytes, at);
  };
  if (size === 0) bytes.set(EMPTY_HASH, root);
  else if (records.length === 0 && !straddles(0, size, old)) take(root);
  else walk(0, size, 0, records.length, root, 0);
  if (used < hashes.length) throw malformed('more hashes than the proof needs');
  return bytes.slice(root, root + HASH_SIZE);
}

/** Hashes by their range. */
export class RangeHashes {
  readonly #hashes = new Map<string, Hash>();

  /** Keeps both halves of a range, as a walk visits it. */
  keep(lo: number, mid: number, hi: number, halves: Uint8Array): void {
    this.#hashes.set(`${lo}-${mid}`, halves.slice(1, 1 + HASH_SIZE));
    this.#hashes.set(`${mid}-${hi}`, halves.slice(1 + HASH_SIZE));
  }

  /** The hash of a range that was kept. */
  get({ lo, hi }: Range): Hash {
    const hash = this.#hashes.get(`${lo}-${hi}`);
    if (hash === undefined) throw new Error(`the walk has not come by [${lo}, ${hi})`);
    return hash;
  }
}

/** Reports whether an earlier size lies within a range, and not at its ends. */
export function straddles(lo: number, hi: number, old: number): boolean {
  return lo < old && old < hi;
}

/** The first index in [from, to) whose id is at least `bound`; `to` where there is none. */
function lowerBound(ids: readonly number[], bound: number, from: number, to: number): number {
  if (to - from === 1) return (ids[from] ?? Infinity) < bound ? to : from; // nearly always
  let lo = from;
  let hi = to;
  while (lo < hi) {
    const mid = Math.floor((lo + hi) / 2);
    if ((ids[mid] ?? Infinity) < bound) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}
