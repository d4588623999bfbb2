/**
 * The form of bulk proofs (docs/bulk.md): the question, which is text, and the answer, which is lines and counted bytes.
 *
 * Here is nothing proved: that is bulk.ts.
 */

import { GosumError } from '../errors.js';
import { HASH_SIZE, type Hash } from './hash.js';
import { parseCount } from './integer.js';
import { checkModulePath, checkVersion, type ModuleVersion } from './module.js';
import { formatHashes, formatRecords, Parts, readHashes, readRecords } from './parts.js';
import type { LogRecord } from './record.js';
import { decodeUtf8, encodeUtf8, joinBytes, quote } from './text.js';

/** The most module versions of one question. */
export const MAX_BULK = 5000;
/** The most bytes of a question. */
export const MAX_BULK_QUERY = 1_000_000;

/** The levels of the greatest tree: so many hashes at most for a record, and twice as many for an earlier size. */
const DEPTH = 53;
/**
 * The most bytes of an answer: the note, the keys (once in `missing`, or twice in texts) with room to spare, and for each
 * record 1 KB for the rest of its text and the hashes of its own way to the root. Most answers have a tenth of that.
 */
export const MAX_BULK_ANSWER: number = 2 ** 16 + 4 * MAX_BULK_QUERY + MAX_BULK * (1024 + DEPTH * HASH_SIZE) + 2 * DEPTH * HASH_SIZE;

const FIRST_LINE = 'gosumcheck/bulk@v1';

/** What a client asks. */
export interface BulkQuery {
  /** Size of the newest tree head that the client holds; 0 where it holds none. */
  readonly old: number;
  /** From 1 up to `MAX_BULK`, none twice. */
  readonly wanted: readonly ModuleVersion[];
}

/** A module version that the server gave no record for. Nobody has proved that: it is to be asked again the ordinary way. */
export interface BulkMissing extends ModuleVersion {
  /** The status that a lookup would have had, from 400 to 599: 404, 410, 502… */
  readonly status: number;
}

/** The parts of an answer. `H` is how the hashes are held. */
export interface BulkParts<H> {
  /** The signed note of the tree head. */
  readonly note: Uint8Array;
  readonly missing: readonly BulkMissing[];
  /** Ids strictly ascending. */
  readonly records: readonly LogRecord[];
  readonly hashes: H;
}

/** The line of a module version, as question and answer have it. */
export function bulkKey({ module, version }: ModuleVersion): string {
  return `${module} ${version}`;
}

/**
 * Writes a question.
 *
 * @throws {GosumError} `BULK_MALFORMED` where it has too much in it, or something twice; `MODULE_PATH_MALFORMED`,
 * `VERSION_MALFORMED`.
 */
export function formatBulkQuery(query: BulkQuery): Uint8Array {
  checkWanted(query.wanted);
  const bytes = encodeUtf8(`old ${query.old}\n${query.wanted.map((each) => `${bulkKey(each)}\n`).join('')}`);
  checkQuerySize(bytes);
  return bytes;
}

/**
 * Parses a question: a line `old M`, and lines `path version`, unescaped.
 *
 * @param bytes attacker-controlled.
 * @throws {GosumError} `BULK_MALFORMED`.
 */
export function parseBulkQuery(bytes: Uint8Array): BulkQuery {
  checkQuerySize(bytes);
  try {
    const lines = decodeUtf8(bytes).split('\n');
    if (lines.pop() !== '') throw malformedQuery('the last line has no newline');
    const [first = '', ...keys] = lines;
    if (!first.startsWith('old ')) throw malformedQuery('no line of old');
    if (keys.length > MAX_BULK) throw tooMany(keys.length);
    const wanted = keys.map((key) => {
      const space = key.indexOf(' ');
      return { module: key.slice(0, Math.max(space, 0)), version: key.slice(space + 1) };
    });
    checkWanted(wanted);
    return { old: parseCount(first.slice('old '.length)), wanted };
  } catch (cause) {
    if (!(cause instanceof GosumError) || cause.code === 'BULK_MALFORMED') throw cause;
    throw malformedQuery(cause.message, cause);
  }
}

/** Writes an answer. `hashes`: in the order of the walk. */
export function formatBulkAnswer({ note, missing, records, hashes }: BulkParts<readonly Hash[]>): Uint8Array {
  return joinBytes([
    encodeUtf8(`${FIRST_LINE}\nnote ${note.length}\n`),
    note,
    encodeUtf8(`missing ${missing.length}\n${missing.map((each) => `${bulkKey(each)} ${each.status}\n`).join('')}`),
    ...formatRecords(records),
    ...formatHashes(hashes),
  ]);
}

/**
 * Parses an answer.
 *
 * @param bytes attacker-controlled.
 * @throws {GosumError} `BULK_MALFORMED`; `RECORD_MALFORMED` for a text that no record can have.
 */
export function parseBulkAnswer(bytes: Uint8Array): BulkParts<Uint8Array> {
  const parts = new Parts(bytes, malformedAnswer);
  if (parts.line() !== FIRST_LINE) throw malformedAnswer('another first line');
  const note = parts.take(parts.count('note'));
  const missing: BulkMissing[] = [];
  for (let left = parts.count('missing'); left > 0; left--) missing.push(missingOf(parts.line(MAX_BULK_QUERY)));
  const records = readRecords(parts, malformedAnswer);
  return { note, missing, records, hashes: readHashes(parts, malformedAnswer) };
}

/** What an answer is refused with that has not the form. */
export function malformedAnswer(detail: string, cause?: unknown): GosumError {
  return new GosumError('BULK_MALFORMED', `malformed answer to a bulk question: ${detail}`, { cause });
}

/** Of a missing one's line. Whether its key can be a module version is not looked at: it must be one of those asked for. */
function missingOf(line: string): BulkMissing {
  const [, module, version, status] = /^([^ ]+) ([^ ]+) ([45][0-9]{2})$/.exec(line) ?? [];
  if (module === undefined || version === undefined) throw malformedAnswer(`the line of a missing one is ${quote(line)}`);
  return { module, version, status: Number(status) };
}

function checkWanted(wanted: readonly ModuleVersion[]): void {
  if (wanted.length === 0) throw malformedQuery('it asks for nothing');
  if (wanted.length > MAX_BULK) throw tooMany(wanted.length);
  for (const { module, version } of wanted) {
    checkModulePath(module);
    checkVersion(version);
  }
  if (new Set(wanted.map(bulkKey)).size < wanted.length) throw malformedQuery('it asks twice for one module version');
}

function checkQuerySize(bytes: Uint8Array): void {
  if (bytes.length > MAX_BULK_QUERY) throw malformedQuery(`${bytes.length} bytes, at most ${MAX_BULK_QUERY} allowed`);
}

function tooMany(count: number): GosumError {
  return malformedQuery(`it asks for ${count} module versions, at most ${MAX_BULK} allowed`);
}

function malformedQuery(detail: string, cause?: unknown): GosumError {
  return new GosumError('BULK_MALFORMED', `malformed bulk question: ${detail}`, { cause });
}
