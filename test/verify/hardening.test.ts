import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t from 'tap';
import type { Source } from '../../src/contract.js';
import { CODES, GosumError, outcomeOf } from '../../src/errors.js';
import { SumDB } from '../../src/client/sumdb.js';
import { joinBytes } from '../../src/core/text.js';
import { signNote } from '../../src/core/note.js';
import { newSignerKey } from '../../src/core/key.js';
import { encodeUtf8 } from '../../src/core/text.js';
import { openTreeHead, formatTreeHead } from '../../src/core/treehead.js';
import { formatReport } from '../../src/report/report.js';
import { SUM_GOLANG_ORG } from '../../src/config/sumdb.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { openStore } from '../../src/store/open.js';
import { otherBody, TestLog } from '../../src/testing/index.js';
import { verifyGoSum } from '../../src/verify/verify.js';
import { all, MODULES, nameOf, newLog, newRig, outcomes } from '../client/rig.js';

/** The package's folder; this file runs as dist/test/verify/hardening.test.js. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const GO_SUM = `example.com/Mod0 v1.0.0 h1:${'A'.repeat(43)}=\n`;

t.test('whatever a source fails with, the run is not a good one', async (t) => {
  const log = new TestLog();
  for (const code of CODES.filter((each) => outcomeOf(each) !== 'local' && each !== 'KEY_CHANGED')) {
    const source: Source = {
      label: 'broken',
      read: () => Promise.reject(new GosumError(code, 'it fails')),
      close: () => Promise.resolve(),
    };
    const db = new SumDB({ key: log.key, source, store: openMemoryStore() });
    const run = await verifyGoSum(db, GO_SUM);
    t.not(run.exitCode, 0, code);
    t.equal(run.summary.verified, 0);
    t.notMatch(await formatReport('text', run, { version: '0', color: false, width: 80, cwd: '/', root: '/' }), /NOTHING CHECKED/);
  }
});

t.test('a key that changes under our hands ends the run', async (t) => {
  const store = openMemoryStore();
  const rig = await newRig(newLog(1000), store);
  const impostor = new TestLog('log.example', newSignerKey('log.example'));
  impostor.add('example.com/Mod0', 'v1.0.0');
  const other = await newRig(impostor, store);
  rig.served.answer = async (_, answer) => {
    if ((await store.keyOf('log.example')) === undefined) await other.lookup(MODULES.slice(0, 1));
    return answer;
  };
  await t.rejects(rig.lookup(MODULES.slice(0, 1)), { code: 'KEY_CHANGED' });
  await rig.close();
  await other.close();
});

t.test('what anybody can add to a signed note is neither kept nor shown', async (t) => {
  const log = newLog(3000);
  const stranger = newSignerKey('\u009b31m##[error]pwn');
  const text = formatTreeHead(log.treeHead());
  const padded = signNote(text, [stranger, log.signer]);
  t.not(padded.length, log.head().length);
  t.strictSame(openTreeHead(padded, log.key).note, log.head());

  const rig = await newRig(log);
  let answers = 0;
  rig.served.answer = otherBody(/^\/(?:latest|lookup\/.*)$/, (body) => {
    const own = newSignerKey(`stranger${++answers}.example`);
    const blank = Buffer.from(body).lastIndexOf('\n\n') + 2;
    const line = signNote(text, [own]).subarray(text.length + 1);
    return joinBytes([body.subarray(0, blank), line, body.subarray(blank)]);
  });
  const lookups = await rig.lookup();
  t.strictSame(outcomes(lookups), all('found'));
  t.ok(answers > MODULES.length, 'each answer had another line added');
  t.strictSame(lookups.head?.note, log.head());
  t.strictSame((await rig.store.newest(log.vkey))?.note, log.head());
  const [receipt] = await rig.store.receipts(log.vkey, [nameOf(0)]);
  t.notOk(Buffer.from(receipt ?? []).includes('stranger'));
  await rig.close();
});

t.test('an answer that is far too long is none', async (t) => {
  const rig = await newRig(newLog(1000));
  rig.served.answer = otherBody(/^\/lookup\//, (body) => joinBytes([body, new Uint8Array(70_000).fill(65)]));
  t.strictSame(outcomes(await rig.lookup(MODULES.slice(0, 1))), { [nameOf(0)]: 'TOO_LARGE' });
  await rig.close();
});

t.test('a fork goes before a head that is too old', async (t) => {
  const log = newLog(3000);
  const fork = newLog(2900);
  fork.add('example.com/evil', 'v1.0.0');
  const rig = await newRig(log);
  rig.served.answer = otherBody('/latest', () => fork.head());
  const lookups = await rig.lookup(MODULES, { trustedHead: log.clone().fill(4000).head() });
  t.equal(lookups.timeline, 'fork');
  t.strictSame(outcomes(lookups), all('FORK'));
  t.equal((await rig.store.evidence()).length, 1);
  await rig.close();
});

t.test('lists longer than the arguments of a call', async (t) => {
  const parts = Array.from({ length: 200_000 }, () => Uint8Array.of(7));
  t.equal(joinBytes(parts).length, 200_000);
  const lines = Array.from({ length: 130_000 }, (_, i) => `example.com/m${i} v1.0.0 h2:x\n`).join('');
  const log = new TestLog();
  const run = await verifyGoSum(new SumDB({ key: log.key, store: openMemoryStore() }), encodeUtf8(lines));
  t.equal(run.exitCode, 1);
  const options = { version: '0', color: false, width: 80, cwd: '/', root: '/' };
  for (const format of ['text', 'github'] as const) t.match(await formatReport(format, run, options), /130000/);
});

t.test('evidence that somebody wrote into a cache accuses nobody', async (t) => {
  const file = path.join(t.testdir(), 'cache.db');
  const { store } = await openStore({ file });
  const note = encodeUtf8('no note\n');
  await store.addEvidence({ key: SUM_GOLANG_ORG, foundAt: '2026-01-01T00:00:00Z', older: note, newer: note, proof: new Uint8Array(0) });
  await store.close();
  const run = (...args: string[]): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, [path.join(ROOT, 'bin', 'gosumcheck.js'), ...args, '--cache', file], {
      encoding: 'utf8',
      env: { HOME: t.testdirName, GOENV: 'off', GOPROXY: pathToFileURL(path.join(ROOT, 'fixtures')).href },
    });
  const lookup = run('lookup', 'k8s.io/klog/v2@v2.130.1');
  t.equal(lookup.status, 0, lookup.stderr);
  t.notMatch(lookup.stderr, /misbehave/);
  const evidence = run('evidence');
  t.match(evidence.stdout, /NOT PROVED/);
  t.equal(evidence.status, 0);
});
