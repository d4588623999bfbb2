/**
 * Digests of rows. Each is of the row's key as well: a row that stands at another's place is none. A digest is no proof, and
 * guards against decay alone.
 */

import { sha256 } from '#crypto';
import type { IndexPage, KeptRecord, LogState, PackedPart, PendingEntries, SeenTree } from '../contract.js';
import { equalBytes } from '../core/hash.js';
import { encodeUtf8, joinBytes } from '../core/text.js';
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

/** Of a page of the index. */
export function pageDigest({ n, entries }: IndexPage): Uint8Array {
  return digestOf(`entry ${n}\n`, entries);
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

/** @param label of ASCII characters. */
function digestOf(label: string, data: Uint8Array): Uint8Array {
  if (label.length + data.length > DIGESTED.length) return sha256(joinBytes([encodeUtf8(label), data]));
  DIGESTED.set(data, DIGESTED.write(label, 'latin1'));
  return sha256(DIGESTED.subarray(0, label.length + data.length));
}

/** Where a value stands behind its label, to be hashed: garbage of so many bytes a row is dear when thousands are read a second. */
const DIGESTED = Buffer.allocUnsafeSlow(64 * 1024);
