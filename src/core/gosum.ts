/**
 * go.sum and go.work.sum files: a module version, or its go.mod file, and its hash a line (cmd/go's modfetch/fetch.go;
 * go.dev/ref/mod#go-sum-files).
 *
 * Stricter than Go: valid UTF-8, limits on size, and no module path or version that could never be asked of a database.
 * A hash of unknown form is not refused here: what it is worth is the verdict's business.
 */

import { GosumError } from '../errors.js';
import { checkModulePath, checkVersion } from './module.js';
import { decodeUtf8, fields } from './text.js';

/** What a line's hash is of: the module's whole content, or its go.mod file alone. */
export type LineKind = 'module' | 'go.mod';

/** One line of a go.sum file. Whoever edits the file controls all of it. */
export interface GoSumLine {
  /** The file's name, as the parser was given it. */
  readonly file: string;
  /** Number of the line, from 1. */
  readonly line: number;
  readonly module: string;
  /** Without `/go.mod`. */
  readonly version: string;
  readonly kind: LineKind;
  /** As written; see `isH1`. */
  readonly hash: string;
  /**
   * The line has the hash of an empty go.mod, an old bug: the go command drops it, whatever else stands on it. So path and
   * version of such a line are unchecked.
   */
  readonly dropped: boolean;
}

/** A go.sum file that cannot be read. */
export class GoSumError extends GosumError<'GOSUM_MALFORMED'> {
  override readonly name = 'GoSumError';
  readonly file: string;
  /** Number of the line, from 1; `undefined` where the whole file is meant. */
  readonly line: number | undefined;

  constructor(
    file: string,
    line: number | undefined,
    detail: string,
    options: { cause?: unknown; hint?: string } = {},
  ) {
    super('GOSUM_MALFORMED', line === undefined ? `${file}: ${detail}` : `${file}:${line}: ${detail}`, options);
    this.file = file;
    this.line = line;
  }
}

/** The most bytes of a file. */
const MAX_BYTES = 64 * 1024 * 1024;
/** The most lines of a file, blank ones included. The longest known go.sum files have some thousands. */
const MAX_LINES = 1_000_000;
/** The most characters of a line. */
const MAX_LINE = 16_384;

const GO_MOD = '/go.mod';
const EMPTY_GO_MOD = 'h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=';
const CONFLICT_MARKER = /^(?:<{7}|\|{7}|={7}|>{7})(?: |$)/;

/**
 * Parses a go.sum or go.work.sum file: three fields a line, between Unicode white space; blank lines are passed over.
 *
 * @param bytes attacker-controlled.
 * @param file names the file in lines and errors.
 * @throws {GoSumError} `GOSUM_MALFORMED`, with file and line.
 */
export function parseGoSum(bytes: Uint8Array, file: string): GoSumLine[] {
  if (bytes.length > MAX_BYTES) throw new GoSumError(file, undefined, `${bytes.length} bytes, at most ${MAX_BYTES}`);
  const text = decode(bytes, file);
  const lines: GoSumLine[] = [];
  let number = 0;
  for (let start = 0, end; start < text.length; start = end + 1) {
    end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    number++;
    if (number > MAX_LINES) throw new GoSumError(file, number, `too long: at most ${MAX_LINES} lines`);
    if (end - start > MAX_LINE) throw new GoSumError(file, number, `${end - start} characters, at most ${MAX_LINE}`);
    const line = parseLine(text.slice(start, end), file, number, lines.at(-1));
    if (line !== undefined) lines.push(line);
  }
  return lines;
}

/**
 * The lines that contradict another one: the same module version and kind, and another `h1:` hash, in whatever file.
 * All lines concerned are given, since none of them can be told to be the right one. Dropped lines contradict nothing.
 */
export function conflicts(lines: readonly GoSumLine[]): Set<GoSumLine> {
  const groups = new Map<string, GoSumLine[]>();
  for (const line of lines) {
    if (line.dropped || !line.hash.startsWith('h1:')) continue;
    const key = `${line.module} ${line.version} ${line.kind}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [line]);
    else group.push(line);
  }
  const found = new Set<GoSumLine>();
  for (const group of groups.values()) {
    if (group.some((line) => line.hash !== group[0]?.hash)) for (const line of group) found.add(line);
  }
  return found;
}

/**
 * `undefined` for a blank line.
 *
 * @param previous the line before it: most often of the same module version, which needs no second check.
 */
function parseLine(text: string, file: string, number: number, previous: GoSumLine | undefined): GoSumLine | undefined {
  const parts = fields(text);
  if (parts.length === 0) return undefined;
  if (parts.length !== 3) {
    const count = parts.length === 1 ? '1 field' : `${parts.length} fields`;
    throw new GoSumError(file, number, `${count}, want 3: module version hash`, { hint: hintFor(text) });
  }
  const [module = '', key = '', hash = ''] = parts;
  const kind: LineKind = key.endsWith(GO_MOD) ? 'go.mod' : 'module';
  const version = kind === 'go.mod' ? key.slice(0, -GO_MOD.length) : key;
  const dropped = hash === EMPTY_GO_MOD;
  const checked = previous?.module === module && previous.version === version && !previous.dropped;
  if (!dropped && !checked) {
    try {
      checkModulePath(module);
      checkVersion(version);
    } catch (cause) {
      if (!(cause instanceof GosumError)) throw cause;
      throw new GoSumError(file, number, cause.message, { cause, hint: hintFor(text) });
    }
  }
  return { file, line: number, module, version, kind, hash, dropped };
}

function hintFor(line: string): string {
  return CONFLICT_MARKER.test(line)
    ? 'resolve the merge conflict in the file first'
    : 'see what changed the line; `go mod tidy` drops it';
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return decodeUtf8(bytes);
  } catch (cause) {
    throw new GoSumError(file, firstBadLine(bytes), 'invalid UTF-8', { cause });
  }
}

/** The first line that is not UTF-8: no character goes over a newline, so lines can be looked at alone. */
function firstBadLine(bytes: Uint8Array): number {
  let number = 1;
  for (let start = 0; ; number++) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    try {
      decodeUtf8(bytes.subarray(start, end));
    } catch {
      return number;
    }
    if (newline < 0) throw new Error('every line is UTF-8, and the whole is not');
    start = end + 1;
  }
}
