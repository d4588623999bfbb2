/** The mirror as a process: it listens, survives being killed, and serves what it has with upstream gone. */

import t from 'tap';
import { MODULES, newPlace } from './place.js';
import { serve, text } from './served.js';

t.test('it serves what it has proved, and ends when it is told to', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const mirror = await serve(t, place);
  const through = { env: { GOSUMDB: `${place.log.vkey} ${mirror.url}` } };
  t.equal((await place.verify(['--no-cache'], through)).code, 0);
  t.ok(place.asked().length > 0);
  t.equal((await place.verify(['--no-cache'], through)).code, 0);
  t.strictSame(place.asked().filter((name) => name !== '/latest'), [], 'the second time nothing but the newest head could be asked for');
  t.match(await text(`${mirror.url}/readyz`), { status: 200, body: /^ready\n\S+: tree 2000, last verified 2/ });
  t.match(await text(`${mirror.url}/version`), { status: 200, body: /^gosumcheck \d/ });
  t.equal((await mirror.end('SIGTERM')).code, 0);
});

t.test('killed and cut off: all that was kept is still proved', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const through = (url: string): { env: Record<string, string> } => ({ env: { GOSUMDB: `${place.log.vkey} ${url}` } });
  for (let i = 0; i < 5; i++) {
    const mirror = await serve(t, place);
    const asking = Promise.all(MODULES.map((module) => text(`${mirror.url}/lookup/${module.replace('A', '!a')}@v1.0.0`).catch(() => undefined)));
    await new Promise((resolve) => setTimeout(resolve, 10 * i));
    await mirror.end('SIGKILL');
    await asking;
  }
  const whole = await serve(t, place);
  t.equal((await place.verify(['--no-cache'], through(whole.url))).code, 0);
  await whole.end('SIGKILL');
  await place.served.close();
  const cut = await serve(t, place);
  t.equal((await place.verify(['--no-cache'], through(cut.url))).code, 0);
  t.equal((await text(`${cut.url}/lookup/example.com/other@v1.0.0`)).status, 502);
  t.equal((await cut.end('SIGTERM')).code, 0);
});

t.test('conditions, methods and headers', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const mirror = await serve(t, place);
  const tile = `${mirror.url}/tile/8/0/001`;
  const first = await fetch(tile);
  t.equal(first.status, 200);
  t.match(Object.fromEntries(first.headers), {
    'content-type': 'application/octet-stream',
    'cache-control': 'public, max-age=31536000, immutable',
    'access-control-allow-origin': '*',
    'content-length': '8192',
  });
  t.equal((await first.arrayBuffer()).byteLength, 8192);
  const etag = first.headers.get('etag')!;
  const again = await fetch(tile, { headers: { 'if-none-match': `"other", ${etag}` } });
  t.strictSame([again.status, await again.text()], [304, '']);
  const head = await fetch(tile, { method: 'HEAD' });
  t.strictSame([head.status, head.headers.get('content-length'), await head.text()], [200, '8192', '']);
  const post = await fetch(tile, { method: 'POST', body: 'x' });
  t.strictSame([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
  t.equal((await fetch(tile, { method: 'OPTIONS' })).status, 204);
  const partial = await fetch(`${mirror.url}/tile/8/0/007.p/8`);
  t.strictSame([partial.status, (await partial.arrayBuffer()).byteLength], [200, 256], 'cut from a wider one');
  t.equal((await text(`${mirror.url}/sumdb/${place.log.name}/supported`)).status, 200);
  t.equal((await text(`${mirror.url}/example.com/a/@v/list`)).status, 404);
  place.asked();
  for (const bad of ['/tile/8/0/1', '/lookup/example.com/%2e%2e@v1.0.0', '/lookup/x', '/tile/8/0/9999999']) {
    t.match((await text(mirror.url + bad)).status, 400, bad);
  }
  t.strictSame(place.asked(), [], 'what is malformed goes no further');
  await mirror.end('SIGTERM');
});
