/**
 * Categories: the kinds of finding that a person must be able to tell apart, and what is said of each.
 *
 * A verdict's status says what became of the line, or of the cached file; its code says why. A category joins the two, and keeps the
 * outcomes of errors.ts apart: an answer that does not authenticate is no missing one, and neither accuses the log.
 */

import { outcomeOf } from '../errors.js';
import type { Problem, Verdict, VerifyRun } from '../verify/verdict.js';
import { groupBy } from './group.js';

/** What a report calls a verdict that is not `verified`. */
export type Category =
  | 'fork'
  | 'mismatch'
  | 'conflict'
  | 'unknown-hash'
  | 'cache-mismatch'
  | 'cache-conflict'
  | 'cache-zip'
  | 'unproved'
  | 'missing'
  | 'unreachable'
  | 'failed'
  | 'skipped';

/** What is said of a category, in every format. */
export interface CategoryText {
  /** The name of its rule: stable, in SARIF and JUnit. */
  readonly rule: string;
  /** A line or few words for the head of a section. */
  readonly heading: string;
  /** A short sentence without a full stop. */
  readonly title: string;
  /** Said of a number of lines or files: `3 lines mismatched`. */
  readonly counted: string;
  /** `error`: do not build. `warning`: not known to be wrong, not known to be right. `note`: as intended. */
  readonly level: 'error' | 'warning' | 'note';
  /** What it means. */
  readonly meaning: string;
}

/** All categories, the gravest first: the order in which reports have them. */
export const CATEGORIES: Readonly<Record<Category, CategoryText>> = {
  fork: {
    rule: 'log-fork',
    heading: 'FORK',
    title: 'the checksum database has signed two trees that cannot both be true',
    counted: 'under a log that contradicts itself',
    level: 'error',
    meaning:
      'The log contradicts what it signed before. That is proof against the log, or against whoever has its key, and ' +
      'not against your go.sum. Nothing that this log says can be believed until it is explained.',
  },
  mismatch: {
    rule: 'hash-mismatch',
    heading: 'MISMATCH',
    title: 'the hash is not the one that the checksum database has',
    counted: 'mismatched',
    level: 'error',
    meaning:
      'The log holds the hash that everybody else is given. Either this line was changed (by hand, by a bad merge, ' +
      'or by an attacker), or the module was changed at its origin after it was published.',
  },
  conflict: {
    rule: 'lines-conflict',
    heading: 'CONFLICT',
    title: 'the same module version has different hashes',
    counted: 'in conflict',
    level: 'error',
    meaning: 'Which of the lines the go command believes depends on their order. At most one of them can be right.',
  },
  'unknown-hash': {
    rule: 'hash-unknown',
    heading: 'UNKNOWN HASH',
    title: 'the hash is of no kind that the go command knows',
    counted: 'with an unknown hash',
    level: 'error',
    meaning: 'The go command knows only hashes that begin with h1:. Such a line holds the module to nothing.',
  },
  'cache-mismatch': {
    rule: 'cache-mismatch',
    heading: 'CACHE MISMATCH',
    title: 'the module cache does not have what the checksum database has',
    counted: 'not as in the log',
    level: 'error',
    meaning:
      'The log holds the hash that everybody else is given. What is in the cache was changed after it was downloaded ' +
      '(by hand, by a tool, or by whoever could write to a cache that was restored), or it was never what was published.',
  },
  'cache-conflict': {
    rule: 'cache-conflict',
    heading: 'CACHE CONFLICT',
    title: 'what the module cache has of a module version does not agree',
    counted: 'that do not agree',
    level: 'error',
    meaning:
      'What the go command downloads, writes down and extracts agrees, with go.sum too. Something was changed after that, ' +
      'and no record of the log says which of these files is the right one.',
  },
  'cache-zip': {
    rule: 'cache-bad-zip',
    heading: 'BAD ZIP',
    title: 'the go command would refuse the zip',
    counted: 'that the go command would refuse',
    level: 'error',
    meaning: 'The zip is damaged, can be read in more than one way, or breaks the rules of module zips. No module should come so.',
  },
  unproved: {
    rule: 'unproved-answer',
    heading: 'NOT PROVED',
    title: 'the answer does not authenticate',
    counted: 'unproved',
    level: 'error',
    meaning:
      'An answer came, and its signature, tile or record is not what the signed tree demands. That accuses nobody: ' +
      'any proxy on the way can cause it.',
  },
  missing: {
    rule: 'not-in-log',
    heading: 'NOT IN THE LOG',
    title: 'the checksum database does not know this module version',
    counted: 'not in the log',
    level: 'warning',
    meaning: 'The log was asked by name and answered that it has no such module version. Asking again will not help.',
  },
  unreachable: {
    rule: 'no-answer',
    heading: 'NO ANSWER',
    title: 'the checksum database could not be asked',
    counted: 'without an answer',
    level: 'warning',
    meaning: 'No answer came, or none of the right form. This says nothing about them: they remain unchecked.',
  },
  failed: {
    rule: 'not-checked',
    heading: 'NOT CHECKED',
    title: 'the check could not be made',
    counted: 'not checked',
    level: 'warning',
    meaning: 'The check did not get as far as an answer. This says nothing about them: they remain unchecked.',
  },
  skipped: {
    rule: 'skipped',
    heading: 'SKIPPED',
    title: 'not checked, on purpose',
    counted: 'skipped',
    level: 'note',
    meaning: 'These were not checked against the log, on purpose.',
  },
};

/** The category of a verdict; `undefined` where it is verified. */
export function categoryOf(verdict: Verdict): Category | undefined {
  switch (verdict.status) {
    case 'verified':
      return undefined;
    case 'mismatch':
      if (verdict.line === undefined) return verdict.code === 'HASH_MISMATCH' ? 'cache-mismatch' : 'cache-zip';
      return verdict.code === 'HASH_UNKNOWN' ? 'unknown-hash' : 'mismatch';
    case 'conflict':
      return verdict.line === undefined ? 'cache-conflict' : 'conflict';
    case 'missing':
    case 'skipped':
      return verdict.status;
    case 'error': {
      const outcome = verdict.code === undefined ? 'local' : outcomeOf(verdict.code);
      return outcome === 'fork' || outcome === 'unproved' || outcome === 'unreachable' ? outcome : 'failed';
    }
  }
}

/**
 * The verdicts that are not verified, by category, the gravest first; those of one category in the run's order.
 * A run with evidence of a fork has that category even where no line has it.
 */
export function byCategory(run: VerifyRun): [category: Category, verdicts: Verdict[]][] {
  const groups = groupBy(run.results, categoryOf);
  if (run.fork !== undefined && !groups.has('fork')) groups.set('fork', []);
  return (Object.keys(CATEGORIES) as Category[]).flatMap((category) => {
    const verdicts = groups.get(category);
    return verdicts === undefined ? [] : [[category, verdicts]];
  });
}

/** What went wrong with the run as a whole and is said neither of a line nor as a fork: every line may be verified beside it. */
export function loneProblem({ problem, results, fork }: VerifyRun): Problem | undefined {
  const said = fork !== undefined || results.some(({ code }) => code === problem?.code);
  return said ? undefined : problem;
}

/** As `byCategory`, without what was skipped: what is not as it should be. */
export function problemsOf(run: VerifyRun): [category: Category, verdicts: Verdict[]][] {
  return byCategory(run).filter(([category]) => category !== 'skipped');
}
