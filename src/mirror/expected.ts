/**
 * Records that are expected in the log: lines of go.sum, or `module@version` alone, in one file; and how a record of the log
 * stands to them.
 */

import { formatModuleVersion, parseModuleVersion } from '../core/module.js';
import { conflicts, GoSumError, parseGoSum } from '../core/gosum.js';
import { isH1 } from '../core/h1.js';
import { findHashes, type RecordHashes } from '../core/record.js';
import { decodeUtf8, encodeUtf8, fields } from '../core/text.js';
import { GosumError, isGosumError } from '../errors.js';

/** The hashes that are known of each expected module version, which may be none, by `path@version`. */
export type Expected = ReadonlyMap<string, RecordHashes>;

/** How a record is not as expected. */
export type Unexpected =
  /** Nobody expects the module version. */
  | { readonly kind: 'version' }
  /** The module version is known, and with other hashes: somebody has made another one of it, or the file is wrong. */
  | { readonly kind: 'hashes'; readonly expected: RecordHashes };

/**
 * Parses a file of expected records: lines of go.sum, and lines of `module@version`, for which any hash will do. Blank lines,
 * and those that begin with `#`, are passed over.
 *
 * @param bytes attacker-controlled.
 * @param file names the file in errors.
 * @throws {GosumError} `GOSUM_MALFORMED` with file and line, also where two lines contradict each other, and where a hash
 * is none that the log could have.
 */
export function parseExpected(bytes: Uint8Array, file: string): Expected {
  const known = new Map<string, RecordHashes>();
  // what is no line of go.sum becomes a blank line, so that the others keep their numbers
  const rest = decode(bytes, file).split('\n').map((line, i) => {
    const [first = '', ...more] = fields(line);
    if (first.startsWith('#')) return '';
    if (more.length > 0 || !first.includes('@')) return line;
    known.set(versionOf(first, file, i + 1), NO_HASHES);
    return '';
  });
  const lines = parseGoSum(encodeUtf8(rest.join('\n')), file).filter(({ dropped }) => !dropped);
  const [conflict] = conflicts(lines);
  if (conflict !== undefined) {
    throw new GoSumError(file, conflict.line, `${conflict.module} ${conflict.version} stands here with two hashes`, { hint: 'keep the line that is right' });
  }
  for (const { line, module, version, kind, hash } of lines) {
    if (!isH1(hash)) throw new GoSumError(file, line, 'the hash is none that the log could have', { hint: 'want h1: and 44 characters of base64' });
    const name = formatModuleVersion(module, version);
    const { module: whole, goMod } = known.get(name) ?? NO_HASHES;
    known.set(name, kind === 'module' ? { module: hash, goMod } : { module: whole, goMod: hash });
  }
  return known;
}

/**
 * How a record of the log is not as expected; `undefined` where it is.
 *
 * @param text of the record, which may be of any form.
 */
export function unexpectedIn(expected: Expected, module: string, version: string, text: Uint8Array): Unexpected | undefined {
  const want = expected.get(formatModuleVersion(module, version));
  if (want === undefined) return { kind: 'version' };
  const found = hashesIn(text, module, version);
  const differs = (['module', 'goMod'] as const).some((kind) => want[kind] !== undefined && want[kind] !== found[kind]);
  return differs ? { kind: 'hashes', expected: want } : undefined;
}

/** The hashes that a record has for a module version; none of a record that contradicts itself. */
export function hashesIn(text: Uint8Array, module: string, version: string): RecordHashes {
  try {
    return findHashes(text, module, version);
  } catch (error) {
    if (!isGosumError(error, 'RECORD_CONFLICT', 'RECORD_FOREIGN')) throw error;
    return NO_HASHES;
  }
}

const NO_HASHES: RecordHashes = { module: undefined, goMod: undefined };

function versionOf(text: string, file: string, line: number): string {
  try {
    const { module, version } = parseModuleVersion(text);
    return formatModuleVersion(module, version);
  } catch (cause) {
    if (!isGosumError(cause)) throw cause;
    throw new GoSumError(file, line, cause.message, { cause, ...(cause.hint === undefined ? {} : { hint: cause.hint }) });
  }
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return decodeUtf8(bytes);
  } catch (cause) {
    if (!(cause instanceof GosumError)) throw cause;
    throw new GoSumError(file, undefined, cause.message, { cause });
  }
}
