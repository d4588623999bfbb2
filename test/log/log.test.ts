import t, { type Test } from 'tap';
import { DATA_LEVEL } from '../../src/core/tile.js';
import { decodeUtf8 } from '../../src/core/text.js';
import { TestLog } from '../../src/testing/index.js';
import { tilesOf } from '../../src/testing/writelog.js';
import { KEYS, NAME, openLog, records, VKEY, type OpenLog } from './rig.js';
/** Compares every answer with that of a log in memory. */
async function compare(t: Test, { database }: OpenLog, twin: TestLog, sizes: readonly number[]): Promise<void> {
  t.same(await database.latest(), twin.head(), `the head of ${twin.size}`);
  let tiles = 0;
  for (const size of sizes) {
    for (const tile of tilesOf(size, true)) {
      tiles++;
      const [own, other] = [await database.tile(tile), await twin.tile(tile)];
      if (Buffer.compare(own, other) !== 0) t.fail(JSON.stringify(tile));
    }
  }
  t.ok(tiles > 0);
  for (let id = 0; id < twin.size; id += 97) {
    const { module = '', version = '' } = /^(?<module>\S+) (?<version>\S+) /.exec(decodeUtf8(twin.text(id)))?.groups ?? {};
    t.same(await database.lookup(module, version), twin.lookupOf(id));
  }
}

t.test('a log that grows is the log that another would make of the same records', async (t) => {
  const open = openLog(t, t.testdir());
  const twin = new TestLog(NAME, KEYS[0]);
  t.same(await open.log.begin(), twin.treeHead());
  t.same(await open.database.latest(), twin.head());
  await t.rejects(open.database.tile({ level: 0, n: 0, width: 1 }), { code: 'NOT_FOUND' });
  const sizes: number[] = [];
  for (const size of [1, 3, 255, 256, 257, 512, 700, 9000, 9216, 9217, 67_000]) {
    const more = records(twin.size, size);
    for (const { module, version, h1, goMod } of more) twin.add(module, version, { module: h1, goMod });
    t.same(await open.log.add(more), { added: more.length, known: 0, head: twin.treeHead() });
    sizes.push(size);
    if (size < 10_000) await compare(t, open, twin, sizes);
  }
  await compare(t, open, twin, [700, 67_000]);
  await t.rejects(open.database.tile({ level: 0, n: 261, width: 185 }), { code: 'NOT_FOUND' }, 'beyond the tree');
  await t.rejects(open.database.tile({ level: DATA_LEVEL, n: 261, width: 256 }), { code: 'NOT_FOUND' });
  await t.rejects(open.database.lookup('example.com/m67000', 'v1.0.0'), { code: 'NOT_FOUND' });
  const kept = await open.store.tiles(VKEY, [{ level: 0, n: 3, width: 256 }]);
  t.same(kept, [undefined], 'full tiles of level 0 are made of the records');
});
