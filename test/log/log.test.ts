import t, { type Test } from 'tap';
import { formatVerifierKey, newSignerKey, verifierKeyOf } from '../../src/core/key.js';
import { openNote } from '../../src/core/note.js';
import { planTiles } from '../../src/core/plan.js';
import { decodeUtf8, encodeUtf8, joinBytes } from '../../src/core/text.js';
import { DATA_LEVEL, formatTilePath, tileInTree } from '../../src/core/tile.js';
import { grow } from '../../src/log/growth.js';
import { formatStaged, parseStaged } from '../../src/log/staged.js';
import { TestLog } from '../../src/testing/index.js';
import { tilesOf } from '../../src/testing/writelog.js';
import { WholeLog } from '../../src/whole/reader.js';
import { KEYS, NAME, openLog, records, VKEY, type OpenLog } from './rig.js';
/** Compares every answer with that of a log in memory. */
async function compare(t: Test, { database }: OpenLog, twin: TestLog, sizes: readonly number[]): Promise<void> {
  t.same(await database.latest(), twin.head(), `the head of ${twin.size}`);
  const wrong: unknown[] = [];
  let count = 0;
  for (const tile of sizes.flatMap((size) => tilesOf(size, true))) {
    count++;
    if (Buffer.compare(await database.tile(tile), twin.tileBytes(tile)) !== 0) wrong.push(tile);
  }
  for (let id = 0; id < twin.size; id += 97) {
    count++;
    const [module = '', version = ''] = decodeUtf8(twin.text(id)).split(' ', 2);
    if (Buffer.compare(await database.lookup(module, version), twin.lookupOf(id)) !== 0) wrong.push(id);
  }
  t.same(wrong, [], `${count} answers`);
}

t.test('a log that grows is the log that another would make of the same records', async (t) => {
  const open = openLog(t, t.testdir());
  const twin = new TestLog(NAME, KEYS[0]);
  t.same(await open.log.begin(), twin.treeHead());
  t.same(await open.database.latest(), twin.head());
  await t.rejects(open.database.tile({ level: 0, n: 0, width: 1 }), { code: 'NOT_FOUND' });
  const sizes: number[] = [];
  for (const size of [1, 3, 255, 256, 257, 512, 700, 9217]) {
    const more = records(twin.size, size);
    for (const { module, version, h1, goMod } of more) twin.add(module, version, { module: h1, goMod });
    t.same(await open.log.add(more), { added: more.length, known: 0, head: twin.treeHead() });
    sizes.push(size);
    await compare(t, open, twin, sizes);
  }
  await t.rejects(open.database.tile({ level: 0, n: 36, width: 2 }), { code: 'NOT_FOUND' }, 'beyond the tree');
  await t.rejects(open.database.tile({ level: DATA_LEVEL, n: 36, width: 256 }), { code: 'NOT_FOUND' });
  await t.rejects(open.database.lookup('example.com/m9217', 'v1.0.0'), { code: 'NOT_FOUND' });
  const kept = await open.store.tiles(VKEY, [{ level: 0, n: 3, width: 256 }]);
  t.same(kept, [undefined], 'full tiles of level 0 are made of the records');
  t.equal(await open.store.log.staged(VKEY), undefined, 'nothing is on its way any more');
  const names: string[] = [];
  for await (const name of new WholeLog(open.store, VKEY).modules('example.com/m92')) names.push(name);
  t.equal(names.length, 1 + 10 + 17, 'module paths are listed');
});

t.test('a tree grows over levels', async (t) => {
  const twin = new TestLog(NAME, KEYS[0]).fill(66_100);
  const leaves = joinBytes(tilesOf(twin.size).flatMap((tile) => (tile.level === 0 ? [twin.tileBytes(tile)] : [])));
  for (const [from, to] of [[0, 66_100], [1, 65_536], [65_535, 65_537], [65_536, 65_792], [300, 66_000], [511, 512]] as const) {
    const plan = planTiles(twin.treeHead(from), {});
    const { head, tree } = grow(plan.authenticate(plan.tiles.map((tile) => twin.tileBytes(tile))), leaves.subarray(from * 32, to * 32));
    t.same(head, twin.treeHead(to), `${from} to ${to}`);
    const wanted = tilesOf(to).filter(({ level, n, width }) => (tileInTree(level, n, from)?.width ?? 0) < width);
    const made = new Map(tree.tiles.map(({ tile, bytes }) => [formatTilePath(tile), bytes]));
    t.same(wanted.filter((tile) => Buffer.compare(made.get(formatTilePath(tile)) ?? new Uint8Array(), twin.tileBytes(tile)) !== 0), [], 'every new tile');
  }
});

t.test('the key is changed, whichever step a crash came after', async (t) => {
  const folder = t.testdir();
  const old = KEYS[0];
  const next = newSignerKey(NAME);
  const [oldKey, nextKey] = [old, next].map(verifierKeyOf);
  const signedBy = async ({ database }: OpenLog): Promise<string[]> =>
    openNote(await database.latest(), [oldKey!, nextKey!]).verified.map(({ hash }) => (hash === old.hash ? 'old' : 'new'));
  const first = openLog(t, folder);
  await first.log.begin();
  await first.log.add(records(0, 3));
  t.same(await signedBy(first), ['old']);
  const both = openLog(t, folder, { keys: [old, next] });
  await both.log.recover();
  t.same(await signedBy(first), ['old'], 'the key file alone was changed');
  await both.log.sign();
  t.same(await signedBy(first), ['old', 'new']);
  await both.log.add(records(3, 6));
  t.same(await signedBy(first), ['old', 'new']);
  await t.rejects(openLog(t, folder, { keys: [next] }).log.add(records(6, 7)), { code: 'KEY_CHANGED' }, 'too early');
  await both.store.log.changeKey(formatVerifierKey(oldKey!), formatVerifierKey(nextKey!));
  t.same(await signedBy(first), ['old', 'new'], 'who serves it goes on');
  await both.log.add(records(6, 9));
  await t.rejects(first.log.add(records(9, 10)), { code: 'KEY_CHANGED' });
  const alone = openLog(t, folder, { keys: [next] });
  await alone.log.sign();
  t.same(await signedBy(first), ['new']);
  t.equal((await alone.log.add(records(9, 10))).head.size, 10);
  t.equal((await first.database.head()).size, 10);
});

t.test('a long run is ended between two batches, and gone on with', async (t) => {
  const ended = new AbortController();
  let begun = false;
  const open = openLog(t, t.testdir(), {
    reached: (step) => {
      if (step === 'published' && begun) ended.abort(new Error('ended'));
    },
  });
  await open.log.begin();
  begun = true;
  const steps: string[] = [];
  const progress = { phase: (name: string, total: number) => void steps.push(`${name} ${total}`), tick: () => void steps.push('tick') };
  await t.rejects(open.log.add(records(0, 8193), { signal: ended.signal, progress }), /ended/);
  t.same(steps, ['recording 2', 'tick']);
  t.equal((await open.database.head()).size, 8192);
  t.match(await open.log.add(records(0, 8193)), { added: 1, known: 8192, head: { size: 8193 } });
});

t.test('a staged batch that is none', async (t) => {
  const batch = [4, 5].map((id) => ({ id, text: encodeUtf8(`example.com/a v1.0.${id} h1:x\n`) }));
  const bytes = formatStaged(batch);
  t.same(parseStaged(bytes), batch);
  const bad: Record<string, Uint8Array> = {
    'something behind it': joinBytes([bytes, encodeUtf8('x')]),
    'a gap': formatStaged([batch[0]!, { ...batch[1]!, id: 6 }]),
    'cut short': bytes.subarray(0, -1),
    nothing: new Uint8Array(),
  };
  for (const [what, wrong] of Object.entries(bad)) t.throws(() => parseStaged(wrong), { code: 'STORE_FAILED' }, what);
});
