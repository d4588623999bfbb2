/** Threads that work on tiles: the same as here, in any order, with errors, with an end. */

import t from 'tap';
import { DATA_LEVEL } from '../../src/core/tile.js';
import { dataTileOf, hashLeaves, leavesOf, subtreeHashes } from '../../src/core/leaves.js';
import { isGosumError } from '../../src/errors.js';
import { TestLog } from '../../src/testing/testlog.js';
import { newSalt } from '../../src/whole/key.js';
import { pathTexts } from '../../src/whole/pathbytes.js';
import { openTilePool, workHere } from '../../src/whole/pool.js';
import { TileThread } from '../../src/whole/thread.js';
import type { TileJob } from '../../src/whole/work.js';
import { realTexts } from './texts.js';

const log = new TestLog();
for (let i = 0; i < 16 * 256; i++) log.add(`example.com/m${i % 97}`, `v1.${i}.0`);

function jobOf(n: number): TileJob {
  return { kind: 'tile', n, width: 256, bytes: log.tileBytes({ level: DATA_LEVEL, n, width: 256 }) };
}

t.test('tiles are worked on as here', async (t) => {
  const salt = newSalt();
  const here = workHere(salt);
  const pool = openTilePool(2, salt);
  const works = await Promise.all(Array.from({ length: 16 }, (_, n) => pool.run(jobOf(n))));
  for (const [n, work] of works.entries()) {
    const want = await here.run(jobOf(n));
    t.strictSame(work, want);
    t.strictSame(work.nodes, subtreeHashes(log.tileBytes({ level: 0, n, width: 256 })));
  }
  await pool.close();
});

t.test('bytes that are a part of others are left to the caller', async (t) => {
  const pool = openTilePool(1, newSalt());
  const { bytes, ...job } = jobOf(3);
  const greater = new Uint8Array(bytes.length + 10);
  greater.set(bytes, 5);
  const work = await pool.run({ ...job, bytes: greater.subarray(5, 5 + bytes.length) });
  t.strictSame(work.nodes, subtreeHashes(log.tileBytes({ level: 0, n: 3, width: 256 })));
  t.strictSame(greater.subarray(5, 5 + bytes.length), bytes);
  await pool.close();
});

t.test('odd records have all their names', async (t) => {
  const texts = [...realTexts().slice(0, 3), Buffer.from('a v1 h1:x\nb v2/go.mod h1:y\n'), Buffer.from('x\n')];
  const { modules, entries, nodes } = await workHere(newSalt()).run({ kind: 'tile', n: 2, width: 5, bytes: dataTileOf(leavesOf(texts)) });
  t.strictSame(pathTexts(modules.bytes).slice(-2), ['a', 'b']);
  t.strictSame([...entries.words].filter((_, i) => i % 2 === 0), [512, 513, 514, 515, 515]);
  t.strictSame(nodes, subtreeHashes(hashLeaves(leavesOf(texts))));
});

t.test('errors come as they are', async (t) => {
  const pool = openTilePool(1, newSalt());
  const bad: [TileJob, string][] = [
    [{ ...jobOf(0), width: 255 }, 'RECORD_MALFORMED'],
    [{ ...jobOf(0), bytes: Buffer.from('a\tb\n') }, 'RECORD_MALFORMED'],
    [{ ...jobOf(0), n: 2 ** 24 }, 'STORE_FAILED'],
  ];
  for (const [job, code] of bad) {
    const error: unknown = await pool.run(job).catch((caught: unknown) => caught);
    t.ok(isGosumError(error) && error.code === code, `${code}: ${String(error)}`);
  }
  t.equal((await pool.run(jobOf(1))).n, 1, 'and the thread goes on');
  await pool.close();
});

t.test('failed jobs let those that wait go on', async (t) => {
  const pool = openTilePool(1, newSalt());
  const jobs = Array.from({ length: 30 }, (_, i) => pool.run({ ...jobOf(i % 16), width: i % 3 === 0 ? 256 : 255 }));
  for (const [i, result] of (await Promise.allSettled(jobs)).entries()) {
    t.equal(result.status, i % 3 === 0 ? 'fulfilled' : 'rejected', `job ${i}`);
  }
  await pool.close();
});

t.test('a pool that is closed has no jobs that hang', async (t) => {
  const pool = openTilePool(1, newSalt());
  const results = Promise.allSettled(Array.from({ length: 10 }, (_, n) => pool.run(jobOf(n))));
  await pool.close();
  for (const { status } of await results) t.equal(status, 'rejected');
  await t.rejects(pool.run(jobOf(0)), /closed/);
});

t.test('a thread that dies fails its jobs, and the next one starts anew', async (t) => {
  let freed = 0;
  const thread = new TileThread(newSalt(), () => freed++);
  const jobs = Promise.allSettled([thread.run(jobOf(0)), thread.run(jobOf(1))]);
  await thread.end();
  t.strictSame((await jobs).map(({ status }) => status), ['rejected', 'rejected']);
  t.strictSame([thread.jobs, freed], [0, 2]);
  t.equal((await thread.run(jobOf(2))).n, 2);
  await thread.end();
});
