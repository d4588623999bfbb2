/**
 * Deflated entries that lie one behind the other, inflated by one call: for files of some kilobytes, as most are, each call
 * costs as much as the work.
 *
 * What lies between the data of two entries, local header and descriptor, was read before; in its place are put the end of
 * one gzip member and the beginning of the next (RFC 1952), so that all of it is one gzip file, which zlib inflates and
 * checks: the CRC and the size of each member.
 *
 * That no zip, however it is made, can shift the borders: a member begins with three bytes that are looked for, and they
 * are nowhere but where we have put them. So a member can only begin there, and ends right before another, or at the very
 * end, with the CRC and size that we have put there. One that went over a border would be checked by a later entry's size,
 * and some entry's content, which has at least a byte, would be missing in the whole.
 */

import { gunzipSync, type Gunzip } from 'node:zlib';
import type { ZipEntry } from './zipentry.js';

/** An entry whose local header and descriptor are checked, in a window of the zip. */
export interface LocatedEntry {
  readonly entry: ZipEntry;
  /** Where in the window its data begins. */
  readonly start: number;
}

/** Bytes behind an entry's data that are overwritten: CRC and size. */
export const TRAILER_SIZE = 8;

/** Fixed bytes of a member's header, and the length of its extra field. */
const HEADER_SIZE = 12;
const MAX_EXTRA = 0xffff;
const LEAST_BUFFER = 64;
/** Magic number and method; the flag of an extra field, no time, an unknown system. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff]);
const MAGIC = HEADER.subarray(0, 3);

/** Whether the second entry's data lies near enough behind the first one's for both to be inflated together. */
export function isNear(first: LocatedEntry, second: LocatedEntry): boolean {
  return second.start - endOf(first) - TRAILER_SIZE - HEADER_SIZE <= MAX_EXTRA;
}

/**
 * The contents, one behind the other, each with the declared size and CRC; `undefined` where this is not certain, which
 * inflating them one by one will tell.
 *
 * @param window overwritten between the entries' data, and up to `TRAILER_SIZE` bytes behind the last.
 * @param located deflated entries, as they lie; each near the one before it.
 */
export function inflateTogether(window: Buffer, located: readonly LocatedEntry[]): Buffer | undefined {
  const [first] = located;
  if (first === undefined) return undefined;
  const begin = first.start - HEADER_SIZE;
  const headers: number[] = [];
  let at = begin;
  let size = 0;
  for (const each of located) {
    if (each.entry.size === 0) return undefined;
    headers.push(at - begin);
    HEADER.copy(window, at);
    window.writeUInt16LE(each.start - at - HEADER_SIZE, at + HEADER.length);
    at = window.writeUInt32LE(each.entry.crc, endOf(each));
    at = window.writeUInt32LE(each.entry.size, at);
    size += each.entry.size;
  }
  const members = window.subarray(begin, at);
  if (!beginsOnlyAt(members, headers)) return undefined;
  const options = { chunkSize: Math.max(LEAST_BUFFER, size + 1), maxOutputLength: size, info: true };
  try {
    const { buffer, engine } = gunzipSync(members, options) as unknown as { buffer: Buffer; engine: Gunzip };
    return buffer.length === size && engine.bytesWritten === members.length ? buffer : undefined;
  } catch {
    return undefined;
  }
}

function endOf({ entry, start }: LocatedEntry): number {
  return start + entry.packedSize;
}

function beginsOnlyAt(members: Buffer, headers: readonly number[]): boolean {
  let from = 0;
  for (const header of headers) {
    if (members.indexOf(MAGIC, from) !== header) return false;
    from = header + 1;
  }
  return !members.includes(MAGIC, from);
}
