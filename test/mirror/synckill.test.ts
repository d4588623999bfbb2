/** A sync that is killed thirty times on the way ends with what one without a mishap has. */

import { spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { TestLog } from '../../src/testing/index.js';
import { WholeLog } from '../../src/whole/reader.js';
import { fillMany, newSyncRig, packsOf } from './syncrig.js';

const KILLS = 30;
/** Tiles that are read and wait for the thread, until it has started. */
const AHEAD = 16;
const PROGRAM = fileURLToPath(new URL('syncprocess.js', import.meta.url));

t.test('killed thirty times', { timeout: 300_000 }, async (t) => {
  const log = fillMany(new TestLog(), 90 * 256 + 33);
  let read = 0;
  const rig = await newSyncRig(t, log, async (request, answer) => {
    if (!request.path.includes('/data/')) return answer;
    await sleep(5);
    read++;
    return answer;
  });
  const file = path.join(rig.folder, 'killed.db');
  const run = (): { ended: Promise<{ code: number | null; text: string }>; kill: () => void } => {
    const env = { ...process.env, NODE_OPTIONS: '' };
    const child = spawn(process.execPath, [PROGRAM, `${log.vkey} ${rig.upstream.url}`, file], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    t.teardown(() => child.kill('SIGKILL'));
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (some: string) => (text += some));
    return { ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, text }))), kill: () => void child.kill('SIGKILL') };
  };

  let random = 12345;
  let kills = 0;
  /** How many runs in a row were killed before they committed anything: the next one is given twice the time. */
  let standing = 0;
  /** Whether the last run had ended before it was killed: the next one is given no time. */
  let late = false;
  let left = Math.ceil(log.size / 256);
  /** How many tiles are read when the last one that is missing is. */
  const need = (before: number): number => before + left;
  const kept: number[] = [];
  const isEnough = (): boolean => kills >= KILLS / 2 && new Set(kept).size > 5;
  // on a machine that is busy with others kills may come too late, or too early: then there are more of them
  for (let i = 0; i < KILLS || (!isEnough() && i < 4 * KILLS); i++) {
    const { ended, kill } = run();
    const so = new AbortController();
    void ended.then(() => so.abort());
    random = (random * 1103515245 + 12345) % 2 ** 31;
    // after some tiles, or where no more of them come, in the midst of what follows
    const until = Math.min(read + AHEAD + 5 + (random % 9), need(read));
    while (read < until && !so.signal.aborted) await sleep(1);
    if (!late) await sleep((random % 20) * 2 ** standing, undefined, { signal: so.signal }).catch(() => undefined);
    kill();
    late = (await ended).code !== null;
    if (!late) kills++;
    const store = await rig.open('killed.db');
    const missing = async (size: number): Promise<number> => ((await store.log?.gaps(rig.vkey, size)) ?? []).reduce((sum, { lo, hi }) => sum + hi - lo, 0);
    const full = Math.floor(log.size / 256);
    const now = full - (await missing(full * 256));
    standing = now > (kept.at(-1) ?? 0) ? 0 : Math.min(standing + 1, 8);
    kept.push(now);
    if ((await missing(log.size)) === 0) fillMany(log, log.size + 700);
    left = await missing(log.size);
    await store.close();
  }
  t.ok(kills >= KILLS / 2, `${kills} kills`);
  t.same(kept, [...kept].sort((a, b) => a - b), 'nothing that was committed is lost');
  t.ok(new Set(kept).size > 5, `it goes on from what was committed: ${kept.join(' ')}`);
  const { code, text } = await run().ended;
  t.equal(code, 0);
  t.same(JSON.parse(text), { size: log.size, indexed: log.size, failed: 0 }, 'and no row is refused');
  t.comment(`${read} data tiles were read, of ${Math.ceil(log.size / 256)}`);

  const store = await rig.open('killed.db');
  t.same(await packsOf(store, rig.vkey, log.size), await rig.trueRows());
  t.same(await store.log?.pendingBuckets(rig.vkey), []);
  const wholeLog = new WholeLog(store, rig.vkey);
  let wrong = 0;
  for (let id = 0; id < log.size; id += 31) {
    const [module = '', version = ''] = new TextDecoder().decode(log.text(id)).split('\n', 1)[0]?.replace('/go.mod', '').split(' ') ?? [];
    const found = await wholeLog.find(module, version);
    if (found.length !== 1 || found[0]?.id !== id) wrong++;
  }
  t.equal(wrong, 0, 'each stands in the index once');
});
