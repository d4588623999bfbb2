/** Bulk queries: the verifying client against a served mirror, in both layouts. */

import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { SumDB, type Lookups } from '../../src/client/sumdb.js';
import type { Database } from '../../src/contract.js';
import { formatVerifierKey } from '../../src/core/key.js';
import { isGosumError } from '../../src/errors.js';
import type { Mirror } from '../../src/mirror/mirror.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { FEW, LAYOUTS, lookup, modules, nameOf, newLog, right, seen, verdicts } from './many.js';
import { newMirrorRig, wayTo } from './rig.js';

/** Answers as the mirror does, but late: what is asked together arrives before the first answer leaves. */
function slowly(mirror: Mirror, milliseconds: number): Database {
  const late = async <T>(work: () => Promise<T>): Promise<T> => {
    await sleep(milliseconds);
    return work();
  };
  return {
    name: mirror.name,
    latest: () => late(() => mirror.latest()),
    lookup: (module, version) => late(() => mirror.lookup(module, version)),
    tile: (tile) => late(() => mirror.tile(tile)),
    bulk: (query) => late(() => mirror.bulk(query)),
  };
}

t.test('a thousand modules in a handful of requests', async (t) => {
  const wanted = modules(1000);
  const log = newLog(wanted, 20_000);
  const rig = await newMirrorRig(log, undefined, { bend: (mirror) => slowly(mirror, 100) });
  await lookup(log, await rig.way('proxy'), wanted);
  seen(rig);
  for (const layout of LAYOUTS) {
    const store = openMemoryStore();
    const first = await lookup(log, await rig.way(layout), wanted, { store });
    t.strictSame(verdicts(first), right(log, wanted));
    t.strictSame([first.timeline, first.problem, first.head?.size], ['first-contact', undefined, 20_000]);
    await sleep(300); // for the answers that nobody waits for any more
    const { routes, rounds } = seen(rig);
    const { lookup: lookups = 0, ...others } = routes;
    t.strictSame(others, layout === 'proxy' ? { supported: 1, bulk: 1 } : { latest: 1, bulk: 1 }, layout);
    t.ok(layout === 'proxy' ? lookups === 0 : lookups < 70, `${lookups} lookups went out before it was announced`);
    t.ok(rounds <= 3, `${rounds} rounds`);
    const second = await lookup(log, await rig.way(layout), wanted, { store });
    t.strictSame(verdicts(second), right(log, wanted));
    t.ok([...second.results.values()].every((result) => !isGosumError(result) && result.cached));
    t.strictSame(seen(rig).routes, {}, 'a warm run asks nothing');
  }
  await rig.close();
});

t.test('a second batch continues the timeline, and an older one stays proved', async (t) => {
  const log = newLog(FEW, 3000);
  for (const layout of LAYOUTS) {
    const rig = await newMirrorRig(log.clone());
    const store = openMemoryStore();
    await lookup(log, await rig.way(layout), FEW.slice(0, 20), { store });
    rig.log.fill(5000);
    await rig.mirror.refresh();
    seen(rig);
    const grown = await lookup(log, await rig.way(layout), FEW, { store });
    t.strictSame([grown.timeline, grown.head?.size], ['consistent', 5000]);
    t.strictSame(verdicts(grown), right(log, FEW));
    t.match(seen(rig).routes, { bulk: 1, tile: undefined });
    t.strictSame((await store.timeline(formatVerifierKey(log.key), 0)).map(({ size, next }) => [size, next?.size]), [[3000, 5000], [5000, undefined]]);
    t.strictSame(verdicts(await new SumDB({ key: log.key, store }).lookup(FEW)), right(log, FEW), 'from receipts of both heads');
    const fresh = await lookup(log, await rig.way(layout), FEW, { store, fresh: true });
    t.equal(fresh.problem, undefined);
    t.match(seen(rig).routes, { bulk: undefined, latest: 1 }, 'nothing is missing: the newest head alone is asked for');
    await rig.close();
  }
});

t.test('a trusted head', async (t) => {
  const log = newLog(FEW, 3000);
  const fork = newLog(FEW, 2500).fill(2501);
  fork.add('example.com/evil', 'v1.0.0');
  for (const layout of LAYOUTS) {
    const rig = await newMirrorRig(log);
    const run = async (trustedHead: Uint8Array, store = openMemoryStore(), wanted = FEW): Promise<Lookups> =>
      lookup(log, await rig.way(layout), wanted, { store, trustedHead });
    for (const size of [0, 700, 3000]) {
      const store = openMemoryStore();
      const trusted = await run(log.head(size), store);
      t.strictSame([trusted.timeline, trusted.problem], [size === 0 ? 'first-contact' : 'consistent', undefined], `of ${size}`);
      t.strictSame(verdicts(trusted), right(log, FEW));
      t.match(seen(rig).routes, { bulk: 1, tile: undefined });
      if (size === 0) continue;
      await run(log.head(size), store);
      t.strictSame(seen(rig).routes, {}, 'it was proved to lie on the timeline');
    }
    const known = openMemoryStore();
    await run(log.head(3000), known, FEW.slice(0, 20));
    seen(rig);
    t.strictSame(verdicts(await run(log.head(700), known)), right(log, FEW));
    t.match(seen(rig).routes, { bulk: undefined }, 'another trusted head beside a timeline is tied to it the ordinary way');
    const forked = await run(fork.head());
    t.equal(forked.timeline, 'fork');
    t.strictSame(new Set(Object.values(verdicts(forked))), new Set(['FORK']));
    rig.cut();
    const behind = await run(log.clone().fill(3100).head());
    t.equal(behind.problem?.code, 'HEAD_TOO_OLD');
    await rig.close();
  }
});

t.test('what the mirror does not give is asked for the ordinary way', async (t) => {
  const log = newLog(FEW, 3000);
  const unknown = { module: 'example.com/none', version: 'v1.0.0' };
  const secret = { module: 'corp.example/secret', version: 'v1.0.0' };
  log.add(secret.module, secret.version);
  const wanted = [unknown, ...FEW, secret];
  for (const layout of LAYOUTS) {
    const rig = await newMirrorRig(log, undefined, { skippedBy: (module) => (module === secret.module ? 'corp.example' : undefined) });
    const lookups = await lookup(log, await rig.way(layout), wanted);
    t.strictSame(verdicts(lookups), { ...right(log, wanted), [nameOf(secret)]: 'NOT_FOUND' });
    t.equal(lookups.problem, undefined);
    const { routes } = seen(rig);
    t.match(routes, { bulk: 1, tile: undefined });
    if (layout === 'proxy') t.equal(routes.lookup, 2);
    t.notOk(rig.asked().some((path) => path.includes('secret')), 'its name goes nowhere');
    await rig.close();
  }
});

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
