/** The records of a whole log one after the other, by their names alone: of the others no text is made. */

import type { LogStore } from '../contract.js';
import type { ModuleVersion } from '../core/module.js';
import type { LogRecord } from '../core/record.js';
import { DATA_LEVEL, formatTilePath, PART_WIDTH, TILE_WIDTH } from '../core/tile.js';
import { GosumError } from '../errors.js';
import { packedNames, partWith, unpackRecord } from './pack.js';

/** A record, and a module version that it has lines of. */
export interface NamedLogRecord extends LogRecord, ModuleVersion {}

/** What a part of the log has. */
export interface Scanned {
  /** In the log's order. A record with lines of several module versions comes once for each that is wanted. */
  readonly records: readonly NamedLogRecord[];
  /** All records below this were looked at. */
  readonly next: number;
}

/** What is looked for, and where. */
export interface ScanOptions {
  /** Of the first record that is looked at. */
  readonly from: number;
  /** Of the first that is not: all below are kept. */
  readonly to: number;
  readonly wanted: (module: string) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Data tiles that are read at a time: some 2 MB, and some ten milliseconds. */
const TILES = 64;

/**
 * Looks through the records `from` to `to`, in parts.
 *
 * @throws {GosumError} `STORE_FAILED` where records are not as they were written; the signal's reason between two parts.
 */
export async function* scanRecords(log: LogStore, key: string, { from, to, wanted, signal }: ScanOptions): AsyncGenerator<Scanned> {
  for (let next = from; next < to; ) {
    signal?.throwIfAborted();
    const first = Math.floor(next / TILE_WIDTH);
    const last = Math.min(first + TILES, Math.ceil(to / TILE_WIDTH));
    const numbers = Array.from({ length: last - first }, (_, i) => first + i);
    const packs = await log.packs(key, numbers);
    const end = Math.min(to, last * TILE_WIDTH);
    const records: NamedLogRecord[] = [];
    numbers.forEach((n, i) => {
      const pack = packs[i];
      const start = n * TILE_WIDTH;
      if (pack === undefined || start + pack.width < Math.min(start + TILE_WIDTH, end)) throw missing(n);
      for (const { i: place, module, version } of packedNames(pack.parts)) {
        const id = start + place;
        if (id < next || id >= end || !wanted(module)) continue;
        records.push({ id, module, version, text: unpackRecord(partWith(pack, place), place % PART_WIDTH) });
      }
    });
    next = end;
    yield { records, next };
  }
}

function missing(n: number): GosumError {
  const path = formatTilePath({ level: DATA_LEVEL, n, width: TILE_WIDTH });
  return new GosumError('STORE_FAILED', `${path}: its records are not as they were written`, { hint: '`gosumcheck sync --data FILE --check` reads anew what is damaged' });
}
