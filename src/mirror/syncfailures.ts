/** What fails during a sync: counted, the first ones kept by name, and after too many in a row it is no use to go on. */

import type { GosumError } from '../errors.js';

/** Failures that are kept; more are counted alone. */
const MOST_KEPT = 100;
/** Tiles in a row that could not be read until the sync gives up. Each was tried several times. */
const MOST_UNREAD = 8;
/** Tiles in a row that did not prove until it gives up. */
const MOST_UNPROVED = 64;

/** Failures of tiles. */
export class SyncFailures {
  readonly #kept: GosumError[] = [];
  #count = 0;
  #unread = 0;
  #unproved = 0;
  #hopeless = false;

  /** The first failures. */
  get kept(): readonly GosumError[] {
    return this.#kept;
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** Whether it is no use to go on. */
  get areHopeless(): boolean {
    return this.#hopeless;
  }

  /** A tile was read. To prove it takes a while, in which others may fail to be read. */
  read(): void {
    this.#unread = 0;
  }

  /** A tile was proved. */
  proved(): void {
    this.#unproved = 0;
  }

  /** A tile was not read, or not proved. */
  add(failure: GosumError): void {
    this.#count++;
    if (this.#kept.length < MOST_KEPT) this.#kept.push(failure);
    if (failure.outcome === 'unproved') this.#unproved++;
    else this.#unread++;
    this.#hopeless ||= this.#unread >= MOST_UNREAD || this.#unproved >= MOST_UNPROVED;
  }
}
