/** A whole log in a file: gathered, merged, read. */

import path from 'node:path';
import t, { type Test } from 'tap';
import type { Change, Store } from '../../src/contract.js';
import { planTiles, type ProvedTree } from '../../src/core/plan.js';
import { newestHead, linkedHead } from '../../src/core/timeline.js';
import { DATA_LEVEL, TILE_WIDTH, tileInTree } from '../../src/core/tile.js';
import { isGosumError } from '../../src/errors.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { TestLog } from '../../src/testing/testlog.js';
import { LogBatch } from '../../src/whole/batch.js';
import { KeyHash, newSalt, SALT_SIZE } from '../../src/whole/key.js';
import { mergePending } from '../../src/whole/merge.js';
import { workHere } from '../../src/whole/pool.js';
import { WholeLog } from '../../src/whole/reader.js';
import { anyDriver } from '../store/anydriver.js';

/** A log of `size` records, some modules with many versions, one record odd, one version twice. */
function newLog(size: number): TestLog {
  const log = new TestLog();
  for (let i = 0; i < size; i++) log.add(`example.com/m${i % 97}`, `v1.${i}.0`);
  return log;
}

function provedTree(log: TestLog): ProvedTree {
  const { size } = log;
  const tiles = Array.from({ length: Math.floor(size / TILE_WIDTH ** 2) + 1 }, (_, n) => tileInTree(1, n, size));
  tiles.push(tileInTree(0, Math.floor(size / TILE_WIDTH), size));
  const plan = planTiles(log.treeHead(), { tiles: tiles.filter((tile) => tile !== undefined) });
  return plan.authenticate(plan.tiles.map((tile) => log.tileBytes(tile)));
}

/** Keeps the records of some data tiles of a log, unmerged, and its head. */
async function keep(store: Store, log: TestLog, salt: Uint8Array, tiles: readonly number[], batch = new LogBatch()): Promise<void> {
  const tree = provedTree(log);
  const pool = workHere(salt);
  for (const n of tiles) {
    const { width } = tileInTree(0, n, log.size)!;
    batch.add(tree, await pool.run({ kind: 'tile', n, width, bytes: log.tileBytes({ level: DATA_LEVEL, n, width }) }));
  }
  const newest = await store.newest(log.vkey);
  const heads = [];
  if (newest?.size !== log.size) heads.push(newestHead(tree, log.signedHead()));
  if (newest !== undefined && newest.size !== log.size) {
    const plan = planTiles(log.treeHead(), { links: [newest.size] });
    heads.push(linkedHead(plan.authenticate(plan.tiles.map((tile) => log.tileBytes(tile))), newest));
  }
  const change: Change = { name: log.name, expect: newest?.size, heads, tiles: tree.tiles, receipts: [], log: { salt, ...batch.change() } };
  if (!(await store.commit(log.vkey, change))) throw new Error('not committed');
  batch.committed();
}

function all(log: TestLog): number[] {
  return Array.from({ length: Math.ceil(log.size / TILE_WIDTH) }, (_, n) => n);
}

function openFile(t: Test): Store {
  const store = openSqliteStore(anyDriver(), path.join(t.testdir(), 'log.db'));
  t.teardown(() => store.close());
  return store;
}

t.test('every record is found, and the tiles are the log’s', async (t) => {
  const log = newLog(1000);
  log.addText('example.com/m5 v1.5.0/go.mod h1:eA==\n');
  log.addText('nothing\n');
  log.addText('example.com/two v1.0.0 h1:eA==\nexample.com/other v1.0.0 h1:eA==\n');
  const store = openFile(t);
  await keep(store, log, newSalt(), all(log));
  const phases: string[] = [];
  const progress = { phase: (name: string, total: number) => phases.push(name, ...Array.from({ length: total }, () => 'tick due')), tick: () => phases.push('tick') };
  const whole = new WholeLog(store, log.vkey);
  t.strictSame(await whole.find('example.com/m5', 'v1.5.0'), [], 'pending entries stand in no page');
  t.equal(await mergePending(store, log.name, log.vkey, { progress }), 1003);
  t.equal(phases[0], 'building the index');
  const ticks = phases.filter((each) => each === 'tick').length;
  t.ok(ticks > 50 && ticks === phases.filter((each) => each === 'tick due').length, `${ticks} buckets, as was said before`);
  t.equal((await whole.state())?.indexed, 1003);
  t.strictSame(await store.log!.pendingBuckets(log.vkey), []);
  for (let id = 0; id < 1000; id++) {
    if (id === 5) continue;
    const found = await whole.find(`example.com/m${id % 97}`, `v1.${id}.0`);
    if (found.length !== 1 || found[0]!.id !== id || Buffer.compare(found[0]!.text, log.text(id)) !== 0) t.fail(`record ${id}`);
  }
  t.strictSame((await whole.find('example.com/m5', 'v1.5.0')).map(({ id }) => id), [5, 1000], 'a version that the log repeats');
  t.strictSame((await whole.find('example.com/two', 'v1.0.0')).map(({ id }) => id), [1002]);
  t.strictSame((await whole.find('example.com/other', 'v1.0.0')).map(({ id }) => id), [1002], 'by each of its names');
  for (const [module, version] of [['example.com/m5', 'v1.6.0'], ['example.com/m', 'v1.5.0'], ['example.com/m5', 'v1.5.0/go.mod'], ['nothing', ''], ['', '']] as const) {
    t.strictSame(await whole.find(module, version), [], `${module}@${version}`);
  }
  const versions = Array.from({ length: 1000 }, (_, i) => i).filter((i) => i % 97 === 5).map((id) => ({ version: `v1.${id}.0`, id }));
  t.strictSame(await whole.versions('example.com/m5'), [versions[0], { version: 'v1.5.0', id: 1000 }, ...versions.slice(1)]);
  t.strictSame(await whole.versions('example.com/m'), []);

  for (const id of [0, 255, 256, 999, 1001, 1002]) t.strictSame((await whole.record(id))?.text, log.text(id), `record ${id}`);
  t.equal(await whole.record(1003), undefined);
  t.equal(await whole.record(2000), undefined);
  for (const [n, width] of [[0, 256], [2, 100], [3, 235], [3, 1]] as const) {
    t.strictSame(await whole.hashTile(n, width), log.tileBytes({ level: 0, n, width }), `hash tile ${n}, ${width}`);
    t.strictSame(await whole.dataTile(n, width), log.tileBytes({ level: DATA_LEVEL, n, width }), `data tile ${n}, ${width}`);
  }
  t.equal(await whole.hashTile(3, 236), undefined);
  t.equal(await whole.dataTile(4, 1), undefined);

  const modules = [];
  for await (const module of whole.modules('example.com/m1')) modules.push(module);
  t.strictSame(modules, ['example.com/m1', ...Array.from({ length: 10 }, (_, i) => `example.com/m1${i}`)]);
});

t.test('many at once: what cannot be had of one is not missed of others', async (t) => {
  const log = newLog(1000);
  const file = path.join(t.testdir(), 'log.db');
  const store = openSqliteStore(anyDriver(), file);
  t.teardown(() => store.close());
  await keep(store, log, newSalt(), all(log));
  await mergePending(store, log.name, log.vkey);
  const connection = anyDriver().open(file);
  connection.exec('UPDATE pack SET data = zeroblob(100) WHERE n = 1 AND part = 8');
  connection.close();
  const whole = new WholeLog(store, log.vkey);
  const nameOf = (id: number): { module: string; version: string } => ({ module: `example.com/m${id % 97}`, version: `v1.${id}.0` });
  const ids = [10, 384, 383, 399, 400, 10];
  const found = await whole.findMany([...ids.map(nameOf), { module: 'none', version: 'v1.0.0' }]);
  const said = found.map((each) => (isGosumError(each) ? each.code : each.map(({ id }) => id)));
  t.strictSame(said, [[10], 'STORE_FAILED', [383], 'STORE_FAILED', [400], [10], []]);
  await t.rejects(whole.find('example.com/m93', 'v1.384.0'), { code: 'STORE_FAILED' });
  t.strictSame([await whole.record(384), (await whole.record(400))?.text], [undefined, log.text(400)], 'a part that decayed is one of 16 records');
  t.equal(await whole.hashTile(1, 256), undefined);
});

t.test('more module paths than are read at once, and a merge that is ended between two commits', async (t) => {
  const log = new TestLog();
  for (let i = 0; i < 6000; i++) log.add(`example.com/m${i}`, 'v1.0.0');
  const store = openFile(t);
  await keep(store, log, newSalt(), all(log));
  const before = await store.log!.pendingBuckets(log.vkey);
  const ending = new AbortController();
  const reason = new Error('ended');
  let ticks = 0;
  const progress = {
    phase: () => undefined,
    tick: () => {
      ticks++;
      ending.abort(reason);
    },
  };
  await t.rejects(mergePending(store, log.name, log.vkey, { signal: ending.signal, progress }), reason);
  t.ok(ticks > 0 && ticks < before.length, `${ticks} of ${before.length} buckets are merged`);
  t.strictSame(await store.log!.pendingBuckets(log.vkey), before.slice(ticks));
  t.equal((await store.log!.state(log.vkey))?.indexed, 0);
  t.equal(await mergePending(store, log.name, log.vkey), 6000, 'it goes on from there');
  for (let i = 0; i < 6000; i += 11) {
    const found = await new WholeLog(store, log.vkey).find(`example.com/m${i}`, 'v1.0.0');
    if (found.length !== 1 || found[0]!.id !== i) t.fail(`record ${i}`);
  }
  const modules = [];
  for await (const module of new WholeLog(store, log.vkey).modules('example.com/')) modules.push(module);
  t.strictSame(modules, Array.from({ length: 6000 }, (_, i) => `example.com/m${i}`).sort());
});

t.test('a merge lets others have a turn between two commits', async (t) => {
  const log = new TestLog();
  for (let i = 0; i < 6000; i++) log.add(`example.com/m${i}`, 'v1.0.0');
  const store = openFile(t);
  await keep(store, log, newSalt(), all(log));
  const ending = new AbortController();
  const reason = new Error('a person has pressed Ctrl-C');
  setImmediate(() => ending.abort(reason));
  await t.rejects(mergePending(store, log.name, log.vkey, { signal: ending.signal }), reason);
  t.ok((await store.log!.pendingBuckets(log.vkey)).length > 0);
});

t.test('a log that is kept in parts, ended while it is merged, and grows', async (t) => {
  const log = newLog(900);
  const store = openFile(t);
  const salt = newSalt();
  const batch = new LogBatch();
  const whole = new WholeLog(store, log.vkey);
  await keep(store, log, salt, [0, 2], batch);
  t.equal(await mergePending(store, log.name, log.vkey), 256, 'no further than to the gap');
  t.equal((await whole.find('example.com/m26', 'v1.511.0')).length, 0);
  t.equal((await whole.find(`example.com/m${600 % 97}`, 'v1.600.0')).length, 1, 'what is behind the gap is in the pages too');
  await keep(store, log, salt, [1, 3], batch);
  t.equal((await whole.state())?.indexed, 256);
  t.equal(await mergePending(store, log.name, log.vkey), 900);
  log.add('example.com/new', 'v1.0.0');
  t.equal(await mergePending(store, log.name, log.vkey), 900, 'nothing new is kept');
  // the last tile comes again, wider: its entries are pending twice
  await keep(store, log, salt, [3], batch);
  t.equal(await mergePending(store, log.name, log.vkey), 901);
  t.strictSame((await whole.find('example.com/new', 'v1.0.0')).map(({ id }) => id), [900]);
  t.strictSame((await whole.find(`example.com/m${899 % 97}`, 'v1.899.0')).map(({ id }) => id), [899], 'found once');
  let entries = 0;
  for (let n = 0; n < 65536; n += 4096) {
    const pages = await store.log!.pages(log.vkey, Array.from({ length: 4096 }, (_, i) => n + i));
    for (const page of pages) entries += (page?.entries.length ?? 0) / 8;
  }
  t.equal(entries, 901, 'each entry stands in its page once');
});

t.test('what another adds while buckets are merged is not lost', async (t) => {
  const log = newLog(512);
  const store = openFile(t);
  const salt = newSalt();
  await keep(store, log, salt, [0]);
  let added = false;
  const meddled = new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (property !== 'commit') return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
      return async (key: string, change: Change): Promise<boolean> => {
        // just before the merge commits, the other comes
        if (!added) {
          added = true;
          await keep(store, log, salt, [1]);
        }
        return store.commit(key, change);
      };
    },
  });
  await mergePending(meddled, log.name, log.vkey);
  t.ok(added);
  t.equal(await mergePending(store, log.name, log.vkey), 512);
  const whole = new WholeLog(store, log.vkey);
  for (let id = 0; id < 512; id++) {
    if ((await whole.find(`example.com/m${id % 97}`, `v1.${id}.0`)).length !== 1) t.fail(`record ${id}`);
  }
});

t.test('a tile that is not the log’s does not come in', async (t) => {
  const log = newLog(300);
  const pool = workHere(newSalt());
  const batch = new LogBatch();
  const bytes = log.tileBytes({ level: DATA_LEVEL, n: 0, width: 256 });
  const at = Buffer.from(bytes).indexOf('v1.7.0');
  bytes[at + 1]! ^= 2;
  const work = await pool.run({ kind: 'tile', n: 0, width: 256, bytes });
  t.throws(() => batch.add(provedTree(log), work), { code: 'TILE_MISMATCH', path: 'tile/8/data/000' });
  t.strictSame([batch.records, batch.change().packs.length, batch.change().modules.length], [0, 0, 0]);
});

t.test('a batch leaves out module paths that it has committed', async (t) => {
  const log = newLog(512);
  const batch = new LogBatch();
  const store = openFile(t);
  const salt = new Uint8Array(SALT_SIZE); // with another one two paths might have one place, and one come again
  await keep(store, log, salt, [0], batch);
  const work = await workHere(salt).run({ kind: 'tile', n: 1, width: 256, bytes: log.tileBytes({ level: DATA_LEVEL, n: 1, width: 256 }) });
  batch.add(provedTree(log), work);
  t.strictSame(batch.change().modules, []);
  t.equal(batch.records, 256);
  batch.drop();
  t.equal(batch.records, 0);
  batch.add(provedTree(log), work);
  t.equal(batch.change().modules.length, 97, 'what was dropped keeps nothing out');
  batch.committed();
  batch.forget();
  batch.add(provedTree(log), work);
  t.equal(batch.change().modules.length, 97, 'nor what was not committed');
});

t.test('names with one key are told apart by their records', async (t) => {
  const salt = newSalt();
  const hash = new KeyHash(salt);
  // two of some thousand share 24 bits
  const [a, b] = sameOf((i) => `example.com/m${i}`, (name) => JSON.stringify(hash.moduleKey(name)));
  const [v, w] = sameOf((i) => `v1.${i}.0`, (name) => String(hash.key('', name).rest));
  const log = new TestLog();
  const names = [[a, v], [b, v], [a, w], [b, w]] as const;
  for (const [module, version] of names) {
    log.add(module, version);
    t.strictSame(hash.key(module, version), hash.key(a, v));
  }
  const store = openFile(t);
  await keep(store, log, salt, [0]);
  t.equal(await mergePending(store, log.name, log.vkey), 4);
  const whole = new WholeLog(store, log.vkey);
  for (const [id, [module, version]] of names.entries()) t.strictSame((await whole.find(module, version)).map((found) => found.id), [id]);
  t.strictSame((await whole.versions(b)).map(({ id }) => id).sort(), [1, 3]);
});

/** Two names that have the same of something. */
function sameOf(name: (i: number) => string, of: (name: string) => string): [string, string] {
  const seen = new Map<string, string>();
  for (let i = 0; ; i++) {
    const [mine, what] = [name(i), of(name(i))];
    const other = seen.get(what);
    if (other !== undefined) return [other, mine];
    seen.set(what, mine);
  }
}

t.test('a store without room', async (t) => {
  t.throws(() => new WholeLog(openMemoryStore(), 'key'), { code: 'STORE_FAILED' });
  const error: unknown = await mergePending(openMemoryStore(), 'name', 'key').catch((caught: unknown) => caught);
  t.ok(isGosumError(error, 'STORE_FAILED') && error.hint !== undefined);
  const store = openFile(t);
  const whole = new WholeLog(store, new TestLog().vkey);
  t.strictSame(await whole.find('a', 'v1.0.0'), [], 'of a key that is not known');
  t.strictSame(await whole.versions('a'), []);
});
