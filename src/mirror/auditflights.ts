/** Work that is under way, only so much of it at once. */

/** Begins pieces of work and waits for them. The first failure is thrown to whoever begins or ends next. */
export class AuditFlights {
  readonly #most: number;
  readonly #flights = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  /** Begins a piece of work, when there is room for it. @throws what an earlier piece has thrown. */
  async begin(work: () => Promise<void>): Promise<void> {
    while (this.#flights.size >= this.#most) await Promise.race(this.#flights);
    this.#check();
    const flight = work().then(
      () => void this.#flights.delete(flight),
      (error: unknown) => {
        this.#flights.delete(flight);
        this.#failure ??= { error };
      },
    );
    this.#flights.add(flight);
  }

  /** Waits for all of it. @throws what a piece has thrown. */
  async end(): Promise<void> {
    await Promise.all(this.#flights);
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
