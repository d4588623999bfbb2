/** Bulk queries: the verifying client against a served mirror, in both layouts. */

import t from 'tap';
import { SumDB, type Lookups } from '../../src/client/sumdb.js';
import type { Database } from '../../src/contract.js';
import { formatVerifierKey } from '../../src/core/key.js';
import { isGosumError } from '../../src/errors.js';
import type { Mirror } from '../../src/mirror/mirror.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { gatherer, turns, until } from '../wait.js';
import { FEW, LAYOUTS, lookup, modules, nameOf, newLog, right, seen, verdicts } from './many.js';
import { newMirrorRig } from './rig.js';

/** Answers as the mirror does, but late: what is asked together arrives before the first answer leaves. */
function slowly(mirror: Mirror): Database & { idle(): Promise<boolean> } {
  const gathered = gatherer();
  let open = 0;
  const late = async <T>(work: () => Promise<T>): Promise<T> => {
    open++;
    await gathered();
    return work().finally(() => open--);
  };
  return {
    name: mirror.name,
    latest: () => late(() => mirror.latest()),
    lookup: (module, version) => late(() => mirror.lookup(module, version)),
    tile: (tile) => late(() => mirror.tile(tile)),
    bulk: (query) => late(() => mirror.bulk(query)),
    idle: () => until(() => open === 0),
  };
}

t.test('a thousand modules in a handful of requests', async (t) => {
  const wanted = modules(1000);
  const log = newLog(wanted, 20_000);
  let late: ReturnType<typeof slowly> | undefined;
  const rig = await newMirrorRig(log, undefined, { bend: (mirror) => (late = slowly(mirror)) });
  /** Waits for the answers that nobody waits for any more. */
  const idle = async (): Promise<void> => {
    t.ok(await late?.idle());
    await turns(10);
  };
  await lookup(log, await rig.way('proxy'), wanted);
  await idle();
  seen(rig);
  for (const layout of LAYOUTS) {
    const store = openMemoryStore();
    const first = await lookup(log, await rig.way(layout), wanted, { store });
    t.strictSame(verdicts(first), right(log, wanted));
    t.strictSame([first.timeline, first.problem, first.head?.size], ['first-contact', undefined, 20_000]);
    await idle();
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
