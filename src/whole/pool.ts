/** Threads that work on tiles (work.ts). */

import { checkPacks, type CheckedPacks, type CheckJob } from './check.js';
import { KeyHash } from './key.js';
import type { ThreadJob, ThreadWork } from './message.js';
import { TileThread } from './thread.js';
import { workTile, type TileJob, type TileWork } from './work.js';

/** Works on tiles. */
export interface TilePool {
  /**
   * Does the work of a job, as `workTile`. Its bytes are copied. Jobs wait for each other: a caller bounds how many it has.
   *
   * @throws {GosumError} as `workTile`; the signal's reason; a plain `Error` where the thread dies.
   */
  run(job: TileJob, signal?: AbortSignal): Promise<TileWork>;
  /** Checks packs, as `checkPacks`. @throws the signal's reason; a plain `Error` where the thread dies. */
  check(job: CheckJob, signal?: AbortSignal): Promise<CheckedPacks>;
  /** Ends the threads. What is under way, or comes later, fails. */
  close(): Promise<void>;
}

/** Jobs that a thread has at once: while one is done the next is already there. */
const JOBS_AT_ONCE = 2;

/** Works in this thread, for little to do. @param salt of 16 bytes. */
export function workHere(salt: Uint8Array): TilePool {
  const hash = new KeyHash(salt);
  return {
    run: (job, signal) =>
      new Promise((resolve) => {
        signal?.throwIfAborted();
        resolve(workTile(job, hash));
      }),
    check: (job, signal) =>
      new Promise((resolve) => {
        signal?.throwIfAborted();
        resolve(checkPacks(job, hash));
      }),
    close: () => Promise.resolve(),
  };
}

/**
 * Makes a pool of so many threads. Each starts when there is work for it; without work they keep no process alive.
 *
 * @param jobsAtOnce jobs that a thread has at once: more where this thread is busy with other things for longer.
 */
export function openTilePool(threads: number, salt: Uint8Array, jobsAtOnce: number = JOBS_AT_ONCE): TilePool {
  const waiting: (() => void)[] = [];
  const all = Array.from({ length: threads }, () => new TileThread(salt, () => waiting.shift()?.()));
  let isClosed = false;

  function room(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      waiting.push(go);
    });
  }

  async function run(job: ThreadJob, signal: AbortSignal | undefined): Promise<ThreadWork> {
    for (;;) {
      if (signal?.aborted === true) {
        // whoever was called in vain calls the next one
        waiting.shift()?.();
        throw signal.reason as Error;
      }
      if (isClosed) throw new Error('the pool is closed');
      const thread = leastBusy(all, jobsAtOnce);
      if (thread !== undefined) return thread.run(job, signal);
      await room(signal);
    }
  }

  return {
    run: (job, signal) => run(job, signal) as Promise<TileWork>,
    check: (job, signal) => run(job, signal) as Promise<CheckedPacks>,
    async close() {
      isClosed = true;
      for (const go of waiting.splice(0)) go();
      await Promise.all(all.map((thread) => thread.end()));
    },
  };
}

function leastBusy(threads: readonly TileThread[], most: number): TileThread | undefined {
  let least: TileThread | undefined;
  for (const thread of threads) if (thread.jobs < most && thread.jobs < (least?.jobs ?? Infinity)) least = thread;
  return least;
}
