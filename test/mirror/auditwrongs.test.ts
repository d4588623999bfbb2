/** The audit of a whole log: what the log itself has done wrong, what cannot be judged, and how an audit is ended. */

import path from 'node:path';
import t from 'tap';
import { parseBase64 } from '../../src/core/base64.js';
import { checkFork } from '../../src/core/fork.js';
import { planTiles } from '../../src/core/plan.js';
import { openReceipt } from '../../src/core/receipt.js';
import { encodeUtf8 } from '../../src/core/text.js';
import { linkedHead } from '../../src/core/timeline.js';
import { GosumError } from '../../src/errors.js';
import { audit, type Finding } from '../../src/mirror/audit.js';
import { seenDigest, stateDigest } from '../../src/store/digest.js';
import { openStore, openStoreRows } from '../../src/store/open.js';
import { madeUpHash, TestLog } from '../../src/testing/index.js';
import { auditOf, Damaged, driver } from './auditrig.js';
import { keepWhole, usualLog, usualName, wholeFile } from './auditfile.js';

/** Five full data tiles and a partial one. */
const SIZE = 1400;

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
  const file = await wholeFile(path.join(t.testdir(), 'whole.db'), usualLog(6000));
  const control = new AbortController();
  let ticks = 0;
  let phase = '';
  const progress = {
    phase: (name: string) => void (phase = name),
    tick: (steps = 1) => {
      if (phase === 'proving records' && (ticks += steps) >= 1024) control.abort(new GosumError('INTERRUPTED', 'interrupted'));
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
