/** What a mirror tells of, and for what it asks leave. */

import t from 'tap';
import type { Caller } from '../../src/contract.js';
import { GosumError } from '../../src/errors.js';
import { Mirror, type MirrorEvent } from '../../src/mirror/mirror.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { flipBit, TestLog } from '../../src/testing/index.js';
import { newLog } from '../client/rig.js';
import { newMirrorRig, wayTo } from './rig.js';

/** A gate that counts, and may be shut. */
function newGate(): Caller & { asked: number; shut: boolean } {
  const gate = {
    asked: 0,
    shut: false,
    admit(): Promise<void> {
      gate.asked++;
      return gate.shut ? Promise.reject(new GosumError('UNREACHABLE', 'not now')) : Promise.resolve();
    },
  };
  return gate;
}

const words = (events: readonly MirrorEvent[]): string[] =>
  events.map((event) => {
    switch (event.kind) {
      case 'answer':
        return `${event.of} ${event.layer}`;
      case 'head':
        return `head ${event.head.size}${event.grown ? ' grown' : ''}`;
      case 'upstream':
        return `upstream ${event.failure?.code ?? 'well'}`;
      default:
        return `${event.kind} ${event.error.code}`;
    }
  });

t.test('where things are found, heads, failures and recovery', async (t) => {
  const events: MirrorEvent[] = [];
  const log = newLog(3000);
  const store = openMemoryStore();
  const rig = await newMirrorRig(log, store, { told: (event) => events.push(event) });
  const since = (): string[] => words(events.splice(0));
  const { mirror } = rig;
  await mirror.refresh();
  t.strictSame(since(), ['head 3000 grown']);
  await mirror.refresh();
  t.strictSame(since(), ['head 3000']);
  await mirror.lookup('example.com/Mod3', 'v1.3.0');
  t.strictSame(since(), ['head 3000', 'lookup upstream']);
  await mirror.lookup('example.com/Mod3', 'v1.3.0');
  t.strictSame(since(), ['lookup memory']);
  const tile = { level: 0, n: 1, width: 256 };
  await mirror.tile(tile);
  await mirror.tile(tile);
  t.strictSame(since(), ['tile upstream', 'tile memory']);

  rig.cut();
  await mirror.refresh();
  await mirror.refresh();
  t.strictSame(since(), ['upstream UNREACHABLE'], 'said once');
  t.equal(mirror.state.failure?.code, 'UNREACHABLE');
  rig.cut(false);
  log.fill(3500);
  await mirror.refresh();
  t.strictSame(since(), ['upstream well', 'head 3500 grown']);
  rig.upstream.answer = flipBit(/^\/latest/, 200 * 8 + 3);
  await mirror.refresh();
  t.match(since(), [/^unproved SIGNATURE_/, /^upstream SIGNATURE_/]);
  rig.upstream.answer = flipBit(/^\/tile\//, 3);
  await t.rejects(mirror.tile({ level: 0, n: 5, width: 256 }));
  t.strictSame(since(), ['unproved TILE_MISMATCH']);
  await rig.close();

  const again = new Mirror({ key: log.key, store, source: await rig.way(), told: (event) => events.push(event) });
  await again.lookup('example.com/Mod3', 'v1.3.0');
  await again.tile(tile);
  t.strictSame(since(), ['lookup store', 'tile store']);
});

t.test('a fork is told of once, and stays until a person clears it', async (t) => {
  const events: MirrorEvent[] = [];
  const log = new TestLog().fill(300);
  const rig = await newMirrorRig(log, undefined, { told: (event) => events.push(event) });
  await rig.mirror.refresh();
  const evil = new TestLog(log.name, log.signer).fill(200);
  evil.add('example.com/evil', 'v1.0.0');
  const fork = await newMirrorRig(evil.fill(400));
  const source = await wayTo(fork.upstream.url, log);
  const mirror = new Mirror({ key: log.key, store: rig.store, source, told: (event) => events.push(event) });
  await mirror.refresh();
  await mirror.refresh();
  t.strictSame(words(events).filter((word) => word.startsWith('fork')), ['fork FORK']);
  t.equal(mirror.state.head?.size, 300);
  await rig.mirror.refresh();
  t.equal(rig.mirror.state.forked, true, 'another process on the same store learns of it');
  await rig.store.clearEvidence();
  await rig.mirror.refresh();
  t.equal(rig.mirror.state.forked, false);
  await source.close();
  await fork.close();
  await rig.close();
});

t.test('leave is asked for what has to be read upstream, and for nothing else', async (t) => {
  const rig = await newMirrorRig(newLog(3000), undefined, { skippedBy: (module) => (module === 'corp.example/a' ? 'corp.example' : undefined) });
  const { mirror } = rig;
  await mirror.refresh();
  const gate = newGate();
  gate.shut = true;
  rig.asked();
  await t.rejects(mirror.lookup('example.com/Mod3', 'v1.3.0', gate), { message: 'not now' });
  await t.rejects(mirror.tile({ level: 0, n: 1, width: 256 }, gate), { message: 'not now' });
  await t.rejects(mirror.lookup('corp.example/a', 'v1.0.0', gate), { code: 'NOT_FOUND' });
  t.equal(gate.asked, 2);
  t.strictSame(rig.asked(), []);
  gate.shut = false;
  await Promise.all(Array.from({ length: 20 }, () => mirror.lookup('example.com/Mod3', 'v1.3.0', gate)));
  await mirror.tile({ level: 0, n: 1, width: 256 }, gate);
  const asked = rig.asked();
  t.equal(asked.length, new Set(asked).size);
  gate.shut = true;
  const before = gate.asked;
  await mirror.lookup('example.com/Mod3', 'v1.3.0', gate);
  await mirror.tile({ level: 0, n: 1, width: 256 }, gate);
  await mirror.latest();
  t.equal(gate.asked, before, 'from memory');
  const cold = new Mirror({ key: rig.log.key, store: rig.store, source: await rig.way() });
  await cold.lookup('example.com/Mod3', 'v1.3.0', gate);
  await cold.tile({ level: 0, n: 1, width: 256 }, gate);
  t.equal(gate.asked, before, 'from the store');

  // one who joins the flight of another needs no leave
  const open = newGate();
  const both = [mirror.lookup('example.com/Mod4', 'v1.4.0', open)];
  await new Promise((resolve) => setImmediate(resolve));
  both.push(mirror.lookup('example.com/Mod4', 'v1.4.0', gate));
  const [one, two] = await Promise.all(both);
  t.strictSame(one, two);
  t.equal(gate.asked, before);
  await rig.close();
});

t.test('two mirrors on one store: a client goes from one to the other', async (t) => {
  const log = newLog(3000);
  const rig = await newMirrorRig(log);
  const other = new Mirror({ key: log.key, store: rig.store, source: await rig.way() });
  await rig.mirror.refresh();
  await other.open();
  await other.refresh();
  log.fill(5000);
  await rig.mirror.refresh();
  rig.asked();
  t.equal(other.state.head?.size, 3000);
  await rig.mirror.tile({ level: 1, n: 0, width: 19 });
  const before = rig.accesses.length;
  t.ok(await other.tile({ level: 1, n: 0, width: 19 }), 'what the one has taken the other finds in the store');
  t.equal(rig.accesses.length, before, 'with no look upstream');
  t.equal(other.state.head?.size, 5000);
  await rig.close();
});
