/**
 * Module paths and versions that are told to be good by one look at their bytes: almost all of a log's, at a tenth of what the
 * exact checks behind it in module.ts cost. A `false` says nothing: they are asked then.
 */

const DOT = 0x2e;
const DASH = 0x2d;
const SLASH = 0x2f;
const UNDERSCORE = 0x5f;
const PLUS = 0x2b;
const ZERO = 0x30;
const LETTER_V = 0x76;
const LETTER_G = 0x67;
/** Has a rule of its own for the path's end. */
const GOPKG = Uint8Array.from('gopkg.in/', (letter) => letter.charCodeAt(0));
const INCOMPATIBLE = Uint8Array.from('+incompatible', (letter) => letter.charCodeAt(0));

/** Kinds of a byte in a path. */
const SMALL = 1;
const CAPITAL = 2;
const KINDS = new Uint8Array(256);
for (let code = 0x61; code <= 0x7a; code++) KINDS[code] = SMALL;
for (let code = ZERO; code <= 0x39; code++) KINDS[code] = SMALL;
KINDS[DASH] = SMALL;
for (let code = 0x41; code <= 0x5a; code++) KINDS[code] = CAPITAL;
KINDS[UNDERSCORE] = CAPITAL;

/**
 * Pairs of letters with which the name of a device on Windows begins: con, prn, aux, nul, com1, lpt1. As letters of five bits,
 * which a capital has with its small letter in common.
 */
const DEVICE = new Uint8Array(32 * 32);
for (const pair of ['co', 'pr', 'au', 'nu', 'lp']) DEVICE[(pair.charCodeAt(0) % 32) * 32 + (pair.charCodeAt(1) % 32)] = 1;

/**
 * Reports whether `bytes[from, to)` is plainly a module path that `checkModulePath` takes: small letters, digits and dashes in a
 * host with a dot; letters, digits, `-`, `_` and inner dots in elements that cannot be the name of a device; `v2` to `v9` alone of
 * what looks like a major version; not gopkg.in.
 */
export function isPlainPath(bytes: Uint8Array, from: number, to: number): boolean {
  if (bytes[from] === DASH || (bytes[from] === LETTER_G && beginsWith(bytes, from, GOPKG))) return false;
  let start = from; // of the element
  let stem = 0; // bytes before its first dot; 0 before that
  let dots = 0; // of the host
  let inHost = true;
  for (let at = from; at <= to; at++) {
    const code = at === to ? SLASH : (bytes[at] ?? 0);
    const kind = KINDS[code];
    if (kind === SMALL || (kind === CAPITAL && !inHost)) continue;
    if (code === DOT) {
      // at the element's beginning, or behind another dot, which is rare enough
      if (at === start || bytes[at - 1] === DOT) return false;
      if (stem === 0) stem = at - start;
      if (inHost) dots++;
    } else if (code === SLASH) {
      const length = at - start;
      if (length === 0 || bytes[at - 1] === DOT) return false;
      if (stem === 0) stem = length;
      if ((stem === 3 || (stem === 4 && isDigit(bytes[start + 3]))) && DEVICE[((bytes[start] ?? 0) % 32) * 32 + ((bytes[start + 1] ?? 0) % 32)] === 1) return false;
      if (inHost && dots === 0) return false;
      if (!inHost && bytes[start] === LETTER_V && isDigit(bytes[start + 1]) && !(length === 2 && (bytes[start + 1] ?? 0) >= ZERO + 2)) return false;
      start = at + 1;
      stem = 0;
      inHost = false;
    } else {
      return false;
    }
  }
  return true;
}

/**
 * Reports whether `bytes[from, to)` is plainly a version that `checkVersion` takes: three numbers; behind them perhaps what the go
 * command makes of a commit (`-0.20190101000000-0123456789ab`, with or without `0.`), or a word and perhaps a number (`-rc.1`); and
 * `+incompatible`.
 */
export function isPlainVersion(bytes: Uint8Array, from: number, to: number): boolean {
  if (bytes[from] !== LETTER_V) return false;
  let at = from;
  for (let numbers = 0; numbers < 3; numbers++) {
    if (numbers > 0 && bytes[at] !== DOT) return false;
    const start = ++at;
    while (at < to && isDigit(bytes[at])) at++;
    if (at === start || (bytes[start] === ZERO && at > start + 1)) return false;
  }
  if (at < to && bytes[at] === DASH) {
    at++;
    if (isDigit(bytes[at])) {
      if (bytes[at] === ZERO && bytes[at + 1] === DOT) at += 2;
      const time = at;
      while (at < to && isDigit(bytes[at])) at++;
      if (at !== time + 14 || bytes[at] !== DASH) return false;
      const commit = ++at;
      while (at < to && KINDS[bytes[at] ?? 0] === SMALL && bytes[at] !== DASH) at++;
      if (at !== commit + 12) return false;
    } else {
      const word = at;
      while (at < to && KINDS[bytes[at] ?? 0] === SMALL && bytes[at] !== DASH) at++;
      if (at === word) return false;
      if (at < to && bytes[at] === DOT) {
        const number = ++at;
        while (at < to && isDigit(bytes[at])) at++;
        if (at === number || (bytes[number] === ZERO && at > number + 1)) return false;
      }
    }
  }
  return at === to || (bytes[at] === PLUS && to - at === INCOMPATIBLE.length && beginsWith(bytes, at, INCOMPATIBLE));
}

function isDigit(code: number | undefined): boolean {
  return code !== undefined && code >= ZERO && code <= 0x39;
}

function beginsWith(bytes: Uint8Array, from: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text[i]) return false;
  return true;
}
