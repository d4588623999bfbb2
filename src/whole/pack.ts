/**
 * Packs: the records of a data tile as they are kept, some 90 bytes each instead of 200. A pack has parts of 16 records, each
 * read by itself.
 *
 * A part begins with its form, and the number of its records less one. Form 1, of records of the usual form (usual.ts): for each
 * record the bytes of its name's code, in one byte; for each the two hashes, 64 bytes; then the names' codes (namecode.ts). Where a
 * record stands in it follows from the lengths, and the others need not be looked at. Form 2, of all others: a word of 32 bits,
 * little endian, how many bytes the leaves have (core/leaves.ts); then these deflated.
 *
 * Byte for byte the log's text comes out of both.
 */

import { deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib';
import type { PackedTile } from '../contract.js';
import { countLeaves, leafText, leavesOf, type Leaves } from '../core/leaves.js';
import { decodeUtf8, joinBytes } from '../core/text.js';
import { PART_WIDTH, TILE_WIDTH } from '../core/tile.js';
import { GosumError } from '../errors.js';
import { decodeName, encodeName, nameLength } from './namecode.js';
import { namesOf, PAIR_SIZE, textsOf, usualLength, usualRecords, writeUsual, type NamedRecord, type UsualRecords } from './usual.js';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const USUAL = 1;
const WHOLE = 2;
/** Bytes in front of all else; and of form 2 with the word. */
const HEAD = 2;
const WHOLE_HEAD = HEAD + 4;
/** The longest code that a length tells of. */
const LONGEST_CODE = 255;
/** The most bytes that anything inflates to: a tile that a client reads is no larger. */
const MOST_BYTES = 2 ** 26;
const WHOLE_OPTIONS: ZlibOptions = { level: 4, windowBits: 15 };

/** Packs the texts of records, 1 to 256, which the caller has checked (`checkRecordText`). Gives the parts. */
export function packRecords(texts: readonly Uint8Array[]): Uint8Array[] {
  const leaves = leavesOf(texts);
  return packLeaves(leaves, usualRecords(leaves));
}

/** Packs the records of a tile. @param usual what `usualRecords` gives of them. @returns the parts. */
export function packLeaves(leaves: Leaves, usual: UsualRecords | undefined): Uint8Array[] {
  const count = countLeaves(leaves);
  if (!(count >= 1 && count <= TILE_WIDTH)) throw new Error(`a pack of ${count} records`);
  const parts: Uint8Array[] = [];
  for (let from = 0; from < count; from += PART_WIDTH) {
    const to = Math.min(count, from + PART_WIDTH);
    parts.push((usual && packUsual(usual, from, to)) ?? packMixed(leaves, from, to));
  }
  return parts;
}

/** Packs a part of a tile that has records of another form somewhere, or an endless name. */
function packMixed({ bytes, at }: Leaves, from: number, to: number): Uint8Array {
  const start = at[from] ?? 0;
  const own = { bytes: bytes.subarray(start, at[to]), at: at.slice(from, to + 1).map((each) => each - start) };
  const usual = usualRecords(own);
  return (usual && packUsual(usual, 0, to - from)) ?? joinBytes([wholeHead(to - from, own.bytes.length), deflateRawSync(own.bytes, WHOLE_OPTIONS)]);
}

/** `undefined` where a name's code is too long for its length to be told. */
function packUsual({ leaves: { bytes, at }, ends, hashes }: UsualRecords, from: number, to: number): Uint8Array | undefined {
  const count = to - from;
  let out = codesAt(count);
  const most = (at[to] ?? 0) - (at[from] ?? 0); // names and hashes are longer there
  const part = new Uint8Array(out + most);
  part[0] = USUAL;
  part[1] = count - 1;
  part.set(hashes.subarray(from * PAIR_SIZE, to * PAIR_SIZE), HEAD + count);
  for (let i = from; i < to; i++) {
    const end = encodeName(bytes, (at[i] ?? 0) + 1, ends[i] ?? 0, part, out);
    if (end - out > LONGEST_CODE) return undefined;
    part[HEAD + i - from] = end - out;
    out = end;
  }
  return part.slice(0, out);
}

/** Where the names' codes begin in a part of form 1. */
function codesAt(count: number): number {
  return HEAD + count * (1 + PAIR_SIZE);
}

function wholeHead(count: number, length: number): Uint8Array {
  const head = new Uint8Array(WHOLE_HEAD);
  head.set([WHOLE, count - 1]);
  for (let i = 0; i < 4; i++) head[HEAD + i] = length >>> (8 * i);
  return head;
}

/** Records of a part, 1 to 16. @throws {GosumError} `RECORD_MALFORMED`. */
export function countPart(part: Uint8Array): number {
  if (part.length < HEAD) throw malformed('it is cut short');
  const count = (part[1] ?? 0) + 1;
  if (count > PART_WIDTH) throw malformed(`a part of ${count} records`);
  return count;
}

/**
 * The records of a pack.
 *
 * @param parts not believed: that the bytes inside are in the log is proved by their hashes alone.
 * @throws {GosumError} `RECORD_MALFORMED` where they have not the form of a pack. That the texts have the form of records is not asked.
 */
export function unpackLeaves(parts: readonly Uint8Array[]): Leaves {
  checkParts(parts);
  const all = parts.map(unpackPart);
  const at = new Uint32Array(all.reduce((sum, leaves) => sum + countLeaves(leaves), 1));
  let [count, length] = [0, 0];
  for (const leaves of all) {
    for (let i = 0; i < countLeaves(leaves); i++) at[count++] = length + (leaves.at[i] ?? 0);
    length += leaves.bytes.length;
  }
  at[count] = length;
  return { bytes: joinBytes(all.map(({ bytes }) => bytes)), at };
}

/** Checks that all parts but the last are full: where a record stands follows from its number. @throws {GosumError} `RECORD_MALFORMED`. */
export function checkParts(parts: readonly Uint8Array[]): void {
  parts.slice(0, -1).forEach((part) => {
    if (countPart(part) !== PART_WIDTH) throw malformed(`a part of ${countPart(part)} records in front of another`);
  });
}

/** The records of one part. @throws {GosumError} as `unpackLeaves`. */
export function unpackPart(part: Uint8Array): Leaves {
  const count = countPart(part);
  return part[0] === WHOLE ? leavesAt(inflate(part), count) : unpackUsual(part).leaves;
}

/**
 * The records of a part of form 1, with where their paths and versions end. A part that `packLeaves` has not made may have names
 * with spaces in them.
 *
 * @throws {GosumError} as `unpackLeaves`.
 */
export function unpackUsual(part: Uint8Array): Omit<UsualRecords, 'hashes'> {
  const { count, codes, lengths } = codesOf(part);
  const at = new Uint32Array(count + 1);
  const spaces = new Uint32Array(count);
  const ends = new Uint32Array(count);
  for (let i = 0; i < count; i++) at[i + 1] = (at[i] ?? 0) + 1 + usualLength(lengths[i] ?? 0);
  const bytes = new Uint8Array(at[count] ?? 0);
  for (let i = 0; i < count; i++) {
    const start = (at[i] ?? 0) + 1;
    const end = decodeName(part, codes[i] ?? 0, codes[i + 1] ?? 0, bytes, start);
    const space = bytes.indexOf(SPACE, start);
    if (space < 0 || space >= end) throw malformed('a name without a version');
    spaces[i] = space;
    ends[i] = end;
    writeUsual(bytes, start, end - start, part, hashesAt(count, i));
  }
  return { leaves: { bytes, at }, spaces, ends };
}

/** Reports whether a part is of form 1. */
export function isUsualPart(part: Uint8Array): boolean {
  return part[0] === USUAL;
}

/** The texts of a pack's records. @throws {GosumError} as `unpackLeaves`. */
export function unpackRecords(parts: readonly Uint8Array[]): Uint8Array[] {
  return textsOf(unpackLeaves(parts));
}

/** The part of a pack that has a record, by its place in the tile. */
export function partWith({ parts }: PackedTile, i: number): Uint8Array {
  return parts[Math.floor(i / PART_WIDTH)] ?? new Uint8Array();
}

/** The text of one record of a part, by its place in it. @throws {GosumError} as `unpackLeaves`. */
export function unpackRecord(part: Uint8Array, i: number): Uint8Array {
  const count = countPart(part);
  if (!(i >= 0 && i < count)) throw malformed(`no record ${i} in a part of ${count}`);
  if (part[0] === WHOLE) return leafText(unpackPart(part), i);
  checkForm(part, count);
  let from = codesAt(count);
  for (let before = 0; before < i; before++) from += part[HEAD + before] ?? 0;
  const to = from + (part[HEAD + i] ?? 0);
  if (to > part.length) throw malformed('it is cut short');
  const length = nameLength(part, from, to);
  const text = new Uint8Array(usualLength(length));
  decodeName(part, from, to, text, 0);
  writeUsual(text, 0, length, part, hashesAt(count, i));
  return text;
}

/** The names of a pack's records, in their order. @throws {GosumError} as `unpackLeaves`; `UTF8_MALFORMED`. */
export function packedNames(parts: readonly Uint8Array[]): NamedRecord[] {
  checkParts(parts);
  return parts.flatMap((part, n) => namesInPart(part).map((name) => ({ ...name, i: n * PART_WIDTH + name.i })));
}

function namesInPart(part: Uint8Array): NamedRecord[] {
  if (part[0] === WHOLE) return textsOf(unpackPart(part)).flatMap((text, i) => namesOf(text).map((name) => ({ i, ...name })));
  const { count, codes, lengths } = codesOf(part);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length + 1, 0));
  let out = 0;
  for (let i = 0; i < count; i++) {
    out = decodeName(part, codes[i] ?? 0, codes[i + 1] ?? 0, bytes, out);
    bytes[out++] = NEWLINE;
  }
  const names = decodeUtf8(bytes).split('\n', count);
  return names.map((name, i) => {
    const [module = '', version = ''] = name.split(' ');
    return { i, module, version };
  });
}

/** A part of form 1, as far as its names go. */
interface Codes {
  readonly count: number;
  /** Where each name's code begins, and the end of all. */
  readonly codes: Uint32Array;
  /** Bytes of each name. */
  readonly lengths: Uint32Array;
}

function codesOf(part: Uint8Array): Codes {
  const count = countPart(part);
  checkForm(part, count);
  const codes = new Uint32Array(count + 1);
  const lengths = new Uint32Array(count);
  let end = codesAt(count);
  for (let i = 0; i < count; i++) {
    codes[i] = end;
    end += part[HEAD + i] ?? 0;
  }
  if (end !== part.length) throw malformed(`${part.length} bytes, want ${end}`);
  codes[count] = end;
  for (let i = 0; i < count; i++) lengths[i] = nameLength(part, codes[i] ?? 0, codes[i + 1] ?? 0);
  return { count, codes, lengths };
}

function checkForm(part: Uint8Array, count: number): void {
  if (part[0] !== USUAL) throw malformed(`form ${part[0] ?? 'none'}`);
  if (part.length < codesAt(count)) throw malformed('it is cut short');
}

/** Where the hashes of the `i`th record stand in a part of form 1. */
function hashesAt(count: number, i: number): number {
  return HEAD + count + i * PAIR_SIZE;
}

/** The leaves of bytes in which every record has a zero byte in front. */
function leavesAt(bytes: Uint8Array, width: number): Leaves {
  const at = new Uint32Array(width + 1);
  let found = 0;
  for (let i = bytes.indexOf(0); i >= 0; i = bytes.indexOf(0, i + 1)) {
    if (found < width) at[found] = i;
    found++;
  }
  if (found !== width || at[0] !== 0) throw malformed(`${found} records, want ${width}`);
  at[width] = bytes.length;
  return { bytes, at };
}

/** The leaves' bytes in a part of form 2. */
function inflate(part: Uint8Array): Uint8Array {
  if (part.length < WHOLE_HEAD) throw malformed('it is cut short');
  const length = new DataView(part.buffer, part.byteOffset).getUint32(HEAD, true);
  if (length > MOST_BYTES) throw malformed(`${length} bytes of records`);
  let bytes: Buffer;
  try {
    bytes = inflateRawSync(part.subarray(WHOLE_HEAD), {
      ...WHOLE_OPTIONS,
      // one byte more: where all is filled, zlib is asked once more
      chunkSize: Math.max(length + 1, 64),
      maxOutputLength: Math.max(length, 1),
    });
  } catch (cause) {
    throw malformed('it does not inflate', cause);
  }
  if (bytes.length !== length) throw malformed(`${bytes.length} bytes inflated, want ${length}`);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function malformed(detail: string, cause?: unknown): GosumError {
  return new GosumError('RECORD_MALFORMED', `malformed pack: ${detail}`, { cause });
}
