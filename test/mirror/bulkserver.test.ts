/** Bulk queries, seen from the mirror: what it asks upstream for, and what it refuses. */

import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { openMemoryStore } from '../../src/store/memory.js';
import { FEW, lookup, modules, newLog, right, seen, verdicts } from './many.js';
import { newMirrorRig, wayTo } from './rig.js';

t.test('the mirror asks upstream for each thing once, and is cut off', async (t) => {
  const log = newLog(FEW, 3000);
  const rig = await newMirrorRig(log);
  const single = fetch(`${rig.url}/lookup/example.com/!many/m7@v1.7.0`).then((answer) => answer.text());
  const ways = [await rig.way('proxy'), await rig.way('proxy')];
  const both = await Promise.all(ways.map((way) => lookup(log, way, FEW)));
  for (const each of both) t.strictSame(verdicts(each), right(log, FEW));
  await single;
  const asked = rig.asked().filter((path) => path.startsWith('/lookup/'));
  t.strictSame([asked.length, new Set(asked).size], [40, 40]);
  seen(rig);

  rig.cut();
  t.strictSame(verdicts(await lookup(log, await rig.way('proxy'), FEW)), right(log, FEW), 'cut off, all that is kept is proved');
  t.match(seen(rig).routes, { bulk: 1, lookup: undefined, tile: undefined });
  t.strictSame(rig.asked(), []);
  const other = log.clone();
  other.add('example.com/new', 'v1.0.0');
  t.match(verdicts(await lookup(log, await rig.way('proxy'), [...FEW, { module: 'example.com/new', version: 'v1.0.0' }])), {
    ...right(log, FEW),
    'example.com/new@v1.0.0': /^(NOT_FOUND|HTTP_STATUS)$/,
  });
  await rig.close();
});

t.test('a client that has seen more makes the mirror look', async (t) => {
  const log = newLog(FEW, 3000);
  const rig = await newMirrorRig(log);
  await rig.mirror.open();
  await lookup(log, await rig.way('proxy'), FEW);
  await sleep(1000); // the mirror looks once a second at most
  log.fill(4000);
  const direct = await wayTo(rig.upstream.url, log);
  const store = openMemoryStore();
  await lookup(log, direct, [], { store, fresh: true });
  seen(rig);
  const lookups = await lookup(log, await rig.way('proxy'), FEW, { store });
  t.strictSame([lookups.head?.size, lookups.timeline], [4000, 'consistent']);
  t.strictSame(seen(rig).routes, { supported: 1, bulk: 1 });
  await direct.close();
  await rig.close();
});

t.test('the same query is answered once, for one head, unless something was missing', async (t) => {
  const log = newLog(FEW, 3000);
  const rig = await newMirrorRig(log);
  t.teardown(() => rig.close());
  const query = { old: 0, wanted: FEW };
  const both = await Promise.all([rig.mirror.bulk(query), rig.mirror.bulk(query)]);
  t.equal(both[0], both[1], 'who comes while it is made');
  t.equal(await rig.mirror.bulk(query), both[0], 'and who comes later');
  t.notSame(await rig.mirror.bulk({ ...query, old: 100 }), both[0]);
  t.notSame(await rig.mirror.bulk({ ...query, wanted: FEW.slice(1) }), both[0]);
  const missing = { old: 0, wanted: [...FEW, { module: 'example.com/new', version: 'v1.0.0' }] };
  t.not(await rig.mirror.bulk(missing), await rig.mirror.bulk(missing));
  log.fill(4000);
  await rig.mirror.refresh();
  const after = await rig.mirror.bulk(query);
  t.match(Buffer.from(after).toString('latin1'), '\n4000\n');
  t.equal(await rig.mirror.bulk(query), after);

  const ahead = { ...query, old: 5000 };
  await rig.mirror.bulk(ahead);
  rig.asked();
  await rig.mirror.bulk(ahead);
  t.ok(rig.asked().includes('/latest'), 'who is ahead makes the mirror look each time');
});

t.test('the limits of a query over HTTP', async (t) => {
  const log = newLog(FEW, 3000);
  const rig = await newMirrorRig(log);
  const ask = async (body: string, path = '/bulk/v1', method = 'POST'): Promise<[number, string | null, string]> => {
    const answer = await fetch(rig.url + path, method === 'POST' ? { method, body } : { method });
    const text = new TextDecoder('latin1').decode(await answer.arrayBuffer());
    return [answer.status, answer.headers.get('content-type'), text.split('\n', 1)[0] ?? ''];
  };
  const one = 'example.com/Many/m1 v1.1.0\n';
  t.strictSame(await ask(`old 0\n${one}`), [200, 'application/octet-stream', 'gosumcheck/bulk@v1']);
  t.strictSame((await ask(`old 0\n${one}`, `/sumdb/${log.name}/bulk/v1`))[0], 200);
  rig.asked();
  const many = modules(5001).map(({ module, version }) => `${module} ${version}\n`);
  for (const bad of ['', 'old 0\n', `old 00\n${one}`, `old 0\n${one}${one}`, `old 0\n${one.slice(0, -1)}`, 'old 0\n../x v1.0.0\n', `old 0\n${many.join('')}`]) {
    t.equal((await ask(bad))[0], 400, bad.slice(0, 60));
  }
  t.equal((await ask('x'.repeat(1_000_001)))[0], 413);
  for (const method of ['GET', 'HEAD', 'PUT']) {
    const answer = await fetch(`${rig.url}/bulk/v1`, { method });
    t.strictSame([answer.status, answer.headers.get('allow')], [405, 'POST'], method);
  }
  for (const path of ['/latest', '/healthz', `/sumdb/${log.name}/supported`]) {
    const answer = await fetch(rig.url + path, { method: 'POST', body: '' });
    t.strictSame([answer.status, answer.headers.get('allow')], [405, 'GET, HEAD'], path);
  }
  t.equal((await ask(`old 0\n${one}`, '/sumdb/other.example/bulk/v1'))[0], 404);
  t.strictSame(rig.asked(), [], 'what is malformed goes no further');
  for (const path of ['/latest', `/sumdb/${log.name}/supported`]) t.equal((await fetch(rig.url + path)).headers.get('gosumcheck-bulk'), 'v1');
  await rig.close();

  const plain = await newMirrorRig(log, undefined, { bend: () => log });
  t.equal((await fetch(`${plain.url}/latest`)).headers.get('gosumcheck-bulk'), null, 'no bulk, no announcement');
  t.equal((await fetch(`${plain.url}/bulk/v1`, { method: 'POST', body: `old 0\n${one}` })).status, 404);
  await plain.close();
});
