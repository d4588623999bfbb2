/** How reports name things: numbers with nouns, module versions, lines of files, and the one sentence about a verdict. */

import { CATEGORIES, categoryOf } from './category.js';
import { visible, visibleClip, visibleHash } from './escape.js';
import { groupBy } from './group.js';
import type { Verdict } from '../verify/verdict.js';

/** `1 line`, `2 lines`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A file as reports show it: as the user named it, `<stdin>` for standard input. */
export function fileName(file: string): string {
  return file === '-' ? '<stdin>' : visible(file);
}

/** Whether the verdict is about a file of the module cache, and not about a line. */
export function isCached({ line }: Verdict): boolean {
  return line === undefined;
}

/** How many lines, and files of the module cache, the verdicts are about: `2 lines`, `1 file`, `2 lines and 1 file`. */
export function countOf(verdicts: readonly Verdict[]): string {
  const files = verdicts.filter(isCached).length;
  const counts = [files < verdicts.length ? plural(verdicts.length - files, 'line') : '', files > 0 ? plural(files, 'file') : ''];
  return counts.filter(Boolean).join(' and ');
}

/** `go.sum:17`; of the module cache the path alone. */
export function place({ file, line }: Verdict): string {
  return line === undefined ? fileName(file) : `${fileName(file)}:${line}`;
}

/** The line's first two fields, as they are in the file, so that they can be searched for: `golang.org/x/text v0.3.0/go.mod`. */
export function moduleVersion(verdict: Verdict): string {
  return visible(`${verdict.module} ${verdict.version}${verdict.kind === 'go.mod' ? '/go.mod' : ''}`);
}

/** How many module versions the verdicts are about. */
export function countModules(verdicts: readonly Verdict[]): number {
  return new Set(verdicts.map((verdict) => `${verdict.module} ${verdict.version}`)).size;
}

/** All places of the verdicts, briefly: `go.sum:4-6, 9; go.work.sum:3`; of many cached files only how many there are. */
export function places(verdicts: readonly Verdict[]): string {
  const cached = verdicts.filter(isCached);
  const lines = [...groupBy(verdicts.filter((verdict) => !isCached(verdict)), ({ file }) => file)].map(
    ([file, inFile]) => `${fileName(file)}:${ranges(inFile.flatMap(({ line }) => line ?? []))}`,
  );
  const files = cached.length > CACHED_PLACES ? [`${cached.length} files of the module cache`] : cached.map(place);
  return [...lines, ...files].join('; ');
}

/** Cached files that are named: those of one module version. */
const CACHED_PLACES = 4;

/** What reports show of a message. */
const MESSAGE_LIMIT = 300;

/** One sentence about a verdict, without its place and without a full stop. */
export function sentence(verdict: Verdict): string {
  const category = categoryOf(verdict);
  if (category === undefined) return 'verified';
  const record = verdict.record === undefined ? '' : ` (record ${verdict.record})`;
  if ((category === 'mismatch' || category === 'cache-mismatch') && verdict.expected !== undefined) {
    return `the file has ${visibleHash(verdict.hash)}, the log has ${visibleHash(verdict.expected)}${record}`;
  }
  if (category === 'conflict') {
    const has = `another line has another hash for it; this one has ${visibleHash(verdict.hash)}`;
    if (verdict.expected !== undefined) return `${has}, the log has ${visibleHash(verdict.expected)}${record}`;
    return isAsLogged(verdict) ? `${has}, as the log has it${record}` : has;
  }
  if (category === 'cache-conflict' && verdict.hash !== '') {
    return `it has ${visibleHash(verdict.hash)}, and ${visibleClip(verdict.message ?? '', MESSAGE_LIMIT)}`;
  }
  if (category === 'unknown-hash') return `${CATEGORIES[category].title}: ${visibleHash(verdict.hash)}`;
  return verdict.message === undefined ? CATEGORIES[category].title : visibleClip(verdict.message, MESSAGE_LIMIT);
}

/** Whether a line in conflict is the one that the log's record has: then a record is named, and no other hash. */
export function isAsLogged({ status, record, expected }: Verdict): boolean {
  return status === 'conflict' && record !== undefined && expected === undefined;
}

/** `4-6, 9` for 4, 5, 6, 9: ascending, as a run has them. */
function ranges(lines: readonly number[]): string {
  const spans: { first: number; last: number }[] = [];
  for (const line of lines) {
    const span = spans.at(-1);
    if (span?.last === line - 1) span.last = line;
    else spans.push({ first: line, last: line });
  }
  return spans.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
}
