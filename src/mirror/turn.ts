/**
 * One turn of reading by several ways: by the first that answers, and when it is known what the answers proved, the ways
 * that gave them are told.
 */

import type { ReadOptions, Source, Turn } from '../contract.js';
import { GosumError, isGosumError } from '../errors.js';
import type { EndTrial, Way } from './way.js';

/** What a way did in a turn. */
interface Part {
  gave: boolean;
  failure?: GosumError;
  endTrial?: EndTrial;
}

/** A turn. */
export class WaysTurn implements Turn {
  readonly source: Source;
  readonly #ways: readonly Way[];
  readonly #patience: number;
  readonly #parts = new Map<Way, Part>();

  /**
   * @param ways in the order in which they are asked.
   * @param patience milliseconds that a way is waited for while another is left to ask.
   */
  constructor(ways: readonly Way[], patience: number) {
    this.#ways = ways;
    this.#patience = patience;
    const label = (): string => (this.givers[0] ?? ways.find((way) => way.inService) ?? ways[0])?.source.label ?? '';
    this.source = {
      get label() {
        return label();
      },
      read: (path, options) => this.#read(path, options),
      close: () => Promise.resolve(), // the ways outlive the turn
    };
  }

  /** The ways that gave answers. */
  get givers(): Way[] {
    return [...this.#parts].filter(([, part]) => part.gave).map(([way]) => way);
  }

  end(failure: unknown): void {
    const { givers } = this;
    const suspect = isGosumError(failure) && (failure.outcome === 'unproved' || failure.outcome === 'unreachable') ? failure : undefined;
    for (const [way, { gave, failure: own, endTrial }] of this.#parts) {
      // Of several ways that answered it cannot be said which one is wrong, but for one on trial: others get turns alone.
      if (own !== undefined) way.failed(own, endTrial);
      else if (suspect !== undefined && gave && (givers.length === 1 || endTrial !== undefined)) way.unproved(suspect, endTrial);
      else if (failure === undefined && gave) way.proved(endTrial);
      else endTrial?.(new Error('nothing was proved'));
    }
  }

  async #read(path: string, options: ReadOptions): Promise<Uint8Array | undefined> {
    const failures: GosumError[] = [];
    const asked = new Set<Way>();
    const { candidates, resort } = this.#candidates(path);
    for (const [i, way] of candidates.entries()) {
      const part = asked.has(way) ? undefined : this.#take(way, way === resort && i === candidates.length - 1);
      if (part === undefined) continue;
      asked.add(way);
      const last = !candidates.slice(i + 1).some((next) => next.inService);
      try {
        const bytes = last ? await way.read(path, options) : await this.#readInTime(way, path, options);
        if (bytes === undefined) continue;
        part.gave = true;
        return bytes;
      } catch (error) {
        if (!isGosumError(error) || error.outcome === 'local' || options.signal?.aborted === true) throw error;
        const missing = error.code === 'NOT_FOUND';
        // Of a lookup it is the database's word. A partial tile may be gone; what else is missing has to be there.
        if (missing && isLookup(path)) throw error;
        if (!missing || !path.includes('.p/')) part.failure = error;
        failures.push(error);
      }
    }
    if (failures.length === 0) return undefined;
    throw joined(failures);
  }

  /**
   * Whom to ask: those in service that have not failed in this turn yet, and in their places those that may be tried
   * again. Where none of the former is left, one of all as a last resort: to be out of service means that others go
   * before, not silence.
   */
  #candidates(path: string): { candidates: readonly Way[]; resort?: Way } {
    const fresh = this.#ways.filter((way) => this.#parts.get(way)?.failure === undefined);
    const fit = (way: Way): boolean => way.inService || this.#parts.get(way)?.endTrial !== undefined;
    // "not found" proves nothing, so a lookup is no trial
    const good = isLookup(path) ? fresh.filter(fit) : fresh;
    const [resort] = this.#ways.toSorted((a, b) => (a.state.lastFailure ?? 0) - (b.state.lastFailure ?? 0));
    return good.some(fit) || resort === undefined ? { candidates: good } : { candidates: [...good, resort], resort };
  }

  /** The part of a way in this turn; `undefined` where it is out of service and not to be tried yet. */
  #take(way: Way, resort: boolean): Part | undefined {
    const part: Part = this.#parts.get(way) ?? { gave: false };
    if (!way.inService && part.endTrial === undefined) {
      const endTrial = way.beginTrial();
      if (endTrial !== undefined) part.endTrial = endTrial;
      else if (!resort) return undefined;
    }
    this.#parts.set(way, part);
    return part;
  }

  /** Reads by a way behind which others wait: once, and not for long. */
  async #readInTime(way: Way, path: string, options: ReadOptions): Promise<Uint8Array | undefined> {
    const late = new AbortController();
    const timer = setTimeout(() => {
      late.abort(new GosumError('TIMEOUT', `${path.slice(1)}: no answer of ${way.source.label} within ${this.#patience / 1000} s`));
    }, this.#patience);
    const signal = options.signal === undefined ? late.signal : AbortSignal.any([options.signal, late.signal]);
    try {
      return await way.read(path, { ...options, signal, once: true });
    } finally {
      clearTimeout(timer);
    }
  }
}

function isLookup(path: string): boolean {
  return path.startsWith('/lookup/');
}

function joined(failures: readonly GosumError[]): GosumError {
  const telling = failures.filter(({ code }) => code !== 'NOT_FOUND');
  const [first = failures[0]] = telling;
  if (first === undefined) throw new Error('no failures');
  if (telling.length < 2) return first;
  const retryable = telling.some((failure) => failure.retryable);
  return new GosumError(first.code, telling.map(({ message }) => message).join('; '), { cause: first, retryable });
}
