/**
 * The Merkle tree and its proofs (RFC 6962 §2.1; tlog/tlog.go).
 *
 * A node (level, n) is the hash over the 2^level leaves from n·2^level on. A tree that is not complete is made of complete
 * ones, the greatest first. Every proof is a list of ranges of leaves, and the hash of each: so what a proof needs, and what
 * it is, cannot drift apart.
 */

import { sha256 } from '#crypto';
import { GosumError } from '../errors.js';
import { equalBytes, HASH_SIZE, hashAt, type Hash } from './hash.js';
import { isCount, levelOf, splitPoint } from './integer.js';
import { concatBytes } from './text.js';
import { EMPTY_HASH, type TreeHead } from './treehead.js';

/** A complete subtree: the 2^level leaves from n·2^level on. */
export interface Node {
  readonly level: number;
  readonly n: number;
}

/** The leaves from `lo` up to, not including, `hi`: a subtree in the sense of RFC 6962, complete or at the right edge. */
export interface Range {
  readonly lo: number;
  readonly hi: number;
}

/** Ranges in any order as few, ascending and apart; those that are empty are left out. */
export function joinRanges(ranges: readonly Range[]): Range[] {
  const joined: { lo: number; hi: number }[] = [];
  for (const { lo, hi } of ranges.toSorted((a, b) => a.lo - b.lo)) {
    const last = joined.at(-1);
    if (last !== undefined && lo <= last.hi) last.hi = Math.max(last.hi, hi);
    else if (lo < hi) joined.push({ lo, hi });
  }
  return joined;
}

/** Gives the hash of a node. */
export type NodeReader = (level: number, n: number) => Hash;

/** What is hashed for a node: 0x01 ‖ left ‖ right. One for all calls, which halves their cost. */
const pair = new Uint8Array(1 + 2 * HASH_SIZE);
pair[0] = 1;

/** The hash of two nodes' parent: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Hash, right: Hash): Hash {
  // A short one would leave bytes of an earlier call behind it.
  if (left.length !== HASH_SIZE || right.length !== HASH_SIZE) throw new Error('not a hash');
  pair.set(left, 1);
  pair.set(right, 1 + HASH_SIZE);
  return sha256(pair);
}

/** The complete subtrees that a range is made of, greatest first. */
export function nodesOf({ lo, hi }: Range): Node[] {
  const nodes: Node[] = [];
  for (let width; lo < hi; lo += width) {
    width = splitPoint(hi - lo + 1);
    nodes.push({ level: levelOf(width), n: lo / width });
  }
  return nodes;
}

/** The hash of a range. */
export function rangeHash(range: Range, read: NodeReader): Hash {
  const hashes = nodesOf(range).map(({ level, n }) => read(level, n));
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

/** The root hash of the tree of the first `size` leaves. */
export function treeHash(size: number, read: NodeReader): Hash {
  return size === 0 ? EMPTY_HASH : rangeHash({ lo: 0, hi: size }, read);
}

/** The ranges whose hashes prove that record `id` is in a tree of `size` (RFC 6962 §2.1.1), the leaf's sibling first. */
export function recordProofRanges(size: number, id: number): Range[] {
  if (!(id >= 0 && id < size)) throw new Error(`no record ${id} in a tree of ${size}`);
  const ranges: Range[] = [];
  let lo = 0;
  let hi = size;
  while (hi - lo > 1) {
    const mid = lo + splitPoint(hi - lo);
    if (id < mid) {
      ranges.push({ lo: mid, hi });
      hi = mid;
    } else {
      ranges.push({ lo, hi: mid });
      lo = mid;
    }
  }
  return ranges.reverse();
}

/**
 * The ranges whose hashes prove that a tree of `oldSize` is the beginning of one of `size` (RFC 6962 §2.1.2).
 * None where the old tree is empty: every tree begins with that.
 */
export function treeProofRanges(size: number, oldSize: number): Range[] {
  if (!(oldSize >= 0 && oldSize <= size)) throw new Error(`no tree of ${oldSize} in a tree of ${size}`);
  const ranges: Range[] = [];
  if (oldSize === 0) return ranges;
  let lo = 0;
  let hi = size;
  while (hi !== oldSize) {
    const mid = lo + splitPoint(hi - lo);
    if (oldSize <= mid) {
      ranges.push({ lo: mid, hi });
      hi = mid;
    } else {
      ranges.push({ lo, hi: mid });
      lo = mid;
    }
  }
  if (lo > 0) ranges.push({ lo, hi });
  return ranges.reverse();
}

/** Makes the inclusion proof of record `id` in a tree of `size`: hashes of 32 bytes, the leaf's sibling first. */
export function proveRecord(size: number, id: number, read: NodeReader): Uint8Array {
  return concatBytes(...recordProofRanges(size, id).map((range) => rangeHash(range, read)));
}

/** Makes the consistency proof from a tree of `oldSize` to one of `size`. */
export function proveTree(size: number, oldSize: number, read: NodeReader): Uint8Array {
  return concatBytes(...treeProofRanges(size, oldSize).map((range) => rangeHash(range, read)));
}

/**
 * Checks an inclusion proof: that `leaf` is the hash of record `id` in the tree of `head`.
 *
 * @param proof attacker-controlled: hashes of 32 bytes, one after the other.
 * @throws {GosumError} `PROOF_MISMATCH`.
 */
export function checkRecord(proof: Uint8Array, head: TreeHead, id: number, leaf: Hash): void {
  if (!(isCount(id) && id < head.size)) throw mismatch(`no record ${id} in a tree of ${head.size}`);
  const ranges = recordProofRanges(head.size, id);
  checkLength(proof, ranges.length);
  const root = ranges.reduce((hash, { lo }, i) => {
    const sibling = hashAt(proof, i);
    return lo > id ? nodeHash(hash, sibling) : nodeHash(sibling, hash);
  }, leaf);
  if (!equalBytes(root, head.hash)) throw mismatch(`record ${id} is not proved to be in the tree of ${head.size}`);
}

/**
 * Checks a consistency proof: that the tree of `old` is the beginning of the tree of `head`.
 *
 * @param proof attacker-controlled: hashes of 32 bytes, one after the other.
 * @throws {GosumError} `PROOF_MISMATCH`. It accuses nobody: a fork is proved by another, valid proof (fork.ts).
 */
export function checkTree(proof: Uint8Array, head: TreeHead, old: TreeHead): void {
  const [oldRoot, root] = rootsOfTreeProof(proof, head, old);
  if (!equalBytes(oldRoot, old.hash) || !equalBytes(root, head.hash)) {
    throw mismatch(`the tree of ${old.size} is not proved to be the beginning of the tree of ${head.size}`);
  }
}

/** The two roots that a consistency proof leads to, where it is of the right length. */
function rootsOfTreeProof(proof: Uint8Array, head: TreeHead, old: TreeHead): [oldRoot: Hash, root: Hash] {
  if (!(isCount(old.size) && old.size <= head.size)) throw mismatch(`no tree of ${old.size} in a tree of ${head.size}`);
  const ranges = treeProofRanges(head.size, old.size);
  checkLength(proof, ranges.length);
  if (old.size === 0) return [EMPTY_HASH, head.hash];
  // The first range ends at the old size, unless the old tree is itself a complete subtree at the left.
  const [first] = ranges;
  const inProof = first?.hi === old.size;
  let oldRoot = inProof ? hashAt(proof, 0) : old.hash;
  let root = oldRoot;
  for (let i = inProof ? 1 : 0; i < ranges.length; i++) {
    const sibling = hashAt(proof, i);
    if ((ranges[i]?.lo ?? 0) >= old.size) {
      root = nodeHash(root, sibling);
    } else {
      oldRoot = nodeHash(sibling, oldRoot);
      root = nodeHash(sibling, root);
    }
  }
  return [oldRoot, root];
}

function checkLength(proof: Uint8Array, hashes: number): void {
  if (proof.length !== hashes * HASH_SIZE) {
    throw mismatch(`a proof of ${proof.length} bytes, want ${hashes} hashes of ${HASH_SIZE}`);
  }
}

function mismatch(detail: string): GosumError {
  return new GosumError('PROOF_MISMATCH', detail);
}
