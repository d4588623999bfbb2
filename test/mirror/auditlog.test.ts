/** The audit of a whole log: silent about what is true, and it names every single thing that is not. */

import { copyFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import type { IndexPage, PackedTile } from '../../src/contract.js';
import { parseBase64 } from '../../src/core/base64.js';
import { checkFork } from '../../src/core/fork.js';
import { linkedHead } from '../../src/core/timeline.js';
import { planTiles } from '../../src/core/plan.js';
import { openReceipt } from '../../src/core/receipt.js';
import { encodeUtf8 } from '../../src/core/text.js';
import { GosumError } from '../../src/errors.js';
import { audit, type Audited, type AuditOptions, type Finding } from '../../src/mirror/audit.js';
import { packDigest, pageDigest, pendingDigest, seenDigest, stateDigest } from '../../src/store/digest.js';
import type { Connection } from '../../src/store/driver.js';
import { openStore, openStoreRows } from '../../src/store/open.js';
import { madeUpHash, TestLog } from '../../src/testing/index.js';
import { KeyHash } from '../../src/whole/key.js';
import { packRecords, unpackRecords } from '../../src/whole/pack.js';
import { anyDriver } from '../store/anydriver.js';
import { keepWhole, usualLog, usualName, wholeFile } from './wholefile.js';

const driver = anyDriver();
/** Five full data tiles and a partial one. */
const SIZE = 1400;

async function auditOf(file: string, options: AuditOptions = {}): Promise<Audited & { findings: Finding[]; names: string[] }> {
  const rows = await openStoreRows({ file });
  const findings: Finding[] = [];
  const audited = await audit(rows, (finding) => findings.push(finding), options);
  await rows.close();
  const names = findings.map(({ verdict, table, row, code = '-' }) => `${verdict} ${table} ${row} ${code}`);
  return { ...audited, findings, names };
}

/** A file to be damaged. */
class Damaged {
  static #count = 0;
  readonly file: string;
  constructor(t: Test, from: string) {
    this.file = path.join(t.testdirName, `bad${Damaged.#count++}.db`);
    copyFileSync(from, this.file);
  }

  open<T>(work: (connection: Connection) => T): T {
    const connection = driver.open(this.file);
    connection.exec('PRAGMA foreign_keys = OFF');
    const result = work(connection);
    connection.close();
    return result;
  }

  sql(sql: string): this {
    this.open((connection) => connection.exec(sql));
    return this;
  }

  pack(n: number): PackedTile {
    return this.open((connection) => {
      const { width, data } = connection.prepare('SELECT width, data FROM pack WHERE n = ?').get(n) as { width: number; data: Uint8Array };
      return { n, width, bytes: new Uint8Array(data) };
    });
  }

  /** Puts a pack in the place of another, with a digest that fits. */
  setPack(pack: PackedTile): this {
    const sql = 'UPDATE pack SET width = ?, data = ?, digest = ? WHERE n = ?';
    this.open((connection) => connection.prepare(sql).run(pack.width, pack.bytes, packDigest(pack), pack.n));
    return this;
  }

  /** Changes the entries of a page, each two words (number, rest of the key), with a digest that fits. */
  page(n: number, change: (words: number[]) => number[]): this {
    return this.open((connection) => {
      const { data } = connection.prepare('SELECT data FROM entry WHERE page = ?').get(n) as { data: Uint8Array };
      const words = change([...new Uint32Array(new Uint8Array(data).buffer)]);
      const page: IndexPage = { n, entries: new Uint8Array(Uint32Array.from(words).buffer) };
      connection.prepare('UPDATE entry SET data = ?, digest = ? WHERE page = ?').run(page.entries, pageDigest(page), n);
      return this;
    });
  }

  salt(): Uint8Array {
    return this.open((connection) => new Uint8Array((connection.prepare('SELECT salt FROM loginfo').get() as { salt: Uint8Array }).salt));
  }

  /** The page and the rest of the key of the `i`th usual record. */
  key(i: number): { page: number; rest: number } {
    return new KeyHash(this.salt()).key(...usualName(i));
  }
}

const ofPack = (n: number, verdict: string, code: string): string => `${verdict} pack ${n} ${code}`;

t.test('a whole log is proved, all of it, and nothing is written', async (t) => {
  const log = usualLog(SIZE);
  const file = await wholeFile(path.join(t.testdir(), 'whole.db'), log);
  const before = readFileSync(file);
  const { findings, proved, databases } = await auditOf(file);
  t.strictSame(findings, []);
  t.match(databases, [{ name: 'log.example', tree: { size: SIZE }, log: { records: SIZE, indexed: SIZE, repeated: 0 } }]);
  t.match(proved, { loginfo: 1, pack: 6, pending: 0, seen: 1, module: new Set(log.modules.map((name) => name.split('@')[0])).size });
  t.ok(proved.entry > 500, String(proved.entry));
  t.strictSame(readFileSync(file), before);
});

t.test('in threads, of two logs, one grown in steps, with pending entries, and not all of it', async (t) => {
  const file = path.join(t.testdir(), 'whole.db');
  const { store } = await openStore({ file });
  const log = usualLog(300);
  await keepWhole(store, log);
  for (const size of [301, 512, 700, 66_000]) {
    while (log.size < size) log.add(...usualName(log.size));
    // entries of a tile that was widened come twice; those of the second and the last time stay pending
    await keepWhole(store, log, { merge: size === 512 || size === 700 });
  }
  await keepWhole(store, usualLog(600, 'other.example'), { merge: false });
  await store.close();
  const { findings, databases, proved } = await auditOf(file, { threads: 2 });
  t.strictSame(findings, []);
  t.match(databases, [
    { name: 'log.example', log: { records: 66_000, indexed: 700 } },
    { name: 'other.example', log: { records: 600, indexed: 0 } },
  ]);
  t.ok(proved.pending > 256, String(proved.pending));
});

t.test('what is not as it was written is named', async (t) => {
  const file = await wholeFile(path.join(t.testdir(), 'whole.db'), usualLog(SIZE));
  const { store } = await openStore({ file });
  await keepWhole(store, usualLog(SIZE + 50), { merge: false });
  await store.log!.setMark(usualLog(0).vkey, 'me', 7);
  await store.close();
  const state = new Damaged(t, file);
  const page = state.key(4).page;
  const bucket = state.open((connection) => (connection.prepare('SELECT min(bucket) AS n FROM pending').get() as { n: number }).n);
  state.sql(`INSERT INTO staged VALUES (1, x'0102030405060708', x'00')`);
  t.ok((await auditOf(state.file)).names.includes('false staged 1 STORE_FAILED'));

  const flip = (table: string, where = '1', column = 'data'): string =>
    `UPDATE ${table} SET ${column} = CAST(substr(${column}, 1, 5) || x'5a' || substr(${column}, 7) AS BLOB) WHERE ${where}`;
  const cases: readonly (readonly [sql: string, name: string])[] = [
    [flip('pack', 'n = 2'), ofPack(2, 'false', 'STORE_FAILED')],
    ['UPDATE pack SET width = 255 WHERE n = 2', ofPack(2, 'false', 'STORE_FAILED')],
    [flip('entry', `page = ${page}`), `false entry ${page} STORE_FAILED`],
    [flip('pending', `bucket = ${bucket}`), `false pending ${bucket} STORE_FAILED`],
    [flip('loginfo', '1', 'salt'), 'false loginfo 1 STORE_FAILED'],
    ['UPDATE loginfo SET indexed = indexed - 1', 'false loginfo 1 STORE_FAILED'],
    [`UPDATE seen SET at = at + 1 WHERE size = ${SIZE}`, `false seen ${SIZE} STORE_FAILED`],
    ['UPDATE mark SET record = record + 1', 'false mark me STORE_FAILED'],
    [flip('tile', 'level = 1'), 'false tile 1 0 STORE_FAILED'],
    [`UPDATE module SET path = 'example.com/m4/v3' WHERE path = 'example.com/m4/v2'`, 'false module example.com/m4/v3 STORE_FAILED'],
    [`UPDATE module SET path = 'example.com/m4/v3' WHERE path = 'example.com/m4/v2'`, 'false module example.com/m4/v2 STORE_FAILED'],
    [`UPDATE pack SET n = 77 WHERE n = 2`, ofPack(2, 'false', 'STORE_FAILED')],
  ];
  for (const [sql, name] of cases) {
    const bad = new Damaged(t, file).sql(sql);
    const { names } = await auditOf(bad.file);
    t.ok(names.includes(name), `${sql}: ${name}`, { names });
  }
});

t.test('what fits its digest, and is false', async (t) => {
  const file = await wholeFile(path.join(t.testdir(), 'whole.db'), usualLog(SIZE));
  const damaged = (): Damaged => new Damaged(t, file);
  const { page, rest } = damaged().key(4);
  const inPage = (words: readonly number[]): number => words.findIndex((word, i) => i % 2 === 0 && word === 4);
  const other = damaged().key(5);
  const cases: readonly (readonly [what: string, make: () => Damaged, ...names: string[]])[] = [
    ['a true pack in the place of another', () => damaged().setPack({ ...damaged().pack(1), n: 3 }), ofPack(3, 'false', 'TILE_MISMATCH')],
    ['the last pack, of other records', () => damaged().setPack({ n: 5, width: 120, bytes: packRecords(unpackRecords(damaged().pack(4).bytes).slice(0, 120)) }), ofPack(5, 'false', 'TILE_MISMATCH')],
    ['the last pack, narrower', () => damaged().setPack({ n: 5, width: 100, bytes: packRecords(unpackRecords(damaged().pack(5).bytes).slice(0, 100)) }), ofPack(5, 'false', 'STORE_FAILED')],
    ['a pack of another width than it says', () => damaged().setPack({ ...damaged().pack(5), width: 119 }), ofPack(5, 'false', 'RECORD_MALFORMED')],
    ['no pack at all', () => damaged().setPack({ n: 2, width: 256, bytes: Uint8Array.of(7, 255, 0, 0, 0, 0) }), ofPack(2, 'false', 'RECORD_MALFORMED')],
    ['a pack beyond the tree', () => damaged().sql('UPDATE pack SET n = 9 WHERE n = 5').setPack({ ...damaged().pack(5), n: 9 }), ofPack(9, 'false', 'RECORD_BEYOND_HEAD'), ofPack(5, 'false', 'STORE_FAILED')],
    ['packs that are missing', () => damaged().sql('DELETE FROM pack WHERE n IN (1, 2)'), ofPack(1, 'false', 'STORE_FAILED')],
    ['an entry that is missing', () => damaged().page(page, (words) => words.toSpliced(inPage(words), 2)), `false entry ${page} STORE_FAILED`],
    ['an entry of another record', () => damaged().page(page, (words) => words.with(inPage(words), 5)), `false entry ${page} STORE_FAILED`],
    ['an entry of no record', () => damaged().page(page, (words) => words.with(inPage(words), SIZE)), `false entry ${page} STORE_FAILED`],
    ['an entry of another key', () => damaged().page(page, (words) => words.with(inPage(words) + 1, rest ^ 1)), `false entry ${page} STORE_FAILED`],
    ['an entry in another page', () => damaged().page(other.page, () => [4, rest]), `false entry ${other.page} STORE_FAILED`],
    ['an entry twice', () => damaged().page(page, (words) => [...words, ...words.slice(-2)]), `false entry ${page} STORE_FAILED`],
    ['entries out of order', () => damaged().page(page, (words) => [9, rest, ...words]), `false entry ${page} STORE_FAILED`],
    ['a module that is missing', () => damaged().sql(`DELETE FROM module WHERE path = 'example.com/m4/v2'`), 'false module example.com/m4/v2 STORE_FAILED'],
    ['a module of no record', () => damaged().sql(`INSERT INTO module VALUES (1, 'example.com/none')`), 'false module example.com/none STORE_FAILED'],
    ['no modules', () => damaged().sql('DELETE FROM module'), 'false module example.com/m4/v2 STORE_FAILED'],
  ];
  for (const [what, make, ...wanted] of cases) {
    const { names, proved } = await auditOf(make().file);
    for (const name of wanted) t.ok(names.includes(name), `${what}: ${name}`, { names });
    t.match(proved, { head: 1 });
  }
  const { found } = await auditOf(damaged().sql('DELETE FROM entry').file);
  t.ok(found.false > 500, 'each page of an index that is gone', found);
});

t.test('entries of what is false are not judged, nor are its modules', async (t) => {
  const file = await wholeFile(path.join(t.testdir(), 'whole.db'), usualLog(SIZE));
  const { names, findings } = await auditOf(new Damaged(t, file).sql(`UPDATE pack SET digest = x'00' WHERE n = 2`).file);
  t.strictSame(names.filter((name) => name.startsWith('false')), [ofPack(2, 'false', 'STORE_FAILED')]);
  t.strictSame(findings.filter(({ verdict, table }) => verdict === 'unjudged' && table === 'entry').map(({ rows }) => rows), [256]);
  t.ok(findings.some(({ verdict, table, rows }) => verdict === 'unjudged' && table === 'module' && rows > 100));
});

t.test('pending entries: what is wrong among them', async (t) => {
  const file = path.join(t.testdir(), 'whole.db');
  const { store } = await openStore({ file });
  await keepWhole(store, usualLog(SIZE), { merge: false });
  await store.close();
  const { page } = new Damaged(t, file).key(4);
  const bucket = page >>> 8;
  const change = (make: (bytes: Uint8Array) => Uint8Array, to = bucket): Damaged => {
    const bad = new Damaged(t, file);
    bad.open((connection) => {
      const { data } = connection.prepare('SELECT data FROM pending WHERE bucket = ?').get(bucket) as { data: Uint8Array };
      const entries = make(new Uint8Array(data));
      const sql = 'UPDATE pending SET bucket = ?, data = ?, digest = ? WHERE bucket = ?';
      connection.prepare(sql).run(to, entries, pendingDigest({ bucket: to, entries }), bucket);
    });
    return bad;
  };
  const names = async (bad: Damaged): Promise<string[]> => (await auditOf(bad.file)).names;
  t.strictSame(await names(change((bytes) => bytes)), []);
  const missing = await names(new Damaged(t, file).sql(`DELETE FROM pending WHERE bucket = ${bucket}`));
  t.ok(missing.includes(`false entry ${page} STORE_FAILED`), 'entries that are missing', { missing });
  t.strictSame(await names(change((bytes) => bytes.subarray(1))), [`false pending ${bucket} STORE_FAILED`]);
  t.ok((await names(change((bytes) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte))))).some((name) => name.startsWith('false entry ')), 'another record');
  t.ok((await names(change((bytes) => bytes, 300))).includes('false pending 300 STORE_FAILED'), 'no such bucket');
});

t.test('a module version with different hashes is a broken promise, with evidence; with the same it is counted', async (t) => {
  const log = usualLog(900);
  log.add(...usualName(4), { module: madeUpHash('other') });
  log.add(...usualName(5));
  while (log.size < SIZE) log.add(...usualName(log.size));
  log.add(...usualName(7), { goMod: madeUpHash('another') });
  const [module, version] = usualName(8);
  log.addText(`${module} ${version} ${madeUpHash('third')}\n`);
  const file = await wholeFile(path.join(t.testdir(), 'whole.db'), log);
  const check = async (file: string): Promise<void> => {
    const { findings, databases, found } = await auditOf(file);
    t.match(databases, [{ log: { repeated: 1 } }]);
    t.match(found, { conflict: 3, false: 0, unjudged: 0 });
    const conflicts = findings.filter(({ verdict }) => verdict === 'conflict');
    const name = (i: number): string => usualName(i).join('@');
    t.strictSame(conflicts.map(({ row, code }) => [row, code]).sort(), [[name(4), 'LINES_CONFLICT'], [name(7), 'LINES_CONFLICT'], [name(8), 'LINES_CONFLICT']].sort());
    const { evidence } = conflicts.find(({ row }) => row === name(4))!;
    if (evidence === undefined || !('receipt' in evidence)) return void t.fail('no evidence');
    t.strictSame(evidence.records.map(({ id, text }) => [id, encodeUtf8(text)]), [[4, log.text(4)], [900, log.text(900)]]);
    const { head, records } = openReceipt(parseBase64(evidence.receipt), log.key);
    t.strictSame([head.size, ...records.map(({ id, text }) => [id, text])], [log.size, [4, log.text(4)], [900, log.text(900)]]);
  };
  await check(file);

  // also where the entries are pending, and where the index hides one of the two
  const pending = path.join(t.testdirName, 'pending.db');
  const { store } = await openStore({ file: pending });
  await keepWhole(store, log, { merge: false });
  await store.close();
  await check(pending);
  const bad = new Damaged(t, file);
  const { page } = bad.key(4);
  for (const change of [
    () => bad.page(page, (words) => words.toSpliced(words.indexOf(900), 2)),
    () => bad.sql(`UPDATE entry SET digest = x'00' WHERE page = ${page}`),
    () => bad.sql(`DELETE FROM entry WHERE page = ${page}`),
  ]) {
    const { found } = await auditOf(change().file);
    t.match(found, { conflict: 3 });
    t.ok(found.false > 0);
  }
});

t.test('records that are no usual ones are named, each with its flaw', async (t) => {
  const [a, b] = [madeUpHash('a'), madeUpHash('b')];
  const cases: readonly (readonly [text: string, code: string | undefined])[] = [
    [`example.com/x v1.0.0/go.mod ${b}\nexample.com/x v1.0.0 ${a}\n`, undefined],
    [`example.com/x v1.0.1 ${a}\n`, 'RECORD_MALFORMED'],
    [`example.com/x v1.0.2/go.mod ${a}\n`, 'RECORD_MALFORMED'],
    [`example.com/x v1.0.3 ${a}\nexample.com/x v1.0.3/go.mod ${b}\nexample.com/x v1.0.3 ${a}\n`, 'RECORD_MALFORMED'],
    [`example.com/x v1.0.4 ${a} more\nexample.com/x v1.0.4/go.mod ${b}\n`, 'RECORD_MALFORMED'],
    [`example.com/x v1.0.5 ${a}\nexample.com/y v1.0.5/go.mod ${b}\n`, 'RECORD_FOREIGN'],
    [`example.com/x v1.0.6 ${a}\nexample.com/x v1.0.6/go.mod h1:x\n`, 'HASH_UNKNOWN'],
    [`example.com/x v1.0.7 ${a.replace('h1:', 'h2:')}\nexample.com/x v1.0.7/go.mod ${b}\n`, 'HASH_UNKNOWN'],
    [`example.com/x v1.0.8 ${a}\nexample.com/x v1.0.8 ${b}\nexample.com/x v1.0.8/go.mod ${b}\n`, 'RECORD_CONFLICT'],
    [`example.com/x v1.0 ${a}\nexample.com/x v1.0/go.mod ${b}\n`, 'VERSION_MALFORMED'],
    [`example.com/x v1.01.0 ${a}\nexample.com/x v1.01.0/go.mod ${b}\n`, 'VERSION_MALFORMED'],
    [`example.com/nul/x v1.0.0 ${a}\nexample.com/nul/x v1.0.0/go.mod ${b}\n`, 'MODULE_PATH_MALFORMED'],
    [`EXAMPLE.com/x v1.0.0 ${a}\nEXAMPLE.com/x v1.0.0/go.mod ${b}\n`, 'MODULE_PATH_MALFORMED'],
    [`example.com/ü v1.0.0 ${a}\nexample.com/ü v1.0.0/go.mod ${b}\n`, 'MODULE_PATH_MALFORMED'],
  ];
  const log = usualLog(300);
  // every odd record takes its tile with it to another form: so here are tiles without one, with some, and with path flaws alone
  const ids = cases.map(([text], i) => {
    while (log.size < 300 + (i > 8 ? 300 : 0)) log.add(...usualName(log.size));
    return log.addText(text);
  });
  while (log.size < SIZE) log.add(...usualName(log.size));
  const file = await wholeFile(path.join(t.testdir(), 'whole.db'), log);
  const { names, found } = await auditOf(file);
  t.strictSame(names, cases.flatMap(([, code], i) => (code === undefined ? [] : [`malformed pack record ${ids[i] ?? 0} ${code}`])));
  t.match(found, { malformed: cases.length - 1, false: 0, unjudged: 0 });
});

t.test('a signed head that the tree does not begin with is a fork, and the audit makes the evidence', async (t) => {
  const log = usualLog(SIZE);
  const file = path.join(t.testdir(), 'whole.db');
  const { store } = await openStore({ file });
  const first = new TestLog(log.name);
  for (let i = 0; i < 600; i++) first.add(...usualName(i));
  await keepWhole(store, first);
  await keepWhole(store, log);
  await store.close();
  t.strictSame((await auditOf(file)).names, []);
  const evil = new TestLog(log.name);
  for (let i = 0; i < 600; i++) evil.add(...usualName(i), i === 300 ? { module: madeUpHash('evil') } : {});
  const bad = new Damaged(t, file);
  bad.open((connection) => connection.prepare('UPDATE head SET hash = ?, note = ? WHERE size = 600').run(evil.treeHead().hash, evil.head()));
  const { findings, names } = await auditOf(bad.file);
  t.strictSame(names, ['fork head 600 FORK'], 'and no tile of the tree of 600');
  const { evidence } = findings[0]!;
  if (evidence === undefined || !('older' in evidence)) return void t.fail('no evidence');
  checkFork({ older: encodeUtf8(evidence.older), newer: encodeUtf8(evidence.newer), proof: parseBase64(evidence.proof) }, log.key);

  // a proof that was damaged accuses nobody
  const plan = planTiles(log.treeHead(), { links: [600] });
  const { next } = linkedHead(plan.authenticate(plan.tiles.map((tile) => log.tileBytes(tile))), first.signedHead());
  const proof = new Uint8Array(next!.proof).fill(0, 0, 4);
  const damaged = new Damaged(t, file);
  damaged.open((connection) => connection.prepare('UPDATE head SET proof = ? WHERE size = 600').run(proof));
  t.strictSame((await auditOf(damaged.file)).names, ['false head 600 PROOF_MISMATCH']);
});

t.test('what cannot be judged without what is missing', async (t) => {
  const file = await wholeFile(path.join(t.testdir(), 'whole.db'), usualLog(SIZE));
  const names = async (sql: string): Promise<string[]> => (await auditOf(new Damaged(t, file).sql(sql).file)).names;
  const noTile = await names('DELETE FROM tile WHERE level = 1');
  t.strictSame(noTile, ['unjudged tile tile/8/0/005.p/120 -', 'unjudged pack 0 -']);
  t.strictSame(await names('DELETE FROM loginfo'), [`unjudged entry ${(await names('DELETE FROM loginfo'))[0]!.split(' ')[2]!} -`]);
  t.strictSame((await names('DELETE FROM head')).map((name) => name.split(' ').slice(0, 2).join(' ')).sort(), ['unjudged entry', 'unjudged module', 'unjudged pack', 'unjudged seen', 'unjudged tile']);
  t.strictSame(await names('DELETE FROM tile WHERE level = 0'), [], 'a level 0 is made of the records');
});

t.test('more than can be is not said to be so', async (t) => {
  const file = await wholeFile(path.join(t.testdir(), 'whole.db'), usualLog(SIZE));
  const bad = new Damaged(t, file);
  const salt = bad.salt();
  bad.open((connection) => {
    connection.prepare('UPDATE loginfo SET indexed = 9999, changes = 1, digest = ?').run(stateDigest({ salt, indexed: 9999, changes: 1 }));
    connection.prepare('INSERT INTO seen VALUES (1, 9999, 1, ?)').run(seenDigest({ size: 9999, at: 1 }));
  });
  const { names } = await auditOf(bad.file);
  t.ok(names.includes('false loginfo 1 RECORD_BEYOND_HEAD'), 'indexed', { names });
  t.ok(names.includes('false seen 9999 RECORD_BEYOND_HEAD'), 'seen', { names });
});

t.test('it can be ended', async (t) => {
  const file = await wholeFile(path.join(t.testdir(), 'whole.db'), usualLog(30_000));
  const control = new AbortController();
  let ticks = 0;
  let phase = '';
  const progress = {
    phase: (name: string) => void (phase = name),
    tick: () => {
      if (phase === 'proving records' && ++ticks === 5000) control.abort(new GosumError('INTERRUPTED', 'interrupted'));
    },
  };
  await t.rejects(auditOf(file, { threads: 2, signal: control.signal, progress }), { code: 'INTERRUPTED' });
});

t.test('others may write meanwhile', async (t) => {
  const file = path.join(t.testdir(), 'whole.db');
  const log = usualLog(SIZE);
  await wholeFile(file, log);
  const connection = driver.open(file);
  connection.exec('PRAGMA journal_mode = WAL');
  connection.close();
  const { store } = await openStore({ file });
  const rows = await openStoreRows({ file });
  while (log.size < 2000) log.add(...usualName(log.size));
  await keepWhole(store, log);
  const findings: Finding[] = [];
  const { databases } = await audit(rows, (finding) => findings.push(finding));
  t.strictSame(findings, []);
  t.match(databases, [{ tree: { size: SIZE }, log: { records: SIZE, indexed: SIZE } }]);
  await rows.close();
  await store.close();
  t.match(await auditOf(file), { findings: [], databases: [{ log: { records: 2000, indexed: 2000 } }] });
});
