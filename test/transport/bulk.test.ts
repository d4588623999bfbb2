/** Bulk queries on the wire: when they are sent, where, and what of other requests holds for them. */

import t, { type Test } from 'tap';
import { parseGoproxy } from '../../src/config/goproxy.js';
import { parseSumdb } from '../../src/config/sumdb.js';
import { formatVerifierKey, newVerifierKey } from '../../src/core/key.js';
import { openRemote, type Remote } from '../../src/transport/remote.js';
import { withMoreTime } from '../wait.js';
import { openSource, outcome, serveHttp2, servePlain, serveTls, testEnv, type Handler } from './servers.js';

const limit = 1000;
const ASKED = { limit, reads: 10 };
const QUERY = new TextEncoder().encode('old 0\nexample.com/a v1.0.0\n');
const KEY = formatVerifierKey(newVerifierKey('log.example', new Uint8Array(32).fill(7)));

/** Announces, says what was sent by POST, and answers all else with its path. */
const announcing: Handler = (request, response) => {
  const { method, url = '', headers } = request;
  if (/\/(?:latest|supported)$/.test(url)) response.setHeader('gosumcheck-bulk', 'v1');
  if (method !== 'POST') {
    response.end(url);
    return;
  }
  let body = '';
  request.setEncoding('utf8').on('data', (part: string) => (body += part));
  request.on('end', () => response.end([url, headers['content-type'], headers['content-length'], headers.authorization ?? '-', body].join(' ')));
};

const SENT = `application/octet-stream ${QUERY.length} - ${new TextDecoder().decode(QUERY)}`;

function remote(t: Test, gosumdb: string, goproxy?: string): Remote {
  const opened = openRemote({
    sumdb: parseSumdb({ value: gosumdb, from: 'test' }),
    proxies: goproxy === undefined ? [] : parseGoproxy({ value: goproxy, from: 'test' }),
    env: testEnv(),
    deadline: Date.now(),
  });
  t.teardown(() => opened.close());
  return opened;
}

t.test('announced by a proxy before anything is read', async (t) => {
  const server = await servePlain(t, announcing);
  const way = remote(t, KEY, `${server.url}/p`);
  t.equal(await outcome(way.bulk(QUERY, ASKED)), `/p/sumdb/log.example/bulk/v1 ${SENT}`);
  t.strictSame(server.requests.map(({ path }) => path), ['/p/sumdb/log.example/supported', '/p/sumdb/log.example/bulk/v1']);
});

t.test('announced by a database of its own URL with its newest head', async (t) => {
  for (const serve of [servePlain, serveTls, serveHttp2]) {
    const server = await serve(t, announcing);
    const way = remote(t, `${KEY} ${server.url}`);
    let heard = 0;
    const forget = way.onBulk(() => heard++);
    way.onBulk(() => t.fail('undone'))();
    t.equal(await way.bulk(QUERY, ASKED), undefined);
    await way.read('/lookup/example.com/a@v1.0.0', { limit });
    t.equal(await way.bulk(QUERY, ASKED), undefined);
    t.equal(heard, 0);
    await way.read('/latest', { limit });
    await way.read('/latest', { limit });
    t.equal(heard, 1);
    forget();
    t.equal(await outcome(way.bulk(QUERY, ASKED)), `/bulk/v1 ${SENT}`);
    t.equal(server.requests.length, 4, 'nothing was asked for its own sake');
  }
});

t.test('not announced', async (t) => {
  const answers: Record<string, Handler> = {
    'no header': (request, response) => response.end(request.url),
    'another version': (_, response) => response.setHeader('gosumcheck-bulk', 'v10, v2').end(),
    'on another answer': (request, response) => response.setHeader(request.url?.endsWith('/lookup/a') === true ? 'gosumcheck-bulk' : 'x', 'v1').end(),
    'by a failure': (_, response) => response.writeHead(404, { 'gosumcheck-bulk': 'v1' }).end(),
    'by what a redirect leads to': (request, response) =>
      request.url === '/other'
        ? response.setHeader('gosumcheck-bulk', 'v1').end()
        : response.writeHead(302, { location: '/other', 'gosumcheck-bulk': 'v1' }).end(),
  };
  for (const [name, handler] of Object.entries(answers)) {
    const server = await servePlain(t, handler);
    const source = openSource(t, server.url, { env: testEnv(), deadline: Date.now() });
    for (const path of ['/latest', '/lookup/a']) await outcome(source.read(path, { limit }));
    t.equal(await source.bulk(QUERY, ASKED), undefined, name);
  }
});

t.test('redirects, credentials, failures', async (t) => {
  const announce: Handler = (request, response) => {
    if (request.method !== 'POST') announcing(request, response);
    else answer(request, response);
  };
  let answer: Handler = announcing;
  const server = await serveTls(t, announce);
  const source = openSource(t, server.url.replace('//', '//me:secret@'), { env: testEnv() });
  await source.read('/latest', { limit });
  t.match(await outcome(source.bulk(QUERY, ASKED)), ` Basic ${btoa('me:secret')} `);
  const tried = async (handler: Handler): Promise<[string, number]> => {
    answer = handler;
    const before = server.requests.length;
    return [await outcome(source.bulk(QUERY, ASKED)), server.requests.length - before];
  };
  for (const status of [301, 302, 303, 307, 308]) {
    t.strictSame(await tried((_, response) => response.writeHead(status, { location: '/bulk/v1' }).end()), ['ANSWER_MALFORMED', 1], `${status}`);
  }
  t.strictSame(await tried((_, response) => response.setHeader('content-type', 'text/html').end('<html>')), ['ANSWER_MALFORMED', 1]);
  t.strictSame(await tried((_, response) => response.end('x'.repeat(1001))), ['TOO_LARGE', 1]);
  t.strictSame(await tried((_, response) => response.writeHead(413).end()), ['HTTP_STATUS', 1]);
  let times = 0;
  t.match(await tried((request, response) => (times++ === 0 ? response.writeHead(503).end() : announcing(request, response))), [/^\/bulk/, 2]);
});

t.test('what takes too long is not tried again', async (t) => {
  let sent = 0;
  const server = await serveTls(t, (request, response) => {
    if (request.method === 'POST') sent++;
    else announcing(request, response);
  });
  const times = async (timeout: number): Promise<boolean> => {
    const source = openSource(t, server.url, { env: testEnv(), timeout });
    if ((await outcome(source.read('/latest', { limit }))) === 'TIMEOUT') return false;
    t.equal(await outcome(source.bulk(QUERY, ASKED)), 'TIMEOUT');
    return true;
  };
  t.ok(await withMoreTime([400, 2000, 8000], times));
  t.equal(sent, 1);
});

t.test('reads that are given up for it leave its connection alone', async (t) => {
  for (const serve of [servePlain, serveTls, serveHttp2]) {
    let announced = (): void => undefined;
    const stalled = new Promise<void>((resolve) => (announced = resolve));
    let lookups = 0;
    const server = await serve(t, (request, response) => {
      if (request.url?.startsWith('/lookup/') === true) {
        if (++lookups === 4) announced();
      } else if (request.url === '/latest') {
        void stalled.then(() => announcing(request, response));
      } else {
        announcing(request, response);
      }
    });
    const source = openSource(t, server.url, { env: testEnv(), concurrency: 5, deadline: Date.now() });
    const giveUp = new AbortController();
    source.onBulk(() => giveUp.abort());
    const latest = source.read('/latest', { limit });
    const reads = Array.from({ length: 20 }, (_, i) => outcome(source.read(`/lookup/${i}`, { limit, signal: giveUp.signal })));
    await latest;
    t.strictSame(new Set(await Promise.all(reads)), new Set(['INTERRUPTED']));
    t.equal(lookups, 4, 'those that wait are not sent');
    const before = server.connections;
    t.match(await outcome(source.bulk(QUERY, ASKED)), /^\/bulk\/v1 /);
    t.equal(server.connections, before, 'no connection is opened for it');
  }
});

t.test('whether many reads can be under way at a time is told of HTTP/2 alone, before they are sent, and ever after', async (t) => {
  for (const [serve, wide] of [[servePlain, 0], [serveTls, 0], [serveHttp2, 1]] as const) {
    const server = await serve(t, announcing);
    const way = remote(t, `${KEY} ${server.url}`);
    const heard: string[] = [];
    way.onWide(() => heard.push('first'));
    way.onWide(() => t.fail('undone'))();
    await way.read('/latest', { limit });
    t.equal(heard.length, wide);
    way.onWide(() => heard.push('later'));
    t.equal(heard.length, 2 * wide);
    await way.read('/latest', { limit });
    t.equal(heard.length, 2 * wide, 'once');
  }
});
