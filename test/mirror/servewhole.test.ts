/** A mirror whose store has the whole log answers everything from it, with upstream gone. */

import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { equalBytes } from '../../src/core/hash.js';
import { DATA_LEVEL, formatTilePath, TILE_WIDTH, tileInTree, type Tile } from '../../src/core/tile.js';
import { isGosumError } from '../../src/errors.js';
import type { MirrorEvent } from '../../src/mirror/mirror.js';
import { loadDriver } from '../../src/store/open.js';
import { TestLog } from '../../src/testing/index.js';
import { lookup, modules, right, verdicts } from './many.js';
import { newMirrorRig, type MirrorRig } from './rig.js';
import { fillMany, newSyncRig } from './syncrig.js';

const SIZE = 65536 + 3 * 256 + 19;

/** Every tile that a tree of `size` has, as wide as it has it. */
function* tilesOf(size: number): Generator<Tile> {
  for (let level = DATA_LEVEL; level < 3; level++) {
    for (let n = 0; ; n++) {
      const tile = tileInTree(level, n, size);
      if (tile === undefined) break;
      yield tile;
    }
  }
}

async function get(url: string, path: string): Promise<{ status: number; type: string | null; body: Uint8Array }> {
  const answer = await fetch(`${url}/${path}`);
  return { status: answer.status, type: answer.headers.get('content-type'), body: new Uint8Array(await answer.arrayBuffer()) };
}

/** A synced log, and a mirror on the same file that never asked for anything and has no upstream. */
async function newServed(t: Parameters<typeof newSyncRig>[0], log: TestLog): Promise<{ rig: MirrorRig; events: MirrorEvent[] }> {
  const synced = await newSyncRig(t, log);
  await (await synced.sync(await synced.open())).look();
  const events: MirrorEvent[] = [];
  const rig = await newMirrorRig(log, await synced.open(), { told: (event) => events.push(event) });
  t.teardown(async () => {
    await rig.close();
    await sleep(200); // lookups that a client gave up for a bulk query go on to their end, and the store is closed next
  });
  await rig.upstream.close();
  return { rig, events };
}

t.test('every record and every tile, byte for byte', async (t) => {
  const log = fillMany(fillMany(new TestLog(), 3000).fill(65_000), SIZE);
  const { rig, events } = await newServed(t, log);
  let wrong = 0;
  for (const tile of tilesOf(SIZE)) if (!equalBytes(await rig.mirror.tile(tile), log.tileBytes(tile))) wrong++;
  t.equal(wrong, 0, 'tiles');
  t.equal((await get(rig.url, 'tile/8/data/000')).type, 'text/plain; charset=utf-8');
  t.equal((await get(rig.url, 'tile/8/0/000')).type, 'application/octet-stream');
  for (const tile of [{ level: 0, n: 3, width: 7 }, { level: DATA_LEVEL, n: 3, width: 7 }, { level: 0, n: 259, width: 3 }, { level: 1, n: 0, width: 9 }]) {
    t.ok(equalBytes((await get(rig.url, formatTilePath(tile))).body, log.tileBytes(tile)), `narrower: ${formatTilePath(tile)}`);
  }
  for (let id = 0; id < log.size; id += id >= 3000 && id < 65_000 ? 601 : 1) {
    const [module = '', version = ''] = new TextDecoder().decode(log.text(id)).split('\n', 1)[0]?.replace('/go.mod', '').split(' ') ?? [];
    const answer = await rig.mirror.lookup(module, version);
    if (!equalBytes(answer, await log.lookup(module, version))) wrong++;
  }
  t.equal(wrong, 0, 'lookups');
  t.ok(events.every((event) => event.kind === 'answer' && event.layer !== 'upstream'), 'nothing was looked for upstream');
  t.ok(events.some((event) => event.kind === 'answer' && event.of === 'lookup' && event.layer === 'store'));
});

t.test('what the log has not, and what is beyond', async (t) => {
  const log = fillMany(new TestLog(), 900);
  const { rig } = await newServed(t, log);
  const error: unknown = await rig.mirror.lookup('example.com/none', 'v1.0.0').catch((failure: unknown) => failure);
  t.ok(isGosumError(error) && error.outcome === 'unreachable', 'with upstream gone nobody knows');
  t.equal((await get(rig.url, 'tile/8/data/009')).status, 404);
  t.equal((await get(rig.url, 'tile/8/data/003')).status, 404, 'beyond the tree');
  t.equal((await get(rig.url, `tile/8/data/003.p/${900 - 3 * TILE_WIDTH}`)).status, 200);
});

t.test('of a repeated module version the first', async (t) => {
  const log = fillMany(new TestLog(), 300);
  const first = log.add('example.com/twice', 'v1.0.0');
  fillMany(log, 700);
  log.add('example.com/twice', 'v1.0.0', { module: 'h1:ZmlsbCBmaWxsIGZpbGwgZmlsbCBmaWxsIGZpbGwgMTI=' });
  const { rig } = await newServed(t, log);
  t.same(await rig.mirror.lookup('example.com/twice', 'v1.0.0'), log.lookupOf(first));
});

t.test('bulk answers', async (t) => {
  const wanted = modules(300);
  const log = new TestLog();
  wanted.forEach(({ module, version }, i) => fillMany(log, 10 * i).add(module, version));
  const { rig } = await newServed(t, log);
  const found = await lookup(log, await rig.way(), wanted, { fresh: true });
  t.same(verdicts(found), right(log, wanted));
  t.ok(rig.accesses.some(({ route }) => route === 'bulk'), 'it was a bulk query');
});

t.test('a sync that begins later is noticed, and one without a whole log has no data tiles', async (t) => {
  const log = fillMany(new TestLog(), 900);
  const synced = await newSyncRig(t, log);
  const rig = await newMirrorRig(log, await synced.open());
  t.teardown(() => rig.close());
  t.equal((await get(rig.url, 'tile/8/data/000')).status, 404);
  await (await synced.sync(await synced.open())).look();
  await rig.mirror.refresh();
  await rig.upstream.close();
  t.equal((await get(rig.url, 'tile/8/data/000')).status, 200);
  const [module = '', version = ''] = new TextDecoder().decode(log.text(5)).split(' ');
  t.same(await rig.mirror.lookup(module, version), log.lookupOf(5));
});

t.test('another process syncs on: no look at upstream is needed', async (t) => {
  const log = fillMany(new TestLog(), 900);
  const synced = await newSyncRig(t, log);
  const sync = await synced.sync(await synced.open());
  await sync.look();
  const rig = await newMirrorRig(log, await synced.open());
  t.teardown(() => rig.close());
  await rig.upstream.close();
  await rig.mirror.open();
  fillMany(log, 2000);
  await sync.look();
  const [module = '', version = ''] = new TextDecoder().decode(log.text(1999)).split(' ');
  t.same(await rig.mirror.lookup(module, version), log.lookupOf(1999));
  t.equal((await get(rig.url, 'tile/8/0/006')).status, 200);
});

t.test('the file is replaced by another, with another secret', { skip: process.platform === 'win32' && 'an open file cannot be moved' }, async (t) => {
  const log = fillMany(new TestLog(), 900);
  const synced = await newSyncRig(t, log);
  await (await synced.sync(await synced.open())).look();
  const rig = await newMirrorRig(log, await synced.open());
  t.teardown(() => rig.close());
  await rig.upstream.close();
  t.same(await rig.mirror.lookup('example.com/user1/repo1', 'v1.1.0'), log.lookupOf(1));
  for (const end of ['', '-wal', '-shm']) rmSync(path.join(synced.folder, `sumdb.db${end}`), { force: true });
  await (await synced.sync(await synced.open())).look();
  await rig.mirror.refresh();
  const [module = '', version = ''] = new TextDecoder().decode(log.text(77)).split(' ');
  t.same(await rig.mirror.lookup(module, version), log.lookupOf(77));
});

t.test('records that decayed on disk are asked for again', async (t) => {
  const log = fillMany(new TestLog(), 900);
  const synced = await newSyncRig(t, log);
  await (await synced.sync(await synced.open())).look();
  const connection = loadDriver().driver?.open(path.join(synced.folder, 'sumdb.db'));
  connection?.exec("UPDATE pack SET data = x'0102' WHERE n = 1");
  connection?.close();
  const rig = await newMirrorRig(log, await synced.open());
  t.teardown(() => rig.close());
  const [module = '', version = ''] = new TextDecoder().decode(log.text(300)).split(' ');
  t.same(await rig.mirror.lookup(module, version), log.lookupOf(300));
  t.ok(equalBytes(await rig.mirror.tile({ level: 0, n: 1, width: 256 }), log.tileBytes({ level: 0, n: 1, width: 256 })));
  t.ok(rig.asked().length >= 2, 'upstream');
  t.ok(synced.notices.some((notice) => notice.includes('not as it was written')));
  t.equal((await get(rig.url, 'tile/8/data/001')).status, 404);
});
