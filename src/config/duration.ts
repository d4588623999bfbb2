/** Durations in Go's syntax (time.ParseDuration): `300ms`, `1.5h`, `2h45m`. */

import { quote } from '../core/text.js';
import { GosumError } from '../errors.js';

/** Nanoseconds of each unit. Both signs for micro are in use. */
const UNITS = new Map<string, bigint>([
  ['ns', 1n],
  ['us', 1_000n],
  ['\u00b5s', 1_000n],
  ['\u03bcs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);

/** Milliseconds: the longest that a timer of Node can wait, some 24 days; a longer one would end at once. */
export const MAX_TIMER: number = 2 ** 31 - 1;

/** Go counts nanoseconds in 64 bits with a sign: about 292 years. */
const MOST = 2n ** 63n;

/**
 * Parses a duration: numbers, each with an optional fraction and a unit, an optional sign in front; or `0`.
 *
 * @returns milliseconds, perhaps with a fraction.
 * @throws {GosumError} `CONFIG_INVALID`.
 */
export function parseDuration(text: string): number {
  const [, sign = '', body = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (body === '0') return 0;
  if (body === '') throw malformed(text);
  let total = 0n;
  let rest = body;
  while (rest !== '') {
    const [whole = '', integer = '', fraction = '', unitName = ''] = /^([0-9]*)(?:\.([0-9]*))?([^0-9.]+)/s.exec(rest) ?? [];
    const unit = UNITS.get(unitName);
    if (unit === undefined || integer + fraction === '') throw malformed(text);
    total += BigInt(integer || '0') * unit + fractionOf(fraction, unit);
    if (total > MOST) throw malformed(text);
    rest = rest.slice(whole.length);
  }
  if (sign !== '-' && total === MOST) throw malformed(text);
  return (sign === '-' && total > 0n ? -1 : 1) * (Number(total) / 1e6);
}

/** Whole nanoseconds of a decimal fraction of the unit, by Go's own floating-point way. */
function fractionOf(digits: string, unit: bigint): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    const next = value * 10n + BigInt(digit);
    if (value > (MOST - 1n) / 10n || next > MOST) break; // Go drops the digits that do not fit
    value = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (Number(unit) / scale)));
}

function malformed(text: string): GosumError {
  return new GosumError('CONFIG_INVALID', `malformed duration ${quote(text)}`, {
    hint: 'write it like 30s, 1m30s or 500ms',
  });
}
