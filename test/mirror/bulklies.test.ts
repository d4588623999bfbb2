/** Bulk queries to servers that lie, fail, or do not take them: the verdict is right all the same. */

import t from 'tap';
import { SumDB } from '../../src/client/sumdb.js';
import type { Database } from '../../src/contract.js';
import { makeBulk } from '../../src/core/bulk.js';
import { checkFork } from '../../src/core/fork.js';
import { formatVerifierKey } from '../../src/core/key.js';
import type { ModuleVersion } from '../../src/core/module.js';
import { planTiles } from '../../src/core/plan.js';
import type { Mirror } from '../../src/mirror/mirror.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { serveLog, type Answer, type TestLog } from '../../src/testing/index.js';
import { FEW, LAYOUTS, lookup, newLog, right, seen, verdicts } from './many.js';
import { newMirrorRig, wayTo } from './rig.js';

/** A database that announces bulk queries and answers them as it likes. */
function answering(mirror: Mirror, bulk: NonNullable<Database['bulk']>): Database {
  return { name: mirror.name, latest: () => mirror.latest(), lookup: (...of) => mirror.lookup(...of), tile: (tile) => mirror.tile(tile), bulk };
}

/** A true bulk answer of a log, under its head of `size`; `missing` leaves out a record more. */
function bulkOf(log: TestLog, size: number, old: number, wanted: readonly ModuleVersion[], { leaveOut = 0, missing = 0 } = {}): Uint8Array {
  const head = log.signedHead(size);
  const given = wanted.slice(leaveOut + missing).filter((each) => (log.idOf(each.module, each.version) ?? Infinity) < size);
  const records = given.map(({ module, version }) => {
    const id = log.idOf(module, version) ?? 0;
    return { id, text: log.text(id) };
  });
  const plan = planTiles(head, { records: records.map(({ id }) => id), links: old > 0 && old < size ? [old] : [] });
  const gone = wanted.slice(leaveOut).filter((each) => !given.includes(each));
  return makeBulk(plan.authenticate(plan.tiles.map((tile) => log.tileBytes(tile))), head, old, records, gone.map((each) => ({ ...each, status: 410 })));
}

/** Lies, and what a client says of them. */
const LIES: Record<string, { bulk: (log: TestLog, old: number, wanted: readonly ModuleVersion[]) => Uint8Array; notice: boolean }> = {
  'a hash of another': { notice: true, bulk: (log, old, wanted) => bulkOf(log, log.size, old, wanted).map((byte, i, all) => (i === all.length - 40 ? byte ^ 1 : byte)) },
  'a record left out': { notice: true, bulk: (log, old, wanted) => bulkOf(log, log.size, old, wanted, { leaveOut: 1 }) },
  'all missing': { notice: false, bulk: (log, old, wanted) => bulkOf(log, log.size, old, wanted, { missing: wanted.length }) },
  'half missing': { notice: false, bulk: (log, old, wanted) => bulkOf(log, log.size, old, wanted, { missing: 20 }) },
  'an older head': { notice: false, bulk: (log, old, wanted) => bulkOf(log, 2900, Math.min(old, 2900), wanted) },
  'cut short': { notice: false, bulk: (log, old, wanted) => bulkOf(log, log.size, old, wanted).slice(0, -1) },
  'nothing': { notice: false, bulk: () => new Uint8Array() },
};

t.test('bulk answers that lie', async (t) => {
  const log = newLog(FEW, 3000);
  const key = formatVerifierKey(log.key);
  let lie: (typeof LIES)[string]['bulk'];
  const rig = await newMirrorRig(log, undefined, { bend: (mirror) => answering(mirror, async ({ old, wanted }) => lie(log, old, wanted)) });
  const root = await rig.way();
  for (const [name, { bulk, notice }] of Object.entries(LIES)) {
    lie = bulk;
    for (const layout of LAYOUTS) {
      const store = openMemoryStore();
      await lookup(log, root, [], { store, fresh: true }); // it knows the newest head
      seen(rig);
      const notices: string[] = [];
      const lookups = await lookup(log, await rig.way(layout), FEW, { store, notice: (text) => notices.push(text) });
      t.strictSame(verdicts(lookups), right(log, FEW), `${name}, ${layout}`);
      t.strictSame([lookups.problem, lookups.timeline, lookups.head?.size], [undefined, 'consistent', 3000]);
      t.equal(seen(rig).routes.bulk, 1, 'it is asked once');
      t.equal(notices.length, notice ? 1 : 0, notices.join());
      t.strictSame(await store.evidence(), []);
      t.strictSame(verdicts(await new SumDB({ key, store }).lookup(FEW)), right(log, FEW), 'what is kept is true');
    }
  }
  await rig.close();
});

t.test('a bulk answer of a fork is reported, with evidence', async (t) => {
  const log = newLog(FEW, 3000);
  const fork = newLog(FEW, 2990);
  fork.add('example.com/evil', 'v1.0.0');
  fork.fill(3500);
  for (const layout of LAYOUTS) {
    const rig = await newMirrorRig(log, undefined, { bend: (mirror) => answering(mirror, async ({ old, wanted }) => bulkOf(fork, 3500, old, wanted)) });
    const store = openMemoryStore();
    await lookup(log, await rig.way(), [], { store, fresh: true });
    seen(rig);
    const lookups = await lookup(log, await rig.way(layout), FEW, { store });
    t.strictSame([lookups.timeline, lookups.problem?.code], ['fork', 'FORK']);
    t.strictSame(new Set(Object.values(verdicts(lookups))), new Set(['FORK']));
    if (layout === 'proxy') t.strictSame(seen(rig).routes, { supported: 1, bulk: 1 }, 'nothing is asked after that');
    const [evidence] = await store.evidence();
    t.ok(evidence);
    if (evidence !== undefined) checkFork(evidence, log.key);
    t.equal((await store.newest(formatVerifierKey(log.key)))?.size, 3000, 'the timeline stands still');
    t.equal((await store.stats()).databases[0]?.receipts, 0);
    await rig.close();
  }
});

t.test('a head that the go command has seen is checked beside a bulk answer', async (t) => {
  const log = newLog(FEW, 3000);
  const fork = newLog(FEW, 2500);
  fork.add('example.com/evil', 'v1.0.0');
  const rig = await newMirrorRig(log);
  for (const [head, timeline] of [[log.head(2000), 'first-contact'], [fork.head(), 'fork']] as const) {
    const cache = { label: 'cache', read: async (path: string) => (path === '/latest' ? head : undefined), close: async () => undefined };
    const lookups = await lookup(log, await rig.way('proxy'), FEW, { caches: [cache] });
    t.equal(lookups.timeline, timeline);
    t.match(seen(rig).routes, { supported: 1, bulk: 1, lookup: undefined, latest: undefined });
  }
  await rig.close();
});

t.test('a timeline that moves while a bulk query is under way', async (t) => {
  const log = newLog(FEW, 3000);
  const store = openMemoryStore();
  const rig = await newMirrorRig(log, undefined, {
    bend: (mirror) =>
      answering(mirror, async ({ old, wanted }) => {
        const answer = bulkOf(log, 3000, old, wanted);
        log.fill(4000);
        await lookup(log, direct, FEW.slice(0, 1), { store }); // somebody else goes forward
        return answer;
      }),
  });
  const direct = await wayTo(rig.upstream.url, log);
  const lookups = await lookup(log, await rig.way('proxy'), FEW, { store });
  t.strictSame(verdicts(lookups), right(log, FEW));
  t.strictSame([lookups.head?.size, lookups.problem], [4000, undefined]);
  t.strictSame(verdicts(await new SumDB({ key: log.key, store }).lookup(FEW)), right(log, FEW), 'all of it was kept');
  await direct.close();
  await rig.close();
});

t.test('servers that announce bulk queries and do not answer them', async (t) => {
  const log = newLog(FEW, 3000);
  const announced = { 'gosumcheck-bulk': 'v2, v1' };
  const page = { status: 200, headers: { 'content-type': 'text/html' }, body: new TextEncoder().encode('<html>Sign in</html>') };
  const answers: Record<string, () => Answer | Promise<Answer>> = {
    'an HTML page': () => page,
    'a failure': () => ({ ...page, status: 500 }),
    'not found': () => ({ ...page, status: 404 }),
    'forbidden': () => ({ ...page, status: 403 }),
    'a redirect': () => ({ ...page, status: 307, headers: { location: '/bulk/v1' } }),
    'a connection lost': () => ({ ...page, dropAfter: 0 }),
    'no answer ever': () => new Promise<never>(() => undefined),
  };
  const run = async (name: string, answer: () => Answer | Promise<Answer>, layout: (typeof LAYOUTS)[number]): Promise<void> => {
    let posts = 0;
    const served = await serveLog(log, {
      answer: ({ method, path }, ordinary) => {
        if (method !== 'POST') return ['/latest', '/supported'].includes(path) ? { ...ordinary, headers: { ...ordinary.headers, ...announced } } : ordinary;
        t.equal(path, '/bulk/v1');
        posts++;
        return answer();
      },
    });
    const source = await wayTo(served.url, log, layout, name === 'no answer ever' ? 2500 : 60_000);
    const lookups = await lookup(log, source, FEW);
    t.strictSame(verdicts(lookups), right(log, FEW), `${name}, ${layout}`);
    t.equal(lookups.problem, undefined);
    t.equal(posts, ['a failure', 'a connection lost'].includes(name) ? 4 : 1, `${name}: tries`);
    await source.close();
    await served.close();
  };
  await Promise.all(Object.entries(answers).flatMap(([name, answer]) => LAYOUTS.map((layout) => run(name, answer, layout))));
});

t.test('a server without bulk queries sees what it always saw', async (t) => {
  const log = newLog(FEW, 3000);
  const served = await serveLog(log);
  for (const layout of LAYOUTS) {
    const asked: string[][] = [];
    for (const bulk of [true, false]) {
      const source = await wayTo(served.url, log, layout);
      const before = served.requests.length;
      await lookup(log, bulk ? source : { label: source.label, read: (...of) => source.read(...of), close: () => source.close() }, FEW);
      asked.push(served.requests.slice(before).sort());
      await source.close();
    }
    t.ok((asked[0]?.length ?? 0) > 40);
    t.strictSame(asked[0], asked[1], layout);
    t.notOk(asked[0]?.some((path) => path.includes('bulk')));
  }
  await served.close();
});
