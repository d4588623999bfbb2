/** The log that `bulk` is measured with, a go.sum of modules at random places of it, and how many hashes prove such. */

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bulkHashCount } from '../src/core/bulk.js';
import { HASH_SIZE } from '../src/core/hash.js';
import { decodeUtf8 } from '../src/core/text.js';
import { TestLog, writeLog } from '../src/testing/index.js';

/** A log and a go.sum of it. */
export interface BulkLog {
  readonly log: TestLog;
  /** A database folder, with the lookups of the go.sum alone: what x/mod's server holds in memory. */
  readonly folder: string;
  /** Two lines for each module version: the module's and its go.mod's. */
  readonly goSum: string;
}

/** Makes a log of `size` records, in which `modules` module versions lie at random. The same each time. */
export async function makeBulkLog(workshop: string, size: number, modules: number): Promise<BulkLog> {
  const log = new TestLog();
  const lines: string[] = [];
  for (const [i, id] of randomIds(size, modules).sort((a, b) => a - b).entries()) {
    log.fill(id).add(`github.com/Owner${i % 97}/some-module-${i}/v2`, `v2.${i % 20}.${i}`);
    lines.push(decodeUtf8(log.text(id)));
  }
  const folder = path.join(workshop, 'log');
  const goSum = path.join(workshop, 'bulk.sum');
  const lookups = log.modules.filter((name) => name.startsWith('github.com/'));
  writeLog(log.fill(size), folder, { lookups });
  await writeFile(goSum, lines.join(''));
  return { log, folder, goSum };
}

/** How much proves records at random places. */
export interface HashShare {
  readonly records: number;
  /** KB of 1000 bytes: the hashes of a bulk answer. */
  readonly kilobytes: number;
  /** What it should be, within 5 %. */
  readonly goal: number;
  readonly isMet: boolean;
}

/** The size of sum.golang.org's tree that the figures were computed for, and those. */
const REAL_SIZE = 71_769_961;
const SHARES = [
  [197, 109],
  [1000, 475],
  [2000, 893],
] as const;
const TOLERANCE = 0.05;

/** The hashes of bulk answers in a log of the real one's size: nothing is asked or hashed, the walk alone says it. */
export function hashShares(): { readonly size: number; readonly shares: readonly HashShare[] } {
  const shares = SHARES.map(([records, goal]) => {
    const kilobytes = (bulkHashCount(REAL_SIZE, randomIds(REAL_SIZE, records)) * HASH_SIZE) / 1000;
    return { records, kilobytes, goal, isMet: Math.abs(kilobytes / goal - 1) <= TOLERANCE };
  });
  return { size: REAL_SIZE, shares };
}

/** As many different numbers less than `size`, by the generator of Park and Miller: the same each time. */
function randomIds(size: number, count: number): number[] {
  const ids = new Set<number>();
  for (let state = 1; ids.size < count; ids.add(Math.floor((state / 0x7fff_ffff) * size))) state = (state * 48_271) % 0x7fff_ffff;
  return [...ids];
}
