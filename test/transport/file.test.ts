import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { parseGoUrl } from '../../src/config/gourl.js';
import { isGosumError } from '../../src/errors.js';
import { fileUrlToPath, openFileSource } from '../../src/transport/file.js';
import { openGoCache, type GoFolders } from '../../src/transport/gocache.js';
import { pathElements } from '../../src/transport/readpath.js';
import { outcome } from './servers.js';

const posix = process.platform !== 'win32';

t.test('paths of file URLs', (t) => {
  const fileOf = (url: string, platform: NodeJS.Platform): string => {
    try {
      return fileUrlToPath(parseGoUrl(url), platform);
    } catch (error) {
      return isGosumError(error) ? error.code : String(error);
    }
  };
  const bad = 'CONFIG_INVALID';
  // url, its path on Windows, its path elsewhere
  const cases: readonly (readonly [string, string, string])[] = [
    ['file:///path/to/file', bad, '/path/to/file'],
    ['file:/path/to/file', bad, '/path/to/file'],
    ['file://localhost/path', bad, '/path'],
    ['file:///a%20b/%c3%a9', bad, '/a b/é'],
    ['file:///C:/Program%20Files/x', 'C:\\Program Files\\x', '/C:/Program Files/x'],
    ['file://localhost/C:/x', 'C:\\x', '/C:/x'],
    ['file://host.example/share/x', '\\\\host.example\\share\\x', bad],
    ['file:c:/path', 'c:\\path', bad],
    ['file:path', bad, bad],
    ['file:////host.example/path', bad, '//host.example/path'],
    ['file://D:/x', bad, bad],
    ['file://', bad, bad],
    ['file:', bad, bad],
    ['file://host.example', bad, bad],
    ['file:///a%00b', bad, bad],
  ];
  for (const [url, windows, other] of cases) {
    t.equal(fileOf(url, 'win32'), windows, `${url} on Windows`);
    t.equal(fileOf(url, 'linux'), other, url);
  }
  t.end();
});

t.test('only paths of the protocol are read', (t) => {
  t.same(pathElements('/latest'), ['latest']);
  t.same(pathElements('/lookup/example.com/!x@v1.0.0+incompatible'), ['lookup', 'example.com', '!x@v1.0.0+incompatible']);
  t.same(pathElements('/tile/8/0/x001/000.p/5'), ['tile', '8', '0', 'x001', '000.p', '5']);
  const bad = [
    '', '/', 'latest', '/latest/', '/latest/x', '/lookup', '/lookup/', '/lookup/../x', '/lookup/./x', '/lookup//x', '/tile/8/..', '/other/x',
    '/lookup/a\\b', '/lookup/a:b', '/lookup/a\0', '/lookup/a%2e', '/lookup/a?b', '/supported/x',
  ];
  for (const path of bad) t.throws(() => pathElements(path), { message: /^bad path/ }, JSON.stringify(path));
  t.end();
});

t.test('a folder as a database', async (t) => {
  const folder = t.testdir({ latest: 'head', lookup: { 'example.com': { '!x@v1.0.0': 'record' } }, tile: { 8: { 0: { '000': 'x'.repeat(8192), '001': {} } } } });
  const source = openFileSource(parseGoUrl(pathToFileURL(folder).href));
  t.equal(source.label, pathToFileURL(folder).href);
  const read = (path: string, limit = 8192): Promise<string> => outcome(source.read(path, { limit }));
  t.equal(await read('/latest'), 'head');
  t.equal(await read('/lookup/example.com/!x@v1.0.0'), 'record');
  t.equal(await read('/tile/8/0/000'), 'x'.repeat(8192));
  t.equal(await read('/tile/8/0/000', 8191), 'TOO_LARGE');
  t.equal(await read('/tile/8/0/002'), 'NOT_FOUND');
  t.equal(await read('/tile/8/1/000'), 'NOT_FOUND');
  t.equal(await read('/tile/8/0/001'), 'UNREACHABLE', 'a folder is no file');
  t.equal(await read('/latest/x').catch(() => 'bug'), 'bug');
  if (posix) {
    symlinkSync('loop', path.join(folder, 'lookup', 'loop'));
    t.equal(await read('/lookup/loop'), 'UNREACHABLE');
    execFileSync('mkfifo', [path.join(folder, 'lookup', 'pipe')]);
    t.equal(await read('/lookup/pipe'), 'UNREACHABLE', 'a pipe is not waited for');
  }
  await source.close();
});

t.test('the go command’s cache', async (t) => {
  const gomodcache = t.testdir({
    cache: { download: { sumdb: { 'sum.example': { lookup: { 'a@v1.0.0': 'record', 'empty@v1.0.0': '' }, tile: { 8: { 0: { '000.p': { 5: 'tile' } } } }, x: { tile: { 8: { 0: { '000': 'below' } } } } } } } },
    pkg: { sumdb: { 'sum.example': { latest: 'head' } } },
    secret: { tile: { 8: { 0: { '000': 'secret' } } } },
  });
  const folders = { gopath: gomodcache, gomodcache };
  const read = async (path: string, { name = 'sum.example', limit = 100, from = folders }: { name?: string; limit?: number; from?: GoFolders } = {}): Promise<string | undefined> => {
    const bytes = await openGoCache(from, name).read(path, { limit });
    return bytes && Buffer.from(bytes).toString();
  };
  t.equal(await read('/lookup/a@v1.0.0'), 'record');
  t.equal(await read('/tile/8/0/000.p/5'), 'tile');
  t.equal(await read('/latest'), 'head');
  t.equal(await read('/tile/8/0/000', { name: 'sum.example/x' }), 'below');
  // whatever is not there is not known, and never said not to exist
  t.equal(await read('/lookup/empty@v1.0.0'), undefined, 'the go command is just about to write it');
  t.equal(await read('/lookup/b@v1.0.0'), undefined);
  t.equal(await read('/tile/8/0'), undefined);
  t.equal(await read('/lookup/a@v1.0.0', { limit: 5 }), undefined);
  t.equal(await read('/supported'), undefined);
  t.equal(await read('/latest', { name: 'other.example' }), undefined);
  t.equal(await read('/tile/8/0/000', { name: '../../../secret' }), undefined, 'a name does not lead out of the cache');
  t.equal(await read('/latest', { from: { gopath: undefined, gomodcache } }), undefined);
  t.equal(await read('/lookup/a@v1.0.0', { from: { gopath: gomodcache, gomodcache: undefined } }), undefined);
  mkdirSync(path.join(gomodcache, 'cache', 'download', 'sumdb', 'sum.example', 'lookup', 'folder'));
  t.equal(await read('/lookup/folder'), undefined);
});
