/**
 * Cryptography by node:crypto: the backing on Node. Agrees with Go on every one of the 914 known Ed25519 edge cases.
 * Its twin is noble.ts; the package's `imports` choose (`#crypto`), and the tests run the same vectors through both.
 */

import { createHash, createPrivateKey, createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto';
import { countAbove, type Digest } from './digest.js';

const HASH = 32;
// The fixed DER in front of a raw Ed25519 key (RFC 8410): SubjectPublicKeyInfo, and PrivateKeyInfo of a seed.
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export function sha256(data: Uint8Array): Uint8Array {
  const digest = new Uint8Array(HASH);
  sha256Into(data, digest, 0);
  return digest;
}

export function sha256Into(data: Uint8Array, into: Uint8Array, at: number): void {
  // 'binary' (latin1) and a write: twice as fast as 'buffer', which makes the garbage collector an array of its own kind
  hashed.write(hash('sha256', data, 'binary'), 'binary');
  into.set(hashed, at);
}

export function sha256Digest(): Digest {
  const digest = createHash('sha256');
  return {
    update(data) {
      digest.update(data);
    },
    digest: () => new Uint8Array(digest.digest()),
  };
}

/** Takes a hash before it goes where it is wanted. */
const hashed = Buffer.allocUnsafeSlow(HASH);

// What is hashed for a node, and its two hashes as words: to copy those takes half the time of a view and a `set`.
const node = new Uint8Array(new ArrayBuffer(4 + 2 * HASH), 3);
node[0] = 1;
const halves = new Int32Array(node.buffer, 4);

export function hashNodes(hashes: Uint8Array): Uint8Array {
  const parents = Buffer.allocUnsafeSlow(hashes.length / 2);
  hashPairs(wordsOf(hashes), 0, parents, 0, parents.length / HASH);
  return new Uint8Array(parents.buffer, parents.byteOffset, parents.byteLength);
}

export function hashLevels(hashes: Uint8Array): Uint8Array {
  let count = hashes.length / HASH;
  const levels = Buffer.allocUnsafeSlow(countAbove(count) * HASH);
  let words = wordsOf(hashes);
  for (let from = 0, at = 0; count > 1; count = Math.floor(count / 2)) {
    const pairs = Math.floor(count / 2);
    hashPairs(words, from, levels, at, pairs);
    from = at / 4;
    at += pairs * HASH;
    words = new Int32Array(levels.buffer, levels.byteOffset);
  }
  return new Uint8Array(levels.buffer, levels.byteOffset, levels.byteLength);
}

/** Hashes `pairs` of nodes that stand in `words` from `from` on, and writes what is above them to `into`, at `at`. */
function hashPairs(words: Int32Array, from: number, into: Buffer, at: number, pairs: number): void {
  for (let word = from, end = at + pairs * HASH; at < end; at += HASH) {
    for (let i = 0; i < halves.length; i++) halves[i] = words[word++] ?? 0;
    // 'binary' (latin1) and a write back: 2.9 M nodes a second, against 1.5 M where a Buffer is made for each hash.
    into.write(hash('sha256', node, 'binary'), at, 'binary');
  }
}

function wordsOf(hashes: Uint8Array): Int32Array {
  // not by slice(), which of a Buffer gives a view
  const aligned = hashes.byteOffset % 4 === 0 ? hashes : new Uint8Array(hashes);
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}

export function ed25519Verifier(publicKey: Uint8Array): (message: Uint8Array, signature: Uint8Array) => boolean {
  let key: KeyObject | undefined;
  return (message, signature) => {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    key ??= createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' });
    return verify(null, message, key, signature);
  };
}

export function ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, message, privateKey(seed)));
}

export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  return new Uint8Array(createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' }).subarray(SPKI.length));
}

export function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

function privateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
}
