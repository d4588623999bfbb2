/** The scale log: one log whatever way it is made, its names as in real go.sum files, honest, and with findings on request. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import t from 'tap';
import { SumDB } from '../../src/client/sumdb.js';
import { h1OfGoMod } from '../../src/core/h1.js';
import { equalBytes, formatHash } from '../../src/core/hash.js';
import { checkModulePath, checkVersion, formatModuleVersion } from '../../src/core/module.js';
import { findHashes, formatDataTile, parseDataTile, parseLookup, recordHash } from '../../src/core/record.js';
import { decodeUtf8, encodeUtf8 } from '../../src/core/text.js';
import { DATA_LEVEL } from '../../src/core/tile.js';
import { checkRecord, checkTree } from '../../src/core/tree.js';
import { openTreeHead } from '../../src/core/treehead.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { OrderWalk, recordNumber } from '../../src/testing/scaleorder.js';
import { ScaleLog, serveLog, TestLog, tilesOf } from '../../src/testing/index.js';
import { sourceOf } from '../client/rig.js';
import { goHome } from '../quietgo.js';
import { NO_GO } from '../mirror/gomodules.js';

const SIZE = 10_000;
/** Computed once by this generator: a change of it makes every log another one. */
const GOLDEN = 'k6KTRjBniGp0p1bYLS/G63BA/QD2wO9oqKaN9nv7FhA=';

const log = new ScaleLog({ records: SIZE });

t.test('the same log each time, whatever its length and the way it is made', async (t) => {
  t.equal(formatHash(log.treeHead().hash), GOLDEN);
  const tree = new TestLog();
  for (const tile of tilesOf(SIZE, true).filter(({ level }) => level === DATA_LEVEL)) {
    for (const text of parseDataTile(log.tileBytes(tile), tile.width)) tree.addText(decodeUtf8(text));
  }
  t.same(log.treeHead(), tree.treeHead(), 'the tree that its records make');
  const others = tilesOf(SIZE, true).filter((tile) => !equalBytes(log.tileBytes(tile), tree.tileBytes(tile)));
  t.same(others, [], 'and its tiles');
  for (const id of [0, 255, 256, 5000, 9999]) t.same(log.text(id), tree.text(id), `record ${id}`);

  const folder = t.testdir();
  const longer = { records: 300_000 };
  const [threads, written] = [await ScaleLog.make(longer), await ScaleLog.make(longer, { threads: 1, folder })];
  t.same(threads.head(SIZE), log.head(), 'a longer log begins as this one');
  t.same(threads.head(), written.head());
  t.same(threads.head(), new ScaleLog(longer).head(), 'without threads');
  const again = await ScaleLog.make(longer, { threads: 0, folder });
  for (const n of [0, 1023, 1024, 1170]) {
    const tile = { level: DATA_LEVEL, n, width: 256 };
    t.ok(equalBytes(again.tileBytes(tile), threads.tileBytes(tile)), `data tile ${n} from a file`);
  }
  const edge = { level: DATA_LEVEL, n: 1171, width: 224 };
  t.ok(equalBytes(again.tileBytes(edge), threads.tileBytes(edge)));
  await t.rejects(ScaleLog.make({ ...longer, seed: 2 }, { folder }), /another log/, 'a folder of another one');
  t.notSame(new ScaleLog({ records: 300, seed: 2 }).head(), log.head(300), 'another seed');
});

t.test('names as in real go.sum files', (t) => {
  const tiles = 400;
  const far = 5_000_000;
  const big = new ScaleLog({ records: far + tiles * 256 });
  const seen = new Set<string>();
  const modules = new Map<string, number>();
  let [paths, pseudo, major, packed] = [0, 0, 0, 0];
  for (let n = 0; n < tiles; n++) {
    const texts = parseDataTile(big.tileBytes({ level: DATA_LEVEL, n: Math.floor(far / 256) + n, width: 256 }), 256).map(decodeUtf8);
    const names = texts.map((text) => {
      const [module = '', version = ''] = text.split(' ', 2);
      const hash = 'h1:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=';
      if (!new RegExp(`^([^ ]+) ([^ ]+) ${hash}\n\\1 \\2/go\\.mod ${hash}\n$`).test(text)) t.fail(text);
      checkModulePath(module);
      checkVersion(version);
      seen.add(formatModuleVersion(module, version));
      modules.set(module, (modules.get(module) ?? 0) + 1);
      paths += module.length;
      pseudo += Number(/\d{14}-[0-9a-f]{12}/.test(version));
      return `${module} ${version}`;
    });
    for (let i = 0; i < 256; i += 64) packed += deflateRawSync(names.slice(i, i + 64).join('\n')).length;
  }
  const records = tiles * 256;
  for (const module of modules.keys()) major += Number(/\/v[2-9]$/.test(module));
  t.equal(seen.size, records, 'no module version twice');
  t.ok(modules.size > records / 20 && modules.size < records * 0.9, `${modules.size} modules`);
  const within = (what: string, value: number, [least, most]: readonly [number, number]): void => {
    t.ok(value >= least && value <= most, `${what}: ${value.toFixed(3)}`);
  };
  // The go.sum of Kubernetes in fixtures/ has 27.8, 0.22 and 0.14; other modules' paths are longer, and more often untagged.
  within('mean length of a path', paths / records, [26, 36]);
  within('share of pseudo-versions', pseudo / records, [0.2, 0.4]);
  within('share of /vN', major / modules.size, [0.08, 0.2]);
  // Names of that file, in no order, deflated 64 at a time: ours must not be easier to keep.
  within('bytes of a name, deflated', packed / records / deflatedFixture(), [1, 1.4]);
  t.end();
});

t.test('every module version comes once, and its number is known', (t) => {
  let wrong = 0;
  let [last, highest] = [0, 63];
  new OrderWalk().each(0, 60_000, (m, k, id) => {
    const isInOrder = m * k >= last && recordNumber(m, k) === id;
    // a new module is the next one, and begins with its first version
    const isNext = m <= highest ? k > 1 : m === highest + 1 && k === 1;
    if (!isInOrder || !isNext) wrong++;
    [last, highest] = [m * k, Math.max(highest, m)];
  });
  t.equal(wrong, 0);
  t.end();
});

t.test('lookups find every record, and nothing else', async (t) => {
  const big = new ScaleLog({ records: 100_000_000 });
  const ids = [0, 1, 255, 256, SIZE - 1, 77_777, 4_999_999, 71_769_960, 99_999_999];
  for (let i = 0; i < 300; i++) ids.push((i * 48_271 * 7919) % big.records);
  for (const id of ids) {
    const { module, version } = big.moduleOf(id);
    if (big.idOf(module, version) !== id) t.fail(`${id}: ${module}@${version}: ${big.idOf(module, version)}`);
    if (id >= SIZE && log.idOf(module, version) !== undefined) t.fail(`${module}@${version} is not in a log of ${SIZE}`);
  }
  const { module, version } = log.moduleOf(5000);
  const others = [
    [module.toUpperCase(), version],
    [`${module}x`, version],
    [module.replace(/^[^/]*/, 'example.org'), version],
    [module, `${version}1`],
    [module, 'v999999999.0.0'],
    ['example.com/none', 'v1.0.0'],
    ['', ''],
  ] as const;
  for (const [module, version] of others) {
    await t.rejects(log.lookup(module, version), { code: 'NOT_FOUND' }, `${module}@${version}`);
  }
  await t.rejects(log.tile({ level: 0, n: 39, width: 17 }), { code: 'NOT_FOUND' });
  t.equal((await log.tile({ level: 0, n: 39, width: 16 })).length, 16 * 32);
});

t.test('the client takes it, and sees it grow', async (t) => {
  const own = new ScaleLog({ records: SIZE });
  own.size = 3333;
  const served = await serveLog(own);
  const source = await sourceOf(served, own);
  t.teardown(() => Promise.all([served.close(), source.close()]));
  const store = openMemoryStore();
  for (const size of [3333, 3334, SIZE]) {
    own.size = size;
    const head = openTreeHead(await own.latest(), own.key);
    t.equal(head.size, size);
    t.doesNotThrow(() => checkTree(own.proveTree(1000), head, openTreeHead(own.head(1000), own.key)));
    t.doesNotThrow(() => checkRecord(own.proveRecord(77), head, 77, recordHash(own.text(77))));
    const ids = [...new Set(Array.from({ length: 40 }, (_, i) => (i * 48_271) % size)).add(size - 1)];
    const { results, timeline } = await new SumDB({ key: own.key, store, source }).lookup(ids.map((id) => own.moduleOf(id)), { fresh: true });
    const found = [...results.values()].map((result) => ('record' in result ? result.record.id : result.code));
    t.same(found.sort(), ids.sort(), `records of ${size}`);
    t.equal(timeline, size === 3333 ? 'first-contact' : 'consistent');
  }
});

t.test('findings on request', async (t) => {
  const half = `example.com/half v1.0.0 h1:${'A'.repeat(43)}=\n`;
  const options = { records: SIZE, repeats: [[8000, 17]] as const, texts: new Map([[8001, half]]) };
  const own = new ScaleLog(options);
  const { module, version } = own.moduleOf(17);
  t.same(own.moduleOf(8000), { module, version }, 'a module version again');
  t.notSame(findHashes(own.text(8000), module, version), findHashes(own.text(17), module, version), 'with other hashes');
  t.equal(own.idOf(module, version), 8000, 'lookups find the later one');
  own.size = 8000;
  t.equal(own.idOf(module, version), 17, 'where it is shown');
  own.size = SIZE;
  const hidden = log.moduleOf(8000);
  await t.rejects(own.lookup(hidden.module, hidden.version), { code: 'NOT_FOUND' }, 'what stood there is nowhere');
  t.equal(decodeUtf8(parseLookup(await own.lookup('example.com/half', 'v1.0.0')).text), half);
  const texts = parseDataTile(own.tileBytes({ level: DATA_LEVEL, n: 31, width: 256 }), 256);
  t.same(formatDataTile(texts.slice(64, 66)), formatDataTile([own.text(8000), own.text(8001)]));
  t.same(own.treeHead(8000), log.treeHead(8000));
  t.notSame(own.treeHead(8001), log.treeHead(8001));

  t.throws(() => (own.size = SIZE + 1), /no size/);
  t.throws(() => own.treeHead(SIZE + 1), /no tree/);
  t.throws(() => own.text(SIZE), /no record/);
  t.throws(() => new ScaleLog({ records: 9, texts: new Map([[1, 'no newline']]) }), { code: 'RECORD_MALFORMED' });
  t.throws(() => new ScaleLog({ records: 9, texts: new Map([[1, `${'a'.repeat(600)}\n`]]) }), /600|601/);

  const fork = log.fork(5000);
  t.same(fork.head(5000), log.head(5000));
  t.same(fork.moduleOf(5000), log.moduleOf(5000));
  t.notSame(fork.treeHead(5001), log.treeHead(5001));
  t.equal(openTreeHead(fork.head(), log.key).size, SIZE, 'signed by the same key');
});

t.test('the go command takes a module from a log of a hundred thousand', { skip: NO_GO }, async (t) => {
  const folder = t.testdir();
  const goMod = 'module example.com/real\n';
  const text = `example.com/real v1.0.0 h1:${'A'.repeat(43)}=\nexample.com/real v1.0.0/go.mod ${h1OfGoMod(encodeUtf8(goMod))}\n`;
  const served = await serveLog(new ScaleLog({ records: 100_000, texts: new Map([[54_321, text]]) }));
  t.teardown(() => served.close());
  const proxy = path.join(folder, 'proxy', 'example.com', 'real', '@v');
  const main = path.join(folder, 'main');
  for (const made of [proxy, main]) mkdirSync(made, { recursive: true });
  writeFileSync(path.join(proxy, 'v1.0.0.info'), '{"Version":"v1.0.0"}');
  writeFileSync(path.join(proxy, 'v1.0.0.mod'), goMod);
  writeFileSync(path.join(main, 'go.mod'), 'module example.com/main\n\ngo 1.20\n\nrequire example.com/real v1.0.0\n');
  const env = goHome(folder, { GOSUMDB: `${log.vkey} ${served.url}`, GOPROXY: `file://${path.join(folder, 'proxy')}` });
  await promisify(execFile)('go', ['list', '-m', 'all'], { cwd: main, env });
  t.match(readFileSync(path.join(main, 'go.sum'), 'utf8'), h1OfGoMod(encodeUtf8(goMod)));
});

t.test('as a program', async (t) => {
  const program = fileURLToPath(new URL('../../src/testing/scaleserver.js', import.meta.url));
  const args = ['--records', '3000', '--start', '2000', '--grow', '1000', '--lie', '/tile/8/data/003', '--repeat', '1500:3', '--malformed', '2500', '--fork-at', '2800'];
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => child.kill());
  const [line = ''] = (await once(createInterface({ input: child.stdout }), 'line')) as string[];
  const [, vkey, url = ''] = /^GOSUMDB=(\S+) (\S+)$/.exec(line) ?? [];
  t.equal(vkey, log.vkey);
  const bytes = async (name: string): Promise<Uint8Array> => new Uint8Array(await (await fetch(url + name)).arrayBuffer());
  const half = 'example.com/half v1.0.2500 h1:ZmlsbCBmaWxsIGZpbGwgZmlsbCBmaWxsIGZpbGwgMTI=\n';
  const own = new ScaleLog({ records: 3000, repeats: [[1500, 3]], texts: new Map([[2500, half]]), forkAt: 2800 });
  t.ok(equalBytes(await bytes('/tile/8/data/005'), own.tileBytes({ level: DATA_LEVEL, n: 5, width: 256 })));
  t.notOk(equalBytes(await bytes('/tile/8/data/003'), own.tileBytes({ level: DATA_LEVEL, n: 3, width: 256 })), 'a lie');
  const size = async (): Promise<number> => openTreeHead(await bytes('/latest'), log.key).size;
  while ((await size()) < 3000) await new Promise((resolve) => setTimeout(resolve, 50));
  t.same(await bytes(`/sumdb/${log.name}/latest`), own.head(), 'it has grown');
  child.kill('SIGTERM');
  if (process.platform !== 'win32') t.equal((await once(child, 'exit'))[0], 0);
});

/** Bytes of a name of the go.sum in fixtures/, in no order, deflated 64 at a time. */
function deflatedFixture(): number {
  const goSum = readFileSync(new URL('../../../fixtures/kubernetes-1.34/go.sum', import.meta.url), 'utf8');
  const names = new Set(goSum.trimEnd().split('\n').map((line) => line.replace(/(\/go\.mod)? h1:.*/, '')));
  const mixed = [...names].map((name) => [formatHash(recordHash(encodeUtf8(name))), name] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  let bytes = 0;
  const groups = Math.floor(mixed.length / 64);
  for (let i = 0; i < groups; i++) {
    bytes += deflateRawSync(mixed.slice(64 * i, 64 * (i + 1)).map(([, name]) => name).join('\n')).length;
  }
  return bytes / groups / 64;
}
