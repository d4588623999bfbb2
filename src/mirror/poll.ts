/** Following the log: a look at its newest head now and then, and at every way to it. */

import type { Source } from '../contract.js';
import { SumDB, type SumDBOptions } from '../client/sumdb.js';
import type { GosumError } from '../errors.js';

/** What is followed, and how. */
export interface PollOptions {
  readonly mirror: {
    refresh(): Promise<void>;
    /** What the last look came to, where it came to nothing. */
    readonly state: { readonly failure: GosumError | undefined };
  };
  /** Milliseconds between two looks, give or take a tenth. */
  readonly every: number;
  /** Whether the first look is at once, and not after a pause. */
  readonly atOnce?: boolean;
  /** Done after each look that went well, such as looking after each of several ways. */
  readonly then?: () => Promise<void>;
  /** Told of what went wrong here: of our own store, or a bug. How upstream is, the mirror's state says. */
  readonly failed: (error: unknown) => void;
}

/** A look that failed is tried again after this share of the usual pause; then after twice as long, up to the usual. */
const FIRST_SHARE = 1 / 16;

/** Begins to follow. @returns ends it. */
export function startPoll(options: PollOptions): () => void {
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;
  const wait = (): void => {
    const share = failures === 0 ? 1 : Math.min(1, FIRST_SHARE * 2 ** (failures - 1));
    const jitter = 0.9 + 0.2 * Math.random();
    timer = setTimeout(() => void look(), options.every * share * jitter);
  };
  let ended = false;
  const look = async (): Promise<void> => {
    try {
      await options.mirror.refresh();
      if (options.mirror.state.failure === undefined) await options.then?.();
    } catch (error) {
      options.failed(error);
    }
    failures = options.mirror.state.failure === undefined ? 0 : failures + 1;
    if (!ended) wait();
  };
  if (options.atOnce === true) void look();
  else wait();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

/**
 * Looks after each of several ways by itself: whether it shows a head that verifies and lies on the timeline. What comes
 * of it stands in the ways' states. A single way is looked after by every other look.
 *
 * @throws {GosumError} `KEY_CHANGED`, `STORE_FAILED`.
 */
export async function checkWays(ways: readonly Source[], options: Omit<SumDBOptions, 'source'>): Promise<void> {
  if (ways.length < 2) return;
  await Promise.all(ways.map((source) => new SumDB({ ...options, source }).lookup([], { fresh: true })));
}
