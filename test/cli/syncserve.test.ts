/** `gosumcheck sync` and `serve` at once on one file; and with upstream gone the real go command is content. */

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { DATA_LEVEL, formatTilePath, TILE_WIDTH, tileInTree } from '../../src/core/tile.js';
import { TestLog } from '../../src/testing/index.js';
import { NO_GO, publishGoMods, runGo } from '../mirror/gomodules.js';
import { fillMany } from '../mirror/syncrig.js';
import { until } from '../wait.js';
import { jsonLines, newPlace } from './place.js';
import { serve } from './served.js';

const NAMES = ['a', 'b', 'c'];

t.test('sync and serve at once, then upstream is gone', { timeout: 300_000 }, async (t) => {
  const folder = t.testdir();
  const log = fillMany(new TestLog(), 700);
  const proxy = publishGoMods(path.join(folder, 'proxy'), log, NAMES, 150, fillMany);
  const place = await newPlace({ testdir: () => folder, teardown: (end) => t.teardown(end) }, {}, { log });
  mkdirSync(place.folder, { recursive: true });
  place.served.answer = async (request, answer) => {
    if (!request.path.includes('/data/')) return answer;
    await sleep(20);
    return answer;
  };
  const mirror = await serve(t, place, ['--data', 'sumdb.db', '--poll', '100ms']);
  const syncing = place.start(['sync', '--data', 'sumdb.db', '--poll', '100ms', '--concurrency', '2', '--format', 'json']);
  const lookup = async (id: number): Promise<{ status: number; right: boolean }> => {
    const [module = '', version = ''] = new TextDecoder().decode(log.text(id)).split('\n', 1)[0]?.replace('/go.mod', '').split(' ') ?? [];
    const answer = await fetch(`${mirror.url}/lookup/${module.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`)}@${version}`);
    const body = await answer.text();
    return { status: answer.status, right: body.startsWith(`${id}\n${new TextDecoder().decode(log.text(id))}\n`) };
  };
  // while it is synced the log grows, and clients ask
  for (let i = 0; i < 20; i++) {
    fillMany(log, log.size + 20);
    t.same(await lookup((i * 397) % 700), { status: 200, right: true });
    await sleep(50);
  }
  const size = log.size;
  const dataTile = tileInTree(DATA_LEVEL, Math.floor((size - 1) / TILE_WIDTH), size);
  const isSynced = async (): Promise<boolean> =>
    dataTile !== undefined && (await fetch(`${mirror.url}/${formatTilePath(dataTile)}`)).status === 200 && jsonLines(syncing.out()).some(({ indexed }) => indexed === size);
  t.ok(await until(isSynced, 100));
  syncing.kill('SIGTERM');
  const { code, stderr } = await syncing.ended;
  t.equal(code, process.platform === 'win32' ? null : 0, stderr);
  await place.served.close();

  let wrong = 0;
  const ids = Array.from({ length: size }, (_, id) => id).values();
  const client = async (): Promise<void> => {
    for (const id of ids) {
      const { status, right } = await lookup(id);
      if (status !== 200 || !right) wrong++;
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));
  t.equal(wrong, 0, 'every record');
  for (let level = DATA_LEVEL; level < 2; level++) {
    for (let n = 0; ; n++) {
      const tile = tileInTree(level, n, size);
      if (tile === undefined) break;
      const answer = await fetch(`${mirror.url}/${formatTilePath(tile)}`);
      const body = new Uint8Array(await answer.arrayBuffer());
      if (answer.status !== 200 || Buffer.compare(body, log.tileBytes(tile)) !== 0) wrong++;
    }
  }
  t.equal(wrong, 0, 'every tile');

  if (NO_GO !== false) t.comment(`NOT TESTED: ${NO_GO}`);
  else {
    const { error } = await runGo(path.join(folder, 'gohome'), ['list', '-m', 'all'], NAMES, { GOSUMDB: `${log.vkey} ${mirror.url}`, GOPROXY: proxy });
    t.equal(error, '', 'the go command is content');
  }
  t.equal((await mirror.end('SIGTERM')).code, process.platform === 'win32' ? null : 0);
});
