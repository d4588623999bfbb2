/** Hashes and proofs of the tree. */

import type { Hash } from '../../src/core/hash.js';
import { checkRecord, checkTree, proveRecord, proveTree, treeHash } from '../../src/core/tree.js';
import type { Random } from './random.js';
import { base64Of, bytesOf, sha256, type Input, type Subject } from './subject.js';

// The tree that proofs are made in; test/go/log.go has the same one.

const TREE_SIZE = 700;
const levels: Buffer[][] = [Array.from({ length: TREE_SIZE }, (_, i) => sha256(Uint8Array.of(0), `${i}\n`))];
for (let level = levels[0]!; level.length > 1; level = levels.at(-1)!) {
  levels.push(Array.from({ length: Math.floor(level.length / 2) }, (_, n) => parent(level[2 * n]!, level[2 * n + 1]!)));
}

function parent(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(Uint8Array.of(1), left, right);
}

function node(level: number, n: number): Hash {
  const hash = levels[level]?.[n];
  if (hash === undefined) throw new Error(`no node ${level}, ${n}`);
  return hash;
}

/** Two sizes (or a size and a record), the first at least `least` above the second, from 1 on. */
function makePair(random: Random, least: number): [string, string] {
  const size = 1 + random.below(random.pick([2, 8, 40, TREE_SIZE]));
  return [String(size), String(1 - least + random.below(size))];
}

const ALL_SIZES = Array.from({ length: 40 }, (_, i) => i + 1);

const TREE_HASHES: Subject = {
  op: 'treeHash',
  fixed: Array.from({ length: TREE_SIZE + 1 }, (_, size) => [String(size)]),
  make: (random) => [String(random.below(TREE_SIZE + 1))],
  ours: (size) => [base64Of(treeHash(Number(size), node))],
  stricter: {},
  total: true,
};

const RECORD_PROOFS: Subject = {
  op: 'proveRecord',
  fixed: ALL_SIZES.flatMap((size) => Array.from({ length: size }, (_, id) => [String(size), String(id)])),
  make: (random) => makePair(random, 1),
  ours: (size, id) => [Buffer.from(proveRecord(Number(size), Number(id), node)).toString('hex')],
  stricter: {},
  total: true,
};

const TREE_PROOFS: Subject = {
  op: 'proveTree',
  fixed: ALL_SIZES.flatMap((size) => Array.from({ length: size }, (_, old) => [String(size), String(old + 1)])),
  make: (random) => makePair(random, 0),
  ours: (size, old) => [Buffer.from(proveTree(Number(size), Number(old), node)).toString('hex')],
  stricter: {},
  total: true,
};

// ---- proofs of trees of any size, made from the root down with random siblings

interface Grown {
  readonly proof: Uint8Array[];
  /** Hash of what is proved (the leaf, or the old tree), and of the whole. */
  readonly inner: Uint8Array;
  readonly root: Uint8Array;
}

function half(count: number): number {
  let k = 1;
  while (k * 2 < count) k *= 2;
  return k;
}

function growRecordProof(random: Random, size: number, id: number): Grown {
  if (size === 1) {
    const leaf = random.bytes(32);
    return { proof: [], inner: leaf, root: leaf };
  }
  const k = half(size);
  const sibling = random.bytes(32);
  const { proof, inner, root } = id < k ? growRecordProof(random, k, id) : growRecordProof(random, size - k, id - k);
  return { proof: [...proof, sibling], inner, root: id < k ? parent(root, sibling) : parent(sibling, root) };
}

function growTreeProof(random: Random, size: number, old: number, atLeft: boolean): Grown {
  if (old === size) {
    const hash = random.bytes(32);
    return { proof: atLeft ? [] : [hash], inner: hash, root: hash };
  }
  const k = half(size);
  const sibling = random.bytes(32);
  const left = old <= k;
  const { proof, inner, root } = left
    ? growTreeProof(random, k, old, atLeft)
    : growTreeProof(random, size - k, old - k, false);
  return {
    proof: [...proof, sibling],
    inner: left ? inner : parent(sibling, inner),
    root: left ? parent(root, sibling) : parent(sibling, root),
  };
}

/** Inputs of a check: proof, size, root, number (of the record, or the old tree's size), inner hash; half of them changed. */
function makeCheck(random: Random, first: number, grow: (size: number, n: number) => Grown): Input[] {
  let size = 1 + random.below(random.pick([1, 4, 20, 1000, 2 ** 33, Number.MAX_SAFE_INTEGER]));
  let n = first + (random.chance(0.2) ? size - 1 : random.below(size));
  const grown = grow(size, n);
  const proof = grown.proof;
  let { inner, root } = grown;
  if (random.chance(0.5)) {
    const flip = (hash: Uint8Array): Uint8Array => random.mutateBytes(hash, [random.bytes(1)]).slice(0, 32);
    const whole = (hash: Uint8Array, old: Uint8Array): Uint8Array => (hash.length === 32 ? hash : old);
    const at = random.below(proof.length + 1);
    random.pick([
      () => (root = whole(flip(root), root)),
      () => (inner = whole(flip(inner), inner)),
      () => (size = Math.min(size + random.pick([-1, 1, size]), Number.MAX_SAFE_INTEGER)),
      () => (n += random.pick([-1, 1])),
      () => (n = random.pick([-1, 0, size, size - 1])),
      () => proof.splice(at, 1),
      () => proof.splice(at, 0, random.bytes(32)),
      () => proof.reverse(),
      () => at < proof.length && proof.splice(at, 1, whole(flip(proof[at]!), proof[at]!)),
      () => ([inner, root] = [root, inner]),
    ])();
  }
  return [Buffer.concat(proof), String(size), root, String(n), inner];
}

const RECORD_CHECKS: Subject = {
  op: 'checkRecord',
  fixed: [['', '0', node(0, 0), '0', node(0, 0)]],
  make: (random) => makeCheck(random, 0, (size, id) => growRecordProof(random, size, id)),
  ours: (proof, size, root, id, leaf) => {
    checkRecord(bytesOf(proof), { size: Number(size), hash: bytesOf(root) }, Number(id), bytesOf(leaf));
    return [];
  },
  stricter: {},
};

const TREE_CHECKS: Subject = {
  op: 'checkTree',
  fixed: [['', '0', node(0, 0), '0', node(0, 0)]],
  make: (random) => makeCheck(random, 1, (size, old) => growTreeProof(random, size, old, true)),
  ours: (proof, size, root, old, oldRoot) => {
    checkTree(
      bytesOf(proof),
      { size: Number(size), hash: bytesOf(root) },
      { size: Number(old), hash: bytesOf(oldRoot) },
    );
    return [];
  },
  stricter: {},
};

export const TREE_SUBJECTS: readonly Subject[] = [TREE_HASHES, RECORD_PROOFS, TREE_PROOFS, RECORD_CHECKS, TREE_CHECKS];
