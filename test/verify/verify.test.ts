/** Verdicts on go.sum lines, over a real client and a served test log. */

import t from 'tap';
import { parseGoSum } from '../../src/core/gosum.js';
import { checkFork } from '../../src/core/fork.js';
import { decodeUtf8, encodeUtf8 } from '../../src/core/text.js';
import { SumDB } from '../../src/client/sumdb.js';
import { GosumError } from '../../src/errors.js';
import { openMemoryStore } from '../../src/store/memory.js';
import {
  alteredRecord,
  firstTimes,
  flipBit,
  htmlPage,
  madeUpHash,
  reset,
  status,
  TestLog,
  type Bend,
} from '../../src/testing/index.js';
import { verifyGoSum, verifyLines, type VerifyOptions } from '../../src/verify/verify.js';
import type { Verdict, VerifyRun } from '../../src/verify/verdict.js';
import { newRig, sourceOf, type Rig } from '../client/rig.js';

/** A log with five modules, whose `v1.0.0` has the hashes that `lineOf` gives. */
function newLog(): TestLog {
  const log = new TestLog();
  for (const letter of 'abcde') log.fill(log.size + 100).add(`example.com/${letter}`, 'v1.0.0');
  return log.fill(600);
}

/** A go.sum line as the log has it, or with another hash. */
function lineOf(letter: string, kind: '' | '/go.mod' = '', hash: string = madeUpHash(`example.com/${letter} v1.0.0${kind}`)): string {
  return `example.com/${letter} v1.0.0${kind} ${hash}\n`;
}

const OTHER = madeUpHash('another');

/** A line that is as good as any, for each ending of a run. */
const LINE = {
  verified: lineOf('a'),
  mismatch: lineOf('b', '', OTHER),
  conflict: lineOf('e') + lineOf('e', '', OTHER),
  unknown: lineOf('b', '', 'h2:x'),
  unproved: lineOf('c'),
  missing: lineOf('nowhere'),
  unreachable: lineOf('d'),
  private: 'corp.example/x v1.0.0 h1:AAAA\n',
  dropped: 'example.com/a v1.0.0/go.mod h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=\n',
};

/** The log is honest, but for c, which does not authenticate, and for d, which has no answer. */
const BEND: Bend = async (request, answer) => {
  const altered = await alteredRecord('/lookup/example.com/c@v1.0.0', (text) => encodeUtf8(decodeUtf8(text).replace('h1:', 'h1:A')))(request, answer);
  return htmlPage('/lookup/example.com/d@v1.0.0')(request, altered);
};

const skippedBy = (module: string): string | undefined => (module.startsWith('corp.example') ? 'corp.example' : undefined);

async function verifyWith(rig: Rig, goSum: string, options: VerifyOptions = {}): Promise<VerifyRun> {
  const source = await sourceOf(rig.served, rig.log);
  const db = new SumDB({ key: rig.log.key, source, store: rig.store });
  try {
    return await verifyGoSum(db, goSum, { skippedBy, ...options });
  } finally {
    await source.close();
  }
}

t.test('each status, with what is known of it', async (t) => {
  const rig = await newRig(newLog());
  rig.served.answer = BEND;
  const goSum = [
    LINE.verified, //
    lineOf('e', '/go.mod'),
    LINE.mismatch,
    lineOf('b', '/go.mod', OTHER),
    LINE.conflict,
    LINE.unknown,
    lineOf('a', '/go.mod', 'h1:short'),
    LINE.unproved,
    LINE.missing,
    LINE.unreachable,
    LINE.private,
    LINE.dropped,
  ].join('');
  const run = await verifyWith(rig, goSum);
  const b = rig.log.idOf('example.com/b', 'v1.0.0');
  const e = rig.log.idOf('example.com/e', 'v1.0.0');
  const want: [line: number, status: string, more: Partial<Verdict>][] = [
    [1, 'verified', { record: rig.log.idOf('example.com/a', 'v1.0.0'), code: undefined, expected: undefined }],
    [2, 'verified', { kind: 'go.mod', version: 'v1.0.0' }],
    [3, 'mismatch', { code: 'HASH_MISMATCH', hash: OTHER, expected: madeUpHash('example.com/b v1.0.0'), record: b }],
    [4, 'mismatch', { code: 'HASH_MISMATCH', hash: OTHER, expected: madeUpHash('example.com/b v1.0.0/go.mod'), record: b }],
    [5, 'conflict', { code: 'LINES_CONFLICT', expected: undefined, record: e }],
    [6, 'conflict', { code: 'LINES_CONFLICT', expected: madeUpHash('example.com/e v1.0.0'), record: e }],
    [7, 'mismatch', { code: 'HASH_UNKNOWN', hash: 'h2:x', expected: madeUpHash('example.com/b v1.0.0'), record: b }],
    [8, 'mismatch', { code: 'HASH_MISMATCH', hash: 'h1:short', expected: madeUpHash('example.com/a v1.0.0/go.mod') }],
    [9, 'error', { code: 'RECORD_MISMATCH', retryable: false, record: undefined }],
    [10, 'missing', { code: 'NOT_FOUND', retryable: false }],
    [11, 'error', { code: 'ANSWER_MALFORMED', retryable: false }],
    [12, 'skipped', { code: 'SKIPPED_PRIVATE', message: 'matches the private pattern corp.example' }],
    [13, 'skipped', { code: 'SKIPPED_EMPTY_GOMOD' }],
  ];
  t.equal(run.results.length, want.length);
  for (const [i, [line, status, more]] of want.entries()) {
    t.match(run.results[i], { file: 'go.sum', line, status, ...more }, `line ${line}`);
  }
  t.strictSame(run.summary, { lines: 13, verified: 2, mismatched: 6, missing: 1, skipped: 2, failed: 2 });
  t.equal(run.complete, false);
  t.equal(run.exitCode, 1);
  t.equal(run.database.name, 'log.example');
  t.equal(run.database.url, rig.served.url);
  t.equal(run.database.tree?.size, 600);
  t.equal(run.database.timeline, 'first-contact');
  t.strictSame(run.modules, { checked: 6, cached: 0 });
  t.equal(run.problem, undefined);
  t.equal(run.fork, undefined);

  const names = run.results.flatMap(({ message = '', module }) => (message.includes(module) ? [message] : []));
  t.strictSame(names, [], 'no message names the module again');
  t.equal(run.results[10]?.message, `reading ${rig.served.url}: an HTML page`);
  t.match(run.results[10]?.hint, 'open the URL in a browser');
  await rig.close();
});

t.test('no private name is asked for, nor a hash that no record can have', async (t) => {
  const rig = await newRig(newLog());
  const secret = 'corp.example/x v1.0.0';
  await verifyWith(rig, `${LINE.verified}${LINE.unknown}${LINE.private}${secret} h1:BBBB\n${secret}/go.mod h2:x\n${secret}/go.mod h1:C\n`);
  const lookups = rig.asked().filter((path) => path.startsWith('/lookup/'));
  t.strictSame(lookups, ['/lookup/example.com/a@v1.0.0']);

  const run = await verifyWith(rig, `${LINE.private}${secret} h1:BBBB\n`);
  t.strictSame(rig.asked(), [], 'not for a conflict either');
  t.strictSame(run.results.map(({ status }) => status), ['conflict', 'conflict'], 'which needs no log to be one');
  t.equal(run.exitCode, 1);
  await rig.close();
});

/** Exit codes of lines together: 1 goes before 4, that before 3, and 2 is for a run in which all is skipped. */
const ENDINGS: readonly [lines: (keyof typeof LINE)[], exitCode: number, complete: boolean][] = [
  [['verified'], 0, true],
  [['verified', 'private'], 0, true],
  [['verified', 'dropped'], 0, true],
  [['private'], 2, true],
  [['private', 'dropped'], 2, true],
  [['dropped'], 2, true],
  [['unreachable'], 3, false],
  [['unreachable', 'private'], 3, false],
  [['missing'], 4, true],
  [['missing', 'unreachable'], 4, false],
  [['mismatch'], 1, true],
  [['unknown'], 1, true],
  [['conflict'], 1, true],
  [['unproved'], 1, false],
  [['mismatch', 'missing', 'unreachable'], 1, false],
  [['unknown', 'missing'], 1, true],
  [['conflict', 'unreachable'], 1, false],
  [['unproved', 'missing', 'private'], 1, false],
];

t.test('the exit code of what comes together', async (t) => {
  const rig = await newRig(newLog());
  rig.served.answer = BEND;
  for (const [names, exitCode, complete] of ENDINGS) {
    for (const order of [names, names.toReversed()]) {
      const run = await verifyWith(rig, order.map((name) => LINE[name]).join(''));
      t.strictSame([run.exitCode, run.complete], [exitCode, complete], order.join(', '));
    }
  }
  t.equal((await verifyWith(rig, LINE.private, { allowAllSkipped: true })).exitCode, 0);
  t.equal((await verifyWith(rig, LINE.missing, { allowAllSkipped: true })).exitCode, 4);
  t.equal((await verifyWith(rig, '')).exitCode, 2, 'no line is nothing verified');
  await rig.close();
});

t.test('lines of several files are one question', async (t) => {
  const rig = await newRig(newLog());
  const db = new SumDB({ key: rig.log.key, source: await sourceOf(rig.served, rig.log), store: rig.store });
  const lines = [
    ...parseGoSum(encodeUtf8(LINE.verified + lineOf('b')), 'go.sum'),
    ...parseGoSum(encodeUtf8(lineOf('a', '/go.mod') + LINE.mismatch), 'sub/go.sum'),
  ];
  const run = await verifyLines(db, lines);
  t.strictSame(
    run.results.map(({ file, line, status }) => `${file}:${line} ${status}`),
    ['go.sum:1 verified', 'go.sum:2 conflict', 'sub/go.sum:1 verified', 'sub/go.sum:2 conflict'],
  );
  t.equal(rig.asked().filter((path) => path.startsWith('/lookup/')).length, 2, 'a lookup for each module version');
  await rig.close();
});

t.test('a record without the line that is asked for', async (t) => {
  const log = newLog();
  log.addText(`example.com/half v1.0.0 ${OTHER}\n`);
  const rig = await newRig(log);
  const run = await verifyWith(rig, `example.com/half v1.0.0 ${OTHER}\nexample.com/half v1.0.0/go.mod ${OTHER}\n`);
  t.match(run.results, [{ status: 'verified' }, { status: 'error', code: 'RECORD_FOREIGN', retryable: false, record: 600 }]);
  t.equal(run.exitCode, 1);
  await rig.close();
});

t.test('warm: nothing is asked; a newest head is, on demand', async (t) => {
  const rig = await newRig(newLog());
  await verifyWith(rig, LINE.verified);
  rig.asked();
  const warm = await verifyWith(rig, LINE.verified);
  t.strictSame(rig.asked(), []);
  t.strictSame([warm.exitCode, warm.database.url, warm.database.timeline], [0, 'cache', 'consistent']);
  t.strictSame(warm.modules, { checked: 1, cached: 1 });

  rig.log.fill(700);
  const fresh = await verifyWith(rig, LINE.verified, { fresh: true });
  t.equal(fresh.database.tree?.size, 700);
  t.equal(rig.asked()[0], '/latest');

  rig.served.answer = status(403);
  const failed = await verifyWith(rig, LINE.verified, { fresh: true });
  t.strictSame([failed.exitCode, failed.complete, failed.problem?.code], [3, false, 'HTTP_STATUS'], 'every line verified, and yet not whole');
  t.strictSame(failed.results.map(({ status }) => status), ['verified']);
  await rig.close();
});

t.test('a fork: exit 1, and its evidence in the form of cmd/go', async (t) => {
  const log = newLog();
  const rig = await newRig(log);
  await verifyWith(rig, LINE.verified);
  const other = new TestLog();
  other.add('example.com/evil', 'v1.0.0');
  other.fill(800).add('example.com/b', 'v1.0.0');
  const forked = await newRig(other, rig.store);
  const run = await verifyWith(forked, LINE.verified + lineOf('b'));
  await forked.close();
  t.strictSame(run.results.map(({ status, code }) => [status, code]), [['verified', undefined], ['error', 'FORK']]);
  t.strictSame([run.exitCode, run.complete, run.database.timeline, run.problem?.code], [1, false, 'fork', 'FORK']);
  t.match(run.fork, /^SECURITY ERROR\ngo\.sum database server misbehavior detected!\n\nold database:\n\tgo\.sum database tree\n\t600\n/);
  const [evidence] = await rig.store.evidence();
  checkFork(evidence!, log.key);
  await rig.close();
});

t.test('whether trying again may help is the error’s own word', async (t) => {
  const cases: [name: string, bend: Bend, code: string, retryable: boolean][] = [
    ['503', status(503), 'HTTP_STATUS', true],
    ['403', status(403), 'HTTP_STATUS', false],
    ['dropped connections', reset(), 'UNREACHABLE', true],
    ['a tile that is gone', status(404, /^\/tile\//), 'UNREACHABLE', true],
    ['a false tile', flipBit(/^\/tile\//), 'TILE_MISMATCH', false],
  ];
  await Promise.all(
    cases.map(async ([name, bend, code, retryable]) => {
      const rig = await newRig(newLog());
      rig.served.answer = bend;
      const run = await verifyWith(rig, LINE.verified);
      t.match(run.results, [{ status: 'error', code, retryable }], name);
      await rig.close();
    }),
  );
  const rig = await newRig(newLog());
  const offline = new SumDB({ key: rig.log.key, store: openMemoryStore() });
  t.match((await verifyGoSum(offline, LINE.verified)).results, [{ code: 'OFFLINE', retryable: false }]);
  rig.served.answer = firstTimes(1, status(503));
  t.equal((await verifyWith(rig, LINE.verified)).exitCode, 0, 'and it is tried again');
  await rig.close();

  t.equal(new GosumError('TIMEOUT', '').retryable, true, 'by default');
  t.equal(new GosumError('TIMEOUT', '', { retryable: false }).retryable, false);
  t.equal(new GosumError('TILE_MISMATCH', '').retryable, false);
});

t.test('a text that is no go.sum is refused before anything is asked', async (t) => {
  const rig = await newRig(newLog());
  const db = new SumDB({ key: rig.log.key, store: rig.store });
  await t.rejects(verifyGoSum(db, `${LINE.verified}two fields\n`, { file: 'x/go.sum' }), { code: 'GOSUM_MALFORMED', file: 'x/go.sum', line: 2 });
  t.strictSame(rig.asked(), []);
  await rig.close();
});
