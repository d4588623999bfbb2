/** Hash tiles of a whole log that a store keeps: those of level 0, which are made of the records, too. */

import type { Store } from '../contract.js';
import type { Tile } from '../core/tile.js';
import { WholeLog } from '../whole/reader.js';

/** For each wanted tile its bytes; `undefined` where it is not there. @throws {GosumError} `STORE_FAILED`. */
export async function readTiles(store: Store, key: string, wanted: readonly Tile[]): Promise<(Uint8Array | undefined)[]> {
  const kept = await store.tiles(key, wanted);
  const log = new WholeLog(store, key);
  return Promise.all(wanted.map(async ({ level, n, width }, i) => kept[i] ?? (level === 0 ? log.hashTile(n, width) : undefined)));
}
