/** `gosumcheck sync` as a process. */

import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { forkedHead, flipBit, status } from '../../src/testing/index.js';
import { newLog, newPlace, type Ran } from './place.js';
import { fillMany } from '../mirror/syncrig.js';

const SYNC = ['sync', '--data', 'sumdb.db'];

function jsonOf({ stdout }: Ran): Record<string, unknown>[] {
  return stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
}

t.test('all of it, once, and once more', async (t) => {
  const { run, log, folder } = await newPlace(t);
  const first = await run([...SYNC, '--once']);
  t.equal(first.code, 0, first.stderr);
  t.equal(first.stderr, '', 'off a terminal no progress');
  t.match(first.stdout, `tree of ${log.size} records`);
  const [again, ...more] = jsonOf(await run([...SYNC, '--once', '--format', 'json']));
  t.same(more, []);
  t.match(again, { file: path.join(folder, 'sumdb.db'), exitCode: 0, tree: { size: log.size }, indexed: log.size, records: 0, failed: 0, gaveUp: false, failures: [] });
  t.equal((await run([...SYNC, '--once', '--quiet'])).stdout, '');
});

t.test('what cannot be', async (t) => {
  const { run, log, served, folder } = await newPlace(t);
  const fork = log.clone();
  t.equal((await run(['sync', '--once'])).code, 2, 'no file');
  t.equal((await run([...SYNC, '--once', '--way', 'nonsense'])).code, 2);
  served.answer = status(403, /data/);
  const refused = await run([...SYNC, '--once']);
  t.equal(refused.code, 3);
  t.match(refused.stderr, '--way', 'the next step is said');
  served.answer = flipBit('/tile/8/data/003', 999);
  const lied = await run([...SYNC, '--once', '--format', 'json']);
  t.equal(lied.code, 1);
  t.match(jsonOf(lied)[0], { exitCode: 1, failed: 1, records: log.size - 256, failures: [{ code: 'TILE_MISMATCH', message: /tile\/8\/data\/003/ }] });
  served.answer = (_, answer) => answer;
  t.equal((await run([...SYNC, '--once'])).code, 0, 'what was missing came');
  fillMany(fork, 2100);
  fillMany(log, 2050).add('example.com/other', 'v1.0.0');
  t.equal((await run([...SYNC, '--once'])).code, 0);
  served.answer = forkedHead(fork, 2100);
  fillMany(log, 2200);
  const { code } = await run([...SYNC, '--once']);
  t.ok(code === 1 || code === 3, 'the head of another log whose tiles nobody gives');
  await served.close();
  t.equal((await run([...SYNC, '--once', '--timeout', '2s'])).code, 3, 'nobody answers');
  rmSync(path.join(folder, 'sumdb.db'));
});

t.test('interrupted, it has kept what was proved', { skip: process.platform === 'win32' && 'no signals here' }, async (t) => {
  let open = false;
  const { start, run, log } = await newPlace(t, undefined, {
    log: newLog(9000),
    answer: async (request, answer) => {
      if (!open && request.path === '/tile/8/data/020') await sleep(3000, undefined, { ref: false });
      return answer;
    },
  });
  const running = start([...SYNC, '--once']);
  await sleep(1500);
  running.kill('SIGINT');
  t.equal((await running.ended).code, 130);
  open = true;
  const [rest] = jsonOf(await run([...SYNC, '--once', '--format', 'json']));
  t.match(rest, { exitCode: 0, indexed: log.size });
  t.ok(Number(rest?.records) < log.size, `${String(rest?.records)} were left`);
});

t.test('follows, through a failure, until it is ended', { skip: process.platform === 'win32' && 'no signals here' }, async (t) => {
  const { start, run, log, served } = await newPlace(t);
  const running = start([...SYNC, '--poll', '100ms', '--format', 'json']);
  const reached = async (size: number): Promise<boolean> => {
    for (let i = 0; i < 100; i++) {
      const { stdout } = await run(['sync', '--help']).then(() => ({ stdout: '' }));
      if (stdout !== '') return false;
      if (served.requests.filter((each) => each.includes(`.p/${size % 256}`) && each.includes('/data/')).length > 0) return true;
    }
    return false;
  };
  t.ok(await reached(log.size));
  served.answer = status(500);
  await sleep(600);
  served.answer = (_, answer) => answer;
  fillMany(log, 2345);
  t.ok(await reached(2345));
  await sleep(700);
  running.kill('SIGTERM');
  const ended = await running.ended;
  t.equal(ended.code, 0, 'a service that is ended has done its work');
  const told = jsonOf(ended);
  t.match(told.at(-1), { indexed: 2345, failed: 0 });
  t.equal(told.filter(({ records }) => Number(records) > 0).length, 2, 'a line for each look that has news');
});
