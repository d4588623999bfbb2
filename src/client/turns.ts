/** Work that a source with several ways is asked for: by one, and where that does not prove, by the others. */

import type { Source } from '../contract.js';
import { isGosumError } from '../errors.js';

/**
 * Does the work in turns, until one of them fails in nothing that another way could do better.
 *
 * @param source without turns, or `undefined`, the work is done once.
 * @param work may be done several times, each time with another source.
 * @param failureOf what a result has that failed.
 * @returns the result of the last turn.
 * @throws what the work threw in its last turn.
 */
export async function inTurns<T>(
  source: Source | undefined,
  work: (source: Source | undefined) => Promise<T>,
  failureOf: (result: T) => unknown,
): Promise<T> {
  let last = (): T | Promise<T> => work(source);
  for (const turn of source?.turns?.() ?? []) {
    let failure: unknown;
    try {
      const result = await work(turn.source);
      failure = failureOf(result);
      last = () => result;
    } catch (error) {
      failure = error;
      last = () => {
        throw error;
      };
    }
    turn.end(failure);
    if (!mayBeBetterElsewhere(failure)) break;
  }
  return last();
}

/** Reports whether a failure is of the way, which accuses nobody, and not of the log or of this machine. */
export function mayBeBetterElsewhere(failure: unknown): boolean {
  return isGosumError(failure) && (failure.outcome === 'unproved' || failure.outcome === 'unreachable');
}
