/** When records were first seen: a tree head carries no time, so that it is when this file first had a tree with them. */

import type { LogStore } from '../contract.js';

/** The times of one log. What was read is remembered: what is asked for again is only what has come since. */
export class SeenTimes {
  readonly #log: LogStore;
  readonly #key: string;
  /** Of trees, ascending. */
  readonly #sizes: number[] = [];
  readonly #times: number[] = [];

  constructor(log: LogStore, key: string) {
    this.#log = log;
    this.#key = key;
  }

  /** When the first tree that has the record was seen, milliseconds since 1970; `undefined` where nobody noted it. */
  async of(id: number): Promise<number | undefined> {
    if (id >= (this.#sizes.at(-1) ?? 0)) await this.#readOn();
    let lo = 0;
    let hi = this.#sizes.length;
    while (lo < hi) {
      const middle = Math.floor((lo + hi) / 2);
      if ((this.#sizes[middle] ?? 0) > id) hi = middle;
      else lo = middle + 1;
    }
    return this.#times[lo];
  }

  async #readOn(): Promise<void> {
    const from = (this.#sizes.at(-1) ?? 0) + 1;
    for (const { size, at } of await this.#log.seen(this.#key, from)) {
      if (size <= (this.#sizes.at(-1) ?? 0)) continue; // somebody else has read on meanwhile
      this.#sizes.push(size);
      this.#times.push(at);
    }
  }
}
