/** Base64 with the standard alphabet and padding (RFC 4648 §4), strict and as lenient as Go's. */

import { GosumError } from '../errors.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

const VALUES: Int8Array = new Int8Array(128).fill(-1);
for (let i = 0; i < ALPHABET.length; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

/** Base64 of `bytes`, padded. */
export function formatBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word = (bytes[i] ?? 0) * 65536 + (bytes[i + 1] ?? 0) * 256 + (bytes[i + 2] ?? 0);
    text += digit(word, 262144) + digit(word, 4096);
    text += left > 1 ? digit(word, 64) : '=';
    text += left > 2 ? digit(word, 1) : '=';
  }
  return text;
}

/**
 * Parses padded base64 strictly: what is accepted is exactly what `formatBase64` writes.
 *
 * @throws {GosumError} `BASE64_MALFORMED` for a foreign character, a wrong length, or stray bits behind the last byte.
 */
export function parseBase64(text: string): Uint8Array {
  const { bytes, strayBits } = decode(text);
  if (strayBits) throw malformed('stray bits behind the last byte');
  return bytes;
}

/**
 * Parses padded base64 as Go's `base64.StdEncoding` does: CR and LF anywhere are passed over, stray bits behind the last
 * byte are dropped. So one value has several spellings: compare what is decoded.
 *
 * @throws {GosumError} `BASE64_MALFORMED`.
 */
export function parseBase64AsGo(text: string): Uint8Array {
  return decode(text.replaceAll('\r', '').replaceAll('\n', '')).bytes;
}

function digit(word: number, unit: number): string {
  return ALPHABET.charAt(Math.floor(word / unit) % 64);
}

function decode(text: string): { bytes: Uint8Array; strayBits: boolean } {
  if (text.length % 4 !== 0) throw malformed(`${text.length} characters, want a multiple of 4`);
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let held = 0; // value of the bits held back, less than 2^width
  let width = 0;
  let out = 0;
  for (let i = 0; i < digits; i++) {
    const value = VALUES[text.charCodeAt(i)] ?? -1;
    if (value < 0) throw malformed(`character ${JSON.stringify(text.charAt(i))} at ${i}`);
    held = held * 64 + value;
    width += 6;
    if (width >= 8) {
      width -= 8;
      const unit = 2 ** width;
      bytes[out++] = Math.floor(held / unit);
      held %= unit;
    }
  }
  return { bytes, strayBits: held !== 0 };
}

function malformed(detail: string): GosumError {
  return new GosumError('BASE64_MALFORMED', `malformed base64: ${detail}`);
}
