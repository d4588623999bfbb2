/**
 * Packs: the records of a data tile as they are kept, some 120 bytes each instead of 200.
 *
 * Form 1, of records of the usual form (usual.ts): the byte 1, the width less one; for each group of 64 records two words of
 * 32 bits, little endian: the bytes of its names, and these deflated; all hashes, 64 bytes a record; then for each group its
 * names deflated: the paths, each ended by a newline, then the versions likewise. So one record costs one small inflate.
 * Form 2, of all others: the byte 2, the width less one, the word of the length, and the leaves' bytes (core/leaves.ts) deflated.
 *
 * Byte for byte the log's text comes out of both.
 */

import { deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib';
import { countLeaves, leafText, leavesOf, type Leaves } from '../core/leaves.js';
import { decodeUtf8, encodeUtf8, joinBytes } from '../core/text.js';
import { TILE_WIDTH } from '../core/tile.js';
import { GosumError } from '../errors.js';
import { namesOf, PAIR_SIZE, textsOf, usualLength, usualRecords, writeUsual, type NamedRecord, type UsualRecords } from './usual.js';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const USUAL = 1;
const WHOLE = 2;
/** Records that are deflated together. */
const GROUP = 64;
/** Bytes in front of the words. */
const HEAD = 2;
const WORD = 4;
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
/** Small, as the groups are: to set up the usual window of 32 KiB takes longer than to deflate one. */
const GROUP_OPTIONS: ZlibOptions = { level: 4, windowBits: 13, memLevel: 5, dictionary: DICTIONARY };
const WHOLE_OPTIONS: ZlibOptions = { level: 4, windowBits: 15 };

/** Packs the texts of records, 1 to 256, which the caller has checked (`checkRecordText`). */
export function packRecords(texts: readonly Uint8Array[]): Uint8Array {
  const leaves = leavesOf(texts);
  return packLeaves(leaves, usualRecords(leaves));
}

/** Packs the records of a tile. @param usual what `usualRecords` gives of them. */
export function packLeaves(leaves: Leaves, usual: UsualRecords | undefined): Uint8Array {
  const count = countLeaves(leaves);
  if (!(count >= 1 && count <= TILE_WIDTH)) throw new Error(`a pack of ${count} records`);
  if (usual === undefined) {
    const head = new Uint8Array(HEAD + WORD);
    head.set([WHOLE, count - 1]);
    setWord(head, HEAD, leaves.bytes.length);
    return joinBytes([head, deflateRawSync(leaves.bytes, WHOLE_OPTIONS)]);
  }
  const groups = groupsOf(count);
  const head = new Uint8Array(HEAD + groups * 2 * WORD);
  head.set([USUAL, count - 1]);
  const parts = [head, usual.hashes];
  for (let group = 0; group < groups; group++) {
    const names = groupNames(usual, group * GROUP, Math.min(count, (group + 1) * GROUP));
    const deflated = deflateRawSync(names, GROUP_OPTIONS);
    setWord(head, HEAD + group * 2 * WORD, names.length);
    setWord(head, HEAD + group * 2 * WORD + WORD, deflated.length);
    parts.push(deflated);
  }
  return joinBytes(parts);
}

/** Records in a pack, 1 to 256. @throws {GosumError} `RECORD_MALFORMED`. */
export function packedWidth(pack: Uint8Array): number {
  if (pack.length < HEAD + WORD) throw malformed('it is cut short');
  return (pack[1] ?? 0) + 1;
}

/**
 * The records of a pack.
 *
 * @param pack not believed: that the bytes inside are in the log is proved by their hashes alone.
 * @throws {GosumError} `RECORD_MALFORMED` where it has not the form of a pack. That the texts have the form of records is not asked.
 */
export function unpackLeaves(pack: Uint8Array): Leaves {
  const width = packedWidth(pack);
  if (pack[0] === WHOLE) return leavesAt(inflateWhole(pack), width);
  return unpackUsual(pack).leaves;
}

/**
 * The records of a pack of form 1, with where their paths and versions end. A pack that `packLeaves` has not made may have names
 * with spaces in them.
 *
 * @throws {GosumError} as `unpackLeaves`.
 */
export function unpackUsual(pack: Uint8Array): Omit<UsualRecords, 'hashes'> {
  const width = packedWidth(pack);
  const { offsets, hashes } = usualParts(pack, width);
  const names = offsets.map((_, group) => groupOf(pack, width, group));
  const at = new Uint32Array(width + 1);
  const spaces = new Uint32Array(width);
  const ends = new Uint32Array(width);
  names.forEach(({ starts, lengths }, group) =>
    lengths.forEach((length, i) => {
      const n = group * GROUP + i;
      const text = (at[n] ?? 0) + 1;
      spaces[n] = text + (starts[i + 1] ?? 0) - (starts[i] ?? 0) - 1;
      ends[n] = text + length;
      at[n + 1] = text + usualLength(length);
    }),
  );
  const bytes = new Uint8Array(at[width] ?? 0);
  names.forEach((group, g) => {
    for (let i = 0; i < group.lengths.length; i++) {
      const n = g * GROUP + i;
      writeRecord(group, i, bytes, (at[n] ?? 0) + 1, hashes, n * PAIR_SIZE);
    }
  });
  return { leaves: { bytes, at }, spaces, ends };
}

/** Reports whether a pack is of form 1. */
export function isUsualPack(pack: Uint8Array): boolean {
  return pack[0] === USUAL;
}

/** The texts of a pack's records. @throws {GosumError} as `unpackLeaves`. */
export function unpackRecords(pack: Uint8Array): Uint8Array[] {
  return textsOf(unpackLeaves(pack));
}

/** The text of one record of a pack, by its place in it. @throws {GosumError} as `unpackLeaves`. */
export function unpackRecord(pack: Uint8Array, i: number): Uint8Array {
  const width = packedWidth(pack);
  if (!(i >= 0 && i < width)) throw new Error(`no record ${i} in a pack of ${width}`);
  if (pack[0] === WHOLE) return leafText(leavesAt(inflateWhole(pack), width), i);
  const { hashes } = usualParts(pack, width);
  const group = groupOf(pack, width, Math.floor(i / GROUP));
  const text = new Uint8Array(usualLength(group.lengths[i % GROUP] ?? 0));
  writeRecord(group, i % GROUP, text, 0, hashes, i * PAIR_SIZE);
  return text;
}

/** The names of a pack's records, in their order. @throws {GosumError} as `unpackLeaves`; `UTF8_MALFORMED`. */
export function packedNames(pack: Uint8Array): NamedRecord[] {
  const width = packedWidth(pack);
  if (pack[0] === WHOLE) return unpackRecords(pack).flatMap((text, i) => namesOf(text).map((name) => ({ i, ...name })));
  return usualParts(pack, width).offsets.flatMap((_, group) => {
    const { bytes, lengths } = groupOf(pack, width, group);
    const names = decodeUtf8(bytes).split('\n');
    return Array.from(lengths, (_length, i) => ({
      i: group * GROUP + i,
      module: names[i] ?? '',
      version: names[lengths.length + i] ?? '',
    }));
  });
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

/** A group's names, inflated. */
interface Group {
  readonly bytes: Uint8Array;
  /** Where each path and then each version begins, and their end. */
  readonly starts: Uint32Array;
  /** Bytes of each record's `path version`. */
  readonly lengths: Uint32Array;
}

function groupOf(pack: Uint8Array, width: number, group: number): Group {
  const { offsets } = usualParts(pack, width);
  const word = HEAD + group * 2 * WORD;
  const from = offsets[group] ?? 0;
  const bytes = inflate(pack.subarray(from, from + wordAt(pack, word + WORD)), wordAt(pack, word), GROUP_OPTIONS);
  const count = Math.min(GROUP, width - group * GROUP);
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

/** Writes the `i`th record of a group. */
function writeRecord({ bytes, starts, lengths }: Group, i: number, into: Uint8Array, to: number, hashes: Uint8Array, at: number): void {
  let out = to;
  for (let from = starts[i] ?? 0, end = (starts[i + 1] ?? 0) - 1; from < end; from++) into[out++] = bytes[from] ?? 0;
  into[out++] = SPACE;
  const version = lengths.length + i;
  for (let from = starts[version] ?? 0, end = (starts[version + 1] ?? 0) - 1; from < end; from++) into[out++] = bytes[from] ?? 0;
  writeUsual(into, to, lengths[i] ?? 0, hashes, at);
}

/** The parts of a pack of form 1: its hashes, and where each group stands. */
function usualParts(pack: Uint8Array, width: number): { readonly hashes: Uint8Array; readonly offsets: number[] } {
  if (pack[0] !== USUAL) throw malformed(`form ${pack[0] ?? 'none'}`);
  const groups = groupsOf(width);
  const from = HEAD + groups * 2 * WORD;
  const offsets: number[] = [];
  let at = from + width * PAIR_SIZE;
  for (let group = 0; group < groups; group++) {
    offsets.push(at);
    at += wordAt(pack, HEAD + group * 2 * WORD + WORD);
  }
  if (at !== pack.length) throw malformed(`${pack.length} bytes, want ${at}`);
  return { hashes: pack.subarray(from, from + width * PAIR_SIZE), offsets };
}

function inflateWhole(pack: Uint8Array): Uint8Array {
  return inflate(pack.subarray(HEAD + WORD), wordAt(pack, HEAD), WHOLE_OPTIONS);
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

function inflate(deflated: Uint8Array, length: number, { windowBits, dictionary }: ZlibOptions): Uint8Array {
  if (length > MOST_BYTES) throw malformed(`${length} bytes of names or records`);
  let bytes: Buffer;
  try {
    bytes = inflateRawSync(deflated, {
      windowBits,
      dictionary,
      chunkSize: Math.max(length, 64),
      maxOutputLength: Math.max(length, 1),
    });
  } catch (cause) {
    throw malformed('it does not inflate', cause);
  }
  if (bytes.length !== length) throw malformed(`${bytes.length} bytes inflated, want ${length}`);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function groupsOf(width: number): number {
  return Math.ceil(width / GROUP);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}

function setWord(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < WORD; i++) bytes[at + i] = value >>> (8 * i);
}

function malformed(detail: string, cause?: unknown): GosumError {
  return new GosumError('RECORD_MALFORMED', `malformed pack: ${detail}`, { cause });
}
