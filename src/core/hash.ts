/** Hashes of the tree: 32 bytes of SHA-256 (RFC 6962 §2.1). */

import { parseBase64, formatBase64 } from './base64.js';
import { GosumError } from '../errors.js';

/** A SHA-256 hash: always 32 bytes. */
export type Hash = Uint8Array;

/** Bytes of a hash. */
export const HASH_SIZE = 32;

/** Reports whether two byte strings are equal. Not constant in time: hashes of a public log are no secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Base64 of a hash, as tree heads and Go's `tlog.Hash.String` have it: 44 characters. */
export function formatHash(hash: Hash): string {
  return formatBase64(hash);
}

/**
 * Parses the base64 of a hash, strictly: 44 characters, no stray bits.
 *
 * @throws {GosumError} `BASE64_MALFORMED`.
 */
export function parseHash(text: string): Hash {
  const hash = parseBase64(text);
  if (hash.length !== HASH_SIZE) {
    throw new GosumError('BASE64_MALFORMED', `a hash of ${hash.length} bytes, want ${HASH_SIZE}`);
  }
  return hash;
}

/** The `i`th of hashes that stand one after the other. A view, not a copy. */
export function hashAt(hashes: Uint8Array, i: number): Hash {
  return hashes.subarray(i * HASH_SIZE, (i + 1) * HASH_SIZE);
}
