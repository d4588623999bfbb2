/** Damage to what a merge builds the index on: no entry is lost, and none without a word. Judged by an audit. */

import { copyFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import type { Change, Store } from '../../src/contract.js';
import { openServerStore } from '../../src/store/server.js';
import { KeyHash } from '../../src/whole/key.js';
import { mergePending } from '../../src/whole/merge.js';
import { keepWhole, usualLog, usualName, wholeFile } from './auditfile.js';
import { auditOf } from './auditrig.js';
import { flip, isWhole, rowsOf, sqlOn } from './flipped.js';
import { newSyncRig, type SyncRig } from './syncrig.js';

const [BEFORE, SIZE] = [1200, 1500];
const log = usualLog(SIZE);
/** 1200 records in the pages of the index, 300 pending. */
let origin: string;

t.before(async () => {
  origin = await wholeFile(path.join(t.testdir(), 'origin.db'), usualLog(BEFORE));
  const store = await openServerStore({ file: origin, keys: [log.key], notice: () => undefined });
  await keepWhole(store, log, { merge: false });
  await store.close();
});

const PENDING = 'SELECT bucket AS number, data, digest FROM pending ORDER BY length(data) DESC, bucket';
/** Pages of the index into which something pending goes. */
const PAGES = 'SELECT page AS number, data, digest FROM entry WHERE page / 256 IN (SELECT bucket FROM pending) ORDER BY page';

/** A copy of the file, what is flipped in it, and a served log to sync it with. */
async function damaged(t: Test, damage: (file: string) => void): Promise<{ rig: SyncRig; file: string; store: Store }> {
  const rig = await newSyncRig(t, log);
  const file = path.join(rig.folder, 'sumdb.db');
  copyFileSync(origin, file);
  damage(file);
  return { rig, file, store: await rig.open() };
}

t.test('a bit that was flipped in a pending row: its entries are made anew', async (t) => {
  const [row] = rowsOf(origin, PENDING);
  const { rig, file, store } = await damaged(t, (file) => flip(file, row!));
  t.ok((await auditOf(file)).names.includes(`false pending ${row!.number} STORE_FAILED`), 'it is damaged');
  const { indexed, failures } = await (await rig.sync(store)).look();
  t.same([indexed, failures], [SIZE, []]);
  t.match(rig.notices, [new RegExp(`pending entries of bucket ${row!.number} .* not as it was written`)]);
  t.strictSame(await store.log?.pendingBuckets(rig.vkey), []);
  await isWhole(t, store, file, log);
});

t.test('a bit that was flipped in a page of the index that is merged into', async (t) => {
  const hash = new KeyHash(new Uint8Array(rowsOf(origin, 'SELECT 0 AS number, salt AS data, digest FROM loginfo')[0]!.data));
  const into = new Set(Array.from({ length: SIZE - BEFORE }, (_, i) => hash.key(...usualName(BEFORE + i)).page));
  const row = rowsOf(origin, PAGES).find(({ number }) => into.has(number));
  const { rig, file, store } = await damaged(t, (file) => flip(file, row!));
  t.equal((await (await rig.sync(store)).look()).indexed, SIZE);
  t.match(rig.notices, [new RegExp(`index page ${row!.number} .* not as it was written`)]);
  await isWhole(t, store, file, log);
});

t.test('many rows, more than are made anew at once, and ended between', async (t) => {
  const { rig, file, store } = await damaged(t, (file) => sqlOn(file, 'UPDATE pending SET digest = zeroblob(32) WHERE bucket % 3 > 0'));
  const bad = (await store.log!.pendingBuckets(rig.vkey)).filter((bucket) => bucket % 3 > 0);
  t.ok(bad.length > 2 * 16, `${bad.length} buckets`);
  const ending = new AbortController();
  const reason = new Error('ended');
  const phases: string[] = [];
  let [total, ticks] = [0, 0];
  const progress = {
    phase: (name: string, steps: number) => {
      if (phases.length > 0) t.equal(ticks, total, `${phases.at(-1)!}: as many steps as were said`);
      if (phases.push(name) === 3) ending.abort(reason);
      [total, ticks] = [steps - (phases.length === 1 ? bad.length : 0), 0];
    },
    tick: (steps = 1) => {
      ticks += steps;
    },
  };
  await t.rejects(mergePending(store, log.name, rig.vkey, { progress, signal: ending.signal }), reason);
  t.strictSame(phases, ['building the index', 'building the index anew', 'building the index anew']);
  t.strictSame(await store.log!.pendingBuckets(rig.vkey), bad.slice(16), 'what is not damaged is merged first');
  t.equal((await store.log!.state(rig.vkey))?.indexed, BEFORE);
  t.equal(await mergePending(store, log.name, rig.vkey), SIZE, 'it goes on from there');
  await isWhole(t, store, file, log);
});

t.test('a tile that is not kept is passed over, and its entries come with it', async (t) => {
  const { rig, file, store } = await damaged(t, (file) => sqlOn(file, 'UPDATE pending SET digest = zeroblob(32); DELETE FROM pack WHERE n = 2'));
  t.equal(await mergePending(store, log.name, rig.vkey), BEFORE, 'as far as it was before');
  t.strictSame(await store.log!.pendingBuckets(rig.vkey), []);
  t.equal((await (await rig.sync(store)).look()).indexed, SIZE);
  await isWhole(t, store, file, log);
});

t.test('where the records are damaged as well, nothing is lost but time', async (t) => {
  const [row] = rowsOf(origin, PENDING);
  const { rig, file, store } = await damaged(t, (file) => {
    flip(file, row!);
    flip(file, rowsOf(file, 'SELECT n AS number, data, digest FROM pack WHERE n = 2 AND part = 1')[0]!);
  });
  const said = { code: 'STORE_FAILED', message: /tile\/8\/data\/002/, hint: /sync --data NEWFILE/ };
  await t.rejects((await rig.sync(store)).look(), said);
  t.strictSame(await store.log!.pendingBuckets(rig.vkey), [row!.number]);
  t.equal((await store.log!.state(rig.vkey))?.indexed, BEFORE);
  const { names } = await auditOf(file);
  t.strictSame(names.filter((name) => name.includes('pending')), [`false pending ${row!.number} STORE_FAILED`], 'the rest is merged');
});

t.test('a row of no bucket', async (t) => {
  const { rig, store } = await damaged(t, (file) => sqlOn(file, 'UPDATE pending SET bucket = 300 WHERE id = (SELECT min(id) FROM pending)'));
  await t.rejects((await rig.sync(store)).look(), { code: 'STORE_FAILED', message: /no bucket 300/, hint: /sync --data NEWFILE/ });
  t.equal((await store.log!.state(rig.vkey))?.indexed, BEFORE);
});

t.test('what another adds meanwhile is not lost', async (t) => {
  const grown = usualLog(SIZE + 200);
  const { file, store } = await damaged(t, (file) => sqlOn(file, 'UPDATE pending SET digest = zeroblob(32)'));
  let commits = 0;
  const meddled = new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (property !== 'commit') return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
      return async (key: string, change: Change): Promise<boolean> => {
        // just before what was made anew is committed, the other comes
        if (++commits === 1) await keepWhole(store, grown, { merge: false });
        return store.commit(key, change);
      };
    },
  });
  await mergePending(meddled, log.name, log.vkey);
  t.ok(commits > 2);
  t.equal(await mergePending(store, log.name, log.vkey), SIZE + 200);
  await isWhole(t, store, file, grown);
});

t.test('a file that is cleaned while it is merged', async (t) => {
  const { rig, store } = await damaged(t, () => undefined);
  let cleaned: Promise<void> | undefined;
  const progress = { phase: () => (cleaned ??= store.clean()), tick: () => undefined };
  await t.rejects(mergePending(store, log.name, rig.vkey, { progress }), { code: 'STORE_FAILED', hint: /run sync again/ });
  await cleaned;
});
