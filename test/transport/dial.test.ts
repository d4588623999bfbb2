import { mkdirSync, writeFileSync } from 'node:fs';
import type { ServerHttp2Session } from 'node:http2';
import { rootCertificates } from 'node:tls';
import t, { type Test } from 'tap';
import { openEnvironment } from '../../src/config/environment.js';
import type { HttpOptions, HttpSource } from '../../src/transport/http.js';
import { turns, until } from '../wait.js';
import { closedPort, openSource, outcome, serveHttp2, serveProxy, serveTls, testEnv, together } from './servers.js';
import { CERTIFICATE } from './tls.js';

const limit = 1000;

/** Reads `count` paths at once, and checks the answers. */
async function readMany(t: Test, source: HttpSource, count: number): Promise<void> {
  const paths = Array.from({ length: count }, (_, i) => `/lookup/${i}`);
  t.same(await Promise.all(paths.map((path) => outcome(source.read(path, { limit })))), paths);
}

t.test('many requests at once over HTTP/2', async (t) => {
  const server = await serveHttp2(t, together());
  const source = openSource(t, server.url, { env: testEnv() });
  await readMany(t, source, 1);
  await readMany(t, source, 200);
  t.equal(server.busiest, 200, 'on one connection, together');
  t.equal(server.connections, 1);
  await readMany(t, source, 600);
  t.ok(server.busiest > 400 && server.busiest <= 512, `${server.busiest} at a time`);
});

t.test('many requests where a connection takes few', async (t) => {
  const server = await serveHttp2(t, together(), 20);
  const source = openSource(t, server.url, { env: testEnv() });
  await readMany(t, source, 1);
  t.equal(source.stats().connections, 1);
  source.expect(40);
  t.ok(await until(() => server.open() >= 3));
  t.equal(source.stats().connections, 3, 'as many as will be needed, before they are');
  await readMany(t, source, 300);
  t.equal(source.stats().connections, 5, 'never more');
  t.ok(server.busiest > 80 && server.busiest <= 100, `${server.busiest} at a time`);
});

t.test('the bound on requests at a time', async (t) => {
  const server = await serveHttp2(t, together());
  const source = openSource(t, server.url, { env: testEnv(), concurrency: 7 });
  await readMany(t, source, 30);
  t.equal(server.busiest, 7);
});

t.test('many requests at once over HTTP/1.1', async (t) => {
  const server = await serveTls(t, together());
  const source = openSource(t, server.url, { env: testEnv() });
  source.expect(200);
  await readMany(t, source, 200);
  t.ok(server.busiest > 32 && server.busiest <= 64, `${server.busiest} at a time`);
  t.equal(source.stats().connections, 64);
  t.ok(server.mostOpen <= 3 + 64);
  await readMany(t, source, 64);
  t.equal(source.stats().connections, 64, 'they are kept');
});

t.test('an HTTP/2 server that goes away', async (t) => {
  const sessions: ServerHttp2Session[] = [];
  let kill: ((session: ServerHttp2Session) => void) | undefined;
  const answer = together();
  const server = await serveHttp2(t, (request, response) => {
    if (request.url === '/lookup/5' && kill !== undefined) {
      sessions.splice(0).forEach(kill);
      kill = undefined;
    }
    answer(request, response);
  });
  server.http.on('session', (session) => sessions.push(session));
  const source = openSource(t, server.url, { env: testEnv() });
  await readMany(t, source, 1);
  kill = (session) => session.goaway();
  await readMany(t, source, 40);
  kill = (session) => session.close();
  await readMany(t, source, 40);
  kill = (session) => session.destroy();
  await readMany(t, source, 40);
  kill = () => server.drop();
  await readMany(t, source, 40);
  for (const session of sessions.splice(0)) session.close();
  t.ok(await until(() => server.open() === 0));
  await turns(10); // and the other side has heard of it
  const { retries } = source.stats();
  await readMany(t, source, 5);
  t.equal(source.stats().retries, retries, 'an idle connection that was closed is not used');
});

t.test('HTTP proxies', async (t) => {
  const server = await serveHttp2(t, (_, response) => response.end('the server'));
  const h1 = await serveTls(t, (_, response) => response.end('the older server'));
  const proxy = await serveProxy(t);
  const strict = await serveProxy(t, `Basic ${Buffer.from('u:p').toString('base64')}`);
  const closed = await closedPort();
  const read = (url: string, variables: Record<string, string>, options: HttpOptions = {}): Promise<string> =>
    outcome(openSource(t, url, { env: testEnv(variables), deadline: Date.now() + 200, ...options }).read('/latest', { limit }));
  const url = `https://db.example:${server.port}`;
  t.equal(await read(url, { HTTPS_PROXY: proxy.url }), 'the server');
  t.equal(proxy.requests.at(-1)?.path, `CONNECT db.example:${server.port}`);
  t.equal(server.connections, 1, 'HTTP/2 through the tunnel');
  t.equal(await read(`https://db.example:${h1.port}`, { HTTPS_PROXY: proxy.url.replace('http://', '') }), 'the older server');
  t.equal(await read(url, { HTTPS_PROXY: strict.url }), 'UNREACHABLE');
  t.equal(await read(url, { HTTPS_PROXY: strict.url.replace('//', '//u:p@') }), 'the server');
  t.equal(await read('http://db.example/a', { HTTP_PROXY: strict.url.replace('//', '//u:p@') }), `by proxy: http://db.example/a/latest Basic ${Buffer.from('u:p').toString('base64')}`);
  t.equal(await read('http://db.example:81', { HTTP_PROXY: proxy.url, HTTPS_PROXY: 'http://127.0.0.1:1' }), 'by proxy: http://db.example:81/latest ');

  const before = proxy.requests.length;
  t.equal(await read(server.url, { HTTPS_PROXY: proxy.url }), 'the server');
  t.equal(await read(`https://localhost:${server.port}`, { HTTPS_PROXY: proxy.url }), 'the server');
  t.equal(proxy.requests.length, before, 'this machine is asked straight');
  t.equal(await read(url, { HTTPS_PROXY: 'socks5://127.0.0.1:1' }), 'CONFIG_INVALID');

  const refused = openSource(t, url, { env: testEnv({ HTTPS_PROXY: `http://127.0.0.1:${closed}` }), deadline: 0 });
  await t.rejects(refused.read('/latest', { limit }), { code: 'UNREACHABLE', message: /by the proxy http:\/\/127.*connection refused/ });
});

t.test('an HTTPS proxy', async (t) => {
  const server = await serveTls(t, (_, response) => response.end('the server'));
  const proxy = await serveProxy(t, undefined, serveTls);
  const source = openSource(t, `https://db.example:${server.port}`, { env: testEnv({ HTTPS_PROXY: proxy.url }) });
  t.equal(await outcome(source.read('/latest', { limit })), 'the server');
});

t.test('certificates', async (t) => {
  const server = await serveTls(t, (_, response) => response.end('ok'));
  const folder = t.testdir({ 'ca.pem': `words\n${CERTIFICATE}\nmore words`, other: { 'ca.crt': CERTIFICATE, readme: 'x' }, empty: '', 'another.pem': rootCertificates[0] ?? '' });
  const read = (variables: Record<string, string>, url = server.url): Promise<string> =>
    outcome(openSource(t, url, { env: openEnvironment(variables, 'linux') }).read('/latest', { limit }));
  t.equal(await read({ SSL_CERT_FILE: `${folder}/ca.pem` }), 'ok');
  t.equal(await read({ SSL_CERT_DIR: `${folder}/missing:${folder}/other` }), 'ok');
  t.equal(await read({ SSL_CERT_FILE: `${folder}/missing`, SSL_CERT_DIR: `${folder}/other` }), 'ok');
  t.equal(await read({ SSL_CERT_FILE: `${folder}/empty` }), 'UNREACHABLE');
  t.equal(await read({ SSL_CERT_FILE: `${folder}/another.pem` }), 'UNREACHABLE');
  t.equal(await read({ SSL_CERT_FILE: `${folder}/another.pem`, SSL_CERT_DIR: `${folder}/other` }), 'ok', 'the file alone, then both');
  t.equal(await read({ SSL_CERT_FILE: `${folder}/another.pem`, NODE_EXTRA_CA_CERTS: `${folder}/ca.pem` }), 'ok', 'then those of Node as well');
  t.equal(await read({ SSL_CERT_FILE: `${folder}/ca.pem` }, `https://127.0.0.2:${server.port}`).catch(() => ''), 'UNREACHABLE', 'a certificate for another host');
  const unknown = openSource(t, server.url, { env: openEnvironment({}, 'linux') });
  await t.rejects(unknown.read('/latest', { limit }), { code: 'UNREACHABLE', retryable: false, hint: /NODE_EXTRA_CA_CERTS/, message: /unknown issuer/ });
  t.equal(unknown.stats().retries, 0);
  mkdirSync(`${folder}/broken`);
  writeFileSync(`${folder}/broken/ca.pem`, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  t.equal(await read({ SSL_CERT_DIR: `${folder}/broken` }), 'UNREACHABLE', 'a broken file is passed over');
});

