/** The real go command as the mirror's client, in both layouts, with upstream there and gone. */

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { h1OfGoMod } from '../../src/core/h1.js';
import { encodeUtf8 } from '../../src/core/text.js';
import { TestLog } from '../../src/testing/index.js';
import { goHome } from '../quietgo.js';
import { newMirrorRig } from './rig.js';

const NAMES = ['a', 'b', 'c'];

t.test('the go command through the mirror', async (t) => {
  const folder = t.testdir();
  const log = new TestLog().fill(300);
  for (const name of NAMES) {
    const goMod = `module example.com/${name}\n`;
    const at = path.join(folder, 'proxy', 'example.com', name, '@v');
    mkdirSync(at, { recursive: true });
    writeFileSync(path.join(at, 'v1.0.0.info'), '{"Version":"v1.0.0"}');
    writeFileSync(path.join(at, 'v1.0.0.mod'), goMod);
    log.add(`example.com/${name}`, 'v1.0.0', { goMod: h1OfGoMod(encodeUtf8(goMod)) });
    log.fill(log.size + 400);
  }
  const proxy = pathToFileURL(path.join(folder, 'proxy')).href;
  const rig = await newMirrorRig(log);
  t.teardown(() => rig.close());
  const layouts = {
    root: { GOSUMDB: `${log.vkey} ${rig.url}`, GOPROXY: proxy },
    proxy: { GOSUMDB: log.vkey, GOPROXY: `${rig.url},${proxy}` },
  };
  const first = await go(folder, 'first', ['a', 'b'], layouts.root);
  if (first === undefined) {
    t.comment('NOT TESTED: there is no go command');
    return;
  }
  t.equal(first.error, '');
  t.match(first.goSum, /example\.com\/a v1\.0\.0\/go\.mod h1:/);
  t.equal((await go(folder, 'second', ['a', 'b'], layouts.proxy))?.error, '', 'as a proxy, which has no modules');

  rig.cut();
  rig.asked();
  for (const [name, settings] of Object.entries(layouts)) {
    t.equal((await go(folder, `cut-${name}`, ['a', 'b'], settings))?.error, '', `${name}: upstream is gone, and the client’s caches are empty`);
  }
  t.strictSame(rig.asked(), [], 'nothing had to be asked');
  t.match((await go(folder, 'unknown', ['c'], layouts.root))?.error, /404 Not Found/);
  rig.cut(false);

  // a client that has seen a newer head than the mirror: it makes it look
  log.fill(5000);
  const ahead = path.join(folder, 'ahead');
  const latest = path.join(ahead, 'go', 'pkg', 'sumdb', log.name);
  mkdirSync(latest, { recursive: true });
  writeFileSync(path.join(latest, 'latest'), log.head());
  t.equal((await go(folder, 'ahead', ['a'], layouts.root))?.error, '');
  t.equal(rig.mirror.state.head?.size, 5000);

  // a client that had the right log, and a mirror of another one with the same key
  const fork = new TestLog(log.name, log.signer).fill(300);
  fork.add('example.com/c', 'v1.0.0', { goMod: h1OfGoMod(encodeUtf8('module example.com/c\n')) });
  const wrong = await newMirrorRig(fork.fill(9000));
  t.teardown(() => wrong.close());
  const settings = { ...layouts.root, GOSUMDB: `${log.vkey} ${wrong.url}` };
  t.match((await go(folder, 'first', ['c'], settings))?.error, /SECURITY ERROR\n.*misbehavior detected/);
});

/** Runs `go list -m all`, which looks up each go.mod, with a home of its own. `undefined` where there is no go command. */
async function go(
  folder: string,
  run: string,
  names: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<{ error: string; goSum: string } | undefined> {
  const home = path.join(folder, run);
  const cwd = path.join(home, 'main');
  mkdirSync(cwd, { recursive: true });
  const env = goHome(home, settings);
  writeFileSync(path.join(cwd, 'go.mod'), `module example.com/main\n\ngo 1.20\n${names.map((name) => `\nrequire example.com/${name} v1.0.0`).join('')}\n`);
  try {
    await promisify(execFile)('go', ['list', '-m', 'all'], { cwd, env });
    return { error: '', goSum: readFileSync(path.join(cwd, 'go.sum'), 'utf8') };
  } catch (failure) {
    const { code, stderr } = failure as { code: unknown; stderr: string };
    return code === 'ENOENT' ? undefined : { error: stderr, goSum: '' };
  }
}
