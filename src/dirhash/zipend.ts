/**
 * The end of a zip: the end record, and before it the zip64 end record and its locator, where there are such
 * (PKWARE's APPNOTE 4.3.14 to 4.3.16). They say where the central directory lies.
 *
 * Go searches the end record backwards, takes bytes behind it, bytes before the first entry, and a count of entries modulo
 * 65,536, and does not look at disk numbers. Each of these would let another reader see another zip, and is refused.
 */

import { readUint64 } from './zipnumber.js';
import { ZipError } from './ziperror.js';
import type { ZipFile } from './zipfile.js';

/** Where the central directory lies, and how many entries it says to have. */
export interface ZipEnd {
  readonly entries: number;
  /** Offset of its first byte. */
  readonly start: number;
  /** Bytes of it. */
  readonly size: number;
}

const END_SIZE = 22;
const LOCATOR_SIZE = 20;
const END64_SIZE = 56;
/** The furthest from the end of the file that an end record can begin. */
const FURTHEST = END_SIZE + 0xffff;
const MAX_UINT16 = 0xffff;
const MAX_UINT32 = 0xffffffff;

const END_SIGNATURE = Buffer.from('PK\x05\x06', 'latin1');
const LOCATOR_SIGNATURE = 0x07064b50;
const END64_SIGNATURE = 0x06064b50;

/**
 * Finds the central directory, which must end where the end records begin.
 *
 * @throws {ZipError} `ZIP_MALFORMED`. @throws {GosumError} `FILE_FAILED`.
 */
export function readZipEnd(file: ZipFile): ZipEnd {
  const malformed = (detail: string): ZipError => new ZipError('ZIP_MALFORMED', file.label, undefined, detail);
  const tail = Buffer.allocUnsafeSlow(Math.min(file.size, FURTHEST + LOCATOR_SIZE + END64_SIZE));
  file.read(tail, file.size - tail.length);

  const at = tail.length < END_SIZE ? -1 : tail.lastIndexOf(END_SIGNATURE, tail.length - END_SIZE);
  if (at < 0) throw malformed('not a zip: it has no end record');
  const behind = tail.length - at - END_SIZE - tail.readUInt16LE(at + 20);
  if (behind < 0) throw malformed(`the comment of its end record is cut short by ${-behind} bytes`);
  if (behind > 0) throw malformed(`there are ${behind} bytes behind its end record`);

  const end = {
    disk: tail.readUInt16LE(at + 4),
    startDisk: tail.readUInt16LE(at + 6),
    entriesHere: tail.readUInt16LE(at + 8),
    entries: tail.readUInt16LE(at + 10),
    size: tail.readUInt32LE(at + 12),
    start: tail.readUInt32LE(at + 16),
  };
  if (end.disk !== 0 || end.startDisk !== 0) throw malformed('it is one of several disks');
  if (end.entriesHere !== end.entries) throw malformed('its end record gives two numbers of entries');

  let directoryEnd = file.size - tail.length + at;
  let { entries, size, start } = end;
  const hasLocator = at >= LOCATOR_SIZE && tail.readUInt32LE(at - LOCATOR_SIZE) === LOCATOR_SIGNATURE;
  if (hasLocator) {
    const end64At = at - LOCATOR_SIZE - END64_SIZE;
    directoryEnd -= LOCATOR_SIZE + END64_SIZE;
    if (end64At < 0 || readUint64(tail, at - 12) !== directoryEnd || tail.readUInt32LE(end64At) !== END64_SIGNATURE) {
      throw malformed('its zip64 locator does not lead to a zip64 end record that lies right before it');
    }
    if (tail.readUInt32LE(at - 16) !== 0 || tail.readUInt32LE(at - 4) !== 1) throw malformed('it is one of several disks');
    const end64 = readEnd64(tail.subarray(end64At), malformed);
    // Go reads the zip64 record only where one of these says so (0xffff for the size is a slip of Go's, kept by it)
    const goLooks = entries === MAX_UINT16 || size === 0xffff || start === MAX_UINT32;
    const agree =
      (entries === end64.entries || (goLooks && entries === MAX_UINT16)) &&
      (size === end64.size || (goLooks && size === MAX_UINT32)) &&
      (start === end64.start || (goLooks && start === MAX_UINT32));
    if (!agree) throw malformed('its end record and its zip64 end record disagree');
    ({ entries, size, start } = end64);
  }
  if (start + size !== directoryEnd) {
    throw malformed(`its central directory ends at byte ${start + size}, and its end records begin at ${directoryEnd}`);
  }
  return { entries, start, size };
}

function readEnd64(end: Buffer, malformed: (detail: string) => ZipError): ZipEnd {
  if (readUint64(end, 4) !== END64_SIZE - 12) throw malformed('its zip64 end record has an unknown length');
  if (end.readUInt32LE(16) !== 0 || end.readUInt32LE(20) !== 0) throw malformed('it is one of several disks');
  const entries = readUint64(end, 32);
  if (readUint64(end, 24) !== entries) throw malformed('its zip64 end record gives two numbers of entries');
  return { entries, size: readUint64(end, 40), start: readUint64(end, 48) };
}
