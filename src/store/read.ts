/** Single rows that are read thousands of times a second: each with its digest, by its key. */

import type { IndexPage, KeptRecord, PackedPart } from '../contract.js';
import { HASH_SIZE } from '../core/hash.js';
import { PART_WIDTH, TILE_WIDTH, type Tile } from '../core/tile.js';
import { asWritten, pageDigest, partDigest, recordDigest, tileDigest } from './digest.js';
import type { Prepare } from './file.js';
import { pageIn, partIn } from './logrow.js';
import { bytesIn, countIn } from './row.js';

/** What is read of a row that is there. */
export interface Read<T> {
  /** `undefined` where the row is not as it was written. */
  readonly value: T | undefined;
}

/** A row of a table; `undefined` where there is none. @param db the row of the key: `idOf`. */
export type ReadRow<K, T> = (prepare: Prepare, db: number | null, wanted: K) => Read<T> | undefined;

/** Parts of a data tile. */
const PARTS_OF_TILE = TILE_WIDTH / PART_WIDTH;

/** A hash tile, cut to the wanted width; as if it were not there where it is not as wide. */
export const readTile: ReadRow<Tile, Uint8Array> = (prepare, db, { level, n, width }) => {
  const length = width * HASH_SIZE;
  const row = prepare('SELECT data, digest FROM tile WHERE db = ? AND level = ? AND n = ? AND length(data) >= ?').get(db, level, n, length);
  return row === undefined ? undefined : { value: tileIn(row, level, n)?.subarray(0, length) };
};

/** The bytes of a tile's row; `undefined` where it is not as it was written. */
export function tileIn(row: unknown, level: number, n: number): Uint8Array | undefined {
  return asWritten(row, () => bytesIn(row, 'data'), (data) => tileDigest(level, n, data));
}

/** A record that is kept by itself, by its `path@version`. */
export const readRecord: ReadRow<string, KeptRecord> = (prepare, db, covers) => {
  const row = prepare('SELECT id, text, digest FROM record WHERE db = ? AND module_version = ?').get(db, covers);
  return row === undefined ? undefined : { value: asWritten(row, () => ({ id: countIn(row, 'id'), text: bytesIn(row, 'text'), covers }), recordDigest) };
};

/** A part of a packed data tile, by the number of its first record through 64. */
export const readPart: ReadRow<number, PackedPart> = (prepare, db, number) => {
  const sql = 'SELECT n, part, width, data, digest FROM pack WHERE db = ? AND n = ? AND part = ?';
  const row = prepare(sql).get(db, Math.floor(number / PARTS_OF_TILE), number % PARTS_OF_TILE);
  return row === undefined ? undefined : { value: asWritten(row, partIn, partDigest) };
};

/** A page of the index. */
export const readPage: ReadRow<number, IndexPage> = (prepare, db, n) => {
  const row = prepare('SELECT page, data, digest FROM entry WHERE db = ? AND page = ?').get(db, n);
  return row === undefined ? undefined : { value: asWritten(row, pageIn, pageDigest) };
};
