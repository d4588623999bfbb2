/**
 * The index's own forms: entries, pages of them, and the pending ones that stand in no page yet.
 *
 * An entry is 8 bytes, a 64-bit number, little endian: the last 32 bits of a module version's key above, the record's number
 * below. A page is all entries whose keys begin with its number, ascending, each once. Pending entries of a bucket (the first
 * 8 bits of the key) are k entries in no order, then k bytes: the next 8 bits of their keys.
 */

import { GosumError } from '../errors.js';
import type { IndexKey } from './key.js';

/** Bytes of an entry. */
export const ENTRY_SIZE = 8;
/** Bytes of a pending entry. */
export const PENDING_SIZE: number = ENTRY_SIZE + 1;
/** Pages of an index. */
export const PAGES = 65536;
/** Buckets, and pages of each. */
export const BUCKETS = 256;
/** The most records that an index has room for. */
export const MOST_RECORDS: number = 2 ** 32;

/** Entries of records as they come: for each the page, and two words, the record's number and the rest of its key. */
export interface NewEntries {
  readonly pages: Uint16Array;
  /** Twice as many: number, rest of the key. */
  readonly words: Uint32Array;
}

/** Checks that the index has room for a record of this number. @throws {GosumError} `STORE_FAILED`. */
export function checkRecordNumber(id: number): void {
  if (id < MOST_RECORDS) return;
  throw new GosumError('STORE_FAILED', `record ${id}: the index has room for ${MOST_RECORDS} records`, {
    hint: 'a newer release of gosumcheck may have room for more',
  });
}

/** The pending entries of each bucket that has any, ascending. */
export function pendingByBucket(batch: readonly NewEntries[]): { readonly bucket: number; readonly entries: Uint8Array }[] {
  const counts = new Uint32Array(BUCKETS);
  for (const { pages } of batch) for (const page of pages) counts[page >>> 8] = (counts[page >>> 8] ?? 0) + 1;
  const buckets = Array.from(counts, (count) => new Uint8Array(count * PENDING_SIZE));
  const words = buckets.map((bytes, i) => new Uint32Array(bytes.buffer, 0, 2 * (counts[i] ?? 0)));
  const used = new Uint32Array(BUCKETS);
  for (const { pages, words: from } of batch) {
    for (let i = 0; i < pages.length; i++) {
      const page = pages[i] ?? 0;
      const bucket = page >>> 8;
      const to = words[bucket];
      const at = used[bucket] ?? 0;
      if (to === undefined) continue;
      used[bucket] = at + 1;
      to[2 * at] = from[2 * i] ?? 0;
      to[2 * at + 1] = from[2 * i + 1] ?? 0;
      const bytes = buckets[bucket];
      if (bytes !== undefined) bytes[to.byteLength + at] = page & 0xff;
    }
  }
  return buckets.flatMap((entries, bucket) => (entries.length === 0 ? [] : [{ bucket, entries }]));
}

/** The pending entries of a bucket, by the page that they belong to. */
export function pendingByPage(bucket: number, pending: readonly Uint8Array[]): Map<number, BigUint64Array> {
  const counts = new Uint32Array(BUCKETS);
  for (const bytes of pending) {
    if (bytes.length % PENDING_SIZE !== 0) throw new GosumError('STORE_FAILED', `pending entries of bucket ${bucket}: ${bytes.length} bytes`);
    for (let i = (bytes.length / PENDING_SIZE) * ENTRY_SIZE; i < bytes.length; i++) counts[bytes[i] ?? 0] = (counts[bytes[i] ?? 0] ?? 0) + 1;
  }
  const pages = Array.from(counts, (count) => new Uint32Array(2 * count));
  const used = new Uint32Array(BUCKETS);
  for (const bytes of pending) {
    const count = bytes.length / PENDING_SIZE;
    const words = wordsOf(bytes.subarray(0, count * ENTRY_SIZE));
    for (let i = 0; i < count; i++) {
      const page = bytes[count * ENTRY_SIZE + i] ?? 0;
      const to = pages[page];
      const at = used[page] ?? 0;
      if (to === undefined) continue;
      to[at] = words[2 * i] ?? 0;
      to[at + 1] = words[2 * i + 1] ?? 0;
      used[page] = at + 2;
    }
  }
  const found = new Map<number, BigUint64Array>();
  pages.forEach((words, low) => {
    if (words.length > 0) found.set(bucket * 256 + low, new BigUint64Array(words.buffer));
  });
  return found;
}

/** The page that has the entries of another, and new ones: ascending, each once. */
export function mergePage(page: Uint8Array | undefined, added: BigUint64Array): Uint8Array {
  const kept = (page?.length ?? 0) / ENTRY_SIZE;
  if (!Number.isInteger(kept)) throw new GosumError('STORE_FAILED', `a page of the index of ${page?.length ?? 0} bytes`);
  const all = new BigUint64Array(kept + added.length);
  const bytes = new Uint8Array(all.buffer);
  if (page !== undefined) bytes.set(page);
  all.set(added, kept);
  all.sort();
  // by words: to compare numbers of 64 bits makes an object of each
  const words = new Uint32Array(all.buffer);
  let to = 0;
  for (let from = 0; from < words.length; from += 2) {
    if (to > 0 && words[from] === words[to - 2] && words[from + 1] === words[to - 1]) continue;
    words[to] = words[from] ?? 0;
    words[to + 1] = words[from + 1] ?? 0;
    to += 2;
  }
  return bytes.subarray(0, 4 * to);
}

/** The numbers of the records that a page has under a key, ascending. Others may be among them: the record decides. */
export function findInPage(page: Uint8Array, { rest }: IndexKey): number[] {
  return recordsBetween(page, rest, rest);
}

/** The numbers of the records that a page has for any version of a module, by its `moduleKey`. Others may be among them. */
export function findModuleInPage(page: Uint8Array, { rest }: IndexKey): number[] {
  return recordsBetween(page, rest, rest + 0xffffff);
}

/** The numbers of the records whose key's rest is from `first` to `last`, in the order of their keys. */
function recordsBetween(page: Uint8Array, first: number, last: number): number[] {
  const view = new DataView(page.buffer, page.byteOffset);
  const count = Math.floor(page.length / ENTRY_SIZE);
  const restAt = (i: number): number => view.getUint32(i * ENTRY_SIZE + 4, true);
  let lo = 0;
  let hi = count;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if (restAt(mid) < first) lo = mid + 1;
    else hi = mid;
  }
  const found: number[] = [];
  for (let i = lo; i < count && restAt(i) <= last; i++) found.push(view.getUint32(i * ENTRY_SIZE, true));
  return found;
}

/** As words; copied where they do not stand at a multiple of 4. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 2);
}
