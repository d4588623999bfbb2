import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';
import t from 'tap';
import { SumDB } from '../../src/client/sumdb.js';
import type { Source } from '../../src/contract.js';
import { GosumError, isGosumError } from '../../src/errors.js';
import { checkWays, startPoll } from '../../src/mirror/poll.js';
import { openWays } from '../../src/mirror/ways.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { openStore } from '../../src/store/open.js';
import { cutShort, flipBit, htmlPage, olderHead, reset, serveLog, slow, status, type Bend } from '../../src/testing/index.js';
import { MODULES, newLog } from '../client/rig.js';
import { turns, until, withMoreTime } from '../wait.js';
import { get, newWaysRig, QUICK, wayTo } from './waysrig.js';

const honest: Bend = (_, answer) => answer;
/** Not to be added to. */
const LOG = newLog(3000);
const LOOKUP = (i: number): string => `/lookup/example.com/!mod${i}@v1.${i}.0`;

t.test('the first way is asked alone, while it is good', async (t) => {
  const rig = await newWaysRig([LOG, LOG]);
  for (let i = 0; i < MODULES.length; i++) t.equal((await get(rig.url + LOOKUP(i))).status, 200);
  t.strictSame(rig.upstreams[1]!.requests, []);
  t.match(rig.ways.states, [
    { label: rig.upstreams[0]!.url, state: 'closed', lastSuccess: Number, lastFailure: undefined, counts: { unproved: 0, failed: 0 } },
    { label: rig.upstreams[1]!.url, state: 'closed', lastSuccess: undefined, counts: { reads: 0, proved: 0 } },
  ]);
  t.ok(rig.ways.states[0]!.counts.proved >= MODULES.length);
  await rig.close();
});

/** What a way may do, and how it is counted. */
const BAD: readonly { name: string; bend: Bend; count: 'unproved' | 'failed' }[] = [
  { name: 'tiles with a bit flipped', bend: flipBit(/^\/tile\//, 77), count: 'unproved' },
  { name: 'records with a bit flipped', bend: flipBit(/^\/lookup\//, 8 * 40), count: 'unproved' },
  { name: 'heads with a bit flipped', bend: flipBit('/latest', 8 * 30), count: 'unproved' },
  { name: 'junk', bend: (_, answer) => ({ ...answer, body: new Uint8Array(40) }), count: 'unproved' },
  { name: 'an HTML page', bend: htmlPage(), count: 'failed' },
  { name: 'cut short', bend: cutShort(), count: 'failed' },
  { name: 'reset', bend: reset(), count: 'failed' },
  { name: 'status 500', bend: status(500), count: 'failed' },
  { name: 'status 404 for what has to be there', bend: status(404, /^\/(?:tile|latest)/), count: 'failed' },
  { name: 'too late', bend: slow(60_000), count: 'failed' },
];

t.test('a way that is not good is taken out, the other one answers all, and it comes back when it is good again', async (t) => {
  t.jobs = 4;
  await Promise.all(
    BAD.map(({ name, bend, count }) =>
      t.test(name, { buffered: true }, async (t) => {
        const rig = await newWaysRig([LOG, LOG], name === 'too late' ? { timeout: 400, patience: 250 } : {});
        const [bad] = rig.upstreams;
        bad!.answer = bend;
        await rig.mirror.refresh();
        const tookOut = async (): Promise<boolean> => {
          await rig.mirror.refresh();
          return rig.ways.states[0]!.state !== 'closed';
        };
        t.equal(rig.mirror.state.failure, undefined);
        for (let i = 0; i < MODULES.length; i++) t.equal((await get(rig.url + LOOKUP(i))).status, 200, LOOKUP(i));
        t.ok(rig.ways.states[0]!.counts[count] > 0, `${count} is counted`);
        if (name.startsWith('heads')) t.ok(await until(tookOut), 'taken out');
        else if (count === 'failed') t.not(rig.ways.states[0]!.lastFailure, undefined);
        t.equal(rig.ways.states[1]!.counts.unproved + rig.ways.states[1]!.counts.failed, 0, 'the other one is not blamed');

        bad!.answer = honest;
        const back = async (): Promise<boolean> => {
          await rig.mirror.refresh();
          return rig.ways.states[0]!.state === 'closed';
        };
        t.ok(await until(back), 'in service again');
        // where the first has little time to answer, that may take more than one look
        const alone = async (): Promise<boolean> => {
          const before = rig.upstreams[1]!.requests.length;
          await rig.mirror.refresh();
          return rig.upstreams[1]!.requests.length === before;
        };
        t.ok(name === 'too late' ? await until(alone) : await alone(), 'and asked alone again');
        await rig.close();
      }),
    ),
  );
});

t.test('out of service: after failures in a row, asked no more until the pause is over, one trial at a time', async (t) => {
  const rig = await newWaysRig([LOG, LOG], { failures: 2, pause: 60_000, longestPause: 60_000 });
  rig.upstreams[0]!.answer = flipBit('/latest', 8 * 30);
  for (let i = 0; i < 5; i++) await rig.mirror.refresh();
  t.equal(rig.ways.states[0]!.state, 'open');
  t.equal(rig.upstreams[0]!.requests.length, 2);
  t.match(rig.ways.states[0]!.failure, /signature/);
  await rig.close();

  const held = await newWaysRig([LOG, LOG], { failures: 1, pause: 5, longestPause: 5 });
  held.upstreams[0]!.answer = reset();
  await held.mirror.refresh();
  await sleep(30);
  let letGo: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  held.upstreams[0]!.answer = (_, answer) => gate.then(() => answer);
  const before = held.upstreams[0]!.requests.length;
  const trial = held.mirror.refresh();
  t.ok(await until(() => held.upstreams[0]!.requests.length > before));
  t.equal(held.ways.states[0]!.state, 'half-open');
  const client = new SumDB({ key: LOG.key, source: held.ways, store: openMemoryStore() });
  t.equal((await client.lookup([], { fresh: true })).problem, undefined);
  t.equal(held.upstreams[0]!.requests.length, before + 1, 'another does not wait for the trial, nor try as well');
  letGo();
  await trial;
  t.equal(held.ways.states[0]!.state, 'closed');
  await held.close();
});

t.test('all ways are out of service: one is still asked', async (t) => {
  const rig = await newWaysRig([LOG, LOG], { failures: 1, pause: 60_000, longestPause: 60_000 });
  for (const upstream of rig.upstreams) upstream.answer = reset();
  t.equal((await get(rig.url + LOOKUP(0))).status, 502);
  t.strictSame(rig.ways.states.map(({ state }) => state), ['open', 'open']);
  for (const upstream of rig.upstreams) upstream.answer = honest;
  for (let i = 0; i < MODULES.length; i++) t.equal((await get(rig.url + LOOKUP(i))).status, 200, LOOKUP(i));
  await rig.close();
});

t.test('what a lookup is not found by is said by the first way, and is no failure', async (t) => {
  const rig = await newWaysRig([newLog(3000), newLog(4000)]);
  t.equal((await get(`${rig.url}/lookup/example.com/none@v1.0.0`)).status, 404);
  t.strictSame(rig.upstreams[1]!.requests, []);
  t.match(rig.ways.states[0], { state: 'closed', lastFailure: undefined });
  await rig.close();
});

t.test('"not found" is no trial: a way that was taken out is not asked for it', async (t) => {
  const rig = await newWaysRig([LOG, LOG], { failures: 1, pause: 1, longestPause: 1 });
  rig.upstreams[0]!.answer = reset();
  await rig.mirror.refresh();
  await sleep(20);
  rig.upstreams[0]!.answer = status(404);
  t.equal((await get(rig.url + LOOKUP(1))).status, 200);
  t.not(rig.ways.states[0]!.state, 'closed');
  await rig.close();
});

t.test('a way that lags behind: its heads lie on the timeline, and are not taken', async (t) => {
  const log = newLog(3000);
  const rig = await newWaysRig([log, log]);
  await rig.mirror.refresh();
  t.equal(rig.mirror.state.head?.size, 3000);
  rig.upstreams[0]!.answer = olderHead(log, 2000);
  const { verifiedAt } = rig.mirror.state;
  await sleep(5);
  await rig.mirror.refresh();
  t.match(rig.mirror.state, { failure: undefined, head: { size: 3000 } });
  t.ok(rig.mirror.state.verifiedAt! > verifiedAt!);
  t.equal((await get(rig.url + LOOKUP(11))).status, 200, 'a record beyond its head, under ours');
  t.match(rig.ways.states, [{ state: 'closed', counts: { unproved: 0, failed: 0 } }, { counts: { reads: 0 } }]);
  await rig.close();
});

t.test('a head by one way that only the other can prove', async (t) => {
  const log = newLog(3000);
  const behind = newLog(2000);
  const rig = await newWaysRig([log, behind]);
  rig.upstreams[0]!.answer = reset(/^\/tile\//);
  t.equal((await get(`${rig.url}/latest`)).status, 200);
  t.equal(rig.mirror.state.head?.size, 2000, 'what one way alone can prove is taken');
  await rig.close();
});

t.test('a fork: by whichever way, the timeline stands still until a person decides', async (t) => {
  for (const liar of [0, 1]) {
    await t.test(`by way ${liar + 1}`, async (t) => {
      const file = path.join(t.testdir(), 'mirror.db');
      const log = newLog(3000);
      const fork = newLog(2990);
      fork.add('example.com/evil', 'v1.0.0');
      fork.fill(3500);
      const { store } = await openStore({ file });
      const rig = await newWaysRig(liar === 0 ? [fork, log] : [log, fork], { store });
      for (const upstream of rig.upstreams) upstream.answer = olderHead(log, 2900); // of both
      t.equal((await get(rig.url + LOOKUP(2))).status, 200);
      rig.upstreams[0]!.answer = liar === 0 ? honest : reset();
      rig.upstreams[1]!.answer = honest;
      log.fill(3100);
      if (liar === 0) {
        // the log's own head first, by the other way
        rig.upstreams[0]!.answer = reset();
        await rig.mirror.refresh();
        rig.upstreams[0]!.answer = honest;
      } else {
        rig.upstreams[0]!.answer = honest;
        await rig.mirror.refresh();
        rig.upstreams[0]!.answer = reset();
      }
      t.equal(rig.mirror.state.head?.size, 3100);
      await until(async () => {
        await rig.mirror.refresh();
        return rig.mirror.state.forked;
      });
      t.match(rig.mirror.state, { forked: true, failure: { code: 'FORK' }, head: { size: 3100 } });
      t.equal((await store.evidence()).length, 1);
      t.equal((await get(rig.url + LOOKUP(2))).status, 200, 'what was proved is served on');
      t.same((await get(`${rig.url}/latest`)).body, log.head(3100));
      t.equal((await get(rig.url + LOOKUP(3))).status, 502, 'nothing new is taken');
      const asked = rig.upstreams.map(({ requests }) => requests.length);
      for (const upstream of rig.upstreams) upstream.answer = honest;
      await rig.mirror.refresh();
      t.strictSame(rig.upstreams.map(({ requests }) => requests.length), asked, 'nor looked for');

      const restarted = await newWaysRig([log], { store });
      await restarted.mirror.open();
      t.equal(restarted.mirror.state.forked, true, 'a restart changes nothing');

      // the log is itself again by both ways, and a person clears the evidence, by another process
      const { store: other } = await openStore({ file });
      t.equal(await other.clearEvidence(), 1);
      await other.close();
      rig.upstreams[liar]!.answer = reset();
      log.fill(4000);
      for (const each of [rig, restarted]) {
        await each.mirror.refresh();
        t.match(each.mirror.state, { forked: false, failure: undefined, head: { size: 4000 } });
        t.equal((await get(each.url + LOOKUP(3))).status, 200);
      }
      const after = await newWaysRig([log], { store });
      await after.mirror.open();
      t.equal(after.mirror.state.forked, false, 'nor is it remembered');
      for (const each of [rig, restarted, after]) await each.close();
      await store.close();
    });
  }
});

t.test('each way is looked after by itself, also one that is not asked', async (t) => {
  const log = newLog(3000);
  const rig = await newWaysRig([log, log, log], { failures: 2 });
  rig.upstreams[1]!.answer = flipBit('/latest', 8 * 30);
  const check = (): Promise<void> => checkWays(rig.ways.each, { key: log.key, store: rig.store });
  await rig.mirror.refresh();
  await check();
  await check();
  t.match(rig.ways.states, [
    { state: 'closed', failure: undefined },
    { state: 'open', lastSuccess: undefined, counts: { unproved: 2 } },
    { state: 'closed', lastSuccess: Number, counts: { proved: 2 } },
  ]);
  rig.upstreams[1]!.answer = honest;
  t.ok(await until(async () => {
    await check();
    return rig.ways.states[1]!.state === 'closed';
  }));
  await rig.close();
});

t.test('a person’s interruption is no failure of a way', async (t) => {
  const log = newLog(300);
  const served = await serveLog(log, { answer: slow(60_000) });
  const ways = openWays([wayTo(served.url), wayTo(served.url)], QUICK);
  const client = new SumDB({ key: log.key, source: ways, store: openMemoryStore() });
  await client.lookup(MODULES, { signal: AbortSignal.timeout(50) }).catch(() => undefined);
  t.match(ways.states, [{ lastFailure: undefined }, { lastFailure: undefined }]);
  await ways.close();
  await served.close();
});

t.test('reads outside of turns: by the next way where the first cannot, undefined where none has it', async (t) => {
  const bytes = Uint8Array.of(1);
  const source = (label: string, read: () => Promise<Uint8Array | undefined>): Source => ({ label, read, close: () => Promise.resolve() });
  const fails = (code: 'UNREACHABLE' | 'TIMEOUT' | 'NOT_FOUND'): (() => Promise<never>) => () => Promise.reject(new GosumError(code, code));
  const read = (...reads: (() => Promise<Uint8Array | undefined>)[]): Promise<Uint8Array | undefined> =>
    openWays(reads.map((each, i) => source(`way${i}`, each)), QUICK).read('/tile/8/0/000', { limit: 9 });
  t.equal(await read(fails('UNREACHABLE'), () => Promise.resolve(bytes)), bytes);
  t.equal(await read(() => Promise.resolve(undefined), fails('NOT_FOUND'), () => Promise.resolve(bytes)), bytes);
  t.equal(await read(() => Promise.resolve(undefined)), undefined);
  const both: unknown = await read(fails('NOT_FOUND'), fails('TIMEOUT'), fails('UNREACHABLE')).catch((error: unknown) => error);
  t.ok(isGosumError(both, 'TIMEOUT'));
  t.match(both, { message: 'TIMEOUT; UNREACHABLE', retryable: true });
});

t.test('the poll: jitter, sooner and then less often after failures', async (t) => {
  const failure = new GosumError('UNREACHABLE', 'gone');
  /** Two looks that go well, and seven that fail. A pause is never too short, and may be too long on a busy machine. */
  const isSooner = async (every: number): Promise<boolean> => {
    const seen: number[] = [];
    let checks = 0;
    const mirror = {
      state: { head: undefined, verifiedAt: undefined, grownAt: undefined, failure: undefined as GosumError | undefined, forked: false },
      refresh: async () => {
        seen.push(performance.now());
        mirror.state.failure = seen.length > 2 ? failure : undefined;
        if (seen.length === 9) stop();
      },
    };
    const stop = startPoll({
      mirror,
      every,
      then: async () => {
        checks++;
      },
      failed: (error) => t.fail(String(error)),
    });
    await until(() => seen.length >= 9);
    const gaps = seen.slice(1).map((at, i) => at - seen[i]!);
    const usual = 0.875 * every;
    t.ok(gaps[0]! >= usual && gaps[1]! >= usual, 'good: the usual pause');
    t.ok(gaps[6]! >= usual && gaps[7]! >= usual, 'failed again and again: no oftener than usual');
    t.equal(checks, 2);
    t.ok(new Set(gaps.map((gap) => Math.round(gap))).size > 2);
    await sleep(1.25 * every);
    await turns(5);
    t.equal(seen.length, 9, 'ended');
    return gaps[2]! < 0.625 * every;
  };
  t.ok(await withMoreTime([160, 1000, 4000], isSooner), 'failed: sooner');
});
