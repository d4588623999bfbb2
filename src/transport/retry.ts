/** When to try again: exponential backoff with full jitter, and Retry-After. */

import { onAbort } from './abort.js';

/** Tries of one read, the first included. */
export const TRIES = 4;
/** Milliseconds: the most that the first pause lasts, and that any lasts that the server did not ask for. */
const BASE = 250;
const CAP = 8_000;
/** Milliseconds: the longest pause that a server is given where the run has no deadline. */
const LONGEST = 60_000;

/** The pause before try number `next` (2 is the first retry): evenly random up to a bound that doubles, so that many do not come back together. */
export function backoff(next: number): number {
  return Math.random() * Math.min(CAP, BASE * 2 ** (next - 2));
}

/**
 * The pause that a Retry-After header asks for, in milliseconds: a count of seconds or an HTTP date (RFC 9110 §10.2.3).
 * `undefined` where it says nothing that can be read.
 */
export function parseRetryAfter(text: string, now: number = Date.now()): number | undefined {
  if (/^[0-9]{1,9}$/.test(text.trim())) return Number(text) * 1000;
  const date = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/**
 * How long to wait before try number `next`, or `undefined` where that is no use: too often tried, or what the server
 * asks for is longer than what is left.
 *
 * @param asked what Retry-After asked for, in milliseconds.
 * @param left milliseconds until the run has to be done; `undefined` without such an end.
 */
export function retryDelay(next: number, asked: number | undefined, left: number | undefined): number | undefined {
  if (next > TRIES) return undefined;
  const delay = Math.max(asked ?? 0, backoff(next));
  return delay <= (left ?? LONGEST) ? delay : undefined;
}

/** Waits. Rejects with the signal's reason where that aborts before. */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      forget();
      resolve();
    }, milliseconds);
    const forget = onAbort(signal, () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    });
  });
}
