/**
 * Waiting in tests, by what has happened and not by the time that has passed: a busy machine is slow, and not wrong.
 *
 * What has to come is waited for, up to a bound that no machine reaches. What must not come is looked for after turns of the
 * event loop, which are as slow as whatever else this process does. What needs a short time to be seen at all, such as a
 * request that takes too long, is tried again with more of it.
 */

import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds after which something is said not to come: a test file may take five minutes. */
const LONG = 60_000;

/** Waits until something is so. @returns whether it is. */
export async function until(isSo: () => boolean | Promise<boolean>, pause = 10): Promise<boolean> {
  const end = Date.now() + LONG;
  while (!(await isSo())) {
    if (Date.now() > end) return false;
    await sleep(pause);
  }
  return true;
}

/** Lets the event loop turn so many times, in two milliseconds each at least: what was on its way in this process has come. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await sleep(2);
}

/** Tries with each of the times, until one was enough. @returns whether one was. */
export async function withMoreTime(times: readonly number[], works: (time: number) => Promise<boolean>): Promise<boolean> {
  for (const time of times) if (await works(time)) return true;
  return false;
}

/**
 * Holds all who call until no other has come for some turns, and then lets them go together: what is sent at a time arrives
 * before the first answer leaves, however long it takes.
 */
export function gatherer(quiet = 20): () => Promise<void> {
  const waiting: (() => void)[] = [];
  const watch = async (): Promise<void> => {
    for (let seen = 0; seen !== waiting.length; ) {
      seen = waiting.length;
      await turns(quiet);
    }
    for (const go of waiting.splice(0)) go();
  };
  return () =>
    new Promise((resolve) => {
      if (waiting.push(resolve) === 1) void watch();
    });
}
