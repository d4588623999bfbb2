/**
 * Bulk answers of the mirror: the tiles that tie many records, and the client's own head, to one head, read from the
 * store and where it lacks one upstream, authenticated, and made into one compact proof (docs/bulk.md).
 */

import { hash } from 'node:crypto';
import { bulkhead } from 'cockatiel';
import type { SumDB } from '../client/sumdb.js';
import { makeBulk } from '../core/bulk.js';
import type { BulkMissing, BulkQuery } from '../core/bulkform.js';
import { HASH_SIZE } from '../core/hash.js';
import { formatModuleVersion, type ModuleVersion } from '../core/module.js';
import { planTiles } from '../core/plan.js';
import type { LogRecord } from '../core/record.js';
import type { Tile } from '../core/tile.js';
import type { SignedHead } from '../core/treehead.js';
import { httpStatusOf, isGosumError, type GosumError } from '../errors.js';
import type { Kept } from './kept.js';

/**
 * Answers that are made at a time, and for which upstream is asked at a time: the tiles of 5,000 records of a log of
 * 72 million are some 55 MB. The others wait.
 */
const AT_A_TIME = 2;

/** Makes bulk answers, a few at a time. */
export class BulkMaker {
  readonly #db: SumDB;
  readonly #kept: Pick<Kept, 'tiles'>;
  readonly #asking = bulkhead(AT_A_TIME, Infinity);
  readonly #making = bulkhead(AT_A_TIME, Infinity);

  /** @param db reads and keeps the tiles that are not kept. */
  constructor(db: SumDB, kept: Pick<Kept, 'tiles'>) {
    this.#db = db;
    this.#kept = kept;
  }

  /** Asks upstream for the records of an answer, when its turn comes. */
  ask<T>(work: () => Promise<T>): Promise<T> {
    return this.#asking.execute(work);
  }

  /**
   * Makes an answer, when its turn comes.
   *
   * @param head proved, with every record in its tree.
   * @param old size of the client's head; where it is beyond `head`, the client will see by the answer that we are behind.
   * @param found for each of `wanted` its record, or why there is none, by `path@version`.
   * @throws {GosumError} what a read of the store or of upstream throws; `TILE_SIZE`, `TILE_MISMATCH`.
   */
  async make(
    head: SignedHead,
    old: number,
    wanted: readonly ModuleVersion[],
    found: ReadonlyMap<string, LogRecord | GosumError>,
  ): Promise<Uint8Array> {
    const records: LogRecord[] = [];
    const missing: BulkMissing[] = [];
    for (const { module, version } of wanted) {
      const result = found.get(formatModuleVersion(module, version));
      if (result === undefined) throw new Error(`${module}@${version} was not looked for`);
      if (isGosumError(result)) missing.push({ module, version, status: httpStatusOf(result) });
      else records.push(result);
    }
    return this.#making.execute(async () => {
      const links = old > 0 && old < head.size ? [old] : [];
      const plan = planTiles(head, { records: records.map(({ id }) => id), links });
      const tree = plan.authenticate(await this.#read(plan.tiles));
      return makeBulk(tree, head, old, records, missing);
    });
  }

  async #read(tiles: readonly Tile[]): Promise<(Uint8Array | undefined)[]> {
    const kept = await this.#kept.tiles(tiles);
    const lacking = tiles.filter((_, i) => kept[i] === undefined);
    if (lacking.length === 0) return kept;
    const read = await this.#db.tiles(lacking);
    let next = 0;
    return kept.map((bytes, i) => bytes ?? read[next++]?.bytes.subarray(0, (tiles[i]?.width ?? 0) * HASH_SIZE));
  }
}

/** A name for all queries of these module versions in this order, and no other. */
export function nameOfQuery({ old, wanted }: BulkQuery): string {
  return hash('sha256', [old, ...wanted.map(({ module, version }) => `${module}@${version}`)].join('\n'), 'base64');
}
