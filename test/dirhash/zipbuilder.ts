/**
 * Zips made byte by byte, so that a test can lie in any field of them. A plan says what differs from an honest zip; what it
 * does not say is made so that all agree.
 */

import { crc32, deflateRawSync } from 'node:zlib';

type Bytes = string | Uint8Array;

/** The numbers and texts of an entry, as each of the two headers has them. */
export interface HeaderPlan {
  readonly signature?: string;
  readonly name?: Bytes;
  readonly flags?: number;
  readonly method?: number;
  readonly crc?: number;
  readonly packedSize?: number;
  readonly size?: number;
  readonly extra?: Bytes;
}

export interface EntryPlan extends HeaderPlan {
  readonly name: Bytes;
  /** What is in it; nothing by default. */
  readonly content?: Bytes;
  /** The packed content, where it is not simply the content deflated (method 8, the default) or as it is (method 0). */
  readonly data?: Uint8Array;
  /** What the local header has otherwise. */
  readonly local?: HeaderPlan;
  /** What lies behind the data: a form of data descriptor, or any bytes. By default nothing, and flag bit 3 is off. */
  readonly descriptor?: 'signed' | 'bare' | 'signed64' | 'bare64' | Uint8Array;
  /** Whether the sizes and the offset stand in zip64 fields, in both headers. */
  readonly zip64?: boolean;
  /** Bytes in front of the local header that belong to nothing. */
  readonly junk?: Bytes;
  /** Of the local header. */
  readonly start?: number;
  readonly comment?: Bytes;
  readonly attributes?: number;
  readonly disk?: number;
}

/** Fields of the end records. */
export interface EndPlan {
  readonly disk?: number;
  readonly startDisk?: number;
  readonly entriesHere?: number;
  readonly entries?: number;
  readonly size?: number;
  readonly start?: number;
}

export interface ZipPlan {
  readonly entries: readonly EntryPlan[];
  /** In front of all. */
  readonly before?: Bytes;
  /** Offsets count from behind the bytes in front. */
  readonly relative?: boolean;
  /** Order of the central directory, by places in `entries`. */
  readonly order?: readonly number[];
  /** Between the last entry and the directory, between the directory and the end, behind the end. */
  readonly beforeDirectory?: Bytes;
  readonly afterDirectory?: Bytes;
  readonly after?: Bytes;
  readonly comment?: Bytes;
  readonly commentLength?: number;
  readonly end?: EndPlan;
  /** Whether there is a zip64 end record; its fields where they lie. */
  readonly zip64?: EndPlan & { readonly recordSize?: number; readonly locatorAt?: number; readonly locatorDisk?: number; readonly disks?: number; readonly signature?: string };
}

const HAS_DESCRIPTOR = 8;
const IS_UTF8 = 0x800;
const MAX_UINT16 = 0xffff;
const MAX_UINT32 = 0xffffffff;

export function bytesOf(bytes: Bytes): Buffer {
  return Buffer.from(bytes as string);
}

/** Little-endian numbers of so many bytes each, as `[value, width]`. */
export function numbers(...parts: readonly (readonly [value: number, width: 2 | 4 | 8])[]): Buffer {
  return Buffer.concat(
    parts.map(([value, width]) => {
      const buffer = Buffer.alloc(8);
      buffer.writeBigUInt64LE(BigInt(value));
      return buffer.subarray(0, width);
    }),
  );
}

/** An extra field. */
export function extraField(kind: number, content: Bytes): Buffer {
  return Buffer.concat([numbers([kind, 2], [bytesOf(content).length, 2]), bytesOf(content)]);
}

/** The zip of a plan. */
export function buildZip(plan: ZipPlan): Buffer {
  const before = bytesOf(plan.before ?? '');
  const parts: Buffer[] = [before];
  let at = plan.relative === true ? 0 : before.length;
  const add = (bytes: Buffer): void => {
    parts.push(bytes);
    at += bytes.length;
  };
  const headers: Buffer[] = [];
  for (const entry of plan.entries) {
    add(bytesOf(entry.junk ?? ''));
    const start = at;
    const content = bytesOf(entry.content ?? '');
    const method = entry.method ?? 8;
    const data = Buffer.from(entry.data ?? (method === 8 ? deflateRawSync(content) : content));
    const { crc = crc32(content), packedSize = data.length, size = content.length } = entry;
    const name = bytesOf(entry.name);
    const flags = entry.flags ?? ((entry.descriptor === undefined ? 0 : HAS_DESCRIPTOR) | (name.some((byte) => byte > 127) ? IS_UTF8 : 0));
    const { zip64 = false } = entry;
    const unknown = (flags & HAS_DESCRIPTOR) !== 0;
    const sizes64 = extraField(1, numbers([unknown ? 0 : size, 8], [unknown ? 0 : packedSize, 8]));
    const local = {
      signature: 'PK\x03\x04',
      name,
      flags,
      method,
      crc: unknown ? 0 : crc,
      packedSize: zip64 ? MAX_UINT32 : unknown ? 0 : packedSize,
      size: zip64 ? MAX_UINT32 : unknown ? 0 : size,
      extra: zip64 ? sizes64 : '',
      ...entry.local,
    };
    add(header(local, Buffer.alloc(0), Buffer.alloc(0)));
    add(data);
    add(descriptor(entry.descriptor, crc, packedSize, size));
    const central = {
      signature: 'PK\x01\x02',
      name,
      flags,
      method,
      crc,
      packedSize: zip64 ? MAX_UINT32 : packedSize,
      size: zip64 ? MAX_UINT32 : size,
      extra: entry.extra ?? (zip64 ? extraField(1, numbers([size, 8], [packedSize, 8], [entry.start ?? start, 8])) : ''),
    };
    const comment = bytesOf(entry.comment ?? '');
    const tail = numbers([comment.length, 2], [entry.disk ?? 0, 2], [0, 2], [entry.attributes ?? 0, 4], [zip64 ? MAX_UINT32 : entry.start ?? start, 4]);
    headers.push(header(central, tail, comment));
  }
  add(bytesOf(plan.beforeDirectory ?? ''));
  const start = at;
  for (const place of plan.order ?? headers.keys()) add(headers[place]!);
  const size = at - start;
  add(bytesOf(plan.afterDirectory ?? ''));
  const entries = plan.order?.length ?? headers.length;
  if (plan.zip64 !== undefined) add(end64({ entries, size, start, at, ...plan.zip64 }));
  const short = plan.zip64 === undefined ? { entries, size, start } : { entries: MAX_UINT16, size: MAX_UINT32, start: MAX_UINT32 };
  const end = { disk: 0, startDisk: 0, ...short, ...plan.end };
  const comment = bytesOf(plan.comment ?? '');
  add(Buffer.from('PK\x05\x06'));
  add(numbers([end.disk, 2], [end.startDisk, 2], [end.entriesHere ?? end.entries, 2], [end.entries, 2], [end.size, 4], [end.start, 4]));
  add(numbers([plan.commentLength ?? comment.length, 2]));
  add(comment);
  add(bytesOf(plan.after ?? ''));
  return Buffer.concat(parts);
}

/** A local header, or with a tail one of the central directory. */
function header(plan: Required<HeaderPlan>, tail: Buffer, comment: Buffer): Buffer {
  const name = bytesOf(plan.name);
  const extra = bytesOf(plan.extra);
  return Buffer.concat([
    Buffer.from(plan.signature),
    tail.length === 0 ? Buffer.alloc(0) : numbers([20, 2]),
    numbers([20, 2], [plan.flags, 2], [plan.method, 2], [0, 4], [plan.crc, 4], [plan.packedSize, 4], [plan.size, 4]),
    numbers([name.length, 2], [extra.length, 2]),
    tail,
    name,
    extra,
    comment,
  ]);
}

function descriptor(form: EntryPlan['descriptor'], crc: number, packedSize: number, size: number): Buffer {
  if (form === undefined) return Buffer.alloc(0);
  if (typeof form !== 'string') return Buffer.from(form);
  const width = form.endsWith('64') ? 8 : 4;
  const fields = numbers([crc, 4], [packedSize, width], [size, width]);
  return form.startsWith('bare') ? fields : Buffer.concat([Buffer.from('PK\x07\x08'), fields]);
}

function end64(plan: NonNullable<ZipPlan['zip64']> & { entries: number; size: number; start: number; at: number }): Buffer {
  const { entries, size, start, at } = plan;
  return Buffer.concat([
    Buffer.from(plan.signature ?? 'PK\x06\x06'),
    numbers([plan.recordSize ?? 44, 8], [45, 2], [45, 2], [plan.disk ?? 0, 4], [plan.startDisk ?? 0, 4]),
    numbers([plan.entriesHere ?? entries, 8], [entries, 8], [size, 8], [start, 8]),
    Buffer.from('PK\x06\x07'),
    numbers([plan.locatorDisk ?? 0, 4], [plan.locatorAt ?? at, 8], [plan.disks ?? 1, 4]),
  ]);
}
