/** `gosumcheck verify` against a mirror that takes bulk queries, in both layouts. */

import t from 'tap';
import { TestLog } from '../../src/testing/index.js';
import { seen } from '../mirror/many.js';
import { newMirrorRig } from '../mirror/rig.js';
import { lineOf, linesOf, newPlace, OTHER_HASH, outcomes } from './place.js';

const NAMES = Array.from({ length: 30 }, (_, i) => `example.com/m${i}`);

function newLog(): TestLog {
  const log = new TestLog('log.example');
  NAMES.forEach((name, i) => log.fill(i * 70).add(name, 'v1.0.0'));
  return log.fill(2500);
}

t.test('verify by bulk queries', async (t) => {
  const log = newLog();
  const place = await newPlace(t, { 'go.sum': NAMES.map(linesOf).join(''), 'bad.sum': NAMES.map(linesOf).join('') + lineOf('example.com/none') + lineOf('example.com/m3', '', OTHER_HASH) }, { log });
  const rig = await newMirrorRig(log);
  t.teardown(() => rig.close());
  const layouts = {
    root: { GOSUMDB: `${log.vkey} ${rig.url}` },
    proxy: { GOSUMDB: log.vkey, GOPROXY: rig.url },
  };
  for (const [layout, env] of Object.entries(layouts)) {
    const cache = ['--cache', `${layout}.db`];
    const cold = await place.verify(cache, { env });
    t.strictSame([cold.code, cold.stderr], [0, ''], layout);
    t.match(cold.report, { complete: true, database: { timeline: 'first-contact', tree: { size: 2500 } }, summary: { verified: 60 } });
    t.match(seen(rig).routes, { bulk: 1, tile: undefined });
    t.equal((await place.verify(cache, { env })).code, 0);
    t.equal((await place.verify([...cache, '--offline'], { env })).code, 0);
    t.strictSame(seen(rig).routes, {}, 'a warm run asks nothing');

    const bad = await place.verify(['--no-cache', 'bad.sum'], { env });
    const straight = await place.verify(['--no-cache', 'bad.sum']);
    t.equal(bad.code, 1);
    t.strictSame(outcomes(bad.report), outcomes(straight.report), 'as when the log is asked straight');
    t.match(seen(rig).routes, { bulk: 1 });
  }
});
