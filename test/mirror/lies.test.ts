/** A mirror with one way, which lies: no answer with status 200 differs from the true log's, nothing grows, and it recovers. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { redirect } from '../../src/testing/index.js';
import { askAll, honest, liesOf, LOG, openElsewhere, pathsOf } from './liar.js';
import { turns, until } from '../wait.js';
import { get, newWaysRig } from './waysrig.js';

t.test('one way, which lies, and is honest again', async (t) => {
  const elsewhere = await openElsewhere(t);
  const names = Object.keys(liesOf(LOG, elsewhere));
  t.jobs = 6;
  await Promise.all(
    names.map((name) =>
      t.test(name, { buffered: true }, async (t) => {
        const log = LOG.clone();
        const rig = await newWaysRig([log], name.startsWith('stalled') ? { timeout: 400 } : {});
        const lie = liesOf(log, elsewhere)[name]!;
        const paths = pathsOf(log);
        rig.upstreams[0]!.answer = lie;
        await askAll(t, rig, log, paths);
        rig.upstreams[0]!.answer = honest;
        /** At once; where little time is given to answer, once the machine has it. */
        const isAllAnswered = async (of: readonly string[]): Promise<boolean> => {
          const ask = async (): Promise<boolean> => {
            await rig.mirror.refresh(); // for the sake of clients it looks but once a second
            return (await askAll(t, rig, log, of)) === 0;
          };
          return name.startsWith('stalled') ? until(ask) : ask();
        };
        t.ok(await isAllAnswered(paths), 'honest again: all is answered');
        log.add('example.com/new', 'v1.0.0');
        log.fill(3400);
        rig.upstreams[0]!.answer = lie;
        const more = [...paths, '/lookup/example.com/new@v1.0.0', '/tile/8/0/012', '/tile/8/0/013.p/50'];
        t.ok((await askAll(t, rig, log, more)) <= 4, 'what was proved is answered all the while');
        rig.upstreams[0]!.answer = honest;
        t.ok(await isAllAnswered(more), 'honest again: the new as well');
        t.equal(rig.mirror.state.forked, false, 'a lie of the way accuses nobody');
        t.equal(rig.mirror.state.head?.size, 3400);
        await rig.close();
      }),
    ),
  );
});

t.test('endless bodies: memory stays where it was', async (t) => {
  const elsewhere = await openElsewhere(t);
  const log = LOG;
  const rig = await newWaysRig([log]);
  rig.upstreams[0]!.answer = redirect((path) => elsewhere.endless + path);
  const ask = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 10) {
      const some = Array.from({ length: 10 }, (_, k) => get(`${rig.url}/lookup/example.com/x${i + k}@v1.0.0`));
      if ((await Promise.all(some)).some(({ status }) => status === 200)) t.fail('answered');
    }
  };
  await ask(100);
  const before = await memory();
  const sent = elsewhere.sent();
  await ask(100);
  const between = await memory();
  await ask(200);
  const after = await memory();
  t.ok(after.heap - between.heap < 8e6, `heap ${before.heap}, ${between.heap}, ${after.heap}`);
  t.ok(after.rss - before.rss < 64e6, `rss ${before.rss}, ${between.rss}, ${after.rss}`);
  t.ok((elsewhere.sent() - sent) / 300 < 16e6, `${(elsewhere.sent() - sent) / 300} bytes were sent for each`);
  await rig.close();
});

async function memory(): Promise<{ heap: number; rss: number }> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  await turns(80); // what is on its way comes to its end
  gc();
  await turns(10);
  gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}

