/** One flight per key: what is asked for several times is asked for once. */

/** Remembers what was asked for by key: each key is asked once. */
export class Once<T> {
  readonly #flights = new Map<string, Promise<T>>();

  get(key: string, ask: () => Promise<T>): Promise<T> {
    let flight = this.#flights.get(key);
    if (flight === undefined) {
      flight = ask();
      // Whoever awaits it sees the failure; nobody awaiting it yet is no reason to end the process.
      flight.catch(() => undefined);
      this.#flights.set(key, flight);
    }
    return flight;
  }

  /** Forgets one answer, so that it is asked for again. */
  forget(key: string): void {
    this.#flights.delete(key);
  }
}
