/** Sync: the whole log, proved and kept; what fails is named, and the rest still comes. */

import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Change, Store } from '../../src/contract.js';
import { GosumError, isGosumError } from '../../src/errors.js';
import { openWays } from '../../src/mirror/ways.js';
import { allOf, flipBit, forkedHead, noPartialTiles, serveLog, status, TestLog } from '../../src/testing/index.js';
import { WholeLog } from '../../src/whole/reader.js';
import { newMirrorRig } from './rig.js';
import { until } from '../wait.js';
import { fillMany, newSyncRig, packsOf } from './syncrig.js';

const SIZE = 5 * 256 + 77;

t.test('keeps the whole log, and what comes later', async (t) => {
  const log = fillMany(new TestLog(), SIZE);
  const rig = await newSyncRig(t, log);
  const store = await rig.open();
  const phases: string[] = [];
  let steps = 0;
  const progress = { phase: (name: string, total: number) => void phases.push(`${name} ${total}`), tick: (some = 1) => void (steps += phases.at(-1)?.startsWith('records') === true ? some : 0) };
  const sync = await rig.sync(store, { progress });
  const first = await sync.look();
  t.match(first, { records: SIZE, indexed: SIZE, failures: [], failed: 0, gaveUp: false });
  t.same(first.head, log.signedHead());
  t.ok(phases.includes(`records ${SIZE}`), 'the records are a phase of their own');
  t.equal(steps, SIZE);
  t.notOk(rig.upstream.requests.some((path) => /\/tile\/8\/0\/\d+$/.test(path)), 'full hash tiles of level 0 are computed');
  const whole = new WholeLog(store, rig.vkey);
  let wrong = 0;
  for (let id = 0; id < log.size; id++) if (Buffer.compare((await whole.record(id))?.text ?? new Uint8Array(), log.text(id)) !== 0) wrong++;
  t.equal(wrong, 0, 'byte for byte');

  const before = rig.upstream.requests.length;
  t.match(await sync.look(), { ...first, records: 0, took: Number }, 'nothing new');
  t.same(rig.upstream.requests.slice(before), ['/latest']);

  for (const size of [SIZE + 1, SIZE + 400, 8 * 256, 8 * 256 + 3]) {
    fillMany(log, size);
    const asked = rig.upstream.requests.length;
    const { head, indexed, records } = await sync.look();
    t.same([head.size, indexed], [size, size]);
    t.ok(records > 0);
    t.ok(rig.upstream.requests.slice(asked).filter((path) => path.includes('/data/')).length <= 3, 'only what is new is read');
  }
  t.same(await packsOf(store, rig.vkey, log.size), await rig.trueRows(), 'as if it had come at once');
  t.equal((await store.log?.pendingBuckets(rig.vkey))?.length, 0);
  t.same((await store.log?.seen(rig.vkey, 0))?.map(({ size }) => size), [SIZE, SIZE + 1, SIZE + 400, 8 * 256, 8 * 256 + 3]);
  t.same(rig.notices, []);
});

t.test('a partial tile that is gone is cut from the full one', async (t) => {
  const log = fillMany(new TestLog(), 600);
  const rig = await newSyncRig(t, log);
  const later = fillMany(log.clone(), 900);
  const all = await serveLog(later, { answer: allOf(noPartialTiles(later), forkedHead(log)) });
  t.teardown(() => all.close());
  const store = await rig.open();
  const sync = await rig.sync(store, { source: await rig.way(all.url) });
  const { indexed, failures } = await sync.look();
  t.same([indexed, failures], [600, []]);
  t.same(await packsOf(store, rig.vkey, 600), await rig.trueRows());
});

/** The bit that makes the first space of every record tile a control character. */
const TO_CONTROL = 8 * 'example.com/user0/repo0'.length + 5;

for (const [lied, bit] of [['/tile/8/data/002', 8 * 100], ['/tile/8/data/005.p/77', 8 * 5000 + 3], ['/tile/8/data/000', TO_CONTROL + 8]] as const) {
  t.test(`a lie is named, all else is kept, and another way may have the truth: ${lied}`, async (t) => {
    const log = fillMany(new TestLog(), SIZE);
    const rig = await newSyncRig(t, log, flipBit(lied, bit));
    const store = await rig.open();
    const sync = await rig.sync(store);
    const { records, indexed, failures, failed } = await sync.look();
    t.same(failures.map(({ code }) => code), ['TILE_MISMATCH'], lied);
    t.match(failures[0]?.message, lied.slice(1));
    t.equal(failed, 1);
    const n = Number(lied.slice(13, 16));
    const width = n === 5 ? 77 : 256;
    t.same([records, indexed], [SIZE - width, n * 256], lied);
    const whole = new WholeLog(store, rig.vkey);
    t.equal((await whole.find('example.com/user1/repo1', 'v1.1.0')).length, n === 0 ? 0 : 1, 'what is kept can be looked up');

    const good = await serveLog(log);
    t.teardown(() => good.close());
    const ways = openWays([await rig.way(), await rig.way(good.url)]);
    const { records: more, indexed: all, failures: none } = await (await rig.sync(store, { source: ways })).look();
    t.same([more, all, none], [width, SIZE, []], 'by the other way');
    t.same(await packsOf(store, rig.vkey, SIZE), await rig.trueRows());
  });
}

t.test('upstream is cut in the middle, and comes back', async (t) => {
  const log = fillMany(new TestLog(), 40 * 256 + 5);
  let left = 17;
  const rig = await newSyncRig(t, log, (request, answer) => (request.path.includes('/data/') && left-- <= 0 ? { ...answer, status: 400, body: new Uint8Array() } : answer));
  const store = await rig.open();
  const sync = await rig.sync(store);
  const { records, failures, gaveUp, indexed } = await sync.look();
  t.equal(records, 17 * 256, 'what came is kept');
  t.ok(gaveUp, 'nobody is asked for ever');
  t.ok(failures.every((failure) => failure.outcome === 'unreachable'));
  t.equal(indexed, 0, 'the index waits');
  t.ok(rig.upstream.requests.filter((path) => path.includes('/data/')).length < 41);
  left = Infinity;
  const again = await (await rig.sync(store)).look();
  t.same([again.records, again.indexed, again.failures], [log.size - 17 * 256, log.size, []]);
  t.same(await packsOf(store, rig.vkey, log.size), await rig.trueRows());
});

for (const code of [403, 404]) {
  t.test(`data tiles are refused with ${code}: it is said, and what can be done`, async (t) => {
    const log = fillMany(new TestLog(), 20 * 256);
    const rig = await newSyncRig(t, log, status(code, /\/data\//));
    const { failures, gaveUp } = await (await rig.sync(await rig.open())).look();
    t.ok(gaveUp);
    t.same([failures[0]?.code, failures[0]?.retryable], ['UNREACHABLE', false]);
    t.match(failures[0]?.hint, '--way');
    t.ok(rig.upstream.requests.filter((path) => path.includes('/data/')).length <= 20);
  });
}

t.test('a hash tile above that is a lie: named, and no record is taken under it', async (t) => {
  const log = fillMany(new TestLog(), 65536 + 300);
  const rig = await newSyncRig(t, log, flipBit('/tile/8/1/000', 99));
  const store = await rig.open();
  const error: unknown = await (await rig.sync(store)).look().catch((failure: unknown) => failure);
  t.ok(isGosumError(error, 'TILE_MISMATCH'));
  t.equal((await store.log?.gaps(rig.vkey, log.size))?.[0]?.lo, 0);
});

t.test('a fork: the evidence is kept, and nothing more is taken', async (t) => {
  const log = fillMany(new TestLog(), 700);
  const fork = fillMany(log.clone(), 800);
  const rig = await newSyncRig(t, log);
  const store = await rig.open();
  const sync = await rig.sync(store);
  await sync.look();
  fork.add('example.com/forked', 'v1.0.0');
  log.add('example.com/other', 'v1.0.0');
  fillMany(log, 900);
  await sync.look();
  fillMany(fork, 1000);
  const bad = await serveLog(fork);
  t.teardown(() => bad.close());
  const other = await rig.sync(store, { source: await rig.way(bad.url) });
  const packs = await packsOf(store, rig.vkey, 900);
  for (const each of [other, sync]) {
    const error: unknown = await each.look().catch((failure: unknown) => failure);
    t.ok(isGosumError(error, 'FORK'), 'also by the honest way, until a person decides');
  }
  t.equal((await store.evidence()).length, 1);
  t.same(await packsOf(store, rig.vkey, 900), packs);
});

t.test('a server on the same file takes a newer head meanwhile', async (t) => {
  const log = fillMany(new TestLog(), 30 * 256);
  const rig = await newSyncRig(t, log);
  const server = await newMirrorRig(log, await rig.open());
  t.teardown(() => server.close());
  let moved = 0;
  rig.upstream.answer = async (request, answer) => {
    if (request.path === '/tile/8/data/020') {
      fillMany(log, log.size + 50);
      await server.mirror.refresh();
      moved = server.mirror.state.head?.size ?? 0;
    }
    return answer;
  };
  const store = await rig.open();
  const sync = await rig.sync(store, { concurrency: 1 });
  const { indexed, failures } = await sync.look();
  t.equal(moved, 30 * 256 + 50);
  t.same([indexed, failures], [30 * 256, []], 'what was proved under the older head is as true');
  t.equal((await sync.look()).indexed, 30 * 256 + 50);
  t.same(await packsOf(store, rig.vkey, log.size), await rig.trueRows());
});

t.test('ends when it is told to, and what was proved is kept', async (t) => {
  const log = fillMany(new TestLog(), 30 * 256);
  const rig = await newSyncRig(t, log);
  const store = await rig.open();
  const controller = new AbortController();
  const { signal } = controller;
  let proved = 0;
  let records = false;
  const progress = { phase: (name: string) => void (records = name === 'records'), tick: (some = 1) => void (proved += records ? some : 0) };
  // tiles up to 12 are answered; when these are proved it is told to end, and the others come too late
  rig.upstream.answer = async (request, answer) => {
    if (!signal.aborted && Number(/\/data\/(\d+)$/.exec(request.path)?.[1] ?? 0) > 12) {
      await until(() => proved >= 13 * 256);
      controller.abort(new Error('enough'));
    }
    return answer;
  };
  const sync = await rig.sync(store, { concurrency: 1, progress });
  await t.rejects(sync.look(signal), { message: 'enough' });
  t.same(await store.log?.gaps(rig.vkey, log.size), [{ lo: 13, hi: 30 }], 'what came before');
  t.equal((await sync.look()).indexed, log.size);
});

/** A store on the same file, before whose first call of a method something else happens. */
function interposed(store: Store, method: 'newest' | 'tiles', happens: () => Promise<void>): { store: Store; arm: () => void } {
  let armed = false;
  const proxy = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        const result: unknown = await value.apply(target, args);
        if (name === method && armed) {
          armed = false;
          await happens();
        }
        return result;
      };
    },
  });
  return { store: proxy, arm: () => void (armed = true) };
}

t.test('a commit that a server was faster than is made again', async (t) => {
  const log = fillMany(new TestLog(), 2 * 256);
  const rig = await newSyncRig(t, log);
  const server = await newMirrorRig(log, await rig.open());
  t.teardown(() => server.close());
  const { store, arm } = interposed(await rig.open(), 'newest', async () => {
    fillMany(log, log.size + 50);
    await server.mirror.refresh();
  });
  rig.upstream.answer = (request, answer) => {
    if (request.path === '/tile/8/data/001') arm();
    return answer;
  };
  const { indexed, failures } = await (await rig.sync(store, { concurrency: 1 })).look();
  t.equal(server.mirror.state.head?.size, 2 * 256 + 50, 'the head had moved between the look and the commit');
  t.same([indexed, failures], [2 * 256, []]);
});

t.test('a head that moves while the tiles above are proved', async (t) => {
  const log = fillMany(new TestLog(), 2 * 256 + 9);
  const rig = await newSyncRig(t, log);
  const server = await newMirrorRig(log, await rig.open());
  t.teardown(() => server.close());
  const { store, arm } = interposed(await rig.open(), 'tiles', async () => {
    log.fill(log.size + 1000);
    await server.mirror.refresh();
  });
  let proofs = 0;
  const phase = (name: string): void => {
    if (name === 'proving' && ++proofs === 2) arm(); // the first is of the head itself
  };
  const { head, indexed, failures } = await (await rig.sync(store, { progress: { phase, tick: () => undefined } })).look();
  t.equal(head.size, 2 * 256 + 9 + 1000, 'the newer one is synced');
  t.same([indexed, failures], [head.size, []]);
  t.same((await packsOf(store, rig.vkey, head.size)).filter((pack) => pack === 'none'), []);
});

t.test('a server that asks for patience gets it', async (t) => {
  const log = fillMany(new TestLog(), 20 * 256);
  let refused = 4;
  const later = status(429, /data/, { 'retry-after': '1' });
  const rig = await newSyncRig(t, log, (request, answer) => (request.path.includes('/data/') && refused-- > 0 ? later(request, answer) : answer));
  const since = performance.now();
  const { failures } = await (await rig.sync(await rig.open())).look();
  t.same(failures, []);
  t.ok(performance.now() - since >= 1000);
});

t.test('nothing but lies: it gives up', async (t) => {
  const log = fillMany(new TestLog(), 120 * 256);
  const rig = await newSyncRig(t, log, flipBit(/data/, 800));
  const { records, failed, gaveUp, failures } = await (await rig.sync(await rig.open())).look();
  t.same([records, gaveUp], [0, true]);
  t.equal(failed, 64);
  t.ok(failures.every(({ code }) => code === 'TILE_MISMATCH'));
});

t.test('a store that fails while it is given up is heard of', async (t) => {
  const log = fillMany(new TestLog(), 40 * 256);
  let refused = 0;
  const rig = await newSyncRig(t, log, (request, answer) => {
    if (!request.path.includes('/data/')) return answer;
    if (request.path.endsWith('/000')) {
      arm();
      return answer;
    }
    refused++;
    return { ...answer, status: 400, body: new Uint8Array() };
  });
  const { store, arm } = interposed(await rig.open(), 'newest', async () => {
    while (refused < 8) await sleep(5);
    await sleep(100);
    throw new GosumError('STORE_FAILED', 'the disk has gone');
  });
  await t.rejects((await rig.sync(store, { tilesAtOnce: 1 })).look(), { code: 'STORE_FAILED', message: 'the disk has gone' });
});

t.test('a file that is cleaned between two looks gets everything again, module paths too', async (t) => {
  const log = fillMany(new TestLog(), 600);
  const rig = await newSyncRig(t, log);
  const store = await rig.open();
  const sync = await rig.sync(store);
  await sync.look();
  const modules = await store.log?.modules(rig.vkey, '', '', 1000);
  t.ok((modules?.length ?? 0) > 10);
  await store.clean();
  t.same(await store.log?.modules(rig.vkey, '', '', 1000), []);
  t.match(await sync.look(), { records: 600, indexed: 600 });
  t.same(await store.log?.modules(rig.vkey, '', '', 1000), modules);
});

t.test('a commit that fails leaves no module path out for ever', async (t) => {
  const log = fillMany(new TestLog(), 1200);
  const rig = await newSyncRig(t, log);
  const store = await rig.open();
  let failures = 0;
  const failing = new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (property !== 'commit') return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
      return (key: string, change: Change): Promise<boolean> => {
        if (failures > 0 || change.log?.packs === undefined) return store.commit(key, change);
        failures++;
        return Promise.reject(new GosumError('STORE_FAILED', 'the disk is full'));
      };
    },
  });
  const sync = await rig.sync(failing, { tilesAtOnce: 1 });
  await t.rejects(sync.look(), { code: 'STORE_FAILED' });
  t.equal(failures, 1);
  t.match(await sync.look(), { indexed: 1200, failed: 0 });
  const other = await rig.open('other.db');
  await (await rig.sync(other)).look();
  t.same(await store.log?.modules(rig.vkey, '', '', 2000), await other.log?.modules(rig.vkey, '', '', 2000));
});
