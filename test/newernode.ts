/**
 * Runs the tests of the stores, and of the server, which stands on node:http, with newer Node lines, which the npm package `node` brings: `npm run test:nodes [-- MAJOR...]`.
 *
 * They go into a temporary folder that is removed at the end, some 120 MB each.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const majors = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26'];
const npm = process.env.npm_execpath;
if (npm === undefined) throw new Error('run it as `npm run test:nodes`');

const folder = mkdtempSync(join(tmpdir(), 'gosumcheck-nodes-'));
try {
  const nodes = majors.map((major) => {
    const prefix = join(folder, major);
    const args = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', prefix, `node@${major}`];
    execFileSync(process.execPath, [npm, ...args], { cwd: folder, stdio: 'inherit' });
    const bin = join(prefix, 'node_modules', 'node', 'bin');
    return ['node.exe', 'node'].map((name) => join(bin, name)).find((file) => existsSync(file)) ?? bin;
  });
  // as .taprc has it; without it a file has half a minute
  const env = { ...process.env, TAP_TIMEOUT: '300', GOSUMCHECK_TEST_NODES: nodes.join(delimiter) };
  for (const node of nodes) {
    for (const test of ['store/store', 'store/sqlite', 'server/server', 'server/http']) execFileSync(node, [pathOf(test)], { env, stdio: 'inherit' });
  }
  execFileSync(process.execPath, [pathOf('store/fallback')], { env, stdio: 'inherit' });
} finally {
  rmSync(folder, { recursive: true });
}

function pathOf(test: string): string {
  return fileURLToPath(new URL(`${test}.test.js`, import.meta.url));
}
