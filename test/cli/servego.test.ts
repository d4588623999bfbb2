/** The limits of `gosumcheck serve`, and what the real go command makes of them. */

import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { h1OfGoMod } from '../../src/core/h1.js';
import { encodeUtf8 } from '../../src/core/text.js';
import { TestLog } from '../../src/testing/index.js';
import { goHome } from '../quietgo.js';
import { newPlace } from './place.js';
import { serve } from './served.js';

t.test('the go command waits for its turn, and says so where it is refused', { buffered: true }, async (t) => {
  const folder = t.testdir();
  const log = new TestLog('log.example').fill(300);
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const name of names) {
    const goMod = `module example.com/${name}\n`;
    const at = path.join(folder, 'proxy', 'example.com', name, '@v');
    mkdirSync(at, { recursive: true });
    writeFileSync(path.join(at, 'v1.0.0.info'), '{"Version":"v1.0.0"}');
    writeFileSync(path.join(at, 'v1.0.0.mod'), goMod);
    log.add(`example.com/${name}`, 'v1.0.0', { goMod: h1OfGoMod(encodeUtf8(goMod)) });
    log.fill(log.size + 300);
  }
  const place = await newPlace({ testdir: () => folder, teardown: (end) => t.teardown(end) }, {}, { log });
  mkdirSync(place.folder, { recursive: true });
  /** Seconds, and what go said where it failed. */
  const go = async (run: string, url: string): Promise<{ took: number; error: string } | undefined> => {
    const home = path.join(folder, run);
    const cwd = path.join(home, 'main');
    mkdirSync(cwd, { recursive: true });
    const env = goHome(home, { GOSUMDB: `${log.vkey} ${url}`, GOPROXY: pathToFileURL(path.join(folder, 'proxy')).href });
    writeFileSync(path.join(cwd, 'go.mod'), `module example.com/main\n\ngo 1.20\n${names.map((name) => `\nrequire example.com/${name} v1.0.0`).join('')}\n`);
    const since = Date.now();
    try {
      await promisify(execFile)('go', ['list', '-m', 'all'], { cwd, env });
      return { took: Date.now() - since, error: '' };
    } catch (failure) {
      const { code, stderr } = failure as { code: unknown; stderr: string };
      return code === 'ENOENT' ? undefined : { took: Date.now() - since, error: stderr };
    }
  };
  const strict = await serve(t, place, ['--data', 'strict.db', '--client-rate', '1', '--client-burst', '1', '--client-queue', '0']);
  const refused = await go('refused', strict.url);
  await strict.end('SIGTERM');
  if (refused === undefined) {
    t.comment('NOT TESTED: there is no go command');
    return;
  }
  t.match(refused.error, /429 Too Many Requests/);
  t.match(refused.error, /too many requests at a time/, 'and shows why');
  t.comment(refused.error);

  const patient = await serve(t, place, ['--client-rate', '5', '--client-burst', '1']);
  const queued = await go('queued', patient.url);
  t.equal(queued?.error, '', 'it waits, and knows nothing of it');
  t.ok(queued!.took >= 1000, `${queued!.took} ms`);
  const quick = await go('quick', patient.url);
  t.equal(quick?.error, '');
  t.ok(quick!.took < queued!.took / 2, `${quick!.took} ms: what is kept is not limited`);
  await patient.end('SIGTERM');
});
