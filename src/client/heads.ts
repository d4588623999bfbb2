/** Tree heads under one greatest: the newest kept, the trusted, and all that the database and the caches show. */

import type { GosumError } from '../errors.js';
import { forkError } from '../core/fork.js';
import { liesUnder } from '../core/timeline.js';
import type { SignedHead } from '../core/treehead.js';
import { notLocal, prove, whyUnproved, type Proof } from './prove.js';
import type { Reader } from './reader.js';
import type { Progress } from './sumdb.js';

/** The heads of one proof. */
export interface CheckedHeads {
  /** The greatest, under which the proof is. */
  readonly head: SignedHead;
  /** Those known before: each must be proved. */
  readonly before: readonly SignedHead[];
  readonly all: ReadonlySet<SignedHead>;
}

/**
 * Checks that all heads lie under the greatest. Says which could not be proved to; of those known before, each must.
 *
 * @throws {ForkError} where one is proved not to; why one of those known before could not be proved.
 */
export async function checkHeads(reader: Reader, proof: Proof, { head, before, all }: CheckedHeads, progress?: Progress): Promise<Map<SignedHead, GosumError>> {
  const unproved = new Map<SignedHead, GosumError>();
  for (const old of new Set([...before, ...all])) {
    let lies: boolean;
    try {
      lies = liesUnder(proof.tree, old);
    } catch (error) {
      const why = whyUnproved(notLocal(error), proof.unread);
      if (before.includes(old)) throw why;
      unproved.set(old, why);
      continue;
    }
    if (!lies) {
      const { tree } = await prove(reader, head, { links: [old.size] }, progress);
      throw forkError(tree, head, old);
    }
  }
  return unproved;
}
