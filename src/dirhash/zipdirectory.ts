/**
 * The central directory of a zip (APPNOTE 4.3.12): the only place that names come from, as in Go.
 *
 * What it says is held against the rest of the zip later: local headers and descriptors in zipentry.ts, contents in
 * zipcontent.ts.
 */

import { decodeName } from './zipname.js';
import { readUint64 } from './zipnumber.js';
import { readZipEnd } from './zipend.js';
import { DEFLATED, extraFields, STORED, ZIP64_EXTRA, type ZipEntry } from './zipentry.js';
import { ZipError } from './ziperror.js';
import type { ZipFile } from './zipfile.js';

/** The most bytes of a zip, and the most bytes of all contents together. x/mod's limit for a module zip is about half. */
export const MAX_BYTES: number = 2 ** 30;
/** The most entries: as many stay below 150 MB of memory. Go has no such limit; the largest modules have some 30,000. */
export const MAX_ENTRIES = 75_000;
/** The most bytes of a central directory. */
export const MAX_DIRECTORY_BYTES: number = 2 ** 26;
/** The most bytes of a name: longer ones, no system could extract. */
export const MAX_NAME_BYTES = 4096;

/** A zip's central directory. */
export interface ZipDirectory {
  /** Offset of its first byte: where the last entry must end. */
  readonly start: number;
  /** In the directory's order. */
  readonly entries: readonly ZipEntry[];
}

const HEADER_SIGNATURE = 0x02014b50;
const HEADER_SIZE = 46;
const MAX_UINT32 = 0xffffffff;
const UNICODE_NAME_EXTRA = 0x7075;
/** Encrypted, patched, strongly encrypted, masked headers (4.4.4). Go looks at none of them. */
const FOREIGN_FLAGS = 0x0001 | 0x0020 | 0x0040 | 0x2000;

/**
 * Reads the central directory.
 *
 * @throws {ZipError} `ZIP_MALFORMED`, `ZIP_LIMIT`. @throws {GosumError} `FILE_FAILED`.
 */
export function readZipDirectory(file: ZipFile): ZipDirectory {
  const limit = (what: string, most: number): ZipError =>
    new ZipError('ZIP_LIMIT', file.label, undefined, `it has more than ${most} ${what}`);
  if (file.size > MAX_BYTES) throw limit('bytes', MAX_BYTES);
  const end = readZipEnd(file);
  if (end.entries > MAX_ENTRIES) throw limit('entries', MAX_ENTRIES);
  if (end.size > MAX_DIRECTORY_BYTES) throw limit('bytes of central directory', MAX_DIRECTORY_BYTES);

  const bytes = Buffer.allocUnsafeSlow(end.size);
  file.read(bytes, end.start);
  const entries: ZipEntry[] = [];
  let at = 0;
  let contents = 0;
  while (at < bytes.length && entries.length < end.entries) {
    const header = headerAt(bytes, at);
    if (header === undefined) {
      throw new ZipError('ZIP_MALFORMED', file.label, undefined, `header ${entries.length + 1} of its central directory is cut short or none`);
    }
    const entry = parseHeader(header, entries.length, file.label);
    contents += entry.size;
    if (contents > MAX_BYTES) throw limit('bytes of contents', MAX_BYTES);
    entries.push(entry);
    at += header.length;
  }
  if (at !== bytes.length || entries.length !== end.entries) {
    const detail = `its central directory of ${bytes.length} bytes does not have ${end.entries} headers`;
    throw new ZipError('ZIP_MALFORMED', file.label, undefined, detail);
  }
  return { start: end.start, entries };
}

/** The whole header at an offset, with name, extra field and comment. */
function headerAt(directory: Buffer, at: number): Buffer | undefined {
  if (at + HEADER_SIZE > directory.length || directory.readUInt32LE(at) !== HEADER_SIGNATURE) return undefined;
  const size =
    HEADER_SIZE + directory.readUInt16LE(at + 28) + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  return at + size > directory.length ? undefined : directory.subarray(at, at + size);
}

function parseHeader(header: Buffer, index: number, zip: string): ZipEntry {
  const nameEnd = HEADER_SIZE + header.readUInt16LE(28);
  const name = header.toString('latin1', HEADER_SIZE, nameEnd);
  const malformed = (detail: string): ZipError => new ZipError('ZIP_MALFORMED', zip, decodeName(name).name, detail);

  if (name.length > MAX_NAME_BYTES) {
    throw new ZipError('ZIP_LIMIT', zip, decodeName(name).name, `its name has more than ${MAX_NAME_BYTES} bytes`);
  }
  if (name.includes('\n')) throw malformed('its name has a newline');
  const flags = header.readUInt16LE(8);
  const method = header.readUInt16LE(10);
  if ((flags & FOREIGN_FLAGS) !== 0) throw malformed('it is encrypted or patched');
  if (method !== STORED && method !== DEFLATED) throw malformed(`its method of compression, ${method}, is unknown`);
  if (header.readUInt16LE(34) !== 0) throw malformed('it is on another disk');

  const extra = header.subarray(nameEnd, nameEnd + header.readUInt16LE(30));
  const numbers = { packedSize: header.readUInt32LE(20), size: header.readUInt32LE(24), start: header.readUInt32LE(42) };
  const flaw = readZip64(extra, numbers) ?? unicodeNameFlaw(extra, name);
  if (flaw !== undefined) throw malformed(flaw);
  const { packedSize, size, start } = numbers;

  if (method === STORED && packedSize !== size) throw malformed(`it is stored, and gives two sizes: ${packedSize} and ${size}`);
  if (name.endsWith('/') && size !== 0) throw malformed('it is a folder with content');
  return { name, index, flags, method, crc: header.readUInt32LE(16), packedSize, size, start };
}

/** Puts the numbers of a zip64 field (4.5.3) in the place of those that are too small for theirs; says what is wrong with it. */
function readZip64(extra: Buffer, numbers: { packedSize: number; size: number; start: number }): string | undefined {
  // nearly every entry
  if (extra.length === 0 && Math.max(numbers.packedSize, numbers.size, numbers.start) < MAX_UINT32) return undefined;
  const wanted = (['size', 'packedSize', 'start'] as const).filter((key) => numbers[key] === MAX_UINT32);
  const fields = extraFields(extra, ZIP64_EXTRA);
  const [field] = fields;
  if (fields.length > 1) return 'it has several zip64 fields';
  if (field === undefined) return wanted.length === 0 ? undefined : 'it has no zip64 field for its sizes';
  if (field.length < 8 * wanted.length) return 'its zip64 field is cut short';
  for (const [i, key] of wanted.entries()) numbers[key] = readUint64(field, 8 * i);
  const left = field.subarray(8 * wanted.length);
  // Go's own writer adds the offset to the sizes always; whatever else is left would be read by some and not by others
  const fits = left.length === 0 || (left.length === 8 && wanted.length === 2 && readUint64(left, 0) === numbers.start);
  return fits ? undefined : 'its zip64 field contradicts its header';
}

/** A field of Info-ZIP's (4.6.9) that gives a name which some readers prefer. */
function unicodeNameFlaw(extra: Buffer, name: string): string | undefined {
  if (extra.length === 0) return undefined;
  const others = extraFields(extra, UNICODE_NAME_EXTRA);
  return others.every((field) => field.toString('latin1', 5) === name) ? undefined : 'an extra field gives it another name';
}
