import { existsSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { openEnvironment } from '../../src/config/environment.js';
import { parseGoproxy } from '../../src/config/goproxy.js';
import { parseGoUrl } from '../../src/config/gourl.js';
import { openHttpSource } from '../../src/transport/http.js';
import { openModuleProxies, type ModuleFiles, type ModuleProxies } from '../../src/transport/moduleproxy.js';

const MODULE = { module: 'example.com/Big', version: 'v1.0.0' };
const BASE = '/example.com/!big/@v/v1.0.0';

async function serve(t: Test, handle: RequestListener): Promise<string> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function open(t: Test, value: string): ModuleProxies {
  const proxies = openModuleProxies(parseGoproxy({ value, from: 'a test' }), { env: openEnvironment({}), timeout: 60_000 });
  t.teardown(() => proxies.close());
  return proxies;
}

const taken = async ({ zip, goMod, from }: ModuleFiles): Promise<unknown> => ({ file: zip, zip: readFileSync(zip, 'latin1'), goMod: String(Buffer.from(goMod)), from });

t.test('a zip that is cut short, and comes the next time', async (t) => {
  const body = 'z'.repeat(300_000);
  let tries = 0;
  const url = await serve(t, ({ url }, response) => {
    if (url === `${BASE}.mod`) response.end('module example.com/Big\n');
    else if (url === `${BASE}.zip` && tries++ === 0) {
      response.writeHead(200, { 'content-length': 400_000 });
      response.write('x'.repeat(350_000), () => response.destroy());
    } else if (url === `${BASE}.zip`) response.end(body);
    else response.writeHead(404).end();
  });
  const files = (await open(t, url).with(MODULE, taken)) as { file: string; zip: string; goMod: string; from: string };
  t.equal(tries, 2);
  t.ok(files.zip === body, 'nothing of the first try is left');
  t.same([files.goMod, files.from], ['module example.com/Big\n', url]);
  t.notOk(existsSync(files.file), 'the temporary file is gone');
  const source = openHttpSource(parseGoUrl(url));
  t.teardown(() => source.close());
  let poured = 0;
  const left = await source.file(`${BASE}.zip`, { limit: 300_000 }, () => (part) => (poured += part.length));
  t.same([left.length, poured], [0, 300_000], 'nothing is held in memory');
  await t.rejects(source.file(`${BASE}.zip`, { limit: 299_999 }, () => () => undefined), { code: 'TOO_LARGE' });
  const full = new Error('full');
  await t.rejects(source.file(`${BASE}.zip`, { limit: 300_000, once: true }, () => () => { throw full; }), { cause: full });
});

t.test('the list is walked as the go command walks it', async (t) => {
  const none = await serve(t, (_, response) => response.writeHead(404).end());
  const gone = await serve(t, (_, response) => response.writeHead(410).end());
  const broken = await serve(t, (_, response) => response.writeHead(403).end());
  const half = await serve(t, ({ url }, response) => response.writeHead(url === `${BASE}.mod` ? 200 : 404).end());
  const good = await serve(t, (_, response) => response.end('good'));
  const folder = t.testdir({ 'example.com': { '!big': { '@v': { 'v1.0.0.mod': 'here', 'v1.0.0.zip': 'local' } } } });
  const local = pathToFileURL(folder).href;
  const from = async (value: string): Promise<unknown> => open(t, value).with(MODULE, ({ from }) => Promise.resolve(from));
  t.equal(await from(`${none},${gone},${half},${good}`), good);
  t.equal(await from(`${broken}|${good}`), good);
  t.equal(await from(`${none},${local}`), local);
  t.match(await open(t, local).with(MODULE, taken), { zip: 'local', goMod: 'here' });
  t.ok(existsSync(`${folder}/example.com/!big/@v/v1.0.0.zip`), 'what lies in a folder stays there');
  await t.rejects(from(`${broken},${good}`), { code: 'HTTP_STATUS' });
  await t.rejects(from(`${none},${gone}`), { code: 'NOT_FOUND' });
  await t.rejects(from(`${none},direct`), { code: 'UNREACHABLE' });
  await t.rejects(from('off'), { code: 'UNREACHABLE' });
  await t.rejects(open(t, good).with(MODULE, () => Promise.reject(new Error('work'))), /work/);
  await t.rejects(open(t, good).with({ ...MODULE, version: 'v1' }, taken), { code: 'VERSION_MALFORMED' });
});
