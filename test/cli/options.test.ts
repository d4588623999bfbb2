/** Options, their variables and the project's file; reports; colours; help; and `lookup`. */

import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { parseHash } from '../../src/core/hash.js';
import { recordHash } from '../../src/core/record.js';
import { concatBytes, encodeUtf8 } from '../../src/core/text.js';
import { checkRecord } from '../../src/core/tree.js';
import { openTreeHead } from '../../src/core/treehead.js';
import { flipBit, reset } from '../../src/testing/index.js';
import { closedPort } from '../transport/servers.js';
import { GO_SUM, JOBS, lineOf, linesOf, MODULES, newPlace, OTHER_HASH } from './place.js';

t.jobs = JOBS;

t.test('a switch in the environment goes by its value', { buffered: true }, async (t) => {
  const place = await newPlace(t, { 'go.sum': linesOf('example.com/beta') });
  const cases: [env: Record<string, string>, args: string[], code: number][] = [
    [{ GOSUMCHECK_OFFLINE: '1' }, [], 3],
    [{ GOSUMCHECK_OFFLINE: 'TRUE' }, [], 3],
    [{ GOSUMCHECK_OFFLINE: '' }, [], 0],
    [{ GOSUMCHECK_OFFLINE: '0' }, [], 0],
    [{ GOSUMCHECK_OFFLINE: 'false' }, [], 0],
    [{ GOSUMCHECK_NO_CACHE: '0', GOSUMCHECK_OFFLINE: 'off' }, [], 0],
  ];
  for (const [env, args, code] of cases) {
    t.equal((await place.run(['verify', '--cache', `${cases.findIndex(([other]) => other === env)}.db`, ...args], { env })).code, code, JSON.stringify(env));
  }
  t.ok(existsSync(path.join(place.folder, '5.db')));
  t.equal((await place.run(['verify'], { env: { GOSUMCHECK_NO_CACHE: 'yes', GOSUMCHECK_CACHE: 'env.db' } })).code, 0);
  t.notOk(existsSync(place.cache));
  t.notOk(existsSync(path.join(place.folder, 'env.db')));
  t.equal((await place.run(['verify', '--cache', 'flag.db'], { env: { GOSUMCHECK_NO_CACHE: '1' } })).code, 0);
  t.ok(existsSync(path.join(place.folder, 'flag.db')), 'a flag goes before the environment');
});

t.test('values in the environment, behind flags and before the project’s file', { buffered: true }, async (t) => {
  const place = await newPlace(t, { 'go.sum': linesOf('example.com/beta'), 'gosumcheck.toml': 'format = "junit"\ntimeout = "20s"\ndeadline = "1m"\nconcurrency = 2\n' });
  const head = async (args: string[], env: Record<string, string> = {}): Promise<string> => (await place.run(['verify', ...args], { env })).stdout.slice(0, 5);
  t.equal(await head([]), '<?xml', 'the project’s file');
  t.equal(await head([], { GOSUMCHECK_FORMAT: 'markdown' }), '### g', 'the environment');
  t.equal(await head(['--format', 'text'], { GOSUMCHECK_FORMAT: 'markdown' }), 'log  ', 'a flag, though it is the default’s value');
  const sumdb = `${place.log.vkey} ${place.served.url}`;
  t.equal((await place.run(['lookup', 'example.com/beta@v1.0.0'], { env: { GOSUMDB: 'off', GOSUMCHECK_SUMDB: sumdb, GOSUMCHECK_FORMAT: 'junit' } })).code, 0);
  t.equal((await place.run(['lookup', 'example.com/beta@v1.0.0'], { env: { GOSUMCHECK_FORMAT: 'yaml' } })).code, 2);
});

t.test('gosumcheck.toml: limits and formats, and nothing that says whom to trust', { buffered: true }, async (t) => {
  const place = await newPlace(t, { 'go.sum': GO_SUM, sub: { 'go.sum': GO_SUM }, other: { 'go.sum': GO_SUM } });
  const write = (text: string): void => writeFileSync(path.join(place.folder, 'sub', 'gosumcheck.toml'), text);
  const refused: [text: string, says: RegExp][] = [
    ['sumdb = "off"', /gosumcheck\.toml: sumdb cannot be set here\n {2}it can set format, concurrency, timeout and deadline; never/],
    ['cache = "x.db"', /: cache cannot be set here/],
    ['private = "*"', /: private cannot be set here/],
    ['allow-all-skipped = true', /: .*allow-all-skipped.* cannot be set here/],
    ['trusted-head = "x"', /cannot be set here/],
    ['format = "yaml"', /gosumcheck\.toml: format: /],
    ['timeout = 5', /gosumcheck\.toml: timeout: /],
    ['timeout = "5"', /gosumcheck\.toml: malformed duration "5"/],
    ['concurrency = 0', /gosumcheck\.toml: concurrency: /],
    ['format = ', /gosumcheck\.toml: Invalid TOML document/],
  ];
  for (const [text, says] of refused) {
    write(text);
    const { code, stdout, stderr } = await place.run(['verify', path.join('sub', 'go.sum'), 'other']);
    t.strictSame([code, stdout], [2, ''], text);
    t.match(stderr, says, text);
  }
  t.strictSame(place.asked(), []);
  write('format = "json"');
  t.match((await place.run(['verify', 'sub'])).stdout, /^\{/, 'of a folder that is named');
  t.match((await place.run(['verify', 'other', 'sub'])).stdout, /^log /, 'the first that is named');
  t.match((await place.run(['verify'])).stdout, /^log /, 'or of the working folder');
});

t.test('several reports of one run', { buffered: true }, async (t) => {
  const place = await newPlace(t, { 'go.sum': GO_SUM + lineOf('example.com/none'), '.git': {}, sub: { 'go.sum': lineOf('example.com/beta', '', OTHER_HASH) } });
  const begins = { text: 'MISMATCH', json: '{\n  "schema": 1', github: '::error file=sub/go.sum,line=1', sarif: '{\n  "$schema"', junit: '<?xml', markdown: '### gosumcheck: FAILED' };
  const reports = Object.keys(begins).flatMap((format) => ['--report', `${format}=${format}.out`]);
  const ran = await place.run(['verify', '--format', 'github', ...reports, '../sub'], { cwd: 'sub' });
  t.equal(ran.code, 1);
  for (const [format, begin] of Object.entries(begins)) {
    const text = readFileSync(path.join(place.folder, 'sub', `${format}.out`), 'utf8');
    t.ok(text.startsWith(begin), `${format}: ${text.slice(0, 60)}`);
    if (format === 'github') t.equal(ran.stdout, text, 'and on stdout');
  }
  t.match(JSON.parse(readFileSync(path.join(place.folder, 'sub', 'sarif.out'), 'utf8')), {
    runs: [{ results: [{ locations: [{ physicalLocation: { artifactLocation: { uri: 'sub/go.sum' } } }] }] }],
  });
});

t.test('a report that cannot be written costs no verdict', { buffered: true, skip: !existsSync('/dev/full') && 'there is no /dev/full' }, async (t) => {
  const place = await newPlace(t, { 'go.sum': GO_SUM, 'bad.sum': lineOf('example.com/beta', '', OTHER_HASH) });
  const full = ['--report', 'json=/dev/full', '--report', 'text=report.txt'];
  const good = await place.run(['verify', ...full]);
  t.match(good, { code: 2, stdout: /^log /, stderr: 'gosumcheck: --report /dev/full: the disk is full\n' });
  t.match(readFileSync(path.join(place.folder, 'report.txt'), 'utf8'), /^log /, 'the others are written');
  t.match(await place.run(['verify', 'bad.sum', ...full]), { code: 1, stdout: /^MISMATCH/, stderr: /the disk is full/ });
});

t.test('a link in the repository that leads to a file without an end', { buffered: true, skip: !existsSync('/dev/zero') && 'there is no /dev/zero' }, async (t) => {
  const place = await newPlace(t, { sub: {}, project: { 'go.sum': GO_SUM } });
  symlinkSync('/dev/zero', path.join(place.folder, 'sub', 'go.sum'));
  symlinkSync('/dev/zero', path.join(place.folder, 'project', 'gosumcheck.toml'));
  t.match(await place.run(['verify', 'sub']), { code: 2, stdout: '', stderr: /more than \d+ bytes\n$/ });
  t.match(await place.run(['verify', 'project']), { code: 2, stdout: '', stderr: /more than \d+ bytes\n/ });
  t.match(await place.run(['verify', '-', '--trusted-head', '/dev/zero'], { stdin: GO_SUM }), { code: 2, stderr: /more than \d+ bytes\n/ });
});

t.test('colours', { buffered: true }, async (t) => {
  const place = await newPlace(t, { 'go.sum': linesOf('example.com/beta') });
  const cases: [args: string[], env: Record<string, string>, colored: boolean][] = [
    [[], {}, false],
    [['--color', 'always'], {}, true],
    [['--color', 'always'], { NO_COLOR: '1' }, true],
    [[], { FORCE_COLOR: '1' }, true],
    [[], { FORCE_COLOR: '0' }, false],
    [[], { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
    [[], { FORCE_COLOR: '1', NO_COLOR: '' }, true],
    [['--color', 'never'], { FORCE_COLOR: '1' }, false],
    [[], { GOSUMCHECK_COLOR: 'always' }, true],
  ];
  for (const [args, env, colored] of cases) {
    const { stdout } = await place.run(['verify', ...args, '--report', 'text=report.txt'], { env });
    t.equal(stdout.includes('\u001b['), colored, `${args.join(' ')} ${JSON.stringify(env)}`);
    t.notMatch(readFileSync(path.join(place.folder, 'report.txt'), 'utf8'), '\u001b');
  }
});

t.test('help: of every command, within 80 columns, with examples', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  for (const command of [[], ['verify'], ['modcache'], ['lookup'], ['head'], ['cache'], ['evidence']]) {
    const { code, stdout, stderr } = await place.run([...command, '--help']);
    t.strictSame([code, stderr], [0, ''], command.join(' '));
    t.strictSame(stdout.split('\n').filter((line) => line.length > 80), [], command.join(' '));
    t.match(stdout, '\nExamples:\n  gosumcheck ');
    t.notMatch(stdout, '(env:');
  }
  t.match((await place.run(['verify', '--help'])).stdout, /\nExit codes:\n {2}0 /);
  t.match(await place.run(['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ });
  t.match(await place.run([]), { code: 2, stdout: '', stderr: /^Usage: gosumcheck / });
  t.match(await place.run(['verifi']), { code: 2, stderr: /unknown command 'verifi'/ });
  t.match(await place.run(['lookup']), { code: 2, stderr: /missing required argument 'module@version'/ });
  t.match(await place.run(['cache']), { code: 2, stderr: /missing required argument 'action'/ });
});

t.test('lookup: the proved record, for a person', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const id = place.log.idOf('example.com/beta', 'v1.0.0');
  const tree = place.log.treeHead();
  const name = 'example.com/beta@v1.0.0';
  const proved = `${linesOf('example.com/beta')}record ${id}, proved under the tree of 2000, ${Buffer.from(tree.hash).toString('base64')}`;
  t.match(await place.run(['lookup', name]), { code: 0, stdout: `${proved}\n`, stderr: '' });
  place.asked();
  const cached = await place.run(['lookup', '--proof', name, name]);
  t.equal(cached.stdout.split('\n').slice(0, 4).join('\n'), `${proved} (from the cache)\nproof of ${id} in 2000:`);
  t.strictSame(place.asked(), []);
});

t.test('lookup: a proof that anybody can check', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const { code, stdout } = await place.run(['lookup', '--proof', '--format', 'json', ...MODULES.map((module) => `${module}@v1.0.0`)]);
  t.equal(code, 0);
  interface Answer { name: string; record: number; text: string; hashes: { module: string; goMod: string }; tree: { size: number; note: string }; proof: string[]; cached: boolean; timeline: string }
  const answers = JSON.parse(stdout) as Answer[];
  t.strictSame(answers.map(({ name }) => name), MODULES.map((module) => `${module}@v1.0.0`));
  for (const { name, record, text, hashes, tree, proof, cached, timeline } of answers) {
    const [module = ''] = name.split('@');
    t.equal(text, linesOf(module));
    t.strictSame([hashes.module, hashes.goMod], text.trim().split('\n').map((line) => line.split(' ')[2]));
    const head = openTreeHead(encodeUtf8(tree.note), place.log.key);
    checkRecord(concatBytes(...proof.map(parseHash)), head, record, recordHash(encodeUtf8(text)));
    t.throws(() => checkRecord(concatBytes(...proof.map(parseHash)), head, record, recordHash(encodeUtf8(`${text}x`))), { code: 'PROOF_MISMATCH' });
    t.strictSame([head.size, cached, timeline], [2000, false, 'first-contact']);
  }
});

t.test('lookup: what it cannot show', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const unknown = await place.run(['lookup', 'example.com/none@v1.0.0', 'example.com/beta@v1.0.0']);
  t.equal(unknown.code, 4);
  t.match(unknown.stdout, /^example\.com\/beta v1\.0\.0 h1:/, 'the rest is shown');
  t.match(unknown.stderr, /^gosumcheck: reading http:\S+\/lookup\/example\.com\/none@v1\.0\.0: 404 Not Found/);
  place.asked();
  const secret = await place.run(['lookup', 'corp.example/x@v1.0.0', 'example.com/gamma@v1.0.0'], { env: { GOPRIVATE: 'corp.example' } });
  t.match(secret, { code: 2, stdout: '', stderr: /corp\.example\/x is private by the pattern corp\.example: nobody is asked about it\n {2}the pattern is in GOPRIVATE/ });
  for (const bad of ['example.com/beta', 'example.com/beta@latest', 'beta@v1.0.0', 'example.com/beta@v1.0.0#x', '@v1.0.0']) {
    t.match(await place.run(['lookup', bad]), { code: 2, stdout: '' }, bad);
  }
  t.strictSame(place.asked(), []);

  place.served.answer = flipBit(/^\/tile\//);
  t.equal((await place.run(['lookup', 'example.com/beta@v1.0.0', '--no-cache'])).code, 1);
  place.served.answer = reset('/lookup/example.com/gamma@v1.0.0');
  const dropped = await place.run(['lookup', '--format', 'json', 'example.com/gamma@v1.0.0']);
  t.equal(dropped.code, 3);
  t.match(JSON.parse(dropped.stdout), [{ name: 'example.com/gamma@v1.0.0', code: 'UNREACHABLE', message: /connection lost/ }]);
});

t.test('no credentials in what is shown', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const port = await closedPort();
  const env = { GOSUMDB: place.log.vkey, GOPROXY: `https://user:secret@127.0.0.1:${port}/path?token=secret` };
  const { code, stdout, stderr } = await place.run(['verify', '--format', 'json', '--report', 'text=report.txt'], { env });
  t.equal(code, 3);
  t.notMatch(stdout + stderr + readFileSync(path.join(place.folder, 'report.txt'), 'utf8'), /secret|user/);
  t.match(stdout, `https://127.0.0.1:${port}/path`);
});
