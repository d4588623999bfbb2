import t from 'tap';
import { SumDB } from '../../src/client/sumdb.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { forkError } from '../../src/core/fork.js';
import { formatVerifierKey } from '../../src/core/key.js';
import { planTiles } from '../../src/core/plan.js';
import { flipBit } from '../../src/testing/index.js';
import { all, MODULES, nameOf, newLog, outcomes } from '../client/rig.js';
import { newMirrorRig } from './rig.js';

t.test('what is kept is proved to anybody, whenever upstream goes away', async (t) => {
  const log = newLog(3000);
  const rig = await newMirrorRig(log);
  const seen: typeof MODULES[number][] = [];
  const sizes = [3000, 3001, 3071, 3072, 3073, 3500, 65_536, 65_537, 66_000, 70_000, 131_072, 140_000];
  for (const [i, size] of sizes.entries()) {
    log.fill(size);
    const wanted = MODULES[i]!;
    const client = new SumDB({ key: log.key, source: await rig.way(), store: openMemoryStore() });
    const lookups = await client.lookup([wanted]);
    t.equal(outcomes(lookups)[nameOf(i)], 'found', `at ${size}`);
    seen.push(wanted);
    rig.asked();
    rig.cut();
    const fresh = new SumDB({ key: log.key, source: await rig.way(), store: openMemoryStore() });
    const cold = await fresh.lookup(seen);
    t.strictSame(new Set(Object.values(outcomes(cold))), new Set(['found']), `cut off at ${size}`);
    t.strictSame(rig.asked(), [], 'and upstream is not asked for any of it');
    rig.cut(false);
    if (i % 2 === 1) await rig.mirror.refresh();
  }
  await rig.close();
});

t.test('an upstream that lies: no answer differs from the log’s', async (t) => {
  const log = newLog(3000);
  for (const paths of [/^\/lookup\//, /^\/tile\//, /^\/latest/]) {
    const rig = await newMirrorRig(log.clone());
    rig.upstream.answer = flipBit(paths, 200 * 8 + 3);
    const client = new SumDB({ key: log.key, source: await rig.way(), store: openMemoryStore() });
    await client.lookup(MODULES);
    const bad = rig.accesses.filter(({ status, route }) => status === 200 && route === 'lookup');
    for (const { url } of bad) {
      const answer = await (await fetch(rig.url + url)).text();
      const [id = ''] = answer.split('\n');
      t.equal(answer.split('\n\n')[0], `${id}\n${new TextDecoder().decode(log.text(Number(id))).trimEnd()}`);
    }
    if (!paths.test('/latest')) t.equal(bad.length, 0, String(paths));
    rig.upstream.answer = (_, answer) => answer;
    const again = new SumDB({ key: log.key, source: await rig.way(), store: openMemoryStore() });
    t.strictSame(outcomes(await again.lookup(MODULES)), all('found'), 'it recovers');
    await rig.close();
  }
});

t.test('kept evidence says that the log misbehaved where it proves that, and only there', async (t) => {
  const log = newLog(3000);
  const fork = newLog(2990);
  fork.add('example.com/evil', 'v1.0.0');
  const plan = planTiles(log.treeHead(), { links: [fork.size] });
  const tree = plan.authenticate(plan.tiles.map((tile) => log.tileBytes(tile)));
  const { evidence: proved } = forkError(tree, log.signedHead(), fork.signedHead());
  const planted = { older: log.head(), newer: log.head(), proof: new Uint8Array(32) };
  for (const [evidence, forked] of [[proved, true], [planted, false]] as const) {
    const store = openMemoryStore();
    await store.addEvidence({ key: formatVerifierKey(log.key), foundAt: '2026-01-01T00:00:00Z', ...evidence });
    const rig = await newMirrorRig(log, store);
    await rig.mirror.open();
    t.equal(rig.mirror.state.forked, forked);
    await rig.close();
  }
});

t.test('each thing is asked for once', async (t) => {
  const rig = await newMirrorRig(newLog(3000));
  const url = `${rig.url}/lookup/example.com/!mod3@v1.3.0`;
  const answers = await Promise.all(Array.from({ length: 20 }, async () => (await fetch(url)).text()));
  t.equal(new Set(answers).size, 1);
  const asked = rig.asked();
  t.equal(asked.length, new Set(asked).size, asked.join(' '));
  await fetch(url);
  t.strictSame(rig.asked(), []);
  await rig.close();
});

t.test('what the log does not know, and private names', async (t) => {
  const rig = await newMirrorRig(newLog(3000), undefined, { skippedBy: (module) => (module.startsWith('corp.example/') ? 'corp.example' : undefined) });
  const statusOf = async (path: string): Promise<number> => (await fetch(rig.url + path)).status;
  t.equal(await statusOf('/lookup/example.com/none@v1.0.0'), 404);
  t.equal(rig.asked().length, 1);
  t.equal(await statusOf('/lookup/example.com/none@v1.0.0'), 404);
  t.equal(await statusOf('/lookup/corp.example/secret@v1.0.0'), 404);
  t.strictSame(rig.asked(), []);
  await rig.close();
});
