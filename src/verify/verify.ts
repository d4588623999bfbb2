/** Verifying go.sum lines: which are asked about, what the proved records say of each, and what the run is worth. */

import { GosumError, isGosumError, outcomeOf } from '../errors.js';
import { formatFork, ForkError } from '../core/fork.js';
import { conflicts, parseGoSum, type GoSumLine } from '../core/gosum.js';
import { formatModuleVersion, lookupPath } from '../core/module.js';
import { encodeUtf8 } from '../core/text.js';
import type { Found, Lookups, SumDB } from '../client/sumdb.js';
import type { Status, Verdict, VerifyRun } from './verdict.js';

/** Options of a verification. */
export interface VerifyOptions {
  /** The pattern (of GONOSUMDB or GOPRIVATE) by which a module is not asked about; its name never leaves the machine. */
  readonly skippedBy?: ((module: string) => string | undefined) | undefined;
  /** Take a run in which every line was skipped for a good one. */
  readonly allowAllSkipped?: boolean | undefined;
  /** Ask for the newest tree head, and prove it consistent, even where every line can be proved from the store. */
  readonly fresh?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
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
  const { skippedBy = () => undefined, fresh, signal } = options;
  const inConflict = conflicts(lines);
  // Only what can be verified is asked for: no private name, and nothing for a hash that no record can have.
  const patterns = lines.map((line) => skippedBy(line.module));
  const askable = lines.filter((line, i) => !line.dropped && isKnownSum(line.hash) && patterns[i] === undefined);
  const lookups = await db.lookup(askable, { fresh, signal });
  const results = lines.map((line, i) => judge(line, inConflict.has(line), patterns[i], lookups));

  const found = [...lookups.results.values()].filter((result): result is Found => !isGosumError(result));
  const count = (...statuses: Status[]): number => results.filter(({ status }) => statuses.includes(status)).length;
  const summary = {
    lines: results.length,
    verified: count('verified'),
    mismatched: count('mismatch', 'conflict'),
    missing: count('missing'),
    skipped: count('skipped'),
    failed: count('error'),
  };
  const allSkipped = summary.skipped === summary.lines && options.allowAllSkipped !== true;
  const { head, problem } = lookups;
  return {
    complete: summary.failed === 0 && problem === undefined,
    exitCode: exitCode(results, problem, allSkipped),
    database: {
      name: db.key.name,
      url: lookups.way,
      tree: head && { size: head.size, hash: head.hash },
      timeline: lookups.timeline,
    },
    summary,
    modules: { checked: lookups.results.size, cached: found.filter(({ cached }) => cached).length },
    results,
    problem: problem && { code: problem.code, message: problem.message, hint: problem.hint },
    fork: problem instanceof ForkError ? formatFork(problem.evidence) : undefined,
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
  if (result === undefined) throw new Error(`${line.module}@${line.version} was not asked for`);
  if (isGosumError(result)) return verdict(result.code === 'NOT_FOUND' ? 'missing' : 'error', failure(line, result));
  if (expected === undefined) {
    const foreign = new GosumError('RECORD_FOREIGN', `record ${result.record.id} has no hash of its ${line.kind}`);
    return verdict('error', { record: result.record.id, ...failure(line, foreign) });
  }
  if (expected !== line.hash) {
    return verdict('mismatch', { ...known, code: 'HASH_MISMATCH', message: 'the log has another hash' });
  }
  return verdict('verified', { record: result.record.id });
}

/** What the go command compares, as text; sums of any other kind it does not know (modfetch/fetch.go, haveModSumLocked). */
function isKnownSum(hash: string): boolean {
  return hash.startsWith('h1:');
}

function failure({ module, version }: GoSumLine, { code, message, retryable, hint }: GosumError): Partial<Verdict> {
  // The verdict names the module version itself. Without it, what failed alike for many is said alike, and once.
  const said = message.replaceAll(lookupPath(module, version), '').replaceAll(`${formatModuleVersion(module, version)}: `, '');
  return { code, message: said, retryable, hint };
}

/**
 * 1 (a lie, or what may be one) goes before 4 (unknown to the log), and that before 3 (not asked, or not answered). What is
 * none of these and not verified, such as a proxy setting that cannot be used, is 2: 0 is only for what is proved.
 */
function exitCode(results: readonly Verdict[], problem: GosumError | undefined, allSkipped: boolean): number {
  const found = new Set(results.map(({ code }) => (code === undefined ? undefined : outcomeOf(code))));
  if (problem !== undefined) found.add(problem.outcome);
  if (found.has('mismatch') || found.has('unproved') || found.has('fork')) return 1;
  if (found.has('missing')) return 4;
  if (found.has('unreachable')) return 3;
  const proved = problem === undefined && results.every(({ status }) => status === 'verified' || status === 'skipped');
  return proved && !allSkipped ? 0 : 2;
}
