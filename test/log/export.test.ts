import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { DATA_LEVEL, formatTilePath } from '../../src/core/tile.js';
import { databaseFolder, exportLog } from '../../src/log/export.js';
import { TestLog } from '../../src/testing/index.js';
import { tilesOf } from '../../src/testing/writelog.js';
import { KEYS, NAME, openLog, records } from './rig.js';

t.test('an export has what the database answers, and grows', async (t) => {
  const folder = t.testdir();
  const root = path.join(folder, 'out');
  const at = databaseFolder(root, NAME);
  const read = (name: string): Buffer => readFileSync(path.join(at, ...name.split('/')));
  const open = openLog(t, folder);
  const twin = new TestLog(NAME, KEYS[0]);
  await open.log.begin();
  t.match(await exportLog(open.store, NAME, root), { size: 0, written: 2, folder: at });

  const sizes = [3, 300, 700];
  for (const size of sizes) {
    const more = records(twin.size, size);
    for (const { module, version, h1, goMod } of more) twin.add(module, version, { module: h1, goMod });
    await open.log.add(more);
    const { written } = await exportLog(open.store, NAME, root);
    t.same(read('latest'), Buffer.from(twin.head()));
    t.equal(read('supported').length, 0);
    const tiles = tilesOf(size, true);
    t.same(tiles.filter((tile) => !read(formatTilePath(tile)).equals(twin.tileBytes(tile))), [], 'tiles');
    const lookups = Array.from({ length: size }, (_, id) => id).filter((id) => !read(`lookup/example.com/m${id}@v1.0.0`).equals(twin.lookupOf(id)));
    t.same(lookups, [], 'every lookup, with the newest head');
    t.ok(written <= size + tiles.length + 2);
    t.match(await exportLog(open.store, NAME, root), { written: 0 }, 'nothing has changed');
  }
  for (const tile of tilesOf(300, true)) t.ok(existsSync(path.join(at, ...formatTilePath(tile).split('/'))), 'tiles of an earlier tree stay');
  const all = readdirSync(at, { recursive: true }) as string[];
  t.same(all.filter((name) => name.endsWith('.tmp')), [], 'nothing is left over');
  if (process.platform !== 'win32') t.equal(statSync(path.join(at, 'latest')).mode % 0o10, 4, 'a web server can read it');

  // as after a crash of the machine
  truncateSync(path.join(at, 'tile', '8', '0', '000'), 100);
  truncateSync(path.join(at, 'tile', '8', 'data', '001'), 0);
  writeFileSync(path.join(at, 'lookup', 'example.com', 'm5@v1.0.0'), Buffer.alloc(read('lookup/example.com/m5@v1.0.0').length));
  t.match(await exportLog(open.store, NAME, root), { written: 3 });
  t.same(read('tile/8/0/000'), Buffer.from(twin.tileBytes({ level: 0, n: 0, width: 256 })));
  t.same(read('tile/8/data/001'), Buffer.from(twin.tileBytes({ level: DATA_LEVEL, n: 1, width: 256 })));

  const latest = read('latest');
  await open.log.add(records(700, 800));
  for (const step of [1, 5]) {
    const ended = new AbortController();
    let ticks = 0;
    const tick = (): void => {
      ticks++;
      if (ticks === step) ended.abort(new Error('ended'));
    };
    await t.rejects(exportLog(open.store, NAME, root, { signal: ended.signal, progress: { phase: () => undefined, tick } }), /ended/);
    t.equal(ticks, step, 'at once');
    t.same(read('latest'), latest, 'which comes last');
  }
  await exportLog(open.store, NAME, root);
  t.not(String(read('latest')), String(latest));
});

t.test('names that lead elsewhere', async (t) => {
  for (const name of ['../x', 'a/../b', 'a//b', '.', 'a\\b', 'c:', '']) t.throws(() => databaseFolder('/root', name), { code: 'CONFIG_INVALID' }, name);
  t.equal(databaseFolder('root', 'corp.example/sum'), path.join('root', 'sumdb', 'corp.example', 'sum'));
});
