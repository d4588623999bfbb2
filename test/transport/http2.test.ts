import { execFile } from 'node:child_process';
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { connectionsFor } from '../../src/transport/streams.js';
import type { HttpSource } from '../../src/transport/http.js';
import { turns, until, withMoreTime } from '../wait.js';
import { openSource, outcome, serveHttp2, serveTls, testEnv, together, type TestServer } from './servers.js';

const limit = 1000;
const paths = (count: number): string[] => Array.from({ length: count }, (_, i) => `/lookup/${i}`);

/** Reads `count` paths at once, and checks the answers. */
async function readMany(t: Test, source: HttpSource, count: number): Promise<void> {
  t.same(await Promise.all(paths(count).map((path) => outcome(source.read(path, { limit })))), paths(count));
}

/** The stream of an answer over HTTP/2, and its session. */
function streamOf(response: ServerResponse): { stream: ServerHttp2Stream; id: number; session: ServerHttp2Session } {
  const { stream } = response as unknown as { stream: ServerHttp2Stream };
  return { stream, id: stream.id ?? 0, session: stream.session as ServerHttp2Session };
}

async function allClosed(t: Test, server: TestServer): Promise<void> {
  t.ok(await until(() => server.open() === 0), 'no connection is left open');
}

t.test('how many connections', (t) => {
  for (const [expected, streams, want] of [
    [0, undefined, 1],
    [1, undefined, 1],
    [66, undefined, 1],
    [67, undefined, 2],
    [315, undefined, 5],
    [10_000, undefined, 5],
    [315, 250, 2],
    [5, 10, 1],
    [7, 10, 2],
  ] as const) {
    t.equal(connectionsFor(expected, streams), want, `${expected} requests of ${streams ?? 'the usual'} at a time`);
  }
  t.end();
});

t.test('requests are spread over connections, which are opened at once', async (t) => {
  const bySession = new Map<ServerHttp2Session, number>();
  const answer = together();
  const server = await serveHttp2(t, (request, response) => {
    const { session } = streamOf(response);
    bySession.set(session, (bySession.get(session) ?? 0) + 1);
    answer(request, response);
  }, 100);
  const source = openSource(t, server.url, { env: testEnv() });
  source.expect(300);
  await readMany(t, source, 300);
  t.equal(source.stats().connections, 5);
  t.ok(bySession.size >= 3);
  t.ok([...bySession.values()].every((count) => count <= 100), 'none has to wait for an answer');
  t.ok(server.busiest > 200, `${server.busiest} at a time`);
  bySession.clear();
  await readMany(t, source, 300);
  t.equal(bySession.size, 5);
  t.ok([...bySession.values()].every((count) => count >= 50 && count <= 70), 'evenly');
  t.equal(source.stats().connections, 5);
  await source.close();
  await allClosed(t, server);
});

t.test('a server that takes ten requests on a connection', async (t) => {
  let most = 0;
  const busy = new Map<ServerHttp2Session, number>();
  const server = await serveHttp2(t, (request, response) => {
    const { session, stream } = streamOf(response);
    const now = (busy.get(session) ?? 0) + 1;
    busy.set(session, now);
    most = Math.max(most, now);
    stream.once('close', () => busy.set(session, (busy.get(session) ?? 0) - 1));
    setTimeout(() => response.end(request.url), 5);
  }, 10);
  const source = openSource(t, server.url, { env: testEnv() });
  await readMany(t, source, 300);
  t.equal(source.stats().retries, 0, 'what was refused is sent again without a pause');
  t.equal(source.stats().connections, 5);
  t.ok(server.mostOpen <= 5 + 1);
  t.ok(most <= 10);
});

t.test('refused streams', async (t) => {
  const sent = new Map<string, number>();
  const server = await serveHttp2(t, (request, response) => {
    const path = request.url ?? '';
    const count = (sent.get(path) ?? 0) + 1;
    sent.set(path, count);
    if (path === '/latest' || count <= 4) streamOf(response).stream.close(constants.NGHTTP2_REFUSED_STREAM);
    else response.end(path);
  });
  const source = openSource(t, server.url, { env: testEnv() });
  await readMany(t, source, 20);
  t.equal(source.stats().retries, 0);
  t.equal(await outcome(openSource(t, server.url, { env: testEnv(), deadline: 0 }).read('/latest', { limit })), 'UNREACHABLE');
  t.equal(sent.get('/latest'), 5, 'not for ever');
});

for (const { name, code, retries } of [
  { name: 'without an error', code: constants.NGHTTP2_NO_ERROR, retries: 0 },
  { name: 'with an error', code: constants.NGHTTP2_ENHANCE_YOUR_CALM, retries: 11 },
]) {
  t.test(`a server that says goodbye ${name}`, async (t) => {
    const sent = new Map<string, number>();
    let sessions = 0;
    const taken: (() => unknown)[] = [];
    const first = new WeakSet<ServerHttp2Session>();
    const server = await serveHttp2(t, (request, response) => {
      const { id, session } = streamOf(response);
      const path = request.url ?? '';
      if (path === '/latest') {
        response.end(path);
        return;
      }
      sent.set(path, (sent.get(path) ?? 0) + 1);
      if (!first.has(session)) return void response.end(path);
      // the first stream is that of /latest, so the eleven up to 23 are taken
      if (id <= 23) taken.push(() => response.destroyed || response.end(path));
      if (id !== 23) return;
      session.goaway(code, 23);
      void turns(25).then(() => {
        for (const answer of taken) answer();
      });
    });
    server.http.on('session', (session) => sessions++ === 0 && first.add(session));
    const source = openSource(t, server.url, { env: testEnv() });
    t.equal(await outcome(source.read('/latest', { limit })), '/latest');
    await readMany(t, source, 40);
    t.equal(source.stats().retries, retries, 'only what was taken and not answered is a retry');
    t.equal([...sent.values()].filter((count) => count === 2).length, 29 + retries);
    t.equal(sessions, 2);
    await source.close();
    await allClosed(t, server);
  });
}

t.test('a connection that has gone silent', async (t) => {
  // the other one has no more time to answer
  const goesOn = async (timeout: number): Promise<boolean> => {
    let silent: ServerHttp2Session | undefined;
    const server = await serveHttp2(t, (request, response) => {
      const { session } = streamOf(response);
      silent ??= session;
      if (session !== silent) response.end(request.url);
    });
    const source = openSource(t, server.url, { env: testEnv(), timeout });
    const outcomes = await Promise.all(paths(3).map((path) => outcome(source.read(path, { limit }))));
    return outcomes.join() === paths(3).join() && source.stats().connections === 2 && server.open() === 1;
  };
  t.ok(await withMoreTime([300, 2000, 8000], goesOn), 'it is closed, and the other one is kept');
});

t.test('a server that is gone', async (t) => {
  const server = await serveHttp2(t, (request, response) => void response.end(request.url));
  const source = openSource(t, server.url, { env: testEnv(), timeout: 20_000, deadline: Date.now() + 300 });
  await readMany(t, source, 1);
  await server.close();
  t.ok(await until(() => server.open() === 0));
  await turns(10);
  const start = performance.now();
  t.equal(await outcome(source.read('/latest', { limit })), 'UNREACHABLE');
  t.ok(performance.now() - start < 15_000, 'what waits for a connection fails with it');
});

t.test('what is given up while it waits', async (t) => {
  let silent = true;
  const server = await serveHttp2(t, (request, response) => {
    if (!silent) response.end(request.url);
  }, 10);
  const source = openSource(t, server.url, { env: testEnv() });
  const abort = new AbortController();
  const reads = paths(100).map((path) => outcome(source.read(path, { limit, signal: abort.signal })));
  t.ok(await until(() => server.busiest >= 50));
  await turns(10);
  const { connections } = source.stats();
  const asked = new Set(server.requests.map(({ path }) => path)).size;
  abort.abort();
  t.same(new Set(await Promise.all(reads)), new Set(['INTERRUPTED']));
  await turns(25);
  t.equal(source.stats().connections, connections, 'no connection is opened for it');
  silent = false;
  t.equal(await outcome(source.read('/latest', { limit })), '/latest');
  t.equal(new Set(server.requests.map(({ path }) => path)).size, asked + 1, 'and it is never sent');
});

t.test('connections that nobody needs', async (t) => {
  for (const serve of [serveHttp2, serveTls]) {
    const server = await serve(t, (request, response) => void response.end(request.url));
    const open = (): HttpSource => {
      const source = openSource(t, server.url, { env: testEnv() });
      source.expect(300);
      return source;
    };
    const used = open();
    await readMany(t, used, 1);
    t.ok(await until(() => server.open() >= 5));
    await used.close();
    await allClosed(t, server);

    const { connections } = server;
    const early = open();
    const read = outcome(early.read('/latest', { limit }));
    while (server.connections === connections) await new Promise(setImmediate);
    await early.close();
    t.equal(await read, 'UNREACHABLE', 'closed on the way');
    await allClosed(t, server);
  }
});

t.test('connections that stand idle do not keep a process', async (t) => {
  for (const serve of [serveHttp2, serveTls]) {
    const server = await serve(t, (request, response) => void response.end(request.url));
    const script = `
      import { openHttpSource } from ${JSON.stringify(new URL('../../src/transport/http.js', import.meta.url).href)};
      import { parseGoUrl } from ${JSON.stringify(new URL('../../src/config/gourl.js', import.meta.url).href)};
      const source = openHttpSource(parseGoUrl(${JSON.stringify(server.url)}));
      source.expect(300);
      console.log(new TextDecoder().decode(await source.read('/latest', { limit: 10 })));`;
    const env = { ...process.env, SSL_CERT_FILE: testEnv().get('SSL_CERT_FILE') };
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { env, timeout: 60_000 });
    t.equal(stdout.trim(), '/latest');
  }
});
