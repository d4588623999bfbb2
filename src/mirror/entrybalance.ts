/**
 * The balance of an index: are the entries of its pages exactly those of the records? Found out in constant memory, in whatever
 * order the two come: to each page a sum over the entries of records, less the sum over the entries that stand in it. What is
 * summed is a strong mix of the entry with a secret of this audit, so that no file can be made to balance that does not.
 */

import { randomBytes } from '#crypto';

/** Pages of an index. */
const PAGES = 65_536;

/** The sums of all pages: 64 bits and a count each, 768 KiB. */
export class EntryBalance {
  readonly #left = new Uint32Array(PAGES);
  readonly #right = new Uint32Array(PAGES);
  readonly #count = new Int32Array(PAGES);
  readonly #seeds = new Uint32Array(randomBytes(8).buffer, 0, 2);

  /** An entry that a record has. @param low the key's other 32 bits. @param id the record's number. */
  has(page: number, low: number, id: number): void {
    this.#add(page, low, id, 1);
  }

  /** An entry that stands in the index. */
  stands(page: number, low: number, id: number): void {
    this.#add(page, low, id, -1);
  }

  /** The pages that do not balance, ascending. */
  unequal(): number[] {
    const pages: number[] = [];
    for (let page = 0; page < PAGES; page++) {
      if (this.#left[page] !== 0 || this.#right[page] !== 0 || this.#count[page] !== 0) pages.push(page);
    }
    return pages;
  }

  #add(page: number, low: number, id: number, sign: 1 | -1): void {
    this.#left[page] = (this.#left[page] ?? 0) + sign * mix(this.#seeds[0] ?? 0, low, id);
    this.#right[page] = (this.#right[page] ?? 0) + sign * mix(this.#seeds[1] ?? 0, id, low);
    this.#count[page] = (this.#count[page] ?? 0) + sign;
  }
}

/** 32 bits that hang on every bit of what is given (the steps of MurmurHash3, and of its end). */
function mix(seed: number, a: number, b: number): number {
  let hash = seed;
  hash = step(hash, a);
  hash = step(hash, b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function step(hash: number, word: number): number {
  let mixed = Math.imul(word, 0xcc9e2d51);
  mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
  const next = hash ^ mixed;
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0;
}
