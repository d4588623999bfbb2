/** One flight for each thing, however many wait for it; and leave of the first who asks, where it leads upstream. */

import { setImmediate as turn } from 'node:timers/promises';
import type { Caller } from '../contract.js';

/** Work that is under way, by key. */
export class Flights {
  readonly #flights = new Map<string, Promise<unknown>>();

  /** Does what several ask for at a time once. */
  once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const under = this.#flights.get(key) as Promise<T> | undefined;
    if (under !== undefined) return under;
    const flight = work().finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  /** As `once`, of work upstream: who comes first needs leave, who joins needs none. */
  async upstream<T>(key: string, caller: Caller | undefined, work: () => Promise<T>): Promise<T> {
    if (caller !== undefined && !this.#flights.has(key)) await caller.admit();
    return this.once(key, work);
  }

  /** Waits until nothing is under way any more, of what leads to more than that, too. */
  async idle(): Promise<void> {
    while (this.#flights.size > 0) {
      await Promise.allSettled(this.#flights.values());
      await turn();
    }
  }
}
