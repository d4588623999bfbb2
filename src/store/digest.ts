/**
 * Digests of rows. Each is of the row's key as well: a row that stands at another's place is none. A digest is no proof, and
 * guards against decay alone.
 */

import { sha256, sha256Into } from '#crypto';
import type { KeptRecord, LogState, PackedPart, PendingEntries, SeenTree } from '../contract.js';
import { equalBytes, HASH_SIZE } from '../core/hash.js';
import { encodeUtf8, joinBytes } from '../core/text.js';
import { PLACES_OF_PAGE, type IndexRange } from './indexrow.js';
import { bytesIn, RowError } from './row.js';

/** Of a hash tile. */
export function tileDigest(level: number, n: number, data: Uint8Array): Uint8Array {
  return digestOf(`tile ${level} ${n}\n`, data);
}

/** Of a record kept by itself. */
export function recordDigest({ covers, id, text }: KeptRecord): Uint8Array {
  return sha256(joinBytes([encodeUtf8(`record ${covers} ${id}\n`), text]));
}

/** Of a part of a packed data tile. */
export function partDigest({ n, part, width, bytes }: PackedPart): Uint8Array {
  return digestOf(`pack ${n} ${part} ${width}\n`, bytes);
}

/** Of a range of a page of the index. */
export function rangeDigest({ n, first, next, entries }: IndexRange): Uint8Array {
  return digestOf(`entry ${n} ${first} ${next}\n`, entries);
}

/** Of pending entries. */
export function pendingDigest({ bucket, entries }: PendingEntries): Uint8Array {
  return digestOf(`pending ${bucket}\n`, entries);
}

/** Of what is known of a whole log. */
export function stateDigest({ salt, indexed, changes }: LogState): Uint8Array {
  return digestOf(`loginfo ${indexed} ${changes}\n`, salt);
}

/** Of a tree that was seen. */
export function seenDigest({ size, at }: SeenTree): Uint8Array {
  return sha256(encodeUtf8(`seen ${size} ${at}\n`));
}

/** Of what is staged. */
export function stagedDigest(data: Uint8Array): Uint8Array {
  return digestOf('staged\n', data);
}

/** Of somebody's place in the log. */
export function markDigest(name: string, record: number): Uint8Array {
  return sha256(encodeUtf8(`mark ${record} ${name}\n`));
}

/** What `read` gives; `undefined` where that is no row of ours, or the row's digest is not the value's. */
export function asWritten<T>(row: unknown, read: (row: unknown) => T, digest: (value: T) => Uint8Array): T | undefined {
  try {
    const value = read(row);
    return equalBytes(bytesIn(row, 'digest'), digest(value)) ? value : undefined;
  } catch (error) {
    if (error instanceof RowError) return undefined;
    throw error;
  }
}

/**
 * A row's value, where it is as it was written, as one statement gives it: the digest, the label, and the value behind its newline
 * (`LABELLED`).
 */
export function labelledIn(row: unknown): Labelled | undefined {
  if (!(row instanceof Uint8Array) || row.length < HASH_SIZE) return undefined;
  sha256Into(row.subarray(HASH_SIZE), OWN, 0);
  if (!equalBytes(OWN, row.subarray(0, HASH_SIZE))) return undefined;
  const end = row.indexOf(NEWLINE, HASH_SIZE);
  const value = new Uint8Array(row.buffer, row.byteOffset + end + 1, row.length - end - 1);
  let number = 0;
  for (let at = end - 1, ten = 1; isDigit(row[at]); at--, ten *= 10) number += ten * ((row[at] ?? 0) - ZERO);
  return { number, value };
}

/** A value, and the last number of its label. */
export interface Labelled {
  readonly number: number;
  readonly value: Uint8Array;
}

/** What a statement selects for `labelledIn`: the same labels as above, made by SQLite, so that one value comes and not a row. */
export const LABELLED: Readonly<Record<'tile' | 'part' | 'range', string>> = {
  tile: `CAST(digest || 'tile ' || level || ' ' || n || char(10) || data AS BLOB)`,
  part: `CAST(digest || 'pack ' || n || ' ' || part || ' ' || width || char(10) || data AS BLOB)`,
  range: `CAST(digest || 'entry ' || page || ' ' || (id % ${PLACES_OF_PAGE}) || ' ' || next || char(10) || data AS BLOB)`,
};

/** As `labelledIn`, of a value behind the number of its row and a newline. */
export function numberedIn(row: unknown): (Labelled & { readonly id: number }) | undefined {
  if (!(row instanceof Uint8Array)) return undefined;
  let [id, at] = [0, 0];
  for (; isDigit(row[at]); at++) id = 10 * id + (row[at] ?? 0) - ZERO;
  const read = row[at] === NEWLINE ? labelledIn(row.subarray(at + 1)) : undefined;
  return read && { id, ...read };
}

/** What a statement selects for `numberedIn`; NULL for a row that does not stand `at` its place. */
export function numbered(labelled: string, at: string): string {
  return `CASE WHEN ${at} THEN CAST(id || char(10) || ${labelled} AS BLOB) END`;
}

const NEWLINE = 0x0a;
const ZERO = 0x30;
/** Where a row's own digest stands while it is compared. */
const OWN = new Uint8Array(HASH_SIZE);

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= ZERO + 9;
}

/** @param label of ASCII characters. */
function digestOf(label: string, data: Uint8Array): Uint8Array {
  if (label.length + data.length > DIGESTED.length) return sha256(joinBytes([encodeUtf8(label), data]));
  DIGESTED.set(data, DIGESTED.write(label, 'latin1'));
  return sha256(DIGESTED.subarray(0, label.length + data.length));
}

/** Where a value stands behind its label, to be hashed: garbage of so many bytes a row is dear when thousands are read a second. */
const DIGESTED = Buffer.allocUnsafeSlow(64 * 1024);
