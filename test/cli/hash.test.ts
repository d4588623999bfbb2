/** `gosumcheck hash`, as a process. */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t, { type Test } from 'tap';
import { sha256 } from '#crypto';
import { hashCommand } from '../../src/cli/hash.js';
import { formatHashLine, parseHashLines } from '../../src/cli/hashlines.js';
import type { Host } from '../../src/cli/host.js';
import { openEnvironment } from '../../src/config/environment.js';
import { h1OfFiles, h1OfGoMod } from '../../src/core/h1.js';
import { encodeUtf8 } from '../../src/core/text.js';
import { GosumError } from '../../src/errors.js';
import { buildZip } from '../dirhash/zipbuilder.js';
import { until } from '../wait.js';
import { JOBS, newPlace, ROOT, type Files, type Place } from './place.js';

t.jobs = JOBS;

const isAnswer = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(path.join(ROOT, 'docs', 'hash.schema.json'), 'utf8')) as object,
);

type Contents = Readonly<Record<string, string>>;
const GO_MOD = 'module example.com/m\n';
const GOOD: Contents = { 'go.mod': GO_MOD, 'a.go': 'package m\n', 'sub/b.go': 'package sub\n' };
const NAMED = 'example.com/m@v1.2.3';

function zipOf(contents: Contents, module = NAMED): Buffer {
  return buildZip({ entries: Object.entries(contents).map(([name, content]) => ({ name: `${module}/${name}`, content })) });
}

function h1Of(contents: Contents, module = NAMED): string {
  return h1OfFiles(Object.entries(contents).map(([name, content]) => ({ name: `${module}/${name}`, sha256: sha256(encodeUtf8(content)) })));
}

const GOOD_ZIP = zipOf(GOOD);
const GOOD_H1 = h1Of(GOOD);
const MOD_H1 = h1OfGoMod(encodeUtf8(GO_MOD));
/** Two rules broken. */
const ODD: Contents = { 'go.mod': GO_MOD, 'A.go': '', 'a.go': '', 'sub/go.mod': '' };
const FILES: Files = {
  'm.zip': GOOD_ZIP,
  'v1.2.3.mod': GO_MOD,
  'go.mod': GO_MOD,
  tree: { 'go.mod': GO_MOD, 'a.go': 'package m\n', sub: { 'b.go': 'package sub\n' } },
  'odd.zip': zipOf(ODD),
  'cut.zip': GOOD_ZIP.subarray(0, -1),
  'other.zip': zipOf(GOOD, 'example.com/other@v1.0.0'),
  'empty.zip': buildZip({ entries: [] }),
  'as-zip': GOOD_ZIP,
  text: 'text',
};

interface Answer {
  readonly exitCode: number;
  readonly malformedLines?: number;
  readonly results: readonly Record<string, unknown>[];
}

/** Runs with `--format json`, and checks the answer against the published schema. */
async function answerOf(place: Place, args: readonly string[]): Promise<Answer> {
  const { code, stdout, stderr } = await place.run(['hash', '--format', 'json', ...args]);
  const answer: unknown = JSON.parse(stdout || `"${stderr}"`);
  if (!isAnswer(answer)) throw new Error(`not of the published form: ${JSON.stringify(isAnswer.errors)}`);
  if ((answer as Answer).exitCode !== code) throw new Error(`the answer says another exit than ${code}`);
  return answer as Answer;
}

t.test('zips, go.mod files, folders', { buffered: true }, async (t) => {
  const place = await newPlace(t, FILES);
  t.match(await place.run(['hash', 'm.zip', './go.mod', 'v1.2.3.mod', 'as-zip']), {
    code: 0,
    stdout: `${GOOD_H1}  m.zip\n${MOD_H1}  ./go.mod\n${MOD_H1}  v1.2.3.mod\n${GOOD_H1}  as-zip\n`,
    stderr: '',
  });
  t.match(await place.run(['hash', '--module', NAMED, 'tree', path.join(place.folder, 'm.zip'), 'go.mod', 'empty.zip']), {
    code: 0,
    stdout: `${GOOD_H1}  tree\n${GOOD_H1}  ${path.join(place.folder, 'm.zip')}\n${MOD_H1}  go.mod\n${h1Of({})}  empty.zip\n`,
    stderr: '',
  });
  t.same(place.asked(), [], 'nobody is asked');
  t.notOk(existsSync(place.cache));
});

t.test('rules that are broken', { buffered: true }, async (t) => {
  const place = await newPlace(t, { ...FILES, 'bad\u001b[1m.zip': zipOf({ 'x\u001b[2J': '' }) });
  const { code, stdout, stderr } = await place.run(['hash', 'm.zip', 'odd.zip']);
  t.strictSame([code, stdout], [1, `${GOOD_H1}  m.zip\n${h1Of(ODD)}  odd.zip\n`]);
  const lines = stderr.split('\n');
  t.equal(lines[0], "gosumcheck: odd.zip: Go's own tools refuse it as a module zip");
  t.match(lines[1], /^ {2}CASE_COLLISION {2}example\.com\/m@v1\.2\.3\/a\.go: .*"example\.com\/m@v1\.2\.3\/A\.go"$/);
  t.match(lines[2], /^ {2}GO_MOD_PLACE {2}example\.com\/m@v1\.2\.3\/sub\/go\.mod: /);
  t.equal(lines.length, 4);
  const bad = await place.run(['hash', 'bad\u001b[1m.zip']);
  t.match(bad, { code: 1, stdout: `\\${h1Of({ 'x\u001b[2J': '' })}  bad\\u001b[1m.zip\n`, stderr: /NAME {2}example\.com\/m@v1\.2\.3\/x\\u001b\[2J: / }, 'nothing acts on a terminal');
});

t.test('errors', { buffered: true }, async (t) => {
  const place = await newPlace(t, FILES);
  const cases: [args: string[], says: RegExp][] = [
    [['none.zip'], /^gosumcheck: none\.zip: no such file or folder\n$/],
    [['tree'], /^gosumcheck: tree: it is a folder, .*\n {2}.*--module example\.com\/module@v1\.2\.3\n$/],
    [['text'], /^gosumcheck: text: it is neither a zip nor a go\.mod file\n {2}name /],
    [['cut.zip'], /^gosumcheck: cut\.zip: .*\n {2}/],
    [['--module', NAMED, 'other.zip'], /^gosumcheck: other\.zip: it is the zip of example\.com\/other@v1\.0\.0, not of example\.com\/m@v1\.2\.3\n {2}/],
    [['--module', NAMED, 'tree/none'], /^gosumcheck: tree\/none: no such file or folder\n$/],
    [['--module', 'example.com/m', 'tree'], /"example\.com\/m" has no version\n {2}write module@version/],
    [['--module', 'example@v1.0.0', 'm.zip'], /malformed module path/],
    [[], /nothing to hash\n {2}name a module zip/],
    [['--status', 'm.zip'], /--status is for --check/],
    [['--check', 'text', 'm.zip'], /--check takes its paths from the file/],
    [['--check', 'text'], /^gosumcheck: text: no line has an h1/],
    [['--check', 'm.zip'], /^gosumcheck: m\.zip: invalid UTF-8/],
    [['--check', 'none'], /^gosumcheck: none: no such file/],
    [['--threads', '0', 'm.zip'], /--threads/],
    [['-', '-'], /standard input can be hashed once/],
  ];
  for (const [args, says] of cases) {
    const { code, stdout, stderr } = await place.run(['hash', ...args]);
    t.strictSame([code, stdout], [2, ''], args.join(' '));
    t.match(stderr, says, args.join(' '));
  }
  t.match(await place.run(['hash', 'none', 'm.zip', 'cut.zip', 'tree', 'go.mod']), {
    code: 2,
    stdout: `${GOOD_H1}  m.zip\n${MOD_H1}  go.mod\n`,
    stderr: /none: .*\n(.*\n)*gosumcheck: cut\.zip: (.*\n)*gosumcheck: tree: /,
  }, 'the others are hashed');
  t.match(await place.run(['hash', 'none', 'odd.zip']), { code: 1 }, '1 goes before 2');
  if (existsSync('/dev/zero')) {
    symlinkSync('/dev/zero', path.join(place.folder, 'zero.zip'));
    t.match(await place.run(['hash', 'zero.zip']), { code: 2, stdout: '', stderr: /zero\.zip: it is no plain file\n {2}give a zip to standard input/ });
  }
});

t.test('standard input', { buffered: true }, async (t) => {
  const folder = t.testdir({ tmp: {} });
  const hash = (input: Buffer, ...args: string[]): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [path.join(ROOT, 'bin', 'gosumcheck.js'), 'hash', ...args], {
      cwd: folder,
      input,
      encoding: 'utf8',
      env: { SystemRoot: process.env.SystemRoot, TMPDIR: path.join(folder, 'tmp'), TEMP: path.join(folder, 'tmp') },
    });
  t.match(hash(GOOD_ZIP, '-'), { status: 0, stdout: `${GOOD_H1}  -\n`, stderr: '' });
  t.match(hash(GOOD_ZIP.subarray(1), '-'), { status: 2, stdout: '', stderr: /^gosumcheck: standard input: / });
  t.match(hash(GOOD_ZIP, '--module', 'example.com/m@v1.2.4', '-'), { status: 2, stdout: '' });
  t.match(hash(Buffer.from(`${GOOD_H1}  ../folder\n`), '--check', '-'), { status: 1, stdout: '../folder: FAILED open or read\n' });
  t.match(hash(Buffer.from(`${GOOD_H1}  -\n`), '--check', '-'), { status: 2, stdout: '', stderr: /can be no zip/ });
});

t.test('--check', { buffered: true }, async (t) => {
  const place = await newPlace(t, FILES);
  const write = (...lines: string[]): void => writeFileSync(path.join(place.folder, 'sums'), lines.join('\n'));
  const check = async (...args: string[]): Promise<[number | null, string, string]> => {
    const { code, stdout, stderr } = await place.run(['hash', '--check', 'sums', ...args]);
    return [code, stdout, stderr];
  };
  writeFileSync(path.join(place.folder, 'sums'), (await place.run(['hash', 'm.zip', 'go.mod'])).stdout);
  t.strictSame(await check(), [0, 'm.zip: OK\ngo.mod: OK\n', '']);
  t.strictSame(await check('--quiet'), [0, '', '']);
  t.strictSame(await check('--status'), [0, '', '']);

  write('# a comment', '', `${MOD_H1}  m.zip\r`, `${MOD_H1}  go.mod`, `${GOOD_H1}  none.zip`, `${GOOD_H1} m.zip`, 'h1:x  m.zip');
  t.strictSame(await check(), [
    1,
    'm.zip: FAILED\ngo.mod: OK\nnone.zip: FAILED open or read\n',
    [
      'none.zip: no such file or folder',
      'warning: 2 lines of sums without an h1, two spaces and a path',
      'warning: 1 path without a hash',
      'warning: 1 path with another hash\n',
    ].map((line) => `gosumcheck: ${line}`).join('\n'),
  ]);
  t.match(await check('--quiet'), [1, 'm.zip: FAILED\nnone.zip: FAILED open or read\n', /warning/]);
  t.strictSame(await check('--status'), [1, '', '']);
  t.match(await place.run(['hash'], { env: { GOSUMCHECK_CHECK: 'sums', GOSUMCHECK_STATUS: '1' } }), { code: 1, stdout: '', stderr: '' });

  write(`${GOOD_H1}  m.zip`, 'junk');
  t.match(await check(), [0, 'm.zip: OK\n', /warning: 1 line of sums without/], 'a malformed line is no failure');
  write(`${GOOD_H1}  cut.zip`);
  t.match(await check(), [1, 'cut.zip: FAILED open or read\n', /^gosumcheck: cut\.zip: /]);
  write(`${GOOD_H1}  tree`);
  t.match(await check('--module', NAMED), [0, 'tree: OK\n', '']);
  t.match(await check(), [1, 'tree: FAILED open or read\n', /--module/]);
  write(`${h1Of(ODD)}  odd.zip`);
  t.match(await check(), [1, 'odd.zip: OK\n', /refuse it as a module zip/], 'the hash is right, and the zip is bad');
});

t.test('--format json', { buffered: true }, async (t) => {
  const place = await newPlace(t, FILES);
  const { exitCode, results } = await answerOf(place, ['m.zip', 'odd.zip', 'go.mod', 'none', 'tree', 'cut.zip']);
  t.equal(exitCode, 1);
  t.strictSame(results[0], { path: 'm.zip', kind: 'zip', h1: GOOD_H1, module: 'example.com/m', version: 'v1.2.3', files: 3, bytes: 43, violations: [] });
  t.match(results[1], { h1: h1Of(ODD), violations: [{ rule: 'CASE_COLLISION', name: 'example.com/m@v1.2.3/a.go' }, { rule: 'GO_MOD_PLACE' }] });
  t.strictSame(results[2], { path: 'go.mod', kind: 'go.mod', h1: MOD_H1, violations: [] });
  t.strictSame(results[3], { path: 'none', code: 'FILE_FAILED', message: 'none: no such file or folder' });
  t.match(results.slice(4), [{ path: 'tree', code: 'CONFIG_INVALID' }, { path: 'cut.zip', kind: 'zip', code: 'ZIP_MALFORMED' }]);
  t.equal(results.length, 6);

  writeFileSync(path.join(place.folder, 'sums'), `${MOD_H1}  m.zip\n${MOD_H1}  go.mod\nx\n`);
  const checked = await answerOf(place, ['--check', 'sums']);
  t.match(checked, { exitCode: 1, malformedLines: 1, results: [{ path: 'm.zip', h1: GOOD_H1, expected: MOD_H1 }, { h1: MOD_H1, expected: MOD_H1 }] });
  t.match((await answerOf(place, ['--module', NAMED, 'tree'])).results, [{ kind: 'folder', h1: GOOD_H1, module: 'example.com/m', version: 'v1.2.3', files: 3 }]);
});

t.test('threads: the same, in the same order', { buffered: true }, async (t) => {
  // stored, as it is large on the disk that counts: such zips are shared by all threads, one at a time
  const large = Array.from({ length: 5 }, (_, i) => ({ name: `${NAMED}/${i}`, content: Buffer.alloc(2 ** 20, i), method: 0 }));
  const place = await newPlace(t, { ...FILES, 'large.zip': buildZip({ entries: large }) });
  const names = ['large.zip', 'm.zip', 'none', 'odd.zip', 'tree', 'go.mod', 'other.zip', 'cut.zip', 'large.zip', 'm.zip'];
  const one = await place.run(['hash', '--threads', '1', '--module', NAMED, ...names]);
  t.equal(one.code, 1);
  t.equal(one.stdout.split('\n').length, 8);
  for (const threads of ['2', '3']) {
    const { code, stdout, stderr } = await place.run(['hash', ...names], { env: { GOSUMCHECK_THREADS: threads, GOSUMCHECK_MODULE: NAMED } });
    t.strictSame({ code, stdout, stderr }, { code: one.code, stdout: one.stdout, stderr: one.stderr }, `${threads} threads`);
  }
  for (const paths of [['m.zip'], ['m.zip', 'large.zip']]) {
    const { code, stderr } = await place.run(['hash', '--threads', '2', ...paths], { env: { NODE_DEBUG: 'worker' } });
    const [, entry = ''] = /starts worker script (\S+dirhash\Sworker\.cjs)/.exec(stderr) ?? [];
    t.equal(code, 0);
    t.ok(existsSync(entry), 'the bundle finds the thread’s file');
  }
  t.notMatch((await place.run(['hash', 'm.zip', 'large.zip'], { env: { NODE_DEBUG: 'worker' } })).stderr, /worker script/, 'little work starts none');
});

t.test('lines', (t) => {
  const names = ['a', ' a  b', 'C:\\x\\y', 'a\nb', 'a\\\nb', '\u001b[1m', '\\n', 'a\r', '##[group]', 'a ::error::', '\u{e0001}', '\u202e', '-', 'ж', '\\u{10ffff}\n'];
  for (const name of names) {
    const line = formatHashLine({ h1: GOOD_H1, name });
    t.match(line, /^[^\u0000-\u0009\u000b-\u001f\u202e]*\n$/, 'one line, and nothing in it that acts');
    t.notMatch(line, /##\[| ::/);
    t.same(parseHashLines(line), [{ h1: GOOD_H1, name }], JSON.stringify(name));
  }
  t.equal(formatHashLine({ h1: GOOD_H1, name: 'C:\\a' }), `${GOOD_H1}  C:\\a\n`);
  t.equal(formatHashLine({ h1: GOOD_H1, name: 'a\\\nb' }), `\\${GOOD_H1}  a\\\\\\u000ab\n`);
  t.same(parseHashLines(`\\${GOOD_H1}  a\\nb\\r\\\\n`), [{ h1: GOOD_H1, name: 'a\nb\r\\n' }], 'as sha256sum escapes');
  const bad = ['x', GOOD_H1, `${GOOD_H1}  `, `${GOOD_H1} *a`, ` ${GOOD_H1}  a`, `${GOOD_H1.slice(0, -1)}  a`, `\\${GOOD_H1}  a\\x`, `\\${GOOD_H1}  a\\u{110000}`, `\\${GOOD_H1}  a\\`];
  t.same(parseHashLines(bad.join('\n')), bad.map(() => undefined));
  t.same(parseHashLines('\n# x\r\n \n'), []);
  t.end();
});

/** A terminal that remembers what was written to it. */
class Terminal extends Writable {
  readonly isTTY = true;
  readonly columns = 60;
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

t.test('a terminal', { buffered: true }, async (t) => {
  const large = zipOf({ large: 'xy'.repeat(2 ** 22) });
  const folder = t.testdir({ 'm.zip': large, 'n.zip': large });
  const run = async (names: readonly string[], options = {}, signal = new AbortController().signal): Promise<[number, string]> => {
    // one for both, as it is for a person
    const terminal = new Terminal();
    const host: Host = { stdin: Readable.from([]), stdout: terminal, stderr: terminal, env: openEnvironment({}), cwd: folder, interrupted: signal };
    return [await hashCommand(host, names, { format: 'text', progress: true, ...options }), terminal.text];
  };
  const many = Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? 'm.zip' : 'n.zip'));
  const [code, text] = await run(many, { threads: 1 });
  t.equal(code, 0);
  t.match(text, /\rhashing, MiB {2}\[=+>? *\] {2}[ \d]{3}\/128/, 'a bar');
  t.equal(text.replaceAll(/\r[^\r\n]*\u001b\[K/g, '').split('\n').length, 17, 'and whole lines');
  t.notMatch(text, /[\d\]]h1:/, 'none behind the bar');
  t.notMatch((await run(many.slice(0, 8), { quiet: true }))[1], /hashing/);
  t.notMatch((await run(many.slice(0, 8), { progress: false }))[1], /hashing/);
  t.match(await run(['none', '.']), [2, /none: no such file.*\n.*: it is a folder/]);

  const reason = new GosumError('INTERRUPTED', 'interrupted');
  for (const threads of [1, 2]) {
    const controller = new AbortController();
    const ended = run(many, { threads }, controller.signal);
    controller.abort(reason);
    await t.rejects(ended, { code: 'INTERRUPTED' });
  }
});

t.test('Ctrl-C', { buffered: true, skip: process.platform === 'win32' && 'no signals there' }, async (t) => {
  const place = await newPlace(t, { 'm.zip': zipOf({ large: 'xy'.repeat(2 ** 24) }) });
  await interrupted(t, place, '1');
  await interrupted(t, place, '2');
});

async function interrupted(t: Test, place: Place, threads: string): Promise<void> {
  const running = place.start(['hash', '--threads', threads, ...Array.from({ length: 1000 }, () => 'm.zip')]);
  t.ok(await until(() => running.out().includes('\n')), 'it is under way');
  running.kill('SIGINT');
  const { code, stderr, took } = await running.ended;
  t.equal(code, 130, `${threads} threads: ${took} ms`);
  t.equal(stderr, 'gosumcheck: interrupted\n');
}
