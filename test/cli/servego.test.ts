/** The limits of `gosumcheck serve`, and what the real go command makes of them. */

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { TestLog } from '../../src/testing/index.js';
import { NO_GO, publishGoMods, runGo } from '../mirror/gomodules.js';
import { newPlace } from './place.js';
import { serve } from './served.js';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];

t.test('the go command waits for its turn, and says so where it is refused', { buffered: true, skip: NO_GO }, async (t) => {
  const folder = t.testdir();
  const log = new TestLog('log.example').fill(300);
  const proxy = publishGoMods(path.join(folder, 'proxy'), log, NAMES, 300, (log, size) => log.fill(size));
  const place = await newPlace({ testdir: () => folder, teardown: (end) => t.teardown(end) }, {}, { log });
  mkdirSync(place.folder, { recursive: true });
  /** Milliseconds, and what go said where it failed. */
  const go = async (run: string, url: string): Promise<{ took: number; error: string }> => {
    const since = Date.now();
    const { error } = await runGo(path.join(folder, run), ['list', '-m', 'all'], NAMES, { GOSUMDB: `${log.vkey} ${url}`, GOPROXY: proxy });
    return { took: Date.now() - since, error };
  };
  const strict = ['--client-rate', '1', '--client-burst', '1', '--client-queue', '0'];
  const refusing = await serve(t, place, ['--data', 'strict.db', ...strict]);
  const refused = await go('refused', refusing.url);
  await refusing.end('SIGTERM');
  t.match(refused.error, /429 Too Many Requests/);
  t.match(refused.error, /too many requests at a time/, 'and shows why');
  t.comment(refused.error);

  const patient = await serve(t, place, ['--client-rate', '5', '--client-burst', '1']);
  const queued = await go('queued', patient.url);
  await patient.end('SIGTERM');
  t.equal(queued.error, '', 'it waits, and knows nothing of it');
  t.ok(queued.took >= 1000, `${queued.took} ms`);
  // on the same file: what is asked for once more goes by without a turn, or it would be refused as above
  const again = await serve(t, place, strict);
  t.equal((await go('again', again.url)).error, '', 'what is kept is not limited');
  await again.end('SIGTERM');
});
