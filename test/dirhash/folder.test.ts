/**
 * Folders and go.mod files, against Go's own HashDir where there is a go command; and what is changed meanwhile.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import t, { type Test } from 'tap';
import { sha256 } from '#crypto';
import { h1OfFiles, h1OfGoMod } from '../../src/core/h1.js';
import { encodeUtf8 } from '../../src/core/text.js';
import { hashFolder, hashGoModFile } from '../../src/dirhash/folder.js';
import { buildGoProgram, GO_TIMEOUT } from '../goprogram.js';

const MODULE = { module: 'example.com/M', version: 'v1.2.3' };
const PREFIX = 'example.com/M@v1.2.3/';
const FILES = { 'go.mod': 'module example.com/M\n', 'a.go': 'package a\n', empty: '', sub: { 'b.go': 'package b\n', none: {}, deep: { 'ж 1': 'x' } }, 'sub.go': 's', 'sub-1': 't' };

/** The h1 of names and contents, by the core alone. */
function h1Of(files: Record<string, string | Uint8Array>): string {
  const bytes = (content: string | Uint8Array): Uint8Array => (typeof content === 'string' ? encodeUtf8(content) : content);
  return h1OfFiles(Object.entries(files).map(([name, content]) => ({ name: PREFIX + name, sha256: sha256(bytes(content)) })));
}

let program: string | undefined;

/** Go's h1 of a folder; `error` where it gives none. */
function goHash(folder: string): string | undefined {
  if (program === undefined) return undefined;
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const input = JSON.stringify({ op: 'hashDir', in: [base64(folder), base64(PREFIX.slice(0, -1))] });
  const { ok, out } = JSON.parse(execFileSync(program, { input, encoding: 'utf8' })) as { ok: boolean; out: string[] };
  return ok ? out[0] : 'error';
}

async function sameAsGo(t: Test, folder: string, name: string): Promise<string> {
  const { h1 } = await hashFolder(folder, MODULE);
  if (program !== undefined) t.equal(goHash(folder), h1, `${name}: as Go has it`);
  return h1;
}

async function refused(t: Test, folder: string, says: RegExp, name: string, code = 'FILE_FAILED'): Promise<void> {
  await t.rejects(hashFolder(folder, MODULE), { code, message: says }, name);
  if (program !== undefined) t.equal(goHash(folder), 'error', `${name}: Go refuses it too`);
}

t.before(() => {
  const built = buildGoProgram(t.testdir({}));
  ({ program } = built);
  if ('why' in built) t.comment(`NOT RUN: the comparison with Go, as its program cannot be built: ${built.why}`);
});
t.setTimeout(GO_TIMEOUT);

t.test('a folder', async (t) => {
  const folder = t.testdir(FILES);
  let told = 0;
  const hashed = await hashFolder(folder, MODULE, { progress: (bytes) => (told += bytes) });
  const want = { 'go.mod': FILES['go.mod'], 'a.go': FILES['a.go'], empty: '', 'sub/b.go': 'package b\n', 'sub/deep/ж 1': 'x', 'sub.go': 's', 'sub-1': 't' };
  t.strictSame(hashed, { h1: h1Of(want), files: 7, bytes: 44 });
  t.equal(told, 44);
  t.equal(await sameAsGo(t, folder, 'a folder'), hashed.h1);
  t.equal((await hashFolder(`${folder}${path.sep}`, MODULE)).h1, hashed.h1, 'with a slash behind');
  t.equal((await hashFolder(path.relative('.', folder), MODULE)).h1, hashed.h1, 'relative');
  t.not((await hashFolder(folder, { ...MODULE, version: 'v1.2.4' })).h1, hashed.h1);
  const rest = Object.fromEntries(Object.entries(want).filter(([name]) => name !== 'empty' && name !== 'sub/b.go'));
  t.strictSame(await hashFolder(folder, MODULE, { without: ['sub/b.go', 'empty', 'deep'] }), { h1: h1Of(rest), files: 5, bytes: 34 }, 'without some');
});

t.test('nothing', async (t) => {
  t.strictSame(await hashFolder(t.testdir({ none: { below: {} } }), MODULE), { h1: h1Of({}), files: 0, bytes: 0 });
});

t.test('files of all sizes', async (t) => {
  const piece = 2 ** 18;
  const files = Object.fromEntries([1, piece - 1, piece, piece + 1, 3 * piece, 4 * piece + 17].map((size) => [`f${size}`, Buffer.alloc(size, `${size}.`)]));
  t.equal(await sameAsGo(t, t.testdir(files), 'sizes'), h1Of(files));
});

t.test('names', { skip: process.platform === 'win32' && 'no such names there' }, async (t) => {
  const folder = t.testdir({ 'a\\b': '1', '\u{10000}': '2', '\uffff': '3', '..a': '4', '-': '5', 'a b ': '6', CON: '7' });
  await sameAsGo(t, folder, 'odd names');
  if (process.platform === 'linux') {
    const raw = (byte: number): Buffer => Buffer.concat([Buffer.from(`${folder}/`), Buffer.of(byte)]);
    writeFileSync(raw(0xff), 'x');
    const one = await sameAsGo(t, folder, 'a name that is not UTF-8');
    renameSync(raw(0xff), raw(0xfe));
    t.not(await sameAsGo(t, folder, 'another such name'), one);
    mkdirSync(raw(0xfd));
    writeFileSync(Buffer.concat([raw(0xfd), Buffer.from('/x')]), 'x');
    await sameAsGo(t, folder, 'a folder of such a name');
  }
  writeFileSync(path.join(folder, 'new\nline'), '');
  await refused(t, folder, /newline/, 'a newline', 'H1_MALFORMED');
});

t.test('links', { skip: process.platform === 'win32' && 'links need rights there' }, async (t) => {
  const folder = t.testdir({ tree: { a: 'A', b: 'B' }, other: { c: 'C' }, file: 'F' });
  const at = (name: string): string => path.join(folder, name);
  symlinkSync('a', at('tree/link'));
  symlinkSync('../file', at('tree/out'));
  t.equal(await sameAsGo(t, at('tree'), 'links to files'), h1Of({ a: 'A', b: 'B', link: 'A', out: 'F' }));
  symlinkSync('tree', at('root'));
  await refused(t, at('root'), /: it is a link$/, 'a folder that is a link');
  await refused(t, `${at('root')}/`, /: it is a link$/, 'also with a slash behind');
  symlinkSync('../other', at('tree/to-folder'));
  await refused(t, at('tree'), /tree[/\\]to-folder: it is no plain file$/, 'a link to a folder');
  unlinkSync(at('tree/to-folder'));
  symlinkSync('nowhere', at('tree/broken'));
  await refused(t, at('tree'), /broken/, 'a broken link');
  unlinkSync(at('tree/broken'));
  symlinkSync('loop', at('tree/loop'));
  await refused(t, at('tree'), /loop/, 'a loop');
});

t.test('what has no content', { skip: process.platform === 'win32' && 'no such files there' }, async (t) => {
  const folder = t.testdir({ pipe: { a: 'A' }, socket: { a: 'A' }, device: { a: 'A' } });
  const at = (name: string): string => path.join(folder, name);
  if (spawnSync('mkfifo', [at('pipe/p')]).status === 0) await t.rejects(hashFolder(at('pipe'), MODULE), { code: 'FILE_FAILED', message: /no plain file/ }, 'a pipe is not waited for');
  symlinkSync('/dev/zero', at('device/d'));
  await t.rejects(hashFolder(at('device'), MODULE), { code: 'FILE_FAILED', message: /no plain file/ }, 'a file without an end');
  const server = createServer().listen(path.relative('.', at('socket/s')));
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  await refused(t, at('socket'), /socket[/\\]s: it is no plain file$/, 'a socket');
});

t.test('no folder', async (t) => {
  const folder = t.testdir({ file: 'x' });
  await refused(t, path.join(folder, 'none'), /none: /, 'none');
  await refused(t, path.join(folder, 'file'), /file: it is no folder$/, 'a file');
  await t.rejects(hashFolder(folder, { module: 'example', version: 'v1.0.0' }), { code: 'MODULE_PATH_MALFORMED' });
  await t.rejects(hashFolder(folder, { module: 'example.com/m', version: 'v1' }), { code: 'VERSION_MALFORMED' });
});

t.test('what may not be read', { skip: (process.platform === 'win32' || process.getuid?.() === 0) && 'this user may read all' }, async (t) => {
  const folder = t.testdir({ one: { a: 'A' }, two: { sub: { a: 'A' } } });
  chmodSync(path.join(folder, 'one', 'a'), 0);
  chmodSync(path.join(folder, 'two', 'sub'), 0);
  await refused(t, path.join(folder, 'one'), /one[/\\]a: /, 'a file');
  await refused(t, path.join(folder, 'two'), /two[/\\]sub: /, 'a folder');
  chmodSync(path.join(folder, 'two', 'sub'), 0o700);
});

t.test('changed meanwhile', async (t) => {
  const past = new Date(1_500_000_000_000);
  // each of two files, one on either side of the large one, as nobody knows in which order they are read
  type Change = (file: string, folder: string) => void;
  const changes: [string, Change][] = [
    ['a file grows', (file) => appendFileSync(file, 'x')],
    ['of the same size', (file) => writeFileSync(file, 'B')],
    [
      'with its old time',
      (file) => {
        writeFileSync(file, 'B');
        utimesSync(file, past, past);
      },
    ],
    [
      'replaced',
      (file, folder) => {
        writeFileSync(`${folder}.new`, 'A');
        renameSync(`${folder}.new`, file);
      },
    ],
    ['gone', (file) => rmSync(file)],
    ['the large file is cut', (_, folder) => truncateSync(path.join(folder, 'large'), 2 ** 20)],
    ['the large file grows', (_, folder) => appendFileSync(path.join(folder, 'large'), 'x')],
    ['a new file', (_, folder) => writeFileSync(path.join(folder, 'sub', 'new'), 'x')],
    ['a new folder', (_, folder) => mkdirSync(path.join(folder, 'new'), { recursive: true })],
  ];
  for (const [name, change] of changes) {
    const folder = path.join(t.testdir({ tree: { large: Buffer.alloc(2 ** 21), a: 'A', z: 'A', sub: { b: 'B' } } }), 'tree');
    for (const file of ['a', 'z', 'large', 'sub/b', 'sub', '']) utimesSync(path.join(folder, file), past, past);
    let pieces = 0;
    const progress = (): void => {
      // in the midst of the large file, with one of the others read and one not
      if (++pieces === 6) for (const file of ['a', 'z']) change(path.join(folder, file), folder);
    };
    await t.rejects(hashFolder(folder, MODULE, { progress }), { code: 'FILE_FAILED' }, name);
    t.ok(pieces >= 6);
  }
});

t.test('interrupted', async (t) => {
  const folder = t.testdir({ large: { a: Buffer.alloc(2 ** 20) }, small: { a: 'a', b: 'b', c: 'c', d: 'd' }, b: '' });
  const reason = new Error('enough');
  for (const name of ['large', 'small']) {
    const controller = new AbortController();
    let pieces = 0;
    const slow = (): void => {
      if (++pieces === 2) controller.abort(reason);
      for (const until = Date.now() + 12; Date.now() < until; );
    };
    await t.rejects(hashFolder(path.join(folder, name), MODULE, { signal: controller.signal, progress: slow }), reason, name);
    t.equal(pieces, 2, 'and at once');
  }
  await t.rejects(hashFolder(folder, MODULE, { signal: AbortSignal.abort(reason) }), reason);
  await t.rejects(hashGoModFile(path.join(folder, 'b'), { signal: AbortSignal.abort(reason) }), reason);
});

t.test('go.mod files', async (t) => {
  const folder = t.testdir({ 'go.mod': 'module golang.org/x/text\n', 'v1.0.0.mod': '', sub: {} });
  t.equal(await hashGoModFile(path.join(folder, 'go.mod')), 'h1:NqM8EUOU14njkJ3fqMW+pc6Ldnwhi/IjpwHt7yyuwOQ=');
  t.equal(await hashGoModFile(path.join(folder, 'v1.0.0.mod')), h1OfGoMod(new Uint8Array()));
  await t.rejects(hashGoModFile(path.join(folder, 'none')), { code: 'FILE_FAILED', message: /none/ });
  await t.rejects(hashGoModFile(path.join(folder, 'sub')), { code: 'FILE_FAILED', message: /sub: it is no plain file/ });
});
