/** `gosumcheck log` as a person runs it: what it takes, what it says, and what it refuses. */

import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { until } from '../wait.js';
import { linesOf, MODULES, OTHER_HASH, lineOf } from './place.js';
import { newOwnPlace } from './ownlog.js';

t.test('go.sum lines', async (t) => {
  const place = await newOwnPlace(t);
  place.publish('late');
  const vkey = await place.init();
  t.match(vkey, /^sum\.corp\.example\+[0-9a-f]{8}\+/);
  const again = await place.own('init');
  t.same([again.code, again.stdout.split('\n')[0]], [0, vkey], 'begun once');
  t.equal((await place.own('init', '--name', 'other.example')).code, 2);

  const [alpha = '', beta = '', gamma = ''] = MODULES;
  const half = lineOf(gamma, '/go.mod');
  writeFileSync(path.join(place.folder, 'go.sum'), linesOf(alpha) + linesOf(beta) + half);
  const refused = await place.own('add', 'go.sum');
  t.equal(refused.code, 2);
  t.match(refused.stderr, /only one line is given of example\.com\/gamma@v1\.0\.0/);
  const passed = await place.own('add', '--skip-halves', '--format', 'json', 'go.sum');
  t.equal(passed.code, 0);
  t.match(JSON.parse(passed.stdout), { name: 'sum.corp.example', added: 2, known: 0, tree: { size: 2 } });
  const some = await place.run(['log', 'add', '--data', 'log.db', '--key', 'log.key', '--only', 'example.com/beta,*.org', '-'], { stdin: linesOf(alpha) + linesOf(beta) + half });
  t.match(some.stdout, /^recorded: 0, known before: 1\n/);

  const conflict = await place.run(['log', 'add', '--data', 'log.db', '--key', 'log.key', '-'], { stdin: linesOf(gamma) + lineOf(beta, '', OTHER_HASH) + lineOf(beta, '/go.mod') });
  t.equal(conflict.code, 1);
  const twice = await place.run(['log', 'add', '--data', 'log.db', '--key', 'log.key', '-'], { stdin: linesOf(gamma) + lineOf(gamma, '', OTHER_HASH) });
  t.equal(twice.code, 1);
  const nothing = await place.run(['log', 'add', '--data', 'log.db', '--key', 'log.key', '-']);
  t.equal(nothing.code, 2);
  const state = await place.own('state', '--format', 'json');
  t.match(JSON.parse(state.stdout), { keys: [vkey], tree: { size: 2 } }, 'of all that nothing was recorded');

  const url = await place.serve();
  const sumdb = `${vkey} ${url}`;
  const verified = await place.verify(['go.sum', '--sumdb', sumdb]);
  t.same([verified.code, verified.report.summary.verified], [4, 4], verified.stderr);
  await place.run(['log', 'add', '--data', 'log.db', '--key', 'log.key', '-'], { stdin: linesOf(gamma) });
  t.equal((await place.verify(['go.sum', '--sumdb', sumdb])).code, 0);
  const skipped = await place.verify(['go.sum', '--sumdb', sumdb], { env: { GOPRIVATE: 'example.com' } });
  t.equal(skipped.report.summary.skipped, 5);
  const asked = await place.verify(['go.sum', '--sumdb', sumdb], { env: { GOPRIVATE: 'example.com', GONOSUMDB: 'none' } });
  t.equal(asked.report.summary.verified, 5, 'as docs/log.md has it');
  const home = await fetch(url);
  t.match(await home.text(), /<h1>A checksum database<\/h1>[^]*Tree of 3 records/);
  const state3 = await (await fetch(`${url}/readyz`)).text();
  t.match(state3, /^ready\nsum\.corp\.example: tree 3, last verified [^\n]*\n$/);
  await place.own('add', '--proxy', place.proxy, 'example.com/late@v1.0.0');
  t.ok(await until(async () => (await (await fetch(`${url}/readyz`)).text()).includes('tree 4'), 100));
  t.match(await (await fetch(`${url}/metrics`)).text(), /\{database="sum\.corp\.example"\} 4\n/, 'seen though nobody has asked');
});

t.test('modules through a proxy', async (t) => {
  const place = await newOwnPlace(t);
  for (const name of ['a', 'b']) place.publish(name);
  await place.init();
  const name = 'example.com/a@v1.0.0';
  t.equal((await place.own('add', name)).code, 3, 'GOPROXY=off');
  const env = { GOPROXY: place.proxy, GOPRIVATE: 'example.com' };
  const signer = ['log', 'add', '--data', 'log.db', '--key', 'log.key'];
  t.equal((await place.run([...signer, name], { env })).code, 2, 'a private name reaches no proxy');
  t.equal((await place.run([...signer, name], { env: { ...env, GONOPROXY: 'none' } })).code, 0);
  t.equal((await place.own('add', '--proxy', `${place.served.url},${place.proxy}`, 'example.com/b@v1.0.0')).code, 0, 'the next one, after a 404');
  t.equal((await place.own('add', '--proxy', place.served.url, 'example.com/c@v1.0.0')).code, 4);
  t.equal((await place.own('add', '--proxy', place.proxy, 'example.com/a')).code, 2, 'neither a file nor a version');
  t.equal((await place.own('add', '--proxy', place.proxy, 'example.com/a@v1')).code, 2);

  const at = path.join(place.folder, 'proxy', 'example.com', 'c', '@v');
  place.publish('c');
  writeFileSync(path.join(at, 'v1.0.0.mod'), 'module example.com/other\n');
  t.equal((await place.own('add', '--proxy', place.proxy, 'example.com/c@v1.0.0')).code, 1, 'another go.mod than in the zip');
  writeFileSync(path.join(at, 'v1.0.0.zip'), readFileSync(path.join(at, '..', '..', 'a', '@v', 'v1.0.0.zip')));
  t.equal((await place.own('add', '--proxy', place.proxy, 'example.com/c@v1.0.0')).code, 1, 'the zip of another module');
  t.match((await place.own('state')).stdout, /\ntree of 2, /);
});

t.test('key, state and data', async (t) => {
  const place = await newOwnPlace(t);
  const signer = ['log', 'add', '--data', 'log.db'];
  const stdin = linesOf(MODULES[0] ?? '');
  t.equal((await place.own('add', '-')).code, 2, 'no key yet');
  t.equal((await place.own('init')).code, 2, 'no name');
  t.equal((await place.own('init', '--name', 'a b')).code, 2);
  t.equal((await place.own('init', '--name', 'corp.example?x')).code, 2, 'no name of a database');
  t.notOk(existsSync(path.join(place.folder, 'log.key')));
  await place.init();
  const file = path.join(place.folder, 'log.key');
  const key = readFileSync(file, 'utf8');
  const env = { GOSUMCHECK_LOG_KEY: key };
  t.equal((await place.run([...signer, '-'], { stdin, env })).code, 2, 'no state');
  t.equal((await place.run([...signer, '--state', 'log.key.state', '-'], { stdin, env })).code, 0);
  const variables = { ...env, GOSUMCHECK_DATA: 'log.db', GOSUMCHECK_STATE: 'log.key.state' };
  t.equal((await place.run(['log', 'state'], { env: variables })).code, 0, 'by variables alone');
  if (process.platform !== 'win32') {
    chmodSync(file, 0o644);
    const open = await place.own('add', '-');
    t.equal(open.code, 2);
    t.notOk(open.stderr.includes(key.trim().slice(-20)), 'no part of the key is shown');
    chmodSync(file, 0o600);
  }
  rmSync(path.join(place.folder, 'log.key.state'));
  t.equal((await place.own('state')).code, 2, 'the state is lost');
  t.equal((await place.own('state', '--take-data')).code, 0);
  t.equal((await place.own('state')).code, 0);
  t.equal((await place.run(['log'])).code, 2);
  t.match((await place.run(['log', 'add', '--help'])).stdout, /Exit codes:/);
  t.equal((await place.run(['log', 'serve', '--data', 'none.db', '--listen', '127.0.0.1:0'])).code, 2);
  writeFileSync(path.join(place.folder, 'log.db'), 'no database at all, but long enough to be seen as none');
  const damaged = await place.own('state');
  t.equal(damaged.code, 2);
  t.notMatch(damaged.stderr, /cache clean/, 'a log is not to be deleted');
});
