/** The hashes of a growing tree, all levels of it: 32 bytes a node, one after the other, a buffer a level. */

import { HASH_SIZE, type Hash } from '../core/hash.js';
import { hashNodes } from '#crypto';

interface Level {
  bytes: Uint8Array;
  /** Bytes in use. */
  used: number;
}

/** A complete Merkle tree that grows by leaves. Parents are computed late, and together. */
export class NodeStack {
  readonly #levels: Level[] = [{ bytes: new Uint8Array(64 * HASH_SIZE), used: 0 }];
  #settled = true;

  /** Adds leaves: hashes one after the other. */
  push(leaves: Uint8Array): void {
    append(this.#level(0), leaves);
    this.#settled = false;
  }

  /** The hash of a node. A copy. */
  hash(level: number, n: number): Hash {
    return this.hashes(level, n, 1);
  }

  /** `count` hashes of a level, from number `n` on. A copy. */
  hashes(level: number, n: number, count: number): Uint8Array {
    this.#settle();
    const { bytes, used } = this.#level(level);
    const end = (n + count) * HASH_SIZE;
    if (!(n >= 0 && end <= used)) throw new Error(`no ${count} nodes from (${level}, ${n}) on`);
    return bytes.slice(n * HASH_SIZE, end);
  }

  #level(level: number): Level {
    while (this.#levels.length <= level) this.#levels.push({ bytes: new Uint8Array(8 * HASH_SIZE), used: 0 });
    const found = this.#levels[level];
    if (found === undefined) throw new Error(`no level ${level}`);
    return found;
  }

  /** Computes the parents that are due. */
  #settle(): void {
    if (this.#settled) return;
    for (let level = 0; ; level++) {
      const below = this.#level(level);
      if (below.used < 2 * HASH_SIZE) break;
      const above = this.#level(level + 1);
      const pairs = Math.floor(below.used / (2 * HASH_SIZE));
      append(above, hashNodes(below.bytes.subarray(2 * above.used, pairs * 2 * HASH_SIZE)));
    }
    this.#settled = true;
  }
}

function append(level: Level, hashes: Uint8Array): void {
  const used = level.used + hashes.length;
  if (used > level.bytes.length) {
    const grown = new Uint8Array(Math.max(used, 2 * level.bytes.length));
    grown.set(level.bytes.subarray(0, level.used));
    level.bytes = grown;
  }
  level.bytes.set(hashes, level.used);
  level.used = used;
}
