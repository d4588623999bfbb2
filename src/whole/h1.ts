/** The 44 characters of a hash in a go.sum line, from and to its 32 bytes, in place: no text is made of it. */

const HASH_SIZE = 32;
/** Characters of a hash in base64, `=` included. */
export const H1_LENGTH = 44;

const EQUALS = 0x3d;
/** Stands for a character that is not of the alphabet. */
const FOREIGN = 64;

const DIGITS: Uint8Array = Uint8Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', (digit) => digit.charCodeAt(0));
const VALUES: Uint8Array = new Uint8Array(256).fill(FOREIGN);
DIGITS.forEach((digit, value) => (VALUES[digit] = value));

/**
 * Decodes the 44 characters at `at` into 32 bytes at `to`. `false` where they are not what `encodeH1` writes: a foreign
 * character, no `=` at the end, stray bits behind the last byte. Then what is written means nothing.
 */
export function decodeH1(text: Uint8Array, at: number, into: Uint8Array, to: number): boolean {
  let seen = 0;
  let from = at;
  let out = to;
  for (const end = to + HASH_SIZE - 2; out < end; out += 3, from += 4) {
    const a = VALUES[text[from] ?? 0] ?? FOREIGN;
    const b = VALUES[text[from + 1] ?? 0] ?? FOREIGN;
    const c = VALUES[text[from + 2] ?? 0] ?? FOREIGN;
    const d = VALUES[text[from + 3] ?? 0] ?? FOREIGN;
    seen |= a | b | c | d;
    into[out] = (a << 2) | (b >>> 4);
    into[out + 1] = (b << 4) | (c >>> 2);
    into[out + 2] = (c << 6) | d;
  }
  const a = VALUES[text[from] ?? 0] ?? FOREIGN;
  const b = VALUES[text[from + 1] ?? 0] ?? FOREIGN;
  const c = VALUES[text[from + 2] ?? 0] ?? FOREIGN;
  seen |= a | b | c;
  into[out] = (a << 2) | (b >>> 4);
  into[out + 1] = (b << 4) | (c >>> 2);
  return seen < FOREIGN && (c & 3) === 0 && text[from + 3] === EQUALS;
}

/** Writes the 32 bytes at `at` as 44 characters at `to`. */
export function encodeH1(hashes: Uint8Array, at: number, into: Uint8Array, to: number): void {
  let from = at;
  let out = to;
  for (const end = at + HASH_SIZE - 2; from < end; from += 3, out += 4) {
    const word = ((hashes[from] ?? 0) << 16) | ((hashes[from + 1] ?? 0) << 8) | (hashes[from + 2] ?? 0);
    into[out] = DIGITS[word >>> 18] ?? 0;
    into[out + 1] = DIGITS[(word >>> 12) & 63] ?? 0;
    into[out + 2] = DIGITS[(word >>> 6) & 63] ?? 0;
    into[out + 3] = DIGITS[word & 63] ?? 0;
  }
  const word = ((hashes[from] ?? 0) << 10) | ((hashes[from + 1] ?? 0) << 2);
  into[out] = DIGITS[word >>> 12] ?? 0;
  into[out + 1] = DIGITS[(word >>> 6) & 63] ?? 0;
  into[out + 2] = DIGITS[word & 63] ?? 0;
  into[out + 3] = EQUALS;
}
