/**
 * Pages of the index made anew, from the records that are kept: for where a row of the index is not as it was written, and nothing else
 * tells any more what stood in it.
 *
 * The names of all records are read for it: some 1.3 µs each, and the file. Nothing of the index itself is believed.
 */

import { setImmediate as turn } from 'node:timers/promises';
import type { IndexPage, LogStore, PackedTile } from '../contract.js';
import type { Progress } from '../client/sumdb.js';
import { DATA_LEVEL, formatTilePath, TILE_WIDTH } from '../core/tile.js';
import { GosumError } from '../errors.js';
import { mergePage, pendingByBucket, pendingByPage, type NewEntries } from './entry.js';
import { KeyHash } from './key.js';
import { packedNames } from './pack.js';

/** What is made anew, and how. */
export interface RebuildOptions {
  /** Names the place to a person. */
  readonly label: string;
  /** Of the newest tree: no record beyond it is kept. */
  readonly size: number;
  /** The secret of the index. */
  readonly salt: Uint8Array;
  /** The first 8 bits of the pages' numbers. */
  readonly buckets: ReadonlySet<number>;
  /** A phase `building the index anew`, a step for each data tile. */
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What to do about an index that cannot be mended. */
export const BEGIN_ANEW = '`gosumcheck sync --data FILE --check` reads anew what is damaged; if it cannot, begin anew with another file, by `gosumcheck sync --data NEWFILE`';

/** Data tiles that are read at a time: some 2 MB, and some ten milliseconds. */
const TILES = 64;

/**
 * Makes all pages of some buckets that have entries: those of all records that are kept, whether they were pending or not.
 *
 * @throws {GosumError} `STORE_FAILED` where records are not as they were written, either; the signal's reason.
 */
export async function rebuildPages(log: LogStore, key: string, options: RebuildOptions): Promise<IndexPage[]> {
  const { label, size, salt, buckets, progress, signal } = options;
  const gaps = await log.gaps(key, size);
  const tiles = Math.ceil(size / TILE_WIDTH);
  const hash = new KeyHash(salt);
  const found: NewEntries[] = [];
  progress?.phase('building the index anew', tiles);
  for (let from = 0; from < tiles; from += TILES) {
    signal?.throwIfAborted();
    const numbers = Array.from({ length: Math.min(TILES, tiles - from) }, (_, i) => from + i);
    const packs = await log.packs(key, numbers);
    // a tile that is missing, or not as wide as it should be, is fetched again, and its entries come with it
    const bad = numbers.find((n, i) => packs[i] === undefined && !gaps.some(({ lo, hi }) => lo <= n && n < hi));
    if (bad !== undefined) throw lost(label, bad);
    found.push(entriesOf(packs.filter((pack) => pack !== undefined), buckets, hash));
    progress?.tick(numbers.length);
    await turn(); // to who wants to end it
  }
  return pendingByBucket(found).flatMap(({ bucket, entries }) =>
    [...pendingByPage(bucket, [entries])].map(([n, added]) => ({ n, entries: mergePage(undefined, added) })),
  );
}

/** The entries of packs' records that belong to some buckets. */
function entriesOf(packs: readonly PackedTile[], buckets: ReadonlySet<number>, hash: KeyHash): NewEntries {
  const pages: number[] = [];
  const words: number[] = [];
  for (const { n, parts } of packs) {
    for (const { i, module, version } of packedNames(parts)) {
      if (!buckets.has(hash.moduleKey(module).page >>> 8)) continue;
      const { page, rest } = hash.key(module, version);
      pages.push(page);
      words.push(n * TILE_WIDTH + i, rest);
    }
  }
  return { pages: Uint16Array.from(pages), words: Uint32Array.from(words) };
}

function lost(label: string, n: number): GosumError {
  const path = formatTilePath({ level: DATA_LEVEL, n, width: TILE_WIDTH });
  return new GosumError('STORE_FAILED', `${label}: the index is damaged, and cannot be made anew: the records of ${path} cannot be read either`, {
    hint: BEGIN_ANEW,
  });
}
