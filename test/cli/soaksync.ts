/** `npm run soak:sync`: a whole log of a million records, synced with kills on the way, compared, served, and damaged. */

import { execFile, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { lookupPath } from '../../src/core/module.js';
import { DATA_LEVEL, formatTilePath } from '../../src/core/tile.js';
import { ScaleLog, serveLog, tilesOf } from '../../src/testing/index.js';
import { loadDriver } from '../../src/store/open.js';

const COMMAND = fileURLToPath(new URL('../../../bin/gosumcheck.js', import.meta.url));
const [records = 1_000_000, kills = 20, damages = 3] = process.argv.slice(2).map(Number);
const LOOKUPS = 20_000;

const folder = mkdtempSync(path.join(tmpdir(), 'gosumcheck-soak-'));
const env = { PATH: '', HOME: folder, GOENV: 'off', GOPROXY: 'off', SystemRoot: process.env.SystemRoot };
const file = path.join(folder, 'log.db');
const failures: string[] = [];
const say = (text: string): void => console.log(text);

function run(args: readonly string[]): Promise<{ code: number | string; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [COMMAND, ...args], { cwd: folder, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, output: stdout + stderr });
    });
  });
}

say(`making a log of ${records} records`);
const log = await ScaleLog.make({ records }, { folder: path.join(folder, 'log') });
const upstream = await serveLog(log);
const sync = ['sync', '--once', '--quiet', '--data', file, '--sumdb', `${log.vkey} ${upstream.url}`];

let killed = 0;
for (let time = 0; time < kills; time++) {
  const child = spawn(process.execPath, [COMMAND, ...sync], { cwd: folder, env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', (_code, signal) => resolve(signal)));
  await Promise.race([sleep(100 + Math.random() * 500), ended]);
  child.kill('SIGKILL');
  if ((await ended) === 'SIGKILL') killed++;
}
say(`killed ${killed} times`);
const began = performance.now();
const synced = await run(sync);
if (synced.code !== 0) failures.push(`sync ends with ${synced.code}: ${synced.output}`);
say(`synced in ${((performance.now() - began) / 1000).toFixed(1)} s more`);
await upstream.close();

const clean = await run(['audit', '--quiet', '--data', file]);
if (clean.code !== 0) failures.push(`the audit ends with ${clean.code}: ${clean.output}`);
say(`audit: exit ${clean.code}`);

const server = spawn(process.execPath, [COMMAND, 'serve', '--data', file, '--listen', '127.0.0.1:0', '--sumdb', `${log.vkey} http://127.0.0.1:9`], {
  cwd: folder,
  env,
  stdio: ['ignore', 'pipe', 'ignore'],
});
const url = await new Promise<string>((resolve) => {
  server.stdout.setEncoding('utf8').on('data', (line: string) => {
    const listens = /listening on (\S+)/.exec(line)?.[1];
    if (listens !== undefined) resolve(listens);
  });
});
async function compare(what: string, paths: Iterable<{ readonly path: string; readonly want: () => Promise<Uint8Array> }>): Promise<void> {
  const left = paths[Symbol.iterator]();
  let compared = 0;
  const worker = async (): Promise<void> => {
    for (let next = left.next(); next.done !== true; next = left.next()) {
      const answer = await fetch(url + next.value.path);
      const bytes = Buffer.from(await answer.arrayBuffer());
      if (answer.status !== 200 || !bytes.equals(await next.value.want())) failures.push(`${next.value.path}: not the log's answer (${answer.status})`);
      compared++;
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  say(`${compared} ${what} compared`);
}
const tiles = tilesOf(log.size, true);
await compare('tiles', tiles.map((tile) => ({ path: `/${formatTilePath(tile)}`, want: async () => log.tile(tile) })));
const step = Math.max(1, Math.floor(records / LOOKUPS));
const ids = Array.from({ length: Math.floor(records / step) }, (_, i) => i * step + (i % step));
await compare(
  'lookups',
  ids.map((id) => {
    const { module, version } = log.moduleOf(id);
    return { path: lookupPath(module, version), want: () => log.lookup(module, version) };
  }),
);
say(`of ${tiles.filter(({ level }) => level === DATA_LEVEL).length} data tiles`);
server.kill('SIGTERM');

/** One bit of one row, of each kind: the audit has to say so. */
const { driver } = loadDriver();
const KINDS = { pack: 'data', entry: 'data', tile: 'data', head: 'note', module: 'path' };
for (const [table, column] of Object.entries(KINDS)) {
  for (let time = 0; time < damages; time++) {
    const damaged = path.join(folder, 'damaged.db');
    for (const end of ['', '-wal', '-shm']) rmSync(damaged + end, { force: true });
    copyFileSync(file, damaged);
    const connection = driver!.open(damaged);
    const by = table === 'module' ? 'path' : 'rowid';
    const row = connection.prepare(`SELECT ${by} AS at, ${column} AS value FROM ${table} ORDER BY random() LIMIT 1`).get() as { at: number | string; value: Uint8Array | string };
    const bytes = Buffer.from(row.value);
    const at = Math.floor(Math.random() * bytes.length);
    bytes[at] = bytes[at]! ^ (table === 'module' ? 1 : 1 << Math.floor(Math.random() * 8));
    connection.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${by} = ?`).run(typeof row.value === 'string' ? bytes.toString() : bytes, row.at);
    connection.close();
    const found = await run(['audit', '--data', damaged]);
    if (found.code === 0) failures.push(`a flipped bit in ${table} ${row.at}, byte ${at}, is not found`);
    else say(`${table} ${row.at}, byte ${at}: exit ${found.code}: ${/^[A-Z]+: .*$/m.exec(found.output)?.[0] ?? ''}`);
  }
}

for (const failure of failures) console.error(failure);
say(failures.length === 0 ? 'nothing is wrong' : `its files are in ${folder}`);
if (failures.length === 0) rmSync(folder, { recursive: true });
process.exit(failures.length === 0 ? 0 : 1);
