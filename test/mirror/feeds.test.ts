import path from 'node:path';
import t, { type Test } from 'tap';
import type { RecentRecords, Store } from '../../src/contract.js';
import { parseModulePaths } from '../../src/core/modulepaths.js';
import { patternMatcher } from '../../src/core/pattern.js';
import { decodeUtf8 } from '../../src/core/text.js';
import { Feeds } from '../../src/mirror/feeds.js';
import { openStore } from '../../src/store/open.js';
import { madeUpHash, TestLog } from '../../src/testing/index.js';
import { KeyHash } from '../../src/whole/key.js';
import { keepIn, SALT } from './wholefile.js';

async function storeOf(t: Test): Promise<Store> {
  const { store } = await openStore({ file: path.join(t.testdir({}), 'data.db') });
  t.teardown(() => store.close());
  return store;
}

/** What a feed has: numbers of its records. */
function ids({ records }: RecentRecords): number[] {
  return records.map(({ id }) => id);
}

/** A store that counts what is read of it. */
function counted(store: Store): { store: Store; reads: { packs: number; parts: number; pages: number } } {
  const reads = { packs: 0, parts: 0, pages: 0 };
  const { log } = store;
  if (log === undefined) throw new Error('no room for a whole log');
  const counting = new Proxy(log, {
    get(target, name) {
      const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
      return (key: string, wanted: unknown, ...more: unknown[]): unknown => {
        if (name === 'packs' || name === 'parts' || name === 'pages') reads[name] += (wanted as number[]).length;
        return method.call(target, key, wanted, ...more);
      };
    },
  });
  const over = new Proxy(store, { get: (target, name) => (name === 'log' ? counting : Reflect.get(target, name)) as unknown });
  return { store: over, reads };
}

t.test('the newest records, with the time that they were first seen', async (t) => {
  const log = new TestLog('log.example');
  log.add('example.com/a', 'v1.0.0');
  log.add('example.com/a/b', 'v1.0.0');
  log.add('example.com/ab', 'v1.0.0');
  const store = await storeOf(t);
  await keepIn(store, log, { at: 1000 });
  log.fill(300).add('example.com/a', 'v1.1.0');
  log.add('example.com/a', 'v1.0.0', { module: madeUpHash('another') });
  await keepIn(store, log, { at: 2000 });
  const feeds = new Feeds(store, log.vkey, () => undefined);

  const one = await feeds.recent(parseModulePaths('example.com/a'), 50);
  t.match(one, {
    among: undefined,
    begun: 1000,
    records: [
      { id: 301, module: 'example.com/a', version: 'v1.0.0', seenAt: 2000, repeats: [0] },
      { id: 300, module: 'example.com/a', version: 'v1.1.0', seenAt: 2000, repeats: [] },
      { id: 0, module: 'example.com/a', version: 'v1.0.0', seenAt: 1000, repeats: [301] },
    ],
  });
  t.equal(one.records.length, 3);
  t.equal(decodeUtf8(one.records[1]!.text), decodeUtf8(log.text(300)));
  t.strictSame(ids(await feeds.recent(parseModulePaths('example.com/a'), 2)), [301, 300]);
  t.strictSame(ids(await feeds.recent(parseModulePaths('example.com/a/...'), 50)), [301, 300, 1, 0]);
  for (const none of ['example.com/none/...', 'example.com/none', 'example.co', 'example.com/fil']) {
    t.strictSame(ids(await feeds.recent(parseModulePaths(none), 50)), [], none);
  }

  log.add('example.com/a', 'v1.2.0');
  await keepIn(store, log, { at: 3000, unindexed: true });
  t.strictSame(ids(await feeds.recent(parseModulePaths('example.com/a'), 1)), [301], 'once it is indexed');
  await keepIn(store, log, { at: 3000 });
  t.match(await feeds.recent(parseModulePaths('example.com/a'), 1), { records: [{ id: 302, seenAt: 3000 }] }, 'it grows with the log');
});

t.test('below a prefix of many modules the newest records of the log are looked through', async (t) => {
  const log = new TestLog('log.example');
  log.add('other.example/a', 'v1.0.0');
  for (let i = 0; i < 300; i++) log.add(`team.example/m${i}`, 'v1.0.0');
  log.fill(16_900).add('team.example/m7', 'v1.1.0');
  log.fill(17_000).add('team.example/m9', 'v1.1.0');
  const store = await storeOf(t);
  await keepIn(store, log, { at: 1 });
  const { store: over, reads } = counted(store);
  const feeds = new Feeds(over, log.vkey, () => undefined);
  const all = await feeds.recent(parseModulePaths('...'), 50);
  t.strictSame(ids(all), Array.from({ length: 50 }, (_, i) => 17_000 - i));
  t.equal(all.among, undefined, 'these are the newest of all');
  t.ok(reads.packs <= 65 && reads.parts <= 50, `${reads.packs} packs, ${reads.parts} parts`);

  const some = await feeds.recent(parseModulePaths('team.example/...'), 50);
  t.strictSame([some.among, ids(some)], [16_384, [17_000, 16_900]], 'no further back than that');
  t.strictSame(ids(await feeds.recent(parseModulePaths('other.example/...'), 50)), [0], 'of few modules all, however old');
});

t.test('what is private is named nowhere', async (t) => {
  const log = new TestLog('log.example');
  log.add('example.com/open', 'v1.0.0');
  log.add('example.com/secret/a', 'v1.0.0');
  log.fill(400).add('example.com/open', 'v1.1.0');
  for (const module of ['team.example/a', 'team.example/secret', 'team.example/b', 'example.com/secret/b']) log.add(module, 'v1.0.0');
  const store = await storeOf(t);
  await keepIn(store, log);
  const feeds = new Feeds(store, log.vkey, patternMatcher('example.com/secret,*.corp.example,*/secret'));
  for (const name of ['example.com/secret/a', 'example.com/secret/...', 'example.com/secret', 'x.corp.example/...']) {
    await t.rejects(feeds.recent(parseModulePaths(name), 50), { code: 'NOT_FOUND' }, name);
  }
  t.strictSame(ids(await feeds.recent(parseModulePaths('example.com/open/...'), 50)), [400, 0]);
  const below = await feeds.recent(parseModulePaths('example.com/...'), 3);
  t.strictSame(ids(below), [400, 399, 398], 'of many modules');
  const few = new Feeds(store, log.vkey, patternMatcher('example.com/fill,example.com/secret'));
  t.strictSame(ids(await few.recent(parseModulePaths('example.com/...'), 50)), [400, 0], 'of which few may be named');
  t.strictSame(ids(await feeds.recent(parseModulePaths('team.example/...'), 50)), [403, 401], 'of few modules');
});

t.test('modules that share a key of the index', async (t) => {
  const hash = new KeyHash(SALT);
  const byKey = new Map<string, string>();
  let pair: readonly [string, string] | undefined;
  for (let i = 0; pair === undefined; i++) {
    const module = `example.com/m${i}`;
    const key = JSON.stringify(hash.moduleKey(module));
    const other = byKey.get(key);
    if (other !== undefined) pair = [other, module];
    byKey.set(key, module);
  }
  const [a, b] = pair;
  const log = new TestLog('log.example');
  for (const module of [a, b, b, a]) log.add(module, `v1.0.${log.size}`);
  const store = await storeOf(t);
  await keepIn(store, log);
  const feeds = new Feeds(store, log.vkey, () => undefined);
  t.strictSame(ids(await feeds.recent(parseModulePaths(a), 50)), [3, 0]);
  t.strictSame(ids(await feeds.recent(parseModulePaths(b), 50)), [2, 1]);
});

t.test('a file that was set aside for another', async (t) => {
  const log = new TestLog('log.example').fill(5);
  log.add('example.com/a', 'v1.0.0');
  let current = await storeOf(t);
  await keepIn(current, log, { at: 1 });
  const feeds = new Feeds(new Proxy(current, { get: (_, name) => Reflect.get(current, name) as unknown }), log.vkey, () => undefined);
  const paths = parseModulePaths('example.com/a');
  t.match(await feeds.recent(paths, 50), { records: [{ id: 5, seenAt: 1 }] });
  const { store } = await openStore({ file: path.join(t.testdir({}), 'other.db') });
  t.teardown(() => store.close());
  current = store;
  await keepIn(current, log, { at: 2, salt: new Uint8Array(16).fill(8) });
  t.match(await feeds.recent(paths, 50), { records: [{ id: 5, seenAt: 2 }] });
});

t.test('work is done once, with leave, and not where there is no whole log', async (t) => {
  const log = new TestLog('log.example').fill(300);
  const store = await storeOf(t);
  const { store: over, reads } = counted(store);
  const feeds = new Feeds(over, log.vkey, () => undefined);
  const paths = parseModulePaths('example.com/fill/...');
  t.equal(await feeds.areKept(), false);
  await t.rejects(feeds.recent(paths, 50), { code: 'NOT_FOUND' });
  await keepIn(store, log, { unindexed: true });
  t.equal(await feeds.areKept(), false, 'while the first sync goes on');
  await t.rejects(feeds.recent(paths, 50), { code: 'NOT_FOUND' });
  await keepIn(store, log);
  t.equal(await feeds.areKept(), true);

  let asked = 0;
  const caller = {
    admit: (): Promise<void> => {
      asked++;
      return Promise.resolve();
    },
  };
  const first = await feeds.recent(paths, 50, caller);
  t.equal(first.records.length, 50);
  const before = { ...reads };
  t.equal(await feeds.recent(paths, 50, caller), first);
  t.strictSame([reads, asked], [before, 1], 'remembered until the log has grown');
  await feeds.recent(parseModulePaths('example.com/fill/7'), 50, caller);
  t.equal(asked, 1, 'a single module needs no leave, as a lookup');
  const refuse = { admit: (): Promise<void> => Promise.reject(new Error('refused')) };
  await t.rejects(feeds.recent(parseModulePaths('example.com/...'), 50, refuse), { message: 'refused' });
});
