import Database from 'better-sqlite3';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { newSignerKey } from '../../src/core/key.js';
import { signNote } from '../../src/core/note.js';
import { formatTreeHead, openTreeHead } from '../../src/core/treehead.js';
import { openStore } from '../../src/store/open.js';
import { writeLog, type TestLog } from '../../src/testing/index.js';
import { openGoCache } from '../../src/transport/gocache.js';
import { all, MODULES, newLog, newRig, outcomes, type Rig } from './rig.js';

/** What somebody else may have done to the cache of a CI runner. Each must be noticed, or do no harm. */
const TAMPERINGS: readonly { name: string; tamper: (db: Database.Database, log: TestLog) => void; harmless?: boolean }[] = [
  {
    name: 'a receipt with a bit flipped, at many places',
    tamper: (db) => mutateAll(db, 'receipt', 'bytes', (bytes) => flip(bytes, Math.floor(bytes.length / 2))),
  },
  {
    name: 'a record in a receipt with another hash',
    tamper: (db) =>
      mutateAll(db, 'receipt', 'bytes', (bytes) => {
        const at = bytes.indexOf('h1:') + 5;
        return flip(bytes, at, 1);
      }),
  },
  {
    name: 'a head by another key of the same name, with receipts to fit',
    tamper: (db, log) => {
      const note = signNote(formatTreeHead(log.treeHead()), [newSignerKey(log.name)]);
      mutateAll(db, 'head', 'note', () => Buffer.from(note));
      mutateAll(db, 'receipt', 'bytes', (bytes) => {
        const start = bytes.indexOf('\n', bytes.indexOf('note ')) + 1;
        const length = Number(/note (\d+)\n/.exec(bytes.toString('latin1'))?.[1]);
        return Buffer.concat([
          Buffer.from(`gosumcheck/receipt@v1\nnote ${note.length}\n`),
          note,
          bytes.subarray(start + length),
        ]);
      });
    },
  },
  {
    name: 'a head that is greater than what was signed',
    tamper: (db) => db.exec('update head set size = size + 1000000 where next is null'),
  },
  { name: 'the newest head with another hash', tamper: (db) => mutateAll(db, 'head', 'hash', (bytes) => flip(bytes, 0)) },
  { name: 'a link between heads with a bit flipped', tamper: (db) => mutateAll(db, 'head', 'proof', (bytes) => flip(bytes, 3)) },
  { name: 'every tile with a bit flipped', tamper: (db) => mutateTiles(db, (bytes) => flip(bytes, bytes.length - 1)), harmless: true },
  {
    name: 'full tiles with a bit flipped, the right edge as it was',
    tamper: (db) => mutateTiles(db, (bytes) => (bytes.length === 8192 ? flip(bytes, 4000) : bytes)),
    harmless: true,
  },
  { name: 'tiles cut to nothing', tamper: (db) => mutateTiles(db, () => Buffer.alloc(0)), harmless: true },
  {
    name: 'receipts that claim what they do not hold',
    tamper: (db) => db.exec("update covers set module_version = 'example.com/Mod9@v1.9.0' where module_version like '%Mod1@%'"),
    harmless: true,
  },
];

t.test('a cache written by somebody else is never believed', async (t) => {
  const log = newLog(3000);
  for (const { name, tamper, harmless } of TAMPERINGS) {
    await t.test(name, async (t) => {
      const file = path.join(t.testdir(), 'cache.db');
      await fillCache(file, log.clone());
      const db = new Database(file);
      tamper(db, log);
      db.close();
      const { rig, close } = await openRig(file, log.clone().fill(4000));
      const lookups = await rig.lookup();
      const found = Object.values(outcomes(lookups));
      t.ok(found.every((outcome) => outcome === 'found' || outcome === 'cached'), 'all is proved, from the log where need be');
      if (harmless !== true) {
        t.ok(rig.notices.length > 0, 'and it is said that the cache was not true');
        t.ok(found.includes('found'), 'what was tampered with is asked for again');
      }
      t.equal(lookups.head?.size, found.includes('found') ? 4000 : 3200);
      t.strictSame(outcomes(await rig.lookup()), all('cached'), 'the cache is mended');
      await close();
    });
  }
});

t.test('a cache that contradicts what is proved is gone on without', async (t) => {
  const log = newLog(3000);
  const contradictions = [
    "update db set name = 'x.example'",
    'insert into head (db, size, hash, note, next, proof) select db, 2000, zeroblob(32), note, size, zeroblob(32) from head where next is null',
  ];
  for (const sql of contradictions) {
    const file = path.join(t.testdir(), `cache${contradictions.indexOf(sql)}.db`);
    await fillCache(file, log.clone());
    const db = new Database(file);
    db.exec(sql);
    db.close();
    const { rig, close } = await openRig(file, log.clone().fill(4000));
    rig.log.add('example.com/new', 'v1.0.0');
    const wanted = [{ module: 'example.com/new', version: 'v1.0.0' }];
    const lookups = await rig.lookup(wanted, { trustedHead: log.head(2000) });
    t.strictSame(outcomes(lookups), { 'example.com/new@v1.0.0': 'found' }, sql);
    t.match(rig.notices.join('\n'), /contradicts what was proved/);
    await close();
  }
});

t.test('an older cache is a shorter memory, and no harm', async (t) => {
  const log = newLog(3000);
  const folder = t.testdir();
  const file = path.join(folder, 'cache.db');
  await fillCache(file, log.clone());
  const older = readFileSync(file);
  const { rig, close } = await openRig(file, log.clone().fill(4000));
  await rig.lookup(MODULES, { fresh: true });
  await close();
  writeFileSync(file, older);
  const again = await openRig(file, log.clone().fill(4000));
  const lookups = await again.rig.lookup(MODULES, { fresh: true });
  t.equal(lookups.timeline, 'consistent');
  t.equal(lookups.head?.size, 4000);
  await again.close();
});

t.test('the go command’s cache: one more source, read, authenticated, never written', async (t) => {
  const log = newLog(3000);
  const folders = goFolders(t.testdir());
  writeGoCache(log, folders);
  const before = listing(folders.gomodcache);
  const caches = [openGoCache(folders, log.name)];

  const rig = await newRig(log);
  t.strictSame(outcomes(await rig.lookup(MODULES, { caches })), all('found'));
  const asked = rig.asked();
  t.strictSame(
    new Set(asked.filter((name) => name.startsWith('/lookup/'))),
    new Set(MODULES.slice(6).map(({ module, version }) => `/lookup/${module.replace('M', '!m')}@${version}`)),
    'what it lacks is asked elsewhere, its gaps are no 404',
  );
  t.strictSame(listing(folders.gomodcache), before, 'nothing was written');
  await rig.close();

  const offline = await newRig(log);
  const few = MODULES.slice(0, 6);
  const alone = await offline.lookup(few, { caches, source: undefined });
  t.strictSame(new Set(Object.values(outcomes(alone))), new Set(['found']), 'and it is enough to prove what it has, offline');
  await offline.close();
});

t.test('the go command’s cache, poisoned: every answer of it that is not true is asked of the database', async (t) => {
  const log = newLog(3000);
  const other = newLog(2500, 'log.example');
  const poisons: readonly { name: string; poison: (file: string, bytes: Buffer) => Buffer }[] = [
    { name: 'records', poison: (file, bytes) => (file.includes('lookup') ? Buffer.from(bytes.toString().replace('h1:', 'h1:x')) : bytes) },
    { name: 'tiles', poison: (file, bytes) => (file.includes('tile') ? flip(bytes, bytes.length - 1) : bytes) },
    { name: 'heads', poison: (file, bytes) => (file.includes('lookup') ? Buffer.from(bytes.toString().replace(/\n\d+\n/, '\n7\n')) : bytes) },
    { name: 'all is junk', poison: () => Buffer.from('junk\n') },
    { name: 'all is empty', poison: () => Buffer.alloc(0) },
    { name: 'latest', poison: (file) => (file.endsWith('latest') ? Buffer.from(signNote(formatTreeHead(other.treeHead()), [newSignerKey(log.name)])) : readFileSync(file)) },
  ];
  for (const { name, poison } of poisons) {
    await t.test(name, async (t) => {
      const folders = goFolders(t.testdir());
      writeGoCache(log, folders);
      for (const file of [...listing(folders.gomodcache), ...listing(folders.gopath)]) writeFileSync(file, poison(file, readFileSync(file)));
      const rig = await newRig(log);
      t.strictSame(outcomes(await rig.lookup(MODULES, { caches: [openGoCache(folders, log.name)] })), all('found'));
      t.strictSame(await rig.store.evidence(), []);
      await rig.close();
    });
  }
});

t.test('the go command knows a newer tree than the way to the database can prove', async (t) => {
  const log = newLog(3000);
  const folders = goFolders(t.testdir());
  writeGoCache(log.clone().fill(4000), folders);
  const rig = await newRig(log);
  const lookups = await rig.lookup(MODULES.slice(6), { caches: [openGoCache({ ...folders, gomodcache: undefined }, log.name)] });
  t.strictSame(new Set(Object.values(outcomes(lookups))), new Set(['found']));
  t.equal(lookups.head?.size, 3000);
  t.match(rig.notices, [/newer than what can be proved here/]);
  await rig.close();
});

t.test('a fork that the go command saw is a fork to us', async (t) => {
  const log = newLog(3000);
  const fork = newLog(2990);
  fork.add('example.com/evil', 'v1.0.0');
  const folders = goFolders(t.testdir());
  mkdirSync(path.join(folders.gopath, 'pkg', 'sumdb', log.name), { recursive: true });
  writeFileSync(path.join(folders.gopath, 'pkg', 'sumdb', log.name, 'latest'), fork.head());
  const rig = await newRig(log);
  t.strictSame(outcomes(await rig.lookup(MODULES, { caches: [openGoCache(folders, log.name)] })), all('FORK'));
  await rig.close();
});

t.test('a signed head in a cache that is not on its timeline: of the log, or a fork', async (t) => {
  const log = newLog(3000);
  const forked = newLog(2990);
  forked.add('example.com/evil', 'v1.0.0');
  for (const [name, remembered, code] of [['the log', log, undefined], ['a fork', forked.fill(3000), 'FORK']] as const) {
    const file = path.join(t.testdir(), `${code ?? 'none'}.db`);
    await fillCache(file, remembered.clone());
    // the heads that tie it to a timeline are gone, and another timeline is there
    const db = new Database(file);
    db.exec('delete from head');
    const { rig, close } = await openRig(file, log.clone().fill(4000));
    const head = openTreeHead(rig.log.head(500), rig.log.key);
    db.prepare('insert into head (db, size, hash, note) select id, ?, ?, ? from db').run(head.size, head.hash, head.note);
    db.close();
    const lookups = await rig.lookup();
    t.equal(lookups.problem?.code, code, name);
    if (code === undefined) t.equal(lookups.head?.size, 4000);
    t.equal((await rig.store.evidence()).length, code === undefined ? 0 : 1);
    await close();
  }
});

/** Fills a cache of two heads: six modules under the first, five more under the second. */
async function fillCache(file: string, log: TestLog): Promise<void> {
  const { rig, close } = await openRig(file, log);
  await rig.lookup(MODULES.slice(0, 6));
  log.fill(3200);
  await rig.lookup();
  await close();
}

async function openRig(file: string, log: TestLog): Promise<{ rig: Rig; close: () => Promise<void> }> {
  const { store } = await openStore({ file });
  const rig = await newRig(log, store);
  return {
    rig,
    close: async () => {
      await rig.close();
      await store.close();
    },
  };
}

function mutateAll(db: Database.Database, table: string, column: string, mutate: (bytes: Buffer) => Buffer): void {
  db.function('mutate', { deterministic: false }, (bytes: unknown) => (Buffer.isBuffer(bytes) ? mutate(bytes) : bytes));
  const changes = db.prepare(`update ${table} set ${column} = mutate(${column}) where ${column} is not null`).run().changes;
  if (changes === 0) throw new Error(`nothing to tamper with in ${table}`);
}

/** Tampers with the tiles, and takes the receipts away, so that the tiles are needed. */
function mutateTiles(db: Database.Database, mutate: (bytes: Buffer) => Buffer): void {
  mutateAll(db, 'tile', 'data', mutate);
  db.exec('delete from covers; delete from receipt');
}

function flip(bytes: Buffer, at: number, bit = 1): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[at] = (flipped[at] ?? 0) ^ bit;
  return flipped;
}

function goFolders(folder: string): { gopath: string; gomodcache: string } {
  return { gopath: path.join(folder, 'gopath'), gomodcache: path.join(folder, 'gomodcache') };
}

/** Writes what the go command would have kept of the first six modules. */
function writeGoCache(log: TestLog, { gopath, gomodcache }: ReturnType<typeof goFolders>): void {
  const folder = path.join(gomodcache, 'cache', 'download', 'sumdb', log.name);
  writeLog(log, folder, { lookups: MODULES.slice(0, 6).map((m) => `${m.module}@${m.version}`) });
  const config = path.join(gopath, 'pkg', 'sumdb', log.name);
  mkdirSync(config, { recursive: true });
  writeFileSync(path.join(config, 'latest'), log.head());
}

function listing(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

