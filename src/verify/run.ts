/** A run: what is checked is put together, all of it is asked of the log at once, and the verdicts are counted. */

import { isGosumError, outcomeOf, type GosumError } from '../errors.js';
import { formatFork, ForkError } from '../core/fork.js';
import type { ModuleVersion } from '../core/module.js';
import type { Found, Lookups, SumDB } from '../client/sumdb.js';
import type { Status, Verdict, VerifyRun } from './verdict.js';

/** Something to check: the module versions that it has the log asked about, and what it makes of the answers. */
export interface Check {
  /** No private module, and nothing that cannot be verified. */
  readonly wanted: readonly ModuleVersion[];
  /** The verdicts, once the log was asked. */
  judge(lookups: Lookups): readonly Verdict[] | Promise<readonly Verdict[]>;
}

/** Options of a run. */
export interface RunOptions {
  /** Take a run in which everything was skipped for a good one. */
  readonly allowAllSkipped?: boolean | undefined;
  /** Ask for the newest tree head, and prove it consistent, even where everything can be proved from the store. */
  readonly fresh?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the checks, with one batch of lookups for all of them. The verdicts are in the order of the checks.
 *
 * @throws {GosumError} what `SumDB.lookup` and the checks throw.
 */
export async function runChecks(db: SumDB, checks: readonly Check[], options: RunOptions = {}): Promise<VerifyRun> {
  const { fresh, signal } = options;
  const lookups = await db.lookup(checks.flatMap(({ wanted }) => wanted), { fresh, signal });
  const results = (await Promise.all(checks.map(async (check) => check.judge(lookups)))).flat();

  const found = [...lookups.results.values()].filter((result): result is Found => !isGosumError(result));
  const summary = summaryOf(results);
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

/** Counts verdicts by what they came to. */
export function summaryOf(results: readonly Verdict[]): VerifyRun['summary'] {
  const count = (...statuses: Status[]): number => results.filter(({ status }) => statuses.includes(status)).length;
  return {
    lines: results.length,
    verified: count('verified'),
    mismatched: count('mismatch', 'conflict'),
    missing: count('missing'),
    skipped: count('skipped'),
    failed: count('error'),
  };
}

/**
 * 1 (a lie, or what may be one) goes before 4 (unknown to the log), and that before 3 (not asked, or not answered). What is
 * none of these and not verified, such as a proxy setting that cannot be used, is 2: 0 is only for what is proved.
 */
function exitCode(results: readonly Verdict[], problem: GosumError | undefined, allSkipped: boolean): number {
  const found = new Set(results.map(({ code }) => (code === undefined ? undefined : outcomeOf(code))));
  if (problem !== undefined) found.add(problem.outcome);
  // A cached zip that is malformed is no input of the run's that could not be read: it is what was looked for.
  const lies = results.some(({ status }) => status === 'mismatch' || status === 'conflict');
  if (lies || found.has('unproved') || found.has('fork')) return 1;
  if (found.has('missing')) return 4;
  if (found.has('unreachable')) return 3;
  const proved = problem === undefined && results.every(({ status }) => status === 'verified' || status === 'skipped');
  return proved && !allSkipped ? 0 : 2;
}
