/**
 * GitHub annotations: workflow commands that the runner reads from the log (actions/runner, ActionCommand.cs).
 *
 * The runner keeps ten annotations of each kind (error, warning, notice) of a step and drops the others without a word
 * (ExecutionContext.AddIssue). So the ten gravest problems are annotations; the count of the others is a notice, which
 * has an allowance of its own; and each of the others stands in the log as a plain line.
 */

import type { Verdict, VerifyRun } from '../verify/verdict.js';
import { adviceFor } from './advice.js';
import { CATEGORIES, loneProblem, problemsOf } from './category.js';
import type { Category } from './category.js';
import { visible, visibleLines } from './escape.js';
import type { ReportOptions } from './options.js';
import { repositoryPath } from './paths.js';
import { summarize } from './summary.js';
import { moduleVersion, place, plural, sentence } from './words.js';

const ANNOTATIONS = 10;

interface Problem {
  readonly category: Category;
  /** The line or cached file it is about; none for the run as a whole. */
  readonly verdict?: Verdict;
  /** What is said of the run as a whole, where the category's title does not say it all. */
  readonly text?: string;
}

/** The report as lines of a workflow's log. Skipped lines are counted in the last lines and have no annotation. */
export function formatGithub(run: VerifyRun, options: ReportOptions): string {
  const groups = problemsOf(run);
  const problems: Problem[] = groups.flatMap(([category, verdicts]) => verdicts.map((verdict) => ({ category, verdict })));
  const lone = loneProblem(run);
  if (lone !== undefined) problems.unshift({ category: 'failed', text: visible(lone.message) });
  if (run.fork !== undefined) problems.unshift({ category: 'fork' });
  const lines = problems.slice(0, ANNOTATIONS).map((problem) => annotation(problem, options));
  const rest = problems.slice(ANNOTATIONS);
  if (rest.length > 0) {
    const count = plural(rest.length, 'more problem');
    lines.push(`::notice title=${property(`gosumcheck: ${count}`)}::${data(`${count}: see the log of this step`)}`);
    lines.push(`${count}:`);
    for (const problem of rest) lines.push(`- ${describe(problem)}`);
  }
  if (run.fork !== undefined) lines.push(...visibleLines(run.fork.trimEnd()));
  for (const [category, verdicts] of groups) {
    for (const { text, commands = [] } of adviceFor(category, verdicts, run, options)) {
      lines.push(`${CATEGORIES[category].heading}: ${text}`, ...commands.map((command) => `    ${command}`));
    }
  }
  lines.push(...summarize(run).map(({ label, text }) => `${label.padEnd(10)}${text}`));
  return `${lines.join('\n')}\n`;
}

function annotation(problem: Problem, options: ReportOptions): string {
  const { category, verdict, text } = problem;
  const { level, meaning, title } = CATEGORIES[category];
  const path = verdict?.line === undefined ? undefined : repositoryPath(verdict.file, options);
  // A path that cannot be shown as it is has no place in a command; the message names it.
  const where = path === undefined || visible(path) !== path ? '' : `file=${property(path)},line=${verdict?.line ?? 1},`;
  return `::${level} ${where}title=${property(`gosumcheck: ${title}`)}::${data(text ?? `${describe(problem)}\n${meaning}`)}`;
}

function describe({ category, verdict, text }: Problem): string {
  if (verdict === undefined) return text ?? CATEGORIES[category].title;
  return `${place(verdict)}: ${moduleVersion(verdict)}: ${sentence(verdict)}`;
}

/** The message of a command. The grammar escapes carriage returns too; `visible` has left none. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\n', '%0A');
}

/** A property of a command. */
function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
