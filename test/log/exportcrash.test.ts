/** An export, and a change of keys, killed at every step: whoever reads the files meanwhile sees nothing half done. */

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { verifierKeyOf } from '../../src/core/key.js';
import { formatTilePath } from '../../src/core/tile.js';
import { openTreeHead } from '../../src/core/treehead.js';
import { databaseFolder, exportLog } from '../../src/log/export.js';
import { createKeyFile, readSignerKeys } from '../../src/log/signerkey.js';
import { TestLog } from '../../src/testing/index.js';
import { tilesOf } from '../../src/testing/writelog.js';
import { WITHOUT_TAP } from '../cli/place.js';
import { KEYS, NAME, openLog, records } from './rig.js';

const EXPORTER = fileURLToPath(new URL('./exporter.js', import.meta.url));
const MOST_STEPS = 200;

/** Runs the process up to a step; whether it was killed there. */
function killedAt(step: number, ...args: string[]): boolean {
  const [command, ...all] = [...WITHOUT_TAP, process.execPath, EXPORTER, ...args, String(step)];
  const { signal, status, stderr } = spawnSync(command, all, { encoding: 'utf8' });
  if (signal !== 'SIGKILL' && status !== 0) throw new Error(stderr);
  return signal === 'SIGKILL';
}

t.test('killed at every step of an export', async (t) => {
  const folder = t.testdir();
  const root = path.join(folder, 'out');
  const at = databaseFolder(root, NAME);
  const read = (name: string): Buffer | undefined => (existsSync(path.join(at, ...name.split('/'))) ? readFileSync(path.join(at, ...name.split('/'))) : undefined);
  const open = openLog(t, folder);
  const twin = new TestLog(NAME, KEYS[0]);
  await open.log.begin();

  let before = -1;
  for (const size of [3, 5]) {
    const more = records(twin.size, size);
    for (const { module, version, h1, goMod } of more) twin.add(module, version, { module: h1, goMod });
    await open.log.add(more);
    const base = path.join(folder, `base${size}`);
    if (existsSync(root)) cpSync(root, base, { recursive: true });
    let step = 1;
    for (; step < MOST_STEPS; step++) {
      // each time from the beginning
      rmSync(root, { recursive: true, force: true });
      if (existsSync(base)) cpSync(base, root, { recursive: true });
      if (!killedAt(step, 'export', folder, root)) break;
      const latest = read('latest');
      const head = latest && openTreeHead(latest, verifierKeyOf(KEYS[0])).size;
      if ((head ?? -1) < before) t.fail(`step ${step}: the head goes back to ${head}`);
      // the tiles of every head that stands anywhere, and every file whole
      const sizes = new Set([head ?? 0]);
      for (let id = 0; id < size; id++) {
        const lookup = read(`lookup/example.com/m${id}@v1.0.0`);
        if (lookup === undefined) continue;
        const own = [before, size].find((each) => {
          twin.headSizeOf = () => each;
          return each > id && lookup.equals(twin.lookupOf(id));
        });
        if (own === undefined) t.fail(`step ${step}: the lookup of ${id}`);
        else sizes.add(own);
      }
      for (const each of sizes) {
        for (const tile of tilesOf(each, true)) {
          if (read(formatTilePath(tile))?.equals(twin.tileBytes(tile)) !== true) t.fail(`step ${step}: ${formatTilePath(tile)} of the tree of ${each}`);
        }
      }
    }
    t.ok(step > 20 && step < MOST_STEPS, `${step - 1} steps`);
    twin.headSizeOf = () => size;
    t.same(read('latest'), Buffer.from(twin.head()), 'and then it is done');
    t.match(await exportLog(open.store, NAME, root), { written: 0 });
    before = size;
  }
});

t.test('killed at every step of a change of keys', (t) => {
  const file = path.join(t.testdir(), 'log.key');
  createKeyFile(file, KEYS[0]);
  let step = 1;
  for (; step < MOST_STEPS && killedAt(step, 'keys', file); step++) {
    const keys = readSignerKeys(file);
    t.ok(keys.length <= 2);
    t.same(keys[0], KEYS[0], 'the old key first, and whole');
    if (process.platform !== 'win32') t.equal(statSync(file).mode & 0o777, 0o600);
  }
  t.ok(step > 4 && step < MOST_STEPS, `${step - 1} steps`);
  t.equal(readSignerKeys(file).length, 2);
  t.end();
});
