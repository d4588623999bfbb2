/** A data file with a whole log in it, as a sync makes it: of a test log, grown step by step. */

import { planTiles } from '../../src/core/plan.js';
import { linkedHead, newestHead } from '../../src/core/timeline.js';
import { openTreeHead } from '../../src/core/treehead.js';
import { formatDataTile } from '../../src/core/record.js';
import { DATA_LEVEL, TILE_WIDTH, tileInTree, type Tile } from '../../src/core/tile.js';
import type { Store } from '../../src/contract.js';
import type { TestLog } from '../../src/testing/index.js';
import { openStore } from '../../src/store/open.js';
import { LogBatch } from '../../src/whole/batch.js';
import { KeyHash } from '../../src/whole/key.js';
import { mergePending } from '../../src/whole/merge.js';
import { workTile } from '../../src/whole/work.js';

/** The secret of these files: the same each time. */
export const SALT: Uint8Array = new Uint8Array(16).fill(7);

/** How a log is kept. */
export interface KeepOptions {
  /** When the tree was first seen, in milliseconds. */
  readonly at?: number;
  /** Records are kept, but not in the index yet. */
  readonly unindexed?: boolean;
  /** The secret of a new file. */
  readonly salt?: Uint8Array;
}

/** Brings the file to the log's newest head. */
export async function keepWhole(file: string, log: TestLog, options: KeepOptions = {}): Promise<void> {
  const { store } = await openStore({ file });
  try {
    await keepIn(store, log, options);
  } finally {
    await store.close();
  }
}

/** As `keepWhole`, in a store that is open. */
export async function keepIn(store: Store, log: TestLog, { at = log.size, unindexed = false, salt = SALT }: KeepOptions = {}): Promise<void> {
  const before = await store.newest(log.vkey);
  const head = log.signedHead();
  if (store.log === undefined) throw new Error('there is no room for a whole log');
  const gaps = await store.log.gaps(log.vkey, head.size);
  const numbers = gaps.flatMap(({ lo, hi }) => Array.from({ length: hi - lo }, (_, i) => lo + i));
  const above = [...new Set(numbers.map((n) => Math.floor(n / TILE_WIDTH)))].flatMap((n) => tileInTree(1, n, head.size) ?? []);
  const grows = before !== undefined && before.size < head.size;
  const plan = planTiles(head, { tiles: above, ...(grows ? { links: [before.size] } : {}) });
  const tree = plan.authenticate(plan.tiles.map((tile) => log.tileBytes(tile)));
  const batch = new LogBatch();
  const hash = new KeyHash(salt);
  for (const n of numbers) {
    const tile: Tile = { level: DATA_LEVEL, n, width: Math.min(TILE_WIDTH, head.size - n * TILE_WIDTH) };
    const texts = Array.from({ length: tile.width }, (_, i) => log.text(n * TILE_WIDTH + i));
    batch.add(tree, workTile({ kind: 'tile', n, width: tile.width, bytes: formatDataTile(texts) }, hash));
  }
  const heads = before === undefined ? [newestHead(tree, head)] : grows ? [linkedHead(tree, openTreeHead(before.note, log.key)), newestHead(tree, head)] : [];
  const kept = await store.commit(log.vkey, {
    name: log.name,
    expect: before?.size,
    heads,
    tiles: tree.tiles,
    receipts: [],
    log: { salt, ...batch.change(), seen: { size: head.size, at } },
  });
  if (!kept) throw new Error('somebody else has committed');
  if (!unindexed) await mergePending(store, log.name, log.vkey);
}
