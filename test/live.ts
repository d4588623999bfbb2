/**
 * A small verification against the real log, by whatever way the go command's settings lead there: `npm run test:live`.
 *
 * At most 30 requests, without a memory of earlier runs. Where the settings name another database, or the log cannot be
 * reached, this is said, and it is no failure.
 */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { isGosumError, openMemoryStore, openRemote, readSettings, SumDB, verifyGoSum, type Settings } from '../src/index.js';
import { openTreeHead } from '../src/tlog.js';

const MOST_REQUESTS = 30;
const MODULES = ['github.com/google/uuid', 'go.uber.org/zap', 'golang.org/x/mod'];

/** The package's folder; this file runs as dist/test/live.js. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

async function settingsFor(name: string): Promise<Settings | undefined> {
  try {
    const settings = await readSettings();
    return settings.sumdb.name === name ? settings : undefined;
  } catch (error) {
    if (isGosumError(error, 'SUMDB_OFF')) return undefined;
    throw error;
  }
}

function notTested(t: Test, why: string): void {
  console.error(`live.js: NOT TESTED against the real log: ${why}`);
  t.pass('the real log', { skip: why });
}

t.test('the real log', async (t) => {
  const settings = await settingsFor('sum.golang.org');
  if (settings === undefined) { notTested(t, 'GOSUMDB names another database, or none'); return; }
  const recorded = new Uint8Array(readFileSync(path.join(ROOT, 'fixtures', 'sumdb', 'sum.golang.org', 'latest')));
  // of each module its last line of a whole module, and that of its go.mod
  const goSum = readFileSync(path.join(ROOT, 'fixtures', 'kubernetes-1.34', 'go.sum'), 'utf8').split('\n');
  const lines = MODULES.flatMap((module) => goSum.filter((line) => line.startsWith(`${module} `)).slice(-2));

  const source = openRemote({ ...settings, logins: settings.auth.logins, userAgent: 'gosumcheck-test', timeout: 15_000 });
  t.teardown(() => source.close());
  const db = new SumDB({ key: settings.sumdb.key, source, store: openMemoryStore(), trustedHead: recorded });
  const run = await verifyGoSum(db, lines.join('\n'));
  const { requests, retries } = source.stats();
  t.comment(`${requests} requests (${retries} of them retries) to ${run.database.url}`);
  t.ok(requests <= MOST_REQUESTS, `at most ${MOST_REQUESTS} requests`);
  if (run.exitCode === 3) {
    const why = run.problem?.message ?? run.results.find(({ status }) => status === 'error')?.message ?? '';
    notTested(t, `it cannot be reached: ${why}`); return;
  }
  t.equal(run.exitCode, 0);
  t.same(run.results.map(({ status }) => status), lines.map(() => 'verified'), 'the log has the recorded hashes');
  t.equal(run.database.timeline, 'consistent', 'with the recorded head');
  const then = openTreeHead(recorded, db.key).size;
  const now = run.database.tree?.size ?? 0;
  t.ok(now >= then, `the log has grown by ${now - then} records`);
});
