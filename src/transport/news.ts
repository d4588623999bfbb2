/** Something that a way to the database turns out to be, once and for good, and who waits to hear of it. */

/** Such news. */
export class News {
  readonly #heard = new Set<() => void>();
  #isKnown = false;

  /** Whether it was told. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Has `heard` called when it is told; not where it was told before. @returns undoes it. */
  next(heard: () => void): () => void {
    this.#heard.add(heard);
    return () => this.#heard.delete(heard);
  }

  /** As `next`; where it was told before, `heard` is called at once. */
  ever(heard: () => void): () => void {
    if (this.#isKnown) heard();
    return this.next(heard);
  }

  /** Tells it. The second time is none. */
  tell(): void {
    if (this.#isKnown) return;
    this.#isKnown = true;
    for (const heard of this.#heard) heard();
  }
}
