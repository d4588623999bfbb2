/** Bytes and text: UTF-8 that refuses what it would have to repair, and Go's notion of white space and of order. */

import { GosumError } from '../errors.js';

const encoder = new TextEncoder();
// ignoreBOM keeps a leading U+FEFF as the character it is; the default would drop it and change signed bytes.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 of a text. A lone surrogate, which has none, becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Writes the UTF-8 of a text at the beginning of `into`, without making bytes of their own. Gives how many; -1 where there is no room. */
export function encodeUtf8Into(text: string, into: Uint8Array): number {
  const { read, written } = encoder.encodeInto(text, into);
  return read === text.length ? written : -1;
}

/**
 * The text of UTF-8 bytes, byte order mark included.
 *
 * @throws {GosumError} `UTF8_MALFORMED`.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new GosumError('UTF8_MALFORMED', 'invalid UTF-8', { cause });
  }
}

/** One byte string of several. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return joinBytes(parts);
}

/** One byte string of a list, however long: arguments of a call are limited to some 100,000. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** White space as Go's `unicode.IsSpace` has it: U+0085 is of it, U+FEFF is not (JavaScript's `\s` is the other way). */
const SPACE = '\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const A_SPACE = new RegExp(`[${SPACE}]`);
const NO_SPACES = new RegExp(`[^${SPACE}]+`, 'g');

/** Reports whether the text has a character of Unicode white space, by Go's table. */
export function hasSpace(text: string): boolean {
  return A_SPACE.test(text);
}

/** Splits at runs of white space, as Go's `strings.Fields`. */
export function fields(text: string): string[] {
  return text.match(NO_SPACES) ?? [];
}

/**
 * A text from outside in quotes, safe in a message on a terminal: at most 100 characters, and nothing but printable
 * ASCII; the rest as `\uXXXX`.
 */
export function quote(text: string): string {
  const escaped = JSON.stringify(text.slice(0, 100)).replaceAll(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return text.length > 100 ? `${escaped}...` : escaped;
}

/** Orders texts by their UTF-8 bytes, as Go does; JavaScript's own order is by UTF-16 unit, and differs past U+FFFF. */
export function compareUtf8(a: string, b: string): number {
  let i = 0;
  while (i < a.length && i < b.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  if (i === a.length || i === b.length) return a.length - b.length;
  const x = a.charCodeAt(i);
  const y = b.charCodeAt(i);
  // Surrogates (0xD800–0xDFFF) stand for characters beyond the units above them: lift them over 0xE000–0xFFFF.
  return (isSurrogate(x) ? x + 0x10000 : x) - (isSurrogate(y) ? y + 0x10000 : y);
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
