/** Waiting for a caller's signal: one listener a signal, however many reads it would end. */

/** What runs when a signal aborts. */
const runsBySignal = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Has `run` called when the signal aborts; at once, where it has.
 *
 * All reads of a run have one signal, and Node warns of more than ten listeners to it.
 *
 * @returns undoes it.
 */
export function onAbort(signal: AbortSignal | undefined, run: () => void): () => void {
  if (signal === undefined) return () => undefined;
  if (signal.aborted) {
    run();
    return () => undefined;
  }
  const runs = runsBySignal.get(signal) ?? listen(signal);
  // a set has each function once, and two reads may come with the same
  const own = (): void => run();
  runs.add(own);
  return () => runs.delete(own);
}

/** The one listener stays as long as its signal: it holds nothing but the functions that still wait. */
function listen(signal: AbortSignal): Set<() => void> {
  const runs = new Set<() => void>();
  runsBySignal.set(signal, runs);
  const runAll = (): void => {
    for (const run of runs) run();
    runs.clear();
  };
  signal.addEventListener('abort', runAll, { once: true });
  return runs;
}
