/**
 * SARIF 2.1.0 (OASIS, docs.oasis-open.org/sarif/sarif/v2.1.0), for code scanning.
 *
 * A finding about a go.sum line or a cached file is a result. That a line could not be asked about, or was skipped, says nothing about
 * the file: it is a notification of the run, so that a lost connection opens and closes no alerts.
 */

import type { Invocation, Location, Log, Notification, ReportingDescriptor, Result } from 'sarif';

import { formatHash } from '../core/hash.js';
import type { Verdict, VerifyRun } from '../verify/verdict.js';
import { adviceFor } from './advice.js';
import { byCategory, CATEGORIES, categoryOf, loneProblem } from './category.js';
import type { Category } from './category.js';
import { visibleJson } from './escape.js';
import { groupBy } from './group.js';
import type { ReportOptions } from './options.js';
import { fileUri, relativeUri, repositoryUri } from './paths.js';
import { resultOf } from './summary.js';
import { countOf, isCached, moduleVersion, places, sentence } from './words.js';

const ROOT = '%SRCROOT%';
const MODCACHE = 'GOMODCACHE';
const HELP_URI = 'https://go.dev/ref/mod#checksum-database';

/** Categories that are findings about a line or a cached file, with the rank that GitHub makes of `security-severity` (0 to 10). */
const RULES = {
  fork: '9.8',
  mismatch: '9.3',
  conflict: '8.1',
  'unknown-hash': '7.5',
  unproved: '7.5',
  missing: '5.3',
  'cache-mismatch': '9.3',
  'cache-conflict': '8.1',
  'cache-zip': '8.1',
} as const;
type Rule = keyof typeof RULES;

/** The report as SARIF, indented, ended by a newline. */
export function formatSarif(run: VerifyRun, options: ReportOptions): string {
  // The rules of the module cache are the last ones: without them the others keep their places.
  const inUse = (Object.keys(RULES) as Rule[]).filter((category) => run.modcache !== undefined || !category.startsWith('cache-'));
  const rules = inUse.map((category) => ruleFor(category, run, options));
  const { tree, name, url, timeline } = run.database;
  const log: Log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'gosumcheck', version: options.version, rules } },
        invocations: [invocation(run)],
        originalUriBaseIds: {
          [ROOT]: { description: { text: 'the root of the repository' } },
          ...(run.modcache === undefined
            ? {}
            : { [MODCACHE]: { uri: `${fileUri(run.modcache.folder, options)}/`, description: { text: 'the module cache' } } }),
        },
        columnKind: 'utf16CodeUnits',
        results: run.results.flatMap((verdict) => resultFor(verdict, options)),
        properties: {
          database: { name, url, timeline, ...(tree === undefined ? {} : { tree: { size: tree.size, hash: formatHash(tree.hash) } }) },
        },
      },
    ],
  };
  return visibleJson(log);
}

function ruleFor(category: Rule, run: VerifyRun, options: ReportOptions): ReportingDescriptor {
  const { rule, title, meaning, level } = CATEGORIES[category];
  const verdicts = run.results.filter((verdict) => categoryOf(verdict) === category);
  const steps = adviceFor(category, verdicts, run, options);
  const text = steps.map((step) => [step.text, ...(step.commands ?? []).map((command) => `    ${command}`)].join('\n')).join('\n');
  return {
    id: rule,
    name: rule.replace(/(?:^|-)([a-z])/g, (_match, letter: string) => letter.toUpperCase()),
    shortDescription: { text: `${title[0]?.toUpperCase() ?? ''}${title.slice(1)}.` },
    fullDescription: { text: meaning },
    help: { text: `${meaning}\n${text}` },
    helpUri: HELP_URI,
    defaultConfiguration: { level },
    properties: { tags: ['security', 'supply-chain'], precision: 'very-high', 'security-severity': RULES[category] },
  };
}

function isRule(category: Category | undefined): category is Rule {
  return category !== undefined && category in RULES;
}

function resultFor(verdict: Verdict, options: ReportOptions): Result[] {
  const category = categoryOf(verdict);
  if (!isRule(category)) return [];
  const { rule, level } = CATEGORIES[category];
  return [
    {
      ruleId: rule,
      ruleIndex: Object.keys(RULES).indexOf(category),
      level,
      message: { text: unlinked(`${moduleVersion(verdict)}: ${sentence(verdict)}.${nextStep(verdict)}`) },
      locations: [locationOf(verdict, options)],
      // What stays when lines move: the key and the hash that the file has for it.
      partialFingerprints: isCached(verdict)
        ? { 'moduleCacheFile/v1': `${verdict.file} ${verdict.hash}` }
        : { 'goSumLine/v1': `${moduleVersion(verdict)} ${verdict.hash}` },
    },
  ];
}

function nextStep(verdict: Verdict): string {
  return isCached(verdict) && verdict.hint !== undefined ? ` Next: ${verdict.hint}.` : '';
}

function locationOf({ file, line, module, version }: Verdict, options: ReportOptions): Location {
  const logicalLocations = [{ fullyQualifiedName: `${module}@${version}`, kind: 'module' }];
  if (line === undefined) {
    return { physicalLocation: { artifactLocation: { uri: relativeUri(file), uriBaseId: MODCACHE } }, logicalLocations };
  }
  if (file === '-') return { logicalLocations };
  const uri = repositoryUri(file, options);
  const artifactLocation = uri === undefined ? { uri: fileUri(file, options) } : { uri, uriBaseId: ROOT };
  return { physicalLocation: { artifactLocation, region: { startLine: line } }, logicalLocations };
}

function invocation(run: VerifyRun): Invocation {
  const exitCodeDescription = resultOf(run);
  const notifications: Notification[] = byCategory(run)
    .filter(([category]) => !isRule(category))
    .flatMap(([category, verdicts]) =>
      [...groupBy(verdicts, sentence)].map(([message, lines]) =>
        notification(category, `${countOf(lines)} ${CATEGORIES[category].counted}: ${message} (${places(lines)})`),
      ),
    );
  const problem = loneProblem(run);
  if (problem !== undefined) notifications.unshift(notification('failed', problem.message));
  if (run.fork !== undefined) notifications.unshift(notification('fork', `${CATEGORIES.fork.title}\n${run.fork}`));
  return {
    executionSuccessful: run.complete,
    exitCode: run.exitCode,
    ...(exitCodeDescription === undefined ? {} : { exitCodeDescription }),
    toolExecutionNotifications: notifications,
  };
}

function notification(category: Category, text: string): Notification {
  return { level: CATEGORIES[category].level, descriptor: { id: CATEGORIES[category].rule }, message: { text: unlinked(text) } };
}

/** SARIF §3.11.6 makes a link of `[text](target)` in a message: nobody else's text shall be one. */
function unlinked(text: string): string {
  return text.replaceAll('](', ']\\u0028');
}
