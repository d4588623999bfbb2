/** The log that `serve` is measured with: URLs by the thousand, and a folder with the answer to each. */

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { lookupPath } from '../src/core/module.js';
import { formatTilePath } from '../src/core/tile.js';
import { TestLog } from '../src/testing/index.js';
import { tilesOf } from '../src/testing/writelog.js';

/** A log and what is asked of it. */
export interface ServeLog {
  readonly log: TestLog;
  /** A database folder: what nginx serves, and what x/mod's server holds in memory. */
  readonly folder: string;
  /** Paths, in an order that has nothing to do with that of the log. */
  readonly tiles: readonly string[];
  readonly lookups: readonly string[];
}

/**
 * Makes a log of some `size` records. Every 256th is a real one, of two lines and with capitals in its path; those are
 * looked up, and each lies in another tile.
 */
export async function makeServeLog(folder: string, size: number): Promise<ServeLog> {
  const log = new TestLog();
  const lookups: string[] = [];
  for (let i = 0; log.size < size; i++) {
    log.fill(log.size + 255);
    const module = `github.com/Owner${i % 97}/some-module-${i}/v2`;
    log.add(module, `v2.${i % 20}.${i}`);
    lookups.push(lookupPath(module, `v2.${i % 20}.${i}`));
  }
  log.fill(log.size + 100);
  const tiles = tilesOf(log.size).map((tile) => `/${formatTilePath(tile)}`);
  const write = async (name: string, bytes: Uint8Array): Promise<void> => {
    const file = path.join(folder, ...name.split('/'));
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
  };
  for (const tile of tilesOf(log.size)) await write(`/${formatTilePath(tile)}`, log.tileBytes(tile));
  for (const [i, lookup] of lookups.entries()) await write(lookup, log.lookupOf(256 * i + 255));
  await write('/latest', log.head());
  return { log, folder, tiles: scatter(tiles), lookups: scatter(lookups) };
}

/** Another order, the same each time: steps of a fixed width around the list. */
function scatter<T>(items: readonly T[]): T[] {
  const step = [7919, 104_729].find((prime) => items.length % prime !== 0) ?? 1;
  return items.map((_, i) => items[(i * step) % items.length]!);
}
