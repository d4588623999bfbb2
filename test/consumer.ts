/**
 * A program of somebody else's, on every entry of the package: packed.ts compiles and runs it beside the installed package.
 * Takes the file of a go.sum, and prints as JSON what it found.
 */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { isGosumError, openMemoryStore, openRemote, readSettings, SumDB, verifyGoSum, type VerifyRun } from 'gosumcheck';
import { hashFolder, openHashPool, type TreeHash } from 'gosumcheck/dirhash';
import { conflicts, parseGoSum, type GoSumLine } from 'gosumcheck/gosum';
import { openNote, parseVerifierKey } from 'gosumcheck/note';
import { serveLog, TestLog } from 'gosumcheck/testing';
import { EMPTY_HASH, formatHash, openTreeHead, type Hash } from 'gosumcheck/tlog';

const goSum = await readFile(process.argv[2] ?? 'go.sum', 'utf8');
const lines: readonly GoSumLine[] = parseGoSum(new TextEncoder().encode(goSum), 'go.sum');
const empty: Hash = EMPTY_HASH;

const settings = await readSettings();
const source = openRemote(settings);
const db = new SumDB({ key: settings.sumdb.key, source, store: openMemoryStore() });
const run: VerifyRun = await verifyGoSum(db, goSum.split('\n').slice(0, 4).join('\n'));
await source.close();

const log = new TestLog();
log.add('example.com/module', 'v1.0.0');
const served = await serveLog(log);
const note = new Uint8Array(await (await fetch(`${served.url}/latest`)).arrayBuffer());
await served.close();

let code = '';
try {
  parseVerifierKey('no key');
} catch (error) {
  if (isGosumError(error)) code = error.code;
}

const pool = openHashPool(1);
const hashed: TreeHash = await pool.zip('m.zip');
await pool.close();
if ((await hashFolder('node_modules/gosumcheck/docs', { module: 'example.com/m', version: 'v1.0.0' })).files === 0) throw new Error('no file');

const schema = createRequire(import.meta.url)('gosumcheck/report.schema.json') as { title: string };
console.log(
  JSON.stringify({
    lines: lines.length,
    conflicts: conflicts(lines).size,
    verified: run.summary.verified,
    empty: formatHash(empty),
    signatures: openNote(note, [log.key]).verified.length,
    size: openTreeHead(note, log.key).size,
    code,
    schema: schema.title,
    hashed: hashed.files,
  }),
);
