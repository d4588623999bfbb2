/** A bound on what runs at a time: first come, first served. */

import { onAbort } from './abort.js';

/** Lets at most `limit` tasks run at a time; the others wait. */
export class Limiter {
  #limit: number;
  #running = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Lets more tasks run at a time. */
  raise(limit: number): void {
    this.#limit = Math.max(this.#limit, limit);
    for (const start of this.#waiting) {
      if (this.#running >= this.#limit) break;
      this.#running++;
      start();
    }
  }

  /** Runs a task when its turn comes. Rejects with the signal's reason where that aborts before. */
  async run<T>(task: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted();
    if (this.#running < this.#limit) this.#running++;
    else await this.#turn(signal);
    try {
      return await task();
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#running--;
      else next(); // the place is handed on
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = (): void => {
        this.#waiting.delete(start);
        forget();
        resolve();
      };
      this.#waiting.add(start);
      const forget = onAbort(signal, () => {
        this.#waiting.delete(start);
        reject(signal?.reason as Error);
      });
    });
  }
}
