/**
 * A mirror whose upstream lies: no answer with status 200 ever differs from the true log's, nothing grows, and it recovers;
 * with a second, honest way it does not even fail.
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t, { type Test } from 'tap';
import { newSignerKey } from '../../src/core/key.js';
import { signNote } from '../../src/core/note.js';
import { parseLookup } from '../../src/core/record.js';
import { concatBytes, decodeUtf8, encodeUtf8 } from '../../src/core/text.js';
import { formatTreeHead, openTreeHead } from '../../src/core/treehead.js';
import {
  alteredRecord,
  answerOf,
  cutShort,
  flipBit,
  foreignRecord,
  htmlPage,
  olderHead,
  otherBody,
  otherHead,
  redirect,
  reset,
  serveLog,
  status,
  TestLog,
  type Bend,
} from '../../src/testing/index.js';
import { MODULES, newLog } from '../client/rig.js';
import { Random } from '../differential/random.js';
import { servePlain } from '../transport/servers.js';
import { get, newWaysRig, type WaysRig } from './waysrig.js';

const honest: Bend = (_, answer) => answer;
/** Not to be added to. */
const LOG = newLog(3000);

/** Where lies lead to that need a server of their own. */
interface Elsewhere {
  readonly endless: string;
  /** Bytes that the endless server sent. */
  sent(): number;
  /** Another log, with another key. */
  readonly other: string;
}

async function openElsewhere(t: Test): Promise<Elsewhere> {
  let sent = 0;
  const chunk = new Uint8Array(64 * 1024).fill(0x61);
  const endless = await servePlain(t, (_, response) => {
    const more = (): void => {
      do sent += chunk.length;
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', more);
    more();
  });
  const other = await serveLog(newLog(2000, 'other.example'));
  t.teardown(() => other.close());
  return { endless: endless.url, sent: () => sent, other: other.url };
}

/** The lies, by name. */
function liesOf(log: TestLog, { endless, other }: Elsewhere): Record<string, Bend> {
  const stranger = newSignerKey(log.name);
  const tiles = /^\/tile\//;
  return {
    'tiles with a bit flipped': flipBit(tiles, 1234),
    'full tiles with a bit flipped': flipBit(/^\/tile\/8\/0\/[^.]*$/, 77),
    'tiles of another place': async (request, answer) =>
      request.path.startsWith('/tile/') && answer.status === 200 ? { ...answer, body: (await answerOf(log, '/tile/8/0/003')).body.slice(0, answer.body.length) } : answer,
    'tiles too short': otherBody(tiles, (body) => body.slice(0, -1)),
    'tiles too long': otherBody(tiles, (body) => concatBytes(body, body)),
    'tiles of nothing': otherBody(tiles, () => new Uint8Array()),
    'records with another hash': alteredRecord(undefined, (text) => encodeUtf8(decodeUtf8(text).replace('h1:', 'h1:x'))),
    'records with a line more': alteredRecord(undefined, (text) => concatBytes(text, encodeUtf8('example.com/evil v1.0.0 h1:x\n'))),
    'records of another module': foreignRecord(log, 'example.com/Mod0', 'v1.0.0'),
    'lookups with a bit flipped': flipBit(/^\/lookup\//, 5),
    'answers with another number': otherBody(/^\/lookup\//, (body) => concatBytes(encodeUtf8('1'), body)),
    'heads with a bit flipped': otherHead(() => log.head().map((byte, i) => (i === 30 ? byte ^ 1 : byte))),
    'heads by another key of the same name': otherHead(() => signNote(formatTreeHead(log.treeHead()), [stranger])),
    'heads of long ago': olderHead(log, 10),
    'a signed head of the right size that nothing proves': otherHead(() => log.signHead({ size: log.size + 7, hash: new Uint8Array(32) })),
    'HTML pages': htmlPage(),
    'empty answers': otherBody(undefined, () => new Uint8Array()),
    'endless bodies': redirect((path) => endless + path),
    'endless tiles': redirect((path) => endless + path, tiles),
    'stalled bodies': (_, answer) => ({ ...answer, headers: { ...answer.headers, 'content-length': String(answer.body.length + 100) } }),
    'bodies cut short': cutShort(),
    resets: reset(),
    'status 500': status(500),
    'redirects to another log': redirect((path) => other + path, /^\/(?:tile|latest)/),
    'redirects in a circle': redirect((path) => path),
    'redirects to nowhere': redirect('http://127.0.0.1:1/'),
  };
}

/** What clients ask: all that the log has, and more. */
function pathsOf(log: TestLog): string[] {
  const full = Array.from({ length: 11 }, (_, n) => `/tile/8/0/${String(n).padStart(3, '0')}`);
  return [
    '/latest',
    ...MODULES.map(({ module, version }) => `/lookup/${module.replace('M', '!m')}@${version}`),
    ...full,
    '/tile/8/1/000.p/11',
    '/tile/8/0/011.p/100',
    `/sumdb/${log.name}/tile/8/0/005`,
    `/sumdb/${log.name}/latest`,
    // what it has not
    '/tile/8/0/999',
    '/tile/8/data/000',
    '/lookup/example.com/none@v1.0.0',
  ];
}
const LACKING = /999|data|none/;

/** Says how an answer differs from the true log's. */
function lieIn(log: TestLog, path: string, body: Uint8Array): string | undefined {
  const own = path.replace(`/sumdb/${log.name}`, '');
  const headLies = (note: Uint8Array): boolean => {
    const head = openTreeHead(note, log.key);
    return head.size > log.size || Buffer.compare(head.hash, log.treeHead(head.size).hash) !== 0;
  };
  if (own === '/latest') return headLies(body) ? 'a false head' : undefined;
  if (own.startsWith('/tile/')) {
    const [, level, n, width = '256'] = /^\/tile\/8\/(\d)\/(\d{3})(?:\.p\/(\d+))?$/.exec(own)!;
    const tile = { level: Number(level), n: Number(n), width: Number(width) };
    return Buffer.compare(body, log.tileBytes(tile)) === 0 ? undefined : 'a false tile';
  }
  const { id, text, note } = parseLookup(body);
  const module = own.slice('/lookup/'.length).replaceAll(/!(.)/g, (_, letter: string) => letter.toUpperCase());
  const [path_ = '', version = ''] = module.split('@');
  if (headLies(note) || id >= openTreeHead(note, log.key).size) return 'a false head';
  return id === log.idOf(path_, version) && Buffer.compare(text, log.text(id)) === 0 ? undefined : 'a false record';
}

/** Asks for all, and checks what comes. @returns how many had no answer that should have one. */
async function askAll(t: Test, rig: WaysRig, log: TestLog, paths: readonly string[]): Promise<number> {
  let failed = 0;
  await Promise.all(
    paths.map(async (path) => {
      const { status, body } = await get(rig.url + path);
      if (status !== 200) {
        failed += LACKING.test(path) ? 0 : 1;
        return;
      }
      const lie = lieIn(log, path, body);
      if (lie !== undefined || LACKING.test(path)) t.fail(`${path}: ${lie ?? 'there is no such thing'}`);
    }),
  );
  return failed;
}

t.test('one way, which lies, and is honest again', async (t) => {
  const elsewhere = await openElsewhere(t);
  const names = Object.keys(liesOf(LOG, elsewhere));
  t.jobs = 4;
  await Promise.all(
    names.map((name) =>
      t.test(name, { buffered: true }, async (t) => {
        const log = LOG.clone();
        const rig = await newWaysRig([log], { timeout: name.startsWith('stalled') ? 150 : 3000 });
        const lie = liesOf(log, elsewhere)[name]!;
        const paths = pathsOf(log);
        rig.upstreams[0]!.answer = lie;
        await askAll(t, rig, log, paths);
        rig.upstreams[0]!.answer = honest;
        await rig.mirror.refresh(); // for the sake of clients it looks but once a second
        t.equal(await askAll(t, rig, log, paths), 0, 'honest again: all is answered');
        log.add('example.com/new', 'v1.0.0');
        log.fill(3400);
        rig.upstreams[0]!.answer = lie;
        const more = [...paths, '/lookup/example.com/new@v1.0.0', '/tile/8/0/012', '/tile/8/0/013.p/50'];
        t.ok((await askAll(t, rig, log, more)) <= 4, 'what was proved is answered all the while');
        rig.upstreams[0]!.answer = honest;
        await rig.mirror.refresh();
        t.equal(await askAll(t, rig, log, more), 0, 'honest again: the new as well');
        t.equal(rig.mirror.state.forked, false, 'a lie of the way accuses nobody');
        t.equal(rig.mirror.state.head?.size, 3400);
        await rig.close();
      }),
    ),
  );
});

t.test('a second way, which is honest: nothing fails', async (t) => {
  const elsewhere = await openElsewhere(t);
  const names = Object.keys(liesOf(LOG, elsewhere));
  t.jobs = 4;
  await Promise.all(
    names.map((name) =>
      t.test(name, { buffered: true }, async (t) => {
        const log = LOG;
        const rig = await newWaysRig([log, log], { timeout: 5000, patience: 1000 });
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
        failed += await askAll(t, rig, log, Array.from({ length: 20 }, () => random.pick(paths)));
        if (round % 4 === 0) await rig.mirror.refresh();
      }
      if (honestToo) t.equal(failed, 0);
      else t.ok(failed < rounds * 10, `${failed} failed`);
      t.equal(rig.mirror.state.forked, false);
      for (const upstream of rig.upstreams) upstream.answer = honest;
      t.equal(await askAll(t, rig, log, [...pathsOf(log), ...added]), 0, 'it recovers');
      await rig.mirror.refresh();
      t.equal(rig.mirror.state.head?.size, log.size);
      await rig.close();
    });
  }
});

t.test('endless bodies: memory stays where it was', async (t) => {
  const elsewhere = await openElsewhere(t);
  const log = LOG;
  const rig = await newWaysRig([log], { timeout: 2000 });
  rig.upstreams[0]!.answer = redirect((path) => elsewhere.endless + path);
  const ask = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 10) {
      const some = Array.from({ length: 10 }, (_, k) => get(`${rig.url}/lookup/example.com/x${i + k}@v1.0.0`));
      for (const { status } of await Promise.all(some)) t.not(status, 200);
    }
  };
  await ask(50);
  const before = memory();
  const sent = elsewhere.sent();
  await ask(200);
  const after = memory();
  t.ok(after.heap - before.heap < 8e6, `heap ${before.heap} to ${after.heap}`);
  t.ok(after.rss - before.rss < 48e6, `rss ${before.rss} to ${after.rss}`);
  t.ok((elsewhere.sent() - sent) / 200 < 16e6, `${(elsewhere.sent() - sent) / 200} bytes were sent for each`);
  await rig.close();
});

function memory(): { heap: number; rss: number } {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}

