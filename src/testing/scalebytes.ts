/** What the names of a scale log are drawn by and written with: hashes and permutations of numbers, digits, points in time. */

/** Hashes numbers: 32 bits. No cryptography; the same on every machine. */
export function mix(a: number, b: number): number {
  let x = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  return (x ^ (x >>> 15)) >>> 0;
}

const MASK = 0xffffff;
const FACTOR = 0x5a3c1d;
const INVERSE: number = inverseOf(FACTOR);

/** A permutation of 24 bits. */
export function scramble(n: number, seed: number): number {
  let x = (n ^ seed) & MASK;
  for (let round = 0; round < 3; round++) x = Math.imul(x ^ (x >>> 12), FACTOR) & MASK;
  return x ^ (x >>> 12);
}

/** Its inverse. */
export function unscramble(n: number, seed: number): number {
  let x = n ^ (n >>> 12);
  for (let round = 0; round < 3; round++) {
    x = Math.imul(x, INVERSE) & MASK;
    x ^= x >>> 12;
  }
  return (x ^ seed) & MASK;
}

/** Copies bytes to `at`, and gives where they end. */
export function put(out: Uint8Array, at: number, bytes: Uint8Array): number {
  for (const byte of bytes) out[at++] = byte;
  return at;
}

/** Writes a whole number, and gives where it ends. */
export function putNumber(out: Uint8Array, at: number, n: number): number {
  let end = at + 1;
  for (let rest = n; rest >= 10; rest = Math.floor(rest / 10)) end++;
  for (let i = end - 1, rest = n; i >= at; i--, rest = Math.floor(rest / 10)) out[i] = 0x30 + (rest % 10);
  return end;
}

/** Writes `YYYYMMDDHHMMSS` of seconds since 1970, later than 2000 (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
export function putTime(out: Uint8Array, at: number, seconds: number): number {
  const days = Math.floor(seconds / 86_400);
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const year = Math.floor((ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365);
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const march = Math.floor((5 * ofYear + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  const second = seconds - days * 86_400;
  at = putNumber(out, at, year + era * 400 + (month <= 2 ? 1 : 0));
  at = putTwo(out, at, month);
  at = putTwo(out, at, ofYear - Math.floor((153 * march + 2) / 5) + 1);
  at = putTwo(out, at, Math.floor(second / 3600));
  at = putTwo(out, at, Math.floor(second / 60) % 60);
  return putTwo(out, at, second % 60);
}

/** What an odd number times it is 1, in 24 bits: Newton's iteration doubles the bits that are right. */
function inverseOf(odd: number): number {
  let inverse = odd;
  for (let i = 0; i < 5; i++) inverse = Math.imul(inverse, 2 - Math.imul(odd, inverse)) & MASK;
  return inverse;
}

function putTwo(out: Uint8Array, at: number, n: number): number {
  out[at] = 0x30 + Math.floor(n / 10);
  out[at + 1] = 0x30 + (n % 10);
  return at + 2;
}
