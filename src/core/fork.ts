/**
 * Forks: the one finding that accuses the log itself. Its evidence is two validly signed tree heads, and the proof that
 * the greater one's tree does not begin with the smaller one. Anybody can check it, offline.
 */

import type { Evidence } from '../contract.js';
import { GosumError } from '../errors.js';
import { equalBytes, formatHash, HASH_SIZE, hashAt, type Hash } from './hash.js';
import { formatVerifierKey, type VerifierKey } from './key.js';
import type { ProvedTree } from './plan.js';
import { checkTree, proveTree } from './tree.js';
import { hashAtSize } from './timeline.js';
import { openTreeHead, type SignedHead } from './treehead.js';
import { concatBytes, decodeUtf8 } from './text.js';

/** What proves a fork. */
export interface ForkProof {
  /** The signed note of the smaller head. */
  readonly older: Uint8Array;
  /** The signed note of the greater head, or of another of the same size. */
  readonly newer: Uint8Array;
  /**
   * The hash that the newer tree has at the older size, and the consistency proof from there to the newer head:
   * hashes of 32 bytes, one after the other.
   */
  readonly proof: Uint8Array;
}

/** The log misbehaved: two heads that it signed cannot both be true. */
export class ForkError extends GosumError<'FORK'> {
  override readonly name = 'ForkError';
  readonly evidence: ForkProof;

  constructor(evidence: ForkProof, sizes: readonly [older: number, newer: number]) {
    super('FORK', `the log misbehaves: it signed a tree of ${sizes[0]} that its tree of ${sizes[1]} does not begin with`, {
      hint: 'do not trust this database; `gosumcheck evidence` prints the proof: show it to others who use the log',
    });
    this.evidence = evidence;
  }
}

/**
 * The proof that a signed head does not lie under a proved tree. Needs the plan's `links`.
 *
 * @param newer the signed head that `tree` was proved under.
 */
export function forkError(tree: ProvedTree, newer: SignedHead, older: SignedHead): ForkError {
  return forkOf(newer, older, hashAtSize(tree, older.size), proveTree(tree.head.size, older.size, tree.read));
}

/**
 * The proof that a signed head does not lie under another, which the caller has proved.
 *
 * @param hash what the newer tree has at the older size.
 * @param consistency the proof from there to the newer head.
 */
export function forkOf(newer: SignedHead, older: SignedHead, hash: Hash, consistency: Uint8Array): ForkError {
  if (equalBytes(hash, older.hash)) throw new Error('no fork');
  const evidence = { older: older.note, newer: newer.note, proof: concatBytes(hash, consistency) };
  return new ForkError(evidence, [older.size, newer.size]);
}

/**
 * Checks evidence, as a third party would: both signatures, and that the newer tree's beginning is another than the older.
 *
 * @param evidence attacker-controlled.
 * @throws {GosumError} what `openTreeHead` throws; `PROOF_MISMATCH` where it proves no fork.
 */
export function checkFork(evidence: ForkProof, key: VerifierKey): void {
  const older = openTreeHead(evidence.older, key);
  const newer = openTreeHead(evidence.newer, key);
  const begins = { size: older.size, hash: hashAt(evidence.proof, 0) };
  checkTree(evidence.proof.subarray(HASH_SIZE), newer, begins);
  if (equalBytes(begins.hash, older.hash)) throw new GosumError('PROOF_MISMATCH', 'the two trees agree: no fork');
}

/**
 * Reports whether kept evidence accuses the log of a key: it is of that log, and proves a fork. Where it proves none somebody else
 * has written it, and it accuses nobody.
 */
export function accuses(evidence: Evidence, key: VerifierKey): boolean {
  if (evidence.key !== formatVerifierKey(key)) return false;
  try {
    checkFork(evidence, key);
    return true;
  } catch (error) {
    if (error instanceof GosumError) return false;
    throw error;
  }
}

/** The evidence as cmd/go prints it (sumdb/client.go), so that people and tools know it again. */
export function formatFork({ older, newer, proof }: ForkProof): string {
  const indent = (note: Uint8Array): string => decodeUtf8(note).replaceAll('\n', '\n\t');
  const hashes = Array.from({ length: proof.length / HASH_SIZE }, (_, i) => `\n\t${formatHash(hashAt(proof, i))}`);
  return (
    'SECURITY ERROR\ngo.sum database server misbehavior detected!\n\n' +
    `old database:\n\t${indent(older)}\nnew database:\n\t${indent(newer)}\nproof of misbehavior:${hashes.join('')}`
  );
}
