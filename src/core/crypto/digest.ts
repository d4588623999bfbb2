/** The fence's own types and meaning; node.ts and noble.ts are its two backings, chosen as `#crypto` by the package. */

/** An incremental SHA-256. */
export interface Digest {
  update(data: Uint8Array): void;
  /** The hash of all that was given. The last call. */
  digest(): Uint8Array;
}

/** What a backing gives. The tests run the same vectors through both. */
export interface Crypto {
  /** SHA-256 of `data`: 32 bytes. */
  sha256(data: Uint8Array): Uint8Array;
  /** Writes SHA-256 of `data` to `into`, at `at`. */
  sha256Into(data: Uint8Array, into: Uint8Array, at: number): void;
  /** An incremental SHA-256. */
  sha256Digest(): Digest;
  /** For 2k hashes of 32 bytes one after the other, the k hashes over each two of them, SHA-256(0x01 ‖ left ‖ right) (RFC 6962 §2.1). */
  hashNodes(hashes: Uint8Array): Uint8Array;
  /**
   * For k hashes one after the other, all complete nodes above them, level by level: k/2 hashes over each two of them,
   * rounded down, then half as many over these, to the one that is over the most. Of a full tile its hash is the last.
   */
  hashLevels(hashes: Uint8Array): Uint8Array;
  /** A check of Ed25519 signatures (RFC 8032) by a raw public key of 32 bytes; a malformed key or signature is `false`. */
  ed25519Verifier(publicKey: Uint8Array): (message: Uint8Array, signature: Uint8Array) => boolean;
  /** The signature, 64 bytes, by a seed of 32 bytes. */
  ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  /** The raw public key of a seed: 32 bytes. */
  ed25519PublicKey(seed: Uint8Array): Uint8Array;
  /** Bytes of the system's secure generator. */
  randomBytes(length: number): Uint8Array;
}

/** How many hashes `hashLevels` gives for so many. */
export function countAbove(count: number): number {
  let above = 0;
  for (let width = Math.floor(count / 2); width > 0; width = Math.floor(width / 2)) above += width;
  return above;
}
