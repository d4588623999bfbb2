/**
 * Markdown (GitHub's, with tables), for job summaries and comments on pull requests.
 *
 * What comes from a go.sum or a server stands in code spans and blocks, where Markdown and HTML mean nothing and nobody
 * is mentioned. The rest is our own words, which have no markup in them.
 */

import type { Verdict, VerifyRun } from '../verify/verdict.js';
import { adviceFor } from './advice.js';
import { CATEGORIES, problemsOf } from './category.js';
import type { Category } from './category.js';
import { clip, visibleLines } from './escape.js';
import type { ReportOptions } from './options.js';
import { resultOf, summarize } from './summary.js';
import { moduleVersion, place, plural, sentence } from './words.js';

/** Rows of the table: with cells as long as they may be the report stays within the 65,536 characters of a comment. */
const ROWS = 50;
const CELL_LIMIT = 250;
/** Lines of evidence shown; `gosumcheck evidence` has all. */
const EVIDENCE_LINES = 60;

/** The report as Markdown, ended by a newline. */
export function formatMarkdown(run: VerifyRun, options: ReportOptions): string {
  const groups = problemsOf(run);
  const blocks = [`### gosumcheck: ${resultOf(run) ?? 'verified'}`];
  if (run.fork !== undefined) blocks.push(evidence(run.fork));
  const problems = groups.flatMap(([category, verdicts]) => verdicts.map((verdict) => row(category, verdict)));
  if (problems.length > 0) {
    blocks.push(['| Finding | Place | Module version | Details |', '| --- | --- | --- | --- |', ...problems.slice(0, ROWS)].join('\n'));
  }
  if (problems.length > ROWS) {
    blocks.push(`and ${plural(problems.length - ROWS, 'more problem')}: the other formats have them all`);
  }
  for (const [category, verdicts] of groups) {
    const steps = adviceFor(category, verdicts, run, options).flatMap(({ text, commands = [] }) => [
      `- ${text}`,
      ...commands.map((command) => `  - ${code(command)}`),
    ]);
    blocks.push([`**${CATEGORIES[category].heading}** ${CATEGORIES[category].meaning}`, '', ...steps].join('\n'));
  }
  blocks.push(fenced(summarize(run).map(({ label, text }) => `${label.padEnd(10)}${text}`)));
  return `${blocks.join('\n\n')}\n`;
}

function row(category: Category, verdict: Verdict): string {
  const cells = [place(verdict), moduleVersion(verdict), sentence(verdict)].map((cell) => code(clip(cell, CELL_LIMIT)));
  return `| ${CATEGORIES[category].heading} | ${cells.join(' | ')} |`;
}

function evidence(fork: string): string {
  const lines = fork.trimEnd().split('\n');
  const shown = visibleLines(lines.slice(0, EVIDENCE_LINES).join('\n')).map((line) => clip(line, CELL_LIMIT));
  return fenced(lines.length > EVIDENCE_LINES ? [...shown, 'the rest: gosumcheck evidence'] : shown);
}

/** A code span (CommonMark §6.1) that may stand in a table, where a `|` ends the cell even inside a span unless escaped. */
function code(text: string): string {
  const fence = fenceFor(text, 1);
  const space = text.startsWith('`') || text.endsWith('`') ? ' ' : '';
  // A backslash in front of a pipe would be taken for its escape: it is doubled.
  return `${fence}${space}${text.replace(/(\\*)\|/g, '$1$1\\|')}${space}${fence}`;
}

function fenced(lines: readonly string[]): string {
  const fence = fenceFor(lines.join('\n'), 3);
  return [`${fence}text`, ...lines, fence].join('\n');
}

/** Backticks enough that no run of them in the text ends the code: one more than the longest, and `least` at least. */
function fenceFor(text: string, least: number): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  return '`'.repeat(Math.max(least, longest + 1));
}
