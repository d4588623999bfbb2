/**
 * Records the answers that one cold verification of a go.sum gets from the real log, as a `file://` database in fixtures:
 * `npm run record`. About 800 requests, made once; everything else replays them.
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Source } from '../src/contract.js';
import { openMemoryStore, openRemote, readSettings, SumDB, verifyGoSum } from '../src/index.js';

/** The package's folder; this file runs as dist/test/record.js. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = path.join(root, 'fixtures', 'sumdb', 'sum.golang.org');
const goSum = path.join(root, 'fixtures', 'kubernetes-1.34', 'go.sum');

const { env, sumdb, proxies, httpProxy, auth } = await readSettings();
const remote = openRemote({ env, sumdb, proxies, httpProxy, logins: auth.logins, userAgent: 'gosumcheck-record', concurrency: 16 });

async function keep(name: string, bytes: Uint8Array): Promise<void> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, bytes);
}

const recorder: Source = {
  label: 'recorder',
  async read(name, options) {
    const bytes = await remote.read(name, options);
    if (bytes !== undefined) await keep(name, bytes);
    return bytes;
  },
  close: () => remote.close(),
};

const db = new SumDB({ key: sumdb.key, source: recorder, store: openMemoryStore() });
const run = await verifyGoSum(db, await readFile(goSum));
await keep('supported', new Uint8Array(0));
await recorder.close();
console.log(JSON.stringify({ ...run.summary, exitCode: run.exitCode, tree: run.database.tree?.size, ...remote.stats() }));
