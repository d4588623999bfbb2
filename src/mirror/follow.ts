/** Following a log with a sync: a look at once, then one now and then, until it is ended. */

import { GosumError, isGosumError } from '../errors.js';
import { startPoll } from './poll.js';
import type { Sync, Synced } from './sync.js';

/** How a log is followed. */
export interface FollowOptions {
  readonly sync: Pick<Sync, 'look'>;
  /** Milliseconds between two looks, give or take a tenth. A look that failed is tried again sooner. */
  readonly every: number;
  /** Told what came of each look. */
  readonly looked: (synced: Synced) => Promise<void>;
  /** Told why a look came to nothing, where a later one may do better. */
  readonly failed: (error: GosumError) => Promise<void>;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Follows a log until the signal aborts; what is proved by then is kept.
 *
 * @throws {GosumError} what no later look does better: `FORK`, `KEY_CHANGED`, `STORE_FAILED`.
 */
export async function followLog({ sync, every, looked, failed, signal }: FollowOptions): Promise<void> {
  let failure: GosumError | undefined;
  let under: Promise<void> = Promise.resolve();
  const look = async (): Promise<void> => {
    try {
      const synced = await sync.look(signal);
      [failure] = synced.failures;
      await looked(synced);
    } catch (error) {
      if (signal.aborted) return; // on purpose
      if (!isGosumError(error) || (error.outcome !== 'unreachable' && error.outcome !== 'unproved')) throw error;
      failure = error;
      await failed(error);
    }
  };
  const mirror = {
    refresh: () => (under = look()),
    get state() {
      return { failure };
    },
  };
  let stop = (): void => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
      stop = startPoll({ mirror, every, atOnce: true, failed: reject });
    });
  } finally {
    stop();
    await under.catch(() => undefined);
  }
}
