/** The SQLite file: what is written when, what is refused, and what a crash leaves. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { Store } from '../../src/contract.js';
import { GosumError } from '../../src/errors.js';
import type { Driver } from '../../src/store/driver.js';
import { deleteSqliteFile } from '../../src/store/file.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { checkChain, swapTimes } from '../../src/testing/storecontract.js';
import { change, evidence, hashTile, head, KEY, NAME, receipt, record, tileAt } from '../../src/testing/storevalues.js';
import { anyDriver } from './anydriver.js';

const COMMITTER = fileURLToPath(new URL('committer.js', import.meta.url));

const driver = anyDriver();

/** A file with one head, one tile, one receipt. */
async function filledFile(folder: string): Promise<string> {
  const file = join(folder, 'cache.db');
  const store = openSqliteStore(driver, file);
  const rest = { tiles: [hashTile(0, 0, 7)], receipts: [receipt('a', 'a@v1.0.0')] };
  await store.commit(KEY, change(undefined, [head(7)], rest));
  await store.close();
  return file;
}

/** What opening the file and reading everything in it rejects with. Whatever happens, nothing stays open. */
async function failureOf(file: string): Promise<unknown> {
  let open = 0;
  const counted: Driver = {
    name: driver.name,
    open: (path) => {
      const connection = driver.open(path);
      open++;
      return {
        exec: (sql) => connection.exec(sql),
        prepare: (sql) => connection.prepare(sql),
        close: () => {
          open--;
          connection.close();
        },
      };
    },
  };
  let store: Store | undefined;
  try {
    store = openSqliteStore(counted, file);
    await store.timeline(KEY, 0);
    await store.tiles(KEY, [tileAt(0, 0, 7)]);
    await store.receipts(KEY, ['a@v1.0.0']);
    await store.evidence();
    await store.stats();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await store?.close();
    if (open !== 0) throw new Error(`${open} files are still open`);
  }
}

function checkFailure(t: Test, error: unknown, file: string, what: string, hint: RegExp): void {
  if (!(error instanceof GosumError)) {
    t.fail(`${what}: no GosumError`, { error });
    return;
  }
  t.equal(error.code, 'STORE_FAILED', what);
  t.ok(error.message.startsWith(`${file}: `), `${what}: names the file`);
  t.match(error.hint, hint, `${what}: says the next step`);
}

t.test('reading writes nothing; the first commit makes the file and its folder', async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'new', 'deep', 'cache.db');
  const store = openSqliteStore(driver, file);
  await store.newest(KEY);
  await store.stats();
  await store.clean();
  await store.clearEvidence();
  t.same(readdirSync(folder), [], 'nothing is made');
  await store.commit(KEY, change(undefined, [head(7)]));
  await store.close();
  t.same(readdirSync(join(folder, 'new', 'deep')), ['cache.db'], 'one file');

  const before = { bytes: readFileSync(file), time: statSync(file).mtimeMs };
  t.equal(await failureOf(file), undefined);
  t.same({ bytes: readFileSync(file), time: statSync(file).mtimeMs }, before, 'reading changes neither bytes nor time');
  t.same(readdirSync(join(folder, 'new', 'deep')), ['cache.db'], 'and leaves nothing beside the file');
});

t.test('an empty file is an empty store', async (t) => {
  const file = join(t.testdir({ 'cache.db': '' }), 'cache.db');
  const store = openSqliteStore(driver, file);
  t.equal(await store.newest(KEY), undefined);
  t.equal(statSync(file).size, 0);
  t.equal(await store.commit(KEY, change(undefined, [head(7)])), true);
  t.match(await store.stats(), { bytes: statSync(file).size });
  await store.close();
});

t.test('cleaning gives the room back', async (t) => {
  const file = join(t.testdir(), 'cache.db');
  const store = openSqliteStore(driver, file);
  const tiles = Array.from({ length: 100 }, (_, n) => hashTile(0, n, 256));
  await store.commit(KEY, change(undefined, [head(25_600)], { tiles }));
  t.ok(statSync(file).size > 800_000);
  await store.clean();
  t.ok(statSync(file).size < 100_000, `${statSync(file).size}`);
  await store.close();
  await t.rejects(store.newest(KEY), /used after it was closed/);
});

t.test('foreign files are refused and left as they are', async (t) => {
  const cases: Readonly<Record<string, { readonly sql: string; readonly filled?: boolean; readonly hint?: RegExp }>> = {
    'another program’s tables': { sql: 'CREATE TABLE bookmarks (url TEXT)' },
    'another program’s mark': { sql: 'PRAGMA application_id = 7' },
    'another program’s mark on our tables': { sql: 'PRAGMA application_id = 7', filled: true },
    'a newer schema': { sql: 'PRAGMA user_version = 4', filled: true, hint: /update gosumcheck/ },
    'an older schema': { sql: 'PRAGMA user_version = 0', filled: true },
    'our mark on nothing': { sql: 'PRAGMA application_id = 1735615339; PRAGMA user_version = 1' },
    'a trigger of its own': { sql: 'CREATE TRIGGER t AFTER INSERT ON head BEGIN DELETE FROM tile; END', filled: true },
    'a table less': { sql: 'DROP TABLE evidence', filled: true },
    'a table more': { sql: 'CREATE TABLE more (x)', filled: true },
    'a view in a table’s place': { sql: 'DROP TABLE evidence; CREATE VIEW evidence AS SELECT 1', filled: true },
  };
  for (const [name, { sql, filled, hint = /--cache/ }] of Object.entries(cases)) {
    const folder = t.testdir();
    const file = filled ? await filledFile(folder) : join(folder, 'cache.db');
    const connection = driver.open(file);
    connection.exec(sql);
    connection.close();
    const before = readFileSync(file);
    checkFailure(t, await failureOf(file), file, name, hint);
    t.same(readFileSync(file), before, `${name}: untouched`);
  }
});

t.test('rows that we never wrote are refused', async (t) => {
  const cases: readonly { sql?: string; from?: readonly number[]; to?: readonly number[] }[] = [
    { sql: `UPDATE head SET hash = x'00'` },
    { sql: `UPDATE head SET size = -1` },
    { sql: `UPDATE head SET size = 9007199254740993` },
    // the kinds of values in a row's header (sqlite.org/fileformat2.html, 2.1): 12 + 2n is n bytes, 13 + 2n a text of n bytes
    { from: [9, 1, 12 + 2 * 32], to: [9, 1, 13 + 2 * 32] },
    { from: [9, 1, 12 + 2 * 32, 12 + 2 * 12], to: [9, 1, 12 + 2 * 32, 13 + 2 * 12] },
    { from: [0, 13 + 2 * NAME.length, 13 + 2 * KEY.length], to: [0, 12 + 2 * NAME.length, 13 + 2 * KEY.length] },
  ];
  for (const { sql = '', from = [], to = [] } of cases) {
    const file = await filledFile(t.testdir());
    const connection = driver.open(file);
    connection.exec(sql);
    connection.close();
    const bytes = readFileSync(file);
    const at = bytes.indexOf(Uint8Array.from(from));
    t.equal(bytes.indexOf(Uint8Array.from(from), at + 1), sql === '' ? -1 : 1, 'one place to change');
    bytes.set(to, at);
    writeFileSync(file, bytes);
    checkFailure(t, await failureOf(file), file, sql || String(from), /cache clean/);
  }
});

t.test('a row that is not as it was written is none', async (t) => {
  const damages = [
    `UPDATE tile SET data = CAST(x'00' || substr(data, 2) AS BLOB)`,
    `UPDATE tile SET digest = CAST(x'00' || substr(digest, 2) AS BLOB)`,
    'UPDATE tile SET n = n + 1',
    `UPDATE record SET text = CAST('x' || substr(text, 2) AS BLOB)`,
    'UPDATE record SET id = id + 1',
    `UPDATE record SET module_version = 'example.com/b@v1.0.0'`,
  ];
  for (const damage of ['', ...damages]) {
    const file = join(t.testdir(), 'server.db');
    const store = openSqliteStore(driver, file);
    const kept = { tiles: [hashTile(0, 3, 256)], records: [record(3, 'example.com/a@v1.0.0')] };
    await store.commit(KEY, change(undefined, [head(7)], kept));
    const connection = driver.open(file);
    connection.exec(damage);
    connection.close();
    const found = [
      ...(await store.tiles(KEY, [tileAt(0, 3, 256), tileAt(0, 4, 256)])),
      ...(await store.records(KEY, ['example.com/a@v1.0.0', 'example.com/b@v1.0.0'])),
    ].filter((each) => each !== undefined);
    t.equal(found.length, damage === '' ? 2 : 1, damage || 'undamaged');
    // to keep it again mends it
    await store.commit(KEY, change(7, [], kept));
    t.same(await store.tiles(KEY, [tileAt(0, 3, 256)]), [kept.tiles[0]!.bytes]);
    t.same(await store.records(KEY, ['example.com/a@v1.0.0']), [kept.records[0]]);
    await store.close();
  }
});

t.test('damaged files', async (t) => {
  const folder = t.testdir();
  const good = await filledFile(folder);
  const size = statSync(good).size;
  const cases: Readonly<Record<string, (file: string) => void>> = {
    'random bytes': (file) => writeFileSync(file, Buffer.from('all but a database, and long enough for its header '.repeat(100))),
    'a few bytes': (file) => writeFileSync(file, 'a few'),
    'cut in the middle': (file) => truncateSync(file, size / 2),
    'cut to the header': (file) => truncateSync(file, 100),
    'zeros after the first page': (file) => {
      const bytes = readFileSync(file);
      writeFileSync(file, bytes.fill(0, 4096));
    },
  };
  for (const [name, damage] of Object.entries(cases)) {
    const file = join(folder, 'damaged.db');
    copyFileSync(good, file);
    damage(file);
    checkFailure(t, await failureOf(file), file, name, /cache clean/);
    writeFileSync(`${file}-journal`, '');
    deleteSqliteFile(file);
    t.same(readdirSync(folder), ['cache.db'], 'deleted, with what stands beside it');
    t.equal(await failureOf(file), undefined, `${name}: then one begins anew`);
  }
  deleteSqliteFile(join(folder, 'never-there.db'));
  checkFailure(t, await failureOf(folder), folder, 'a folder', /--cache/);
});

t.test('what cannot be written can be read', { skip: process.platform === 'win32' && 'file modes mean nothing here' }, async (t) => {
  // not below the checkout: the way there may be closed to others, and root becomes another user below
  const folder = mkdtempSync(join(tmpdir(), 'gosumcheck-'));
  const file = await filledFile(folder);
  const more = change(7, [head(7, 9), head(9)]);
  const check = async (what: string): Promise<void> => {
    const store = openSqliteStore(driver, file);
    t.same(await store.newest(KEY), head(7), `${what}: read`);
    const error = await store.commit(KEY, more).catch((error: unknown) => error);
    checkFailure(t, error, file, what, /writable/);
    checkFailure(t, await store.addEvidence(evidence(1)).catch((error: unknown) => error), file, what, /writable/);
    t.same(await store.newest(KEY), head(7), `${what}: and read again`);
    await store.close();
  };
  const root = process.geteuid?.() === 0;
  try {
    chmodSync(file, 0o444);
    chmodSync(folder, 0o555);
    if (root) process.seteuid?.(65534);
    await check('read-only file and folder');
    const below = openSqliteStore(driver, join(folder, 'new', 'cache.db'));
    t.equal(await below.newest(KEY), undefined);
    const error = await below.commit(KEY, change(undefined, [head(7)])).catch((error: unknown) => error);
    checkFailure(t, error, below.label, 'a folder that cannot be made', /writable/);
    await below.close();
    if (root) process.seteuid?.(0);
    chmodSync(file, 0o666);
    if (root) process.seteuid?.(65534);
    await check('read-only folder');
    if (root) process.seteuid?.(0);
    chmodSync(file, 0);
    if (root) process.seteuid?.(65534);
    checkFailure(t, await failureOf(file), file, 'a file that cannot be read', /writable/);
  } finally {
    if (root) process.seteuid?.(0);
    chmodSync(folder, 0o755);
    rmSync(folder, { recursive: true });
  }
});

t.test('a full disk', async (t) => {
  const file = await filledFile(t.testdir());
  const full: Driver = {
    name: driver.name,
    open: (path) => {
      const connection = driver.open(path);
      connection.exec('PRAGMA max_page_count = 40');
      return connection;
    },
  };
  const store = openSqliteStore(full, file);
  const tiles = Array.from({ length: 100 }, (_, n) => hashTile(0, n, 256));
  const error = await store.commit(KEY, change(7, [head(7, 9), head(9)], { tiles })).catch((error: unknown) => error);
  checkFailure(t, error, file, 'full', /room/);
  t.same(await store.timeline(KEY, 0), [head(7)], 'nothing of the change is there');
  t.equal(await store.commit(KEY, change(7, [head(7, 9), head(9)])), true, 'a small one still goes in');
  await store.close();
});

t.test('a locked file', async (t) => {
  const file = await filledFile(t.testdir());
  const impatient: Driver = {
    name: driver.name,
    open: (path) => {
      const connection = driver.open(path);
      return {
        prepare: (sql) => connection.prepare(sql),
        close: () => connection.close(),
        exec: (sql) => connection.exec(sql.replace('busy_timeout = 5000', 'busy_timeout = 20')),
      };
    },
  };
  const holder = driver.open(file);
  holder.exec('BEGIN IMMEDIATE');
  const store = openSqliteStore(impatient, file);
  t.same(await store.newest(KEY), head(7), 'one who prepares a commit keeps no reader out');
  const error = await store.commit(KEY, change(7, [])).catch((error: unknown) => error);
  checkFailure(t, error, file, 'held by another', /try again/);
  holder.exec('ROLLBACK');
  t.equal(await store.commit(KEY, change(7, [])), true);
  holder.close();
  await store.close();
});

t.test('several processes on one file', { timeout: 300_000 }, async (t) => {
  const file = join(t.testdir(), 'cache.db');
  const children = [20, 20, 20].map((times) => spawn(process.execPath, [COMMITTER, file, `${times}`], { stdio: ['ignore', 'pipe', 'inherit'] }));
  for (const child of children) child.stdout.resume();
  for (const [code] of await Promise.all(children.map((child) => once(child, 'exit')))) t.equal(code, 0);
  await checkFile(file, 60);
});

t.test('a process killed in the middle of a commit', { timeout: 300_000 }, async (t) => {
  const file = join(t.testdir(), 'cache.db');
  const child = spawn(process.execPath, [COMMITTER, file, '10', 'die'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.equal(await linesUntilExit(child), 9);
  t.ok(existsSync(`${file}-journal`), 'it left its journal');
  await checkFile(file, 9);
  t.notOk(existsSync(`${file}-journal`), 'the next to come rolled it back');
  const store = openSqliteStore(driver, file);
  await swapTimes(store, 1);
  await store.close();
  await checkFile(file, 10);
});

t.test('a process killed at any moment', { timeout: 300_000 }, async (t) => {
  const file = join(t.testdir(), 'cache.db');
  let atLeast = 0;
  for (const lines of [1, 3, 6, 2]) {
    const child = spawn(process.execPath, [COMMITTER, file, '10000'], { stdio: ['ignore', 'pipe', 'inherit'] });
    atLeast += await linesUntilExit(child, lines);
    const store = openSqliteStore(driver, file);
    const size = (await store.newest(KEY))?.size ?? 0;
    t.equal(await store.keyOf(NAME), KEY);
    await store.close();
    t.ok(size >= atLeast, `${size} commits are there, ${atLeast} were said`);
    atLeast = size;
    await checkFile(file, size);
  }
});

/** Counts the lines that a child prints; after `kill` of them it is killed. */
async function linesUntilExit(child: ChildProcess, kill = Infinity): Promise<number> {
  let lines = 0;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    lines += text.length / 2;
    if (lines >= kill) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return lines;
}

/** SQLite finds the file sound, and its contents are those of so many commits. */
async function checkFile(file: string, commits: number): Promise<void> {
  const store = openSqliteStore(driver, file);
  await checkChain(store, commits);
  await store.close();
  const connection = driver.open(file);
  const checked = connection.prepare('PRAGMA integrity_check').all();
  const strays = connection.prepare('PRAGMA foreign_key_check').all();
  connection.close();
  if (JSON.stringify([checked, strays]) !== '[[{"integrity_check":"ok"}],[]]') throw new Error(JSON.stringify([checked, strays]));
}
