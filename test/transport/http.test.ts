import { getEventListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { parseNetrc } from '../../src/config/netrc.js';
import { GosumError, isGosumError } from '../../src/errors.js';
import { onAbort } from '../../src/transport/abort.js';
import type { HttpOptions } from '../../src/transport/http.js';
import { Limiter } from '../../src/transport/limiter.js';
import { backoff, parseRetryAfter, retryDelay, TRIES } from '../../src/transport/retry.js';
import { printable, SourceError, unreachable } from '../../src/transport/sourceerror.js';
import { turns, until, withMoreTime } from '../wait.js';
import {
  closedPort, openSource, outcome, serveHttp2, servePlain, serveTls, testEnv, type Handler,
} from './servers.js';

const limit = 1000;

/** HTTP/1.1, the same with TLS, and HTTP/2. */
const KINDS = [servePlain, serveTls, serveHttp2];

/** Runs the same over each kind of server, side by side. */
async function overEach(t: Test, run: (t: Test, serve: (typeof KINDS)[number]) => Promise<void>): Promise<void> {
  await Promise.all(KINDS.map((serve) => run(t, serve)));
}

t.test('answers', (t) =>
  overEach(t, async (t, serve) => {
    const handler: Handler = (request, response) => {
      const [, , what = ''] = request.url?.split('/') ?? [];
      const text = (status: number, type: string, body: string | Buffer, headers = {}): unknown =>
        response.writeHead(status, { 'content-type': type, ...headers }).end(body);
      if (what.startsWith('status')) return text(Number(what.slice(6)), 'text/plain; charset=UTF-8', 'because\nof\n\nnothing');
      switch (what) {
        case 'ok': return text(200, 'text/plain; charset=UTF-8', 'the answer');
        case 'notype': return response.end(Buffer.from([0, 255, 10]));
        case 'html': return text(200, 'text/HTML; charset=utf-8', '<html>log in</html>');
        case 'emptyhtml': return text(200, 'text/html', '');
        case 'gzip': return text(200, 'text/plain', gzipSync('the answer'), { 'content-encoding': 'gzip' });
        case 'full': return text(200, 'text/plain', 'x'.repeat(limit));
        case 'declared': return response.writeHead(200, { 'content-length': limit + 1 }).end('x'.repeat(limit + 1));
        case 'streamed': return void response.write('x'.repeat(limit)), setTimeout(() => response.end('x'), 5);
        case 'endless': return void setInterval(() => response.destroyed || response.write('x'.repeat(400)), 2).unref();
        case 'nohtml404': return text(404, 'text/html', '<html>');
        case 'bad404': return text(404, 'text/plain', `\u001b[31mred\n${'y'.repeat(200)}\n`.concat('z\n'.repeat(20)));
        case 'latin404': return text(404, 'text/plain; charset=latin1', 'detail');
        default: return text(200, 'text/plain', 'default');
      }
    };
    const server = await serve(t, handler);
    const source = openSource(t, server.url, { env: testEnv(), userAgent: 'gosumcheck/1.2.3' });
    const read = (what: string): Promise<string> => outcome(source.read(`/lookup/${what}`, { limit }));
    const failure = (what: string): Promise<SourceError> =>
      source.read(`/lookup/${what}`, { limit }).then(() => t.fail('no error'), (error: unknown) => error) as Promise<SourceError>;

    t.equal(source.label, server.url);
    t.equal(await read('ok'), 'the answer');
    t.same(await source.read('/lookup/notype', { limit }), new Uint8Array([0, 255, 10]));
    t.equal(await read('html'), 'ANSWER_MALFORMED');
    t.equal(await read('emptyhtml'), '');
    t.equal(await read('gzip'), 'ANSWER_MALFORMED');
    t.equal(await read('full'), 'x'.repeat(limit));
    t.equal(await read('declared'), 'TOO_LARGE');
    t.equal(await read('streamed'), 'TOO_LARGE');
    t.equal(await read('endless'), 'TOO_LARGE');
    t.equal(await read('ok'), 'the answer', 'the connection still works, or a new one does');
    for (const status of [201, 204, 206, 304, 400, 401, 403, 451]) t.equal(await read(`status${status}`), 'HTTP_STATUS', String(status));
    for (const status of [404, 410]) {
      const error = await failure(`status${status}`);
      t.match(error, { code: 'NOT_FOUND', status, retryable: false, detail: 'because\nof', url: `${server.url}/lookup/status${status}` });
    }
    t.match(await failure('status403'), { code: 'HTTP_STATUS', retryable: false, detail: 'because\nof' });
    t.match(await failure('status401'), { hint: /netrc/ });
    t.equal((await failure('nohtml404')).detail, '');
    t.equal((await failure('latin404')).detail, '');
    const { detail } = await failure('bad404');
    t.same(detail.split('\n').slice(0, 3), ['?[31mred', 'y'.repeat(80), 'z']);
    t.equal(detail.split('\n').length, 8);

    const [first] = server.requests;
    t.match(first, { path: '/lookup/ok', headers: { 'user-agent': 'gosumcheck/1.2.3', 'accept-encoding': 'identity' } });
    t.equal(first?.headers.authorization, undefined);
    t.match(source.stats(), { requests: server.requests.length, retries: 0, connections: server.connections });
    t.ok(source.stats().bytes > limit);
  }),
);

t.test('retries', (t) =>
  overEach(t, async (t, serve) => {
    const tries = new Map<string, number>();
    const server = await serve(t, (request, response) => {
      const what = request.url?.split('/')[2] ?? '';
      const count = (tries.get(what) ?? 0) + 1;
      tries.set(what, count);
      if (what.startsWith('always')) response.writeHead(Number(what.slice(6))).end();
      else if (count >= 3) response.end('at last');
      else if (what === 'cut') response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy());
      else if (what === 'cutchunk') response.writeHead(200).write('half', () => breakOff(response));
      else if (what === 'lost') response.destroy();
      else response.writeHead(Number(what)).end();
    });
    const source = openSource(t, server.url, { env: testEnv() });
    const read = (what: string): Promise<string> => outcome(source.read(`/lookup/${what}`, { limit }));
    const whats = ['429', '500', '502', '503', '504', '408', 'cut', 'cutchunk', 'lost'];
    t.same(await Promise.all(whats.map(read)), whats.map(() => 'at last'));
    t.equal(source.stats().retries, 2 * whats.length);
    t.equal(await read('always503'), 'HTTP_STATUS');
    t.equal(tries.get('always503'), TRIES);
    t.equal(await read('always403'), 'HTTP_STATUS');
    t.equal(tries.get('always403'), 1);
  }),
);

t.test('giving up', (t) =>
  overEach(t, async (t, serve) => {
    const server = await serve(t, (request, response) => {
      if (request.url?.endsWith('slow')) return;
      if (request.url?.endsWith('busy')) response.writeHead(503, { 'retry-after': '30' }).end();
      else if (request.url?.endsWith('drip')) response.write('x');
      else response.end('ok');
    });
    const source = openSource(t, server.url, { env: testEnv(), timeout: 60_000, concurrency: 3 });
    t.equal(await outcome(source.read('/lookup/ok', { limit })), 'ok');
    const abort = new AbortController();
    const reads = ['slow', 'drip', 'busy', 'slow'].map((what) => outcome(source.read(`/lookup/${what}`, { limit, signal: abort.signal })));
    t.ok(await until(() => server.requests.length >= 4));
    await turns(10);
    const start = performance.now();
    abort.abort();
    t.same(await Promise.all(reads), ['INTERRUPTED', 'INTERRUPTED', 'INTERRUPTED', 'INTERRUPTED'], 'in flight, in the body, in a pause, in the queue');
    t.ok(performance.now() - start < 20_000, 'no pause is waited for');
    t.equal(await outcome(source.read('/lookup/ok', { limit, signal: abort.signal })), 'INTERRUPTED', 'aborted before');
    t.equal(await outcome(source.read('/lookup/slow', { limit, signal: AbortSignal.timeout(20) })), 'TIMEOUT');
    const reason = new GosumError('HEAD_TOO_OLD', 'a reason of our own');
    t.equal(await outcome(source.read('/lookup/ok', { limit, signal: AbortSignal.abort(reason) })), 'HEAD_TOO_OLD');
  }),
);

t.test('one signal for many reads', async (t) => {
  const warnings: Error[] = [];
  const warn = (warning: Error): number => warnings.push(warning);
  process.on('warning', warn);
  t.teardown(() => process.off('warning', warn));
  let busy = true;
  const server = await serveHttp2(t, (request, response) => {
    if (request.url === '/lookup/busy') response.writeHead(503, { 'retry-after': busy ? '30' : '0' }).end();
    else if (!busy) response.end('ok');
  });
  const source = openSource(t, server.url, { env: testEnv(), concurrency: 20 });
  const abort = new AbortController();
  const { signal } = abort;
  const busyReads = Array.from({ length: 15 }, () => outcome(source.read('/lookup/busy', { limit, signal })));
  t.ok(await until(() => server.requests.length >= 15));
  const reads = Array.from({ length: 60 }, () => outcome(source.read('/latest', { limit, signal })));
  await turns(15);
  t.equal(getEventListeners(signal, 'abort').length, 1);
  busy = false;
  abort.abort();
  t.same(new Set(await Promise.all([...busyReads, ...reads])), new Set(['INTERRUPTED']));
  t.same(warnings, []);

  const log: string[] = [];
  const other = new AbortController();
  const run = (): unknown => log.push('run');
  const forget = onAbort(other.signal, run);
  onAbort(other.signal, run);
  forget();
  other.abort();
  t.same(log, ['run'], 'the one that was not undone');
  onAbort(other.signal, () => log.push('late'));
  t.same(log, ['run', 'late'], 'at once');
  onAbort(undefined, run)();
});

t.test('a time limit on each request', (t) =>
  overEach(t, async (t, serve) => {
    let silent = true;
    const server = await serve(t, (request, response) => {
      if (request.url === '/latest' || silent) silent = false;
      else response.end('ok');
    });
    const isAskedAgain = async (timeout: number): Promise<boolean> => {
      silent = true;
      const { connections } = server;
      const source = openSource(t, server.url, { env: testEnv(), timeout });
      if ((await outcome(source.read('/lookup/x', { limit }))) !== 'ok') return false;
      t.ok(source.stats().retries >= 1);
      t.ok(server.connections >= connections + 2, 'over another connection');
      return true;
    };
    t.ok(await withMoreTime([400, 2000, 8000], isAskedAgain), 'what got no answer in time is asked again');
    t.equal(await outcome(openSource(t, server.url, { env: testEnv(), timeout: 50, deadline: Date.now() }).read('/latest', { limit })), 'TIMEOUT');
  }),
);

t.test('a closed source', (t) =>
  overEach(t, async (t, serve) => {
    const server = await serve(t, () => undefined);
    const source = openSource(t, server.url, { env: testEnv() });
    const read = outcome(source.read('/latest', { limit }));
    t.ok(await until(() => server.requests.length >= 1));
    await source.close();
    t.equal(await read, 'UNREACHABLE');
    t.equal(source.stats().retries, 0);
  }),
);

/** Breaks an answer off, over HTTP/2 with its stream alone. */
function breakOff(response: ServerResponse): void {
  if ('stream' in response) (response.stream as ServerHttp2Stream).close(constants.NGHTTP2_CANCEL);
  else response.destroy();
}

t.test('Retry-After', async (t) => {
  let refused = 0;
  let otherAt = 0;
  const server = await servePlain(t, (request, response) => {
    if (request.url === '/lookup/other') otherAt = performance.now();
    if (request.url === '/latest' && refused === 0) {
      refused = performance.now();
      response.writeHead(429, { 'retry-after': '1' }).end();
    } else if (request.url === '/lookup/never') response.writeHead(503, { 'retry-after': '3600' }).end();
    else if (request.url === '/lookup/later') response.writeHead(503, { 'retry-after': '5' }).end();
    else response.end('ok');
  });
  const hasty = openSource(t, server.url, { deadline: Date.now() + 3000 });
  t.equal(await outcome(hasty.read('/lookup/later', { limit })), 'HTTP_STATUS', 'no longer than what is left');
  const source = openSource(t, server.url, {});
  const first = source.read('/latest', { limit });
  t.ok(await until(() => refused > 0));
  await turns(10);
  const second = source.read('/lookup/other', { limit });
  t.equal(await outcome(first), 'ok');
  t.ok(performance.now() - refused >= 990, 'as long as the server asks');
  t.equal(await outcome(second), 'ok');
  t.same(server.requests.map(({ path }) => path).slice(1, 2), ['/latest']);
  t.ok(otherAt - refused >= 990, 'the others wait, too');
  t.equal(await outcome(openSource(t, server.url, {}).read('/lookup/never', { limit })), 'HTTP_STATUS', 'an hour is not waited');
});

t.test('when to try again', (t) => {
  t.equal(parseRetryAfter('120'), 120_000);
  t.equal(parseRetryAfter('0'), 0);
  t.equal(parseRetryAfter('Fri, 31 Dec 1999 23:59:59 GMT', Date.UTC(1999, 11, 31, 23, 59, 49)), 10_000);
  t.equal(parseRetryAfter('Fri, 31 Dec 1999 23:59:59 GMT'), 0);
  for (const bad of ['', '-1', '1.5', 'soon', '1e3', '9'.repeat(20)]) {
    t.equal(parseRetryAfter(bad), undefined, JSON.stringify(bad));
  }
  for (let i = 0; i < 50; i++) {
    t.ok(backoff(2) <= 250 && backoff(3) <= 500 && backoff(9) <= 8000);
  }
  t.equal(retryDelay(TRIES + 1, undefined, undefined), undefined);
  t.equal(retryDelay(2, 5000, 10_000), 5000);
  t.equal(retryDelay(2, 5000, 4999), undefined);
  t.equal(retryDelay(2, 61_000, undefined), undefined);
  t.equal(retryDelay(2, undefined, -1), undefined);
  t.end();
});

t.test('a limiter', async (t) => {
  const limiter = new Limiter(2);
  const log: string[] = [];
  const ends = new Map<string, () => void>();
  const run = (name: string, signal?: AbortSignal): Promise<unknown> =>
    limiter
      .run(() => {
        log.push(name);
        return new Promise<void>((resolve) => ends.set(name, resolve));
      }, signal)
      .catch((error: unknown) => error);
  const abort = new AbortController();
  const all = [run('a'), run('b'), run('c'), run('d', abort.signal), run('e')];
  await sleep(1);
  t.same(log, ['a', 'b']);
  abort.abort('enough');
  t.equal(await all[3], 'enough');
  ends.get('b')?.();
  await sleep(1);
  t.same(log, ['a', 'b', 'c']);
  limiter.raise(3);
  await sleep(1);
  t.same(log, ['a', 'b', 'c', 'e']);
  for (const name of ['a', 'c', 'e']) ends.get(name)?.();
  await Promise.all(all);
  t.equal(await limiter.run(() => Promise.reject(new Error('x')), undefined).catch(() => 'failed'), 'failed');
  const [f, g, h, i] = [run('f'), run('g'), run('h'), run('i')];
  await sleep(1);
  t.same(log.slice(4), ['f', 'g', 'h'], 'every place was given back');
  for (const name of ['f', 'g', 'h']) ends.get(name)?.();
  await Promise.all([f, g, h]);
  ends.get('i')?.();
  await i;
});

t.test('redirects', async (t) => {
  const env = testEnv();
  const elsewhere = await serveTls(t, (_, response) => response.end('elsewhere'));
  const plain = await servePlain(t, (request, response) => {
    if (request.url === '/latest') response.writeHead(302, { location: `${elsewhere.url}/x` }).end();
    else response.end('plain');
  });
  const server = await serveHttp2(t, (request, response) => {
    const [, , what = '', count = '0'] = request.url?.split('/') ?? [];
    const to = (location: string | undefined, status = 302): unknown =>
      response.writeHead(status, location === undefined ? {} : { location }).end('moved');
    switch (what) {
      case 'times': return count === '0' ? response.end('arrived') : to(`/lookup/times/${Number(count) - 1}`);
      case 'loop': return to('/lookup/loop');
      case 'elsewhere': return to(`${elsewhere.url}/x?y=1`, 307);
      case 'relative': return to('times/0', 301);
      case 'noscheme': return to(elsewhere.url.replace('https:', ''), 308);
      case 'plain': return to(`${plain.url}/x`);
      case 'file': return to('file:///etc/hostname');
      case 'garbage': return to('http://[');
      case 'nowhere': return to(undefined);
      case 'see': return to('/lookup/times/0', 303);
      default: return to('/x', 300);
    }
  });
  const source = openSource(t, server.url, { env });
  const read = (what: string): Promise<string> => outcome(source.read(`/lookup/${what}`, { limit }));
  t.equal(await read('times/10'), 'arrived');
  t.equal(await read('times/11'), 'ANSWER_MALFORMED');
  t.equal(await read('loop'), 'ANSWER_MALFORMED');
  for (const what of ['relative', 'see']) t.equal(await read(what), 'arrived', what);
  for (const what of ['elsewhere', 'noscheme']) t.equal(await read(what), 'elsewhere', what);
  t.equal(elsewhere.requests[0]?.path, '/x?y=1');
  for (const what of ['plain', 'file', 'garbage']) t.equal(await read(what), 'ANSWER_MALFORMED', what);
  t.equal(plain.requests.length, 0, 'https is never left');
  for (const what of ['nowhere', 'other']) t.equal(await read(what), 'HTTP_STATUS', what);
  t.equal(await outcome(openSource(t, plain.url, { env }).read('/latest', { limit })), 'elsewhere', 'from http to https');
});

t.test('redirects to ever new servers end', async (t) => {
  const server = await servePlain(t, (request, response) => {
    const n = Number(request.headers.host?.split(':')[0]?.split('.').at(-1));
    response.writeHead(302, { location: `http://127.0.0.${n + 1}:${server.port}/x` }).end();
  });
  // on this machine 127.0.0.2 may be nobody: then the first connection fails
  t.match(await outcome(openSource(t, server.url, { deadline: 0 }).read('/latest', { limit })), /UNREACHABLE|ANSWER_MALFORMED/);
});

t.test('credentials', async (t) => {
  const env = testEnv();
  const other = await serveTls(t, (request, response) => response.end(request.headers.authorization ?? 'none'));
  const handler: Handler = (request, response) => {
    if (request.url?.endsWith('/away')) response.writeHead(302, { location: `${other.url}/x` }).end();
    else if (request.url?.endsWith('/baited')) response.writeHead(302, { location: other.url.replace('https://', 'https://evil:pw@') }).end();
    else if (request.url?.endsWith('/here')) response.writeHead(302, { location: '/x' }).end();
    else response.end(request.headers.authorization ?? 'none');
  };
  const server = await serveHttp2(t, handler);
  const plain = await servePlain(t, handler);
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  const host = (url: string): string => new URL(url).host;
  const read = (url: string, path: string, options: HttpOptions = {}): Promise<string> =>
    outcome(openSource(t, url, { env, ...options }).read(path, { limit }));
  const withUser = server.url.replace('https://', 'https://us%40er:p:w@');
  t.equal(await read(server.url, '/latest'), 'none');
  t.equal(await read(withUser, '/latest'), basic('us@er:p:w'));
  t.equal(await read(withUser, '/lookup/here'), basic('us@er:p:w'), 'kept on the same server');
  t.equal(await read(withUser, '/lookup/away'), 'none', 'never sent to another');
  t.equal(await read(withUser, '/lookup/baited'), 'none', 'a redirect cannot bring its own');
  t.equal(openSource(t, withUser, { env }).label, server.url, 'and never shown');

  const logins = parseNetrc(`machine ${host(server.url)} login a password b\nmachine ${host(server.url)}/deep login c password d\nmachine ${host(plain.url)} login e password f`);
  t.equal(await read(server.url, '/latest', { logins }), basic('a:b'));
  t.equal(await read(`${server.url}/deep/er`, '/latest', { logins }), basic('c:d'));
  t.equal(await read(withUser, '/latest', { logins }), basic('us@er:p:w'), 'the URL’s own go first');
  t.equal(await read(server.url, '/lookup/away', { logins }), 'none');
  t.equal(await read(server.url, '/lookup/away', { logins: parseNetrc(`machine ${host(other.url)} login g password h`) }), basic('g:h'), 'chosen anew');
  t.equal(await read(plain.url, '/latest', { logins }), 'none', 'only over https');
  const before = plain.requests.length;
  t.equal(await read(plain.url.replace('http://', 'http://u:p@'), '/latest'), 'CONFIG_INVALID');
  t.equal(plain.requests.length, before);
});

t.test('failures in words', async (t) => {
  const error = (code: string): Error => Object.assign(new Error(`raw ${code}`), { code });
  const cases: [unknown, RegExp, boolean][] = [
    [error('ECONNREFUSED'), /reading https:\/\/x: connection refused$/, true],
    [error('ENOTFOUND'), /host name not found$/, false],
    [error('EAI_AGAIN'), /not found for now$/, true],
    [error('CERT_HAS_EXPIRED'), /expired$/, false],
    [error('ERR_TLS_CERT_ALTNAME_INVALID'), /another host$/, false],
    [error('SELF_SIGNED_CERT_IN_CHAIN'), /unknown issuer \(SELF_SIGNED_CERT_IN_CHAIN\)$/, false],
    [new AggregateError([error('EHOSTUNREACH'), error('ECONNREFUSED')]), /no route to the host$/, true],
    [new Error('odd\n\u001b[2J'), /odd\?\?\[2J$/, true],
    ['a string', /unknown failure$/, true],
  ];
  for (const [cause, message, retryable] of cases) t.match(unreachable('https://x', cause), { code: 'UNREACHABLE', message, retryable });
  t.equal(printable('a\u200bb\u2028é\u{1f600}\r'), 'a?b?é😀?');
  const port = await closedPort();
  t.ok(isGosumError(await openSource(t, `http://127.0.0.1:${port}`, { deadline: 0 }).read('/latest', { limit }).catch((e: unknown) => e), 'UNREACHABLE'));
});
