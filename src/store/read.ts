/** Single rows that are read thousands of times a second: each with its digest, by its key. */

import type { IndexPage, IndexPlace, KeptRecord, PackedPart, PackedTile } from '../contract.js';
import { HASH_SIZE } from '../core/hash.js';
import type { Tile } from '../core/tile.js';
import { asWritten, LABELLED, labelledIn, partDigest, rangeDigest, recordDigest, tileDigest } from './digest.js';
import type { Prepare } from './file.js';
import { pageOf, rangeId, rangeIn, rangePlace } from './indexrow.js';
import { hasPartIds, packOf, partId, partIn, PARTS_OF_TILE } from './logrow.js';
import { bytesIn, countIn } from './row.js';

/** What is read of a row that is there. */
export interface Read<T> {
  /** `undefined` where the row is not as it was written. */
  readonly value: T | undefined;
}

/** A row of a table; `undefined` where there is none. @param db the row of the key: `idOf`. */
export type ReadRow<K, T> = (prepare: Prepare, db: number | null, wanted: K) => Read<T> | undefined;

/** A hash tile, cut to the wanted width; as if it were not there where it is not as wide. */
export const readTile: ReadRow<Tile, Uint8Array> = (prepare, db, { level, n, width }) => {
  const length = width * HASH_SIZE;
  const row = prepare.value(TILE).get(db, level, n, length);
  return row === undefined ? undefined : { value: labelledIn(row)?.value.subarray(0, length) };
};

const TILE = `SELECT ${LABELLED.tile} FROM tile WHERE db = ? AND level = ? AND n = ? AND length(data) >= ?`;

/** The bytes of a tile's row; `undefined` where it is not as it was written. */
export function tileIn(row: unknown, level: number, n: number): Uint8Array | undefined {
  return asWritten(row, () => bytesIn(row, 'data'), (data) => tileDigest(level, n, data));
}

/** A record that is kept by itself, by its `path@version`. */
export const readRecord: ReadRow<string, KeptRecord> = (prepare, db, covers) => {
  const row = prepare('SELECT id, text, digest FROM record WHERE db = ? AND module_version = ?').get(db, covers);
  return row === undefined ? undefined : { value: asWritten(row, () => ({ id: countIn(row, 'id'), text: bytesIn(row, 'text'), covers }), recordDigest) };
};

/** A packed data tile, of all its parts. */
export const readPack: ReadRow<number, PackedTile> = (prepare, db, n) => {
  if (db === null || !hasPartIds(n)) return undefined;
  const sql = 'SELECT id, n, part, width, data, digest FROM pack WHERE id >= ? AND id < ? ORDER BY id';
  const rows = prepare(sql).all(partId(db, n, 0), partId(db, n + 1, 0));
  if (rows.length === 0) return undefined;
  const parts = rows.flatMap((row) => asWritten(row, partIn, partDigest) ?? []);
  return { value: parts.length < rows.length ? undefined : packOf(parts) };
};

/** A part of a packed data tile, by the number of its first record through 16. */
export const readPart: ReadRow<number, PackedPart> = (prepare, db, number) => {
  const [n, part] = [Math.floor(number / PARTS_OF_TILE), number % PARTS_OF_TILE];
  if (db === null || !hasPartIds(n)) return undefined;
  const row = prepare.value(PART).get(partId(db, n, part), n, part);
  if (row === undefined) return undefined;
  const read = labelledIn(row);
  return { value: read && { n, part, width: read.number, bytes: read.value } };
};

const PART = `SELECT ${LABELLED.part} FROM pack WHERE id = ? AND n = ? AND part = ?`;

/** A page of the index. */
export const readPage: ReadRow<number, IndexPage> = (prepare, db, n) => {
  if (db === null) return undefined;
  const sql = 'SELECT id, page, next, data, digest FROM entry WHERE id >= ? AND id < ? ORDER BY id';
  const rows = prepare(sql).all(rangeId(db, n, 0), rangeId(db, n + 1, 0));
  if (rows.length === 0) return undefined;
  const ranges = rows.flatMap((row) => asWritten(row, rangeIn, rangeDigest) ?? []);
  return { value: ranges.length < rows.length ? undefined : pageOf(ranges) };
};

/** The range of a page that has the entries of a key. */
export const readRange: ReadRow<IndexPlace, Uint8Array> = (prepare, db, { page, rest }) => {
  if (db === null) return undefined;
  const place = rangePlace(rest);
  const row = prepare.value(RANGE).get(rangeId(db, page, place), rangeId(db, page, 0));
  if (row === undefined) return undefined;
  const read = labelledIn(row);
  // where the row of the range is gone, another one is found, which ends before the place
  return { value: read && place < read.number ? read.value : undefined };
};

const RANGE = `SELECT ${LABELLED.range} FROM entry WHERE id <= ? AND id >= ? ORDER BY id DESC LIMIT 1`;
