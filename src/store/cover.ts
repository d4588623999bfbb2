/** Which receipts to read. */

/** A module version, and a receipt that covers it. Greater numbers are newer receipts. */
export type Cover = readonly [moduleVersion: string, receipt: number];

/**
 * Chooses few receipts that cover everything that `covers` covers: again and again the one that covers most of what is
 * left, the newest where several do. (The very least set is costly to find, and almost always this one.)
 */
export function leastCover(covers: Iterable<Cover>): number[] {
  const left = new Map<number, Set<string>>();
  for (const [moduleVersion, receipt] of covers) {
    const covered = left.get(receipt);
    if (covered === undefined) left.set(receipt, new Set([moduleVersion]));
    else covered.add(moduleVersion);
  }
  const chosen: number[] = [];
  for (;;) {
    let best = -1;
    let bestCount = 0;
    for (const [receipt, { size }] of left) {
      if (size > bestCount || (size === bestCount && receipt > best)) {
        best = receipt;
        bestCount = size;
      }
    }
    if (bestCount === 0) return chosen;
    chosen.push(best);
    const covered = left.get(best) ?? new Set();
    left.delete(best);
    for (const others of left.values()) for (const moduleVersion of covered) others.delete(moduleVersion);
  }
}
