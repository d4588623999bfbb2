/** A process that is killed at each point of its batch: never two heads that disagree, nothing lost that was said to be recorded. */

import t from 'tap';
import { openLog, records } from './rig.js';
import { appender, Witness } from './witness.js';

const POINTS = ['staged', 'noted', 'signed', 'published', ...[1, 2, 3].flatMap((n) => [`commit:${n}`, `committed:${n}`])];

t.test('killed at every point of a batch', async (t) => {
  const folder = t.testdir();
  const open = openLog(t, folder);
  await open.log.begin();
  const witness = new Witness();
  let size = 0;
  for (const point of POINTS) {
    const to = size + 150;
    const { signal, stderr } = await appender(folder, size, to, point);
    t.equal(signal, 'SIGKILL', `${point} ${stderr}`);
    const seen = await witness.look(t, open);
    const isPublished = ['published', 'committed:3'].includes(point);
    t.equal(seen, isPublished ? to : size, `${point}: what is seen`);
    const next = await open.log.add(records(size, to));
    const isKept = point !== 'commit:1'; // what is staged is finished
    t.same([next.added, next.known, next.head.size], [isKept ? 0 : 150, isKept ? 150 : 0, to], `${point}: what comes of it`);
    size = await witness.look(t, open);
  }
});
