/**
 * The floor of `sync`: one thread that does nothing but hash records that it has in memory, to the root of their tree.
 *
 *     node dist/bench/syncfloor.js FOLDER RECORDS
 *
 * FOLDER has the data tiles of a scale log (src/testing/scalechunk.ts). Reading and splitting them is not timed. Prints JSON.
 */

import { readFileSync } from 'node:fs';
import { hashLeaves, splitDataTile, type Leaves } from '../src/core/leaves.js';
import { formatHash, HASH_SIZE, hashAt } from '../src/core/hash.js';
import { joinBytes } from '../src/core/text.js';
import { TILE_WIDTH } from '../src/core/tile.js';
import { CHUNK_TILES, chunkFiles } from '../src/testing/scalechunk.js';
import { hashLevels, hashNodes } from '#crypto';

/** What is printed. */
export interface Floor {
  /** Full tiles alone: 256 times their number. */
  readonly records: number;
  readonly ms: number;
  /** The processor's time in it: what the hashing alone took. */
  readonly cpuMs: number;
  /** Of the top of what complete tree there is, so that nothing was left out. */
  readonly hash: string;
}

const [folder = '', records = '0'] = process.argv.slice(2);
const tiles = readTiles(folder, Math.floor(Number(records) / TILE_WIDTH));
const before = process.cpuUsage();
const start = performance.now();
const hash = hashAll(tiles);
const ms = performance.now() - start;
const { user, system } = process.cpuUsage(before);
const floor: Floor = { records: tiles.length * TILE_WIDTH, ms, cpuMs: (user + system) / 1000, hash };
process.stdout.write(`${JSON.stringify(floor)}\n`);

function readTiles(folder: string, count: number): Leaves[] {
  const tiles: Leaves[] = [];
  for (let chunk = 0; tiles.length < count; chunk++) {
    const files = chunkFiles(folder, chunk);
    const data = new Uint8Array(readFileSync(files.data));
    const starts = new DataView(new Uint8Array(readFileSync(files.starts)).buffer);
    for (let i = 0; i < CHUNK_TILES && tiles.length < count; i++) {
      tiles.push(splitDataTile(data.subarray(starts.getUint32(4 * i, true), starts.getUint32(4 * i + 4, true)), TILE_WIDTH));
    }
  }
  return tiles;
}

function hashAll(tiles: readonly Leaves[]): string {
  let level: Uint8Array = joinBytes(tiles.map((tile) => hashLevels(hashLeaves(tile)).slice(-HASH_SIZE)));
  while (level.length >= 2 * HASH_SIZE) level = hashNodes(level.subarray(0, level.length - (level.length % (2 * HASH_SIZE))));
  return formatHash(hashAt(level, 0));
}
