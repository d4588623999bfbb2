/** Verifying go.sum lines: which are asked about, and what the proved records say of each. */

import { GosumError, isGosumError } from '../errors.js';
import { conflicts, parseGoSum, type GoSumLine } from '../core/gosum.js';
import { formatModuleVersion, lookupPath } from '../core/module.js';
import { encodeUtf8 } from '../core/text.js';
import type { Lookups, SumDB } from '../client/sumdb.js';
import { runChecks, type Check, type RunOptions } from './run.js';
import type { Status, Verdict, VerifyRun } from './verdict.js';

/** Options of a verification. */
export interface VerifyOptions extends RunOptions {
  /** The pattern (of GONOSUMDB or GOPRIVATE) by which a module is not asked about; its name never leaves the machine. */
  readonly skippedBy?: ((module: string) => string | undefined) | undefined;
}

/**
 * Verifies the text of a go.sum file.
 *
 * @param goSum attacker-controlled.
 * @param options.file names the text in verdicts; `go.sum` by default.
 * @throws {GosumError} `GOSUM_MALFORMED`; what `SumDB.lookup` throws.
 */
export async function verifyGoSum(
  db: SumDB,
  goSum: string | Uint8Array,
  options: VerifyOptions & { readonly file?: string } = {},
): Promise<VerifyRun> {
  const bytes = typeof goSum === 'string' ? encodeUtf8(goSum) : goSum;
  return verifyLines(db, parseGoSum(bytes, options.file ?? 'go.sum'), options);
}

/**
 * Verifies lines of one or several files together.
 *
 * @throws {GosumError} what `SumDB.lookup` throws.
 */
export async function verifyLines(
  db: SumDB,
  lines: readonly GoSumLine[],
  options: VerifyOptions = {},
): Promise<VerifyRun> {
  return runChecks(db, [checkOfLines(lines, options.skippedBy)], options);
}

/** The check of lines. Only what can be verified is asked for: no private name, and nothing for a hash that no record can have. */
export function checkOfLines(lines: readonly GoSumLine[], skippedBy: VerifyOptions['skippedBy'] = () => undefined): Check {
  const inConflict = conflicts(lines);
  const patterns = lines.map((line) => skippedBy(line.module));
  return {
    wanted: lines.filter((line, i) => !line.dropped && isKnownSum(line.hash) && patterns[i] === undefined),
    judge: (lookups) => lines.map((line, i) => judge(line, inConflict.has(line), patterns[i], lookups)),
  };
}

/** The verdict on a line. A finding in the file itself goes before all that the log may say. */
function judge(line: GoSumLine, inConflict: boolean, pattern: string | undefined, lookups: Lookups): Verdict {
  const verdict = (status: Status, rest: Partial<Verdict> = {}): Verdict => {
    const { file, line: number, module, version, kind, hash } = line;
    return { file, line: number, module, version, kind, status, hash, ...rest };
  };
  if (line.dropped) {
    return verdict('skipped', { code: 'SKIPPED_EMPTY_GOMOD', message: 'the hash of an empty go.mod: the go command drops this line' });
  }
  const result = pattern === undefined ? lookups.results.get(formatModuleVersion(line.module, line.version)) : undefined;
  const found = isGosumError(result) ? undefined : result;
  const expected = line.kind === 'module' ? found?.hashes.module : found?.hashes.goMod;
  const known = { expected: expected === line.hash ? undefined : expected, record: found?.record.id };

  if (inConflict) {
    const message = expected === line.hash ? 'another line has another hash; the log has this one' : 'another line has another hash';
    return verdict('conflict', { ...known, code: 'LINES_CONFLICT', message });
  }
  if (pattern !== undefined) {
    return verdict('skipped', { code: 'SKIPPED_PRIVATE', message: `matches the private pattern ${pattern}` });
  }
  if (!isKnownSum(line.hash)) {
    return verdict('mismatch', { ...known, code: 'HASH_UNKNOWN', message: 'not an h1: hash, so nothing can verify it' });
  }
  return judgeHash(verdict('verified'), lookups);
}

/** What a verdict is about: a hash that somebody has for a module version. */
export type Subject = Pick<Verdict, 'file' | 'line' | 'module' | 'version' | 'kind' | 'hash'>;

/** The verdict that the log's answer gives on a hash. The module version was among what was asked about. */
export function judgeHash(subject: Subject, lookups: Lookups): Verdict {
  const { file, line, module, version, kind, hash } = subject;
  const verdict = (status: Status, rest: Partial<Verdict> = {}): Verdict => {
    return { file, line, module, version, kind, status, hash, ...rest };
  };
  const result = lookups.results.get(formatModuleVersion(module, version));
  if (result === undefined) throw new Error(`${module}@${version} was not asked for`);
  if (isGosumError(result)) return verdict(result.code === 'NOT_FOUND' ? 'missing' : 'error', failure(subject, result));
  const expected = kind === 'module' ? result.hashes.module : result.hashes.goMod;
  const record = result.record.id;
  if (expected === undefined) {
    const foreign = new GosumError('RECORD_FOREIGN', `record ${record} has no hash of its ${kind}`);
    return verdict('error', { record, ...failure(subject, foreign) });
  }
  if (expected === hash) return verdict('verified', { record });
  return verdict('mismatch', { expected, record, code: 'HASH_MISMATCH', message: 'the log has another hash' });
}

/** What the go command compares, as text; sums of any other kind it does not know (modfetch/fetch.go, haveModSumLocked). */
function isKnownSum(hash: string): boolean {
  return hash.startsWith('h1:');
}

function failure({ module, version }: Subject, { code, message, retryable, hint }: GosumError): Partial<Verdict> {
  // The verdict names the module version itself. Without it, what failed alike for many is said alike, and once.
  const said = message.replaceAll(lookupPath(module, version), '').replaceAll(`${formatModuleVersion(module, version)}: `, '');
  return { code, message: said, retryable, hint };
}
