/** The corpus of zips, honest and hostile: what we make of each, and whether Go makes the same of it. */

import { crc32, deflateRawSync } from 'node:zlib';
import { buildZip, bytesOf, extraField, numbers, type EntryPlan, type HeaderPlan, type ZipPlan } from './zipbuilder.js';

/** In front of the names of a module's files. */
export const PREFIX = 'example.com/m@v1.2.3/';
const P = PREFIX;

/** A zip that has an h1, as Go says too. */
export interface Taken {
  readonly name: string;
  readonly zip: Buffer;
  /** Names and contents that are hashed. */
  readonly files: readonly (readonly [name: Uint8Array, content: Uint8Array])[];
  /** Of all entries' contents. */
  readonly bytes: number;
  /** The rules that it breaks; Go's CheckZip takes it where there are none. */
  readonly rules: readonly string[];
}

/** A zip that is refused. */
export interface Refused {
  readonly name: string;
  readonly zip: Buffer;
  readonly code: 'ZIP_MALFORMED' | 'ZIP_LIMIT';
  /** In the message: by which guard. */
  readonly says: RegExp;
  /** Whether Go gives an h1. */
  readonly goTakes: boolean;
}

const GO_MOD: EntryPlan = { name: `${P}go.mod`, content: 'module example.com/m\n' };
const A: EntryPlan = { name: `${P}a.go`, content: 'package a\n\n// a a a a a a a a a a a a a a a a\n' };
const B: EntryPlan = { name: `${P}b.txt`, content: 'b', method: 0 };
const ENTRIES = [GO_MOD, A, B];
/** A small zip with a folder's worth of everything, for cuts and flips. */
export const HONEST: Buffer = buildZip({ entries: [{ ...GO_MOD, descriptor: 'signed' }, A, { ...B, zip64: true }], zip64: {}, comment: 'c' });

interface More {
  readonly rules?: readonly string[];
  readonly files?: Taken['files'];
}

function taken(name: string, plan: ZipPlan, { rules = [], files }: More = {}): Taken {
  const planned = plan.entries.map((entry) => [bytesOf(entry.name), bytesOf(entry.content ?? '')] as const);
  return { name, zip: buildZip(plan), files: files ?? planned, bytes: planned.reduce((sum, [, content]) => sum + content.length, 0), rules };
}

/** One more file in a module. */
function withFile(name: string, file: Partial<EntryPlan>, more: More = {}): Taken {
  return taken(name, { entries: [GO_MOD, { name: `${P}x`, content: 'xxxxxxxxxx', ...file }, A] }, more);
}

const X = 'xxxxxxxxxx';
/** Where the local header of A lies, and of any other entry behind GO_MOD. */
const A_START = endOf([GO_MOD]).start;
const raw = (...bytes: number[]): Buffer => Buffer.from(bytes);
const rawName = Buffer.concat([bytesOf(P), raw(0xff, 0xfe)]);
const unicodeName = (name: string): Buffer => extraField(0x7075, Buffer.concat([raw(1), numbers([crc32(`${P}x`), 4]), bytesOf(name)]));
const X_SIZES = numbers([10, 8], [10, 8]);
const inner = buildZip({ entries: [{ name: 'other', content: 'o' }] });
const f = (name: string, content: string): readonly [Buffer, Buffer] => [bytesOf(name), bytesOf(content)];

export const TAKEN: readonly Taken[] = [
  taken('plain', { entries: ENTRIES }),
  taken('all stored', { entries: ENTRIES.map((entry) => ({ ...entry, method: 0 })) }),
  taken('directory in another order', { entries: ENTRIES, order: [2, 0, 1] }),
  taken('no entries', { entries: [] }),
  taken('a zip comment', { entries: ENTRIES, comment: 'hello' }),
  taken('the longest comment', { entries: ENTRIES, comment: 'x'.repeat(65_535) }),
  taken('a comment that ends with the signature of an end record', { entries: ENTRIES, comment: 'x PK\x05\x06' }),
  taken('everything, and zip64', { entries: [{ ...GO_MOD, descriptor: 'signed' }, A, { ...B, zip64: true }], zip64: {}, comment: 'c' }),
  withFile('an empty file, deflated', { content: '' }),
  withFile('an empty file, stored', { content: '', method: 0 }),
  withFile('a file of one byte', { content: 'x' }),
  withFile('a descriptor with a signature', { descriptor: 'signed' }),
  withFile('a descriptor without a signature', { descriptor: 'bare' }),
  withFile('a descriptor with a signature and wide sizes', { descriptor: 'signed64' }),
  withFile('a descriptor with wide sizes alone', { descriptor: 'bare64' }),
  withFile('a descriptor of a stored file', { method: 0, descriptor: 'signed' }),
  withFile('a descriptor, with the numbers in the local header too', { method: 0, descriptor: 'signed', local: { crc: crc32('xxxxxxxxxx'), size: 10, packedSize: 10 } }),
  withFile('zip64 sizes', { zip64: true }),
  withFile('zip64 sizes and a descriptor', { zip64: true, descriptor: 'signed64' }),
  withFile('zip64 sizes in the local header alone', { method: 0, local: { size: 0xffffffff, packedSize: 0xffffffff, extra: extraField(1, X_SIZES) } }),
  withFile('one zip64 size', { method: 0, size: 0xffffffff, packedSize: 10, local: { size: 10 }, extra: extraField(1, numbers([10, 8])) }),
  withFile('zip64 sizes, and the offset too', { method: 0, size: 0xffffffff, packedSize: 0xffffffff, local: { size: 10, packedSize: 10 }, extra: extraField(1, Buffer.concat([X_SIZES, numbers([A_START, 8])])) }),
  taken('a zip64 end record', { entries: ENTRIES, zip64: {} }),
  taken('a zip64 end record of no entries', { entries: [], zip64: {} }),
  taken('a zip64 end record that is not called for', { entries: ENTRIES, zip64: {}, end: endOf(ENTRIES) }),
  withFile('effort in one header’s flags', { local: { flags: 4 } }),
  withFile('extra fields', { extra: extraField(0x5455, raw(1, 0, 0, 0, 0)), local: { extra: extraField(0x5455, raw(1, 1, 1, 1, 1)) } }),
  withFile('an extra field that is cut short', { extra: raw(1, 0, 9), local: { extra: raw(1, 0, 200, 0, 1) } }),
  withFile('an extra field with the same name', { extra: unicodeName(`${P}x`) }),
  withFile('an entry comment', { comment: 'no PK\x05\x06 end' }),
  withFile('a zip in a zip, stored', { method: 0, content: inner }),
  withFile('the mode of a symbolic link', { attributes: 0xa1ff0000 }),
  withFile('no compression, by deflate', { data: deflateRawSync('xxxxxxxxxx', { level: 0 }) }),
  withFile('empty blocks of deflate', { data: Buffer.concat([raw(0, 0, 0, 0xff, 0xff), raw(0, 0, 0, 0xff, 0xff), deflateRawSync('xxxxxxxxxx')]) }),
  withFile('a folder', { name: `${P}sub/`, content: '', method: 0 }),
  withFile('a folder, deflated', { name: `${P}sub/`, content: '' }),
  withFile('the module’s folder', { name: P, content: '', method: 0 }),
  withFile('UTF-8 with its flag', { name: `${P}ж` }),
  withFile('UTF-8 without its flag', { name: `${P}ж`, flags: 0 }),
  taken('order of names', { entries: ['\uffff', '\u{10000}', 'a', 'a/b', 'a.b', 'B'].map((name) => ({ name: `${P}s${name}/x`, content: name })) }, { rules: ['NAME s\uffff/x'] }),
  withFile('a name of 4096 bytes', { name: P + 'x/'.repeat(2037) + 'x' }),
  withFile('not UTF-8', { name: rawName }, { rules: ['NAME \ufffd\ufffd'] }),
  withFile('not UTF-8, with the flag for it', { name: rawName, flags: 0x800 }, { rules: ['NAME \ufffd\ufffd'] }),
  withFile('a NUL in a name', { name: `${P}x\0` }, { rules: ['NAME x\0'] }),
  withFile('a CR in a name', { name: `${P}x\r` }, { rules: ['NAME x\r'] }),
  taken('an empty name', { entries: [{ name: '', content: 'x' }] }, { rules: ['PREFIX '] }),
  withFile('..', { name: `${P}../x` }, { rules: ['NAME ../x'] }),
  withFile('an absolute name', { name: '/etc/passwd' }, { rules: ['PREFIX /etc/passwd'] }),
  withFile('a backslash', { name: `${P}a\\b` }, { rules: ['NAME a\\b'] }),
  withFile('a foreign prefix', { name: 'example.com/other@v1.2.3/x' }, { rules: ['PREFIX example.com/other@v1.2.3/x'] }),
  withFile('a case collision', { name: `${P}A.go` }, { rules: ['CASE_COLLISION a.go'] }),
  withFile('a file and a folder', { name: `${P}a.go/x` }, { rules: ['FILE_AND_FOLDER a.go'] }),
  withFile('a go.mod below the root', { name: `${P}sub/go.mod` }, { rules: ['GO_MOD_PLACE sub/go.mod'] }),
  withFile('duplicates', { name: `${P}a.go` }, { rules: ['DUPLICATE a.go'], files: [f(`${P}go.mod`, 'module example.com/m\n'), f(`${P}a.go`, A.content as string), f(`${P}a.go`, A.content as string)] }),
  withFile('folders twice', { name: `${P}go.mod/`, content: '' }, { rules: ['FILE_AND_FOLDER go.mod/'] }),
  taken('duplicates, the last by the directory’s order', { entries: [GO_MOD, { ...A, content: '1' }, { ...A, content: '2' }], order: [0, 2, 1] }, { rules: ['DUPLICATE a.go'], files: [f(`${P}go.mod`, 'module example.com/m\n'), f(`${P}a.go`, '1'), f(`${P}a.go`, '1')] }),
];

function refused(goTakes: boolean, name: string, says: RegExp, zip: ZipPlan | Buffer, code: Refused['code'] = 'ZIP_MALFORMED'): Refused {
  return { name, zip: Buffer.isBuffer(zip) ? zip : buildZip(zip), code, says, goTakes };
}

/** Sizes and offsets of an honest zip's end. */
function endOf(entries: readonly EntryPlan[]): { size: number; start: number; entries: number } {
  const zip = buildZip({ entries });
  return { entries: entries.length, size: zip.readUInt32LE(zip.length - 10), start: zip.readUInt32LE(zip.length - 6) };
}

/** One more file in a module, with a lie. */
function lie(goTakes: boolean, name: string, says: RegExp, file: Partial<EntryPlan>): Refused {
  return refused(goTakes, name, says, { entries: [GO_MOD, { name: `${P}x`, content: 'xxxxxxxxxx', ...file }, A] });
}

/** A stored file whose local header says otherwise. */
function localLie(goTakes: boolean, name: string, says: RegExp, local: HeaderPlan, file: Partial<EntryPlan> = {}): Refused {
  return lie(goTakes, `local header: ${name}`, says, { method: 0, ...file, local });
}

/** A lie in the end records. */
function endLie(goTakes: boolean, name: string, says: RegExp, plan: Partial<ZipPlan>): Refused {
  return refused(goTakes, name, says, { entries: ENTRIES, ...plan });
}

/** A zip with other bytes at an offset. */
function patch(zip: Buffer, at: number, bytes: Uint8Array): Buffer {
  const patched = Buffer.from(zip);
  patched.set(bytes, at);
  return patched;
}

const PLAIN = buildZip({ entries: ENTRIES });
const END = endOf(ENTRIES);
const B_START = endOf([GO_MOD, A]).start;
const EMPTY = buildZip({ entries: [] });
const HIDDEN = buildZip({ entries: [{ name: `${P}h`, content: 'h', method: 0 }] });
const PACKED_X = deflateRawSync(X);
const SIZES_OF_X = numbers([10, 8], [PACKED_X.length, 8], [A_START, 8]);
const MAX = 0xffffffff;

const JUNK: readonly Refused[] = [
  refused(true, 'bytes in front', /4 bytes before its first entry/, { entries: ENTRIES, before: 'junk' }),
  refused(true, 'bytes in front, of which the offsets know nothing', /central directory ends/, { entries: ENTRIES, before: '#!/bin/sh\n', relative: true }),
  refused(true, 'bytes in front of no entries', /4 bytes before its first entry/, { entries: [], before: 'junk' }),
  lie(true, 'bytes between entries', /bytes behind its data/, { junk: 'junk' }),
  refused(true, 'a whole entry that the directory does not have', /bytes behind its data/, { entries: ENTRIES, order: [0, 2] }),
  refused(true, 'a first entry that the directory does not have', /bytes before its first/, { entries: ENTRIES, order: [1, 2] }),
  refused(true, 'bytes before the directory', /bytes behind its data/, { entries: ENTRIES, beforeDirectory: 'j' }),
  refused(true, 'bytes behind the directory', /central directory ends/, { entries: ENTRIES, afterDirectory: 'junk' }),
  refused(true, 'a signature of the directory', /central directory ends/, { entries: ENTRIES, afterDirectory: 'PK\x05\x05\x04\0sign' }),
  refused(true, 'bytes behind the end', /4 bytes behind its end record/, { entries: ENTRIES, after: 'junk' }),
  refused(true, 'a newline behind the end', /1 bytes behind its end record/, { entries: ENTRIES, after: '\n' }),
  refused(true, 'bytes behind the comment', /1 bytes behind its end record/, { entries: ENTRIES, comment: 'c', after: 'j' }),
  refused(true, 'a comment that is longer than said', /1 bytes behind its end record/, { entries: ENTRIES, comment: 'cc', commentLength: 1 }),
  refused(false, 'too many bytes behind the end', /no end record/, { entries: ENTRIES, after: Buffer.alloc(70_000) }),
];

const ENDS: readonly Refused[] = [
  refused(false, 'nothing', /no end record/, Buffer.alloc(0)),
  refused(false, 'less than an end record', /no end record/, EMPTY.subarray(0, 21)),
  refused(false, 'a text', /no end record/, Buffer.from('this is no zip, it is a text of some length\n'.repeat(100))),
  refused(false, 'another archive', /no end record/, Buffer.from('1f8b0800000000000003030000000000000000000000', 'hex')),
  refused(false, 'zeros', /no end record/, Buffer.alloc(100_000)),
  refused(false, 'no end record', /no end record/, PLAIN.subarray(0, -22)),
  refused(false, 'without its first byte', /central directory ends/, PLAIN.subarray(1)),
  refused(false, 'a comment that is cut short', /cut short by 2 bytes/, { entries: ENTRIES, comment: 'c', commentLength: 3 }),
  refused(true, 'a comment that is an end record', /central directory ends/, { entries: ENTRIES, comment: EMPTY }),
  refused(true, 'a comment that is a zip', /central directory ends/, { entries: ENTRIES, comment: inner }),
  refused(false, 'a comment with an end record whose comment is cut short', /cut short by 9/, { entries: ENTRIES, comment: buildZip({ entries: [], commentLength: 9 }) }),
  refused(true, 'two end records', /central directory ends/, { entries: ENTRIES, after: PLAIN.subarray(-22) }),
  refused(true, 'two zips', /central directory ends/, Buffer.concat([inner, PLAIN])),
  refused(true, 'two zips, of which the offsets know', /bytes before its first entry/, { entries: ENTRIES, before: inner }),
  endLie(true, 'disk', /several disks/, { end: { disk: 1 } }),
  endLie(true, 'disk of the directory', /several disks/, { end: { startDisk: 1 } }),
  endLie(true, 'entries on this disk', /two numbers of entries/, { end: { entriesHere: 2 } }),
  endLie(false, 'too few entries', /does not have 2 headers/, { end: { entries: 2 } }),
  endLie(false, 'too many entries', /does not have 4 headers/, { end: { entries: 4 } }),
  endLie(false, 'no entries', /does not have 0 headers/, { end: { entries: 0 } }),
  endLie(false, 'a directory that begins too late', /central directory ends/, { end: { start: END.start + 1 } }),
  endLie(false, 'a directory that begins too early', /central directory ends/, { end: { start: END.start - 1 } }),
  endLie(true, 'a directory that is too short', /central directory ends/, { end: { size: END.size - 1 } }),
  endLie(false, 'a directory that is too long', /central directory ends/, { end: { size: END.size + 1 } }),
  endLie(false, 'a shifted directory', /header 1 of its/, { end: { start: END.start + 1, size: END.size - 1 } }),
  endLie(false, 'zip64 sentinels without a zip64 record', /central directory ends/, { end: { entries: 0xffff, size: MAX, start: MAX } }),
  endLie(false, 'zip64: another signature', /locator does not lead/, { zip64: { signature: 'PK\x06\x05' } }),
  endLie(true, 'zip64: another length', /unknown length/, { zip64: { recordSize: 45 } }),
  endLie(true, 'zip64: disk', /several disks/, { zip64: { disk: 1 } }),
  endLie(true, 'zip64: disk of the directory', /several disks/, { zip64: { startDisk: 1 } }),
  endLie(true, 'zip64: entries on this disk', /two numbers of entries/, { zip64: { entriesHere: 2 } }),
  endLie(true, 'zip64: entries modulo 65,536', /does not have 65539 headers/, { zip64: { entries: 65_539 } }),
  endLie(false, 'zip64: too few entries', /does not have 2 headers/, { zip64: { entries: 2 } }),
  endLie(false, 'zip64: offset', /central directory ends/, { zip64: { start: 2 ** 63 } }),
  endLie(false, 'zip64: size', /central directory ends/, { zip64: { size: 2 ** 60 } }),
  endLie(false, 'zip64: locator to elsewhere', /locator does not lead/, { zip64: { locatorAt: 3 } }),
  endLie(false, 'zip64: disk of the locator', /several disks/, { zip64: { locatorDisk: 1 } }),
  endLie(false, 'zip64: disks of the locator', /several disks/, { zip64: { disks: 2 } }),
  endLie(true, 'zip64: the end record has other entries', /disagree/, { zip64: {}, end: { entries: 2 } }),
  endLie(true, 'zip64: the end record has another size', /disagree/, { zip64: {}, end: { size: 1 } }),
  endLie(true, 'zip64: the end record has another offset', /disagree/, { zip64: {}, end: { start: 1 } }),
  endLie(false, 'zip64: a sentinel that Go does not look for', /disagree/, { zip64: {}, end: { ...END, size: MAX } }),
  endLie(true, 'zip64: not called for, and other', /disagree/, { zip64: { entries: 2 }, end: END }),
];

const OVERLAPS: readonly Refused[] = [
  refused(true, 'an entry twice in the directory', /a\.go": it overlaps/, { entries: ENTRIES, order: [0, 1, 1, 2] }),
  refused(true, 'an entry in the data of another', /o": it overlaps/, { entries: [{ name: `${P}o`, content: HIDDEN.subarray(0, 30 + P.length + 2), method: 0 }, { name: `${P}h`, content: 'h', method: 0, start: 30 + P.length + 1 }], order: [0, 1] }),
  refused(false, 'an entry behind the end', /behind the last place/, { entries: [GO_MOD, { ...A, start: 100_000 }] }),
  refused(false, 'an entry in the directory', /behind the last place/, { entries: [GO_MOD, { ...A, start: endOf([GO_MOD, A]).start }] }),
  refused(false, 'an entry far behind the end', /behind the last place/, { entries: [GO_MOD, { ...A, zip64: true, start: 2 ** 62 }] }),
  refused(false, 'a local header that is cut short', /runs into/, patch(PLAIN, B_START + 28, raw(0xff, 0xff))),
  refused(false, 'a local header whose data is in the next one', /it overlaps/, patch(PLAIN, A_START + 28, raw(3))),
];

const DIRECTORY: readonly Refused[] = [
  refused(false, 'another signature', /header 2 of its central/, patch(PLAIN, END.start + 46 + GO_MOD.name.length, raw(0))),
  refused(false, 'a name that is cut short', /header 3 of its central/, patch(PLAIN, END.start + END.size - 46 - B.name.length + 28, raw(0xff))),
  lie(false, 'a newline in a name', /newline/, { name: `${P}a\nb` }),
  lie(true, 'encrypted', /encrypted/, { flags: 0x0001 }),
  lie(true, 'patched', /encrypted or patched/, { flags: 0x0020 }),
  lie(true, 'strongly encrypted', /encrypted/, { flags: 0x0040 }),
  lie(true, 'masked', /encrypted/, { flags: 0x2000 }),
  lie(false, 'LZMA', /compression, 14,/, { method: 14 }),
  lie(false, 'AES', /compression, 99,/, { method: 99 }),
  lie(true, 'a folder by an unknown method', /compression, 12,/, { name: `${P}x/`, content: '', method: 12 }),
  lie(true, 'another disk', /another disk/, { disk: 1 }),
  lie(false, 'stored, with two sizes', /two sizes/, { method: 0, size: 11 }),
  lie(false, 'a folder with content', /folder with content/, { name: `${P}x/` }),
  lie(true, 'a folder with data and no size', /more than the declared 0/, { name: `${P}x/`, size: 0 }),
  lie(true, 'a folder with a CRC', /another CRC/, { name: `${P}x/`, content: '', crc: 5 }),
  lie(true, 'an extra field with another name', /another name/, { extra: unicodeName(`${P}y`) }),
  lie(true, 'a second extra field with another name', /another name/, { extra: Buffer.concat([unicodeName(`${P}x`), unicodeName(`${P}y`)]) }),
  lie(false, 'no zip64 field', /no zip64 field/, { packedSize: MAX }),
  lie(false, 'a zip64 field that is cut short', /cut short/, { zip64: true, extra: extraField(1, SIZES_OF_X.subarray(0, 23)) }),
  lie(true, 'two zip64 fields', /several zip64/, { zip64: true, extra: Buffer.concat([extraField(1, SIZES_OF_X), extraField(1, SIZES_OF_X)]) }),
  lie(true, 'a zip64 field that is not called for', /contradicts/, { extra: extraField(1, X_SIZES) }),
  lie(true, 'a zip64 field with a number too many', /contradicts/, { zip64: true, extra: extraField(1, Buffer.concat([SIZES_OF_X, numbers([0, 4])])) }),
  refused(true, 'a name of 4097 bytes', /more than 4096 bytes/, { entries: [{ name: 'x'.repeat(4097) }] }, 'ZIP_LIMIT'),
];

const LOCAL: readonly Refused[] = [
  localLie(false, 'signature', /no local header/, { signature: 'PK\x03\x05' }),
  localLie(true, 'name', /another name/, { name: `${P}y` }),
  localLie(true, 'a longer name', /another name/, { name: `${P}x.go` }),
  localLie(true, 'a name with a folder', /another name/, { name: `${P}x/` }),
  localLie(true, 'UTF-8', /other flags/, { flags: 0x800 }),
  localLie(true, 'encrypted', /other flags/, { flags: 1 }),
  localLie(true, 'a descriptor', /other flags/, { flags: 8 }),
  localLie(true, 'no descriptor', /other flags/, { flags: 0 }, { descriptor: 'signed' }),
  localLie(true, 'method', /another method/, { method: 8 }),
  localLie(true, 'CRC', /another CRC/, { crc: 1 }),
  localLie(true, 'no CRC', /another CRC/, { crc: 0 }),
  localLie(true, 'size', /another size/, { size: 9 }),
  localLie(true, 'no size', /another size/, { size: 0 }),
  localLie(true, 'packed size', /another packed size/, { packedSize: 9 }),
  localLie(true, 'no packed size', /another packed size/, { packedSize: 0 }),
  localLie(true, 'CRC beside a descriptor', /another CRC/, { crc: 1 }, { descriptor: 'signed' }),
  localLie(true, 'size beside a descriptor', /another size/, { size: 1 }, { descriptor: 'signed' }),
  localLie(true, 'packed size beside a descriptor', /another packed size/, { packedSize: 1 }, { descriptor: 'signed' }),
  localLie(true, 'no zip64 sizes', /no zip64 sizes/, { size: MAX, packedSize: MAX }),
  localLie(true, 'zip64 sizes that are cut short', /no zip64 sizes/, { size: MAX, packedSize: MAX, extra: extraField(1, X_SIZES.subarray(1)) }),
  localLie(true, 'two zip64 fields', /zip64 sizes, or several/, { size: MAX, packedSize: MAX, extra: Buffer.concat([extraField(1, X_SIZES), extraField(1, X_SIZES)]) }),
  localLie(true, 'zip64 size', /another size/, { size: MAX, packedSize: MAX, extra: extraField(1, numbers([11, 8], [10, 8])) }),
  localLie(true, 'zip64 packed size', /another packed size/, { size: MAX, packedSize: MAX, extra: extraField(1, numbers([10, 8], [11, 8])) }),
];

const CRC_X = crc32(X);
const fields = (crc: number, packedSize: number, size: number): Buffer => numbers([crc, 4], [packedSize, 4], [size, 4]);
const signed = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from('PK\x07\x08'), bytes]);

/** A stored file with flag bit 3 and these bytes behind it. */
function behind(goTakes: boolean, name: string, bytes: Buffer): Refused {
  return lie(goTakes, `descriptor: ${name}`, bytes.length === 16 || bytes.length === 12 ? /descriptor disagrees|is no data/ : /is no data descriptor/, { method: 0, descriptor: bytes });
}

const BEHIND: readonly Refused[] = [
  behind(false, 'none', Buffer.alloc(0)),
  behind(false, 'CRC', signed(fields(CRC_X + 1, 10, 10))),
  behind(false, 'CRC, without a signature', fields(CRC_X + 1, 10, 10)),
  behind(true, 'packed size', signed(fields(CRC_X, 11, 10))),
  behind(true, 'size', signed(fields(CRC_X, 10, 11))),
  behind(true, 'packed size, without a signature', fields(CRC_X, 9, 10)),
  behind(true, 'size, without a signature', fields(CRC_X, 10, 9)),
  behind(true, 'cut short', signed(fields(CRC_X, 10, 10)).subarray(0, 14)),
  behind(true, 'a byte more', Buffer.concat([fields(CRC_X, 10, 10), raw(0)])),
  behind(true, 'a sum alone', numbers([CRC_X, 4])),
  behind(true, 'wide, with a byte more', Buffer.concat([signed(numbers([CRC_X, 4], [10, 8], [10, 8])), raw(0)])),
  lie(true, 'descriptor: not announced', /belong to nothing/, { method: 0, flags: 0, descriptor: 'signed' }),
];

const CONTENTS: readonly Refused[] = [
  lie(false, 'more content than declared', /more than the declared 9/, { size: 9 }),
  lie(false, 'less content than declared', /10 bytes, and 11 are/, { size: 11 }),
  lie(false, 'content and none declared', /more than the declared 0/, { size: 0 }),
  lie(false, 'a byte and none declared', /1 bytes, and 0 are/, { content: 'x', size: 0 }),
  lie(false, 'more than a declared byte', /more than the declared 1 /, { size: 1 }),
  lie(false, 'less packed than declared', /does not inflate/, { data: PACKED_X.subarray(0, -1) }),
  lie(false, 'no data', /does not inflate/, { data: Buffer.alloc(0) }),
  lie(true, 'bytes behind the end of the data', /ends after 5 bytes, and 9/, { data: Buffer.concat([PACKED_X, Buffer.from('junk')]) }),
  lie(false, 'no deflate', /does not inflate/, { data: Buffer.from('\xff\xff\xff\xff', 'latin1') }),
  lie(false, 'a distance too far', /does not inflate/, { data: raw(0x4b, 0x04, 0x11, 0x00) }),
  lie(false, 'a deflate stream without an end', /does not inflate/, { data: Buffer.concat([raw(0, 10, 0, 0xf5, 0xff), Buffer.from(X)]) }),
  lie(false, 'wrong CRC', /another CRC/, { crc: 1 }),
  lie(true, 'CRC 0', /another CRC/, { crc: 0 }),
  lie(false, 'CRC 0 beside a descriptor', /CRC/, { crc: 0, descriptor: 'signed', content: X }),
  lie(false, 'wrong CRC, stored', /another CRC/, { crc: 1, method: 0 }),
  lie(true, 'wrong CRC in the first of two of one name', /another CRC/, { name: A.name, crc: 1 }),
  refused(false, '2 GiB declared', /bytes of contents/, { entries: [{ ...A, size: 2 ** 31 }] }, 'ZIP_LIMIT'),
  refused(false, '2 GiB declared in all', /bytes of contents/, { entries: Array.from({ length: 1024 }, (_, i) => ({ name: `${i}`, size: 2 ** 21 })) }, 'ZIP_LIMIT'),
  refused(false, '8 EiB declared', /bytes of contents/, { entries: [{ ...A, zip64: true, size: 2 ** 63 }] }, 'ZIP_LIMIT'),
];

export const REFUSED: readonly Refused[] = [...JUNK, ...ENDS, ...OVERLAPS, ...DIRECTORY, ...LOCAL, ...BEHIND, ...CONTENTS];
