/**
 * The command's bundles, away from the package that they were made in: with better-sqlite3's JavaScript inside where the
 * binding is of that version, with the installed one where it is of another, and nothing but the checks in their own.
 */

import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { ROOT } from './place.js';

const SQLITE = path.dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json'));
const GO_SUM = 'github.com/google/uuid v1.6.0 h1:NIvaJDMOsjHA8n1jAhLSgzrAzy1Hgr+hNrb57e+94F0=\n';

interface Copy {
  /** Of better-sqlite3. */
  readonly lib: string;
  readonly manifest: string;
  /** Runs the command; `stderr` and what it ended with. */
  run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
}

/** A copy of the command, and of better-sqlite3 beside it. */
function copyOf(t: Test): Copy {
  const root = mkdtempSync(path.join(tmpdir(), 'gosumcheck-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const part of ['bin', path.join('dist', 'bundle'), 'package.json']) cpSync(path.join(ROOT, part), path.join(root, part), { recursive: true });
  const sqlite = path.join(root, 'node_modules', 'better-sqlite3');
  for (const part of ['package.json', 'lib', path.join('build', 'Release', 'better_sqlite3.node')]) cpSync(path.join(SQLITE, part), path.join(sqlite, part), { recursive: true });
  const sum = path.join(root, 'go.sum');
  writeFileSync(sum, GO_SUM);
  const env = { ...process.env, NODE_OPTIONS: '', HOME: root, GOSUMDB: 'sum.golang.org', GOPROXY: pathToFileURL(path.join(ROOT, 'fixtures')).href };
  return {
    lib: path.join(sqlite, 'lib'),
    manifest: path.join(sqlite, 'package.json'),
    run: (...args) =>
      new Promise((resolve) => {
        execFile(process.execPath, [path.join(root, 'bin', 'gosumcheck.js'), ...args], { cwd: root, env, timeout: 60_000 }, (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
        });
      }),
  };
}

t.test('the JavaScript inside is used with a binding of its version', async (t) => {
  const copy = copyOf(t);
  rmSync(copy.lib, { recursive: true });
  for (const said of [/by\s+file:/, /proved anew\s+from\s+the\s+cache/]) {
    const { code, stdout, stderr } = await copy.run('verify', '--cache', 'cache.db');
    t.equal(code, 0);
    t.match(stdout, said);
    t.equal(stderr, '');
  }
});

t.test('with a binding of another version the JavaScript that was installed with it', async (t) => {
  const copy = copyOf(t);
  const manifest = JSON.parse(readFileSync(copy.manifest, 'utf8')) as object;
  writeFileSync(copy.manifest, JSON.stringify({ ...manifest, version: '0.0.1' }));
  const well = await copy.run('verify', '--cache', 'cache.db');
  t.same([well.code, well.stderr], [0, '']);
  writeFileSync(path.join(copy.lib, 'index.js'), "throw new Error('of the installed one')");
  const { code, stderr } = await copy.run('verify', '--cache', 'cache.db');
  t.equal(code, 0);
  t.match(stderr, /better-sqlite3 was installed without its binding/);
});

t.test('the checks have a bundle of their own, and the same help', async (t) => {
  const copy = copyOf(t);
  const ofChecks = await copy.run('verify', '--help');
  t.equal(ofChecks.code, 0);
  t.match(ofChecks.stdout, /^Usage: gosumcheck verify /);
  const { stdout } = await copy.run('--help');
  t.match(stdout, / {2}verify .*\n(?:.*\n)* {2}serve /);
  const names = [...stdout.slice(stdout.indexOf('Commands:'), stdout.indexOf('Examples:')).matchAll(/^ {2}([a-z]+) /gm)].map(([, name = '']) => name);
  t.ok(names.length > 10, names.join(' '));
  for (const name of names) t.match(await copy.run(name, '--help'), { code: 0, stdout: new RegExp(`^Usage: gosumcheck ${name} `) }, `${name} is in its bundle`);
  const sizes = ['checkmain', 'main'].map((name) => readFileSync(path.join(ROOT, 'dist', 'bundle', 'cli', `${name}.cjs`)).length);
  t.ok((sizes[0] ?? 0) < 0.7 * (sizes[1] ?? 0), 'it is much smaller');
  const licenses = readdirSync(path.join(ROOT, 'dist', 'bundle')).filter((file) => file.endsWith('.LICENSE'));
  t.strictSame(licenses.sort(), ['better-sqlite3.LICENSE', 'commander.LICENSE']);
});
