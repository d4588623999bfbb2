/**
 * An entry of a zip: what the central directory says of it (APPNOTE 4.3.12), and its local header and data descriptor
 * (4.3.7, 4.3.9), which must say the same. Two readers, of which one goes by the directory and the other from front to
 * back, must see one zip.
 */

import { readUint64 } from './zipnumber.js';

/** What the central directory says of an entry. Attacker-controlled, and within the limits of zipdirectory.ts. */
export interface ZipEntry {
  /** The bytes of the name, a character (U+0000 to U+00FF) each: so that texts sort as bytes do. */
  readonly name: string;
  /** Place in the directory, from 0 on. */
  readonly index: number;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  /** Bytes as stored in the zip. */
  readonly packedSize: number;
  /** Bytes of the content. */
  readonly size: number;
  /** Offset of the local header. */
  readonly start: number;
}

/** Methods of compression. */
export const STORED = 0;
export const DEFLATED = 8;

const LOCAL_SIGNATURE = 0x04034b50;
const DESCRIPTOR_SIGNATURE = 0x08074b50;
/** Kind of the extra field with sizes of 64 bits. */
export const ZIP64_EXTRA = 0x0001;
const MAX_UINT32 = 0xffffffff;
/** Bytes of a local header without name and extra field. */
export const LOCAL_SIZE = 30;
/** The longest data descriptor. */
export const MAX_DESCRIPTOR_SIZE = 24;

const HAS_DESCRIPTOR = 0x0008;
/** Bits of the flags that say how hard the compressor tried: no reader needs them. */
const EFFORT = 0x0006;

/**
 * Says what is wrong with an entry's local header, or where in it the data begins.
 *
 * @param bytes from the local header on, at least all of the header with its name and extra field, where they lie in the
 *   entry's region.
 * @returns the offset of the data in `bytes`; a text where the header disagrees with the directory.
 */
export function findData(bytes: Buffer, entry: ZipEntry): number | string {
  if (bytes.length < LOCAL_SIZE || bytes.readUInt32LE(0) !== LOCAL_SIGNATURE) return 'it has no local header';
  const nameEnd = LOCAL_SIZE + bytes.readUInt16LE(26);
  const dataStart = nameEnd + bytes.readUInt16LE(28);
  if (dataStart > bytes.length) return 'its local header runs into the next one';
  if (bytes.toString('latin1', LOCAL_SIZE, nameEnd) !== entry.name) return 'its local header gives another name';
  if ((bytes.readUInt16LE(6) ^ entry.flags) & ~EFFORT) return 'its local header gives other flags';
  if (bytes.readUInt16LE(8) !== entry.method) return 'its local header gives another method';

  let packedSize = bytes.readUInt32LE(18);
  let size = bytes.readUInt32LE(22);
  if (size === MAX_UINT32 || packedSize === MAX_UINT32) {
    const [zip64, second] = extraFields(bytes.subarray(nameEnd, dataStart), ZIP64_EXTRA);
    if (zip64 === undefined || second !== undefined || zip64.length < 16) return 'its local header has no zip64 sizes, or several';
    if (size === MAX_UINT32) size = readUint64(zip64, 0);
    if (packedSize === MAX_UINT32) packedSize = readUint64(zip64, 8);
  }
  const crc = bytes.readUInt32LE(14);
  // with a descriptor behind the data the numbers are not known yet, and zero
  const unset = (entry.flags & HAS_DESCRIPTOR) !== 0 ? 0 : undefined;
  if (crc !== entry.crc && crc !== unset) return 'its local header gives another CRC';
  if (size !== entry.size && size !== unset) return 'its local header gives another size';
  if (packedSize !== entry.packedSize && packedSize !== unset) return 'its local header gives another packed size';
  return dataStart;
}

/**
 * Says what is wrong with what lies behind an entry's data, up to the next entry: its data descriptor, where the flags
 * announce one, and nothing else. The signature and the width of the sizes are matters of taste (4.3.9.3), so the length
 * tells which form it is.
 *
 * @param bytes all that lies there, or the first bytes of it, but more than a descriptor has.
 */
export function descriptorFlaw(bytes: Buffer, entry: ZipEntry): string | undefined {
  if ((entry.flags & HAS_DESCRIPTOR) === 0) {
    return bytes.length === 0 ? undefined : 'there are bytes behind its data that belong to nothing';
  }
  const hasSignature = bytes.length >= 4 && bytes.readUInt32LE(0) === DESCRIPTOR_SIGNATURE;
  const fields = hasSignature ? bytes.subarray(4) : bytes;
  if (fields.length !== 12 && fields.length !== 20) return 'what lies behind its data is no data descriptor';
  const wide = fields.length === 20;
  const packedSize = wide ? readUint64(fields, 4) : fields.readUInt32LE(4);
  const size = wide ? readUint64(fields, 12) : fields.readUInt32LE(8);
  const agrees = fields.readUInt32LE(0) === entry.crc && packedSize === entry.packedSize && size === entry.size;
  return agrees ? undefined : 'its data descriptor disagrees with the central directory';
}

/** The extra fields of a kind (4.5.1). What is no whole field at the end is not looked at, as in Go. */
export function extraFields(extra: Buffer, kind: number): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  while (at + 4 <= extra.length) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length) break;
    if (extra.readUInt16LE(at) === kind) found.push(extra.subarray(at + 4, end));
    at = end;
  }
  return found;
}
