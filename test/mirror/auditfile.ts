/** A file that has the whole of a test log, as a sync would leave it. */

import { randomBytes } from 'node:crypto';
import type { Store } from '../../src/contract.js';
import { linkedHead, newestHead } from '../../src/core/timeline.js';
import { planTiles } from '../../src/core/plan.js';
import { DATA_LEVEL, TILE_WIDTH, tileInTree, type Tile } from '../../src/core/tile.js';
import { openTreeHead } from '../../src/core/treehead.js';
import { openStore } from '../../src/store/open.js';
import { TestLog } from '../../src/testing/index.js';
import { LogBatch } from '../../src/whole/batch.js';
import { KeyHash, SALT_SIZE } from '../../src/whole/key.js';
import { mergePending } from '../../src/whole/merge.js';
import { workTile } from '../../src/whole/work.js';

/** A log of usual records: many versions of few modules, and many modules. */
export function usualLog(size: number, name = 'log.example'): TestLog {
  const log = new TestLog(name);
  for (let i = log.size; i < size; i++) log.add(...usualName(i));
  return log;
}

/** The module version of the `i`th usual record. */
export function usualName(i: number): [module: string, version: string] {
  return i % 3 === 0 ? [`example.com/often/Mod${i % 97}`, `v0.${i}.0`] : [`example.com/m${i}/v2`, `v2.0.${i % 5}`];
}

/** Keeps the log's records in a store, from where it has ended. */
export async function keepWhole(store: Store, log: TestLog, { merge = true }: { readonly merge?: boolean } = {}): Promise<void> {
  const head = log.signedHead();
  const kept = await store.newest(log.vkey);
  const state = await store.log?.state(log.vkey);
  const salt = state?.salt ?? new Uint8Array(randomBytes(SALT_SIZE));
  const wanted: Tile[] = [];
  const data: Tile[] = [];
  const from = Math.floor((kept?.size ?? 0) / TILE_WIDTH);
  for (let n = from, tile; (tile = tileInTree(DATA_LEVEL, n, head.size)) !== undefined; n++) {
    data.push(tile);
    const hashes = tile.width < TILE_WIDTH ? tileInTree(0, n, head.size) : tileInTree(1, Math.floor(n / TILE_WIDTH), head.size);
    if (hashes !== undefined && !wanted.some(({ level, n }) => level === hashes.level && n === hashes.n)) wanted.push(hashes);
  }
  const plan = planTiles(head, { tiles: wanted, links: kept === undefined ? [] : [kept.size] });
  const tree = plan.authenticate(plan.tiles.map((tile) => log.tileBytes(tile)));
  const batch = new LogBatch();
  const hash = new KeyHash(salt);
  for (const tile of data) batch.add(tree, workTile({ kind: 'tile', n: tile.n, width: tile.width, bytes: log.tileBytes(tile) }, hash));
  const isKept = await store.commit(log.vkey, {
    name: log.name,
    expect: kept?.size,
    heads: [newestHead(tree, head), ...(kept === undefined ? [] : [linkedHead(tree, openTreeHead(kept.note, log.key))])],
    tiles: tree.tiles.filter(({ tile }) => tile.level > 0 || tile.width < TILE_WIDTH),
    receipts: [],
    log: { salt, expect: state?.changes ?? 0, ...batch.change(), seen: { size: head.size, at: 1_700_000_000_000 } },
  });
  if (!isKept) throw new Error('lost the swap');
  if (merge) await mergePending(store, log.name, log.vkey);
}

/** A file with the whole of a log. */
export async function wholeFile(file: string, ...logs: readonly TestLog[]): Promise<string> {
  const { store } = await openStore({ file });
  for (const log of logs) await keepWhole(store, log);
  await store.close();
  return file;
}
