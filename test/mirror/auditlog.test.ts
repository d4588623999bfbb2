/** The audit of a whole log: silent about what is true, and it names every single thing that is not. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { pendingDigest, tileDigest } from '../../src/store/digest.js';
import { openStore } from '../../src/store/open.js';
import { madeUpHash, TestLog } from '../../src/testing/index.js';
import { packRecords, unpackRecords } from '../../src/whole/pack.js';
import { auditOf, Damaged } from './auditrig.js';
import { keepWhole, usualLog, usualName, wholeFile } from './auditfile.js';

const A = madeUpHash('a');
/** Five full data tiles and a partial one. */
const SIZE = 1400;

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
  for (const size of [301, 512, 700, 1500]) {
    while (log.size < size) log.add(...usualName(log.size));
    // entries of a tile that was widened come twice; those of the second and the last time stay pending
    await keepWhole(store, log, { merge: size === 512 || size === 700 });
  }
  await keepWhole(store, usualLog(600, 'other.example'), { merge: false });
  await store.close();
  const { findings, databases, proved } = await auditOf(file, { threads: 2 });
  t.strictSame(findings, []);
  t.match(databases, [
    { name: 'log.example', log: { records: 1500, indexed: 700 } },
    { name: 'other.example', log: { records: 600, indexed: 0 } },
  ]);
  t.ok(proved.pending > 256, String(proved.pending));
  const pages = new Damaged(t, file).open((connection) => connection.prepare('SELECT count(*) AS n FROM entry').get() as { n: number });
  t.equal(proved.entry, pages.n, 'no page had to be looked at again');

  // more than one tile of level 1
  const large = new TestLog();
  for (let i = 0; i < 66_000; i++) large.addText(`example.com/m${i % 500} v1.${i}.0 ${A}\nexample.com/m${i % 500} v1.${i}.0/go.mod ${A}\n`);
  t.match(await auditOf(await wholeFile(path.join(t.testdirName, 'large.db'), large)), { findings: [], databases: [{ log: { records: 66_000 } }] });
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
    ['the last pack, of other records', () => damaged().setPack({ n: 5, width: 120, parts: packRecords(unpackRecords(damaged().pack(4).parts).slice(0, 120)) }), ofPack(5, 'false', 'TILE_MISMATCH')],
    ['the last pack, narrower', () => damaged().setPack({ n: 5, width: 100, parts: packRecords(unpackRecords(damaged().pack(5).parts).slice(0, 100)) }), ofPack(5, 'false', 'STORE_FAILED')],
    ['a pack of another width than it says', () => damaged().setPack({ ...damaged().pack(5), width: 119 }), ofPack(5, 'false', 'RECORD_MALFORMED')],
    ['no pack at all', () => damaged().setPack({ n: 2, width: 256, parts: damaged().pack(2).parts.with(1, Uint8Array.of(7, 63, 0, 0, 0, 0)) }), ofPack(2, 'false', 'RECORD_MALFORMED')],
    ['a pack beyond the tree', () => damaged().sql('UPDATE pack SET n = 9 WHERE n = 5').setPack({ ...damaged().pack(5), n: 9 }), ofPack(9, 'false', 'RECORD_BEYOND_HEAD'), ofPack(5, 'false', 'STORE_FAILED')],
    ['parts in another order', () => damaged().setPack({ ...damaged().pack(2), parts: damaged().pack(2).parts.toReversed() }), ofPack(2, 'false', 'TILE_MISMATCH')],
    ['a part that is missing', () => damaged().sql('DELETE FROM pack WHERE n = 2 AND part = 1'), ofPack(2, 'false', 'STORE_FAILED')],
    ['a part too many', () => damaged().sql(`INSERT INTO pack SELECT id + 1, db, n, part + 1, width, digest, data FROM pack WHERE n = 5 AND part = 7`), ofPack(5, 'false', 'STORE_FAILED')],
    ['a part apart from the others', () => damaged().sql('UPDATE pack SET rowid = 1000 WHERE n = 2 AND part = 1'), ofPack(2, 'false', 'STORE_FAILED')],
    ['packs that are missing', () => damaged().sql('DELETE FROM pack WHERE n IN (1, 2)'), ofPack(1, 'false', 'STORE_FAILED')],
    ['an entry that is missing', () => damaged().page(page, (words) => words.toSpliced(inPage(words), 2)), `false entry ${page} STORE_FAILED`],
    ['an entry of another record', () => damaged().page(page, (words) => words.with(inPage(words), 5)), `false entry ${page} STORE_FAILED`],
    ['an entry of no record', () => damaged().page(page, (words) => words.with(inPage(words), SIZE)), `false entry ${page} STORE_FAILED`],
    ['an entry of another key', () => damaged().page(page, (words) => words.with(inPage(words) + 1, rest ^ 1)), `false entry ${page} STORE_FAILED`],
    ['an entry in another page', () => damaged().page(other.page, () => [4, rest]), `false entry ${other.page} STORE_FAILED`],
    ['an entry twice', () => damaged().page(page, (words) => [...words, ...words.slice(-2)]), `false entry ${page} STORE_FAILED`],
    ['entries out of order', () => damaged().page(page, (words) => [9, rest, ...words]), `false entry ${page} STORE_FAILED`],
    ['a module that is missing', () => damaged().sql(`DELETE FROM module WHERE path = 'example.com/m4/v2'`), 'false module example.com/m4/v2 STORE_FAILED'],
    ['a module without a name', () => damaged().sql(`INSERT INTO module VALUES (1, '')`), 'false module  STORE_FAILED'],
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

t.test('a tile that was left when the log grew is proved by the records', async (t) => {
  const file = path.join(t.testdir(), 'whole.db');
  const { store } = await openStore({ file });
  await keepWhole(store, usualLog(600));
  await keepWhole(store, usualLog(SIZE));
  await store.close();
  const grown = (): Damaged => new Damaged(t, file).sql('DELETE FROM head WHERE size = 600');
  t.match(await auditOf(grown().file), { names: [], proved: { tile: 3 } });
  const bad = grown();
  const data = usualLog(600).tileBytes({ level: 0, n: 2, width: 88 }).fill(0, 87 * 32);
  bad.open((connection) => connection.prepare('UPDATE tile SET data = ?, digest = ? WHERE level = 0 AND n = 2').run(data, tileDigest(0, 2, data)));
  t.strictSame((await auditOf(bad.file)).names, ['false tile tile/8/0/002.p/88 TILE_MISMATCH']);
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

