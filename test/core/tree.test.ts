/** The tree against a naive reading of RFC 6962, and its arithmetic against BigInt beyond the 32 bits of bit operators. */

import { createHash } from 'node:crypto';
import t from 'tap';
import type { Hash } from '../../src/core/hash.js';
import { levelOf, splitPoint } from '../../src/core/integer.js';
import { concatBytes } from '../../src/core/text.js';
import { tileInTree } from '../../src/core/tile.js';
import { checkRecord, checkTree, joinRanges, nodeHash, type NodeReader, nodesOf, proveRecord, proveTree, type Range, rangeHash, recordProofRanges, treeHash, treeProofRanges } from '../../src/core/tree.js';
import { EMPTY_HASH } from '../../src/core/treehead.js';

const MAX = 70;

const leaves = Array.from({ length: MAX }, (_, i) => sha256(Uint8Array.of(0), Buffer.from(`leaf ${i}`)));

/** RFC 6962 §2.1, word for word: MTH, PATH, PROOF and SUBPROOF of D[lo:hi]. */
const rfc = {
  known: new Map<string, Hash>(),
  split(n: number): number {
    let k = 1;
    while (k * 2 < n) k *= 2;
    return k;
  },
  hash(lo: number, hi: number): Hash {
    const key = `${lo}-${hi}`;
    let hash = rfc.known.get(key);
    if (hash === undefined) {
      const k = rfc.split(hi - lo);
      if (hi - lo < 2) hash = hi === lo ? sha256() : leaves[lo]!;
      else hash = sha256(Uint8Array.of(1), rfc.hash(lo, lo + k), rfc.hash(lo + k, hi));
      rfc.known.set(key, hash);
    }
    return hash;
  },
  path(m: number, lo: number, hi: number): Hash[] {
    const n = hi - lo;
    if (n === 1) return [];
    const k = rfc.split(n);
    return m < k ? [...rfc.path(m, lo, lo + k), rfc.hash(lo + k, hi)] : [...rfc.path(m - k, lo + k, hi), rfc.hash(lo, lo + k)];
  },
  subproof(m: number, lo: number, hi: number, whole: boolean): Hash[] {
    const n = hi - lo;
    if (m === n) return whole ? [] : [rfc.hash(lo, hi)];
    const k = rfc.split(n);
    return m <= k
      ? [...rfc.subproof(m, lo, lo + k, whole), rfc.hash(lo + k, hi)]
      : [...rfc.subproof(m - k, lo + k, hi, false), rfc.hash(lo, lo + k)];
  },
};

const roots = Array.from({ length: MAX + 1 }, (_, size) => rfc.hash(0, size));
const read: NodeReader = (level, n) => rfc.hash(n * 2 ** level, (n + 1) * 2 ** level);

t.test('roots and proofs are those of RFC 6962, for all sizes up to 70', (t) => {
  for (let size = 0; size <= MAX; size++) {
    const [own, want]: [string[], string[]] = [[], []];
    own.push(hex(treeHash(size, read)));
    want.push(hex(roots[size]!));
    for (let id = 0; id < size; id++) {
      own.push(hex(proveRecord(size, id, read)));
      want.push(hex(concatBytes(...rfc.path(id, 0, size))));
      own.push(hex(proveTree(size, id + 1, read)));
      want.push(hex(concatBytes(...rfc.subproof(id + 1, 0, size, true))));
    }
    t.same(own, want, `size ${size}`);
  }
  t.end();
});

t.test('record proofs prove, and no altered one does', (t) => {
  for (let size = 1; size <= MAX; size++) {
    const head = { size, hash: roots[size]! };
    const wrong: string[] = [];
    for (let id = 0; id < size; id++) {
      const proof = proveRecord(size, id, read);
      checkRecord(proof, head, id, leaves[id]!);
      for (const [what, altered] of alterations(proof)) {
        if (passes(() => checkRecord(altered, head, id, leaves[id]!))) wrong.push(`${id}: ${what}`);
      }
      for (const other of [id - 1, id + 1, size, -1, id + 0.5, NaN]) {
        if (passes(() => checkRecord(proof, head, other, leaves[id]!))) wrong.push(`${id} as ${other}`);
      }
      if (passes(() => checkRecord(proof, head, id, flip(leaves[id]!, id % 256)))) wrong.push(`${id}: leaf`);
      if (passes(() => checkRecord(proof, { size, hash: flip(head.hash, id) }, id, leaves[id]!))) wrong.push(`${id}: root`);
    }
    t.same(wrong, [], `size ${size}`);
  }
  t.end();
});

t.test('tree proofs prove, and no altered one does', (t) => {
  for (let size = 1; size <= MAX; size++) {
    const head = { size, hash: roots[size]! };
    const wrong: string[] = [];
    for (let oldSize = 1; oldSize <= size; oldSize++) {
      const old = { size: oldSize, hash: roots[oldSize]! };
      const proof = proveTree(size, oldSize, read);
      checkTree(proof, head, old);
      for (const [what, altered] of alterations(proof)) {
        if (passes(() => checkTree(altered, head, old))) wrong.push(`${oldSize}: ${what}`);
      }
      if (passes(() => checkTree(proof, head, { size: oldSize, hash: flip(old.hash, oldSize) }))) wrong.push(`${oldSize}: old root`);
      if (passes(() => checkTree(proof, { size, hash: flip(head.hash, oldSize) }, old))) wrong.push(`${oldSize}: root`);
    }
    t.same(wrong, [], `size ${size}`);
  }
  t.end();
});

t.test('proofs between sizes that cannot be', (t) => {
  const head = { size: 5, hash: roots[5]! };
  const older = (size: number, hash = roots[5]!): (() => void) => () => checkTree(new Uint8Array(), head, { size, hash });
  for (const size of [6, -1, 1.5, NaN, Infinity]) t.throws(older(size), { code: 'PROOF_MISMATCH' }, `from ${size} to 5`);
  for (const size of [5.5, NaN, Infinity]) {
    t.throws(() => checkTree(new Uint8Array(64), { size, hash: roots[5]! }, head), { code: 'PROOF_MISMATCH' }, `from 5 to ${size}`);
  }
  t.throws(() => recordProofRanges(5, 5), 'a bug of the caller');
  t.throws(() => recordProofRanges(5, -1));
  t.throws(() => treeProofRanges(5, 6));
  t.throws(() => treeProofRanges(5, -1));
  t.end();
});

t.test('every tree begins with the empty one, and with no other of that size', (t) => {
  const empty = { size: 0, hash: EMPTY_HASH };
  for (const size of [0, 1, 5]) {
    const head = { size, hash: roots[size]! };
    t.equal(proveTree(size, 0, read).length, 0);
    t.doesNotThrow(() => checkTree(new Uint8Array(), head, empty), `of ${size}`);
    t.throws(() => checkTree(new Uint8Array(), head, { size: 0, hash: roots[1]! }), { code: 'PROOF_MISMATCH' });
    t.throws(() => checkTree(new Uint8Array(32), head, empty), { code: 'PROOF_MISMATCH' });
  }
  t.end();
});

const GREAT = [2 ** 31 - 1, 2 ** 31, 2 ** 31 + 5, 2 ** 32 + 1, 2 ** 33, 2 ** 33 + 2 ** 20 + 77, 3e9, 71848828e3, 2 ** 53 - 1];

t.test('arithmetic of great trees, against BigInt', (t) => {
  for (const size of GREAT) {
    const big = BigInt(size);
    t.equal(BigInt(splitPoint(size)), 1n << BigInt((big - 1n).toString(2).length - 1), `split of ${size}`);
    // the complete subtrees of [0, size) are the bits of size
    const bits = Array.from(big.toString(2)).map((bit, i, all) => (bit === '1' ? all.length - 1 - i : -1)).filter((level) => level >= 0);
    let at = 0n;
    const want = bits.map((level) => {
      const n = at >> BigInt(level);
      at += 1n << BigInt(level);
      return { level, n: Number(n) };
    });
    t.same(nodesOf({ lo: 0, hi: size }), want, `nodes of ${size}`);
    for (const level of [0, 1, 3, 6]) {
      const hashes = big >> BigInt(8 * level);
      const last = Number((hashes === 0n ? 0n : hashes - 1n) >> 8n);
      for (const n of [0, last, last + 1]) {
        const left = hashes - BigInt(n) * 256n;
        const width = left > 256n ? 256 : Number(left);
        t.same(tileInTree(level, n, size), width > 0 ? { level, n, width } : undefined, `tile ${level}/${n} of ${size}`);
      }
    }
  }
  for (let level = 0; level <= 52; level++) t.equal(levelOf(2 ** level), level);
  for (const [n, k] of [[2, 1], [3, 2], [4, 2], [5, 4], [8, 4], [9, 8]] as const) t.equal(splitPoint(n), k, `split of ${n}`);
  t.end();
});

t.test('ranges of great proofs, against BigInt', (t) => {
  for (const size of GREAT) {
    for (const id of [0, 1, 2 ** 30 + 3, size - 2 ** 20, size - 2, size - 1]) {
      t.same(recordProofRanges(size, id).map(bigRange), bigRecordProof(0n, BigInt(size), BigInt(id)), `record ${id} of ${size}`);
      t.same(treeProofRanges(size, id + 1).map(bigRange), bigTreeProof(BigInt(size), BigInt(id + 1)), `tree ${id + 1} of ${size}`);
    }
  }
  t.end();
});

t.test('great trees: one leaf among 2^33 equal ones is proved to be where it is', (t) => {
  const size = 2 ** 33 + 2 ** 20 + 77;
  const id = 2 ** 32 + 12345;
  const sparse = sparseTree(new Map([[id, leaves[1]!]]));
  const head = { size, hash: treeHash(size, sparse) };
  const proof = proveRecord(size, id, sparse);
  t.equal(proof.length, 34 * 32);
  t.doesNotThrow(() => checkRecord(proof, head, id, leaves[1]!));
  for (const other of [id - 1, id + 1, id % 2 ** 32, id - 2 ** 32, id + 2 ** 31]) {
    t.throws(() => checkRecord(proof, head, other, leaves[1]!), { code: 'PROOF_MISMATCH' }, `as record ${other}`);
  }
  for (const oldSize of [1, 2 ** 31 + 5, id, id + 1, 2 ** 33, 2 ** 33 + 1]) {
    const old = { size: oldSize, hash: treeHash(oldSize, sparse) };
    t.doesNotThrow(() => checkTree(proveTree(size, oldSize, sparse), head, old), `from ${oldSize}`);
    t.throws(() => checkTree(proveTree(size, oldSize, sparse), head, { ...old, hash: flip(old.hash, 3) }), { code: 'PROOF_MISMATCH' });
  }
  t.same(rangeHash({ lo: id, hi: id + 1 }, sparse), leaves[1]);
  t.end();
});

/** A tree of any size whose leaves are all `leaves[0]`, but for some. */
function sparseTree(others: ReadonlyMap<number, Hash>): NodeReader {
  const equal = [leaves[0]!];
  for (let level = 1; level < 54; level++) equal.push(sha256(Uint8Array.of(1), equal[level - 1]!, equal[level - 1]!));
  const hash: NodeReader = (level, n) => {
    const width = 2 ** level;
    if (![...others.keys()].some((id) => id >= n * width && id < (n + 1) * width)) return equal[level]!;
    return level === 0 ? others.get(n)! : sha256(Uint8Array.of(1), hash(level - 1, 2 * n), hash(level - 1, 2 * n + 1));
  };
  return hash;
}

/** Every hash with a bit flipped; one hash more, at either end; one less, at either end; a part of one; all swapped. */
function* alterations(proof: Uint8Array): Generator<[string, Uint8Array]> {
  const hashes = proof.length / 32;
  for (let i = 0; i < hashes; i++) yield [`hash ${i} flipped`, flip(proof, i * 256 + ((i * 37 + hashes) % 256))];
  yield ['one more behind', concatBytes(proof, leaves[0]!)];
  yield ['one more in front', concatBytes(leaves[0]!, proof)];
  yield ['half a hash more', concatBytes(proof, leaves[0]!.subarray(16))];
  if (hashes > 0) yield ['the last one less', proof.subarray(0, -32)];
  if (hashes > 0) yield ['the first one less', proof.subarray(32)];
  if (hashes > 0) yield ['a byte less', proof.subarray(1)];
  if (hashes > 1) yield ['turned round', concatBytes(proof.subarray(32), proof.subarray(0, 32))];
}

function passes(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== 'PROOF_MISMATCH') throw error;
    return false;
  }
}

function bigSplit(n: bigint): bigint {
  return 1n << BigInt((n - 1n).toString(2).length - 1);
}

function bigRecordProof(lo: bigint, hi: bigint, id: bigint): string[] {
  if (hi - lo === 1n) return [];
  const mid = lo + bigSplit(hi - lo);
  return id < mid ? [...bigRecordProof(lo, mid, id), `${mid}-${hi}`] : [...bigRecordProof(mid, hi, id), `${lo}-${mid}`];
}

function bigTreeProof(size: bigint, old: bigint): string[] {
  const walk = (lo: bigint, hi: bigint): string[] => {
    if (hi === old) return lo === 0n ? [] : [`${lo}-${hi}`];
    const mid = lo + bigSplit(hi - lo);
    return old <= mid ? [...walk(lo, mid), `${mid}-${hi}`] : [...walk(mid, hi), `${lo}-${mid}`];
  };
  return walk(0n, size);
}

function bigRange({ lo, hi }: Range): string {
  return `${lo}-${hi}`;
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[Math.floor(bit / 8)]! ^= 1 << (bit % 8);
  return copy;
}

function sha256(...parts: Uint8Array[]): Hash {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return new Uint8Array(digest.digest());
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

t.test('node hashes: of their own, and of whole hashes alone', (t) => {
  const left = new Uint8Array(32).fill(1);
  const right = new Uint8Array(32).fill(2);
  const first = nodeHash(left, right);
  const again = sha256(Uint8Array.of(1, ...left, ...right));
  t.strictSame(first, again);
  t.strictSame(nodeHash(first, first), sha256(Uint8Array.of(1, ...first, ...first)));
  t.strictSame(first, again, 'the first stays as it was');
  // The buffer between them still has the bytes of the last call.
  t.throws(() => nodeHash(left, right.subarray(0, 31)), { message: 'not a hash' });
  t.throws(() => nodeHash(left.subarray(0, 31), right), { message: 'not a hash' });
  t.end();
});

t.test('ranges that touch or overlap become one', (t) => {
  t.strictSame(joinRanges([]), []);
  t.strictSame(joinRanges([{ lo: 4, hi: 4 }]), []);
  const single = [1, 3, 4, 7, 8, 20].map((n) => ({ lo: n, hi: n + 1 }));
  t.strictSame(joinRanges([{ lo: 2, hi: 4 }, { lo: 9, hi: 10 }, ...single]), [{ lo: 1, hi: 5 }, { lo: 7, hi: 10 }, { lo: 20, hi: 21 }]);
  t.strictSame(joinRanges([{ lo: 0, hi: 9 }, { lo: 2, hi: 3 }]), [{ lo: 0, hi: 9 }]);
  t.end();
});
