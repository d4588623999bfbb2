/**
 * How much work upstream each client may cause: a bucket of tokens for each, and a queue before any refusal.
 *
 * Once `supported` was answered with 200 the go command never falls back, so that a refusal breaks a build: who is too
 * quick waits for its turn, and only who would wait too long is refused (429). What is kept is never limited.
 */

import { GosumError } from '../errors.js';

/** What each client may do. */
export interface ClientLimits {
  /** Requests a second, in the long run. Greater than 0. */
  readonly rate: number;
  /** Requests at once. */
  readonly burst: number;
  /** Requests that wait. */
  readonly queue: number;
}

/** A client would have to wait too long. The server answers it with 429. */
export class LimitError extends GosumError<'UNREACHABLE'> {
  override readonly name = 'LimitError';
  /** Seconds after which there is room again. */
  readonly retryAfter: number;

  constructor(retryAfter: number) {
    super('UNREACHABLE', `too many requests at a time for what is not kept here yet: try again in ${retryAfter} s`);
    this.retryAfter = retryAfter;
  }
}

/** Milliseconds that a request waits at most: a person is waiting, too. */
const LONGEST_WAIT = 10_000;
/** Clients that are remembered. One that is forgotten begins with a full bucket. */
const MOST_CLIENTS = 10_000;

interface Bucket {
  /** Requests that may go at once; below 0: so many have their turn in the future. */
  tokens: number;
  /** When that was so, in milliseconds. */
  at: number;
}

/** The buckets of all clients. Those that were not heard of for the longest time are forgotten first. */
export class ClientLimiter {
  readonly #limits: ClientLimits;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param now a clock in milliseconds that never goes back. */
  constructor(limits: ClientLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** How many clients are remembered. */
  get clients(): number {
    return this.#buckets.size;
  }

  /**
   * Waits for the client's turn.
   *
   * @param address as the connection has it.
   * @throws {LimitError} at once, where its turn would come too late.
   */
  async admit(address: string): Promise<void> {
    const wait = this.take(address);
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  }

  /** Takes a token, and says in how many milliseconds it is there. @throws {LimitError}. */
  take(address: string): number {
    const { rate, burst, queue } = this.#limits;
    const key = clientOf(address);
    const now = this.#now();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) * rate) / 1000) - 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    this.#forget();
    const wait = tokens < 0 ? (-tokens / rate) * 1000 : 0;
    if (-tokens > queue && tokens < 0) throw new LimitError(retryAfter(-tokens - queue, rate));
    if (wait > LONGEST_WAIT) throw new LimitError(retryAfter(-tokens - (LONGEST_WAIT / 1000) * rate, rate));
    bucket.tokens = tokens;
    bucket.at = now;
    return wait;
  }

  #forget(): void {
    if (this.#buckets.size <= MOST_CLIENTS) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}

function retryAfter(tokens: number, rate: number): number {
  return Math.max(1, Math.ceil(tokens / rate));
}

/** A client: an IPv4 address, or an IPv6 network of 64 bits, all of which one host may have. */
export function clientOf(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [before = '', after] = address.split('%', 1)[0]?.split('::') ?? [];
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const groups = after === undefined ? head : [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
