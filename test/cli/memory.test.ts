/** What the command remembers between runs, and what becomes of it: interruptions, bad caches, forks, heads, keys. */

import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { checkFork } from '../../src/core/fork.js';
import { newSignerKey } from '../../src/core/key.js';
import { decodeUtf8, encodeUtf8 } from '../../src/core/text.js';
import { loadBetterSqlite, loadNodeSqlite } from '../../src/store/driver.js';
import { openStore } from '../../src/store/open.js';
import { olderHead, serveLog, slow, TestLog } from '../../src/testing/index.js';
import { until } from '../wait.js';
import { GO_SUM, JOBS, linesOf, MODULES, newLog, newPlace, ROOT, type Place } from './place.js';

t.jobs = JOBS;

for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
  const skip = process.platform === 'win32' && 'Windows has no signals to send';
  t.test(`${signal}: exit ${code}, and a cache as good as before`, { buffered: true, skip }, async (t) => {
    const place = await newPlace(t, { 'go.sum': GO_SUM, 'one.sum': linesOf('example.com/beta') });
    t.match(await place.run(['verify', 'one.sum']), { code: 0, stderr: '' });
    for (const path of ['/lookup/example.com/gamma@v1.0.0', /^\/tile\//]) {
      place.served.answer = slow(100_000, path);
      place.asked();
      const running = place.start(['verify']);
      const seen: string[] = [];
      const isAsked = (): boolean => {
        seen.push(...place.asked());
        return seen.some((asked) => (typeof path === 'string' ? path === asked : path.test(asked)));
      };
      t.ok(await until(isAsked));
      running.kill(signal);
      const ran = await running.ended;
      t.strictSame([ran.code, ran.stdout, ran.stderr], [code, '', 'gosumcheck: interrupted\n'], String(path));
    }
    t.equal((await place.run(['verify', 'one.sum', '--offline'])).code, 0, 'what was proved before is there');
    place.served.answer = (_, answer) => answer;
    t.match(await place.run(['verify']), { code: 0, stderr: '' });
  });
}

t.test('interrupted while standard input is open', { buffered: true, skip: process.platform === 'win32' && 'Windows has no signals to send' }, async (t) => {
  const place = await newPlace(t);
  const running = place.start(['verify', '-'], { stdin: undefined });
  await running.feed('\n'.repeat(1_000_000));
  running.kill('SIGINT');
  t.match(await running.ended, { code: 130, stdout: '', stderr: 'gosumcheck: interrupted\n' });
});

t.test('what cannot be cancelled does not hold a command that is done', { buffered: true }, async (t) => {
  if (!existsSync('/usr/bin/env')) {
    t.comment('not tested: there is no env to start it with');
    return;
  }
  const place = await newPlace(t);
  const under = ['/usr/bin/env', 'NODE_OPTIONS=--import=data:text/javascript,setInterval(()=>0,60000)'];
  t.match(await place.run(['verify'], { under }), { code: 0, stdout: /^log /, stderr: '' });
});

t.test('a reader that goes away costs no verdict, and shows no stack', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const env = { GOSUMDB: 'sum.golang.org', GOPROXY: new URL(`file://${ROOT.replaceAll(path.sep, '/')}fixtures`).href };
  const goSum = readFileSync(path.join(ROOT, 'fixtures', 'kubernetes-1.34', 'go.sum'), 'utf8');
  const [first = ''] = goSum.split('\n');
  for (const [stdin, code] of [[goSum, 0], [`${goSum}${first.slice(0, -4)}AAA=\n`, 1]] as const) {
    const running = place.start(['verify', '--format', 'json', '-'], { env, stdin });
    running.hangUp();
    const ran = await running.ended;
    t.strictSame([ran.code, ran.stderr], [code, '']);
  }
  const help = place.start(['verify', '--help']);
  help.hangUp();
  t.match(await help.ended, { code: 0, stderr: '' });
});

t.test('a cache that cannot be used is said, and gone on without; clean mends it', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const goesOn = async (what: RegExp, args: string[] = []): Promise<void> => {
    const { code, stdout, stderr } = await place.run(['verify', ...args]);
    t.equal(code, 0, String(what));
    t.match(stdout, 'verified  all 8 lines');
    t.match(stderr, what);
    t.match(stderr, 'going on without the cache');
  };
  mkdirSync(path.dirname(place.cache), { recursive: true });
  writeFileSync(place.cache, 'no database at all. '.repeat(999));
  await goesOn(/^gosumcheck: .*cache\.db: the file is damaged: /);
  t.match(await place.run(['cache', 'stats']), { code: 2, stdout: '', stderr: /the file is damaged: .*\n {2}delete it with `gosumcheck cache clean`/ });
  t.match(await place.run(['verify', '--quiet']), { code: 0, stderr: '' }, '--quiet has no notices');
  t.match(await place.run(['cache', 'clean']), { code: 0, stderr: /cache\.db is removed\n$/ });
  t.notOk(existsSync(place.cache));

  // at once, where the tables are named; and only when something is read
  for (const from of [100, 4096]) {
    t.match(await place.run(['verify']), { code: 0, stderr: '' });
    const bytes = readFileSync(place.cache);
    writeFileSync(place.cache, bytes.fill(0xa5, from));
    await goesOn(/the file is damaged/);
    t.match(await place.run(['cache', 'clean']), { code: 0, stderr: /the file is damaged: [^]*is removed\n$/ }, `from ${from}`);
  }

  const below = ['--cache', path.join('go.sum', 'cache.db')];
  t.match(await place.run(['verify', ...below]), { code: 0, stderr: /^gosumcheck: what was proved could not be kept: .*cache\.db: / });
});

t.test('another program’s database is no cache, and is never removed', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const driver = [loadBetterSqlite(), loadNodeSqlite()].find((driver) => typeof driver !== 'string');
  if (driver === undefined) { t.comment('not tested: there is no SQLite'); return; }
  const file = path.join(place.folder, 'theirs.db');
  const connection = driver.open(file);
  connection.exec('CREATE TABLE precious (x); PRAGMA application_id = 42');
  connection.close();
  const before = readFileSync(file);
  t.match(await place.run(['verify', '--cache', file]), { code: 0, stderr: /the file is not of gosumcheck; going on without/ });
  t.match(await place.run(['cache', 'clean', '--cache', file]), { code: 2, stderr: /not of gosumcheck/ });
  t.match(await place.run(['cache', 'clean', '--all', '--cache', file]), { code: 2, stderr: /not of gosumcheck/ });
  t.ok(readFileSync(file).equals(before));
});

t.test('a disk that is full: the verdict all the same, and a notice', { buffered: true }, async (t) => {
  // a limit on the size of files fails a write as a full disk does, for one process alone
  const [prlimit, limit] = ['/usr/bin/prlimit', '--fsize=8192'];
  if (!existsSync(prlimit)) {
    t.comment('not tested: prlimit, which makes a disk full for one process, is not here');
    return;
  }
  const place = await newPlace(t);
  const { code, signal, stdout, stderr } = await place.run(['verify'], { under: [prlimit, limit] });
  t.strictSame([code, signal], [0, null]);
  t.match(stdout, 'verified  all 8 lines');
  t.match(stderr, /^gosumcheck: what was proved could not be kept: .*cache\.db: the disk is full/);
  t.match(await place.run(['verify']), { code: 0, stderr: '' }, 'and later it is kept');
  place.asked();
  t.match(await place.run(['verify']), { code: 0 });
  t.strictSame(place.asked(), []);
});

t.test('cache path, stats and clean', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  t.match(await place.run(['cache', 'path']), { code: 0, stdout: `${place.cache}\n` });
  t.match(await place.run(['cache', 'path', '--cache', 'x.db'], { env: { GOSUMCHECK_CACHE: 'y.db' } }), { stdout: `${path.join(place.folder, 'x.db')}\n` });
  t.match(await place.run(['cache', 'path'], { env: { GOSUMCHECK_CACHE: 'y.db', GOSUMCHECK_FORMAT: 'sarif' } }), { stdout: `${path.join(place.folder, 'y.db')}\n` });
  t.match(await place.run(['cache', 'stats']), { code: 0, stdout: `${place.cache}: 0 bytes\n` });
  t.notOk(existsSync(place.cache), 'to look makes no file');

  await place.run(['verify']);
  t.match(await place.run(['cache', 'stats']), { stdout: /bytes\nlog\.example: tree of 2000 \(1 heads\), 4 module versions in 1 receipts, \d+ tiles\n$/ });
  const { stdout } = await place.run(['cache', 'stats', '--format', 'json']);
  const stats = JSON.parse(stdout) as { file: string; bytes: number; databases: object[]; evidence: number };
  t.match(stats, { file: place.cache, evidence: 0, databases: [{ name: 'log.example', key: place.log.vkey, newest: 2000, records: 4 }] });
  t.equal(stats.bytes, statSync(place.cache).size);

  t.match(await place.run(['cache', 'clean']), { code: 0, stdout: '', stderr: `gosumcheck: ${place.cache} is clean\n` });
  t.equal((await place.run(['verify', '--offline'])).code, 3, 'it is forgotten');
  t.match(await place.run(['cache', 'clean', '--all']), { code: 0, stderr: `gosumcheck: ${place.cache} is removed\n` });
  t.notOk(existsSync(place.cache));
  t.match(await place.run(['cache', 'burn']), { code: 2, stderr: /^gosumcheck: .*'burn' is invalid/ });
});

t.test('a known name under another key: exit 2 before anything is asked, until a person decides', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  await place.run(['verify']);
  const other = new TestLog('log.example', newSignerKey('log.example'));
  for (const module of MODULES) other.add(module, 'v1.0.0');
  const served = await serveLog(other);
  t.teardown(() => served.close());
  const args = ['verify', '--sumdb', `${other.vkey} ${served.url}`];
  const ran = await place.run(args);
  t.strictSame([ran.code, ran.stdout], [2, '']);
  t.match(ran.stderr, `gosumcheck: log.example is known with another key: ${place.log.vkey}\n`);
  t.match(ran.stderr, '`gosumcheck cache clean --all`');
  await place.run(['cache', 'clean']);
  t.equal((await place.run(args)).code, 2, 'clean keeps the keys');
  t.equal(served.connections, 0);
  await place.run(['cache', 'clean', '--all']);
  t.equal((await place.run(args)).code, 0);
});

/** A log with the same key and another past; it serves what the place's log does. */
async function newFork(t: Parameters<typeof newPlace>[0], place: Place): Promise<{ env: { GOSUMDB: string }; fork: TestLog }> {
  const fork = new TestLog('log.example');
  fork.add('example.com/evil', 'v1.0.0');
  for (const module of MODULES) fork.fill(fork.size + 400).add(module, 'v1.0.0');
  const served = await serveLog(fork.fill(3000));
  t.teardown(() => served.close());
  return { env: { GOSUMDB: `${place.log.vkey} ${served.url}` }, fork };
}

t.test('a fork: exit 1 with the evidence, said in every run until it is cleared', { buffered: true }, async (t) => {
  const place = await newPlace(t, { 'go.sum': GO_SUM, 'one.sum': linesOf('example.com/beta') });
  await place.run(['verify', 'one.sum']);
  const { env, fork } = await newFork(t, place);
  const { code, report } = await place.verify(['--report', 'text=report.txt'], { env });
  t.equal(code, 1);
  t.match(report, { complete: false, database: { timeline: 'fork' }, problem: { code: 'FORK' } });
  const text = readFileSync(path.join(place.folder, 'report.txt'), 'utf8');
  const form = /SECURITY ERROR\n *go\.sum database server misbehavior detected!\n\s*old database:\n\tgo\.sum database tree\n\t2000\n[^]*new database:\n\tgo\.sum database tree\n\t3000\n[^]*proof of misbehavior:\n\t/;
  t.match(text, form);

  const later = await place.run(['verify', 'one.sum', '--quiet']);
  t.equal(later.code, 0, 'what was proved before is still proved');
  t.match(later.stderr, /^gosumcheck: log\.example was seen to misbehave at \d{4}-\S+Z: see gosumcheck evidence\n$/);
  await place.run(['cache', 'clean']);

  const shown = await place.run(['evidence']);
  t.equal(shown.code, 1, 'clean keeps evidence');
  t.match(shown.stdout, /^found at \d{4}-\S+Z, key log\.example\+\S+: proved\nSECURITY ERROR\n/);
  t.match(shown.stdout, form);
  const [evidence, ...others] = JSON.parse((await place.run(['evidence', '--format', 'json'])).stdout) as Record<'key' | 'older' | 'newer' | 'proof', string>[];
  t.equal(others.length, 0);
  t.strictSame([evidence!.older, evidence!.newer], [decodeUtf8(place.log.head()), decodeUtf8(fork.head())]);
  checkFork({ older: encodeUtf8(evidence!.older), newer: encodeUtf8(evidence!.newer), proof: Buffer.from(evidence!.proof, 'base64') }, place.log.key);

  t.match(await place.run(['evidence', '--clear']), { code: 0, stdout: form, stderr: 'gosumcheck: cleared: the evidence of 1 fork\n' });
  t.match(await place.run(['evidence']), { code: 0, stdout: '', stderr: /no evidence/ });
  t.match(await place.run(['verify', 'one.sum']), { code: 0, stderr: '' });
});

t.test('a fork shown to the other commands, and to a run without a cache', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const { env } = await newFork(t, place);
  writeFileSync(path.join(place.folder, 'head.txt'), place.log.head());
  const args = ['--no-cache', '--trusted-head', 'head.txt'];
  for (const command of [['lookup', 'example.com/beta@v1.0.0'], ['head'], ['verify']]) {
    const { code, stdout, stderr } = await place.run([...command, ...args], { env });
    t.equal(code, 1);
    t.match(command[0] === 'verify' ? stdout : stderr, /SECURITY ERROR\n/, command.join(' '));
    t.match(stderr, 'no cache to keep the evidence of the fork in');
  }
  t.notOk(existsSync(place.cache));
});

t.test('evidence that proves nothing raises no alarm, is shown as such, and can be cleared', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  await place.run(['verify']);
  const { store } = await openStore({ file: place.cache });
  const note = place.log.head();
  const planted = { key: place.log.vkey, older: note, newer: note, proof: new Uint8Array(32) };
  await store.addEvidence({ ...planted, foundAt: '2026-01-01T00:00:00Z' });
  await store.addEvidence({ ...planted, foundAt: '2026-01-02T00:00:00Z', older: Uint8Array.of(0xff) });
  await store.close();
  t.match(await place.run(['verify']), { code: 0, stderr: '' });
  t.match(await place.run(['evidence']), { code: 0, stdout: /NOT PROVED \([^]*NOT PROVED \([^]*it cannot be shown: invalid UTF-8/ });
  t.match(JSON.parse((await place.run(['evidence', '--format', 'json'])).stdout), [{ verdict: /^NOT PROVED/ }, { verdict: /^NOT PROVED/ }]);
  t.match(await place.run(['evidence', '--clear']), { code: 0, stderr: /the evidence of 2 forks/ });
  t.match(await place.run(['evidence']), { code: 0, stderr: /no evidence/ });
});

t.test('head, and --trusted-head: a memory for a machine that has none', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const head = await place.run(['head']);
  t.strictSame([head.code, head.stdout, head.stderr], [0, decodeUtf8(place.log.head()), '']);
  writeFileSync(path.join(place.folder, 'head.txt'), head.stdout);
  place.log.fill(2600);
  t.match((await place.verify(['--no-cache'])).report.database.timeline, 'first-contact');
  const args = ['--no-cache', '--trusted-head', 'head.txt'];
  t.match((await place.verify(args)).report, { exitCode: 0, database: { timeline: 'consistent', tree: { size: 2600 } } });

  place.served.answer = olderHead(place.log, 1900);
  const behind = await place.verify([...args, '--report', 'text=report.txt']);
  t.equal(behind.code, 3);
  t.strictSame(new Set(behind.report.results.map(({ code }) => code)), new Set(['HEAD_TOO_OLD']));
  t.match(readFileSync(path.join(place.folder, 'report.txt'), 'utf8'), 'the log shows a tree of 1900, the trusted head is of 2000');
  writeFileSync(path.join(place.folder, 'foreign.txt'), newLog(100, 'other.example').head());
  t.match(await place.run(['verify', '--trusted-head', 'foreign.txt']), { code: 2, stderr: /no tree head signed by log\.example/ });
  t.match(await place.run(['head', '--offline', '--cache', 'new.db']), { code: 3, stdout: '', stderr: /--offline is set/ });
});
