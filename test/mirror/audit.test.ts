/** The audit: silent about what is true, and it names every single thing that is not. */

import { copyFileSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { forkError } from '../../src/core/fork.js';
import { planTiles } from '../../src/core/plan.js';
import { audit, type Audited, type Finding } from '../../src/mirror/audit.js';
import { openStore, openStoreRows } from '../../src/store/open.js';
import { record } from '../../src/testing/storevalues.js';
import { MODULES, newLog, newRig } from '../client/rig.js';
import { newPlace } from '../cli/place.js';
import { newMirrorRig } from './rig.js';
import { anyDriver } from '../store/anydriver.js';
import { madeUpHash } from '../../src/testing/index.js';
import { usualLog, usualName, wholeFile } from './auditfile.js';

const driver = anyDriver();

/** A mirror's file, after the log has grown under it a few times. */
async function mirrorFile(t: Test, sizes: readonly number[] = [3000, 3001, 3072, 70_000]): Promise<string> {
  const log = newLog(3000);
  const file = path.join(t.testdir(), 'mirror.db');
  const { store } = await openStore({ file });
  const rig = await newMirrorRig(log, store);
  for (const [i, size] of sizes.entries()) {
    log.fill(size);
    await rig.mirror.refresh();
    for (const { module, version } of MODULES.slice(3 * i, 3 * i + 3)) await rig.mirror.lookup(module, version);
  }
  await rig.close();
  await store.close();
  return file;
}

async function auditOf(file: string): Promise<Audited & { findings: Finding[] }> {
  const rows = await openStoreRows({ file });
  const findings: Finding[] = [];
  const audited = await audit(rows, (finding) => findings.push(finding));
  await rows.close();
  return { ...audited, findings };
}

/** `verdict table row code` of each finding. */
function named(findings: readonly Finding[]): string[] {
  return findings.map(({ verdict, table, row, code = '-' }) => `${verdict} ${table} ${row} ${code}`);
}

function change(file: string, sql: string): void {
  const connection = driver.open(file);
  connection.exec(`PRAGMA foreign_keys = OFF; ${sql}`);
  connection.close();
}

t.test('a mirror’s file is proved, all of it, and nothing is written', async (t) => {
  const file = await mirrorFile(t);
  const before = [readFileSync(file), statSync(file).mtimeMs];
  const { findings, proved, databases } = await auditOf(file);
  t.strictSame(findings, []);
  t.match(proved, { database: 1, head: 1, record: 12, receipt: 0 });
  t.ok(proved.tile > 12, String(proved.tile));
  t.match(databases, [{ name: 'log.example', tree: { size: 70_000 } }]);
  t.strictSame([readFileSync(file), statSync(file).mtimeMs], before);
});

t.test('a client’s cache keeps less, and what it keeps is proved', async (t) => {
  const file = path.join(t.testdir(), 'cache.db');
  const { store } = await openStore({ file });
  const log = newLog(3000);
  const rig = await newRig(log, store);
  for (const [i, size] of [3000, 3072, 3073, 5000].entries()) {
    log.fill(size);
    await rig.lookup(MODULES.slice(3 * i, 3 * i + 3), { fresh: true });
  }
  await rig.close();
  await store.close();
  const { findings, proved } = await auditOf(file);
  t.strictSame(findings.filter(({ verdict }) => verdict !== 'unjudged'), []);
  t.match(proved, { database: 1, head: 4, receipt: 4 });
  t.ok(proved.tile > 0);

  for (const [sql, name] of [
    [`UPDATE head SET proof = CAST(x'00' || substr(proof, 2) AS BLOB) WHERE size = 3072`, 'false head 3072 PROOF_MISMATCH'],
    [`UPDATE head SET note = (SELECT note FROM head WHERE size = 3073) WHERE size = 3072`, 'false head 3072 PROOF_MISMATCH'],
    [`UPDATE receipt SET bytes = CAST(substr(bytes, 1, length(bytes) - 1) || x'00' AS BLOB) WHERE id = 2`, 'false receipt 2 PROOF_MISMATCH'],
    [`DELETE FROM covers WHERE receipt = 3; INSERT INTO covers VALUES (1, 'example.com/other@v1.0.0', 3)`, 'false receipt 3 RECORD_FOREIGN'],
    ['DELETE FROM head WHERE size = 5000', 'false head  PROOF_MISMATCH'],
  ] as const) {
    const bad = path.join(t.testdirName, 'bad.db');
    copyFileSync(file, bad);
    change(bad, sql);
    t.ok(named((await auditOf(bad)).findings).includes(name), sql);
  }
});

t.test('whatever is false in a mirror’s file is named', async (t) => {
  const file = await mirrorFile(t);
  const flip = (column: string): string => `${column} = CAST(substr(${column}, 1, 5) || x'ff' || substr(${column}, 7) AS BLOB)`;
  const cases: readonly (readonly [sql: string, ...names: string[]])[] = [
    [`UPDATE tile SET ${flip('data')} WHERE level = 0 AND n = 2`, 'false tile 0 2 STORE_FAILED'],
    [`UPDATE record SET ${flip('text')} WHERE id = 0`, 'false record example.com/Mod0@v1.0.0 STORE_FAILED'],
    [`UPDATE record SET text = x'00'`, 'false record example.com/Mod3@v1.3.0 STORE_FAILED'],
    ['UPDATE tile SET data = CAST(substr(data, 1, 33) AS BLOB) WHERE level = 0 AND n = 2', 'false tile 0 2 STORE_FAILED'],
    ['UPDATE head SET size = size + 1', 'false head 70001 PROOF_MISMATCH'],
    [`UPDATE head SET ${flip('hash')}`, 'false head 70000 PROOF_MISMATCH'],
    [`UPDATE db SET name = 'other.example'`, 'false database other.example KEY_MALFORMED'],
    [`UPDATE db SET key = replace(key, '+A', '+B')`, 'false database log.example KEY_MALFORMED'],
    ['DELETE FROM db', 'false file  STORE_FAILED', 'unjudged head 70000 -'],
    ['DELETE FROM tile WHERE level = 1 AND n = 0', 'unjudged tile tile/8/0/011 -', 'unjudged record example.com/Mod0@v1.0.0 -'],
    ['DELETE FROM tile WHERE level = 0 AND n = 0', 'unjudged record example.com/Mod0@v1.0.0 -'],
    ['DELETE FROM head', 'unjudged tile tile/8/1/000 -', 'unjudged record example.com/Mod0@v1.0.0 -'],
  ];
  for (const [sql, ...names] of cases) {
    const bad = path.join(t.testdirName, 'bad.db');
    copyFileSync(file, bad);
    change(bad, sql);
    const all = named((await auditOf(bad)).findings);
    for (const name of names) t.ok(all.includes(name), `${sql}: ${name}`, { all });
  }
});

t.test('what is false and yet fits its digest is named, too', async (t) => {
  const file = await mirrorFile(t);
  const log = newLog(3000).fill(70_000);
  // a store believes its caller
  const { store } = await openStore({ file });
  const other = newLog(2999).fill(70_000);
  const plan = planTiles(other.treeHead(), { records: [2] });
  const { tiles } = plan.authenticate(plan.tiles.map((tile) => other.tileBytes(tile)));
  const own = new TextDecoder().decode(log.text(0));
  const records = [
    record(0, 'example.com/mine@v1.0.0', own),
    record(1, 'example.com/Mod0@v1.0.0', own),
    record(70_000, 'example.com/later@v1.0.0', own),
    record(0, 'no module', own),
  ];
  const same = { name: log.name, expect: 70_000, heads: [], receipts: [] };
  await store.commit(log.vkey, { ...same, tiles: [], records });
  const names = named((await auditOf(file)).findings);
  t.strictSame(names, [
    'false record example.com/later@v1.0.0 RECORD_BEYOND_HEAD',
    'false record example.com/mine@v1.0.0 RECORD_FOREIGN',
    'false record example.com/Mod0@v1.0.0 RECORD_MISMATCH',
    'false record no module VERSION_MALFORMED',
  ]);
  await store.commit(log.vkey, { ...same, tiles });
  await store.close();
  const more = named((await auditOf(file)).findings);
  t.ok(more.some((name) => name.startsWith('false tile ') && name.endsWith(' TILE_MISMATCH')), 'a tile of another log', { more });
});

t.test('evidence of a fork is said to be that, and what proves none is false', async (t) => {
  const file = path.join(t.testdir(), 'fork.db');
  const log = newLog(3000);
  const fork = newLog(2990);
  fork.add('example.com/evil', 'v1.0.0');
  const plan = planTiles(log.treeHead(), { links: [fork.size] });
  const { evidence } = forkError(plan.authenticate(plan.tiles.map((tile) => log.tileBytes(tile))), log.signedHead(), fork.signedHead());
  const { store } = await openStore({ file });
  await store.addEvidence({ key: log.vkey, foundAt: '2026-01-01T00:00:00Z', ...evidence });
  await store.addEvidence({ key: log.vkey, foundAt: '2026-01-01T00:00:00Z', older: log.head(), newer: log.head(), proof: new Uint8Array(32) });
  await store.close();
  t.strictSame(named((await auditOf(file)).findings), ['fork evidence 1 FORK', 'false evidence 2 PROOF_MISMATCH']);
});

t.test('the command', async (t) => {
  const place = await newPlace(t);
  const run = async (...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> => place.run(['audit', ...args]);
  t.match(await run('--data', 'none.db'), { code: 2, stdout: '' });
  t.match(await run(), { code: 2 });
  t.equal((await run('--data', path.join(place.folder, 'go.sum'))).code, 1, 'a file that is no database at all');
  t.equal((await place.run(['verify', '--cache', 'c.db'])).code, 0);
  const file = path.join(place.folder, 'c.db');
  const ran = await run('--data', 'c.db', '--format', 'json');
  t.strictSame([ran.code, ran.stderr], [0, '']);
  t.match(JSON.parse(ran.stdout), { exitCode: 0, findings: [], proved: { receipt: 1 }, found: { false: 0 } });
  t.match(await run('--data', 'c.db'), { code: 0, stdout: /nothing is wrong/ });
  t.match(await run('--data', 'c.db', '--quiet'), { code: 0, stdout: '' });
  change(file, `UPDATE receipt SET bytes = x'00'`);
  const bad = await run('--data', 'c.db');
  t.match(bad, { code: 1, stdout: /FALSE: receipt log\.example 1: / });
  change(file, 'DELETE FROM head; DELETE FROM covers; DELETE FROM receipt');
  t.match(await run('--data', 'c.db'), { code: 3, stdout: /UNJUDGED: tile / });
  t.equal((await place.run(['evidence', '--data', 'c.db'])).code, 0);
});

t.test('the command, of a whole log', async (t) => {
  const place = await newPlace(t);
  const file = path.join(place.folder, 'whole.db');
  const log = usualLog(600);
  log.add(...usualName(4), { module: madeUpHash('other') });
  log.addText(`example.com/half v1.0.0 ${madeUpHash('half')}\n`);
  await wholeFile(file, usualLog(600, 'other.example'), log);
  const ran = await place.run(['audit', '--data', 'whole.db', '--format', 'json', '--threads', '1']);
  t.equal(ran.code, 1);
  t.match(JSON.parse(ran.stdout), {
    exitCode: 1,
    databases: [{ name: 'other.example', log: { records: 600, indexed: 600, repeated: 0 } }, { log: { records: 602 } }],
    found: { false: 0, conflict: 1, malformed: 1 },
    findings: [
      { verdict: 'malformed', table: 'pack', row: 'record 601', code: 'RECORD_MALFORMED' },
      { verdict: 'conflict', code: 'LINES_CONFLICT', evidence: { records: [{ id: 4 }, { id: 600 }], receipt: /^[A-Za-z0-9+/]+=*$/ } },
    ],
  });
  t.match(await place.run(['audit', '--data', 'whole.db']), { code: 1, stdout: /CONFLICT: pack log\.example example\.com\/m4\/v2@v2\.0\.4: .*\n {2}record 4:\n {4}example\.com\/m4\/v2 v2\.0\.4 h1:[^]*602 records proved/ });
  t.match(await place.run(['audit', '--data', 'whole.db', '--threads', '0']), { code: 2 });

  // what nobody is deceived by is told, and is no failure
  const odd = usualLog(300, 'odd.example');
  odd.addText(`example.com/half v1.0.0 ${madeUpHash('half')}\n`);
  await wholeFile(path.join(place.folder, 'half.db'), odd);
  t.match(await place.run(['audit', '--data', 'half.db', '--quiet']), { code: 0, stdout: /^MALFORMED: / });

  // and hides nothing worse
  const many = usualLog(10).fill(1300);
  many.add(...usualName(4), { module: madeUpHash('other') });
  await wholeFile(path.join(place.folder, 'many.db'), many);
  const all = await place.run(['audit', '--data', 'many.db', '--format', 'json']);
  const { found, findings } = JSON.parse(all.stdout) as { found: unknown; findings: { verdict: string }[] };
  t.match(found, { malformed: 1290, conflict: 1 });
  t.strictSame([findings.length, findings.at(-1)?.verdict], [201, 'conflict']);
});
