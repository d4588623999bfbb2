/** The whole log in an SQLite file: its contract, what is not as it was written, rows for an audit, and two processes. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { PackedPart, LogChange, Store, StoredPages, StoredRow, StoreRows } from '../../src/contract.js';
import { packOf } from '../../src/store/logrow.js';
import { loadBetterSqlite, loadNodeSqlite } from '../../src/store/driver.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { openSqliteRows } from '../../src/store/rows.js';
import { openServerStore } from '../../src/store/server.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { Unkept } from '../../src/store/unkept.js';
import { STORE_LOG_CASES } from '../../src/testing/storelogcontract.js';
import { change, hashTile, head, indexPage, KEY, logChange, pack, pendingEntries, SALT } from '../../src/testing/storevalues.js';
import { anyDriver } from './anydriver.js';

const driver = anyDriver();
const SIZE = 1000;
const LOG: LogChange = {
  salt: SALT,
  packs: [pack(0, 256), pack(3, 200)],
  pending: [pendingEntries(7, 3)],
  pages: [indexPage(1792, 2)],
  modules: ['example.com/a', 'example.com/b'],
  seen: { size: SIZE, at: 1_795_000_000_000 },
  indexed: 5,
  staged: new Uint8Array(50).fill(3),
};

for (const load of [loadBetterSqlite, loadNodeSqlite]) {
  const loaded = load();
  if (typeof loaded === 'string') {
    t.comment(`not tested here: ${loaded}`);
    continue;
  }
  t.test(loaded.name, (t) => {
    const folder = t.testdir();
    for (const [i, { name, run }] of STORE_LOG_CASES.entries()) {
      t.test(name, () => run(() => Promise.resolve(openSqliteStore(loaded, join(folder, `${i}`, 'cache.db')))));
    }
    t.end();
  });
}

t.test('a server’s store', (t) => {
  const folder = t.testdir();
  for (const [i, { name, run }] of STORE_LOG_CASES.entries()) {
    if (name.startsWith('keys do not')) continue; // to a server these made-up keys are damage, as in store.test.ts
    t.test(name, () => run(() => openServerStore({ file: join(folder, `${i}`, 'server.db'), keys: [], notice: () => undefined })));
  }
  t.end();
});

t.test('memory has no room for it, and says so', async (t) => {
  const store = openMemoryStore();
  t.equal(store.log, undefined);
  await t.rejects(store.commit(KEY, change(undefined, [head(SIZE)], { log: LOG })));
  t.equal(await store.newest(KEY), undefined);
});

/** A file with a little of everything. */
async function filled(folder: string): Promise<string> {
  const file = join(folder, 'whole.db');
  const store = openSqliteStore(driver, file);
  await store.commit(KEY, change(undefined, [head(SIZE)], { tiles: [hashTile(1, 0, 3)], log: LOG }));
  await store.log.setMark(KEY, 'watch', 9);
  await store.close();
  return file;
}

function tablesIn(file: string): string[] {
  const connection = driver.open(file, true);
  const tables = connection.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`).all();
  connection.close();
  return tables.map((row) => (row as { name: string }).name);
}

function sqlOn(file: string, sql: string): void {
  const connection = driver.open(file);
  connection.exec(sql);
  connection.close();
}

t.test('the tables come with the first that is added to a whole log', async (t) => {
  const file = join(t.testdir(), 'cache.db');
  const store = openSqliteStore(driver, file);
  await store.commit(KEY, change(undefined, [head(SIZE)]));
  await store.log.packs(KEY, [0]);
  await store.log.gaps(KEY, SIZE);
  await store.stats();
  await store.clean();
  t.notOk(tablesIn(file).includes('pack'), 'reading and cleaning make none');
  await store.commit(KEY, change(undefined, [head(SIZE)], { log: LOG }));
  t.ok(tablesIn(file).includes('pack'));
  await store.close();
  const again = openSqliteStore(driver, file);
  t.same(await again.log.packs(KEY, [0]), [pack(0, 256)]);
  await again.close();
  for (const sql of ['DROP TABLE mark', 'DROP INDEX pack_narrow', 'CREATE TABLE more (x)', 'PRAGMA user_version = 1', 'PRAGMA user_version = 4']) {
    const other = await filled(t.testdir());
    sqlOn(other, sql);
    t.throws(() => openSqliteStore(driver, other), { code: 'STORE_FAILED' }, sql);
  }
});

/** Reads everything, and says what is not there. */
async function missingIn(store: Store): Promise<string[]> {
  const log = store.log!;
  const [first, narrow] = await log.packs(KEY, [0, 3]);
  const parts: Readonly<Record<string, unknown>> = {
    first,
    narrow,
    page: (await log.pages(KEY, [1792]))[0],
    pending: (await log.pending(KEY, 7))?.[0],
    seen: (await log.seen(KEY, 0))[0],
    mark: await log.mark(KEY, 'watch'),
  };
  return Object.keys(parts).filter((part) => parts[part] === undefined);
}

const FLIPPED = (column: string): string => `CAST(x'ee' || substr(${column}, 2) AS BLOB)`;
/** What decays, what is missed then, and the table whose row an audit names. */
const DECAYS: readonly (readonly [sql: string, missed: string, table: keyof StoreRows])[] = [
  [`UPDATE pack SET data = ${FLIPPED('data')} WHERE n = 0`, 'first', 'packs'],
  [`UPDATE pack SET digest = ${FLIPPED('digest')} WHERE n = 0`, 'first', 'packs'],
  ['UPDATE pack SET n = 1 WHERE n = 0', 'first', 'packs'],
  [`UPDATE pack SET data = ${FLIPPED('data')} WHERE n = 0 AND part = 2`, 'first', 'packs'],
  ['DELETE FROM pack WHERE n = 0 AND part = 3', 'first', 'packs'],
  ['DELETE FROM pack WHERE n = 0 AND part = 1', 'first', 'packs'],
  ['UPDATE pack SET part = 4 WHERE n = 0 AND part = 0', 'first', 'packs'],
  ['UPDATE pack SET width = 201 WHERE n = 3', 'narrow', 'packs'],
  [`UPDATE entry SET data = ${FLIPPED('data')}`, 'page', 'indexPages'],
  ['UPDATE entry SET page = 1793', 'page', 'indexPages'],
  [`UPDATE pending SET data = ${FLIPPED('data')}`, 'pending', 'pending'],
  ['UPDATE pending SET bucket = 8', 'pending', 'pending'],
  ['UPDATE seen SET at = at + 1', 'seen', 'seen'],
  ['UPDATE seen SET size = size + 1', 'seen', 'seen'],
  ['UPDATE mark SET record = 10', 'mark', 'marks'],
  [`UPDATE mark SET name = 'watcher'`, 'mark', 'marks'],
];

t.test('a row that is not as it was written is none, is named to an audit, and is mended by keeping it again', async (t) => {
  const folder = t.testdir();
  t.same(await problemsIn(await filled(folder)), {}, 'undamaged');
  for (const [i, [sql, missed, table]] of DECAYS.entries()) {
    const file = await filled(join(folder, `${i}`));
    sqlOn(file, sql);
    const store = openSqliteStore(driver, file);
    t.same(await missingIn(store), [missed], sql);
    t.same(await problemsIn(file), { [table]: 1 }, `${sql}: named`);
    if (missed !== 'pending' && missed !== 'mark') {
      await store.commit(KEY, logChange(SIZE, { ...LOG, packs: [pack(0, 256), pack(3, 200)] }));
      t.same(await missingIn(store), [], `${sql}: mended`);
    }
    await store.close();
  }
});

t.test('a merge is told of each row that is not as it was written', async (t) => {
  const file = await filled(t.testdir());
  const store = openSqliteStore(driver, file);
  const { log } = store;
  await store.commit(KEY, logChange(SIZE, { pending: [pendingEntries(7, 1, 1), pendingEntries(9, 2)] }));
  t.same(await log.pagesToMerge(KEY, [1792, 5]), [indexPage(1792, 2), undefined]);
  t.equal((await log.pending(KEY, 7))?.length, 2);
  sqlOn(file, `UPDATE entry SET data = ${FLIPPED('data')}`);
  t.equal(await log.pagesToMerge(KEY, [5, 1792]), undefined, 'a page, which is not missing');
  t.same(await log.pages(KEY, [1792, 5]), [undefined, undefined]);
  t.same(await log.pagesToMerge(KEY, [5]), [undefined]);
  sqlOn(file, `UPDATE pending SET data = ${FLIPPED('data')} WHERE bucket = 7 AND length(data) = 9`);
  t.equal(await log.pending(KEY, 7), undefined, 'one of two rows');
  t.same(await log.pending(KEY, 9), [pendingEntries(9, 2).entries]);
  t.same(await log.pendingBuckets(KEY), [7, 9], 'it is still there');
  await store.close();
});

t.test('a part that stands at the place of another is none', async (t) => {
  const file = await filled(t.testdir());
  for (const part of [1, 2]) sqlOn(file, `UPDATE pack SET part = ${-part} WHERE n = 0 AND part = ${part}`);
  for (const part of [1, 2]) sqlOn(file, `UPDATE pack SET part = ${part} WHERE n = 0 AND part = ${part - 3}`);
  const store = openSqliteStore(driver, file);
  t.strictSame((await store.log.parts(KEY, [0, 1, 2, 3])).map((each) => each?.part), [0, undefined, undefined, 3]);
  await store.close();

  const part = (n: number, at: number, width: number): PackedPart => ({ n, part: at, width, bytes: new Uint8Array(1) });
  t.match(packOf([part(5, 0, 17), part(5, 1, 17)]), { n: 5, width: 17 });
  for (const bad of [[0, 2], [1, 0], [1, 2], [0, 0]]) t.equal(packOf(bad.map((at) => part(5, at, 17))), undefined, bad.join());
  t.equal(packOf([part(5, 0, 17), part(6, 1, 17)]), undefined);
  t.equal(packOf([part(5, 0, 17), part(5, 1, 18)]), undefined);
  t.equal(packOf([part(5, 0, 0)]), undefined);
  t.equal(packOf([]), undefined);
});

t.test('of a long page a range that is missing, or not as it was written, is noticed', async (t) => {
  const page = indexPage(1792, 1000);
  const restAt = (i: number): number => new DataView(page.entries.buffer).getUint32(8 * i + 4, true);
  const place = { page: 1792, rest: restAt(500) };
  const third = '(SELECT id FROM entry WHERE page = 1792 ORDER BY id LIMIT 1 OFFSET 3)';
  for (const sql of [
    `DELETE FROM entry WHERE id = ${third}`,
    `UPDATE entry SET data = ${FLIPPED('data')} WHERE id = ${third}`,
    `UPDATE entry SET next = next + 1 WHERE id = ${third}`,
    `UPDATE entry SET id = id - 1 WHERE id = ${third}`,
  ]) {
    const file = await filled(t.testdir());
    const store = openSqliteStore(driver, file);
    await store.commit(KEY, logChange(SIZE, { pages: [page] }));
    const { log, now } = store;
    t.equal((await log.entries(KEY, [place]))[0]?.length, 8 * 128);
    sqlOn(file, sql);
    t.same([await log.entries(KEY, [place]), now.entries(KEY, place)], [[undefined], undefined], sql);
    t.equal((await log.entries(KEY, [{ page: 1792, rest: restAt(0) }]))[0]?.length, 8 * 128, 'other ranges are as they were');
    t.same([await log.pages(KEY, [1792]), await log.pagesToMerge(KEY, [1792]), await log.damagedPages(KEY, 0, 65536)], [[undefined], undefined, [1792]]);
    t.same(await problemsIn(file), { indexPages: 1 });
    await store.commit(KEY, logChange(SIZE, { pages: [page] }));
    t.same([await log.pages(KEY, [1792]), await problemsIn(file)], [[page], {}], 'it can be made anew');
    await store.close();
  }
});

t.test('where nobody else can be asked, such a row is a failure', async (t) => {
  const folder = t.testdir();
  for (const [i, [sql]] of DECAYS.entries()) {
    if (/SET (n|part|page|bucket|size|name) =/.test(sql)) continue; // it is gone from where it was
    const file = await filled(join(folder, `${i}`));
    sqlOn(file, sql);
    const store = openSqliteStore(driver, file, { strict: true });
    await t.rejects(missingIn(store), { code: 'STORE_FAILED' }, sql);
    await store.close();
  }
});

t.test('what everything hangs on, and what is staged, are never missed in silence', async (t) => {
  const folder = t.testdir();
  const cases: readonly (readonly [sql: string, of: 'state' | 'staged', table: keyof StoreRows])[] = [
    [`UPDATE loginfo SET salt = ${FLIPPED('salt')}`, 'state', 'logStates'],
    ['UPDATE loginfo SET indexed = 6', 'state', 'logStates'],
    ['UPDATE loginfo SET changes = 7', 'state', 'logStates'],
    [`UPDATE staged SET data = ${FLIPPED('data')}`, 'staged', 'staged'],
  ];
  for (const [i, [sql, of, table]] of cases.entries()) {
    const file = await filled(join(folder, `${i}`));
    sqlOn(file, sql);
    const store = openSqliteStore(driver, file);
    await t.rejects((): Promise<unknown> => store.log[of](KEY), { code: 'STORE_FAILED' }, sql);
    if (of === 'state') await t.rejects(store.commit(KEY, logChange(SIZE, { packs: [pack(1, 256)] })), { code: 'STORE_FAILED' });
    t.same(await problemsIn(file), { [table]: 1 });
    await store.close();
  }
});

/** How many rows of each table have a problem. */
async function problemsIn(file: string): Promise<Readonly<Record<string, number>>> {
  const rows = openSqliteRows(driver, file);
  const found: Record<string, number> = {};
  for (const table of ['logStates', 'packs', 'indexPages', 'pending', 'modules', 'seen', 'staged', 'marks'] as const) {
    for await (const page of rows[table]() as StoredPages<unknown>) {
      for (const { problem } of page) if (problem !== undefined) found[table] = (found[table] ?? 0) + 1;
    }
  }
  await rows.close();
  return found;
}

async function all<T>(pages: StoredPages<T>): Promise<StoredRow<T>[]> {
  const rows: StoredRow<T>[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

t.test('all rows, in pages', async (t) => {
  const file = await filled(t.testdir());
  const store = openSqliteStore(driver, file);
  const packs = Array.from({ length: 70 }, (_, i) => pack(100 - i, 256));
  const modules = Array.from({ length: 2500 }, (_, i) => `example.com/m${String(i).padStart(4, '0')}`);
  await store.commit(KEY, logChange(SIZE, { packs, modules }));
  await store.close();
  const rows = openSqliteRows(driver, file);
  t.same(await all(rows.logStates()), [{ row: '1', key: KEY, value: { salt: SALT, indexed: 5, changes: 2 } }]);
  t.same(await all(rows.packs()), [...LOG.packs!, ...packs].sort((a, b) => a.n - b.n).map((value) => ({ row: `${value.n}`, key: KEY, value })), 'in order');
  t.same(await all(rows.indexPages()), [{ row: '1792', key: KEY, value: indexPage(1792, 2) }]);
  t.same(await all(rows.pending()), [{ row: '7', key: KEY, value: pendingEntries(7, 3) }]);
  t.same(
    await all(rows.modules()),
    ['example.com/a', 'example.com/b', ...modules].map((value) => ({ row: value, key: KEY, value })),
  );
  t.same(await all(rows.seen()), [{ row: `${SIZE}`, key: KEY, value: LOG.seen }]);
  t.same(await all(rows.staged()), [{ row: '1', key: KEY, value: LOG.staged }]);
  t.same(await all(rows.marks()), [{ row: 'watch', key: KEY, value: { name: 'watch', record: 9 } }]);
  t.same(await rows.log.gaps(KEY, 600), [{ lo: 1, hi: 3 }]);
  // a head, a tile, the state, 72 packs, pending entries, a tree seen, what is staged, a mark
  t.equal(await rows.count(), 1 + 1 + 1 + 72 + 1 + 1 + 1 + 1);
  t.same(await rows.defects(), []);
  await rows.close();
});

t.test('a file without a whole log has no rows of one', async (t) => {
  const file = join(t.testdir(), 'cache.db');
  const store = openSqliteStore(driver, file);
  await store.commit(KEY, change(undefined, [head(7)]));
  await store.close();
  t.same(await problemsIn(file), {});
  const rows = openSqliteRows(driver, file);
  t.same([await all(rows.packs()), await all(rows.modules()), await rows.count()], [[], [], 1]);
  await rows.close();
});

t.test('gaps and numbers are read from indexes alone', async (t) => {
  const file = await filled(t.testdir());
  const connection = driver.open(file);
  const queries = [
    'SELECT n FROM pack WHERE db = 1 AND part = 0 AND n < 99 ORDER BY n',
    'SELECT count(*) FROM pack WHERE db = 1 AND part = 0',
    'SELECT count(*) FROM pack WHERE part = 0',
    'SELECT max(n) FROM pack WHERE db = 1 AND part = 0 AND n < 99',
    'SELECT n, width FROM pack WHERE db = 1 AND part = 0 AND n < 99 AND width < 256',
  ];
  for (const sql of queries) {
    const plan = JSON.stringify(connection.prepare(`EXPLAIN QUERY PLAN ${sql}`).all());
    t.match(plan, /USING COVERING INDEX pack_(tile|narrow)/, `${sql}: ${plan}`);
  }
  connection.close();
});

t.test('a server keeps serving what is kept, and never holds what is added to a whole log', async (t) => {
  const file = await filled(t.testdir());
  const notices: string[] = [];
  let full = false;
  const store = await openServerStore({
    file,
    keys: [],
    notice: (text) => notices.push(text),
    driver: {
      name: driver.name,
      open: (path, readOnly) => {
        const connection = driver.open(path, readOnly);
        return {
          close: () => connection.close(),
          exec: (sql) => connection.exec(sql),
          prepare: (sql) => {
            const statement = connection.prepare(sql);
            const failing = <T>(work: () => T): T => {
              if (full) throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR' });
              return work();
            };
            return {
              get: (...values) => failing(() => statement.get(...values)),
              all: (...values) => failing(() => statement.all(...values)),
              run: (...values) => failing(() => statement.run(...values)),
            };
          },
        };
      },
    },
  });
  const log = store.log!;
  t.same(await log.packs(KEY, [0]), [pack(0, 256)]);
  await store.newest(KEY);
  full = true;
  t.same(
    [await log.state(KEY), await log.packs(KEY, [0, 3]), await log.pages(KEY, [1792])],
    [undefined, [undefined, undefined], [undefined]],
    'what others may answer',
  );
  const merging: Promise<unknown>[] = [log.pendingBuckets(KEY), log.pending(KEY, 7), log.pagesToMerge(KEY, [1792])];
  for (const each of await Promise.allSettled(merging)) t.match(each, { status: 'rejected', reason: { code: 'STORE_FAILED' } }, 'what a merge builds on');
  const thrown: Promise<unknown>[] = [log.gaps(KEY, SIZE), log.modules(KEY, '', '', 5), log.seen(KEY, 0), log.staged(KEY), log.mark(KEY, 'watch'), log.setMark(KEY, 'watch', 1)];
  for (const each of await Promise.allSettled(thrown)) t.match(each, { status: 'rejected', reason: { code: 'STORE_FAILED' } });
  full = false;
  const grown = change(SIZE, [head(SIZE, SIZE + 1), head(SIZE + 1)], { log: { salt: SALT, packs: [pack(1, 256)] } });
  t.equal(await store.commit(KEY, grown), true);
  const waits = store.health.unkept;
  full = true;
  await t.rejects(store.commit(KEY, logChange(SIZE + 1, { packs: [pack(2, 256)] })), { code: 'STORE_FAILED' });
  full = false;
  t.equal(store.health.unkept, waits, 'nothing waits');
  await t.rejects(new Unkept(1000, () => Promise.resolve(true)).add(grown));
  t.same(await log.packs(KEY, [1, 2]), [pack(1, 256), undefined]);
  await store.close();
});

t.test('a server notices a row that is not as it was written', async (t) => {
  const file = await filled(t.testdir());
  sqlOn(file, `UPDATE pack SET data = ${FLIPPED('data')} WHERE n = 0`);
  const store = await openServerStore({ file, keys: [], notice: () => undefined });
  t.same(await store.log!.packs(KEY, [0, 3]), [undefined, pack(3, 200)]);
  t.equal(store.health.refused, 1);
  await store.close();
});

t.test('a process that adds and one that reads, on one file', { timeout: 300_000 }, async (t) => {
  const file = join(t.testdir(), 'whole.db');
  const reader = openSqliteStore(driver, file, { wal: true });
  const child = spawn(process.execPath, [fileURLToPath(new URL('logcommitter.js', import.meta.url)), file, '40', 'wait'], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdout.resume();
  const exit = once(child, 'exit');
  let reads = 0;
  let most = 0;
  while (child.exitCode === null && child.signalCode === null) {
    const state = await reader.log.state(KEY);
    if (state !== undefined) {
      // each commit says how many packs are there with it
      const last = (await reader.log.packs(KEY, [state.indexed - 1]))[0];
      if (last?.n !== state.indexed - 1 || state.indexed < most) t.fail(`torn at ${state.indexed}`);
      most = state.indexed;
      if (++reads > 3) child.stdin.end();
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  t.same(await exit, [0, null]);
  t.same(await reader.log.state(KEY), { salt: SALT, indexed: 40, changes: 40 });
  t.same(await reader.log.gaps(KEY, 40 * 256), []);
  t.ok(reads > 3, `${reads} reads`);
  await reader.close();
});

t.test('two processes that add lose nothing', { timeout: 300_000 }, async (t) => {
  const file = join(t.testdir(), 'whole.db');
  const args = [fileURLToPath(new URL('logcommitter.js', import.meta.url)), file, '25'];
  const children = [1, 2].map(() => spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] }));
  for (const child of children) child.stdout.resume();
  for (const [code] of await Promise.all(children.map((child) => once(child, 'exit')))) t.equal(code, 0);
  const store = openSqliteStore(driver, file, { wal: true });
  t.match(await store.log.state(KEY), { indexed: 50, changes: 50 });
  t.same(await store.log.gaps(KEY, 50 * 256), []);
  t.equal((await store.log.pending(KEY, 3))?.length, 50);
  await store.close();
});
