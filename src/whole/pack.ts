/**
 * Packs: the records of a data tile as they are kept, some 120 bytes each instead of 200. A pack has parts of 64 records, each
 * read by itself: one record costs one small row and one small inflate.
 *
 * A part begins with its form, the number of its records less one, and a word of 32 bits, little endian: the bytes of what is
 * deflated at its end. Form 1, of records of the usual form (usual.ts): all hashes, 64 bytes a record; then the names deflated:
 * the paths, each ended by a newline, then the versions likewise. Form 2, of all others: the leaves' bytes (core/leaves.ts)
 * deflated.
 *
 * Byte for byte the log's text comes out of both.
 */

import { deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib';
import type { PackedTile } from '../contract.js';
import { countLeaves, leafText, leavesOf, type Leaves } from '../core/leaves.js';
import { decodeUtf8, encodeUtf8, joinBytes } from '../core/text.js';
import { PART_WIDTH, TILE_WIDTH } from '../core/tile.js';
import { GosumError } from '../errors.js';
import { namesOf, PAIR_SIZE, textsOf, usualLength, usualRecords, writeUsual, type NamedRecord, type UsualRecords } from './usual.js';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const USUAL = 1;
const WHOLE = 2;
/** Bytes in front of the word, and with it. */
const WORD = 2;
const HEAD = WORD + 4;
/** The most bytes that anything inflates to: a tile that a client reads is no larger. */
const MOST_BYTES = 2 ** 26;

/** What names begin and end with: the less often the further in front. A part of the form, never changed. */
const DICTIONARY: Uint8Array = encodeUtf8(
  [
    '-alpha.1\n-beta.1\n-rc.1\n-rc.0\n-0.20170\n-0.20180\n-0.20240\n-0.20250\n-0.20230',
    '-0.20220\n-0.20210\n-0.20200\n-0.20190\n/v6\n/v5\n/v4\n/v3\n/api\n/client\n/server\n/sdk\n/cli\n/proto\n/tools\n/utils\n/common\n',
    'go.opentelemetry.io/contrib/\ncloud.google.com/go/\nsigs.k8s.io/\nmodernc.org/\ngo.uber.org/\nk8s.io/\ngopkg.in/\ngolang.org/x/\n',
    'gitlab.com/\ngithub.com/googleapis/\ngithub.com/microsoft/\ngithub.com/Azure/azure-sdk-for-go/sdk/resourcemanager/\n',
    'github.com/aws/aws-sdk-go-v2/service/\ngithub.com/hashicorp/terraform-provider-\ngithub.com/pulumi/pulumi-\n',
    'kubernetes-\n-operator\n-golang\n-sdk-go\n-service\n-go\ngithub.com/go-\n/go-\n/v2\ngithub.com/\n',
    'v3.0.\nv2.0.\nv2.0.0+incompatible\nv1.10.\nv1.3.\nv1.2.\nv1.1.\nv0.10.\nv0.4.0\nv0.3.0\nv0.2.0\nv0.1.0\nv1.0.0\nv0.0.1\nv0.0.0-2017\nv0.0.0-2018\n',
    'v0.0.0-2019\nv0.0.0-2025\nv0.0.0-2024\nv0.0.0-2020\nv0.0.0-2021\nv0.0.0-2022\nv0.0.0-2023',
  ].join(''),
);
/** Small, as the parts are: to set up the usual window of 32 KiB takes longer than to deflate one. */
const NAMES_OPTIONS: ZlibOptions = { level: 4, windowBits: 13, memLevel: 5, dictionary: DICTIONARY };
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
    parts.push(usual === undefined ? packMixed(leaves, from, to) : packUsual(usual, from, to));
  }
  return parts;
}

/** Packs a part of a tile that has records of another form somewhere. */
function packMixed({ bytes, at }: Leaves, from: number, to: number): Uint8Array {
  const start = at[from] ?? 0;
  const own = { bytes: bytes.subarray(start, at[to]), at: at.slice(from, to + 1).map((each) => each - start) };
  const usual = usualRecords(own);
  if (usual !== undefined) return packUsual(usual, 0, to - from);
  return joinBytes([headOf(WHOLE, to - from, own.bytes.length), deflateRawSync(own.bytes, WHOLE_OPTIONS)]);
}

function packUsual(usual: UsualRecords, from: number, to: number): Uint8Array {
  const names = groupNames(usual, from, to);
  const hashes = usual.hashes.subarray(from * PAIR_SIZE, to * PAIR_SIZE);
  return joinBytes([headOf(USUAL, to - from, names.length), hashes, deflateRawSync(names, NAMES_OPTIONS)]);
}

function headOf(form: number, count: number, length: number): Uint8Array {
  const head = new Uint8Array(HEAD);
  head.set([form, count - 1]);
  setWord(head, WORD, length);
  return head;
}

/** Records of a part, 1 to 64. @throws {GosumError} `RECORD_MALFORMED`. */
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
  return part[0] === WHOLE ? leavesAt(inflate(part, HEAD, WHOLE_OPTIONS), count) : unpackUsual(part).leaves;
}

/**
 * The records of a part of form 1, with where their paths and versions end. A part that `packLeaves` has not made may have names
 * with spaces in them.
 *
 * @throws {GosumError} as `unpackLeaves`.
 */
export function unpackUsual(part: Uint8Array): Omit<UsualRecords, 'hashes'> {
  const group = groupOf(part);
  const { starts, lengths } = group;
  const count = lengths.length;
  const at = new Uint32Array(count + 1);
  const spaces = new Uint32Array(count);
  const ends = new Uint32Array(count);
  lengths.forEach((length, i) => {
    const text = (at[i] ?? 0) + 1;
    spaces[i] = text + (starts[i + 1] ?? 0) - (starts[i] ?? 0) - 1;
    ends[i] = text + length;
    at[i + 1] = text + usualLength(length);
  });
  const bytes = new Uint8Array(at[count] ?? 0);
  for (let i = 0; i < count; i++) writeRecord(part, group, i, bytes, (at[i] ?? 0) + 1);
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
  const group = groupOf(part);
  const text = new Uint8Array(usualLength(group.lengths[i] ?? 0));
  writeRecord(part, group, i, text, 0);
  return text;
}

/** The names of a pack's records, in their order. @throws {GosumError} as `unpackLeaves`; `UTF8_MALFORMED`. */
export function packedNames(parts: readonly Uint8Array[]): NamedRecord[] {
  checkParts(parts);
  return parts.flatMap((part, n) => namesInPart(part).map((name) => ({ ...name, i: n * PART_WIDTH + name.i })));
}

function namesInPart(part: Uint8Array): NamedRecord[] {
  if (part[0] === WHOLE) return textsOf(unpackPart(part)).flatMap((text, i) => namesOf(text).map((name) => ({ i, ...name })));
  const { bytes, lengths } = groupOf(part);
  const names = decodeUtf8(bytes).split('\n');
  return Array.from(lengths, (_length, i) => ({ i, module: names[i] ?? '', version: names[lengths.length + i] ?? '' }));
}

/** The names of some records: the paths, then the versions, each ended by a newline. */
function groupNames({ leaves: { bytes, at }, spaces, ends }: UsualRecords, from: number, to: number): Uint8Array {
  let length = 0;
  for (let i = from; i < to; i++) length += (ends[i] ?? 0) - (at[i] ?? 0);
  const names = new Uint8Array(length);
  let out = 0;
  for (let i = from; i < to; i++) {
    for (let in_ = (at[i] ?? 0) + 1; in_ < (spaces[i] ?? 0); in_++) names[out++] = bytes[in_] ?? 0;
    names[out++] = NEWLINE;
  }
  for (let i = from; i < to; i++) {
    for (let in_ = (spaces[i] ?? 0) + 1; in_ < (ends[i] ?? 0); in_++) names[out++] = bytes[in_] ?? 0;
    names[out++] = NEWLINE;
  }
  return names;
}

/** A part's names, inflated. */
interface Group {
  readonly bytes: Uint8Array;
  /** Where each path and then each version begins, and their end. */
  readonly starts: Uint32Array;
  /** Bytes of each record's `path version`. */
  readonly lengths: Uint32Array;
}

/** The names of a part of form 1. */
function groupOf(part: Uint8Array): Group {
  const count = countPart(part);
  if (part[0] !== USUAL) throw malformed(`form ${part[0] ?? 'none'}`);
  const bytes = inflate(part, HEAD + count * PAIR_SIZE, NAMES_OPTIONS);
  const starts = new Uint32Array(2 * count + 1);
  let found = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== NEWLINE) continue;
    found++;
    if (found < starts.length) starts[found] = i + 1;
  }
  if (found !== 2 * count || starts[found] !== bytes.length) throw malformed(`${found} names of ${count} records`);
  const lengths = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    // both have a newline, of which one stands for the space between them
    lengths[i] = (starts[i + 1] ?? 0) - (starts[i] ?? 0) + (starts[count + i + 1] ?? 0) - (starts[count + i] ?? 0) - 1;
  }
  return { bytes, starts, lengths };
}

/** Writes the `i`th record of a part of form 1. */
function writeRecord(part: Uint8Array, { bytes, starts, lengths }: Group, i: number, into: Uint8Array, to: number): void {
  let out = to;
  for (let from = starts[i] ?? 0, end = (starts[i + 1] ?? 0) - 1; from < end; from++) into[out++] = bytes[from] ?? 0;
  into[out++] = SPACE;
  const version = lengths.length + i;
  for (let from = starts[version] ?? 0, end = (starts[version + 1] ?? 0) - 1; from < end; from++) into[out++] = bytes[from] ?? 0;
  writeUsual(into, to, lengths[i] ?? 0, part, HEAD + i * PAIR_SIZE);
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

/** What is deflated from `at` on. */
function inflate(part: Uint8Array, at: number, { windowBits, dictionary }: ZlibOptions): Uint8Array {
  const length = wordAt(part, WORD);
  if (length > MOST_BYTES) throw malformed(`${length} bytes of names or records`);
  let bytes: Buffer;
  try {
    bytes = inflateRawSync(part.subarray(at), {
      windowBits,
      dictionary,
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

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}

function setWord(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = value >>> (8 * i);
}

function malformed(detail: string, cause?: unknown): GosumError {
  return new GosumError('RECORD_MALFORMED', `malformed pack: ${detail}`, { cause });
}
