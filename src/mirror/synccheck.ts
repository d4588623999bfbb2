/**
 * What of a whole log is kept and is not as it was written: a disk that forgets a bit does not say so. The digests of all rows are
 * compared, which takes as long as to read the file; what is found is read from the log once more, or made anew from the records.
 */

import { setImmediate as turn } from 'node:timers/promises';
import type { Progress } from '../client/sumdb.js';
import type { LogStore } from '../contract.js';
import { TILE_WIDTH } from '../core/tile.js';
import { PAGES } from '../whole/entry.js';

/** Data tiles that are looked at in one turn: some 1.5 MB, and ten milliseconds. */
const TILES = 64;
/** Pages of the index: up to 10 kB each. */
const PAGES_AT_ONCE = 256;

/** What is damaged. */
export interface Damaged {
  /** Numbers of data tiles, ascending. */
  readonly tiles: readonly number[];
  /** Numbers of pages of the index, ascending. */
  readonly pages: readonly number[];
}

/**
 * Looks through all that is kept of the tree of `size`.
 *
 * @throws {GosumError} `STORE_FAILED` where the file cannot be read; the signal's reason.
 */
export async function findDamaged(
  log: LogStore,
  key: string,
  size: number,
  { progress, signal }: { readonly progress?: Progress | undefined; readonly signal?: AbortSignal | undefined },
): Promise<Damaged> {
  const tiles = Math.ceil(size / TILE_WIDTH);
  const found = { tiles: [] as number[], pages: [] as number[] };
  progress?.phase('checking what is kept', tiles + PAGES);
  for (let lo = 0; lo < tiles; lo += TILES) {
    const hi = Math.min(lo + TILES, tiles);
    found.tiles.push(...(await log.damagedTiles(key, lo, hi)));
    progress?.tick(hi - lo);
    await turn(); // to who wants to end it
    signal?.throwIfAborted();
  }
  for (let lo = 0; lo < PAGES; lo += PAGES_AT_ONCE) {
    found.pages.push(...(await log.damagedPages(key, lo, lo + PAGES_AT_ONCE)));
    progress?.tick(PAGES_AT_ONCE);
    await turn();
    signal?.throwIfAborted();
  }
  return found;
}
