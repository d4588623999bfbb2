/**
 * The timeline: the tree heads that were ever taken, each proved to lie under a greater one, up to the newest.
 *
 * Consistency is a property of hashes: so a way from an old head to the newest needs the two signatures at its ends alone,
 * and of the heads between only that each proof leads to the next.
 */

import type { TimelineHead } from '../contract.js';
import { GosumError } from '../errors.js';
import { equalBytes, type Hash } from './hash.js';
import type { VerifierKey } from './key.js';
import type { ProvedTree } from './plan.js';
import type { Proved } from './proved.js';
import { checkTree, proveTree, treeHash } from './tree.js';
import { openTreeHead, sameTree, type SignedHead, type TreeHead } from './treehead.js';

/** The root hash that a proved tree has at an earlier size; it differs from a signed one only where the log misbehaves. */
export function hashAtSize(tree: ProvedTree, size: number): Hash {
  return treeHash(size, tree.read);
}

/** Reports whether a head is the beginning of a proved tree. */
export function liesUnder(tree: ProvedTree, old: TreeHead): boolean {
  return old.size <= tree.head.size && equalBytes(hashAtSize(tree, old.size), old.hash);
}

/** The newest head of a timeline, as a store keeps it. */
export function newestHead(tree: ProvedTree, head: SignedHead): Proved<TimelineHead> {
  if (!sameTree(tree.head, head)) throw new Error('not the head that the tree was proved under');
  return timelineHead(head);
}

/** A head whose tree the caller has proved, as the newest of a timeline. */
export function timelineHead({ size, hash, note }: SignedHead): Proved<TimelineHead> {
  return { size, hash, note } as Proved<TimelineHead>;
}

/**
 * A head that a proved tree begins with, linked to that tree's head, as a store keeps it. Needs the plan's `links`.
 *
 * @throws {GosumError} `PROOF_MISMATCH` where it does not lie under the tree.
 */
export function linkedHead(tree: ProvedTree, old: SignedHead): Proved<TimelineHead> {
  return linkHead(old, tree.head, proveTree(tree.head.size, old.size, tree.read));
}

/**
 * A head linked to another, which the caller has proved, by the consistency proof from one to the other.
 *
 * @param proof attacker-controlled: hashes of 32 bytes, one after the other.
 * @throws {GosumError} `PROOF_MISMATCH`.
 */
export function linkHead(old: SignedHead, head: TreeHead, proof: Uint8Array): Proved<TimelineHead> {
  checkTree(proof, head, old);
  return { ...timelineHead(old), next: { size: head.size, proof } };
}

/** A timeline that came out of a store and was proved again. */
export class Timeline {
  readonly newest: SignedHead;
  readonly #heads: ReadonlyMap<number, TimelineHead>;
  /** Sizes of heads that were proved to lie under the newest. */
  readonly #proved: Set<number>;
  /** Sizes of heads whose way was found to be broken: a long one is not walked again and again. */
  readonly #broken = new Set<number>();

  /**
   * @param heads attacker-controlled: what a store gave, in any order.
   * @throws {GosumError} what `openTreeHead` throws of the newest head's note; `PROOF_MISMATCH` where no head or more than
   * one has no `next`, or two have one size: the second could pass for the proved one.
   */
  constructor(heads: readonly TimelineHead[], key: VerifierKey) {
    const [newest, other] = heads.filter((head) => head.next === undefined);
    if (newest === undefined || other !== undefined) throw broken('it has not one newest head');
    this.newest = openTreeHead(newest.note, key);
    if (!sameTree(this.newest, newest)) throw broken('its newest head is not the one in the note');
    this.#heads = new Map(heads.map((head) => [head.size, head]));
    if (this.#heads.size !== heads.length) throw broken('it has two heads of one size');
    this.#proved = new Set([newest.size]);
  }

  /** Reports whether a head is proved to lie on the timeline, by the proofs that were kept. */
  holds(head: TreeHead): boolean {
    try {
      this.check(head);
      return true;
    } catch (error) {
      if (error instanceof GosumError) return false;
      throw error;
    }
  }

  /**
   * Checks that a head lies on the timeline, by the proofs that were kept.
   *
   * @throws {GosumError} `PROOF_MISMATCH` where it is not proved to. That accuses nobody: proofs may be lost or damaged.
   */
  check(head: TreeHead): void {
    const way: number[] = [];
    try {
      for (let at = head.size; !this.#proved.has(at); ) {
        way.push(at);
        at = this.#next(at);
      }
    } catch (error) {
      for (const size of way) this.#broken.add(size);
      throw error;
    }
    for (const size of way) this.#proved.add(size);
    const known = this.#heads.get(head.size);
    if (known === undefined || !sameTree(known, head)) throw broken(`it has another tree of ${head.size}`);
  }

  /** The size of the head that one is proved to lie under. */
  #next(size: number): number {
    const known = this.#heads.get(size);
    const next = known?.next && this.#heads.get(known.next.size);
    if (known?.next === undefined || next === undefined || next.size <= size || this.#broken.has(size)) {
      throw broken(`no way from the tree of ${size} to the newest`);
    }
    checkTree(known.next.proof, next, known);
    return next.size;
  }
}

function broken(detail: string): GosumError {
  return new GosumError('PROOF_MISMATCH', `the kept timeline is broken: ${detail}`);
}
