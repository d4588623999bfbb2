/** The last lines of every report for people: what the run proved, and how it ended. */

import { formatHash } from '../core/hash.js';
import type { CacheCounts, Verdict, VerifyRun } from '../verify/verdict.js';
import { CATEGORIES, loneProblem, problemsOf } from './category.js';
import { visible } from './escape.js';
import { countOf, fileName, isCached, plural } from './words.js';

/** One line: a word in front, and what it says. Both are safe to show. */
export interface SummaryLine {
  readonly label: 'log' | 'tree' | 'history' | 'modcache' | 'verified' | 'skipped' | 'problem' | 'result';
  readonly text: string;
}

/** Four lines for a run without problems; `modcache`, `skipped`, `problem` and `result` only where there is something to say. */
export function summarize(run: VerifyRun): SummaryLine[] {
  const { database } = run;
  const tree = database.tree;
  const lines: SummaryLine[] = [
    { label: 'log', text: `${visible(database.name)}, ${way(run)}` },
    { label: 'tree', text: tree === undefined ? 'none: no signed tree head was had' : `${tree.size} records, hash ${formatHash(tree.hash)}` },
    { label: 'history', text: history(run) },
    ...(run.modcache === undefined ? [] : [{ label: 'modcache' as const, text: cacheCounts(run.modcache) }]),
    { label: 'verified', text: proved(run) },
  ];
  const skipped = run.results.filter(({ status }) => status === 'skipped');
  if (skipped.length > 0) lines.push({ label: 'skipped', text: `${countOf(skipped)}, on purpose: ${knownOf(skipped)}` });
  const problem = loneProblem(run);
  if (problem !== undefined) lines.push({ label: 'problem', text: visible([problem.message, problem.hint].filter(Boolean).join('; ')) });
  const result = resultOf(run);
  if (result !== undefined) lines.push({ label: 'result', text: result });
  return lines;
}

function way({ database, summary }: VerifyRun): string {
  if (summary.skipped === summary.lines) return 'not asked';
  return database.url === 'cache' ? 'proved anew from the cache; nothing was asked' : `by ${visible(database.url)}`;
}

function history({ database, summary }: VerifyRun): string {
  switch (database.timeline) {
    case 'first-contact':
      return 'first contact: no earlier tree to compare with (see --trusted-head)';
    case 'consistent':
      return 'consistent with the tree seen before';
    case 'fork':
      return 'FORK: the log contradicts a tree that it signed before';
    case 'none':
      return summary.skipped === summary.lines ? 'the log was not asked' : 'nothing to compare, so nothing was proved';
  }
}

function proved({ results, summary, modules }: VerifyRun): string {
  if (summary.lines === 0) return 'no lines: there was nothing to check';
  const inCache = results.filter(isCached);
  const lines = results.filter((verdict) => !isCached(verdict));
  const files = [...new Set(lines.map(({ file }) => file))];
  const of = files.length === 1 ? ` of ${fileName(files[0] ?? '')}` : files.length > 1 ? ` in ${files.length} files` : '';
  const parts = [];
  if (lines.length > 0) parts.push(`${share(lines)}${of}`);
  if (inCache.length > 0) parts.push(`${share(inCache)} of the module cache`);
  const cached = modules.cached === 0 ? 'none' : modules.cached === modules.checked ? 'all' : `${modules.cached}`;
  return `${parts.join(', ')}; ${plural(modules.checked, 'module version')}, ${cached} from the cache`;
}

/** `all 12 lines`, `3 of 12 files`. */
function share(verdicts: readonly Verdict[]): string {
  const verified = verdicts.filter(({ status }) => status === 'verified').length;
  return `${verified === verdicts.length ? 'all ' : `${verified} of `}${countOf(verdicts)}`;
}

/** What is known of what was skipped. */
function knownOf(skipped: readonly Verdict[]): string {
  if (!skipped.some(isCached)) return 'nothing is known of them';
  const held = 'held against the rest of the cache alone';
  return skipped.every(isCached) ? held : `nothing is known of the lines, and the files were ${held}`;
}

function cacheCounts(counts: CacheCounts): string {
  const all = [plural(counts.zips, 'zip'), plural(counts.folders, 'folder'), plural(counts.goMods, 'go.mod file')].join(', ');
  const apart = [
    counts.zipOnly > 0 ? `${counts.zipOnly} not extracted` : '',
    counts.folderOnly > 0 ? `${plural(counts.folderOnly, 'folder')} without a zip` : '',
    counts.goModOnly > 0 ? `${counts.goModOnly} with a go.mod alone` : '',
    counts.unfinished > 0 ? `${plural(counts.unfinished, 'unfinished folder')}, not looked at` : '',
  ].filter(Boolean);
  const more = apart.length === 0 ? '' : ` (${apart.join(', ')})`;
  return `${visible(counts.folder)}: ${plural(counts.modules, 'module version')}: ${all}${more}`;
}

const ENDINGS: Readonly<Record<number, string>> = {
  1: 'FAILED',
  2: 'NOTHING CHECKED',
  3: 'INCOMPLETE',
  4: 'MISSING',
  130: 'INTERRUPTED',
};

/** How the run ended, in words; `undefined` for exit 0. */
export function resultOf(run: VerifyRun): string | undefined {
  if (run.exitCode === 0) return undefined;
  const counts = problemsOf(run).map(([category, verdicts]) =>
    verdicts.length === 0 ? CATEGORIES[category].title : `${countOf(verdicts)} ${CATEGORIES[category].counted}`,
  );
  // Exit 2 is also that of a run whose settings let nothing be asked.
  const ending = run.exitCode === 2 && run.summary.skipped < run.summary.lines ? 'NOT VERIFIED' : ENDINGS[run.exitCode];
  const what = counts.length === 0 ? '' : `: ${counts.join(', ')}`;
  return `${ending ?? 'FAILED'}, exit ${run.exitCode}${what}`;
}
