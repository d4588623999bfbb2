/**
 * Keys of the index: 48 bits for a module version, 24 of its module path and 24 of its version.
 *
 * The hash is HalfSipHash-1-3 (Aumasson and Bernstein's SipHash in words of 32 bits, as Linux has it for its hash tables), under a
 * secret of the file: whoever chooses names cannot choose their keys, and so cannot make a page long. Of two names with one
 * key the record itself decides.
 */

import { randomBytes } from 'node:crypto';
import { encodeUtf8, encodeUtf8Into } from '../core/text.js';

/** Bytes of the secret. */
export const SALT_SIZE = 16;

/** The key of a module version. */
export interface IndexKey {
  /** Its first 16 bits, all of the module path: the number of its page. */
  readonly page: number;
  /** Its other 32 bits: 8 of the module path, 24 of the version. */
  readonly rest: number;
}

/** Makes a secret for a new file. */
export function newSalt(): Uint8Array {
  return new Uint8Array(randomBytes(SALT_SIZE));
}

/** The salted hash: one half of the secret for module paths, the other for versions. */
export class KeyHash {
  readonly #salt: Uint32Array;
  /** Where a name stands while it is hashed. */
  #bytes: Uint8Array = new Uint8Array(512);

  /** @param salt of 16 bytes. */
  constructor(salt: Uint8Array) {
    if (salt.length !== SALT_SIZE) throw new Error(`a salt of ${salt.length} bytes, want ${SALT_SIZE}`);
    const view = new DataView(salt.buffer, salt.byteOffset, SALT_SIZE);
    this.#salt = Uint32Array.from({ length: 4 }, (_, i) => view.getUint32(4 * i, true));
  }

  /** 24 bits of the module path that stands in `bytes`. */
  module(bytes: Uint8Array, from: number, to: number): number {
    return halfSip(this.#salt[0] ?? 0, this.#salt[1] ?? 0, bytes, from, to) >>> 8;
  }

  /** 24 bits of the version that stands in `bytes`. */
  version(bytes: Uint8Array, from: number, to: number): number {
    return halfSip(this.#salt[2] ?? 0, this.#salt[3] ?? 0, bytes, from, to) >>> 8;
  }

  /** 64 bits of the module path that stands in `bytes`, in two words; the first one's upper bits are what `module` gives. */
  print(bytes: Uint8Array, from: number, to: number, into: Uint32Array, at: number): void {
    into[at] = halfSip(this.#salt[0] ?? 0, this.#salt[1] ?? 0, bytes, from, to);
    into[at + 1] = halfSip(this.#salt[2] ?? 0, this.#salt[3] ?? 0, bytes, from, to);
  }

  /** As `print`, of a text. */
  printText(module: string, into: Uint32Array, at: number): void {
    const length = this.#encode(module);
    this.print(this.#bytes, 0, length, into, at);
  }

  /** The key of a module version. */
  key(module: string, version: string): IndexKey {
    return joinKey(this.#module(module), this.#version(version));
  }

  /** What the keys of all versions of a module have in common: the page, and the least `rest`; they have the same first 8 bits of it. */
  moduleKey(module: string): IndexKey {
    return joinKey(this.#module(module), 0);
  }

  #module(module: string): number {
    const length = this.#encode(module);
    return this.module(this.#bytes, 0, length);
  }

  #version(version: string): number {
    const length = this.#encode(version);
    return this.version(this.#bytes, 0, length);
  }

  /** Puts a name where it can be hashed, `#bytes` from now on, and gives its length. */
  #encode(name: string): number {
    const length = encodeUtf8Into(name, this.#bytes);
    if (length >= 0) return length;
    this.#bytes = encodeUtf8(name);
    return this.#bytes.length;
  }
}

/** The key of two times 24 bits. */
export function joinKey(module: number, version: number): IndexKey {
  return { page: module >>> 8, rest: restOf(module, version) };
}

/** A key's last 32 bits. */
export function restOf(module: number, version: number): number {
  return (((module & 0xff) << 24) | version) >>> 0;
}

/** HalfSipHash-1-3 with an output of 32 bits. */
function halfSip(k0: number, k1: number, bytes: Uint8Array, from: number, to: number): number {
  let v0 = k0;
  let v1 = k1;
  let v2 = k0 ^ 0x6c796765;
  let v3 = k1 ^ 0x74656462;
  let word = 0;
  let shift = 0;
  // one word for each four bytes, then one of what is left over with the length in its first byte, then three of the end
  const length = to - from;
  const whole = length >>> 2;
  let at = from;
  for (let i = 0; i <= whole + 3; i++) {
    if (i < whole) {
      word = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
      at += 4;
    } else if (i === whole) {
      word = length << 24;
      for (shift = 0; at < to; shift += 8) word |= (bytes[at++] ?? 0) << shift;
    } else {
      word = 0;
      if (i === whole + 1) v2 ^= 0xff;
    }
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = (v1 << 5) | (v1 >>> 27);
    v1 ^= v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = (v3 << 8) | (v3 >>> 24);
    v3 ^= v2;
    v0 = (v0 + v3) | 0;
    v3 = (v3 << 7) | (v3 >>> 25);
    v3 ^= v0;
    v2 = (v2 + v1) | 0;
    v1 = (v1 << 13) | (v1 >>> 19);
    v1 ^= v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return (v1 ^ v3) >>> 0;
}
