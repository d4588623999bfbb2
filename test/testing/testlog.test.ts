/** The log for tests is itself tested: it is honest by itself, it lies as it is told, and the go command believes it. */

import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { request } from 'node:https';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import { promisify } from 'node:util';
import t from 'tap';
import { ForkError, forkError, formatFork } from '../../src/core/fork.js';
import { h1OfGoMod } from '../../src/core/h1.js';
import { planTiles } from '../../src/core/plan.js';
import { findHashes, parseDataTile, parseLookup, recordHash } from '../../src/core/record.js';
import { decodeUtf8, encodeUtf8 } from '../../src/core/text.js';
import { DATA_LEVEL, formatTilePath } from '../../src/core/tile.js';
import { checkRecord, checkTree } from '../../src/core/tree.js';
import { openTreeHead } from '../../src/core/treehead.js';
import {
  allOf,
  alteredRecord,
  cutShort,
  firstTimes,
  flipBit,
  foreignRecord,
  forkedHead,
  htmlPage,
  newCertificate,
  noPartialTiles,
  olderHead,
  otherBody,
  redirect,
  reset,
  serveLog,
  slow,
  status,
  TestLog,
  tilesOf,
  writeLog,
  type Bend,
} from '../../src/testing/index.js';
import { goHome } from '../quietgo.js';

const log = new TestLog();
log.add('example.com/A', 'v1.0.0');
log.add('example.com/b', 'v2.0.0+incompatible', { module: 'h1:bbbb', goMod: 'h1:cccc' });
log.fill(600);

t.test('a log in memory: what it answers is true', async (t) => {
  const head = openTreeHead(await log.latest(), log.key);
  t.equal(head.size, 600);
  const { id, text, note } = parseLookup(await log.lookup('example.com/b', 'v2.0.0+incompatible'));
  t.equal(id, 1);
  t.same(findHashes(text, 'example.com/b', 'v2.0.0+incompatible'), { module: 'h1:bbbb', goMod: 'h1:cccc' });
  t.same(note, head.note);
  t.doesNotThrow(() => checkRecord(log.proveRecord(1), head, 1, recordHash(text)));
  t.doesNotThrow(() => checkTree(log.proveTree(300), head, openTreeHead(log.head(300), log.key)));
  await t.rejects(log.lookup('example.com/b', 'v2.0.0'), { code: 'NOT_FOUND' });

  const plan = planTiles(head, { records: [0, 255, 256, 599] });
  const tiles = await Promise.all(plan.tiles.map((tile) => log.tile(tile)));
  t.same(plan.authenticate(tiles).failures, []);
  t.equal((await log.tile({ level: 0, n: 2, width: 3 })).length, 96, 'of any width');
  t.equal(parseDataTile(await log.tile({ level: DATA_LEVEL, n: 2, width: 88 }), 88).length, 88);
  for (const [level, n, width] of [[0, 2, 89], [0, 2, 256], [0, 3, 1], [1, 0, 3], [2, 0, 1], [DATA_LEVEL, 2, 89], [0, 0, 0]] as const) {
    await t.rejects(log.tile({ level, n, width }), { code: 'NOT_FOUND' }, formatTilePath({ level, n, width }));
  }
  t.equal(new TestLog().vkey, log.vkey, 'the same key for the same name');
  t.not(new TestLog('other.example').vkey, log.vkey);
});

t.test('it grows, it answers with older heads, it forks', async (t) => {
  const own = new TestLog();
  own.add('example.com/a', 'v1.0.0');
  const [before, fork] = [own.head(), own.clone()];
  own.add('example.com/a', 'v1.0.1');
  t.same(own.head(1), before, 'the past stays');
  own.headSizeOf = (id) => id + 1;
  t.equal(openTreeHead(parseLookup(await own.lookup('example.com/a', 'v1.0.0')).note, own.key).size, 1);

  t.equal(fork.vkey, own.vkey);
  t.same(fork.head(1), before);
  fork.add('example.com/a', 'v1.0.1', { module: 'h1:evil' });
  t.notSame(fork.head(2), own.head(2));
  t.same(fork.idOf('example.com/a', 'v1.0.1'), 1);
  t.equal(fork.idOf('example.com/a', 'v1.0.2'), undefined);
  t.same(own.modules, ['example.com/a@v1.0.0', 'example.com/a@v1.0.1']);
  t.equal(fork.addText('example.com/c v1.0.0/go.mod h1:x\n'), 2);
  t.equal(fork.idOf('example.com/c', 'v1.0.0'), 2, 'a record of a go.mod alone');
  t.throws(() => fork.addText('no newline'), { code: 'RECORD_MALFORMED' });
  t.throws(() => fork.treeHead(4), /no tree of 4/);
});

t.test('served: at the root and as a proxy has it', async (t) => {
  const served = await serveLog(log);
  const lookup = 'lookup/example.com/!a@v1.0.0';
  const text = 'text/plain; charset=UTF-8';
  const bytes = 'application/octet-stream';
  const cases: [path: string, status: number, type: string, length?: number][] = [
    ['latest', 200, text, log.head().length],
    ['supported', 200, text, 0],
    [lookup, 200, text, log.lookupOf(0).length],
    ['lookup/example.com/b@v2.0.0+incompatible', 200, text, log.lookupOf(1).length],
    ['lookup/example.com/!a@v1.0.1', 404, text],
    ['lookup/example.com/A@v1.0.0', 400, text],
    ['lookup/example.com/!a', 400, text],
    ['tile/8/0/000', 200, bytes, 8192],
    ['tile/8/0/002.p/88', 200, bytes, 88 * 32],
    ['tile/8/0/002.p/89', 404, text],
    ['tile/8/1/000.p/2', 200, bytes, 64],
    ['tile/8/0/2', 400, text],
    ['tile/8/data/000', 200, text],
    ['example.com/a/@v/list', 404, text],
  ];
  for (const [name, code, type, length] of cases) {
    for (const base of ['', 'sumdb/log.example/']) {
      const response = await fetch(`${served.url}/${base}${name}`);
      const body = await response.arrayBuffer();
      t.same([response.status, response.headers.get('content-type')], [code, type], base + name);
      if (length !== undefined) t.equal(body.byteLength, length);
    }
  }
  t.equal((await fetch(`${served.url}/sumdb/other.example/latest`)).status, 404, 'another database');
  t.equal((await fetch(`${served.url}/latest`, { method: 'POST' })).status, 405);
  const answer = await fetch(`${served.url}/latest`, { method: 'HEAD' });
  t.same([answer.headers.get('content-length'), (await answer.arrayBuffer()).byteLength], [String(log.head().length), 0]);
  t.equal(served.requests[1], '/sumdb/log.example/latest', 'requests are seen as they came');
  t.equal(served.requests.length, 2 * cases.length + 3);
  t.ok(served.connections >= 1 && served.connections < served.requests.length);
  await served.close();
  await t.rejects(fetch(`${served.url}/latest`), 'closed');
});

t.test('certificates, whatever length their signature has', async (t) => {
  for (let i = 0; i < 30; i++) createSecureContext(newCertificate());
  t.pass();
});

t.test('served over TLS, by HTTP/2 and HTTP/1.1', async (t) => {
  const tls = newCertificate();
  for (const http2 of [true, false]) {
    const served = await serveLog(log, { tls, http2 });
    const url = served.url.replace('127.0.0.1', http2 ? 'localhost' : '127.0.0.1');
    t.equal(await byHttp1(`${url}/latest`, tls.cert), `1.1 ${decodeUtf8(log.head())}`);
    await t.rejects(byHttp1(`${url}/latest`, newCertificate().cert), 'another root');
    if (http2) {
      const before = served.connections;
      const session = connect(url, { ca: tls.cert });
      const [one, two] = await Promise.all([byHttp2(session, '/latest'), byHttp2(session, '/tile/8/0/002')]);
      t.same([one.status, one.body], [200, decodeUtf8(log.head())]);
      t.equal(two.status, 404);
      t.equal(served.connections, before + 1, 'one connection for both');
      served.answer = allOf(cutShort('/latest'), reset('/supported'));
      await t.rejects(byHttp2(session, '/latest'), 'a stream cut short');
      await t.rejects(byHttp2(session, '/supported'), 'a stream reset');
      t.equal((await byHttp2(session, '/tile/8/0/000')).status, 200, 'the others go on');
      session.close();
    }
    await served.close();
  }
  await t.rejects(serveLog(log, { http2: true }));
});

t.test('lies on the wire', async (t) => {
  const served = await serveLog(log);
  t.teardown(() => served.close());
  const ask = async (bend: Bend, name: string): Promise<{ status: number; body: Uint8Array; headers: Headers }> => {
    served.answer = bend;
    const response = await fetch(served.url + name, { redirect: 'manual' });
    return { status: response.status, headers: response.headers, body: new Uint8Array(await response.arrayBuffer()) };
  };
  const lookup = '/lookup/example.com/!a@v1.0.0';
  const tile = '/tile/8/0/000';
  const truth = log.tileBytes({ level: 0, n: 0, width: 256 });
  const fork = log.clone();
  fork.add('example.com/evil', 'v1.0.0');

  const { body } = await ask(flipBit(tile, 8 * 8191 + 3), tile);
  t.same(body, truth.with(8191, truth[8191]! ^ 8), 'one bit');
  t.same((await ask(flipBit(tile), '/latest')).body, log.head(), 'other paths are true');
  t.equal((await ask(foreignRecord(log, 'example.com/b', 'v2.0.0+incompatible'), lookup)).body[0], 0x31, 'record 1');
  t.same((await ask(foreignRecord(log, 'example.com/A', 'v1.0.0'), lookup)).body, log.lookupOf(0), 'its own');
  const altered = parseLookup((await ask(alteredRecord(undefined, () => encodeUtf8('x y z\n')), lookup)).body);
  t.same([altered.id, decodeUtf8(altered.text), altered.note], [0, 'x y z\n', log.head()]);
  t.same((await ask(olderHead(log, 5), '/latest')).body, log.head(5));
  t.same(parseLookup((await ask(olderHead(log, 5), lookup)).body), { id: 0, text: log.text(0), note: log.head(5) });
  t.same(parseLookup((await ask(forkedHead(fork), lookup)).body).note, fork.head());
  t.same((await ask(forkedHead(fork, 3), '/latest')).body, log.head(3));
  t.equal((await ask(forkedHead(fork), '/lookup/example.com/none@v1.0.0')).status, 404);
  const page = await ask(htmlPage(), tile);
  t.same([page.status, page.headers.get('content-type')], [200, 'text/html; charset=utf-8']);
  t.same((await ask(otherBody(tile, (bytes) => bytes.subarray(1)), tile)).body, truth.subarray(1));
  for (const code of [403, 410, 429, 500]) t.equal((await ask(status(code), tile)).status, code);
  t.equal((await ask(status(429, tile, { 'retry-after': '7' }), tile)).headers.get('retry-after'), '7');
  const moved = await ask(redirect((name) => `https://other.example${name}`, undefined, 307), tile);
  t.same([moved.status, moved.headers.get('location')], [307, `https://other.example${tile}`]);
  for (const bend of [cutShort(), cutShort(tile, 0), cutShort(tile, 8191), reset()]) await t.rejects(ask(bend, tile));
  const from = performance.now();
  t.same((await ask(slow(60, tile), tile)).body, truth);
  t.ok(performance.now() - from >= 50, 'late');
  t.equal((await ask(noPartialTiles(log), '/tile/8/0/001.p/7')).status, 404);
  t.equal((await ask(noPartialTiles(log), '/tile/8/0/002.p/7')).status, 200, 'of the right edge');
  t.equal((await ask(noPartialTiles(log), tile)).status, 200);
  const twice = firstTimes(2, status(500));
  t.same([(await ask(twice, tile)).status, (await ask(twice, '/latest')).status], [500, 500]);
  t.same([(await ask(twice, tile)).status, (await ask(twice, tile)).status], [500, 200]);
  t.same((await ask(allOf(flipBit(tile, 0), flipBit(tile, 0)), tile)).body, truth, 'a lie twice');
  t.equal((await ask(() => Promise.reject(new Error('mistake')), tile)).status, 500, 'a mistake of the test shows');
});

t.test('as a folder', (t) => {
  const folder = t.testdir();
  writeLog(log, folder, { lookups: ['example.com/A@v1.0.0'], data: true });
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
  t.same(files.sort(), [
    'latest',
    'lookup/example.com/!a@v1.0.0',
    'supported',
    'tile/8/0/000',
    'tile/8/0/001',
    'tile/8/0/002.p/88',
    'tile/8/1/000.p/2',
    'tile/8/data/000',
    'tile/8/data/001',
    'tile/8/data/002.p/88',
  ]);
  t.same(new Uint8Array(readFileSync(path.join(folder, 'latest'))), log.head());
  t.throws(() => writeLog(log, folder, { lookups: ['example.com/none@v1.0.0'] }), /not in the log/);
  t.same(tilesOf(0), []);
  t.same(tilesOf(65536).at(-1), { level: 2, n: 0, width: 1 });
  t.end();
});

t.test('the go command believes it, and shows its fork as we do', async (t) => {
  const folder = t.testdir();
  const go = await goCommand(folder);
  if (go === undefined) {
    t.comment('SKIPPED: there is no go command');
    return;
  }
  const goMod = (name: string): string => `module example.com/${name}\n`;
  for (const name of ['a', 'b', 'c']) writeModule(path.join(folder, 'proxy'), `example.com/${name}`, goMod(name));
  const add = (to: TestLog, name: string): void => {
    to.add(`example.com/${name}`, 'v1.0.0', { goMod: h1OfGoMod(encodeUtf8(goMod(name))) });
  };
  const honest = new TestLog().fill(300);
  const fork = honest.clone();
  add(honest, 'a');
  honest.fill(600);
  fork.fill(400);
  add(fork, 'b');

  let showing = honest;
  const served = await serveLog({
    name: honest.name,
    latest: () => showing.latest(),
    lookup: (module, version) => showing.lookup(module, version),
    tile: (tile) => showing.tile(tile),
  });
  t.teardown(() => served.close());
  const sumdb = `${honest.vkey} ${served.url}`;

  const good = await go('a', sumdb);
  t.equal(good.error, undefined);
  t.match(good.goSum, `example.com/a v1.0.0/go.mod ${h1OfGoMod(encodeUtf8(goMod('a')))}\n`);
  t.match(served.requests, ['/lookup/example.com/a@v1.0.0'], 'it did ask');
  t.ok(served.requests.includes('/tile/8/0/001'));

  showing = fork;
  const bad = await go('b', sumdb);
  const tiles = planTiles(honest.treeHead(), { links: [fork.size] });
  const tree = tiles.authenticate(tiles.tiles.map((tile) => honest.tileBytes(tile)));
  const own = forkError(tree, honest.signedHead(), fork.signedHead());
  t.ok(own instanceof ForkError);
  t.ok(bad.error?.includes(formatFork(own.evidence)), 'the same evidence, to the letter');

  showing = honest;
  served.answer = status(404);
  t.match((await go('c', sumdb)).error, /404/, 'what is not in the log is refused');
});

type Go = (name: string, sumdb: string) => Promise<{ error: string | undefined; goSum: string }>;

/** A run of the go command that must look up example.com/NAME's go.mod; `undefined` where there is no go command. */
async function goCommand(folder: string): Promise<Go | undefined> {
  const run = promisify(execFile);
  const home = path.join(folder, 'home');
  const env = goHome(home, {
    GOPROXY: `file://${process.platform === 'win32' ? '/' : ''}${path.join(folder, 'proxy').replaceAll('\\', '/')}`,
  });
  try {
    await run('go', ['version'], { env });
  } catch {
    return undefined;
  }
  return async (name, sumdb) => {
    const cwd = path.join(folder, `main-${name}`);
    mkdirSync(cwd);
    writeFileSync(path.join(cwd, 'go.mod'), `module example.com/main\n\ngo 1.20\n\nrequire example.com/${name} v1.0.0\n`);
    let error: string | undefined;
    try {
      await run('go', ['list', '-m', 'all'], { cwd, env: { ...env, GOSUMDB: sumdb } });
    } catch (failure) {
      error = (failure as { stderr: string }).stderr;
    }
    const goSum = error === undefined ? readFileSync(path.join(cwd, 'go.sum'), 'utf8') : '';
    return { error, goSum };
  };
}

/** Puts a module of a go.mod alone into a GOPROXY folder. */
function writeModule(proxy: string, module: string, goMod: string): void {
  const folder = path.join(proxy, ...module.split('/'), '@v');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'v1.0.0.info'), '{"Version":"v1.0.0"}');
  writeFileSync(path.join(folder, 'v1.0.0.mod'), goMod);
}

/** The version of HTTP, and the body. */
function byHttp1(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ca, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => (body += part));
      response.on('end', () => resolve(`${response.httpVersion} ${body}`)).on('error', reject);
    });
    sent.on('error', reject).end();
  });
}

function byHttp2(session: ReturnType<typeof connect>, name: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': name });
    let code = 0;
    let body = '';
    stream.setEncoding('utf8');
    stream.on('response', (headers) => (code = headers[':status'] ?? 0));
    stream.on('data', (part: string) => (body += part));
    stream.on('error', reject);
    stream.on('aborted', () => reject(new Error('aborted')));
    stream.on('end', () => (code === 0 ? reject(new Error('no answer')) : resolve({ status: code, body })));
  });
}
