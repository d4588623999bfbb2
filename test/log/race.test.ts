/** Processes that are killed at any time, and several at once: as crash.test.ts. */

import t from 'tap';
import { parseDataTile } from '../../src/core/record.js';
import { decodeUtf8 } from '../../src/core/text.js';
import { TestLog } from '../../src/testing/index.js';
import { until } from '../wait.js';
import { KEYS, NAME, openLog, records } from './rig.js';
import { appender, Witness } from './witness.js';

const KILLS = 30;

t.test('killed at any time', { timeout: 300_000 }, async (t) => {
  const folder = t.testdir();
  const open = openLog(t, folder);
  await open.log.begin();
  const witness = new Witness();
  let said = 0;
  let killed = 0;
  for (let i = 0; i < KILLS; i++) {
    const { size } = await open.log.recover();
    t.ok(size >= said, 'nothing is lost that was said to be recorded');
    const ran = await appender(folder, size, 5000, 'each', (child) => setTimeout(() => child.kill('SIGKILL'), Math.random() * 60));
    if (ran.signal === 'SIGKILL') killed++;
    for (const line of ran.stdout.split('\n')) if (/^[0-9]+$/.test(line)) said = Number(line);
    await witness.look(t, open);
  }
  const { size } = await open.log.recover();
  t.ok(size >= said);
  await witness.look(t, open);
  t.ok(killed > 0);
  t.comment(`${killed} of ${KILLS} killed, ${said} records said to be recorded, ${size} are`);
});

t.test('two processes that add at once', async (t) => {
  const folder = t.testdir();
  const open = openLog(t, folder);
  await open.log.begin();
  // held until both are there
  let begun = 0;
  const both = await open.state.hold(async () => {
    const started = [0, 100].map((from) => appender(folder, from, from + 40, 'each', () => begun++));
    t.ok(await until(() => begun === 2));
    return { ended: Promise.all(started) };
  });
  for (const { stdout, stderr } of await both.ended) t.equal(stdout.split('\n').length, 22, stderr);
  const { size, hash } = await open.database.head();
  t.equal(size, 80);
  const twin = new TestLog(NAME, KEYS[0]);
  for (const text of parseDataTile(await open.database.tile({ level: -1, n: 0, width: 80 }), 80)) twin.addText(decodeUtf8(text));
  t.same(hash, twin.treeHead().hash);
  for (const { module, version } of [...records(0, 40), ...records(100, 140)]) await open.database.lookup(module, version);
});
