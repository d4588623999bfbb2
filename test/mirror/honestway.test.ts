/** A mirror with two ways of which one lies: nothing fails; and with two that lie now and then: nothing false is answered. */

import t from 'tap';
import type { Bend } from '../../src/testing/index.js';
import { Random } from '../differential/random.js';
import { askAll, honest, liesOf, LOG, openElsewhere, pathsOf } from './liar.js';
import { newWaysRig } from './waysrig.js';

t.test('a second way, which is honest: nothing fails', async (t) => {
  const elsewhere = await openElsewhere(t);
  const names = Object.keys(liesOf(LOG, elsewhere));
  t.jobs = 4;
  await Promise.all(
    names.map((name) =>
      t.test(name, { buffered: true }, async (t) => {
        const log = LOG;
        const rig = await newWaysRig([log, log], { timeout: 5000, patience: 1000 });
        // as much of the log as the first way shows is what tiles are asked of
        if (name === 'heads of long ago') await rig.mirror.refresh();
        rig.upstreams[0]!.answer = liesOf(log, elsewhere)[name]!;
        t.equal(await askAll(t, rig, log, pathsOf(log)), 0);
        t.equal(rig.mirror.state.forked, false);
        t.equal(rig.ways.states[1]!.counts.unproved, 0, 'the honest one is not blamed');
        await rig.close();
      }),
    ),
  );
});

t.test('lies at random times, while the log grows', async (t) => {
  const elsewhere = await openElsewhere(t);
  for (const [name, honestToo, seed] of [['with an honest way', true, 5], ['by both ways', false, 6]] as const) {
    await t.test(name, async (t) => {
      const random = new Random(seed);
      const log = LOG.clone();
      const rig = await newWaysRig([log, log], { timeout: 1500, patience: 150 });
      const lies = Object.entries(liesOf(log, elsewhere)).filter(([lie]) => honestToo || !lie.includes('stalled'));
      const maybe: Bend = (request, answer) => (random.chance(0.4) ? random.pick(lies)[1](request, answer) : answer);
      rig.upstreams[0]!.answer = maybe;
      if (!honestToo) rig.upstreams[1]!.answer = maybe;
      const added: string[] = [];
      let failed = 0;
      const rounds = 30;
      for (let round = 0; round < rounds; round++) {
        const module = `example.com/added${round}`;
        log.add(module, 'v1.0.0');
        added.push(`/lookup/${module}@v1.0.0`);
        log.fill(log.size + random.below(300));
        const last = Math.floor(log.size / 256) - 1;
        const paths = [...pathsOf(log), ...added, `/tile/8/0/${String(last).padStart(3, '0')}`];
        failed += await askAll(t, rig, log, added.slice(-1)); // the mirror has seen that much of the log then
        failed += await askAll(t, rig, log, Array.from({ length: 20 }, () => random.pick(paths)));
      }
      if (honestToo) t.equal(failed, 0);
      else t.ok(failed < rounds * 12, `${failed} failed`);
      t.equal(rig.mirror.state.forked, false);
      for (const upstream of rig.upstreams) upstream.answer = honest;
      t.equal(await askAll(t, rig, log, [...pathsOf(log), ...added]), 0, 'it recovers');
      await rig.mirror.refresh();
      t.equal(rig.mirror.state.head?.size, log.size);
      await rig.close();
    });
  }
});
