/** The server's own behaviour: names of requests, limits on connections, TLS, draining. */

import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import t, { type Test } from 'tap';
import type { Database } from '../../src/contract.js';
import { textAnswer, type Answer } from '../../src/server/answers.js';
import { LimitError } from '../../src/server/limits.js';
import { listen, type Access, type RunningServer, type ServerOptions } from '../../src/server/server.js';
import { newCertificate, TestLog } from '../../src/testing/index.js';
import { until } from '../wait.js';

const log = new TestLog().fill(600);
log.add('example.com/a', 'v1.0.0');

async function open(t: Test, more: Partial<ServerOptions> = {}): Promise<RunningServer & { accesses: Access[]; measured: unknown[][] }> {
  const accesses: Access[] = [];
  const measured: unknown[][] = [];
  const server = await listen('127.0.0.1', 0, {
    databases: [log],
    page: (page) => textAnswer(200, page),
    access: (access) => accesses.push(access),
    measured: (route, status) => measured.push([route, status]),
    ...more,
  });
  t.teardown(() => server.close(0));
  return { ...server, accesses, measured };
}

/** What comes back on a connection until it ends. */
async function raw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setEncoding('latin1').on('data', (part: string) => (answer += part));
    socket.on('error', reject).on('close', () => resolve(answer));
  });
}

t.test('requests are named, and told of', async (t) => {
  const server = await open(t);
  const trace = '0af7651916cd43dd8448eb211c80319c';
  const nameOf = async (headers: Record<string, string>): Promise<string | null> => (await fetch(`${server.url}/latest`, { headers })).headers.get('x-request-id');
  t.equal(await nameOf({ 'x-request-id': 'abc-1.2' }), 'abc-1.2');
  t.equal(await nameOf({ traceparent: `00-${trace}-b7ad6b7169203331-01` }), trace);
  t.equal(await nameOf({ 'x-request-id': 'abc', traceparent: `00-${trace}-b7ad6b7169203331-01` }), 'abc');
  t.match(server.accesses.at(-1), { id: 'abc', trace });
  const made = [await nameOf({}), await nameOf({ 'x-request-id': 'a b' }), await nameOf({ 'x-request-id': 'x'.repeat(129) }), await nameOf({ traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` }), await nameOf({ traceparent: 'x' })];
  t.equal(new Set(made).size, made.length, 'what is not well formed is not taken over');
  for (const name of made) t.match(name, /^[0-9a-f]{12}-[0-9a-z]+$/);

  await fetch(`${server.url}/tile/8/0/000`, { method: 'HEAD' });
  t.match(server.accesses.at(-1), { method: 'HEAD', route: 'tile', status: 200, bytes: 0, client: '127.0.0.1', database: log.name });
  await (await fetch(`${server.url}/tile/8/0/000`)).arrayBuffer();
  t.match(server.accesses.at(-1), { route: 'tile', bytes: 8192, asked: { kind: 'tile', tile: { n: 0 } } });
  await fetch(`${server.url}/x`);
  t.match(server.accesses.at(-1), { route: 'refused', status: 404 });
  t.strictSame(server.measured.slice(-2), [['tile', 200], ['refused', 404]]);

  const quiet = await open(t, { access: undefined });
  t.notOk((await fetch(`${quiet.url}/latest`)).headers.has('x-request-id'), 'nothing is named where nobody wants it');
  t.equal((await fetch(`${quiet.url}/latest`, { headers: { 'x-request-id': 'abc' } })).headers.get('x-request-id'), 'abc');
});

t.test('who asks for too much is told when to come again', async (t) => {
  const asked: string[] = [];
  const gated: Database = {
    name: log.name,
    latest: () => log.latest(),
    tile: (tile) => log.tile(tile),
    async lookup(module, version, caller) {
      await caller?.admit();
      return log.lookup(module, version);
    },
  };
  const server = await open(t, {
    databases: [gated],
    admit: (address) => {
      asked.push(address);
      return asked.length > 1 ? Promise.reject(new LimitError(7)) : Promise.resolve();
    },
  });
  const ask = (): Promise<Response> => fetch(`${server.url}/lookup/example.com/a@v1.0.0`);
  t.equal((await ask()).status, 200);
  const refused = await ask();
  t.strictSame([refused.status, refused.headers.get('retry-after'), refused.headers.get('cache-control')], [429, '7', 'no-store']);
  t.strictSame(asked, ['127.0.0.1', '127.0.0.1']);
});

t.test('connections: not too many, not too long headers, none that stand still', async (t) => {
  const few = await open(t, { maxConnections: 1 });
  const { hostname, port } = new URL(few.url);
  const first = await new Promise<Socket>((resolve) => {
    const socket = connect(Number(port), hostname, () => resolve(socket));
  });
  t.equal(await raw(few.url, 'GET /latest HTTP/1.1\r\nHost: x\r\n\r\n').catch(() => ''), '', 'dropped');
  first.write('GET /latest HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  t.match(await new Promise((resolve) => first.setEncoding('latin1').once('data', resolve)), /^HTTP\/1.1 200/);
  first.destroy();

  const server = await open(t);
  t.match(await raw(server.url, `GET /latest HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1.1 431/);

  const still = await open(t, { stalled: 200 });
  const since = Date.now();
  await raw(still.url, 'GET /latest HTTP/1.1\r\nHost: x\r\nX-');
  t.ok(Date.now() - since < 9000, 'dropped, sooner than for headers that do not end');
});

t.test('https, with a certificate that is renewed', async (t) => {
  const [one, two] = [newCertificate(), newCertificate()];
  const server = await open(t, { tls: one });
  t.match(server.url, /^https:/);
  const { port } = new URL(server.url);
  const statusWith = (ca: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = tlsConnect({ host: '127.0.0.1', port: Number(port), ca }, () => socket.write('GET /latest HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
      socket.setEncoding('latin1').once('data', (text: string) => resolve(text.slice(0, 12)));
      socket.once('error', () => resolve('refused'));
    });
  t.equal(await statusWith(one.cert), 'HTTP/1.1 200');
  t.equal(await statusWith(two.cert), 'refused');
  server.renew(two);
  t.equal(await statusWith(two.cert), 'HTTP/1.1 200');
  t.equal(await statusWith(one.cert), 'refused');
  t.throws(() => server.renew({ cert: 'x', key: 'y' }));
  t.equal(await statusWith(two.cert), 'HTTP/1.1 200', 'what is no certificate is not taken');
});

t.test('what is under way when it ends is answered, and the connection is given up', async (t) => {
  let go: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (go = resolve));
  let asked = false;
  const page = (): Promise<Answer> => {
    asked = true;
    return gate.then(() => textAnswer(200, 'late'));
  };
  const server = await open(t, { page });
  const answer = new Promise<{ status: number | undefined; connection: string | undefined }>((resolve) => {
    httpRequest(`${server.url}/healthz`, { headers: { connection: 'keep-alive' } }, (response) => {
      response.resume();
      resolve({ status: response.statusCode, connection: response.headers.connection });
    }).end();
  });
  t.ok(await until(() => asked));
  const since = Date.now();
  const closed = server.close();
  t.equal(await raw(server.url, 'GET / HTTP/1.1\r\n\r\n').catch(() => 'refused'), 'refused');
  go();
  t.strictSame(await answer, { status: 200, connection: 'close' });
  await closed;
  t.ok(Date.now() - since < 30_000, 'not only after the connection was idle for long');
});

t.test('answers in one piece: each is whole, though the client reads none of them for long', async (t) => {
  const tiles = Array.from({ length: 500 }, (_, i) => new Uint8Array(8192).fill(i));
  const database: Database = {
    name: 'log.example',
    latest: () => log.latest(),
    lookup: (module, version) => log.lookup(module, version),
    tile: (tile) => log.tile(tile),
    now: (question) => (question.kind === 'tile' ? tiles[question.tile.n] : undefined),
  };
  const { url } = await open(t, { databases: [database], access: undefined });
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => socket.destroy());
  const get = (n: number): string => `GET /tile/8/0/${String(n).padStart(3, '0')} HTTP/1.1\r\nHost: x\r\n\r\n`;
  // one connection that asks for more than the system takes in, and does not read; another whose answers come between
  const times = 10;
  socket.write(tiles.map((_, n) => get(n)).join('').repeat(times));
  for (let n = 0; n < 50; n++) t.strictSame(new Uint8Array(await (await fetch(`${url}/tile/8/0/${String(n).padStart(3, '0')}`)).arrayBuffer()), tiles[n]);
  const parts: Buffer[] = [];
  let bytes = 0;
  socket.on('data', (part) => {
    parts.push(part);
    bytes += part.length;
  });
  t.ok(await until(() => bytes > times * tiles.length * 8192 && parts.at(-1)?.at(-1) === 499 % 256));
  let rest = Buffer.concat(parts);
  for (let n = 0; n < times * tiles.length; n++) {
    const tile = tiles[n % tiles.length] ?? new Uint8Array();
    const from = rest.indexOf('\r\n\r\n') + 4;
    if (!rest.subarray(0, from).includes('content-length: 8192\r\n')) t.fail(`headers of ${n}`);
    if (!rest.subarray(from, from + 8192).equals(Buffer.from(tile))) t.fail(`tile ${n}`);
    rest = rest.subarray(from + 8192);
  }
  t.equal(rest.length, 0);
});

t.test('what waits to be sent when it ends is sent before, and its connection closed', async (t) => {
  let end: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => (end = resolve));
  const database: Database = {
    name: 'log.example',
    latest: () => log.latest(),
    lookup: (module, version) => log.lookup(module, version),
    tile: (tile) => log.tile(tile),
    now: () => {
      queueMicrotask(() => void server.close(60_000).then(end)); // the answer waits by then
      return new Uint8Array(96);
    },
  };
  const server = await open(t, { databases: [database] });
  const since = Date.now();
  t.match(await raw(server.url, 'GET /tile/8/0/000.p/3 HTTP/1.1\r\nHost: a\r\n\r\n'), /^HTTP\/1\.1 200 OK\r\n[^]*\0{96}$/);
  await closed;
  t.ok(Date.now() - since < 30_000, 'not only after the connection was idle for long');
});

t.test('answers in one piece have the headers that node:http gives to longer ones', async (t) => {
  const shown = async (length: number, request: string): Promise<string> => {
    const database: Database = {
      name: 'log.example',
      latest: () => log.latest(),
      lookup: (module, version) => log.lookup(module, version),
      tile: () => Promise.resolve(new Uint8Array(length).fill(0x78)),
    };
    const all = await raw((await open(t, { databases: [database] })).url, request);
    return all.replaceAll(/(?<=\r\n(?:Date|x-request-id): )[^\r]*/g, '…').replaceAll(`: ${length}\r\n`, ': n\r\n').replaceAll('x'.repeat(length), '(body)');
  };
  const get = 'GET /tile/8/0/000.p/3 HTTP/1.1\r\nHost: a\r\n';
  const last = `${get}Connection: close\r\n\r\n`;
  for (const first of [`${get}\r\n`, `${get}\r\n`.repeat(3), `${get}x-request-id: abc\r\n\r\n`, 'GET /tile/8/0/000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', `HEAD${get.slice(3)}\r\n`, `${get}Content-Length: 3\r\n\r\nabc`, `${get}Expect: 100-continue\r\n\r\n`, '']) {
    const [short, long] = [await shown(96, first + last), await shown(20_000, first + last)];
    t.match(short, /^HTTP\/1\.1 [^]*\(body\)$/, JSON.stringify(first));
    t.equal(short, long, JSON.stringify(first));
  }
});
