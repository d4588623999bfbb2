import { PassThrough } from 'node:stream';
import t from 'tap';
import { openEnvironment } from '../../src/config/environment.js';
import { GiveUp, readAnswer, type HttpAnswer } from '../../src/transport/exchange.js';
import { TrustedRoots } from '../../src/transport/roots.js';
import { redirectTarget, targetOf, type HttpTarget } from '../../src/transport/target.js';
import { parseGoUrl } from '../../src/config/gourl.js';
import { turns } from '../wait.js';
import { closedPort, openSource, outcome, servePlain, serveProxy, serveTls, testEnv } from './servers.js';
import { CERTIFICATE } from './tls.js';

const limit = 1000;

t.test('the body of an answer', async (t) => {
  const target = targetOf(parseGoUrl('https://db.example/latest'));
  /** Reads an answer whose body is made of `parts`, and then ends, or is cut off. */
  const read = async (status: number, headers: HttpAnswer['headers'], parts: string[], cut = false): Promise<string> => {
    const stream = new PassThrough();
    const answer = readAnswer(stream, status, headers, { target, limit: 8 }).then(
      ({ body }) => Buffer.from(body).toString(),
      (error: unknown) => (error as { code: string }).code,
    );
    for (const part of parts) stream.write(part);
    await new Promise(setImmediate);
    if (cut) stream.destroy();
    else stream.end();
    return answer;
  };
  t.equal(await read(200, {}, ['1234', '5678']), '12345678');
  t.equal(await read(200, {}, []), '');
  t.equal(await read(200, {}, ['1234', '56789']), 'TOO_LARGE');
  t.equal(await read(200, { 'content-length': '9' }, []), 'TOO_LARGE', 'before any byte came');
  t.equal(await read(200, { 'content-length': '4' }, ['1234']), '1234');
  t.equal(await read(200, { 'content-length': '5' }, ['1234']), 'ECONNRESET');
  t.equal(await read(200, { 'content-length': '3' }, ['1234']), 'ECONNRESET');
  t.equal(await read(200, {}, ['1234'], true), 'ECONNRESET');
  t.equal(await read(404, {}, ['because']), 'because');
  t.equal(await read(404, {}, ['because'], true), 'ECONNRESET');
  t.equal(await read(404, { 'content-length': '5000' }, ['x'.repeat(2000), 'y'.repeat(3000)]), 'x'.repeat(2000) + 'y'.repeat(48));
});

t.test('giving up', async (t) => {
  const hanging = new GiveUp();
  const work = hanging.orElse(new Promise(() => undefined));
  hanging.now(new Error('enough'));
  await t.rejects(work, { message: 'enough' }, 'whoever waits for work that hangs');
  t.equal(await new GiveUp().orElse(Promise.resolve(1)), 1);

  const giveUp = new GiveUp();
  const seen: string[] = [];
  giveUp.waiter(() => seen.push('first'));
  giveUp.waiter((reason) => seen.push(reason.message));
  giveUp.now(new Error('one'));
  giveUp.now(new Error('two'));
  t.same(seen, ['one'], 'the last waiter alone, once');
  giveUp.waiter((reason) => seen.push(`late ${reason.message}`));
  t.same(seen, ['one', 'late one']);
});

t.test('targets', (t) => {
  const target = (url: string): HttpTarget => targetOf(parseGoUrl(url));
  t.match(target('https://db.example'), { secure: true, hostname: 'db.example', port: 443, host: 'db.example', path: '/', shown: 'https://db.example' });
  t.match(target('http://[::1]:8080/a?b'), { secure: false, hostname: '::1', port: 8080, host: '[::1]:8080', path: '/a?b' });
  t.match(target('//db.example:443/a'), { secure: true, host: 'db.example' }, 'without a scheme it is https');
  t.match(target('https://bücher.example'), { hostname: 'xn--bcher-kva.example' });
  t.match(target('https://u:p@db.example'), { user: { name: 'u', password: 'p' }, shown: 'https://db.example' });
  t.throws(() => target('http://u@db.example'), { code: 'CONFIG_INVALID' });

  const start = target('https://u:p@db.example:8443/a/b');
  const to = (location: string): HttpTarget | undefined => redirectTarget(start, location);
  t.match(to('c?d'), { host: 'db.example:8443', path: '/a/c?d', user: { name: 'u' }, shown: 'https://db.example:8443/a/c' });
  t.match(to('https://db.example:8443/x'), { user: { name: 'u' } });
  t.match(to('https://db.example/x'), { user: undefined }, 'another port is another server');
  t.match(to('https://x:y@[::1]/z'), { user: undefined, hostname: '::1', host: '[::1]' });
  for (const bad of ['http://db.example:8443/a', 'file:///a', 'data:,x', 'https://']) t.equal(to(bad), undefined, bad);
  t.match(redirectTarget(target('http://db.example'), 'https://db.example'), { secure: true });
  t.end();
});

t.test('trusted roots', (t) => {
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const folder = t.testdir({ good: `words\n${CERTIFICATE}words`, broken, words: 'words', many: { a: CERTIFICATE, b: 'words' } });
  const roots = (variables: Record<string, string>): TrustedRoots => new TrustedRoots(openEnvironment(variables, 'linux'));
  const widened = (variables: Record<string, string>): boolean => {
    const trusted = roots(variables);
    t.equal(trusted.context, undefined, 'Node’s own, until they do not do');
    const more = trusted.widen();
    t.equal(trusted.context !== undefined, more);
    t.equal(trusted.isWide, more);
    return more;
  };
  const named = roots({ SSL_CERT_FILE: `${folder}/good` });
  const { context } = named;
  t.ok(context, 'a file that was named, from the beginning');
  t.equal(named.widen(), true);
  t.not(named.context, context, 'then Node’s own as well');
  t.equal(widened({ SSL_CERT_DIR: `${folder}/missing:${folder}/many` }), true);
  for (const name of ['words', 'missing']) t.equal(widened({ SSL_CERT_FILE: `${folder}/${name}` }), false, name);
  t.equal(widened({ SSL_CERT_DIR: folder }), true, 'a broken one is passed over');
  const once = roots({ SSL_CERT_FILE: `${folder}/good` });
  t.same([once.widen(), once.widen()], [true, false], 'there is nothing more the second time');
  t.end();
});

t.test('a server that is too busy for one request is so for all', async (t) => {
  let refused = 0;
  const server = await servePlain(t, (request, response) => {
    if (request.url === '/latest' && refused === 0) {
      refused = performance.now();
      response.writeHead(429, { 'retry-after': '1' }).end();
    } else response.end('ok');
  });
  const source = openSource(t, server.url, {});
  const first = outcome(source.read('/latest', { limit }));
  while (refused === 0) await new Promise(setImmediate);
  await turns(25);
  t.equal(await outcome(source.read('/lookup/other', { limit })), 'ok');
  t.ok(performance.now() - refused > 950, 'the other has waited, too');
  t.equal(await first, 'ok');
});

t.test('redirects lead to few servers', async (t) => {
  const others = await Promise.all(Array.from({ length: 17 }, () => servePlain(t, (_, response) => response.end('there'))));
  const server = await servePlain(t, (request, response) => {
    response.writeHead(302, { location: others[Number(request.url?.split('/')[2])]?.url }).end();
  });
  const source = openSource(t, server.url, {});
  const outcomes = await Promise.all(others.map((_, i) => outcome(source.read(`/lookup/${i}`, { limit }))));
  t.same(outcomes, [...Array.from({ length: 15 }, () => 'there'), 'ANSWER_MALFORMED', 'ANSWER_MALFORMED'], '16 with the first');
});

t.test('why a connection cannot be had', async (t) => {
  const server = await serveTls(t, (_, response) => response.end('ok'));
  const strict = await serveProxy(t, 'Basic secret');
  const read = (url: string, variables: Record<string, string> = {}): Promise<Uint8Array | undefined> =>
    openSource(t, url, { env: testEnv(variables), deadline: 0 }).read('/latest', { limit });
  // a spelling of 127.0.0.1 that its certificate does not have
  await t.rejects(read(`https://127.1:${server.port}`), { code: 'UNREACHABLE', retryable: false, message: /another host/ });
  await t.rejects(read(`https://db.example:${server.port}`, { HTTPS_PROXY: strict.url }), { message: /refused to connect: 407/ });
  const refused = openSource(t, `https://127.0.0.1:${await closedPort()}`, { env: testEnv(), deadline: 0 });
  await t.rejects(refused.read('/latest', { limit }), { message: /connection refused/ });
  t.equal(refused.stats().connections, 1, 'other roots would not help');
  await t.rejects(refused.read('/lookup/../x', { limit }), { message: /^bad path/ }, 'a path that is none of the protocol is a bug');
});
