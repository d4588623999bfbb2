/**
 * A set of module paths by 64-bit prints of them, and where each was seen: a log of 72 million records has some millions of
 * paths, and as texts they would take ten times the room.
 */

/** Pairs of words in an empty set; doubled when two thirds are taken. */
const FIRST_CAPACITY = 2 ** 14;

/** Where a path was seen. */
export const IN_RECORDS = 1;
export const IN_LIST = 2;
export const IN_BOTH = 3;

/** A set of prints, each of two words. */
export class PathSet {
  #words = new Uint32Array(2 * FIRST_CAPACITY);
  /** Where each was seen; nowhere: the place is free. */
  #seen = new Uint8Array(FIRST_CAPACITY);
  /** How many there are of each of these. */
  readonly #counts: Uint32Array = Uint32Array.of(FIRST_CAPACITY, 0, 0, 0);

  /** How many were seen there; of those in both no other counts. */
  count(where: typeof IN_RECORDS | typeof IN_LIST | typeof IN_BOTH): number {
    return this.#counts[where] ?? 0;
  }

  /** A print was seen there. */
  add(left: number, right: number, where: typeof IN_RECORDS | typeof IN_LIST): void {
    if ((this.#counts[0] ?? 0) * 3 < this.#seen.length) this.#grow();
    const at = this.#find(left, right);
    const before = this.#seen[at] ?? 0;
    const after = before | where;
    if (after === before) return;
    this.#put(at, left, right, after);
    this.#count(before, after);
  }

  /** Reports whether a print was seen there. */
  has(left: number, right: number, where: typeof IN_RECORDS | typeof IN_LIST): boolean {
    return ((this.#seen[this.#find(left, right)] ?? 0) & where) !== 0;
  }

  /** The place of a print, or the free one where it would stand. */
  #find(left: number, right: number): number {
    const [words, seen] = [this.#words, this.#seen];
    const mask = seen.length - 1;
    let at = left & mask;
    while (seen[at] !== 0 && (words[2 * at] !== left || words[2 * at + 1] !== right)) at = (at + 1) & mask;
    return at;
  }

  #put(at: number, left: number, right: number, seen: number): void {
    this.#words[2 * at] = left;
    this.#words[2 * at + 1] = right;
    this.#seen[at] = seen;
  }

  #count(from: number, to: number): void {
    this.#counts[from] = (this.#counts[from] ?? 0) - 1;
    this.#counts[to] = (this.#counts[to] ?? 0) + 1;
  }

  #grow(): void {
    const [words, seen] = [this.#words, this.#seen];
    this.#words = new Uint32Array(2 * words.length);
    this.#seen = new Uint8Array(2 * seen.length);
    this.#counts[0] = (this.#counts[0] ?? 0) + seen.length;
    for (const [i, where] of seen.entries()) {
      if (where === 0) continue;
      const [left = 0, right = 0] = [words[2 * i], words[2 * i + 1]];
      this.#put(this.#find(left, right), left, right, where);
    }
  }
}
