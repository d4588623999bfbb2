/**
 * Several ways to one database, in order of preference, as one source: such as straight, by its other name, by a proxy.
 *
 * A way is judged by content: what it gave is good only when it was proved (client/turns.ts), under the one key and on the
 * one timeline. So another way may bring another answer, and never another truth.
 */

import type { ReadOptions, Source, Turn } from '../contract.js';
import { WaysTurn } from './turn.js';
import { Way, type BreakerOptions, type WayState } from './way.js';

export type { WayState } from './way.js';

/** How ways are used. */
export interface WaysOptions extends Partial<BreakerOptions> {
  /** Milliseconds that a way is waited for while another is left to ask; 10 s by default. */
  readonly patience?: number;
}

/** Several ways to one database. */
export interface Ways extends Source {
  /** How each way is, in order. */
  readonly states: readonly WayState[];
  /** Each way by itself, judged as in all together: to look after those that are seldom asked. */
  readonly each: readonly Source[];
  turns(): Iterable<Turn>;
}

const DEFAULTS = { failures: 3, pause: 2000, longestPause: 60_000, patience: 10_000 };

/**
 * Combines ways to one database. Closing it closes them.
 *
 * In each turn the ways are asked in order, and the next one at once where a read fails. What the turn could not prove is
 * read again in turns by one way alone, each that is in service. A way that failed in three turns in a row is taken out of
 * service, until after a pause, with jitter, one turn tries it again.
 *
 * @param ways not empty, the preferred one first.
 */
export function openWays(ways: readonly Source[], options: WaysOptions = {}): Ways {
  return new OpenWays(ways, options);
}

class OpenWays implements Ways {
  readonly each: readonly Source[];
  readonly #ways: readonly Way[];
  readonly #patience: number;

  constructor(sources: readonly Source[], options: WaysOptions) {
    const { patience, ...breaker } = { ...DEFAULTS, ...options };
    this.#patience = patience;
    this.#ways = sources.map((source) => new Way(source, breaker));
    this.each = this.#ways.map((way) => this.#alone(way));
  }

  get label(): string {
    return (this.#ways.find((way) => way.inService) ?? this.#ways[0])?.source.label ?? '';
  }

  get states(): readonly WayState[] {
    return this.#ways.map((way) => way.state);
  }

  read(path: string, options: ReadOptions): Promise<Uint8Array | undefined> {
    return readUnjudged(this.#turn(this.#ways), path, options);
  }

  *turns(): Generator<Turn> {
    const first = this.#turn(this.#ways);
    yield first;
    const { givers } = first;
    if (givers.length === 0) return; // nobody answers
    for (const way of this.#ways) {
      if (way.inService && !(givers.length === 1 && givers[0] === way)) yield this.#turn([way]);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#ways.map((way) => way.source.close()));
  }

  #turn(ways: readonly Way[]): WaysTurn {
    return new WaysTurn(ways, this.#patience);
  }

  #alone(way: Way): Source {
    const turns = (): Turn[] => [this.#turn([way])];
    return {
      get label() {
        return way.source.label;
      },
      read: (path, options) => readUnjudged(this.#turn([way]), path, options),
      turns,
      close: () => Promise.resolve(),
    };
  }
}

/** A read outside of turns: nobody will say what it proved. */
async function readUnjudged(turn: Turn, path: string, options: ReadOptions): Promise<Uint8Array | undefined> {
  let failure: unknown = new Error('not judged');
  try {
    return await turn.source.read(path, options);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    turn.end(failure);
  }
}
