/** The short way gives the same answers as the long one. */

import t from 'tap';
import type { Database } from '../../src/contract.js';
import { textAnswer } from '../../src/server/answers.js';
import { RouteMemory } from '../../src/server/ready.js';
import { routeOf } from '../../src/server/routes.js';
import { listen } from '../../src/server/server.js';
import { newMirrorRig } from '../mirror/rig.js';
import { newLog } from '../client/rig.js';

t.test('ready or not, the answer is the same', async (t) => {
  const rig = await newMirrorRig(newLog(3000));
  const { mirror } = rig;
  const slow: Database = {
    name: mirror.name,
    latest: () => mirror.latest(),
    lookup: (module, version) => mirror.lookup(module, version),
    tile: (tile) => mirror.tile(tile),
  };
  const server = await listen('127.0.0.1', 0, { databases: [slow], page: () => textAnswer(200, '') });
  t.teardown(() => Promise.all([rig.close(), server.close(0)]));
  const shown = async (url: string, init: RequestInit = {}): Promise<unknown> => {
    const answer = await fetch(url, init);
    // each request has its own name, and only the mirror takes bulk queries
    const all = new Headers(answer.headers);
    for (const own of ['x-request-id', 'gosumcheck-bulk']) all.delete(own);
    const { date: at, ...headers } = Object.fromEntries(all);
    return { status: answer.status, headers, dated: at !== undefined, body: Buffer.from(await answer.arrayBuffer()).toString('latin1') };
  };
  for (const path of ['/latest', '/tile/8/0/001', '/tile/8/0/001.p/5', '/tile/8/0/011.p/184', '/lookup/example.com/!mod3@v1.3.0']) {
    for (const base of ['', `/sumdb/${mirror.name}`]) {
      await fetch(rig.url + base + path);
      const etag = (await fetch(rig.url + base + path)).headers.get('etag')!;
      for (const init of [{}, { method: 'HEAD' }, { headers: { 'if-none-match': etag } }, { headers: { 'if-none-match': '"x"' } }]) {
        t.strictSame(await shown(rig.url + base + path, init), await shown(server.url + base + path, init), `${base}${path} ${JSON.stringify(init)}`);
      }
    }
  }
});

t.test('what is ready is of the newest head', async (t) => {
  const rig = await newMirrorRig(newLog(3000));
  t.teardown(() => rig.close());
  const question = { kind: 'lookup', module: 'example.com/Mod3', version: 'v1.3.0' } as const;
  const wide = { kind: 'tile', tile: { level: 0, n: 11, width: 200 } } as const;
  t.equal(rig.mirror.ready(question), undefined);
  t.equal(rig.mirror.ready({ kind: 'latest' }), undefined);
  const first = await rig.mirror.lookup('example.com/Mod3', 'v1.3.0');
  await rig.mirror.tile({ level: 0, n: 11, width: 184 });
  t.equal(rig.mirror.ready(question), first);
  t.equal(rig.mirror.ready(wide), undefined, 'a tile that was narrower then');
  rig.log.fill(4000);
  await rig.mirror.refresh();
  t.equal(rig.mirror.ready(question), undefined);
  t.match(Buffer.from(rig.mirror.now(question) ?? []).toString(), '\n4000\n');
  t.equal(rig.mirror.ready(question), await rig.mirror.lookup('example.com/Mod3', 'v1.3.0'));
  await rig.mirror.tile(wide.tile);
  t.strictSame(rig.mirror.ready(wide), rig.log.tileBytes(wide.tile));
  t.strictSame(rig.mirror.ready({ kind: 'tile', tile: { level: 0, n: 11, width: 184 } }), rig.log.tileBytes({ level: 0, n: 11, width: 184 }));
});

t.test('routes that are remembered are those that are read', (t) => {
  const routes = new RouteMemory(['log.example']);
  const urls = Array.from({ length: 40_000 }, (_, i) => `/lookup/example.com/m${i}@v1.0.0`);
  for (const url of [...urls, ...urls.slice(0, 100)]) {
    const route = routes.routeOf(url);
    if (JSON.stringify(route) !== JSON.stringify(routeOf(url, ['log.example']))) t.fail(url);
  }
  t.equal(routes.routeOf('/latest'), routes.routeOf('/latest'), 'the same object');
  const long = `/lookup/example.com/${'a'.repeat(250)}@v1.0.0`;
  t.not(routes.routeOf(long), routes.routeOf(long), 'one too long to be kept');
  t.not(routes.routeOf('/nothing'), routes.routeOf('/nothing'), 'one that leads nowhere');
  t.end();
});
