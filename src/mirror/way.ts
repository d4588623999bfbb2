/**
 * One way to the database, and how it did: read failures at once, all else when it is known what its answers proved.
 *
 * The circuit breaker is cockatiel's. It does not run the reads: it is told how turns came out (mirror/turn.ts), and says
 * when a way that was taken out may be tried again.
 */

import { circuitBreaker, CircuitState, ConsecutiveBreaker, ExponentialBackoff, handleAll, type CircuitBreakerPolicy } from 'cockatiel';
import type { ReadOptions, Source } from '../contract.js';

/** How a way is. Times are milliseconds since 1970. */
export interface WayState {
  /** Names the way to a person; without credentials. */
  readonly label: string;
  /** `closed`: in service. `open`: taken out. `half-open`: one turn tries whether it is good again. */
  readonly state: 'closed' | 'open' | 'half-open';
  /** When something that it gave last authenticated. */
  readonly lastSuccess: number | undefined;
  readonly lastFailure: number | undefined;
  /** What the last failure was. */
  readonly failure: string | undefined;
  readonly counts: {
    /** Reads, and how many of them gave no bytes. */
    readonly reads: number;
    readonly unread: number;
    /** Turns whose answers authenticated, turns with answers that did not, and turns in which a read failed. */
    readonly proved: number;
    readonly unproved: number;
    readonly failed: number;
  };
}

/** When a way is taken out, and for how long. */
export interface BreakerOptions {
  /** Turns that fail one after the other until the way is taken out. */
  readonly failures: number;
  /** Milliseconds, about, until it is tried again; each time that this fails about twice as long, up to `longestPause`. */
  readonly pause: number;
  readonly longestPause: number;
}

/** Ends a trial of a way that was taken out. */
export type EndTrial = (failure: Error | undefined) => void;

/** A way to the database. */
export class Way {
  readonly source: Source;
  readonly #breaker: CircuitBreakerPolicy;
  #lastSuccess: number | undefined;
  #lastFailure: number | undefined;
  #failure: string | undefined;
  #reads = 0;
  #unread = 0;
  #proved = 0;
  #unproved = 0;
  #failed = 0;

  constructor(source: Source, { failures, pause, longestPause }: BreakerOptions) {
    this.source = source;
    this.#breaker = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(failures),
      halfOpenAfter: new ExponentialBackoff({ initialDelay: pause, maxDelay: longestPause }), // with jitter
    });
  }

  get state(): WayState {
    return {
      label: this.source.label,
      state: this.inService ? 'closed' : this.#breaker.state === CircuitState.Open ? 'open' : 'half-open',
      lastSuccess: this.#lastSuccess,
      lastFailure: this.#lastFailure,
      failure: this.#failure,
      counts: { reads: this.#reads, unread: this.#unread, proved: this.#proved, unproved: this.#unproved, failed: this.#failed },
    };
  }

  get inService(): boolean {
    return this.#breaker.state === CircuitState.Closed;
  }

  /** @throws {GosumError} as `Source.read`. */
  async read(path: string, options: ReadOptions): Promise<Uint8Array | undefined> {
    this.#reads++;
    let bytes: Uint8Array | undefined;
    try {
      bytes = await this.source.read(path, options);
    } finally {
      if (bytes === undefined) this.#unread++;
    }
    return bytes;
  }

  /** Begins the one trial of a way that was taken out; `undefined` while its pause lasts, or another trial does. */
  beginTrial(): EndTrial | undefined {
    if (this.#breaker.state !== CircuitState.Open) return undefined;
    let end: EndTrial | undefined;
    const trial = (): Promise<void> =>
      new Promise((resolve, reject) => {
        end = (failure) => (failure === undefined ? resolve() : reject(failure));
      });
    // calls `trial` at once, or not at all
    this.#breaker.execute(trial).catch(() => undefined);
    return end;
  }

  /** What it gave in a turn authenticated. */
  proved(endTrial: EndTrial | undefined): void {
    this.#proved++;
    this.#lastSuccess = Date.now();
    this.#settle(undefined, endTrial);
  }

  /** What it gave in a turn did not authenticate, or was not of the protocol's form. */
  unproved(failure: Error, endTrial: EndTrial | undefined): void {
    this.#unproved++;
    this.#fail(failure, endTrial);
  }

  /** It could not be read in a turn. */
  failed(failure: Error, endTrial: EndTrial | undefined): void {
    this.#failed++;
    this.#fail(failure, endTrial);
  }

  #fail(failure: Error, endTrial: EndTrial | undefined): void {
    this.#lastFailure = Date.now();
    this.#failure = failure.message;
    this.#settle(failure, endTrial);
  }

  #settle(failure: Error | undefined, endTrial: EndTrial | undefined): void {
    if (endTrial !== undefined) endTrial(failure);
    else this.#breaker.execute(() => (failure === undefined ? Promise.resolve() : Promise.reject(failure))).catch(() => undefined);
  }
}
