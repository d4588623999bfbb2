/**
 * Rows of the index. A page of it stands in the file in ranges, each a row with few entries: most pages are one, but a module with
 * thousands of versions has all of them in its page, and nobody shall read, and compare with a digest, more than one range of
 * it to find one version.
 *
 * A range has the entries whose keys go on, behind their page's 16 bits, with 24 bits from `first` up to `next`. The ranges of
 * a page are all of it, from 0 to 2^24: so a row that is missing is noticed. All entries of one key stand in one range.
 */

import type { IndexPage } from '../contract.js';
import { joinBytes } from '../core/text.js';
import { bytesIn, countIn, RowError } from './row.js';

/** A range of a page. */
export interface IndexRange extends IndexPage {
  readonly first: number;
  readonly next: number;
}

/** Bytes of an entry. */
export const ENTRY_SIZE = 8;
/** Entries of a range, unless more have the same 24 bits. */
const MOST_ENTRIES = 128;
/** What the 24 bits are below. */
export const PLACES_OF_PAGE: number = 2 ** 24;
/** Numbers that a database has for its rows: 16 bits of the page, 24 of the range. */
const PLACES = 2 ** 40;

/** The 24 bits by which a range is found. @param rest of a key, its 32 bits behind the page. */
export function rangePlace(rest: number): number {
  return rest >>> 8;
}

/** The number of a range's row: along these the table lies in the order of the keys. @param first 2^24: where the next page begins. */
export function rangeId(db: number, page: number, first: number): number {
  return db * PLACES + page * PLACES_OF_PAGE + first;
}

/** Where the range of a row of this number begins, and in which page; and the row of the database. */
export function rangeAt(id: number): { readonly db: number; readonly page: number; readonly first: number } {
  const page = Math.floor(id / PLACES_OF_PAGE);
  return { db: Math.floor(id / PLACES), page: page % (PLACES / PLACES_OF_PAGE), first: id % PLACES_OF_PAGE };
}

/** In SQL, whether a row has a number of its page and database. */
export const RANGE_IS_AT_ITS_PLACE: string = [
  `id / ${PLACES_OF_PAGE} = db * ${PLACES / PLACES_OF_PAGE} + page`,
  `page BETWEEN 0 AND ${PLACES / PLACES_OF_PAGE - 1}`,
].join(' AND ');

/** The page in ranges; of a page without entries one. @throws {Error} where the entries are not in order. */
export function rangesOf({ n, entries }: IndexPage): IndexRange[] {
  const rests = new DataView(entries.buffer, entries.byteOffset, entries.length);
  const count = entries.length / ENTRY_SIZE;
  const placeAt = (i: number): number => rangePlace(rests.getUint32(i * ENTRY_SIZE + 4, true));
  const ranges: IndexRange[] = [];
  for (let from = 0, first = 0; ; ) {
    let to = Math.min(count, from + MOST_ENTRIES);
    while (to > 0 && to < count && placeAt(to) === placeAt(to - 1)) to++;
    const next = to === count ? PLACES_OF_PAGE : placeAt(to);
    if (next <= first) throw new Error(`page ${n} of the index is not in order`);
    ranges.push({ n, first, next, entries: entries.subarray(from * ENTRY_SIZE, to * ENTRY_SIZE) });
    if (to === count) return ranges;
    [from, first] = [to, next];
  }
}

/** @throws {RowError} */
export function rangeIn(row: unknown): IndexRange {
  const [id, n, next] = [countIn(row, 'id'), countIn(row, 'page'), countIn(row, 'next')];
  const first = id % PLACES_OF_PAGE;
  if (Math.floor((id % PLACES) / PLACES_OF_PAGE) !== n || next <= first || next > PLACES_OF_PAGE) throw new RowError('a range of the index at the place of another');
  return { n, first, next, entries: bytesIn(row, 'data') };
}

/** The page that ranges are, in order; `undefined` where they are not all of it. */
export function pageOf(ranges: readonly IndexRange[]): IndexPage | undefined {
  const [{ n, entries: own } = { n: 0, entries: new Uint8Array() }] = ranges;
  let end = 0;
  for (const range of ranges) {
    if (range.n !== n || range.first !== end) return undefined;
    end = range.next;
  }
  return end === PLACES_OF_PAGE ? { n, entries: ranges.length === 1 ? own : joinBytes(ranges.map(({ entries }) => entries)) } : undefined;
}
