/** Rows of a whole log, read strictly. */

import type { LogState, PackedPart, PackedTile, PendingEntries, SeenTree } from '../contract.js';
import { PART_WIDTH, TILE_WIDTH } from '../core/tile.js';
import { bytesIn, countIn, RowError, textIn } from './row.js';

/** @throws {RowError} as all here. */
export function stateIn(row: unknown): LogState {
  return { salt: bytesIn(row, 'salt'), indexed: countIn(row, 'indexed'), changes: countIn(row, 'changes') };
}

/** Parts of a data tile. */
export const PARTS_OF_TILE: number = TILE_WIDTH / PART_WIDTH;
/** Data tiles that have numbers for their rows: enough for 2^40 records. */
const MOST_TILES = 2 ** 32;

/** The number of a part's row: along these the table lies in the order of the records. */
export function partId(db: number, n: number, part: number): number {
  return (db * MOST_TILES + n) * PARTS_OF_TILE + part;
}

/** The number of the data tile, and of its part, that a row of this number has; and the row of the database. */
export function partAt(id: number): { readonly db: number; readonly n: number; readonly part: number } {
  const tile = Math.floor(id / PARTS_OF_TILE);
  return { db: Math.floor(tile / MOST_TILES), n: tile % MOST_TILES, part: id % PARTS_OF_TILE };
}

/** In SQL, whether a row has the number that is its own. */
export const PART_IS_AT_ITS_PLACE: string = [
  `id = (db * ${MOST_TILES} + n) * ${PARTS_OF_TILE} + part`,
  `n BETWEEN 0 AND ${MOST_TILES - 1}`,
  `part BETWEEN 0 AND ${PARTS_OF_TILE - 1}`,
].join(' AND ');

/** Reports whether a data tile of this number can be kept. */
export function hasPartIds(n: number): boolean {
  return n < MOST_TILES - 1;
}

export function partIn(row: unknown): PackedPart {
  const [id, n, part] = [countIn(row, 'id'), countIn(row, 'n'), countIn(row, 'part')];
  if (id % partId(1, 0, 0) !== partId(0, n, part) || part >= PARTS_OF_TILE) throw new RowError('a part of a pack at the place of another');
  return { n, part, width: countIn(row, 'width'), bytes: bytesIn(row, 'data') };
}

/** The packed data tile whose parts these are, in order; `undefined` where they are not all of one. */
export function packOf(parts: readonly PackedPart[]): PackedTile | undefined {
  const [{ n, width } = { n: 0, width: 0 }] = parts;
  const isOne = parts.every((each, i) => each.n === n && each.part === i && each.width === width);
  return isOne && width > 0 && parts.length === Math.ceil(width / PART_WIDTH) ? { n, width, parts: parts.map(({ bytes }) => bytes) } : undefined;
}

export function pendingIn(row: unknown): PendingEntries {
  return { bucket: countIn(row, 'bucket'), entries: bytesIn(row, 'data') };
}

export function seenIn(row: unknown): SeenTree {
  return { size: countIn(row, 'size'), at: countIn(row, 'at') };
}

export function markIn(row: unknown): { name: string; record: number } {
  return { name: textIn(row, 'name'), record: countIn(row, 'record') };
}
