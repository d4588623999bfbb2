/**
 * JUnit XML, as CI servers read it: a suite for each go.sum and one for the module cache, a case for each line or cached file.
 *
 * There is no standard; this keeps to what the common readers (Jenkins, GitLab, Azure) share, and leaves times out, since
 * lines are checked together and none has a time of its own.
 */

import { formatHash } from '../core/hash.js';
import type { Verdict, VerifyRun } from '../verify/verdict.js';
import { CATEGORIES, categoryOf, loneProblem } from './category.js';
import type { Category } from './category.js';
import { visible, visibleLines } from './escape.js';
import { groupBy } from './group.js';
import type { ReportOptions } from './options.js';
import { repositoryPath } from './paths.js';
import { fileName, isCached, moduleVersion, place, sentence } from './words.js';

/** The report as XML 1.0, ended by a newline. */
export function formatJunit(run: VerifyRun, options: ReportOptions): string {
  const suites = [...groupBy(run.results, (verdict) => (isCached(verdict) ? MODCACHE : verdict.file))].map(([file, verdicts]) => suite(file, verdicts, run, options));
  const aboutLog = logSuite(run);
  const totals = counts(run.results, aboutLog.length);
  return ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites name="gosumcheck"${totals}>`, ...aboutLog, ...suites, '</testsuites>', ''].join('\n');
}

/** The suite of all cached files: each of them has one verdict. */
const MODCACHE = 'module cache';

/** The element that says what became of a case. */
const ELEMENTS: Readonly<Record<Category, 'failure' | 'error' | 'skipped'>> = {
  fork: 'error',
  mismatch: 'failure',
  conflict: 'failure',
  'unknown-hash': 'failure',
  'cache-mismatch': 'failure',
  'cache-conflict': 'failure',
  'cache-zip': 'failure',
  unproved: 'error',
  missing: 'failure',
  unreachable: 'error',
  failed: 'error',
  skipped: 'skipped',
};

function suite(file: string, verdicts: readonly Verdict[], run: VerifyRun, options: ReportOptions): string {
  return [
    `  <testsuite name="${xml(fileName(file))}"${counts(verdicts, 0)}>`,
    '    <properties>',
    ...properties(run, options).map(([name, value]) => `      <property name="${name}" value="${xml(value)}"/>`),
    '    </properties>',
    ...verdicts.map((verdict) => testcase(verdict, options)),
    '  </testsuite>',
  ].join('\n');
}

function properties({ database }: VerifyRun, { version }: ReportOptions): [name: string, value: string][] {
  const { tree } = database;
  return [
    ['gosumcheck.version', version],
    ['database.name', database.name],
    ['database.url', database.url],
    ['database.timeline', database.timeline],
    ...(tree === undefined
      ? []
      : ([
          ['database.tree.size', `${tree.size}`],
          ['database.tree.hash', formatHash(tree.hash)],
        ] as [string, string][])),
  ];
}

function testcase(verdict: Verdict, options: ReportOptions): string {
  const { file, line, module, version, kind, code, hint } = verdict;
  const path = line === undefined ? undefined : repositoryPath(file, options);
  const where = path === undefined ? '' : ` file="${xml(path)}" line="${line ?? 1}"`;
  const name = line === undefined ? file : kind === 'go.mod' ? `${version}/go.mod` : version;
  const open = `    <testcase classname="${xml(module)}" name="${xml(name)}"${where}`;
  const category = categoryOf(verdict);
  if (category === undefined) return `${open}/>`;
  const element = ELEMENTS[category];
  const message = xml(sentence(verdict));
  if (element === 'skipped') return `${open}>\n      <skipped message="${message}"/>\n    </testcase>`;
  const type = code ?? CATEGORIES[category].rule;
  const next = line === undefined && hint !== undefined ? ` Next: ${hint}.` : '';
  const body = xml(`${place(verdict)}: ${moduleVersion(verdict)}: ${CATEGORIES[category].meaning}${next}`);
  return `${open}>\n      <${element} type="${type}" message="${message}">${body}</${element}>\n    </testcase>`;
}

/** The log itself as a case that failed, with the evidence of a fork; none where nothing is to be said of it. */
function logSuite(run: VerifyRun): string[] {
  const { title, rule } = CATEGORIES.fork;
  const lone = loneProblem(run);
  const [type, message, body] = run.fork === undefined ? [lone?.code, lone?.message ?? '', lone?.hint ?? ''] : [rule, title, run.fork];
  if (type === undefined) return [];
  const name = xml(run.database.name);
  return [
    [
      `  <testsuite name="${name}" tests="1" failures="0" errors="1" skipped="0">`,
      `    <testcase classname="${name}" name="tree head">`,
      `      <error type="${type}" message="${xml(message)}">${escapeXml(visibleLines(body.trimEnd()).join('\n'))}</error>`,
      '    </testcase>',
      '  </testsuite>',
    ].join('\n'),
  ];
}

/** @param more cases that failed beside the lines. */
function counts(verdicts: readonly Verdict[], more: number): string {
  const number = (element: string): number =>
    verdicts.filter((verdict) => {
      const category = categoryOf(verdict);
      return category !== undefined && ELEMENTS[category] === element;
    }).length;
  const errors = number('error') + more;
  return ` tests="${verdicts.length + more}" failures="${number('failure')}" errors="${errors}" skipped="${number('skipped')}"`;
}

/** Text for an attribute or an element. `visible` has taken away what XML 1.0 (§2.2) cannot hold even escaped. */
function xml(text: string): string {
  return escapeXml(visible(text));
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');
}
