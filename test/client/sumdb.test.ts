import t from 'tap';
import { checkFork, ForkError } from '../../src/core/fork.js';
import { equalBytes, parseHash } from '../../src/core/hash.js';
import { newSignerKey } from '../../src/core/key.js';
import { signNote } from '../../src/core/note.js';
import { checkRecord } from '../../src/core/tree.js';
import { recordHash } from '../../src/core/record.js';
import { decodeUtf8, encodeUtf8 } from '../../src/core/text.js';
import { formatTilePath, parseTilePath } from '../../src/core/tile.js';
import { formatTreeHead } from '../../src/core/treehead.js';
import { GosumError } from '../../src/errors.js';
import {
  allOf,
  alteredRecord,
  cutShort,
  flipBit,
  forkedHead,
  foreignRecord,
  htmlPage,
  noPartialTiles,
  olderHead,
  otherBody,
  otherHead,
  slow,
  status,
  TestLog,
  type Bend,
} from '../../src/testing/index.js';
import { all, found, MODULES, nameOf, newLog, newRig, outcomes } from './rig.js';

t.test('cold, then warm: all found and proved, each path asked once; then no request at all', async (t) => {
  const rig = await newRig(newLog(70_000));
  const cold = await rig.lookup();
  t.strictSame(outcomes(cold), all('found'));
  t.equal(cold.timeline, 'first-contact');
  t.equal(cold.head?.size, rig.log.size);
  for (const [i, { module, version }] of MODULES.entries()) {
    const { record, hashes } = found(cold, nameOf(i));
    const id = rig.log.idOf(module, version) ?? -1;
    t.equal(record.id, id);
    t.equal(decodeUtf8(record.text), decodeUtf8(rig.log.text(id)));
    t.match(decodeUtf8(record.text), `${module} ${version} ${hashes.module ?? '?'}\n`);
    checkRecord(record.proof(), record.head, record.id, recordHash(record.text));
  }
  const asked = rig.asked();
  t.equal(new Set(asked).size, asked.length, 'no path is asked for twice');
  t.equal(asked.filter((path) => path.startsWith('/lookup/')).length, MODULES.length);
  t.equal(asked.filter((path) => path === '/latest').length, 1);

  const warm = await rig.lookup();
  t.strictSame(outcomes(warm), all('cached'));
  t.equal(warm.timeline, 'consistent');
  t.equal(warm.way, 'cache');
  t.strictSame(rig.asked(), []);
  const { record } = found(warm, nameOf(3));
  checkRecord(record.proof(), record.head, record.id, recordHash(record.text));
  await rig.close();
});

t.test('the log grows: what is cached stays proved, what is new joins it, the head goes on', async (t) => {
  const rig = await newRig();
  await rig.lookup(MODULES.slice(0, 6));
  rig.asked();
  rig.log.add('example.com/new', 'v1.0.0');
  rig.log.fill(rig.log.size + 66_000);
  const wanted = [...MODULES.slice(0, 6), { module: 'example.com/new', version: 'v1.0.0' }];
  const second = await rig.lookup(wanted);
  t.equal(outcomes(second)[nameOf(0)], 'cached');
  t.equal(outcomes(second)['example.com/new@v1.0.0'], 'found');
  t.equal(second.timeline, 'consistent');
  t.equal(second.head?.size, rig.log.size);
  t.strictSame(rig.asked().filter((path) => path.startsWith('/lookup/')), ['/lookup/example.com/new@v1.0.0']);

  const third = await rig.lookup(wanted);
  t.strictSame(new Set(Object.values(outcomes(third))), new Set(['cached']), 'receipts under two heads, one timeline');
  t.strictSame(rig.asked(), []);
  t.equal((await rig.store.timeline(rig.log.vkey, 0)).length, 2);

  rig.log.fill(rig.log.size + 5);
  t.equal((await rig.lookup(wanted, { fresh: true })).head?.size, rig.log.size, 'a fresh head on demand');
  t.match(rig.asked()[0], '/latest');
  t.strictSame(rig.notices, []);
  await rig.close();
});

t.test('a log that was empty at first contact, and grows', async (t) => {
  const rig = await newRig(new TestLog('log.example'));
  t.teardown(() => rig.close());
  const empty = await rig.lookup([], { fresh: true });
  t.match(empty, { head: { size: 0 }, timeline: 'first-contact' });
  const [first] = MODULES;
  rig.log.add(first!.module, first!.version);
  rig.log.fill(300);
  const grown = await rig.lookup([first!], { fresh: true });
  t.match(grown, { head: { size: 300 }, timeline: 'consistent' });
  t.same(outcomes(grown), { [nameOf(0)]: 'found' });
  t.match(await rig.lookup([first!], { fresh: true }), { head: { size: 300 }, timeline: 'consistent', problem: undefined });
});

t.test('answers with older heads, and a log without partial tiles, are as good', async (t) => {
  const rig = await newRig();
  rig.log.headSizeOf = (id) => Math.min(rig.log.size, id + 300);
  rig.served.answer = noPartialTiles(rig.log);
  t.strictSame(outcomes(await rig.lookup()), all('found'));
  await rig.close();
});

const target = MODULES[4] ?? { module: '', version: '' };
const targetLookup = '/lookup/example.com/!mod4@v1.4.0';

/** Tampered with the fifth module's answer, or with all: what becomes of each. */
const LIES: readonly { name: string; lie: (log: TestLog) => Bend; outcomes: Record<string, string> }[] = [
  {
    name: 'a record altered',
    lie: () => alteredRecord(targetLookup, (text) => encodeUtf8(decodeUtf8(text).replace('h1:', 'h1:A'))),
    outcomes: all('found', { [nameOf(4)]: 'RECORD_MISMATCH' }),
  },
  {
    name: 'the record of another module',
    lie: (log) => {
      const lie = foreignRecord(log, 'example.com/Mod7', 'v1.7.0');
      return (request, answer) => (request.path === targetLookup ? lie(request, answer) : answer);
    },
    outcomes: all('found', { [nameOf(4)]: 'RECORD_FOREIGN' }),
  },
  {
    name: 'a record number beyond the tree',
    lie: (log) => otherBody(targetLookup, (body) => encodeUtf8(decodeUtf8(body).replace(/^\d+/, String(log.size)))),
    outcomes: all('found', { [nameOf(4)]: 'RECORD_BEYOND_HEAD' }),
  },
  {
    name: 'another record number',
    lie: () => otherBody(targetLookup, (body) => encodeUtf8(decodeUtf8(body).replace(/^\d+/, '7'))),
    outcomes: all('found', { [nameOf(4)]: 'RECORD_MISMATCH' }),
  },
  {
    name: 'a head signed by another key of the same name',
    lie: (log) => {
      const note = signNote(formatTreeHead(log.treeHead()), [newSignerKey(log.name)]);
      const lie = otherHead(() => note);
      return (request, answer) => (request.path === targetLookup ? lie(request, answer) : answer);
    },
    outcomes: all('found', { [nameOf(4)]: 'SIGNATURE_UNKNOWN' }),
  },
  {
    name: 'a head changed after it was signed',
    lie: (log) => otherBody(targetLookup, (body) => encodeUtf8(decodeUtf8(body).replace(`\n${log.size}\n`, `\n${log.size + 1}\n`))),
    outcomes: all('found', { [nameOf(4)]: 'SIGNATURE_INVALID' }),
  },
  { name: 'an HTML page', lie: () => htmlPage(targetLookup), outcomes: all('found', { [nameOf(4)]: 'ANSWER_MALFORMED' }) },
  { name: 'an empty answer', lie: () => otherBody(targetLookup, () => new Uint8Array(0)), outcomes: all('found', { [nameOf(4)]: 'ANSWER_MALFORMED' }) },
  { name: '404', lie: () => status(404, targetLookup), outcomes: all('found', { [nameOf(4)]: 'NOT_FOUND' }) },
  { name: '410', lie: () => status(410, targetLookup), outcomes: all('found', { [nameOf(4)]: 'NOT_FOUND' }) },
  { name: '403', lie: () => status(403, targetLookup), outcomes: all('found', { [nameOf(4)]: 'HTTP_STATUS' }) },
  {
    name: 'a bit flipped in the tile of one record',
    lie: (log) => flipBit(tileOf(log), 5),
    outcomes: all('found', { [nameOf(4)]: 'TILE_MISMATCH' }),
  },
  {
    name: 'the last bit flipped in the tile of one record',
    lie: (log) => flipBit(tileOf(log), 8 * 8192 - 1),
    outcomes: all('found', { [nameOf(4)]: 'TILE_MISMATCH' }),
  },
  { name: 'that tile is short', lie: (log) => otherBody(tileOf(log), (body) => body.subarray(32)), outcomes: all('found', { [nameOf(4)]: 'TILE_SIZE' }) },
  { name: 'that tile is gone', lie: (log) => status(404, tileOf(log)), outcomes: all('found', { [nameOf(4)]: 'UNREACHABLE' }) },
  { name: 'a tile of the right edge is false', lie: () => flipBit('/tile/8/1/000.p/78'), outcomes: all('TILE_MISMATCH') },
  { name: 'all lookups are 403', lie: () => status(403, /^\/lookup\//), outcomes: all('HTTP_STATUS') },
  { name: 'latest alone is down', lie: () => status(403, '/latest'), outcomes: all('found') },
];

/** The outcomes without the `i`th module's. */
function but(i: number, outcomes: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(outcomes).filter(([name]) => name !== nameOf(i)));
}

function tileOf(log: TestLog): string {
  const id = log.idOf(target.module, target.version) ?? -1;
  return `/${formatTilePath({ level: 0, n: Math.floor(id / 256), width: 256 })}`;
}

t.test('one bad answer fails its own lines only, and nothing false is kept', async (t) => {
  const log = newLog();
  for (const { name, lie, outcomes: want } of LIES) {
    await t.test(name, async (t) => {
      const rig = await newRig(log);
      rig.served.answer = lie(log);
      const lookups = await rig.lookup();
      // A tile that is not there is no 404 of the module: the log cannot be proved, and that is all.
      t.strictSame(outcomes(lookups), want);
      t.equal((await rig.store.evidence()).length, 0, 'it accuses nobody');

      const bad = Object.keys(want).filter((key) => want[key] !== 'found');
      t.strictSame(await rig.store.receipts(log.vkey, bad), [], 'no receipt covers what was not proved');
      const asked = rig.asked().filter((path) => path.startsWith('/tile/'));
      const tiles = asked.map((path) => parseTilePath(path.slice(1)));
      for (const [i, bytes] of (await rig.store.tiles(log.vkey, tiles)).entries()) {
        const tile = tiles[i]!;
        if (bytes !== undefined) t.ok(equalBytes(bytes, log.tileBytes(tile)), `${formatTilePath(tile)} is kept as the log has it`);
      }
      rig.served.answer = (_, answer) => answer;
      const honest = outcomes(await rig.lookup());
      t.ok(Object.values(honest).every((outcome) => outcome === 'found' || outcome === 'cached'), 'an honest run mends it');
      await rig.close();
    });
  }
});

t.test('a tile that is not to be had is not the 404 of a module version', async (t) => {
  const rig = await newRig();
  rig.served.answer = status(404, /^\/tile\//);
  const codes = new Set(Object.values(outcomes(await rig.lookup())));
  t.strictSame(codes, new Set(['UNREACHABLE']));
  await rig.close();
});

t.test('a head that cannot be proved to lie under the greatest: its answers fail; the one held: all fail', async (t) => {
  const log = newLog(3000);
  const rig = await newRig(log);
  // The fifth answer comes with a head of 700: the tile where that tree ends, 0/002, holds none of the records.
  log.headSizeOf = (id) => (id === log.idOf(target.module, target.version) ? 700 : 3000);
  rig.served.answer = status(403, '/tile/8/0/002');
  t.strictSame(outcomes(await rig.lookup(MODULES.filter((_, i) => i !== 3))), but(3, all('found', { [nameOf(4)]: 'HTTP_STATUS' })));
  await rig.close();

  log.headSizeOf = () => log.size;
  const held = await newRig(log);
  held.served.answer = otherHead(() => log.head(700));
  await held.lookup([], { fresh: true });
  t.equal((await held.store.newest(log.vkey))?.size, 700);
  held.served.answer = status(403, '/tile/8/0/002');
  const late = await held.lookup(MODULES.filter((_, i) => i !== 3));
  t.equal(late.problem?.code, 'HTTP_STATUS');
  t.strictSame(new Set(Object.values(outcomes(late))), new Set(['HTTP_STATUS']));
  t.equal((await held.store.newest(log.vkey))?.size, 700, 'the timeline stays');
  await held.close();
});

t.test('a fork stops the timeline, keeps its evidence, and believes nothing new', async (t) => {
  const rig = await newRig();
  await rig.lookup(MODULES.slice(0, 3));
  const held = rig.log.size;
  const fork = newLog(held - 10);
  fork.add('example.com/evil', 'v1.0.0');
  fork.fill(held + 500);
  const forked = await newRig(fork, rig.store);
  const lookups = await forked.lookup();
  t.equal(lookups.timeline, 'fork');
  t.ok(lookups.problem instanceof ForkError);
  t.strictSame(outcomes(lookups), all('FORK', { [nameOf(0)]: 'cached', [nameOf(1)]: 'cached', [nameOf(2)]: 'cached' }));
  t.equal((await rig.store.newest(rig.log.vkey))?.size, held, 'the timeline did not move');
  const [evidence] = await rig.store.evidence();
  if (evidence === undefined) throw new Error('no evidence');
  checkFork(evidence, rig.log.key);
  t.strictSame(evidence.older, rig.log.head(held));
  t.strictSame(evidence.newer, fork.head());
  await forked.close();
  await rig.close();
});

t.test('a fork of the same size, one shown to a first contact in one of its answers, and one below the head held', async (t) => {
  const log = newLog(3000);
  const other = newLog(2990);
  other.add('example.com/evil', 'v1.0.0');
  other.fill(3000);

  const same = await newRig(log);
  await same.lookup(MODULES.slice(0, 1));
  same.served.answer = forkedHead(other);
  t.strictSame(outcomes(await same.lookup()), all('FORK', { [nameOf(0)]: 'cached' }), 'the same size');
  t.equal((await same.store.evidence()).length, 1);
  await same.close();

  const first = await newRig(log);
  const lie = forkedHead(other, 2995);
  first.served.answer = (request, answer) => (request.path === targetLookup ? lie(request, answer) : answer);
  t.strictSame(outcomes(await first.lookup()), all('FORK'), 'one forked answer of many: nothing is believed');
  t.equal(await first.store.newest(log.vkey), undefined, 'and nothing taken');
  const [evidence] = await first.store.evidence();
  if (evidence === undefined) throw new Error('no evidence');
  checkFork(evidence, log.key);
  await first.close();
});

t.test('a log that shows less than it did: proved under the head held, which stays', async (t) => {
  const rig = await newRig();
  await rig.lookup(MODULES.slice(0, 3));
  const held = rig.log.size;
  rig.served.answer = olderHead(rig.log, held - 100);
  const lookups = await rig.lookup();
  t.strictSame(new Set(Object.values(outcomes(lookups))), new Set(['cached', 'found']));
  t.equal(lookups.head?.size, held);
  await rig.close();
});

t.test('a trusted head: a memory for who has none, and a minimum', async (t) => {
  const log = newLog(3000);
  const rig = await newRig(log);
  const trustedHead = log.head(2000);
  const lookups = await rig.lookup(MODULES, { trustedHead });
  t.equal(lookups.timeline, 'consistent', 'with the trusted head');
  rig.asked();
  t.strictSame(outcomes(await rig.lookup(MODULES, { trustedHead })), all('cached'));
  t.strictSame(rig.asked(), [], 'the proof of the trusted head is kept too');

  const ahead = log.clone().fill(4000).head();
  const late = await rig.lookup(MODULES, { trustedHead: ahead });
  t.equal(late.problem?.code, 'HEAD_TOO_OLD');
  t.strictSame(outcomes(late), all('cached'), 'what was proved before stays proved');
  const blank = await newRig(log);
  t.strictSame(outcomes(await blank.lookup(MODULES, { trustedHead: ahead })), all('HEAD_TOO_OLD'));

  const foreign = newLog(1990);
  foreign.add('example.com/evil', 'v1.0.0');
  const forked = await blank.lookup(MODULES, { trustedHead: foreign.fill(2000).head() });
  t.equal(forked.timeline, 'fork');
  t.strictSame(outcomes(forked), all('FORK'));
  t.throws(() => blank.lookup(MODULES, { trustedHead: newLog(2000, 'other.example').head() }), { code: 'SIGNATURE_UNKNOWN' });
  await rig.close();
  await blank.close();
});

t.test('a fresh head that cannot be had is a problem of the run; what is cached stays proved', async (t) => {
  const rig = await newRig(newLog(3000));
  await rig.lookup(MODULES.slice(0, 3));
  rig.served.answer = status(403, '/latest');
  const lookups = await rig.lookup(MODULES.slice(0, 4), { fresh: true });
  t.equal(lookups.problem?.code, 'HTTP_STATUS');
  t.strictSame(Object.values(outcomes(lookups)), ['cached', 'cached', 'cached', 'found']);
  t.equal((await rig.lookup(MODULES.slice(0, 5))).problem, undefined, 'without --fresh the heads of answers do as well');
  await rig.close();
});

t.test('one name, one key: a second key is an alarm', async (t) => {
  const rig = await newRig(newLog(1000));
  await rig.lookup(MODULES.slice(0, 1));
  const impostor = new TestLog('log.example', newSignerKey('log.example'));
  impostor.add('example.com/Mod0', 'v1.0.0');
  const other = await newRig(impostor, rig.store);
  await t.rejects(other.lookup(MODULES.slice(0, 1)), { code: 'KEY_CHANGED' });
  t.strictSame(other.asked(), [], 'before anything is asked');
  await rig.close();
  await other.close();
});

t.test('two clients on one store: the timeline goes forward, none of the work is lost', async (t) => {
  const log = newLog(3000).fill(5000);
  // The slow one commits last: once it is ahead and links to what the other took, once it is behind and has to go under it.
  for (const slowIsAhead of [true, false]) {
    const ahead = await newRig(log);
    const behind = await newRig(log, ahead.store);
    behind.served.answer = olderHead(log, 3000);
    const late = slowIsAhead ? ahead : behind;
    late.served.answer = allOf(late.served.answer, slow(100, /^\/tile\//));
    const both = await Promise.all([ahead.lookup(MODULES.slice(0, 6)), behind.lookup(MODULES.slice(6))]);
    t.strictSame(Object.assign({}, ...both.map(outcomes)), all('found'));
    t.equal((await ahead.store.newest(log.vkey))?.size, 5000, 'never backwards');
    ahead.asked();
    t.strictSame(outcomes(await ahead.lookup()), all('cached'));
    t.strictSame(ahead.asked(), []);
    t.strictSame(ahead.notices, []);
    await ahead.close();
    await behind.close();
  }
});

t.test('interrupted: nothing is half done', async (t) => {
  const rig = await newRig(newLog(3000));
  rig.served.answer = slow(10_000, /^\/tile\//);
  const controller = new AbortController();
  setTimeout(() => controller.abort(new GosumError('INTERRUPTED', 'interrupted')), 100);
  await t.rejects(rig.lookup(MODULES, { signal: controller.signal }), { code: 'INTERRUPTED' });
  t.equal(await rig.store.newest(rig.log.vkey), undefined);

  const late = new AbortController();
  setTimeout(() => late.abort(new GosumError('TIMEOUT', 'the deadline has passed')), 100);
  t.strictSame(outcomes(await rig.lookup(MODULES, { signal: late.signal })), all('TIMEOUT'), 'a deadline is no interruption');
  rig.served.answer = (_, answer) => answer;
  t.strictSame(outcomes(await rig.lookup()), all('found'));
  await rig.close();
});

t.test('cut bodies and dropped connections are tried again, then unreachable', async (t) => {
  const rig = await newRig(newLog(3000));
  rig.served.answer = cutShort(targetLookup);
  t.strictSame(outcomes(await rig.lookup()), all('found', { [nameOf(4)]: 'UNREACHABLE' }));
  t.ok(rig.asked().filter((path) => path === targetLookup).length > 1);
  await rig.close();
});

t.test('without a source nothing is asked', async (t) => {
  const rig = await newRig(newLog(3000));
  t.strictSame(outcomes(await rig.lookup(MODULES, { source: undefined })), all('OFFLINE'));
  await rig.lookup(MODULES.slice(0, 3));
  const lookups = await rig.lookup(MODULES, { source: undefined });
  t.strictSame(outcomes(lookups), all('OFFLINE', { [nameOf(0)]: 'cached', [nameOf(1)]: 'cached', [nameOf(2)]: 'cached' }));
  await t.rejects(rig.lookup([{ module: 'example.com/x', version: 'v1.0.0#x%2f' }]), { code: 'VERSION_MALFORMED' });
  t.throws(() => parseHash('x'), { code: 'BASE64_MALFORMED' });
  await rig.close();
});
