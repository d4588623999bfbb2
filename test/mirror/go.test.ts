/** The real go command as the mirror's client, in both layouts, with upstream there and gone. */

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { TestLog } from '../../src/testing/index.js';
import { NO_GO, runGo, serveModules, type ModuleProxy } from './gomodules.js';
import { newMirrorRig, type MirrorRig } from './rig.js';

const NAMES = ['a', 'b', 'c', 'd'];
const skip = NO_GO;

interface Scene {
  readonly rig: MirrorRig;
  readonly folder: string;
  readonly modules: ModuleProxy;
  /** The two ways in which a go command is told of the mirror. */
  readonly layouts: { readonly root: Settings; readonly proxy: Settings };
  /** Cuts connections without an answer from now on, as a dead upstream does. */
  readonly die: () => void;
}
type Settings = Readonly<Record<'GOSUMDB' | 'GOPROXY', string>>;

t.test('go mod download and go get, with empty caches, in both layouts; again with upstream gone', { skip }, async (t) => {
  const { folder, layouts, modules, rig, die } = await newScene(t);
  const client = async (home: string, names: string[], settings: Settings): Promise<void> => {
    const download = await runGo(path.join(folder, `${home}-download`), ['mod', 'download'], names, settings);
    t.equal(download.error, '', `${home}: go mod download`);
    const get = await runGo(path.join(folder, `${home}-get`), ['get', ...names.map((name) => `example.com/${name}@latest`)], [], settings);
    t.equal(get.error, '', `${home}: go get`);
    const want = names.map((name) => new TextDecoder().decode(rig.log.text(rig.log.idOf(`example.com/${name}`, 'v1.0.0')!)));
    t.equal(get.goSum, want.join(''), 'go.sum has what the log has');
    for (const name of names) t.ok(download.has(name) && get.has(name), `the zip of ${name}`);
  };
  await client('root', ['a', 'b'], layouts.root);
  t.ok(rig.accesses.every(({ url }) => !url.startsWith('/sumdb/')));
  await client('proxy', ['a', 'c'], layouts.proxy);
  const refused = rig.accesses.filter(({ url }) => url.startsWith('/example.com/'));
  t.ok(refused.some(({ url }) => url.endsWith('/@v/list')) && refused.some(({ url }) => url.endsWith('/@v/v1.0.0.zip')), 'it was asked for modules');
  t.strictSame(new Set(refused.map(({ status }) => status)), new Set([404]), 'and had none, so that the next entry was asked');
  t.ok(modules.requests.includes('/example.com/c/@v/v1.0.0.zip'));
  t.ok(rig.asked().every((url) => /^\/(?:latest$|lookup\/|tile\/)/.test(url)), 'upstream is asked for the database alone');

  die();
  await client('root-cut', ['a', 'b', 'c'], layouts.root);
  await client('proxy-cut', ['a', 'b', 'c'], layouts.proxy);
  t.strictSame(rig.asked(), [], 'nothing had to be asked');
  const unknown = await runGo(path.join(folder, 'unknown'), ['mod', 'download'], ['d'], layouts.root);
  t.match(unknown.error, /502 Bad Gateway/, 'what was never proved is not to be had');
});

t.test('a client that has seen a newer head than the mirror', { skip }, async (t) => {
  const { folder, layouts, rig, die } = await newScene(t);
  const { log, mirror } = rig;
  t.equal((await runGo(path.join(folder, 'first'), ['mod', 'download'], ['a', 'b'], layouts.root)).error, '');
  const ahead = (home: string): string => {
    const latest = path.join(folder, home, 'go', 'pkg', 'sumdb', log.name);
    mkdirSync(latest, { recursive: true });
    writeFileSync(path.join(latest, 'latest'), log.head());
    return path.join(folder, home);
  };
  await mirror.refresh();
  log.fill(5000);
  t.equal((await runGo(ahead('up'), ['mod', 'download'], ['a'], layouts.root)).error, '', 'the mirror looks upstream, even if it has just done so');
  t.equal(mirror.state.head?.size, 5000);

  log.fill(9000);
  die();
  const { error } = await runGo(ahead('cut'), ['mod', 'download'], ['a'], layouts.root);
  t.match(error, /tile\/8\/.*404 Not Found/, 'with upstream gone it is told that there is no such tile, and goes no further');
  t.notMatch(error, /SECURITY ERROR/, 'which accuses nobody');
});

t.test('a wrong log behind a client that had the right one', { skip }, async (t) => {
  const { folder, layouts, rig } = await newScene(t);
  const { log } = rig;
  const home = path.join(folder, 'client');
  t.equal((await runGo(home, ['mod', 'download'], ['a'], layouts.root)).error, '');
  const fork = new TestLog(log.name, log.signer).fill(700);
  const modules = await serveModules(fork, ['b']);
  const wrong = await newMirrorRig(fork.fill(9000));
  t.teardown(() => Promise.all([wrong.close(), modules.close()]));
  for (const settings of [
    { GOSUMDB: `${log.vkey} ${wrong.url}`, GOPROXY: modules.url },
    { GOSUMDB: log.vkey, GOPROXY: `${wrong.url},${modules.url}` },
  ]) {
    const { error, goSum } = await runGo(home, ['get', 'example.com/b@v1.0.0'], [], settings);
    t.match(error, /SECURITY ERROR\n.*misbehavior detected/);
    t.notMatch(goSum, 'example.com/b');
  }
});

t.test('modules that are private by the mirror’s own settings', { skip }, async (t) => {
  const { folder, layouts, rig } = await newScene(t, (module) => (module === 'example.com/b' ? 'example.com/b' : undefined));
  for (const [name, settings] of Object.entries(layouts)) {
    const { error } = await runGo(path.join(folder, name), ['mod', 'download'], ['a', 'b'], settings);
    t.match(error, /example\.com\/b@v1\.0\.0.*\n?.*404 Not Found/, `${name}: go is told that the log does not know it`);
    const own = await runGo(path.join(folder, `${name}-own`), ['mod', 'download'], ['a', 'b'], { ...settings, GONOSUMDB: 'example.com/b' });
    t.equal(own.error, '', `${name}: a client that knows it is private too does not ask`);
  }
  t.ok(rig.accesses.some(({ url, status }) => url.endsWith('/lookup/example.com/b@v1.0.0') && status === 404));
  t.notOk(rig.asked().some((url) => url.includes('/b@')), 'its name goes nowhere');
});

/** A mirror of a log with modules, and the proxy that has them. */
async function newScene(t: Test, skippedBy?: (module: string) => string | undefined): Promise<Scene> {
  const log = new TestLog().fill(300);
  const modules = await serveModules(log, NAMES);
  const rig = await newMirrorRig(log, undefined, skippedBy === undefined ? {} : { skippedBy });
  t.teardown(() => Promise.all([rig.close(), modules.close()]));
  return {
    rig,
    folder: t.testdir(),
    modules,
    layouts: {
      root: { GOSUMDB: `${log.vkey} ${rig.url}`, GOPROXY: modules.url },
      proxy: { GOSUMDB: log.vkey, GOPROXY: `${rig.url},${modules.url}` },
    },
    die: () => {
      rig.upstream.answer = (_, answer) => ({ ...answer, dropAfter: 0 });
    },
  };
}
