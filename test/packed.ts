/**
 * The package as its users get it: packed, installed into an empty folder, with and without install scripts, and used there
 * as a command, as a library and in a bundle for browsers. `npm run test:packed`; it takes a minute or two, as better-sqlite3
 * may have to be built.
 */

import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import t, { type Test } from 'tap';
import { buildZip } from './dirhash/zipbuilder.js';

/** The package's folder; this file runs as dist/test/packed.js. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const GO_SUM = path.join(ROOT, 'fixtures', 'kubernetes-1.34', 'go.sum');
const TYPESCRIPT = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const NPM = process.env.npm_execpath;
const MANIFEST = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
};

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Node in a folder, with the recording as its only proxy. */
async function node(cwd: string, ...args: string[]): Promise<Ended> {
  const env = {
    ...process.env,
    NODE_OPTIONS: '', // tap's own
    GOENV: 'off',
    GOSUMDB: 'sum.golang.org',
    GOPROXY: pathToFileURL(path.join(ROOT, 'fixtures')).href,
    GOPRIVATE: '',
    GONOSUMDB: '',
    GOPATH: path.join(cwd, 'gopath'),
    GOMODCACHE: path.join(cwd, 'gomodcache'),
  };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd, env, maxBuffer: 1 << 26 });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Partial<Ended>;
    if (typeof code !== 'number') throw error;
    return { code, stdout: stdout ?? '', stderr: stderr ?? '' };
  }
}

async function npm(cwd: string, command: string, ...args: string[]): Promise<string> {
  if (NPM === undefined) throw new Error('run it as `npm run test:packed`');
  // the npm that runs this has told its child where it itself works
  const { code, stdout, stderr } = await node(cwd, NPM, command, `--prefix=${cwd}`, ...args);
  if (code !== 0) throw new Error(`npm ${command}: exit code ${code}\n${stderr}`);
  return stdout;
}

const folder = mkdtempSync(path.join(tmpdir(), 'gosumcheck-packed-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
let tarball = '';

t.test('what is packed', async (t) => {
  const answer = await npm(ROOT, 'pack', '--json', '--ignore-scripts', `--pack-destination=${folder}`);
  const [packed] = JSON.parse(answer) as { filename: string; size: number; files: { path: string }[] }[];
  tarball = path.join(folder, packed!.filename);
  const files = new Set(packed!.files.map((file) => file.path));
  t.comment(`${files.size} files, ${packed!.size} bytes`);
  const wanted = Object.values(MANIFEST.exports).map((file) => file.slice('./'.length));
  const texts = ['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md'];
  const crypto = ['node', 'noble'].map((backing) => `dist/src/core/crypto/${backing}.js`);
  for (const file of [...wanted, ...texts, ...crypto, 'bin/gosumcheck.js', 'bin/package.json', 'dist/bundle/cli/main.cjs', 'dist/bundle/cli/checkmain.cjs', 'dist/bundle/commander.LICENSE', 'dist/bundle/better-sqlite3.LICENSE', 'dist/bundle/dirhash/worker.cjs']) t.ok(files.has(file), file);
  const scripts = [...files].filter((file) => file.startsWith('dist/src/') && file.endsWith('.js'));
  const sources = scripts.map((file) => file.slice('dist/'.length).replace(/\.js$/, '.ts'));
  t.same(sources.filter((file) => !files.has(file)), [], 'every source map leads to a source');
  t.same([...files].filter((file) => !/^(?:bin|dist\/bundle|dist\/src|docs|src)\/|^[^/]+$/.test(file)), [], 'and nothing else');
});

for (const scripts of [true, false]) {
  t.test(`installed ${scripts ? 'with' : 'without'} install scripts`, async (t) => {
    const app = path.join(folder, scripts ? 'with' : 'without');
    mkdirSync(app);
    // npm may want to be told whose install scripts it may run
    const manifest = { private: true, type: 'module', allowScripts: { 'better-sqlite3': true } };
    writeFileSync(path.join(app, 'package.json'), JSON.stringify(manifest));
    await npm(app, 'install', '--no-audit', '--no-fund', ...(scripts ? [] : ['--ignore-scripts']), tarball);

    const version = await npm(app, 'exec', '--no', '--', 'gosumcheck', '--version');
    t.equal(version, `${MANIFEST.version}\n`, 'the command');
    await checkVerify(t, app, scripts);
    await checkHash(t, app);
    await checkLibrary(t, app);
    await checkBundle(t, app);
  });
}

async function checkVerify(t: Test, app: string, scripts: boolean): Promise<void> {
  const bin = path.join(app, 'node_modules', 'gosumcheck', 'bin', 'gosumcheck.js');
  const verify = ['verify', '--format=json', `--cache=${path.join(app, 'cache.db')}`, GO_SUM];
  const first = await node(app, bin, ...verify);
  t.equal(first.code, 0, first.stderr);
  t.match(JSON.parse(first.stdout), { complete: true, summary: { lines: 505, verified: 505 } }, 'all lines');
  const notice = 'better-sqlite3 was installed without its binding';
  t.equal(first.stderr.includes(notice), !scripts, scripts ? 'SQLite by better-sqlite3' : notice);
  // with a cache everything can be proved again, without a word to anybody
  const second = await node(app, bin, ...verify, '--offline', `--sumdb=sum.golang.org https://sumdb.example`);
  t.equal(second.code, scripts || isBuiltin('node:sqlite') ? 0 : 3, 'offline');
}

/** In threads, whose file is another than the command's. */
async function checkHash(t: Test, app: string): Promise<void> {
  const bin = path.join(app, 'node_modules', 'gosumcheck', 'bin', 'gosumcheck.js');
  writeFileSync(path.join(app, 'm.zip'), buildZip({ entries: [{ name: 'example.com/m@v1.0.0/a', content: 'a' }] }));
  const one = await node(app, bin, 'hash', '--threads=1', 'm.zip', 'm.zip');
  t.match(one, { code: 0, stdout: /^(?:h1:\S{44} {2}m\.zip\n){2}$/, stderr: '' });
  process.env.NODE_DEBUG = 'worker';
  const two = await node(app, bin, 'hash', '--threads=2', 'm.zip', 'm.zip');
  delete process.env.NODE_DEBUG;
  t.match(two, { code: 0, stdout: one.stdout });
  const [, entry = ''] = /starts worker script (\S+dirhash\Sworker\.cjs)/.exec(two.stderr) ?? [];
  t.ok(existsSync(entry), `in threads: ${entry}`);
}

async function checkLibrary(t: Test, app: string): Promise<void> {
  cpSync(path.join(ROOT, 'test', 'consumer.ts'), path.join(app, 'consumer.ts'));
  cpSync(path.join(ROOT, 'node_modules', '@types', 'node'), path.join(app, 'node_modules', '@types', 'node'), { recursive: true });
  cpSync(path.join(ROOT, 'node_modules', 'undici-types'), path.join(app, 'node_modules', 'undici-types'), { recursive: true });
  const options = ['--strict', '--module', 'node20', '--target', 'es2023', '--types', 'node'];
  const compiled = await node(app, TYPESCRIPT, ...options, 'consumer.ts');
  t.equal(compiled.stdout, '', 'a program compiles, with all declarations checked');
  const ran = await node(app, 'consumer.js', GO_SUM);
  t.equal(ran.stderr, '');
  t.same(JSON.parse(ran.stdout), {
    lines: 505,
    conflicts: 0,
    verified: 4,
    empty: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    signatures: 1,
    size: 1,
    code: 'KEY_MALFORMED',
    schema: 'Report of gosumcheck verify and gosumcheck modcache',
    hashed: 1,
  });
}

async function checkBundle(t: Test, app: string): Promise<void> {
  const contents = ['note', 'tlog', 'gosum'].map((entry) => `export * from 'gosumcheck/${entry}';`).join('\n');
  const { metafile } = await build({
    stdin: { contents, resolveDir: app },
    absWorkingDir: app,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    metafile: true,
  });
  const inputs = Object.keys(metafile.inputs);
  t.ok(inputs.some((file) => file.endsWith('core/crypto/noble.js')), 'a bundle for browsers');
  t.same(inputs.filter((file) => /node:|core\/crypto\/node\.js$/.test(file)), [], 'without anything of Node');
}
