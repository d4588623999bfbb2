/**
 * Many small reads as few large ones: what is asked for while the process turns to each of its connections once is asked
 * for together. A store reads a batch in one transaction, whose beginning and end cost as much as some reads.
 */

/** Gathers questions, and asks them together. */
export class Gathered<Q, A> {
  readonly #askAll: (questions: readonly Q[]) => Promise<readonly A[]>;
  #waiting: { readonly question: Q; readonly resolve: (answer: A) => void; readonly reject: (error: unknown) => void }[] = [];

  /** @param askAll gives an answer to each question, in their order; where it rejects, so does each of them. */
  constructor(askAll: (questions: readonly Q[]) => Promise<readonly A[]>) {
    this.#askAll = askAll;
  }

  /** The answer to one question. */
  get(question: Q): Promise<A> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ question, resolve, reject }) === 1) setImmediate(() => void this.#ask());
    });
  }

  async #ask(): Promise<void> {
    const asked = this.#waiting;
    this.#waiting = [];
    try {
      const answers = await this.#askAll(asked.map(({ question }) => question));
      if (answers.length !== asked.length) throw new Error(`${answers.length} answers to ${asked.length} questions`);
      for (const [i, { resolve }] of asked.entries()) resolve(answers[i] as A);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
