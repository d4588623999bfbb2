/**
 * Cryptography by @noble: the backing everywhere but on Node (browsers, workers, other runtimes).
 *
 * `zip215: false` asks for RFC 8032's rule. It is still not the same as Go's on adversarial keys: SECURITY.md lists
 * the known differences. An honest log's signatures are the same to both.
 */

import { etc, getPublicKey, hashes, sign, verify } from '@noble/ed25519';
import { sha256 as nobleSha256, sha512 } from '@noble/hashes/sha2.js';
import { countAbove, type Digest } from './digest.js';

const HASH = 32;

hashes.sha512 = sha512;

export function sha256(data: Uint8Array): Uint8Array {
  return nobleSha256(data);
}

export function sha256Into(data: Uint8Array, into: Uint8Array, at: number): void {
  into.set(nobleSha256(data), at);
}

export function sha256Digest(): Digest {
  const digest = nobleSha256.create();
  return {
    update(data) {
      digest.update(data);
    },
    digest: () => digest.digest(),
  };
}

export function hashNodes(hashes: Uint8Array): Uint8Array {
  const parents = new Uint8Array(hashes.length / 2);
  const input = new Uint8Array(1 + 2 * HASH);
  input[0] = 1;
  for (let i = 0; i < parents.length; i += HASH) {
    input.set(hashes.subarray(2 * i, 2 * i + 2 * HASH), 1);
    parents.set(nobleSha256(input), i);
  }
  return parents;
}

export function hashLevels(hashes: Uint8Array): Uint8Array {
  const levels = new Uint8Array(countAbove(hashes.length / HASH) * HASH);
  for (let below = hashes, at = 0; below.length >= 2 * HASH; ) {
    below = hashNodes(below.subarray(0, below.length - (below.length % (2 * HASH))));
    levels.set(below, at);
    at += below.length;
  }
  return levels;
}

export function ed25519Verifier(publicKey: Uint8Array): (message: Uint8Array, signature: Uint8Array) => boolean {
  return (message, signature) => {
    if (signature.length !== 64) return false;
    try {
      return verify(signature, message, publicKey, { zip215: false });
    } catch {
      return false;
    }
  };
}

export function ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return sign(message, seed);
}

export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  return getPublicKey(seed);
}

export function randomBytes(length: number): Uint8Array {
  return etc.randomBytes(length);
}
