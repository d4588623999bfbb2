import { execFile } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { parseGoproxy } from '../../src/config/goproxy.js';
import { parseSumdb } from '../../src/config/sumdb.js';
import { formatVerifierKey, newVerifierKey } from '../../src/core/key.js';
import { SourceError } from '../../src/transport/sourceerror.js';
import { openRemote, type Remote, type RemoteOptions } from '../../src/transport/remote.js';
import { withoutTelemetry } from '../quietgo.js';
import { closedPort, outcome, servePlain, serveTls, testEnv, type TestServer } from './servers.js';

const limit = 1000;

/**
 * A server of many proxies: below /x-STATUS/ is one that gives this status to `supported`. Each has the module
 * example.com/m, and answers everything else of the database with its own name.
 */
function serveProxies(t: Test): Promise<TestServer> {
  return servePlain(t, (request, response) => {
    const [, name = '', rest = ''] = /^\/(\w+-\w+)\/(.*)$/.exec(request.url ?? '') ?? [];
    const status = name.split('-')[1];
    if (rest.endsWith('.info')) response.end('{"Version":"v1.0.0"}');
    else if (rest.endsWith('.mod')) response.end('module example.com/m\n');
    else if (!rest.startsWith('sumdb/')) response.writeHead(404).end();
    else if (!rest.endsWith('/supported')) response.end(name);
    else if (status === 'html') response.writeHead(200, { 'content-type': 'text/html' }).end('<html>yes</html>');
    else if (status === '302') response.writeHead(302, { location: request.url?.replace('302', '200') }).end();
    else response.writeHead(Number(status)).end();
  });
}

/** A database that is asked directly, under a name that leads to this machine. */
async function serveDirect(t: Test): Promise<{ server: TestServer; key: string }> {
  const server = await serveTls(t, (_, response) => response.end('direct'));
  return { server, key: formatVerifierKey(newVerifierKey(`localhost:${server.port}`, new Uint8Array(32).fill(7))) };
}

/** The way to the database of `gosumdb` by GOPROXY; failures are not retried. */
function remote(t: Test, gosumdb: string, goproxy: string, options: Partial<RemoteOptions> = {}): Remote {
  const opened = openRemote({
    sumdb: parseSumdb({ value: gosumdb, from: 'test' }),
    proxies: goproxy === '' ? [] : parseGoproxy({ value: goproxy, from: 'test' }),
    env: testEnv(),
    deadline: Date.now(),
    ...options,
  });
  t.teardown(() => opened.close());
  return opened;
}

/** Walks of GOPROXY: the answer of the one that is chosen, or the failure; checked against go1.26.8 below. */
const WALKS: Readonly<Record<string, string>> = {
  'a-200': 'a-200',
  'a-200,b-200': 'a-200',
  'a-404': 'direct',
  'a-410': 'direct',
  'a-404,b-200': 'b-200',
  'a-404|b-200': 'b-200',
  'a-404|b-410': 'direct',
  'a-500': 'HTTP_STATUS',
  'a-403,b-200': 'HTTP_STATUS',
  'a-500,direct': 'HTTP_STATUS',
  'a-403|b-200': 'b-200',
  'a-500|b-200': 'b-200',
  'a-500|b-404': 'HTTP_STATUS',
  'a-404|b-500': 'HTTP_STATUS',
  'a-500|b-404,c-200': 'c-200',
  'a-204|b-200': 'b-200',
  'a-404,direct': 'direct',
  'a-500|direct': 'direct',
  'a-404,off': 'direct',
  'a-500|off': 'HTTP_STATUS',
  'a-500|b-404|direct,c-200': 'direct',
  'dead|a-200': 'a-200',
  'dead,a-200': 'UNREACHABLE',
  'a-html': 'a-html',
  'a-302': 'a-302',
};

/** A walk as a value of GOPROXY. */
function goproxyOf(walk: string, url: string, dead: number): string {
  return walk.replaceAll(/\w-\w+/g, (name) => `${url}/${name}`).replace('dead', `http://127.0.0.1:${dead}`);
}

t.test('the walk along GOPROXY', async (t) => {
  const proxies = await serveProxies(t);
  const { key } = await serveDirect(t);
  const dead = await closedPort();
  const walk = async (goproxy: string): Promise<string> => outcome(remote(t, key, goproxy).read('/latest', { limit }));
  for (const [name, want] of Object.entries(WALKS)) t.equal(await walk(goproxyOf(name, proxies.url, dead)), want, name);
  t.equal(await walk('direct'), 'direct');
  t.equal(await walk('off'), 'direct');

  const failing = remote(t, key, goproxyOf('a-500|b-403|c-404', proxies.url, dead));
  await t.rejects(failing.read('/latest', { limit }), { code: 'HTTP_STATUS', status: 403 }, 'the last failure that is no 404');

  const secret = proxies.url.replace('//', '//user:secret@');
  t.equal(await walk(`${secret}/a-200|${proxies.url}/b-200`), 'b-200', 'credentials are not sent over plain http');
  t.equal(await walk(`${secret}/a-200,${proxies.url}/b-200`), 'CONFIG_INVALID');
});

// that the go command trusts a test's certificate can be told to it on Linux alone
t.test('the same walks by the go command', { skip: process.platform === 'linux' ? false : 'only on Linux' }, async (t) => {
  const proxies = await serveProxies(t);
  const { server, key } = await serveDirect(t);
  const dead = await closedPort();
  const home = t.testdir({});
  const lookups = (server: TestServer): string[] =>
    server.requests.filter(({ path }) => path.includes('/lookup/')).map(({ path }) => path.split('/')[1] ?? '');
  // the go command has to get the module from the first entry to ask about it at all
  const walks = Object.keys(WALKS).filter((walk) => walk.startsWith("a-"));
  let missing = false;
  for (const walk of walks) {
    proxies.requests.length = 0;
    server.requests.length = 0;
    const env = withoutTelemetry({
      ...process.env, HOME: home, XDG_CONFIG_HOME: path.join(home, '.config'), GOPATH: path.join(home, walk.replaceAll(/\W/g, '_')), GOENV: 'off', GOFLAGS: '-modcacherw', GOTOOLCHAIN: 'local',
      GOPROXY: goproxyOf(walk, proxies.url, dead), GOSUMDB: key, GOPRIVATE: '', GONOSUMDB: '', SSL_CERT_FILE: testEnv().get('SSL_CERT_FILE'),
      HTTP_PROXY: '', HTTPS_PROXY: '', http_proxy: '', https_proxy: '',
    });
    const code = await new Promise<unknown>((resolve) => {
      execFile('go', ['mod', 'download', 'example.com/m@v1.0.0'], { env, cwd: home, timeout: 60_000 }, (error) => resolve(error?.code));
    });
    if (code === 'ENOENT') {
      missing = true;
      break;
    }
    // to the direct server, /lookup/… has no base in front
    const [chosen = 'nobody'] = [...lookups(proxies), ...lookups(server).map(() => 'direct')];
    const want = WALKS[walk] ?? '';
    t.equal(chosen, /^[A-Z]/.test(want) ? 'nobody' : want, walk);
  }
  if (missing) t.comment('no go command here: not compared');
  t.pass();
});

t.test('one choice for the whole run', async (t) => {
  let supported = 200;
  const proxy = await servePlain(t, (request, response) => {
    if (request.url?.includes('/supported')) setTimeout(() => response.writeHead(supported).end(), 50);
    else if (request.url?.includes('missing')) response.writeHead(404).end();
    else response.end('proxy');
  });
  const { server, key } = await serveDirect(t);
  const secret = `${proxy.url}/base?token=secret`;
  const source = remote(t, key, `${secret},direct`);
  t.equal(source.chosen(), undefined);
  t.equal(source.label, `localhost:${server.port}`);
  const paths = ['/latest', '/lookup/example.com/!m@v1.0.0', '/tile/8/0/000'];
  t.same(await Promise.all(paths.map((path) => outcome(source.read(path, { limit })))), ['proxy', 'proxy', 'proxy']);
  t.equal(source.chosen(), `${proxy.url}/base/sumdb/localhost:${server.port}`, 'without its query, which may be secret');
  t.equal(source.label, source.chosen());
  t.same(
    proxy.requests.map(({ path }) => path).sort(),
    ['/supported', ...paths].map((path) => `/base/sumdb/localhost:${server.port}${path}?token=secret`).sort(),
    'one flight',
  );
  t.equal(await outcome(source.read('/lookup/missing', { limit })), 'NOT_FOUND', 'a later 404 is final');
  t.equal(server.requests.length, 0, 'and never leads elsewhere');
  t.match(source.stats(), { requests: 5, retries: 0, bytes: 15 });

  supported = 403;
  const failing = remote(t, key, `${proxy.url},direct`);
  const before = proxy.requests.length;
  const failures = await Promise.all(paths.map((path) => failing.read(path, { limit }).catch((error: unknown) => error)));
  t.ok(failures.every((error) => error instanceof SourceError && error.status === 403));
  t.equal(await outcome(failing.read('/latest', { limit })), 'HTTP_STATUS');
  t.equal(proxy.requests.length, before + 1, 'a failure stands for the run');
  t.equal(failing.chosen(), undefined);
});

t.test('a database with a URL of its own', async (t) => {
  const server = await servePlain(t, (request, response) => response.end(request.url));
  const never = await servePlain(t, (_, response) => response.end());
  const source = remote(t, `sum.golang.org ${server.url}/base/`, never.url);
  t.equal(await outcome(source.read('/latest', { limit })), '/base/latest');
  t.equal(never.requests.length, 0);
  t.equal(server.requests.length, 1, '`supported` is not asked');
  t.equal(source.chosen(), `${server.url}/base/`);
});

t.test('folders', async (t) => {
  const folder = t.testdir({
    db: { latest: 'db' },
    proxy: { sumdb: { 'sum.golang.org': { supported: '', latest: 'proxy' } } },
    other: { sumdb: { 'sum.golang.org': { latest: 'other' } } },
  });
  const url = (name: string): string => pathToFileURL(path.join(folder, name)).href;
  const server = await serveProxies(t);
  const read = (gosumdb: string, goproxy: string, options: Partial<RemoteOptions> = {}): Promise<string> =>
    outcome(remote(t, gosumdb, goproxy, options).read('/latest', { limit }));
  t.equal(await read(`sum.golang.org ${url('db')}`, ''), 'db', 'without `supported`');
  t.equal(await read('sum.golang.org', url('proxy')), 'proxy');
  t.equal(await read('sum.golang.org', `${url('other')},${server.url}/b-200`), 'b-200', 'a proxy needs `supported`');
  t.equal(await read('sum.golang.org', `${url('missing')},${url('proxy')}`), 'proxy');

  const offline = { offline: true };
  const before = server.requests.length;
  t.equal(await read(`sum.golang.org ${url('db')}`, '', offline), 'db', 'no socket is needed');
  t.equal(await read('sum.golang.org', `${url('missing')},${url('proxy')}`, offline), 'proxy');
  t.equal(await read('sum.golang.org', `${server.url}/a-200`, offline), 'OFFLINE');
  t.equal(await read('sum.golang.org', url('other'), offline), 'OFFLINE');
  t.equal(server.requests.length, before);
});

t.test('interrupted, and closed', async (t) => {
  const proxy = await servePlain(t, () => undefined);
  const source = remote(t, 'sum.golang.org', proxy.url);
  const abort = new AbortController();
  const first = outcome(source.read('/latest', { limit, signal: abort.signal }));
  const second = outcome(source.read('/latest', { limit }));
  setTimeout(() => abort.abort(), 50);
  t.equal(await first, 'INTERRUPTED');
  t.equal(await outcome(source.read('/latest', { limit, signal: abort.signal })), 'INTERRUPTED');
  setTimeout(() => void source.close(), 20);
  t.match(await second, /INTERRUPTED|UNREACHABLE/);
  t.equal(await outcome(remote(t, 'sum.golang.org', 'off').read('/../x', { limit })).catch(() => 'bug'), 'bug');
});

t.test('nothing of the network is loaded before it is needed', async (t) => {
  const script = `
    import { openRemote } from ${JSON.stringify(new URL('../../src/transport/remote.js', import.meta.url).href)};
    openRemote({ sumdb: {}, proxies: [] });
    const loaded = process.moduleLoadList.filter((name) => / (http2|https|tls|_http_client)$/.test(name));
    console.log(JSON.stringify(loaded));`;
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, ['--input-type=module', '-e', script], (error, stdout, stderr) => {
      resolve(error === null ? stdout : stderr);
    });
  });
  t.equal(output, '[]\n');
});
