/** What a mirror says over real connections: what curl shows of good requests, and that bad ones go no further. */

import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { foundAnswer } from '../../src/server/answers.js';
import { newLog } from '../client/rig.js';
import { newMirrorRig, type MirrorRig } from '../mirror/rig.js';

const TILE = '/tile/8/0/001';
const PARTIAL = '/tile/8/0/011.p/100';
const LOOKUP = '/lookup/example.com/!mod3@v1.3.0';
const TEXT = 'text/plain; charset=utf-8';

/** Good requests: what their headers are. */
const GOOD: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [TILE]: { 'content-type': 'application/octet-stream', 'cache-control': 'public, max-age=31536000, immutable', 'content-length': '8192' },
  [PARTIAL]: { 'content-type': 'application/octet-stream', 'cache-control': 'public, max-age=3600', 'content-length': '3200' },
  [LOOKUP]: { 'content-type': TEXT, 'cache-control': 'public, max-age=300' },
  '/latest': { 'content-type': TEXT, 'cache-control': 'no-cache' },
};

/** Paths that are of no form at all, or lead nowhere. Sent as they stand, which fetch and most of curl would not do. */
const BAD: Readonly<Record<string, readonly string[]>> = {
  'leads up': ['/../latest', '/lookup/../latest', '/tile/8/0/../0/001', '/sumdb/../../etc/passwd', '/./latest', '/lookup/..@v1.0.0', '/lookup/a/..@v1.0.0'],
  'percent': ['/%2e%2e/latest', '/lookup/%2e%2e@v1.0.0', '/lookup/example.com%2fa@v1.0.0', '/%6catest', '/tile/8/0/%30%30%31', '/lookup/example.com/a%00@v1.0.0', '/lookup/a%', '/lookup/%c0%ae@v1.0.0'],
  'slashes': ['//latest', '/lookup//example.com/a@v1.0.0', '/lookup/example.com//a@v1.0.0', '/tile//8/0/001', '//127.0.0.1/latest', '/latest/', '/tile/8/0/001/', '/lookup/example.com\\a@v1.0.0'],
  'not canonical': ['/tile/8/0/1', '/tile/8/00/001', '/tile/08/0/001', '/tile/8/0/x000/001', '/tile/8/0/001.p/256', '/tile/8/0/001.p/0', '/tile/8/0/001.p/05', '/tile/8/-1/001', '/tile/8/0/+01'],
  'not escaped': ['/lookup/example.com/Mod3@v1.3.0', '/lookup/example.com/!!mod3@v1.3.0', '/lookup/example.com/!3@v1.3.0', '/lookup/example.com/a@v1', '/lookup/example.com/a@', '/lookup/@v1.0.0', '/lookup/example.com/a@v1.0.0@v1.0.0', '/lookup/example.com/a@v1.0.0/go.mod', '/lookup/example.com/a@v1.0.0#x'],
  'over-long': [`/lookup/example.com/${'a'.repeat(4000)}@v1.0.0`, `/tile/8/0/${'x001/'.repeat(1000)}001`, `/tile/8/0/${'9'.repeat(400)}`, `/${'a/'.repeat(3000)}`],
  'of elsewhere': ['/sumdb/other.example/latest', '/sumdb/log.example/sumdb/log.example/latest', '/example.com/a/@v/list', '/example.com/a/@latest', '/supported'],
};

/** Whole requests as bytes that no HTTP client sends. */
const RAW: Readonly<Record<string, string>> = {
  'absolute, of another host': 'GET http://127.0.0.1:9/latest HTTP/1.1\r\nHost: x\r\n\r\n',
  'no slash': 'GET latest HTTP/1.1\r\nHost: x\r\n\r\n',
  'high bytes': 'GET /lookup/\xff\xfe@v1.0.0 HTTP/1.1\r\nHost: x\r\n\r\n',
  'a NUL': 'GET /lookup/example.com/a\0@v1.0.0 HTTP/1.1\r\nHost: x\r\n\r\n',
  'a space': 'GET /lookup/example.com/a b@v1.0.0 HTTP/1.1\r\nHost: x\r\n\r\n',
  'a star': 'GET * HTTP/1.1\r\nHost: x\r\n\r\n',
  'no HTTP': 'hello\r\n\r\n',
  'two lengths': `GET ${LOOKUP} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`,
  'a length and chunks': `GET ${LOOKUP} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n`,
};

async function curl(...args: string[]): Promise<string> {
  return (await promisify(execFile)('curl', ['-sS', '--max-time', '10', ...args])).stdout;
}

const NO_CURL = await curl('--version').then(
  () => false,
  () => 'there is no curl',
);

t.test('good requests, by HEAD and GET, and again by their tags', async (t) => {
  const rig = await openRig(t);
  for (const base of ['', `/sumdb/${rig.log.name}`]) {
    for (const [path, headers] of Object.entries(GOOD)) {
      const url = rig.url + base + path;
      const got = await fetch(url);
      const body = Buffer.from(await got.arrayBuffer());
      t.equal(got.status, 200, base + path);
      t.match(Object.fromEntries(got.headers), { ...headers, 'access-control-allow-origin': '*', 'x-content-type-options': 'nosniff' });
      t.equal(got.headers.get('content-length'), String(body.length));
      const head = await fetch(url, { method: 'HEAD' });
      t.strictSame(lasting(head), lasting(got), 'HEAD has the same headers');
      t.equal(await head.text(), '');
      const etag = got.headers.get('etag')!;
      t.match(etag, /^"[\w-]+"$/);
      for (const condition of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const again = await fetch(url, { headers: { 'if-none-match': condition } });
        t.strictSame([again.status, await again.text(), again.headers.get('etag')], [304, '', etag], condition);
        t.equal(again.headers.get('cache-control'), got.headers.get('cache-control'));
      }
      t.equal((await fetch(url, { headers: { 'if-none-match': '"other"' } })).status, 200);
    }
  }
});

t.test('a tag says which bytes', async (t) => {
  const rig = await openRig(t);
  const tagOf = async (path: string): Promise<string | null> => (await fetch(rig.url + path)).headers.get('etag');
  const tags = [await tagOf(TILE), await tagOf(LOOKUP), await tagOf('/latest')];
  t.equal(new Set(tags).size, tags.length);
  rig.log.fill(4000);
  await rig.mirror.refresh();
  t.not(await tagOf(LOOKUP), tags[1], 'an answer with another head is another');
  t.equal(await tagOf(TILE), tags[0], 'a tile stays what it is');

  const tile = { kind: 'tile', tile: { level: 0, n: 5, width: 256 } } as const;
  const [own, other] = ['a.example', 'b.example'].map((name) => foundAnswer(name, tile, new Uint8Array()).headers.etag);
  t.not(own, other, "another log's tile is another");
});

t.test('a browser may read, and nobody may write', async (t) => {
  const rig = await openRig(t);
  const preflight = await fetch(rig.url + TILE, { method: 'OPTIONS', headers: { origin: 'https://site.example', 'access-control-request-method': 'GET' } });
  t.equal(preflight.status, 204);
  t.equal(preflight.headers.get('access-control-allow-origin'), '*');
  t.match(preflight.headers.get('access-control-allow-methods'), /GET/);
  for (const method of ['PUT', 'POST', 'DELETE', 'PATCH']) t.equal((await fetch(rig.url + LOOKUP, { method })).status, 405, method);
  t.strictSame(rig.asked(), []);
});

t.test('bad paths, by a bare socket: none goes upstream', async (t) => {
  const rig = await openRig(t);
  for (const [kind, paths] of Object.entries(BAD)) {
    for (const path of paths) {
      t.match(await raw(rig, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`), /^HTTP\/1\.1 40[04] /, `${kind}: ${path.slice(0, 60)}`);
    }
  }
  for (const [kind, request] of Object.entries(RAW)) t.match(await raw(rig, request), /^HTTP\/1\.1 40[04] /, kind);
  t.match(await raw(rig, `GET ${LOOKUP} HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
  t.match(await raw(rig, `GET /${'a'.repeat(40_000)} HTTP/1.1\r\nHost: x\r\n\r\n`), /^HTTP\/1\.1 4(?:14|31) /);
  t.strictSame(rig.asked(), [], 'upstream was asked for nothing');
  t.match(await raw(rig, `GET ${LOOKUP} HTTP/1.1\r\nHost: x\r\n\r\n`), /^HTTP\/1\.1 200 /, 'a good one still goes through');
  t.ok(rig.asked().length > 0, 'and is seen upstream');
});

t.test('what curl shows', { skip: NO_CURL }, async (t) => {
  const rig = await openRig(t);
  const shown = await curl('-I', rig.url + TILE);
  t.match(shown, /^HTTP\/1\.1 200 OK\r\n/);
  for (const line of ['content-type: application/octet-stream', 'cache-control: public, max-age=31536000, immutable', 'access-control-allow-origin: *', 'content-length: 8192']) {
    t.match(shown.toLowerCase(), `\r\n${line}\r\n`);
  }
  const etag = /\r\netag: (.*)\r\n/i.exec(shown)?.[1] ?? '';
  t.match(await curl('-i', '-H', `If-None-Match: ${etag}`, rig.url + TILE), /^HTTP\/1\.1 304 Not Modified\r\n/);
  t.equal(await curl(rig.url + LOOKUP), await (await fetch(rig.url + LOOKUP)).text());
  rig.asked();
  const statusOf = (path: string): Promise<string> => curl('--path-as-is', '-o', '/dev/null', '-w', '%{http_code}', rig.url + path);
  for (const path of Object.values(BAD).flat()) {
    if (path.includes('#')) continue; // curl cuts it off
    t.match(await statusOf(path), /^40[04]$/, path.slice(0, 60));
  }
  t.strictSame(rig.asked(), []);
});

async function openRig(t: Test): Promise<MirrorRig> {
  const rig = await newMirrorRig(newLog(3000));
  t.teardown(() => rig.close());
  await rig.mirror.refresh();
  rig.asked();
  return rig;
}

/** The headers of an answer that are of the answer itself, and neither of the moment nor of the connection. */
function lasting({ headers }: Response): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !['date', 'connection', 'keep-alive', 'x-request-id'].includes(name)));
}

/** Sends bytes, a character each, and gives what comes back until the answer's first line and headers are there. */
function raw(rig: MirrorRig, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(rig.url).port), '127.0.0.1', () => socket.write(request, 'latin1'));
    let answer = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      answer += part;
      if (answer.includes('\r\n\r\n')) socket.destroy();
    });
    socket.setTimeout(60_000, () => socket.destroy(new Error(`no answer to ${request.slice(0, 60)}`)));
    socket.on('error', (error) => (answer === '' ? reject(error) : resolve(answer)));
    socket.on('close', () => resolve(answer));
  });
}
