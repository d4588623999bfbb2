/**
 * Counts: record numbers and tree sizes, as safe integers (up to 2^53 - 1) and without bit operators,
 * which in JavaScript are of 32 bits.
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
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** The `level` of a complete subtree with `width` leaves, a power of two. */
export function levelOf(width: number): number {
  let level = 0;
  for (let w = width; w > 1; w /= 2) level++;
  return level;
}
