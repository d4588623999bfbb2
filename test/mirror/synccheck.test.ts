/** `sync --check`: what a disk has damaged of a whole log is found and made anew, and nothing else is read again. Judged by an audit. */

import { copyFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import type { Store } from '../../src/contract.js';
import type { Synced } from '../../src/mirror/sync.js';
import { usualLog, wholeFile } from './auditfile.js';
import { auditOf } from './auditrig.js';
import { flip, isWhole, rowsOf, sqlOn } from './flipped.js';
import { newSyncRig, type SyncRig } from './syncrig.js';

const SIZE = 1500;
const log = usualLog(SIZE);
/** 1500 records in 6 data tiles, all in the pages of the index. */
let origin: string;

t.before(async () => {
  origin = await wholeFile(path.join(t.testdir(), 'origin.db'), log);
});

const PACKS = 'SELECT n AS number, data, digest FROM pack ORDER BY n, part';
const PAGES = 'SELECT page AS number, data, digest FROM entry ORDER BY page';
const TILES = 'SELECT n AS number, data, digest FROM tile WHERE level = 1';

/** A copy of the file, what is damaged in it, and a served log; `asked` are the paths of data tiles that were read. */
async function damaged(t: Test, damage: (file: string) => void): Promise<{ rig: SyncRig; file: string; store: Store; asked: string[] }> {
  const asked: string[] = [];
  const rig = await newSyncRig(t, log, (request, answer) => {
    if (request.path.startsWith('/tile/')) asked.push(request.path);
    return answer;
  });
  const file = path.join(rig.folder, 'sumdb.db');
  copyFileSync(origin, file);
  damage(file);
  return { rig, file, store: await rig.open(), asked };
}

async function look(rig: SyncRig, store: Store, check: boolean): Promise<Synced> {
  return (await rig.sync(store, { check })).look();
}

t.test('all as it was written: nothing is read', async (t) => {
  const { rig, store, asked } = await damaged(t, () => undefined);
  t.match(await look(rig, store, true), { damaged: { tiles: [], pages: [] }, records: 0, indexed: SIZE });
  t.equal((await look(rig, store, false)).damaged, undefined, 'not looked for');
  t.strictSame(asked, []);
});

t.test('a bit of a record, of each part of each pack', async (t) => {
  const rows = rowsOf(origin, PACKS);
  t.ok(rows.length > 20, `${rows.length} parts`);
  for (const row of rows) {
    const { rig, file, store, asked } = await damaged(t, (file) => flip(file, row));
    t.same((await look(rig, store, false)).records, 0, 'it is not met by chance');
    const synced = await look(rig, store, true);
    t.match(synced, { damaged: { tiles: [row.number], pages: [] }, indexed: SIZE, failures: [] });
    t.ok(asked.length === 1 && asked[0]?.startsWith(`/tile/8/data/00${row.number}`), `read: ${asked.join(' ')}`);
    if (row === rows[0] || row === rows.at(-1)) await isWhole(t, store, file, log);
    else t.strictSame((await auditOf(file)).names, []);
    await store.close();
  }
});

t.test('a bit of a page of the index, and of a hash tile', async (t) => {
  const [page, tile] = [rowsOf(origin, PAGES)[7]!, rowsOf(origin, TILES)[0]!];
  const { rig, file, store, asked } = await damaged(t, (file) => {
    flip(file, page);
    flip(file, tile);
  });
  t.match(await look(rig, store, true), { damaged: { tiles: [], pages: [page.number] }, records: 0, indexed: SIZE });
  t.strictSame(asked.filter((path) => path.includes('/data/')), [], 'the page is made from the records');
  await isWhole(t, store, file, log);
});

t.test('records and index at once, with pending entries that are damaged, too', async (t) => {
  const page = rowsOf(origin, PAGES)[7]!;
  const { rig, file, store } = await damaged(t, (file) => {
    flip(file, page);
    flip(file, rowsOf(file, PACKS)[33]!);
    sqlOn(file, 'DELETE FROM pack WHERE n = 4');
  });
  const synced = await look(rig, store, true);
  t.match(synced, { indexed: SIZE, failures: [], damaged: { tiles: [2], pages: [page.number] } });
  await isWhole(t, store, file, log);
});

t.test('a tile that cannot be had is said, and the index waits for it', async (t) => {
  const page = rowsOf(origin, PAGES)[7]!;
  const flipped = rowsOf(origin, PACKS)[0]!;
  const lying = await newSyncRig(t, log, (request, answer) => (request.path.includes('/data/') ? { ...answer, status: 404, body: new Uint8Array() } : answer));
  const file = path.join(lying.folder, 'sumdb.db');
  copyFileSync(origin, file);
  flip(file, page);
  flip(file, flipped);
  const store = await lying.open();
  const same = await lying.sync(store, { check: true });
  for (const time of ['first', 'second']) {
    const synced = await same.look();
    t.equal(synced.failed, 1, time);
    t.match(synced.damaged, { tiles: [0], pages: [page.number] }, `${time}: it is looked for until it is mended`);
  }
  const { names } = await auditOf(file);
  t.ok(names.some((name) => name.startsWith('false pack 0')), names.join('; '));
  t.ok(names.some((name) => name.startsWith('false entry')), 'and made anew another time');
  const { url } = (await newSyncRig(t, log)).upstream;
  const sync = await lying.sync(store, { check: true, source: await lying.way(url) });
  t.equal((await sync.look()).indexed, SIZE);
  await isWhole(t, store, file, log);
});
