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
   * @throws {GosumError} as `workTile`; a plain `Error` where the thread dies.
   */
  run(job: TileJob): Promise<TileWork>;
  /** Checks packs, as `checkPacks`. @throws a plain `Error` where the thread dies. */
  check(job: CheckJob): Promise<CheckedPacks>;
  /** Ends the threads. What is under way, or comes later, fails. */
  close(): Promise<void>;
}

/** Jobs that a thread has at once: while one is done the next is already there. */
const JOBS_AT_ONCE = 2;

/** Works in this thread, for little to do. @param salt of 16 bytes. */
export function workHere(salt: Uint8Array): TilePool {
  const hash = new KeyHash(salt);
  return {
    run: (job) => new Promise((resolve) => resolve(workTile(job, hash))),
    check: (job) => new Promise((resolve) => resolve(checkPacks(job, hash))),
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

  async function run(job: ThreadJob): Promise<ThreadWork> {
    for (;;) {
      if (isClosed) throw new Error('the pool is closed');
      const thread = leastBusy(all, jobsAtOnce);
      if (thread !== undefined) return thread.run(job);
      await new Promise<void>((go) => waiting.push(go));
    }
  }

  return {
    run: (job) => run(job) as Promise<TileWork>,
    check: (job) => run(job) as Promise<CheckedPacks>,
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
