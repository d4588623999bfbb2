/**
 * The report for a person at a terminal: problems first, the gravest on top, each with what to do; then the lines that
 * say what was proved. A run without problems is those last lines alone.
 */

import { styleText } from 'node:util';

import type { Verdict, VerifyRun } from '../verify/verdict.js';
import { adviceFor } from './advice.js';
import { byCategory, CATEGORIES } from './category.js';
import type { Category } from './category.js';
import { visible, visibleClip, visibleHash, visibleLines } from './escape.js';
import { groupBy } from './group.js';
import { columns, wrap } from './layout.js';
import type { Row } from './layout.js';
import type { ReportOptions } from './options.js';
import { summarize } from './summary.js';
import type { SummaryLine } from './summary.js';
import { countModules, countOf, isAsLogged, isCached, moduleVersion, place, places, plural, sentence } from './words.js';

/** The report as text, ended by a newline. */
export function formatText(run: VerifyRun, options: ReportOptions): string {
  const page: Page = { run, options, style: options.color ? inColour : plain };
  const sections = byCategory(run).map(([category, verdicts]) => section(page, category, verdicts));
  return [...sections, summaryLines(page)].map((lines) => `${lines.join('\n')}\n`).join('\n');
}

type Style = Parameters<typeof styleText>[0];

interface Page {
  readonly run: VerifyRun;
  readonly options: ReportOptions;
  readonly style: (style: Style, text: string) => string;
}

function plain(_style: Style, text: string): string {
  return text;
}

function inColour(style: Style, text: string): string {
  // The caller has decided on colour: node is not to look at the streams or the environment again.
  return styleText(style, text, { validateStream: false });
}

const HEADING_STYLES = { error: ['bold', 'red'], warning: ['bold', 'yellow'], note: ['bold', 'cyan'] } satisfies Record<string, Style>;

function section(page: Page, category: Category, verdicts: readonly Verdict[]): string[] {
  const { width } = page.options;
  const { heading, title, level, meaning } = CATEGORIES[category];
  const count = verdicts.length === 0 ? '' : `${countOf(verdicts)}: `;
  const [first = '', ...rest] = wrap(`${count}${title}`, width, ' '.repeat(heading.length + 2));
  const lines = [`${page.style(HEADING_STYLES[level], heading)}${first.slice(heading.length)}`, ...rest, ''];
  for (const line of findings(page, category, verdicts)) lines.push(line);
  if (category === 'skipped') return lines;
  lines.push('', ...wrap(meaning, width, '  '));
  for (const { text, commands = [] } of adviceFor(category, verdicts, page.run, page.options)) {
    lines.push(...wrap(text, width, '  - ', '    '));
    for (const command of commands) lines.push(`      ${page.style('cyan', command)}`);
  }
  return lines;
}

function findings(page: Page, category: Category, verdicts: readonly Verdict[]): string[] {
  switch (category) {
    case 'fork': {
      const evidence = page.run.fork === undefined ? [] : visibleLines(page.run.fork.trimEnd());
      return [...(verdicts.length === 0 ? [] : [...byMessage(page, verdicts, ENTRIES), '']), ...evidence];
    }
    case 'mismatch':
    case 'conflict':
    case 'unknown-hash':
    case 'cache-mismatch':
    case 'cache-conflict':
      return comparisons(page, verdicts);
    case 'cache-zip':
    case 'unproved':
    case 'missing':
    case 'unreachable':
    case 'failed':
      return byMessage(page, verdicts, ENTRIES);
    case 'skipped':
      return byMessage(page, verdicts, 0);
  }
}

/** For each go.sum key the hashes of its lines or cached files and the log's, one below the other; then what is said of them. */
function comparisons({ options, style }: Page, verdicts: readonly Verdict[]): string[] {
  return [...groupBy(verdicts, moduleVersion)].flatMap(([key, group]) => {
    const rows: Row[] = group.map((verdict) => ({
      label: place(verdict),
      value: verdict.hash === '' ? sentence(verdict) : visibleHash(verdict.hash),
      paint: (text) => style(isAsLogged(verdict) ? 'green' : 'red', text),
    }));
    const known = group.find((verdict) => verdict.expected !== undefined || isAsLogged(verdict));
    if (known !== undefined) {
      const label = known.record === undefined ? 'log' : `log, record ${known.record}`;
      rows.push({ label, value: visibleHash(known.expected ?? known.hash), paint: (text) => style('green', text) });
    }
    const clashes = group.filter((verdict) => isCached(verdict) && verdict.status === 'conflict' && verdict.hash !== '');
    const words = [...new Set(clashes.map(({ message = '' }) => message))].flatMap((message) => wrap(visible(message), options.width, '    '));
    return [`  ${style('bold', key)}`, ...columns(rows, options.width, '    '), ...words];
  });
}

/** The most messages of a section, and the most module versions below one: a run that failed whole stays readable. */
const MESSAGES = 10;
const ENTRIES = 10;

/** Each message once, with the module versions and lines that it is about. What is left out by name is there by line. */
function byMessage({ options, style }: Page, verdicts: readonly Verdict[], entries: number): string[] {
  const groups = [...groupBy(verdicts, (verdict) => `${verdict.code ?? ''} ${withoutTile(sentence(verdict))}`).values()];
  const lines = groups.slice(0, MESSAGES).flatMap((group) => {
    const [message = '', ...others] = new Set(group.map(sentence));
    const code = group[0]?.code === undefined ? '' : ` (${group[0].code})`;
    const said = `${others.length === 0 ? message : withoutTile(message)}${code}`;
    return [...wrap(said, options.width, '  ').map((line) => style('bold', line)), ...entryRows(group, entries, options.width)];
  });
  const rest = groups.slice(MESSAGES);
  if (rest.length === 0) return lines;
  return [...lines, `  and ${plural(rest.length, 'message')} more`, ...entryRows(rest.flat(), 0, options.width)];
}

/** The same of many tiles is said once: of a server that is down, each may be another tile. */
function withoutTile(message: string): string {
  return message.replaceAll(/tile\/8\/[0-9x/]+(?:\.p\/[0-9]+)?/g, 'tile/8/…');
}

function entryRows(verdicts: readonly Verdict[], entries: number, width: number): string[] {
  const modules = [...groupBy(verdicts, ({ module, version }) => `${module} ${version}`)];
  const rows: Row[] = modules.slice(0, entries).map(([name, lines]) => ({ label: visibleClip(name, MODULE_LIMIT), value: places(lines) }));
  const rest = modules.slice(entries).flatMap(([, lines]) => lines);
  if (rest.length > 0) {
    rows.push({ label: `${entries === 0 ? '' : 'and '}${plural(countModules(rest), 'module version')}${entries === 0 ? '' : ' more'}`, value: places(rest) });
  }
  return columns(rows, width, '    ');
}

/** A module path has no limit of its own; a name longer than this is not read by anybody. */
const MODULE_LIMIT = 200;

const LABEL_WIDTH = 10;

function summaryLines({ run, options, style }: Page): string[] {
  return summarize(run).flatMap(({ label, text }) => {
    const [first = '', ...rest] = wrap(text, options.width, ' '.repeat(LABEL_WIDTH));
    const head = label.padEnd(LABEL_WIDTH);
    const says = first.slice(LABEL_WIDTH);
    if (label === 'result') return [head + says, ...rest].map((line) => style(run.exitCode === 1 ? ['bold', 'red'] : ['bold', 'yellow'], line));
    return [style(labelStyle(label, run), head) + says, ...rest];
  });
}

function labelStyle(label: SummaryLine['label'], { exitCode, summary }: VerifyRun): Style {
  if (label === 'verified' && summary.verified > 0) return exitCode === 0 ? ['bold', 'green'] : 'green';
  return 'dim';
}
