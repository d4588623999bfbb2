/**
 * Counts: record numbers and tree sizes, as safe integers (up to 2^53 - 1); never by bit operators alone, which in
 * JavaScript are of 32 bits.
 */

import { GosumError } from '../errors.js';
import { quote } from './text.js';

/**
 * Parses a canonical decimal count: no sign, no leading zero, no space, at most 2^53 - 1.
 * Go's own parsers take `+5`, `-1` and `007` in places; we take only what we would print.
 *
 * @throws {GosumError} `INTEGER_MALFORMED`.
 */
export function parseCount(text: string): number {
  const value = /^(?:0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) {
    throw new GosumError('INTEGER_MALFORMED', `malformed count ${quote(text)}`);
  }
  return value;
}

/** Reports whether `value` can be a count. */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** The greatest power of two that is less than `n`, for n ≥ 2: where RFC 6962 §2.1 splits a tree of `n` leaves. */
export function splitPoint(n: number): number {
  const high = Math.floor((n - 1) / 2 ** 32);
  return high > 0 ? 2 ** (63 - Math.clz32(high)) : 2 ** (31 - Math.clz32(n - 1));
}

/** The `level` of a complete subtree with `width` leaves, a power of two. */
export function levelOf(width: number): number {
  let level = 0;
  for (let w = width; w > 1; w /= 2) level++;
  return level;
}
