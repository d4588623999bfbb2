/** The real go command with a log of one's own: served, exported, and with its key changed. */

import { rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { NO_GO, runGo } from '../mirror/gomodules.js';
import { newOwnPlace } from './ownlog.js';

t.test('go mod download by a log that is served, and that grows meanwhile', { skip: NO_GO }, async (t) => {
  const place = await newOwnPlace(t);
  for (const name of ['a', 'b', 'c']) place.publish(name);
  const vkey = await place.init();
  const added = await place.own('add', '--proxy', place.proxy, 'example.com/a@v1.0.0', 'example.com/b@v1.0.0');
  t.equal(added.stderr, '');
  t.match(added.stdout, /^recorded: 2, known before: 0\ntree of 2, /);
  const url = await place.serve();
  const client = path.join(place.folder, 'client');
  const settings = { GOSUMDB: `${vkey} ${url}`, GOPROXY: place.proxy };
  const first = await runGo(client, ['mod', 'download'], ['a', 'b'], settings);
  t.equal(first.error, '');
  t.ok(first.has('a') && first.has('b'));

  const unknown = await runGo(path.join(place.folder, 'second'), ['mod', 'download'], ['c'], settings);
  t.match(unknown.error, /404 Not Found/, 'what is not recorded is refused');
  t.equal((await place.own('add', '--proxy', place.proxy, 'example.com/c@v1.0.0')).code, 0);
  t.equal((await runGo(client, ['mod', 'download'], ['a', 'b', 'c'], settings)).error, '', 'the same client sees it');

  place.publish('a', '// another content\n');
  const evil = await runGo(path.join(place.folder, 'third'), ['mod', 'download'], ['a'], settings);
  t.match(evil.error, /checksum mismatch/);
  const again = await place.own('add', '--proxy', place.proxy, 'example.com/a@v1.0.0');
  t.equal(again.code, 1, 'and cannot be recorded');
  t.match(again.stderr, /recorded with other hashes/);
});

t.test('go mod download by an export, as GOPROXY and by a URL', { skip: NO_GO }, async (t) => {
  const place = await newOwnPlace(t);
  for (const name of ['a', 'b']) place.publish(name);
  const vkey = await place.init();
  const add = (name: string): Promise<unknown> => place.own('add', '--proxy', place.proxy, `example.com/${name}@v1.0.0`);
  await add('a');
  // into the folder of the modules, which so passes the database on
  const exported = await place.own('export', 'proxy');
  t.equal(exported.code, 0);
  t.ok(exported.stdout.includes(`GOSUMDB="${vkey} file://`), exported.stdout);
  const client = path.join(place.folder, 'client');
  const proxied = { GOSUMDB: vkey, GOPROXY: place.proxy };
  t.equal((await runGo(client, ['mod', 'download'], ['a'], proxied)).error, '');
  await add('b');
  t.equal((await place.own('export', 'proxy')).code, 0);
  t.equal((await runGo(client, ['mod', 'download'], ['a', 'b'], proxied)).error, '', 'a client that knows the tree of the first export');
  const byUrl = { GOSUMDB: `${vkey} ${pathToFileURL(path.join(place.folder, 'proxy', 'sumdb', 'sum.corp.example')).href}`, GOPROXY: place.proxy };
  t.equal((await runGo(path.join(place.folder, 'other'), ['mod', 'download'], ['a', 'b'], byUrl)).error, '');
  t.match((await place.own('export', 'proxy')).stdout, /files written: 0\n/);
});

t.test('a key is changed while clients have the old one and the new one', { skip: NO_GO }, async (t) => {
  const place = await newOwnPlace(t);
  for (const name of ['a', 'b', 'c', 'd']) place.publish(name);
  const old = await place.init();
  const add = async (name: string): Promise<void> => {
    const { code, stderr } = await place.own('add', '--proxy', place.proxy, `example.com/${name}@v1.0.0`);
    t.equal(code, 0, stderr);
  };
  await add('a');
  const url = await place.serve();
  const go = (home: string, key: string, ...names: string[]): ReturnType<typeof runGo> =>
    runGo(path.join(place.folder, home), ['mod', 'download'], names, { GOSUMDB: `${key} ${url}`, GOPROXY: place.proxy });
  t.equal((await go('early', old, 'a')).error, '');
  t.equal((await go('moved', old, 'a')).error, '');
  /** Removes what go has kept of the log. */
  const forget = (home: string): void => {
    const folder = path.join(place.folder, home, 'go', 'pkg');
    for (const each of [path.join(folder, 'sumdb'), path.join(folder, 'mod', 'cache', 'download', 'sumdb')]) rmSync(each, { recursive: true });
  };

  const begun = await place.own('rekey');
  const [first, second = ''] = begun.stdout.split('\n');
  t.equal(first, old);
  t.not(second, old);
  t.equal((await place.own('rekey')).stdout, begun.stdout, 'one change at a time');
  await add('b');
  t.equal((await go('early', old, 'a', 'b')).error, '', 'the old key, with a cache of before');
  t.equal((await go('fresh', second, 'a', 'b')).error, '', 'the new key, without a cache');
  t.equal((await go('moved', old, 'a', 'b')).error, '', 'moves on with the old key first');
  const moved = await go('moved', second, 'a', 'b');
  t.match(moved.error, /no verifiable signatures/, 'what go has kept under the old key alone is no good to the new one');
  forget('moved');
  t.equal((await go('moved', second, 'a', 'b')).error, '');

  t.equal((await place.own('rekey', '--drop-old')).code, 0);
  t.equal((await place.own('rekey', '--drop-old')).code, 2);
  await add('c');
  t.equal((await go('fresh', second, 'a', 'b', 'c')).error, '', 'goes on');
  t.equal((await go('latecomer', second, 'a', 'b', 'c')).error, '');
  const late = await go('early', old, 'a', 'b', 'c');
  t.match(late.error, /no verifiable signatures/, 'go says it');
  forget('early');
  t.equal((await go('early', second, 'a', 'b', 'c')).error, '', 'with the new key, once that is removed');
});
