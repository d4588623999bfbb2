/** Random inputs from a seed: the same seed gives the same run on every machine. */

import { encodeUtf8 } from '../../src/core/text.js';

/** A stream of random choices. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 up to, not including, 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let x = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer from 0 up to, not including, `n`; to 2^53. */
  below(n: number): number {
    return n <= 2 ** 32 ? Math.floor(this.next() * n) : Math.floor((this.next() + this.next() / 2 ** 32) * n) % n;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** Some of the list, in its order. */
  some<T>(list: readonly T[]): T[] {
    return list.filter(() => this.chance(0.5));
  }

  /** From `least` to `most` things that `make` makes. */
  many<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: least + this.below(most - least + 1) }, make);
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** The text with one to three small changes: pieces inserted, replaced, doubled, swapped, dropped, in another case. */
  mutate(text: string, pieces: readonly string[]): string {
    return this.#change(
      Array.from(text),
      pieces.map((piece) => Array.from(piece)),
      swapCase,
    ).join('');
  }

  /** The bytes with one to three small changes. */
  mutateBytes(bytes: Uint8Array, pieces: readonly (string | Uint8Array)[]): Uint8Array {
    const parts = pieces.map((piece) => [...(typeof piece === 'string' ? encodeUtf8(piece) : piece)]);
    return Uint8Array.from(this.#change([...bytes], parts, (byte) => byte ^ (1 << this.below(8))));
  }

  #change<T>(items: T[], pieces: readonly T[][], twist: (item: T) => T): T[] {
    let changed = items;
    for (let times = this.pick([1, 1, 2, 3]); times > 0; times--) {
      const at = this.below(changed.length + 1);
      const length = this.chance(0.8) ? 1 : this.below(changed.length - at + 1);
      const [head, cut, tail] = [changed.slice(0, at), changed.slice(at, at + length), changed.slice(at + length)];
      const changes = [
        () => [...head, ...this.pick(pieces), ...cut, ...tail],
        () => [...head, ...this.pick(pieces), ...tail],
        () => [...head, ...cut.map(twist), ...tail],
        () => [...head, ...cut, ...cut, ...tail],
        () => [...head, ...tail.slice(0, 1), ...cut, ...tail.slice(1)],
        () => [...head, ...tail],
        () => (this.chance(0.1) ? head : changed),
      ];
      changed = this.pick(changes)();
    }
    return changed;
  }
}

function swapCase(character: string): string {
  const upper = character.toUpperCase();
  return character === upper ? character.toLowerCase() : upper;
}
