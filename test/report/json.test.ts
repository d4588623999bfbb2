/** The formats that are JSON: ours against its published schema, SARIF against the schema of 2.1.0. */

import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import t from 'tap';
import type { Log } from 'sarif';

import { CODES } from '../../src/errors.js';
import { formatJson } from '../../src/report/json.js';
import { fileUri, repositoryPath, repositoryUri } from '../../src/report/paths.js';
import { formatSarif } from '../../src/report/sarif.js';
import { h1, HOSTILE, OPTIONS, runOf, SAMPLES, TREE_HASH, verdict } from './samples.js';

interface Schema {
  $schema?: string;
  id?: string;
  $defs: { code: { enum: string[] } };
}
const schema = JSON.parse(readFileSync(new URL('../../../docs/report.schema.json', import.meta.url), 'utf8')) as Schema;
const isReport = new Ajv2020({ allErrors: true }).compile(schema);

/** The JSON schema of SARIF 2.1.0 (rtm.5), as the npm package @microsoft/jest-sarif ships it. */
function sarifSchema(): object {
  const file = createRequire(import.meta.url).resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json');
  const sarif = JSON.parse(readFileSync(file, 'utf8')) as Schema;
  // Nothing else in it differs between draft 4, which it is of, and draft 7, which ajv reads.
  delete sarif.$schema;
  delete sarif.id;
  return sarif;
}
// One of its patterns (of language tags) has a stray bracket, which only the older regular expressions take.
const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
ajvFormats.default(ajv);
const isSarif = ajv.compile(sarifSchema());

/** What `visibleJson` promises: characters that act appear only as escapes. */
const ACTING = /[^\P{C}\n]|\p{Zl}|\p{Zp}|##\[/u;

t.test('every sample is valid in both', async (t) => {
  for (const [name, run] of Object.entries(SAMPLES)) {
    const json = formatJson(run, OPTIONS);
    const sarif = formatSarif(run, OPTIONS);
    t.ok(isReport(JSON.parse(json)), `${name}: ${JSON.stringify(isReport.errors)}`);
    t.ok(isSarif(JSON.parse(sarif)), `${name}: ${JSON.stringify(isSarif.errors)}`);
    t.notOk(ACTING.test(json + sarif), `${name}: nothing acts`);
    t.ok(json.endsWith('}\n') && sarif.endsWith('}\n'), name);
  }
});

t.test('the schemas refuse what is not theirs', async (t) => {
  const good = JSON.parse(formatJson(SAMPLES.mismatch!, OPTIONS)) as Record<string, unknown>;
  t.notOk(isReport({ ...good, extra: 1 }));
  t.notOk(isReport({ ...good, schema: 2 }));
  t.notOk(isReport({ ...good, exitCode: 5 }));
  const sarif = JSON.parse(formatSarif(SAMPLES.mismatch!, OPTIONS)) as Record<string, unknown>;
  t.notOk(isSarif({ ...sarif, version: '2.0.0' }));
  t.notOk(isSarif({ ...sarif, extra: 1 }));
});

t.test('the codes of the schema are the codes of errors.ts', async (t) => {
  t.same([...schema.$defs.code.enum].sort(), [...CODES].sort());
});

t.test('json: a whole report', async (t) => {
  const run = runOf(
    [
      verdict(2, 'golang.org/x/text v0.3.0/go.mod', { status: 'mismatch', hash: h1('B'), expected: h1('C'), record: 3, code: 'HASH_MISMATCH' }),
      verdict(3, 'rsc.io/quote v1.5.2', { status: 'error', record: undefined, code: 'TIMEOUT', message: 'no answer in 30s', retryable: true }),
    ],
    1,
  );
  t.same(JSON.parse(formatJson(run, OPTIONS)), {
    schema: 1,
    tool: { name: 'gosumcheck', version: '0.1.0' },
    complete: false,
    exitCode: 1,
    database: {
      name: 'sum.golang.org',
      url: 'https://proxy.example/sumdb/sum.golang.org',
      tree: { size: 38123456, hash: TREE_HASH },
      timeline: 'consistent',
    },
    summary: { lines: 2, verified: 0, mismatched: 1, missing: 0, skipped: 0, failed: 1 },
    results: [
      {
        file: 'go.sum',
        line: 2,
        module: 'golang.org/x/text',
        version: 'v0.3.0',
        kind: 'go.mod',
        status: 'mismatch',
        hash: h1('B'),
        expected: h1('C'),
        record: 3,
        code: 'HASH_MISMATCH',
      },
      {
        file: 'go.sum',
        line: 3,
        module: 'rsc.io/quote',
        version: 'v1.5.2',
        kind: 'module',
        status: 'error',
        hash: h1('A'),
        retryable: true,
        code: 'TIMEOUT',
        message: 'no answer in 30s',
      },
    ],
  });
  t.equal((JSON.parse(formatJson(SAMPLES['all skipped']!, OPTIONS)) as { database: { tree: unknown } }).database.tree, null);
});

t.test('json: a problem of the run', async (t) => {
  const { problem } = JSON.parse(formatJson(SAMPLES['a problem of the run alone']!, OPTIONS)) as { problem: unknown };
  t.same(problem, { code: 'HEAD_TOO_OLD', message: 'the log shows a tree of 5, the trusted head is of 9' });
});

t.test('json: a hostile hash is escaped, and whole', async (t) => {
  const { results } = JSON.parse(formatJson(SAMPLES.hostile!, OPTIONS)) as { results: { hash: string }[] };
  t.equal(results[0]?.hash, HOSTILE);
  t.equal(results[1]?.hash, HOSTILE.repeat(99));
});

function sarifOf(name: string): Log['runs'][0] {
  const [run] = (JSON.parse(formatSarif(SAMPLES[name]!, OPTIONS)) as Log).runs;
  return run!;
}

t.test('sarif: a mismatch', async (t) => {
  const { results, tool, invocations } = sarifOf('mismatch');
  t.same(results, [
    {
      ruleId: 'hash-mismatch',
      ruleIndex: 1,
      level: 'error',
      message: { text: `golang.org/x/text v0.3.0/go.mod: the file has ${h1('B')}, the log has ${h1('C')} (record 3).` },
      locations: [
        {
          physicalLocation: { artifactLocation: { uri: 'go.sum', uriBaseId: '%SRCROOT%' }, region: { startLine: 2 } },
          logicalLocations: [{ fullyQualifiedName: 'golang.org/x/text@v0.3.0', kind: 'module' }],
        },
      ],
      partialFingerprints: { 'goSumLine/v1': `golang.org/x/text v0.3.0/go.mod ${h1('B')}` },
    },
  ]);
  t.same(invocations, [
    { executionSuccessful: true, exitCode: 1, exitCodeDescription: 'FAILED, exit 1: 1 line mismatched', toolExecutionNotifications: [] },
  ]);
  t.same(
    tool.driver.rules?.map(({ id }) => id),
    ['log-fork', 'hash-mismatch', 'lines-conflict', 'hash-unknown', 'unproved-answer', 'not-in-log'],
  );
});

t.test('sarif: each result has the rule of its index', async (t) => {
  for (const name of Object.keys(SAMPLES)) {
    const { results = [], tool } = sarifOf(name);
    for (const { ruleId, ruleIndex } of results) t.equal(tool.driver.rules?.[ruleIndex!]?.id, ruleId, name);
  }
});

t.test('sarif: what says nothing about the file is a notification', async (t) => {
  const incomplete = sarifOf('incomplete');
  t.same(incomplete.results, []);
  t.equal(incomplete.invocations?.[0]?.executionSuccessful, false);
  t.same(
    incomplete.invocations?.[0]?.toolExecutionNotifications?.map(({ level, descriptor, message }) => [level, descriptor?.id, message.text]),
    [
      ['warning', 'no-answer', '14 lines without an answer: https://proxy.example: connection refused (go.sum:2-15)'],
      ['warning', 'no-answer', '2 lines without an answer: not in the cache, and the run is offline (go.sum:20-21)'],
      ['warning', 'not-checked', '1 line not checked: interrupted (go.sum:22)'],
    ],
  );
  const [notification] = sarifOf('skipped').invocations?.[0]?.toolExecutionNotifications ?? [];
  t.same([notification?.level, notification?.message.text], ['note', '3 lines skipped: matches GOPRIVATE pattern corp.example (go.sum:2-4)']);
  const [problem] = sarifOf('a problem of the run alone').invocations?.[0]?.toolExecutionNotifications ?? [];
  t.same([problem?.level, problem?.message.text], ['warning', 'the log shows a tree of 5, the trusted head is of 9']);
  const [fork] = sarifOf('fork').invocations?.[0]?.toolExecutionNotifications ?? [];
  t.equal(fork?.level, 'error');
  t.match(fork?.message.text, 'old database:\n\tgo.sum database tree\n\t5\n');
});

t.test('sarif: nobody makes a link', async (t) => {
  const texts: string[] = [];
  JSON.parse(formatSarif(SAMPLES.hostile!, OPTIONS), (key, value: unknown) => {
    if (key === 'text') texts.push(String(value));
  });
  t.ok(texts.some((text) => text.includes('[c]\\u0028d)')));
  t.same(texts.filter((text) => text.includes('](')), []);
});

t.test('paths from the root of the repository', async (t) => {
  const root = join(t.testdirName, 'repo');
  const cwd = join(root, 'sub');
  const cases: [file: string, path: string | undefined, uri: string | undefined][] = [
    ['go.sum', 'sub/go.sum', 'sub/go.sum'],
    [join('..', 'go.sum'), 'go.sum', 'go.sum'],
    [join(root, 'a', 'go.sum'), 'a/go.sum', 'a/go.sum'],
    [join('..', '..x', 'go.sum'), '..x/go.sum', '..x/go.sum'],
    ['a b#?%/ü/go.sum', 'sub/a b#?%/ü/go.sum', 'sub/a%20b%23%3F%25/%C3%BC/go.sum'],
    [join('..', 'c:d', 'go.sum'), 'c:d/go.sum', 'c%3Ad/go.sum'],
    ['\ud800/go.sum', 'sub/\ud800/go.sum', 'sub/%EF%BF%BD/go.sum'],
    [join('..', '..', 'go.sum'), undefined, undefined],
    ['-', undefined, undefined],
  ];
  for (const [file, path, uri] of cases) {
    t.equal(repositoryPath(file, { cwd, root }), path, file);
    t.equal(repositoryUri(file, { cwd, root }), uri, file);
  }
  t.match(fileUri(join('..', '..', 'a b.sum'), { cwd, root }), /^file:\/\/\/.*\/a%20b\.sum$/);
  const locations = sarifOf('stdin and files outside').results?.map(({ locations }) => locations?.[0]?.physicalLocation?.artifactLocation);
  t.same(locations, [undefined, { uri: fileUri('../other/go.sum', OPTIONS) }]);
});
