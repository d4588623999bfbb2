/**
 * The contents of a zip's entries, hashed: read in the order in which they lie, so that every byte of the zip is
 * accounted for, and held against the declared sizes and CRCs.
 *
 * Small neighbours are read together and inflated whole, most of them together (inflatemany.ts); a large entry goes through
 * in pieces, so that memory stays low. inflateRawSync with a buffer of the declared size takes 2.5 ns a byte for the files of
 * real modules, SHA-256 and CRC included; streams take twice that for small files.
 */

import { createInflateRaw, crc32, inflateRawSync, type InflateRaw } from 'node:zlib';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { sha256, sha256Digest } from '#crypto';
import { HASH_SIZE, type Hash } from '../core/hash.js';
import { inflateTogether, isNear, TRAILER_SIZE, type LocatedEntry } from './inflatemany.js';
import type { HashOptions } from './result.js';
import type { ZipDirectory } from './zipdirectory.js';
import { descriptorFlaw, findData, LOCAL_SIZE, MAX_DESCRIPTOR_SIZE, STORED, type ZipEntry } from './zipentry.js';
import { ZipError } from './ziperror.js';
import type { ZipFile } from './zipfile.js';
import { decodeName } from './zipname.js';

/** Bytes of the zip that are read together. No local header is longer than 131,100. */
const WINDOW_SIZE = 2 ** 20;
/** An entry with more bytes of content goes through in pieces. */
const LARGE_SIZE = 2 ** 22;
/** Bytes of content between two pauses, in which the event loop turns and the signal is looked at. */
const TURN_SIZE = 2 ** 23;
/** Bytes of a piece of a large entry, packed and not. */
const PIECE_SIZE = 2 ** 18;
/** Bytes of content that are inflated together. Kept below the size of a processor's cache. */
const TOGETHER_SIZE = 2 ** 19;
/** The least buffer that zlib takes. */
const LEAST_BUFFER = 64;

const OVERLAPS = 'it overlaps what lies behind it';

/** An entry with its region: from its local header up to the next one, or up to the central directory. */
interface Region {
  readonly entry: ZipEntry;
  readonly size: number;
}

/** Neighbours that are small enough to be read and hashed together. */
interface Turn {
  readonly regions: Region[];
  /** Offset of the first. */
  readonly start: number;
  /** Bytes of all regions. */
  size: number;
  /** Bytes of all contents. */
  contents: number;
}

/** The work on one zip that several threads share, each of which has opened it: memory that all of them see. */
export interface Share {
  /** SHA-256 of the contents, in the directory's order, 32 bytes each. */
  readonly hashes: Uint8Array;
  /** How many turns are taken. */
  readonly taken: Int32Array;
}

/** The share of as many as it is given to; `entries` is the directory's number of them. */
export function newShare(entries: number): Share {
  return { hashes: new Uint8Array(new SharedArrayBuffer(HASH_SIZE * entries)), taken: new Int32Array(new SharedArrayBuffer(4)) };
}

/**
 * Hashes each entry's content.
 *
 * @param share where others hash the same zip: each does what nobody has begun yet, and the hashes are whole when all have
 *   ended.
 * @returns SHA-256 of the contents, in the directory's order, 32 bytes each.
 * @throws {ZipError} `ZIP_MALFORMED`. @throws {GosumError} `FILE_FAILED`; the signal's reason.
 */
export async function hashContents(
  file: ZipFile,
  directory: ZipDirectory,
  options: HashOptions,
  share: Share = newShare(directory.entries.length),
): Promise<Uint8Array> {
  const { hashes, taken } = share;
  let turnNumber = 0;
  let mine = Atomics.add(taken, 0, 1);
  const window = Buffer.allocUnsafeSlow(Math.min(WINDOW_SIZE, file.size) + TRAILER_SIZE);
  for (const turn of turns(regionsOf(file, directory))) {
    if (turnNumber++ !== mine) continue;
    mine = Atomics.add(taken, 0, 1);
    options.signal?.throwIfAborted();
    if ('regions' in turn) {
      hashTurn(file, turn, window, hashes);
      options.progress?.(turn.contents);
    } else {
      hashes.set(await hashLarge(file, turn, window, options), HASH_SIZE * turn.entry.index);
    }
    await setImmediate();
  }
  return hashes;
}

/** The regions of all entries, as they lie. They cover the zip from its first byte up to the central directory. */
function* regionsOf(file: ZipFile, { entries, start: end }: ZipDirectory): Generator<Region> {
  const order = entries.toSorted((a, b) => a.start - b.start);
  const before = order[0]?.start ?? end;
  if (before !== 0) {
    throw new ZipError('ZIP_MALFORMED', file.label, undefined, `there are ${before} bytes before its first entry`);
  }
  const last = order.at(-1);
  if (last !== undefined && last.start >= end) throw malformed(file, last, 'it lies behind the last place for entries');
  for (const [i, entry] of order.entries()) {
    const size = (order[i + 1]?.start ?? end) - entry.start;
    if (size < LOCAL_SIZE + entry.name.length + entry.packedSize) throw malformed(file, entry, OVERLAPS);
    yield { entry, size };
  }
}

/** What is hashed in one go: small neighbours, or a large entry. */
function* turns(regions: Iterable<Region>): Generator<Turn | Region> {
  let turn: Turn | undefined;
  for (const region of regions) {
    const { entry, size } = region;
    const isLarge = size > WINDOW_SIZE || entry.size > LARGE_SIZE;
    if (turn !== undefined && (isLarge || turn.size + size > WINDOW_SIZE || turn.contents + entry.size > TURN_SIZE)) {
      yield turn;
      turn = undefined;
    }
    if (isLarge) {
      yield region;
      continue;
    }
    turn ??= { regions: [], start: entry.start, size: 0, contents: 0 };
    turn.regions.push(region);
    turn.size += size;
    turn.contents += entry.size;
  }
  if (turn !== undefined) yield turn;
}

/** Hashes small neighbours. */
function hashTurn(file: ZipFile, { regions, start, size }: Turn, window: Buffer, hashes: Uint8Array): void {
  file.read(window.subarray(0, size), start);
  const located = regions.map((region) => locate(file, region, window, region.entry.start - start));
  let together: LocatedEntry[] = [];
  let contents = 0;
  for (const each of located) {
    const { entry } = each;
    const last = together.at(-1);
    if (last !== undefined && (contents + entry.size > TOGETHER_SIZE || !isNear(last, each))) {
      hashTogether(file, together, window, hashes);
      together = [];
      contents = 0;
    }
    if (entry.method === STORED || entry.size === 0 || entry.size > TOGETHER_SIZE) {
      hashes.set(hashAlone(file, each, window), HASH_SIZE * entry.index);
    } else {
      together.push(each);
      contents += entry.size;
    }
  }
  hashTogether(file, together, window, hashes);
}

/** Checks an entry's local header and what lies behind its data; the region begins at `at` in the window. */
function locate(file: ZipFile, { entry, size }: Region, window: Buffer, at: number): LocatedEntry {
  const region = window.subarray(at, at + size);
  const dataStart = dataOf(file, entry, region);
  const dataEnd = dataStart + entry.packedSize;
  checkBehind(file, entry, size - dataEnd, region.subarray(dataEnd));
  return { entry, start: at + dataStart };
}

function hashTogether(file: ZipFile, together: readonly LocatedEntry[], window: Buffer, hashes: Uint8Array): void {
  const contents = inflateTogether(window, together);
  let at = 0;
  for (const each of together) {
    const { size, index } = each.entry;
    const hash = contents === undefined ? hashAlone(file, each, window) : sha256(contents.subarray(at, at + size));
    hashes.set(hash, HASH_SIZE * index);
    at += size;
  }
}

function hashAlone(file: ZipFile, { entry, start }: LocatedEntry, window: Buffer): Hash {
  const data = window.subarray(start, start + entry.packedSize);
  const content = entry.method === STORED ? data : inflate(file, entry, data);
  checkContent(file, entry, content.length, crc32(content));
  return sha256(content);
}

/** Hashes an entry of any size, piece by piece. */
async function hashLarge(file: ZipFile, { entry, size }: Region, window: Buffer, options: HashOptions): Promise<Hash> {
  const head = window.subarray(0, Math.min(size, window.length));
  file.read(head, entry.start);
  const dataStart = dataOf(file, entry, head);
  const dataEnd = dataStart + entry.packedSize;
  const tail = Buffer.alloc(Math.max(0, Math.min(size - dataEnd, MAX_DESCRIPTOR_SIZE + 1)));
  file.read(tail, entry.start + dataEnd);
  checkBehind(file, entry, size - dataEnd, tail);

  const digest = sha256Digest();
  let crc = 0;
  let length = 0;
  const take = (content: Buffer): void => {
    length += content.length;
    if (length > entry.size) throw malformed(file, entry, moreThan(entry));
    crc = crc32(content, crc);
    digest.update(content);
    options.progress?.(content.length);
  };
  const data = pieces(file, entry.start + dataStart, entry.packedSize);
  if (entry.method === STORED) {
    for (const piece of data) {
      options.signal?.throwIfAborted();
      take(piece);
      await setImmediate();
    }
  } else {
    await inflateLarge(file, entry, data, take, options.signal);
  }
  checkContent(file, entry, length, crc);
  return digest.digest();
}

function* pieces(file: ZipFile, start: number, size: number): Generator<Buffer> {
  for (let done = 0; done < size; done += PIECE_SIZE) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE_SIZE, size - done));
    file.read(piece, start + done);
    yield piece;
  }
}

/** Inflates to at most the declared size. */
function inflate(file: ZipFile, entry: ZipEntry, data: Buffer): Buffer {
  // one byte more than declared, so that a lie shows without a second buffer
  const options = { chunkSize: Math.max(LEAST_BUFFER, entry.size + 1), maxOutputLength: Math.max(1, entry.size), info: true };
  try {
    const { buffer, engine } = inflateRawSync(data, options) as unknown as { buffer: Buffer; engine: InflateRaw };
    checkUsed(file, entry, engine.bytesWritten);
    return buffer;
  } catch (error) {
    throw inflateFailure(file, entry, error);
  }
}

async function inflateLarge(
  file: ZipFile,
  entry: ZipEntry,
  data: Iterable<Buffer>,
  take: (content: Buffer) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const engine = createInflateRaw({ chunkSize: PIECE_SIZE });
  try {
    await pipeline(
      data,
      engine,
      async (contents: AsyncIterable<Buffer>) => {
        for await (const content of contents) take(content);
        // asked here, as the pipeline waits for bytes behind the end of the data to be taken
        checkUsed(file, entry, engine.bytesWritten);
      },
      signal === undefined ? {} : { signal },
    );
  } catch (error) {
    signal?.throwIfAborted();
    throw inflateFailure(file, entry, error);
  }
}

function dataOf(file: ZipFile, entry: ZipEntry, region: Buffer): number {
  const found = findData(region, entry);
  if (typeof found === 'string') throw malformed(file, entry, found);
  return found;
}

function checkBehind(file: ZipFile, entry: ZipEntry, size: number, bytes: Buffer): void {
  const flaw = size < 0 ? OVERLAPS : descriptorFlaw(bytes, entry);
  if (flaw !== undefined) throw malformed(file, entry, flaw);
}

/** A deflate stream says itself where it ends. */
function checkUsed(file: ZipFile, entry: ZipEntry, used: number): void {
  if (used !== entry.packedSize) {
    throw malformed(file, entry, `its data ends after ${used} bytes, and ${entry.packedSize} are declared`);
  }
}

function checkContent(file: ZipFile, entry: ZipEntry, size: number, crc: number): void {
  if (size !== entry.size) throw malformed(file, entry, `its content has ${size} bytes, and ${entry.size} are declared`);
  if (crc !== entry.crc) throw malformed(file, entry, 'its content has another CRC than is declared');
}

/** What zlib threw, in our words; anything else as it is. */
function inflateFailure(file: ZipFile, entry: ZipEntry, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_BUFFER_TOO_LARGE') return malformed(file, entry, moreThan(entry));
  if (code === 'Z_DATA_ERROR' || code === 'Z_BUF_ERROR') {
    return malformed(file, entry, `its data does not inflate: ${message}`, error);
  }
  return error;
}

function moreThan(entry: ZipEntry): string {
  return `its content has more than the declared ${entry.size} bytes`;
}

function malformed(file: ZipFile, entry: ZipEntry, detail: string, cause?: unknown): ZipError {
  return new ZipError('ZIP_MALFORMED', file.label, decodeName(entry.name).name, detail, cause);
}
