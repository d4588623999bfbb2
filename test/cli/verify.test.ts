/** `gosumcheck verify` as a process: what it finds, says and exits with. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { decodeUtf8, encodeUtf8 } from '../../src/core/text.js';
import { alteredRecord, htmlPage, slow, status } from '../../src/testing/index.js';
import { closedPort } from '../transport/servers.js';
import { GO_SUM, JOBS, lineOf, linesOf, newLog, newPlace, OTHER_HASH, outcomes, ROOT } from './place.js';

t.jobs = JOBS;


t.test('a good file: what was proved; then the same from the cache, without a request', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const cold = await place.run(['verify']);
  const tree = place.log.treeHead();
  t.equal(cold.code, 0);
  t.equal(
    cold.stdout,
    `log       log.example, by ${place.served.url}\n` +
      `tree      ${tree.size} records, hash ${Buffer.from(tree.hash).toString('base64')}\n` +
      'history   first contact: no earlier tree to compare with (see --trusted-head)\n' +
      'verified  all 8 lines of go.sum; 4 module versions, none from the cache\n',
  );
  t.equal(cold.stderr, '', 'no progress off a terminal');
  t.equal(place.asked().filter((path) => path.startsWith('/lookup/')).length, 4);

  const warm = await place.verify();
  t.match(warm.report, { complete: true, exitCode: 0, database: { url: 'cache', timeline: 'consistent', tree: { size: tree.size } } });
  t.strictSame(warm.report.summary, { lines: 8, verified: 8, mismatched: 0, missing: 0, skipped: 0, failed: 0 });
  t.strictSame(place.asked(), []);
  const fresh = await place.run(['verify', '--fresh', '--quiet']);
  t.strictSame([fresh.code, fresh.stdout, fresh.stderr], [0, '', '']);
  t.strictSame(place.asked(), ['/latest']);
});

t.test('a wrong hash: exit 1, the line, both hashes, the record', { buffered: true }, async (t) => {
  const place = await newPlace(t, { 'go.sum': GO_SUM + lineOf('example.com/beta', '', OTHER_HASH).replace('beta', 'epsilon') });
  place.log.add('example.com/epsilon', 'v1.0.0');
  const { report, code } = await place.verify(['--report', 'text=report.txt']);
  t.equal(code, 1);
  const record = place.log.idOf('example.com/epsilon', 'v1.0.0');
  const bad = report.results[8]!;
  t.match(bad, { file: 'go.sum', line: 9, status: 'mismatch', code: 'HASH_MISMATCH', hash: OTHER_HASH, record });
  const text = readFileSync(path.join(place.folder, 'report.txt'), 'utf8');
  t.match(text, /^MISMATCH {2}1 line: /);
  t.match(text, `go.sum:9          ${OTHER_HASH}\n`);
  t.match(text, `log, record ${record}  ${bad.expected}\n`);
  t.match(text, 'git blame -L9,9 -- go.sum\n', 'and what to do');
  t.match(text, 'result    FAILED, exit 1: 1 line mismatched\n');
});

t.test('findings that are exit 1 each', { buffered: true }, async (t) => {
  const place = await newPlace(t, {
    'conflict.sum': linesOf('example.com/beta') + lineOf('example.com/beta', '', OTHER_HASH),
    'unknown.sum': lineOf('example.com/beta', '', 'h2:abc') + lineOf('example.com/gamma'),
    'unproved.sum': GO_SUM,
  });
  place.served.answer = alteredRecord('/lookup/example.com/delta@v1.0.0', (text) => encodeUtf8(decodeUtf8(text).replace('h1:', 'h1:A')));
  const [conflict, unknown, unproved] = await Promise.all(
    ['conflict.sum', 'unknown.sum', 'unproved.sum'].map((file) => place.verify([file, '--no-cache'])),
  );
  t.strictSame(outcomes(conflict!.report), ['conflict.sum:1 conflict LINES_CONFLICT', 'conflict.sum:2 verified', 'conflict.sum:3 conflict LINES_CONFLICT']);
  t.strictSame(outcomes(unknown!.report), ['unknown.sum:1 mismatch HASH_UNKNOWN', 'unknown.sum:2 verified']);
  t.strictSame(outcomes(unproved!.report).slice(-3), ['unproved.sum:6 verified', 'unproved.sum:7 error RECORD_MISMATCH', 'unproved.sum:8 error RECORD_MISMATCH']);
  t.strictSame([conflict!.code, unknown!.code, unproved!.code], [1, 1, 1]);
});

t.test('not in the log: exit 4, and the line that keeps a private module out of it', { buffered: true }, async (t) => {
  const place = await newPlace(t, { 'go.sum': GO_SUM + lineOf('git.corp.example/team/x') });
  const { report, code } = await place.verify(['--report', 'text=report.txt'], { env: { GOPRIVATE: 'other.example' } });
  t.equal(code, 4);
  t.equal(outcomes(report)[8], 'go.sum:9 missing NOT_FOUND');
  t.equal(report.complete, true, 'the log has answered');
  const text = readFileSync(path.join(place.folder, 'report.txt'), 'utf8');
  t.match(text, 'For a private module that is normal.');
  t.match(text, 'go env -w GOPRIVATE=other.example,git.corp.example\n', 'it adds to what is set');
});

t.test('no answer: exit 3, and which lines remain', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const dead = `${place.log.vkey} http://127.0.0.1:${await closedPort()}`;
  const report = ['--report', 'text=report.txt'];
  const refused = await place.verify(report, { env: { GOSUMDB: dead } });
  t.equal(refused.code, 3);
  t.strictSame(new Set(refused.report.results.map(({ status, code, retryable }) => `${status} ${code} ${retryable}`)), new Set(['error UNREACHABLE true']));
  const text = readFileSync(path.join(place.folder, 'report.txt'), 'utf8');
  t.match(text, 'NO ANSWER  8 lines: the checksum database could not be asked\n');
  t.match(text, /reading http:\/\/127\.0\.0\.1:\d+: connection refused \(UNREACHABLE\)\n {4}example\.com\/Alpha v1\.0\.0 {2}go\.sum:1-2\n/, 'said once, for all modules');

  place.served.answer = htmlPage('/lookup/example.com/gamma@v1.0.0');
  const page = await place.verify(report);
  t.equal(page.code, 3);
  t.strictSame(outcomes(page.report).filter((line) => !line.endsWith('verified')), ['go.sum:5 error ANSWER_MALFORMED', 'go.sum:6 error ANSWER_MALFORMED']);

  place.served.answer = status(403);
  const forbidden = await place.verify(['--fresh', '--cache', 'other.db']);
  t.strictSame([forbidden.code, forbidden.report.results[0]?.code, forbidden.report.results[0]?.retryable], [3, 'HTTP_STATUS', false]);

  place.served.answer = (_, answer) => answer;
  t.equal((await place.run(['verify'])).code, 0);
  place.served.answer = status(403);
  const stale = await place.verify(['--fresh', ...report]);
  t.strictSame([stale.code, stale.report.problem?.code, stale.report.summary.verified], [3, 'HTTP_STATUS', 8], 'all from the cache, and no newest head');
  t.match(readFileSync(path.join(place.folder, 'report.txt'), 'utf8'), /\nproblem {3}reading .*: 403 Forbidden/);
});

t.test('limits on time: exit 3, what came in time stays', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  place.served.answer = slow(100_000, '/lookup/example.com/delta@v1.0.0');
  const [each, all] = await Promise.all([
    place.verify(['--timeout', '100ms', '--no-cache']),
    place.verify(['--deadline', '1500ms', '--report', 'text=report.txt', '--cache', 'all.db']),
  ]);
  const two = ['go.sum:7 error TIMEOUT', 'go.sum:8 error TIMEOUT'];
  t.strictSame(outcomes(each.report).slice(6), two);
  t.equal(each.code, 3);
  t.equal(all.code, 3);
  t.strictSame(outcomes(all.report).slice(6), two);
  t.ok(all.took < 90_000, `${all.took} ms`);
  t.match(readFileSync(path.join(place.folder, 'report.txt'), 'utf8'), 'the deadline of 1.5 s has passed (TIMEOUT)');
});

t.test('--offline opens no connection: cold exit 3, warm exit 0', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const cold = await place.verify(['--offline', '--report', 'text=report.txt']);
  t.strictSame([cold.code, cold.report.database.url], [3, 'cache'], 'nothing was asked, and the report says so');
  t.strictSame(new Set(cold.report.results.map(({ code, retryable }) => `${code} ${retryable}`)), new Set(['OFFLINE false']));
  t.match(readFileSync(path.join(place.folder, 'report.txt'), 'utf8'), 'Run once without --offline');
  // the same where the way would be chosen first, by asking a proxy
  const proxied = await place.verify(['--offline'], { env: { GOSUMDB: place.log.vkey, GOPROXY: `${place.served.url}|direct` } });
  t.equal(proxied.code, 3);
  t.equal(place.served.connections, 0);
  t.equal((await place.run(['verify'])).code, 0);
  const { connections } = place.served;
  const warm = await place.verify(['--offline']);
  t.strictSame([warm.code, warm.report.database.url], [0, 'cache']);
  t.equal((await place.verify(['--offline', '--fresh'])).code, 3, 'a newest head cannot be had');
  t.equal(place.served.connections, connections);
});

t.test('private modules: said with their pattern, and never asked for', { buffered: true }, async (t) => {
  const secret = 'corp.example/secret';
  const place = await newPlace(t, {
    'go.sum': linesOf('example.com/beta') + linesOf(secret),
    'conflict.sum': linesOf('example.com/beta') + lineOf(secret) + lineOf(secret, '', OTHER_HASH) + lineOf(secret, '/go.mod', 'h2:x'),
    'all.sum': linesOf(secret),
    'dropped.sum': 'example.com/beta v1.0.0/go.mod h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=\n' + lineOf('example.com/beta'),
  });
  const env = { GOPRIVATE: 'corp.example' };
  const some = await place.run(['verify', '--quiet'], { env });
  t.equal(some.code, 0);
  t.match(some.stdout, 'matches the private pattern corp.example', 'also with --quiet');
  t.match(some.stdout, 'verified  2 of 4 lines of go.sum');
  t.match(some.stdout, 'skipped   2 lines');
  const conflict = await place.verify(['conflict.sum'], { env: { GONOSUMDB: '*.example' } });
  t.equal(conflict.code, 1);
  t.strictSame(outcomes(conflict.report).slice(2), ['conflict.sum:3 conflict LINES_CONFLICT', 'conflict.sum:4 conflict LINES_CONFLICT', 'conflict.sum:5 skipped SKIPPED_PRIVATE']);
  t.notMatch(place.asked().join('\n'), /corp|secret/);

  const all = await place.verify(['all.sum'], { env });
  t.equal(all.code, 2);
  t.equal(all.report.summary.skipped, 2);
  t.equal((await place.verify(['all.sum', '--allow-all-skipped'], { env })).code, 0);
  const dropped = await place.verify(['dropped.sum']);
  t.strictSame(outcomes(dropped.report), ['dropped.sum:1 skipped SKIPPED_EMPTY_GOMOD', 'dropped.sum:2 verified']);
  t.notMatch(place.asked().join('\n'), /corp|secret/);

  const leak = await place.run(['verify', 'all.sum'], { env: { GOPRIVATE: 'a.example, corp.example' } });
  t.match(leak.stderr, 'GOPRIVATE (environment): ', 'a pattern that never matches is warned of');
});

/** Runs that are exit 2, and what they say. None of them asks anything. */
const REFUSED: readonly { name: string; args?: string[]; env?: Record<string, string>; says: RegExp }[] = [
  { name: 'a malformed file', args: ['bad.sum'], says: /^gosumcheck: bad\.sum:2: 2 fields, want 3: module version hash\n {2}\S/ },
  { name: 'a malformed file after a good one', args: ['go.sum', 'bad.sum'], says: /bad\.sum:2: / },
  { name: 'a merge conflict', args: ['merge.sum'], says: /merge\.sum:1: .*\n {2}resolve the merge conflict/ },
  { name: 'a file that is not there', args: ['none.sum'], says: /^gosumcheck: none\.sum: no such file or folder\n/ },
  { name: 'a folder with nothing in it', args: ['empty'], says: /no go\.sum in empty\n {2}name a go\.sum file/ },
  { name: 'a go.mod', args: ['bare/go.mod'], says: /a go\.mod file has no hashes to check\n {2}name the go\.sum/ },
  { name: 'an empty file', args: ['empty.sum'], says: /empty\.sum: no line to check/ },
  { name: 'GOSUMDB=off', env: { GOSUMDB: 'off' }, says: /switched off: GOSUMDB=off \(environment\)\n {2}set GOSUMDB, or give --sumdb/ },
  { name: 'a bad key', env: { GOSUMDB: 'log.example+00000000+AAAA' }, says: /invalid GOSUMDB \(environment\): / },
  { name: 'an unknown name', args: ['--sumdb', 'nowhere.example'], says: /invalid GOSUMDB \(--sumdb\): "nowhere\.example" is no known name/ },
  { name: 'a bad GOPROXY', env: { GOSUMDB: 'sum.golang.org', GOPROXY: 'ftp://x.example' }, says: /invalid GOPROXY/ },
  { name: 'a trusted head that is not there', args: ['--trusted-head', 'none.txt'], says: /--trusted-head none\.txt: no such file/ },
  { name: 'a trusted head that is none', args: ['--trusted-head', 'go.sum'], says: /--trusted-head go\.sum: no tree head signed by log\.example: .*\n {2}`gosumcheck head` makes/ },
  { name: 'an unknown option', args: ['--nonsense'], says: /^gosumcheck: unknown option '--nonsense'/ },
  { name: 'a bad duration', args: ['--timeout', '5'], says: /'--timeout <duration>' argument '5' is invalid\. Want a duration/ },
  { name: 'a duration beyond any timer', args: ['--deadline', '597h'], says: /'597h' is invalid\. Want a duration/ },
  { name: 'an unknown format', args: ['--format', 'yaml'], says: /Allowed choices are text, json/ },
  { name: 'a report of no format', args: ['--report', 'out.txt'], says: /Want FORMAT=FILE/ },
  { name: 'a report on stdout', args: ['--report', 'json=-'], says: /For a report on stdout there is --format/ },
  { name: 'a report to a folder that is not there', args: ['--report', 'json=none/out.json'], says: /--report none\/out\.json: no such file or folder/ },
  { name: 'a report to a folder', args: ['--report', 'json=empty'], says: /--report empty: it is a folder/ },
  { name: 'a switch in the environment that is neither on nor off', env: { GOSUMCHECK_OFFLINE: 'maybe' }, says: /GOSUMCHECK_OFFLINE="maybe" is invalid/ },
  { name: 'a bad value in the environment', env: { GOSUMCHECK_TIMEOUT: '5' }, says: /GOSUMCHECK_TIMEOUT="5" is invalid\n {2}Want a duration/ },
];

t.test('exit 2 comes before any network', { buffered: true }, async (t) => {
  const place = await newPlace(t, {
    'go.sum': GO_SUM,
    'bad.sum': `${lineOf('example.com/beta')}example.com/beta v1.0.0\n`,
    'merge.sum': '<<<<<<< HEAD\n',
    'empty.sum': '\n',
    empty: { 'go.sum': {}, vendor: { 'go.sum': GO_SUM }, '.hidden': { 'go.sum': GO_SUM }, testdata: { 'go.sum': GO_SUM }, node_modules: { 'go.sum': GO_SUM } },
    bare: { 'go.mod': 'module example.com/bare\n' },
  });
  const queue = [...REFUSED];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { name, args = [], env = {}, says } = next;
      const { code, stdout, stderr } = await place.run(['verify', ...args], { env });
      t.strictSame([code, stdout], [2, ''], name);
      t.match(stderr, says, name);
    }
  };
  await Promise.all(Array.from({ length: JOBS }, worker));
  t.strictSame([place.asked(), place.served.connections], [[], 0]);
  t.notOk(existsSync(place.cache));
});

t.test('settings that show to be unusable only when something is asked: exit 2, and never 0', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const proxies: Record<string, string>[] = [
    { GOPROXY: place.served.url.replace('//', '//user:secret@') },
    { GOPROXY: 'https://proxy.example', HTTPS_PROXY: 'socks5://127.0.0.1:9' },
  ];
  for (const env of proxies) {
    const { code, report } = await place.verify(['--no-cache'], { env: { GOSUMDB: place.log.vkey, ...env } });
    t.strictSame([code, report.complete, report.summary.failed], [2, false, 8]);
    t.strictSame(new Set(report.results.map(({ code, retryable }) => `${code} ${retryable}`)), new Set(['CONFIG_INVALID false']));
  }
  t.strictSame(place.asked(), []);
});

t.test('which files: the two of the folder, those below, standard input, each once', { buffered: true }, async (t) => {
  const place = await newPlace(t, {
    'go.sum': lineOf('example.com/Alpha'),
    'go.work.sum': lineOf('example.com/beta'),
    'go.mod': 'module example.com/x\n',
    sub: { 'go.sum': lineOf('example.com/gamma'), vendor: { 'go.sum': 'no go.sum' }, '.git': { 'go.sum': 'no go.sum' } },
    bare: { 'go.mod': 'module example.com/bare\n', tidied: { 'go.mod': 'module example.com/tidied\n', 'go.sum': '' } },
  });
  const files = async (args: string[], stdin = ''): Promise<string[]> => {
    const { report } = await place.verify(args, { stdin });
    return report.results.map(({ file, line }) => `${file}:${line}`);
  };
  const sub = path.join('sub', 'go.sum');
  t.strictSame(await files([]), ['go.sum:1', 'go.work.sum:1'], 'by default');
  t.strictSame(await files(['.']), ['go.sum:1', 'go.work.sum:1', `${sub}:1`], 'a folder');
  t.strictSame(await files(['sub', 'sub/go.sum', './sub/../sub']), [`${sub}:1`], 'a file named twice is one file');
  t.strictSame(await files(['-', 'go.sum', '-'], lineOf('example.com/delta')), ['-:1', 'go.sum:1']);

  const bare = await place.run(['verify', 'bare'], { env: { GOSUMCHECK_REPORT: 'sarif=a.sarif\njson=a.json' } });
  t.equal(bare.code, 0, 'a go.mod without a go.sum');
  const notice = (file: string): string => `gosumcheck: ${file}: no sums beside it, so there is nothing to check\n`;
  t.equal(bare.stderr, notice(path.join('bare', 'go.mod')) + notice(path.join('bare', 'tidied', 'go.mod')));
  t.match(bare.stdout, 'verified  no lines: there was nothing to check\n');
  t.ok(existsSync(path.join(place.folder, 'a.sarif')), 'the reports that later steps look for are there');
  t.strictSame((await place.verify(['.', 'bare', '--quiet'])).stderr, '');
});

t.test('the recording of Kubernetes 1.34, by a GOPROXY folder, without a connection', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const env = { GOSUMDB: undefined, GOPROXY: new URL(`file://${ROOT.replaceAll(path.sep, '/')}fixtures`).href };
  const file = path.join(ROOT, 'fixtures', 'kubernetes-1.34', 'go.sum');
  const { report, code } = await place.verify(['--offline', file], { env: { ...env, GOSUMDB: 'sum.golang.org' } });
  t.strictSame([code, report.summary.verified, report.database.name], [0, 505, 'sum.golang.org']);
  t.match(report.database.url, /^file:.*\/fixtures\/sumdb\/sum\.golang\.org$/);

  const edited = readFileSync(file, 'utf8').replace(/(rsc|go\.uber)(\S+ \S+ h1:)./, '$1$2!');
  const { report: found, code: exit } = await place.verify(['-', '--offline'], { env: { ...env, GOSUMDB: 'sum.golang.org' }, stdin: edited });
  t.strictSame([exit, found.summary.mismatched], [1, 1], 'one line edited');
});

t.test('a big log grows between runs', { buffered: true }, async (t) => {
  const log = newLog(3000);
  const place = await newPlace(t, undefined, { log });
  t.match(await place.run(['verify']), { code: 0, stderr: '' });
  log.add('example.com/new', 'v1.0.0');
  log.fill(70_000);
  writeFileSync(path.join(place.folder, 'go.sum'), GO_SUM + linesOf('example.com/new'));
  const { report } = await place.verify();
  t.match(report, { exitCode: 0, database: { timeline: 'consistent', tree: { size: 70_000 } }, summary: { verified: 10 } });
});
