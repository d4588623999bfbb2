/**
 * Records: the log's leaves, each the go.sum lines of one module version; and the two forms that they are served in,
 * the answer to a lookup and the data tile (tlog/note.go; sumdb/server.go).
 */

import { sha256 } from '#crypto';
import { GosumError } from '../errors.js';
import type { Hash } from './hash.js';
import { parseCount } from './integer.js';
import { concatBytes, decodeUtf8, encodeUtf8, joinBytes } from './text.js';

const NEWLINE = 0x0a;
const LEAF = Uint8Array.of(0);
const CONTROL = /[\0-\t\v-\x1f]/;

/** A record and its number in the log. */
export interface LogRecord {
  readonly id: number;
  /** go.sum lines, each ended by a newline. */
  readonly text: Uint8Array;
}

/** An answer to `/lookup/`: a record, and the signed note of a tree head the server had, unopened. All of it unproved. */
export interface LookupAnswer extends LogRecord {
  readonly note: Uint8Array;
}

/** The hash of a record as a leaf of the tree: SHA-256(0x00 ‖ text) (RFC 6962 §2.1). Neither id nor blank line is in it. */
export function recordHash(text: Uint8Array): Hash {
  return sha256(concatBytes(LEAF, text));
}

/**
 * Parses an answer to a lookup: id line, record text, blank line, signed note.
 * Stricter than Go: the id is a canonical count (Go takes `+5`, `-1`, `007`), and the text has no leading blank line.
 *
 * @param bytes attacker-controlled.
 * @throws {GosumError} `RECORD_MALFORMED`.
 */
export function parseLookup(bytes: Uint8Array): LookupAnswer {
  const idEnd = bytes.indexOf(NEWLINE);
  if (idEnd < 0) throw malformed('no record number');
  const textEnd = blankLine(bytes, idEnd + 1);
  if (textEnd < 0) throw malformed('no blank line behind the record');
  const text = bytes.subarray(idEnd + 1, textEnd);
  checkRecordText(text);
  let id: number;
  try {
    id = parseCount(decodeUtf8(bytes.subarray(0, idEnd)));
  } catch (cause) {
    throw malformed('bad record number', cause);
  }
  return { id, text, note: bytes.subarray(textEnd + 1) };
}

/** Writes an answer to a lookup. @throws {GosumError} `RECORD_MALFORMED` for a text that no record can have. */
export function formatLookup({ id, text, note }: LookupAnswer): Uint8Array {
  checkRecordText(text);
  const number = String(id);
  const answer = new Uint8Array(number.length + text.length + 2 + note.length);
  for (let i = 0; i < number.length; i++) answer[i] = number.charCodeAt(i);
  answer[number.length] = NEWLINE;
  answer.set(text, number.length + 1);
  answer[number.length + 1 + text.length] = NEWLINE;
  answer.set(note, number.length + text.length + 2);
  return answer;
}

/**
 * Parses a data tile of `width` records: one after the other, without numbers, each followed by a blank line.
 * sum.golang.org leaves out the last blank line: both forms are taken.
 *
 * @param bytes attacker-controlled.
 * @throws {GosumError} `RECORD_MALFORMED`.
 */
export function parseDataTile(bytes: Uint8Array, width: number): Uint8Array[] {
  const texts: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const blank = blankLine(bytes, start);
    const end = blank < 0 ? bytes.length : blank;
    const text = bytes.subarray(start, end);
    checkRecordText(text);
    texts.push(text);
    start = end + 1;
  }
  if (texts.length !== width) throw malformed(`a data tile of ${texts.length} records, want ${width}`);
  return texts;
}

/** Writes a data tile, with a blank line after every record, as x/mod's server has it. */
export function formatDataTile(texts: readonly Uint8Array[]): Uint8Array {
  const newline = encodeUtf8('\n');
  return joinBytes(texts.flatMap((text) => [text, newline]));
}

/**
 * Checks that a text can be a record's: valid UTF-8, no control character but newline, ended by a newline, no blank line.
 *
 * @throws {GosumError} `RECORD_MALFORMED`.
 */
export function checkRecordText(text: Uint8Array): void {
  if (isPlainText(text)) return;
  let lines: string;
  try {
    lines = decodeUtf8(text);
  } catch (cause) {
    throw malformed('invalid UTF-8', cause);
  }
  if (!lines.endsWith('\n')) throw malformed('the text does not end in a newline');
  if (CONTROL.test(lines)) throw malformed('control character');
  if (lines.startsWith('\n') || lines.includes('\n\n')) throw malformed('blank line');
}

/** Reports whether a text is plainly a record's: all of ASCII, as all but a few are. A `false` says nothing. */
function isPlainText(text: Uint8Array): boolean {
  const { length } = text;
  let before = NEWLINE;
  // by number, as to walk along it takes five times as long
  for (let i = 0; i < length; i++) {
    const byte = text[i] ?? 0;
    if (byte < 0x20 ? byte !== NEWLINE || before === NEWLINE : byte >= 0x80) return false;
    before = byte;
  }
  return before === NEWLINE && length > 0;
}

/** The `h1:` hashes that a record has for a module version; `undefined` where it has no such line. */
export interface RecordHashes {
  readonly module: string | undefined;
  readonly goMod: string | undefined;
}

/**
 * Finds a module version's hashes in a record's text: by the exact prefixes `path version h1:` and `path version/go.mod h1:`.
 *
 * @param text of a PROVED record, never the rest of an answer (CVE-2026-56864).
 * @throws {GosumError} `RECORD_FOREIGN` where it has neither line (CVE-2026-42501), `RECORD_CONFLICT` where it has two
 * different hashes for one.
 */
export function findHashes(text: Uint8Array, module: string, version: string): RecordHashes {
  const lines = decodeUtf8(text).split('\n');
  const hashes = {
    module: onlyHash(lines, `${module} ${version} `),
    goMod: onlyHash(lines, `${module} ${version}/go.mod `),
  };
  if (hashes.module === undefined && hashes.goMod === undefined) {
    throw new GosumError('RECORD_FOREIGN', `the record is not of ${module}@${version}`);
  }
  return hashes;
}

function onlyHash(lines: readonly string[], prefix: string): string | undefined {
  const found = new Set(lines.filter((line) => line.startsWith(`${prefix}h1:`)).map((line) => line.slice(prefix.length)));
  if (found.size > 1) throw new GosumError('RECORD_CONFLICT', `the record has ${found.size} hashes for ${prefix.trim()}`);
  return [...found][0];
}

/** Where the blank line behind a text is: the index of its newline; -1 where there is none. */
function blankLine(bytes: Uint8Array, from: number): number {
  for (let i = bytes.indexOf(NEWLINE, from); i >= 0 && i + 1 < bytes.length; i = bytes.indexOf(NEWLINE, i + 1)) {
    if (bytes[i + 1] === NEWLINE) return i + 1;
  }
  return -1;
}

function malformed(detail: string, cause?: unknown): GosumError {
  return new GosumError('RECORD_MALFORMED', `malformed record: ${detail}`, { cause });
}
