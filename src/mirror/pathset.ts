/**
 * A set of module paths by 64-bit prints of them, and which of them were seen elsewhere: a log of 72 million records has some
 * millions of paths, and as texts they would take ten times the room.
 */

/** Pairs of words in an empty set; doubled when two thirds are taken. */
const FIRST_CAPACITY = 2 ** 14;

/** A set of prints, each of two words. */
export class PathSet {
  /** Pairs; both 0 is none. */
  #words = new Uint32Array(2 * FIRST_CAPACITY);
  #marks = new Uint8Array(FIRST_CAPACITY);
  #size = 0;
  #marked = 0;

  /** How many prints there are. */
  get size(): number {
    return this.#size;
  }

  /** How many of them are marked. */
  get marked(): number {
    return this.#marked;
  }

  add(left: number, right: number): void {
    if (this.#size * 3 >= this.#marks.length * 2) this.#grow();
    const [a, b] = pairOf(left, right);
    const at = this.#find(a, b);
    if (this.#isFree(at)) {
      this.#words[2 * at] = a;
      this.#words[2 * at + 1] = b;
      this.#size++;
    }
  }

  /** Marks a print. `false` where it is none of the set. */
  mark(left: number, right: number): boolean {
    const at = this.#find(...pairOf(left, right));
    if (this.#isFree(at)) return false;
    if (this.#marks[at] === 0) this.#marked++;
    this.#marks[at] = 1;
    return true;
  }

  /** Reports whether a print of the set is marked. */
  isMarked(left: number, right: number): boolean {
    return this.#marks[this.#find(...pairOf(left, right))] === 1;
  }

  /** The place of a pair, or the free one where it would stand. */
  #find(a: number, b: number): number {
    const mask = this.#marks.length - 1;
    let at = a & mask;
    while (!this.#isFree(at) && (this.#words[2 * at] !== a || this.#words[2 * at + 1] !== b)) at = (at + 1) & mask;
    return at;
  }

  #isFree(at: number): boolean {
    return this.#words[2 * at] === 0 && this.#words[2 * at + 1] === 0;
  }

  #grow(): void {
    const [words, marks] = [this.#words, this.#marks];
    this.#words = new Uint32Array(2 * words.length);
    this.#marks = new Uint8Array(2 * marks.length);
    for (let i = 0; i < marks.length; i++) {
      const [a = 0, b = 0] = [words[2 * i], words[2 * i + 1]];
      if (a === 0 && b === 0) continue;
      const at = this.#find(a, b);
      this.#words[2 * at] = a;
      this.#words[2 * at + 1] = b;
      this.#marks[at] = marks[i] ?? 0;
    }
  }
}

/** Words as they stand in the set; a print of zeros is taken for another. */
function pairOf(left: number, right: number): [number, number] {
  return left === 0 && right === 0 ? [1, 0] : [left, right];
}
