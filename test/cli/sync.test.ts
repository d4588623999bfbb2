/** `gosumcheck sync` as a process. */

import path from 'node:path';
import t from 'tap';
import { flipBit, serveLog, status } from '../../src/testing/index.js';
import { jsonLines, newLog, newPlace, type Ran } from './place.js';
import { fillMany } from '../mirror/syncrig.js';
import { turns, until, withMoreTime } from '../wait.js';

const SYNC = ['sync', '--data', 'sumdb.db'];

function jsonOf({ stdout }: Ran): Record<string, unknown>[] {
  return jsonLines(stdout);
}

t.test('all of it, once, and once more', async (t) => {
  const place = await newPlace(t);
  const first = await place.run([...SYNC, '--once']);
  t.equal(first.code, 0, first.stderr);
  t.equal(first.stderr, '', 'off a terminal no progress');
  t.match(first.stdout, `tree of ${place.log.size} records`);
  const [again, ...more] = jsonOf(await place.run([...SYNC, '--once', '--format', 'json']));
  t.same(more, []);
  t.match(again, { file: path.join(place.folder, 'sumdb.db'), exitCode: 0, tree: { size: place.log.size }, indexed: place.log.size, records: 0, failed: 0, gaveUp: false, failures: [] });
  t.equal((await place.run([...SYNC, '--once', '--quiet'])).stdout, '');
});

t.test('what cannot be', async (t) => {
  const place = await newPlace(t);
  const fork = place.log.clone();
  t.equal((await place.run(['sync', '--once'])).code, 2, 'no file');
  t.equal((await place.run([...SYNC, '--once', '--way', 'nonsense'])).code, 2);
  place.served.answer = status(403, /data/);
  const refused = await place.run([...SYNC, '--once']);
  t.equal(refused.code, 3);
  t.match(refused.stderr, '--way', 'the next step is said');
  place.served.answer = flipBit('/tile/8/data/003', 999);
  const lied = await place.run([...SYNC, '--once', '--format', 'json']);
  t.equal(lied.code, 1);
  t.match(jsonOf(lied)[0], { exitCode: 1, failed: 1, records: place.log.size - 256, failures: [{ code: 'TILE_MISMATCH', message: /tile\/8\/data\/003/ }] });
  place.served.answer = (_, answer) => answer;
  t.equal((await place.run([...SYNC, '--once'])).code, 0, 'what was missing came');
  fillMany(place.log, 2050).add('example.com/other', 'v1.0.0');
  t.equal((await place.run([...SYNC, '--once'])).code, 0);
  const forked = await serveLog(fillMany(fork, 2100));
  const seen = await place.run([...SYNC, '--once', '--sumdb', `${place.log.vkey} ${forked.url}`]);
  t.equal(seen.code, 1, 'a fork');
  t.match(seen.stderr, 'SECURITY ERROR', 'with its evidence');
  t.equal((await place.run([...SYNC, '--once'])).code, 1, 'nothing more is taken until a person decides');
  t.equal((await place.run(['evidence', '--data', 'sumdb.db', '--clear'])).code, 0);
  t.equal((await place.run([...SYNC, '--once'])).code, 0);
  await forked.close();
  await place.served.close();
  const unanswered = await place.run([...SYNC, '--once', '--timeout', '2s', '--format', 'json']);
  t.equal(unanswered.code, 3, 'nobody answers');
  t.match(jsonOf(unanswered), [{ exitCode: 3, problem: { code: 'UNREACHABLE' } }]);
});

t.test('interrupted, it has kept what was proved', { skip: process.platform === 'win32' && 'no signals here' }, async (t) => {
  let letGo: () => void = () => undefined;
  let gate = Promise.resolve();
  const place = await newPlace(t, undefined, {
    log: newLog(9000),
    answer: (request, answer) => (request.path === '/tile/8/data/020' ? gate.then(() => answer) : answer),
  });
  /** Ends it when all but one tile have been there for a while: most are proved by then, if the machine has had the time. */
  const isKept = async (after: number): Promise<boolean> => {
    const sync = ['sync', '--data', `after${after}.db`, '--once'];
    gate = new Promise((resolve) => (letGo = resolve));
    place.asked();
    const running = place.start(sync);
    const data = new Set<string>();
    const areAsked = (): boolean => {
      for (const asked of place.asked()) if (asked.includes('/data/')) data.add(asked);
      return data.size === Math.ceil(place.log.size / 256);
    };
    t.ok(await until(areAsked));
    await turns(after);
    running.kill('SIGINT');
    t.equal((await running.ended).code, 130);
    letGo();
    const [rest] = jsonOf(await place.run([...sync, '--format', 'json']));
    t.match(rest, { exitCode: 0, indexed: place.log.size });
    t.ok(Number(rest?.records) >= 256, 'what did not come was left');
    return Number(rest?.records) < place.log.size;
  };
  t.ok(await withMoreTime([200, 1000, 5000], isKept), 'not all was left');
});

t.test('follows, through a failure, until it is ended', { skip: process.platform === 'win32' && 'no signals here' }, async (t) => {
  const place = await newPlace(t);
  const running = place.start([...SYNC, '--poll', '100ms', '--format', 'json']);
  const isTold = (size: number): Promise<boolean> => until(() => jsonLines(running.out()).some(({ indexed }) => indexed === size));
  t.ok(await isTold(place.log.size));
  let failed = 0;
  place.served.answer = (request, answer) => {
    failed++;
    return status(500)(request, answer);
  };
  t.ok(await until(() => failed > 8), 'more than one look');
  place.served.answer = (_, answer) => answer;
  fillMany(place.log, 2345);
  t.ok(await isTold(2345));
  running.kill('SIGTERM');
  const ended = await running.ended;
  t.equal(ended.code, 0, 'a service that is ended has done its work');
  const told = jsonOf(ended);
  t.match(told.at(-1), { indexed: 2345, failed: 0 });
  t.equal(told.filter(({ records }) => Number(records) > 0).length, 2, 'a line for each look that has news');
});
