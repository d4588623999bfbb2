/** What a log of one's own refuses: to sign a fork, to record half of something, to record two things of one version. */

import { copyFileSync, existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { newSignerKey } from '../../src/core/key.js';
import type { TreeHead } from '../../src/core/treehead.js';
import { madeUpHash } from '../../src/testing/index.js';
import { planTiles } from '../../src/core/plan.js';
import { newestHead } from '../../src/core/timeline.js';
import { LogBatch } from '../../src/whole/batch.js';
import { KeyHash, newSalt } from '../../src/whole/key.js';
import { workTile } from '../../src/whole/work.js';
import { openCell } from '../../src/store/cell.js';
import { anyDriver } from '../store/anydriver.js';
import { NAME, openLog, record, records, VKEY, type OpenLog } from './rig.js';

/** Copies a data file as a backup would, with all that belongs to it. */
async function backUp(folder: string, from: string, to: string): Promise<void> {
  for (const end of ['', '-wal', '-shm']) {
    rmSync(path.join(folder, `${to}${end}`), { force: true });
    if (existsSync(path.join(folder, `${from}${end}`))) copyFileSync(path.join(folder, `${from}${end}`), path.join(folder, `${to}${end}`));
  }
}

async function headOf({ database }: OpenLog): Promise<TreeHead> {
  const { size, hash } = await database.head();
  return { size, hash };
}

t.test('a restored backup, and a second copy, sign nothing', async (t) => {
  const folder = t.testdir();
  const open = openLog(t, folder);
  await open.log.begin();
  await open.log.add(records(0, 10));
  await backUp(folder, 'log.db', 'backup.db');
  await open.log.add(records(10, 20));
  const head = await headOf(open);

  const restored = openLog(t, folder, { data: 'backup.db' });
  t.equal((await headOf(restored)).size, 10);
  await t.rejects(restored.log.add(records(50, 51)), { code: 'SIGNING_REFUSED' });
  await t.rejects(restored.log.add(records(0, 1)), { code: 'SIGNING_REFUSED' }, 'not even what it has already');
  await t.rejects(restored.log.begin(), { code: 'SIGNING_REFUSED' });
  await t.rejects(restored.log.sign(), { code: 'SIGNING_REFUSED' });
  await t.rejects(restored.log.recover(), { code: 'SIGNING_REFUSED' });
  await t.rejects(restored.log.takeData(), { code: 'SIGNING_REFUSED' }, 'never goes back');
  t.equal((await headOf(restored)).size, 10);

  const elsewhere = openLog(t, folder, { at: 'none.state' });
  await t.rejects(elsewhere.log.add(records(50, 51)), { code: 'SIGNING_REFUSED' }, 'without a state');
  await t.rejects(elsewhere.log.begin(), { code: 'SIGNING_REFUSED' });
  const emptied = openLog(t, folder, { data: 'new.db' });
  await t.rejects(emptied.log.begin(), { code: 'SIGNING_REFUSED' }, 'nor is the log begun anew');
  await t.rejects(emptied.log.add(records(50, 51)), { code: 'CONFIG_INVALID' });

  t.same(await headOf(open), head);
  t.equal((await open.log.add(records(20, 21))).head.size, 21, 'the true one goes on');
});

t.test('a restored state signs nothing, until a person says that the data are the newest', async (t) => {
  const folder = t.testdir();
  const open = openLog(t, folder);
  await open.log.begin();
  await open.log.add(records(0, 10));
  await backUp(folder, 'log.state', 'old.state');
  await open.log.add(records(10, 300));
  const old = openLog(t, folder, { at: 'old.state' });
  await t.rejects(old.log.add(records(300, 301)), { code: 'SIGNING_REFUSED' });
  t.equal((await old.log.takeData()).size, 300);
  t.equal((await old.log.add(records(300, 301))).head.size, 301);
  const lost = openLog(t, folder, { at: 'lost.state' });
  t.equal((await lost.log.takeData()).size, 301);
  t.equal((await lost.log.add(records(301, 302))).head.size, 302);

  const other = openLog(t, folder, { data: 'other.db', at: 'other.state' });
  await other.log.begin();
  await other.log.add(records(1000, 1290));
  const fork = openLog(t, folder, { at: 'other.state' });
  await t.rejects(fork.log.takeData(), { code: 'SIGNING_REFUSED' }, 'of another tree');
  const foreign = openCell(path.join(folder, 'foreign.state'));
  await foreign.hold((held) => held.swap(Buffer.from(`other.example\ngo.sum database tree\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n`)));
  await t.rejects(openLog(t, folder, { at: 'foreign.state' }).log.takeData(), { code: 'SIGNING_REFUSED' }, 'of another log');
  await other.store.close();
  await t.rejects(openLog(t, folder, { at: 'other.db' }).log.recover(), { code: 'STORE_FAILED' }, 'a store is no state');
});

t.test('a copy that was staged elsewhere signs nothing', async (t) => {
  const folder = t.testdir();
  const open = openLog(t, folder);
  await open.log.begin();
  await open.log.add(records(0, 5));
  // a copy of the data in which another batch is on its way
  const stop = new Error('stopped');
  const dying = openLog(t, folder, {
    reached: (step) => {
      if (step === 'staged') throw stop;
    },
  });
  await t.rejects(dying.log.add(records(100, 103)), stop);
  await backUp(folder, 'log.db', 'copy.db');
  t.equal((await open.log.add(records(5, 6))).head.size, 9, 'finished, and one more');
  await t.rejects(openLog(t, folder, { data: 'copy.db' }).log.recover(), { code: 'SIGNING_REFUSED' });
});

t.test('all of the records, or nothing', async (t) => {
  const folder = t.testdir();
  const open = openLog(t, folder);
  await open.log.begin();
  await open.log.add(records(0, 300));
  const head = await headOf(open);
  const other = madeUpHash('other');
  const cases: Record<string, [string, readonly ReturnType<typeof record>[]]> = {
    'another hash of the module': ['HASH_MISMATCH', [record('example.com/m7', 'v1.0.0', { h1: other })]],
    'another hash of the go.mod': ['HASH_MISMATCH', [record('example.com/m7', 'v1.0.0', { goMod: other })]],
    'two hashes among the new ones': ['HASH_MISMATCH', [record('example.com/new'), record('example.com/new', 'v1.0.0', { h1: other })]],
    'no h1': ['H1_MALFORMED', [record('example.com/new', 'v1.0.0', { h1: other.replace('h1:', 'h2:') })]],
    'another spelling of an h1': ['H1_MALFORMED', [record('example.com/new', 'v1.0.0', { goMod: other.replace(/.=$/, (end) => `${String.fromCharCode(end.charCodeAt(0) + 1)}=`) })]],
    'no canonical version': ['VERSION_MALFORMED', [record('example.com/new', 'v1.0')]],
    'a version with a newline': ['VERSION_MALFORMED', [record('example.com/new', 'v1.0.0\n')]],
    'no module path': ['MODULE_PATH_MALFORMED', [record('new')]],
  };
  for (const [what, [code, bad]] of Object.entries(cases)) {
    await t.rejects(open.log.add([...records(300, 310), ...bad]), { code }, what);
    t.same(await headOf(open), head, what);
  }
  t.same(await open.log.add([...records(290, 310), ...records(305, 310)]), { added: 10, known: 15, head: await headOf(open) });
  t.equal((await headOf(open)).size, 310);
  await t.rejects(open.database.lookup('example.com/new', 'v1.0.0'), { code: 'NOT_FOUND' });
});

t.test('two that add at once', async (t) => {
  const folder = t.testdir();
  const logs = [openLog(t, folder), openLog(t, folder), openLog(t, folder)];
  const [first] = logs;
  await Promise.all(logs.map(({ log }) => log.begin()));
  await Promise.all(logs.flatMap(({ log }, i) => [log.add(records(i * 100, i * 100 + 60)), log.add(records(i * 100 + 60, i * 100 + 100))]));
  t.equal((await headOf(first!)).size, 300);
  for (let i = 0; i < 300; i += 7) await first!.database.lookup(`example.com/m${i}`, 'v1.0.0');
  await first!.log.recover();
  const impatient = openLog(t, folder, { patience: 50 });
  await first!.state.hold(() => t.rejects(impatient.log.add(records(0, 1)), { code: 'STORE_FAILED' }, 'waits for its turn, and not for ever'));
  const ended = AbortSignal.abort(new Error('ended'));
  await t.rejects(first!.log.add(records(0, 1), { signal: ended }), /ended/);
});

t.test('a key that is not the log’s', async (t) => {
  const folder = t.testdir();
  await openLog(t, folder).log.begin();
  await t.rejects(openLog(t, folder, { keys: [newSignerKey(NAME)] }).log.add(records(0, 1)), { code: 'KEY_CHANGED' });
});

t.test('a copy that a mirror has made takes the place of the data, with entries of the index that are pending', async (t) => {
  const folder = t.testdir();
  const open = openLog(t, folder);
  await open.log.begin();
  const { head } = await open.log.add(records(0, 300));
  const copy = openLog(t, folder, { data: 'copy.db' });
  const plan = planTiles(head, { tiles: [{ level: 0, n: 1, width: 44 }, { level: 1, n: 0, width: 1 }] });
  const tree = plan.authenticate(await Promise.all(plan.tiles.map((tile) => open.database.tile(tile))));
  const salt = newSalt();
  const batch = new LogBatch();
  for (const [n, width] of [[0, 256], [1, 44]] as const) {
    batch.add(tree, workTile({ kind: 'tile', n, width, bytes: await open.database.tile({ level: -1, n, width }) }, new KeyHash(salt)));
  }
  const signed = { ...head, note: await open.database.latest() };
  const tiles = tree.tiles.filter(({ tile }) => tile.level > 0);
  t.ok(await copy.store.commit(VKEY, { name: NAME, expect: undefined, heads: [newestHead(tree, signed)], tiles, receipts: [], log: { salt, ...batch.change() } }));
  const wanted = [{ module: 'example.com/m7', version: 'v1.0.0' }];
  await t.rejects(copy.database.lookup('example.com/m7', 'v1.0.0'), { code: 'STORE_FAILED' }, 'not NOT_FOUND: who knows');
  await t.rejects(copy.database.bulk({ old: 0, wanted }), { code: 'STORE_FAILED' });
  await t.rejects(copy.log.add([record('example.com/m7', 'v1.0.0', { h1: madeUpHash('other') })]), { code: 'HASH_MISMATCH' }, 'what is pending is found, too');
  await copy.log.recover();
  t.same(await copy.database.lookup('example.com/m7', 'v1.0.0'), await open.database.lookup('example.com/m7', 'v1.0.0'));
  t.same((await copy.log.add(records(290, 310))).added, 10);
  t.equal((await headOf(copy)).size, 310);
  await t.rejects(open.log.add(records(310, 311)), { code: 'SIGNING_REFUSED' }, 'from then on the other one is the old one');
});

t.test('damaged data sign nothing, and nothing is on its way after that', async (t) => {
  const folder = t.testdir();
  const open = openLog(t, folder);
  await open.log.begin();
  await open.log.add(records(0, 300));
  for (const [damage, mend] of [
    ['UPDATE pack SET data = zeroblob(length(data)) WHERE n = 1', 'UPDATE pack SET data = (SELECT data FROM before.pack AS own WHERE own.n = pack.n AND own.part = pack.part) WHERE n = 1'],
    ['UPDATE tile SET data = zeroblob(length(data)) WHERE level = 0', 'UPDATE tile SET data = (SELECT data FROM before.tile WHERE level = 0) WHERE level = 0'],
  ] as const) {
    await backUp(folder, 'log.db', 'before.db');
    const file = anyDriver().open(path.join(folder, 'log.db'));
    t.teardown(() => file.close());
    file.exec(damage);
    await t.rejects(open.log.add(records(300, 301)), { code: 'STORE_FAILED' }, damage);
    t.equal(await open.store.log.staged(VKEY), undefined);
    file.exec(`ATTACH '${path.join(folder, 'before.db').replaceAll("'", "''")}' AS before`);
    file.exec(mend);
    file.exec('DETACH before');
    await open.log.recover();
  }
  t.equal((await open.log.add(records(300, 301))).head.size, 301);
});
