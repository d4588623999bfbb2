/**
 * Builds dist/bundle from dist/src: the command and its threads, each in one CommonJS file, which Node reads in a fraction of
 * the time that it takes for a hundred. Licenses of what is inside lie beside them.
 */

import { build } from 'esbuild';
import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const OUT = path.join('dist', 'bundle');
const { resolve } = createRequire(import.meta.url);

/** The folder of better-sqlite3, or `undefined` where it is not installed, since it is optional. */
function sqliteFolder() {
  try {
    return path.dirname(resolve('better-sqlite3/package.json'));
  } catch {
    return undefined;
  }
}

const sqlite = sqliteFolder();

await build({
  entryPoints: ['cli/main', 'cli/checkmain', 'dirhash/worker', 'store/defectworker', 'whole/worker'].map((name) => `dist/src/${name}.js`),
  outbase: 'dist/src',
  outdir: OUT,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  // a third less to read; names stay, for those who are shown a stack
  minifyWhitespace: true,
  // import() in such a file is a require, of what is inside
  supported: { 'dynamic-import': false },
  banner: { js: "const __url = require('node:url').pathToFileURL(__filename).href;" },
  define: { 'import.meta.url': '__url' },
  // with the JavaScript of better-sqlite3 inside (src/store/insidewrapper.ts)
  conditions: sqlite === undefined ? [] : ['bundle'],
  alias: { 'node:child_process': './dist/src/cli/noprograms.js' },
  // `bindings` looks for a binding beside the package's own files, which are asked where it has to
  external: ['bindings', 'lru-cache', 'smol-toml', 'valibot', 'pino', 'prom-client', 'cockatiel'],
  logLevel: 'warning',
});

const inside = { commander: path.dirname(resolve('commander')), 'better-sqlite3': sqlite };
for (const [name, folder] of Object.entries(inside)) {
  if (folder !== undefined) copyFileSync(path.join(folder, 'LICENSE'), path.join(OUT, `${name}.LICENSE`));
}
