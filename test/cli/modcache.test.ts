/** `gosumcheck modcache` and `verify --modcache`, as processes; and on a cache that the real go command has filled. */

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import type { Log } from 'sarif';
import { TestLog } from '../../src/testing/index.js';
import { goModOf, h1Of, layOut, linesOf, madeModule, pathsOf, put, record, zipOf, type MadeModule } from '../modcache/cache.js';
import { until } from '../wait.js';
import { newPlace, type Place, type Ran, type Report, type Start } from './place.js';

const A = madeModule('example.com/Alpha');
const B = madeModule('example.com/beta');
const PRIVATE = madeModule('corp.example/priv');
const evil = (made: MadeModule): MadeModule => ({ ...made, files: { ...made.files, 'a.go': 'package evil\n' } });

function newLog(...modules: readonly MadeModule[]): TestLog {
  const log = new TestLog('log.example').fill(100);
  for (const made of modules) record(log, made);
  return log.fill(300);
}

const LOG = newLog(A, B);

/** The default place of the module cache. */
function cacheOf(place: Place): string {
  return path.join(path.dirname(place.folder), 'home', 'go', 'pkg', 'mod');
}

async function modcache(place: Place, args: readonly string[] = [], start?: Start): Promise<Ran & { report: Report }> {
  return place.verify(args, { ...start, command: 'modcache' });
}

/** A text without its layout. */
function flat(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/** `file status code` of what is not verified. */
function findings({ results }: Report): string[] {
  return results.filter(({ status }) => status !== 'verified').map(({ file, line, status, code }) => `${file}${line === undefined ? '' : `:${line}`} ${status} ${code ?? ''}`);
}

t.test('the default cache, another one, and none', async (t) => {
  const place = await newPlace(t, { 'empty-cache': {} }, { log: LOG });
  t.equal((await place.run(['modcache'])).code, 2, 'no such folder');
  const cache = cacheOf(place);
  layOut(cache, A);
  layOut(cache, B, ['mod']);
  const good = await modcache(place);
  t.strictSame([good.code, good.stderr, good.report.summary.lines, good.report.summary.verified], [0, '', 5, 5]);
  t.match(good.report.modcache, { folder: cache, modules: 2, goModOnly: 1 });
  t.equal(place.asked().filter((each) => each.startsWith('/lookup/')).length, 2);

  const again = await place.run(['modcache']);
  t.equal(again.code, 0);
  t.strictSame(place.asked(), [], 'a second run asks nothing');
  t.match(flat(again.stdout), ` modcache ${cache}: 2 module versions: 1 zip, 1 folder, 2 go.mod files (1 with a go.mod alone) verified all 5 files of the module cache; 2 module versions, all from the cache `);
  t.equal((await place.run(['modcache', '--quiet', cache])).stdout, '');
  t.equal((await place.run(['modcache', '--offline', '--no-cache'])).code, 3);

  const empty = await place.run(['modcache', 'empty-cache']);
  t.equal(empty.code, 2);
  t.match(empty.stderr, /empty-cache: no module version[^]*go env GOMODCACHE/);
  t.equal((await place.run(['modcache', 'nowhere'])).code, 2);
  t.equal((await place.run(['modcache', '--report', 'json=no/such/folder.json'])).code, 2);

  const elsewhere = path.join(place.folder, 'elsewhere');
  layOut(elsewhere, evil(A));
  t.equal((await place.run(['modcache', 'elsewhere'])).code, 1, 'below the working folder');
  t.equal((await place.run(['modcache'], { env: { GOMODCACHE: elsewhere } })).code, 1, 'by its variable');
});

t.test('private modules', async (t) => {
  const place = await newPlace(t, {}, { log: LOG });
  layOut(cacheOf(place), PRIVATE);
  const env = { GOPRIVATE: 'corp.example' };
  t.equal((await place.run(['modcache'], { env })).code, 2, 'nothing else was there');
  const all = await place.run(['modcache', '--allow-all-skipped'], { env });
  t.equal(all.code, 0);
  t.match(all.stdout, /matches the private pattern corp\.example[^]*skipped {3}4 files, on purpose: held against the rest of the cache alone/);
  layOut(cacheOf(place), A);
  const { report, code } = await modcache(place, [], { env });
  t.strictSame([code, report.summary.verified, report.summary.skipped], [0, 4, 4]);
  put(cacheOf(place), pathsOf(PRIVATE).zip, zipOf(evil(PRIVATE)));
  t.equal((await place.run(['modcache'], { env })).code, 1);
  t.notMatch(place.asked().join(), 'corp.example', 'nobody is asked');
});

t.test('one bad run in every format', async (t) => {
  const place = await newPlace(t, { '.git': {} }, { log: LOG });
  const cache = cacheOf(place);
  for (const made of [A, B, PRIVATE]) layOut(cache, made);
  const zip = pathsOf(A).zip;
  put(cache, zip, zipOf(evil(A)));
  put(cache, pathsOf(B).zip, 'no zip');
  put(cache, pathsOf(PRIVATE).ziphash, h1Of(evil(PRIVATE)));
  const env = { GOPRIVATE: 'corp.example' };
  const formats = ['github', 'sarif', 'junit', 'markdown', 'text'].flatMap((format) => ['--report', `${format}=${format}.out`]);
  const { code, report } = await modcache(place, formats, { env });
  const out = (format: string): string => readFileSync(path.join(place.folder, `${format}.out`), 'utf8');
  const absolute = path.join(cache, ...zip.split('/'));

  t.equal(code, 1);
  t.strictSame(findings(report), [
    'cache/download/corp.example/priv/@v/v1.0.0.zip conflict FILES_CONFLICT',
    'cache/download/corp.example/priv/@v/v1.0.0.ziphash conflict FILES_CONFLICT',
    'corp.example/priv@v1.0.0 conflict FILES_CONFLICT',
    'cache/download/corp.example/priv/@v/v1.0.0.mod skipped SKIPPED_PRIVATE',
    'cache/download/example.com/!alpha/@v/v1.0.0.zip mismatch HASH_MISMATCH',
    'cache/download/example.com/beta/@v/v1.0.0.zip mismatch ZIP_MALFORMED',
  ]);
  t.strictSame(report.results.find(({ file }) => file === zip)?.remove, [zip]);

  const text = out('text');
  t.match(text, /^CACHE MISMATCH {2}1 file: the module cache does not have/m);
  t.match(text, /^CACHE CONFLICT {2}3 files: /m);
  t.match(text, /^BAD ZIP {2}1 file: /m);
  for (const made of [A, B]) t.match(text, `\n      ${path.join(cache, ...pathsOf(made).zip.split('/'))}\n`, 'what to delete, by its whole path');
  for (const part of ['zip', 'ziphash', 'folder'] as const) t.match(text, path.join(cache, ...pathsOf(PRIVATE)[part].split('/')));
  t.match(text, h1Of(A));
  t.match(text, h1Of(evil(A)));
  t.match(flat(text), ' Delete these; the go command downloads again what it needs,');
  t.match(flat(text), ' result FAILED, exit 1: 1 file not as in the log, 3 files that do not agree, 1 file that the go command would refuse ');

  const github = out('github');
  t.match(github, /^::error title=gosumcheck%3A the module cache does not have[^:]*::cache\/download\/example\.com\/!alpha\/@v\/v1\.0\.0\.zip: example\.com\/Alpha v1\.0\.0: the file has h1:/m);
  t.notMatch(github, /^::error [^:]*(?:file|line)=/m, 'a cached file is none of the repository');
  t.match(github, `    ${absolute}\n`);

  const run = (JSON.parse(out('sarif')) as Log).runs[0]!;
  const results = run.results!;
  t.strictSame(results.map(({ ruleId }) => ruleId), ['cache-conflict', 'cache-conflict', 'cache-conflict', 'cache-mismatch', 'cache-bad-zip']);
  t.strictSame(results[3]?.locations?.[0]?.physicalLocation, { artifactLocation: { uri: 'cache/download/example.com/!alpha/%40v/v1.0.0.zip', uriBaseId: 'GOMODCACHE' } });
  t.equal(run.originalUriBaseIds?.GOMODCACHE?.uri, `${pathToFileURL(cache).href}/`);
  t.match(results[3]?.message.text, `delete ${zip}; the go command downloads again`);
  for (const { ruleId, ruleIndex = -1 } of results) t.equal(run.tool.driver.rules?.[ruleIndex]?.id, ruleId);

  const junit = out('junit');
  t.match(junit, /<testsuite name="module cache" tests="12" failures="5" errors="0" skipped="1">/);
  t.match(junit, /<testcase classname="example\.com\/Alpha" name="cache\/download\/example\.com\/!alpha\/@v\/v1\.0\.0\.zip">\s*<failure type="HASH_MISMATCH"/);
  t.match(junit, `Next: delete ${zip}; the go command downloads again`);

  const markdown = out('markdown');
  t.match(markdown, `| CACHE MISMATCH | \`${zip}\` | \`example.com/Alpha v1.0.0\` | \`the file has ${h1Of(evil(A))}, the log has ${h1Of(A)} (record 100)\` |`);
  t.match(markdown, `  - \`${absolute}\``);

  // what is said to be deleted is all that is bad
  for (const { remove = [] } of report.results) for (const file of remove) rmSync(path.join(cache, ...file.split('/')), { recursive: true });
  t.equal((await place.run(['modcache'], { env })).code, 0);
});

t.test('go.sum and the cache together', async (t) => {
  const place = await newPlace(t, { 'go.sum': linesOf(A) + linesOf(PRIVATE) }, { log: LOG });
  const cache = cacheOf(place);
  const env = { GOPRIVATE: 'corp.example' };
  const none = await place.verify(['--modcache'], { env });
  t.strictSame([none.code, none.report.summary.lines, none.report.modcache?.modules], [0, 4, 0], 'an empty cache is none of its business');

  for (const made of [A, evil(B), PRIVATE]) layOut(cache, made);
  place.asked();
  const good = await place.verify(['--modcache', '--no-cache'], { env });
  t.strictSame([good.code, good.report.summary.lines, good.report.summary.verified, good.report.modcache?.modules], [0, 12, 6, 2], 'beta is not in go.sum');
  t.strictSame(place.asked().filter((each) => each.startsWith('/lookup/')), ['/lookup/example.com/!alpha@v1.0.0'], 'a line and its files are one question');
  const { stdout } = await place.run(['verify', '--modcache'], { env });
  t.match(flat(stdout), ' verified 2 of 4 lines of go.sum, 4 of 8 files of the module cache; 1 module version,');
  t.match(flat(stdout), ' skipped 2 lines and 4 files, on purpose: nothing is known of the lines, and the files were held against the rest of the cache alone ');

  for (const part of ['zip', 'ziphash', 'folder'] as const) layOut(cache, evil(PRIVATE), [part]);
  put(cache, `${pathsOf(A).folder}/a.go`, 'package evil\n');
  const bad = await place.verify(['--modcache'], { env });
  t.equal(bad.code, 1);
  t.strictSame(findings(bad.report).filter((each) => !each.includes('skipped')), [
    'cache/download/corp.example/priv/@v/v1.0.0.zip conflict FILES_CONFLICT',
    'cache/download/corp.example/priv/@v/v1.0.0.ziphash conflict FILES_CONFLICT',
    'corp.example/priv@v1.0.0 conflict FILES_CONFLICT',
    'example.com/!alpha@v1.0.0 mismatch HASH_MISMATCH',
  ], 'the lines hold a private module to something');
  t.equal((await place.verify([], { env })).code, 0, 'without the option nothing of it is looked at');
  t.equal((await place.run(['verify'], { env: { ...env, GOSUMCHECK_MODCACHE: '1' } })).code, 1);
  t.equal((await place.run(['verify', '--modcache'], { env: { ...env, GOMODCACHE: 'not/absolute' } })).code, 2);
});

t.test('a person ends it', async (t) => {
  const place = await newPlace(t, {}, { log: LOG });
  const cache = cacheOf(place);
  for (const made of [A, B]) layOut(cache, made);
  const large = path.join(cache, pathsOf(A).folder, 'large');
  writeFileSync(large, '');
  truncateSync(large, 2 ** 40); // no bytes on the disk, and hours of hashing
  const running = place.start(['modcache']);
  t.ok(await until(() => place.asked().length > 0));
  await setTimeout(200);
  running.kill('SIGINT');
  const { code, signal, stdout, took } = await running.ended;
  t.strictSame([code, signal, stdout], process.platform === 'win32' ? [null, 'SIGINT', ''] : [130, null, '']);
  t.ok(took < 100_000, `${took} ms`);
  t.equal((await place.run(['modcache', '--deadline', '1s'])).code, 3);
  t.equal((await place.run(['verify', '--modcache', '-'], { stdin: linesOf(B) })).code, 0, 'the cache is as it was');
});

/** A GOPROXY folder with the modules. */
function writeProxy(folder: string, modules: readonly MadeModule[]): string {
  for (const made of modules) {
    for (const part of ['zip', 'mod', 'info'] as const) {
      const relative = pathsOf(made)[part].slice('cache/download/'.length);
      put(folder, relative, part === 'zip' ? zipOf(made) : part === 'mod' ? goModOf(made) : JSON.stringify({ Version: made.version }));
    }
  }
  return pathToFileURL(folder).href;
}

t.test('a cache of the real go command', async (t) => {
  const old: MadeModule = { module: 'example.com/old', version: 'v2.0.0+incompatible', files: { 'old.go': 'package old\n' } };
  const modules = [A, B, old];
  const place = await newPlace(t, { main: {}, proxy: {}, 'go.sum': modules.map(linesOf).join('') }, { log: newLog(...modules) });
  const main = path.join(place.folder, 'main');
  const cache = path.join(place.folder, 'cache');
  writeFileSync(path.join(main, 'go.mod'), `module example.com/main\n\ngo 1.20\n\nrequire (\n${modules.map(({ module, version }) => `\t${module} ${version}\n`).join('')})\n`);
  const env = {
    PATH: process.env.PATH,
    SystemRoot: process.env.SystemRoot,
    HOME: main,
    USERPROFILE: main,
    GOPATH: path.join(place.folder, 'gopath'),
    GOMODCACHE: cache,
    GOENV: 'off',
    GOTOOLCHAIN: 'local',
    GOFLAGS: '-mod=mod -modcacherw',
    GOWORK: 'off',
    GOSUMDB: 'off',
    GOPROXY: writeProxy(path.join(place.folder, 'proxy'), modules),
  };
  /** What go says where it fails; `undefined` where all is well. */
  const go = async (...args: string[]): Promise<string | undefined> => {
    try {
      await promisify(execFile)('go', args, { cwd: main, env });
      return undefined;
    } catch (error) {
      const { code, stderr } = error as { code: unknown; stderr?: string };
      return code === 'ENOENT' ? 'no go command' : (stderr ?? String(error));
    }
  };
  const first = await go('mod', 'download', 'all');
  if (first === 'no go command') {
    t.comment('NOT TESTED: there is no go command');
    return;
  }
  t.equal(first, undefined);
  t.equal(await go('mod', 'verify'), undefined);
  const ours = { env: { GOMODCACHE: cache } };
  const good = await modcache(place, [], ours);
  t.strictSame([good.code, findings(good.report), good.report.summary.verified], [0, [], 12]);
  t.match(good.report.modcache, { modules: 3, zips: 3, folders: 3, goMods: 3 });

  const { zip, ziphash, mod, info, folder } = pathsOf(A);
  const poisonings: [name: string, poison: () => void, found: string[], go: boolean][] = [
    ['zip', () => put(cache, zip, zipOf(evil(A))), [`${zip} mismatch HASH_MISMATCH`], true],
    ['damaged zip', () => put(cache, zip, zipOf(A).subarray(1)), [`${zip} mismatch ZIP_MALFORMED`], false],
    ['cut zip', () => put(cache, zip, zipOf(A).subarray(0, 200)), [`${zip} mismatch ZIP_MALFORMED`], true],
    ['ziphash', () => put(cache, ziphash, h1Of(evil(A))), [`${ziphash} mismatch HASH_MISMATCH`], true],
    ['zip and ziphash', () => layOut(cache, evil(A), ['zip', 'ziphash']), [`${zip} mismatch HASH_MISMATCH`, `${ziphash} mismatch HASH_MISMATCH`], true],
    ['all of it', () => layOut(cache, evil(A), ['zip', 'ziphash', 'folder']), [`${zip} mismatch HASH_MISMATCH`, `${ziphash} mismatch HASH_MISMATCH`, `${folder} mismatch HASH_MISMATCH`], false],
    ['no ziphash', () => rmSync(path.join(cache, ziphash)), [`${ziphash} conflict FILES_CONFLICT`], true],
    ['a file', () => put(cache, `${folder}/b/b.go`, 'package evil\n'), [`${folder} mismatch HASH_MISMATCH`], true],
    ['a new file', () => put(cache, `${folder}/b/c.go`, 'package b\n'), [`${folder} mismatch HASH_MISMATCH`], true],
    ['go.mod', () => put(cache, mod, `module ${A.module}\n\ngo 1.21\n`), [`${mod} mismatch HASH_MISMATCH`], false],
    ['info', () => put(cache, info, '{"Version":"v9.0.0"}'), [`${info} conflict FILES_CONFLICT`], false],
  ];
  const backup = path.join(place.folder, 'backup');
  cpSync(cache, backup, { recursive: true });
  for (const [name, poison, found, goFinds] of poisonings) {
    await t.test(`poisoned: ${name}`, async (t) => {
      poison();
      const run = await modcache(place, [], ours);
      t.equal(run.code, 1);
      t.strictSame(findings(run.report), found);
      const together = await place.verify(['--modcache'], ours);
      t.strictSame([together.code, findings(together.report)], [1, found]);
      if (goFinds) t.match(await go('mod', 'verify'), /example\.com\/Alpha v1\.0\.0: /, 'go finds it, too');
      else if (name === 'all of it') t.equal(await go('mod', 'verify'), undefined, 'go compares the cache with itself');

      // What the report says heals it: those paths deleted, and go downloads again.
      for (const { remove = [] } of run.report.results) for (const file of remove) rmSync(path.join(cache, ...file.split('/')), { recursive: true });
      t.equal(await go('mod', 'download', 'all'), undefined);
      t.equal((await place.run(['modcache'], ours)).code, 0, 'healed');
      t.ok(statSync(path.join(cache, folder)).isDirectory());
      rmSync(cache, { recursive: true });
      cpSync(backup, cache, { recursive: true });
    });
  }
  mkdirSync(path.join(cache, 'cache', 'download', 'example.com', 'half', '@v'), { recursive: true });
  t.equal((await place.run(['modcache'], ours)).code, 0);
});
