/**
 * Stores where better-sqlite3 cannot be had, on this Node and on newer ones. Each runs from a copy of the compiled files in a
 * folder from where nothing else is found.
 *
 * Newer Nodes are named by GOSUMCHECK_TEST_NODES, program files separated as in PATH; newernode.ts gets some and runs this.
 */

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const RUN = join('dist', 'test', 'store', 'contractrun.js');
/** What the run needs of the compiled files. */
const FILES = ['errors.js', 'contract.js', 'core', 'store', 'testing/storecontract.js', 'testing/storevalues.js'];

interface Answer {
  readonly memory: boolean;
  readonly notice?: string;
  readonly failed: readonly string[];
  readonly stderr: string;
}

/** Runs contractrun.js below `root`. */
async function answerOf(t: Test, root: string, node: string, ...flags: string[]): Promise<Answer> {
  const folder = t.testdir();
  // without what tap itself adds to the environment of a child
  const env = { ...process.env, NODE_OPTIONS: '' };
  const args = [...flags, join(root, RUN), folder, 'contract'];
  const { stdout, stderr } = await promisify(execFile)(node, args, { env, timeout: 60_000 });
  const answer = { ...(JSON.parse(stdout) as Omit<Answer, 'stderr'>), stderr };
  t.same(answer.failed, [], 'the contract holds');
  t.match(stderr, /ExperimentalWarning: of ours/, 'a warning of another’s is not hidden');
  t.notMatch(stderr, /SQLite/, 'the driver does not warn');
  t.equal(readdirSync(folder).length > 0, !answer.memory, 'files, but none for memory');
  return answer;
}

/** A copy of the compiled files, away from every node_modules but its own. */
function copyOf(t: Test): string {
  const root = mkdtempSync(join(tmpdir(), 'gosumcheck-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const file of FILES) {
    cpSync(join(ROOT, 'dist', 'src', file), join(root, 'dist', 'src', file), { recursive: true });
  }
  cpSync(join(ROOT, RUN), join(root, RUN));
  cpSync(join(ROOT, 'package.json'), join(root, 'package.json'));
  return root;
}

/** Checks the second choice: node:sqlite where that Node has it, else memory. */
function checkSecond(t: Test, answer: Answer, why: string, hasSqlite: boolean): void {
  t.equal(answer.memory, !hasSqlite);
  const want = hasSqlite
    ? `cache: by node:sqlite, since ${why}`
    : `cache: none, nothing is remembered after this run (${why}; Node ${process.versions.node} has no node:sqlite)`;
  t.equal(answer.notice, want);
}

const HERE = isBuiltin('node:sqlite');

t.test('better-sqlite3 is not there', async (t) => {
  checkSecond(t, await answerOf(t, copyOf(t), process.execPath), 'better-sqlite3 is not installed', HERE);
});

t.test('better-sqlite3 is made for other Nodes, and would crash', async (t) => {
  const root = copyOf(t);
  const folder = join(root, 'node_modules', 'better-sqlite3');
  mkdirSync(folder, { recursive: true });
  const manifest = { name: 'better-sqlite3', version: '1.2.3', engines: { node: '10.x || 12.x' } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'index.js'), 'process.abort()');
  const why = `better-sqlite3 1.2.3 is not made for Node ${process.versions.node}`;
  checkSecond(t, await answerOf(t, root, process.execPath), why, HERE);
});

t.test('better-sqlite3 was installed without install scripts', async (t) => {
  const root = copyOf(t);
  let from = import.meta.url;
  // each needs the next
  for (const name of ['better-sqlite3', 'bindings', 'file-uri-to-path']) {
    try {
      from = createRequire(from).resolve(`${name}/package.json`);
    } catch {
      t.comment(`not tested: ${name} is not installed here`);
      return;
    }
    const folder = dirname(from);
    const left = ['build', 'deps', 'src'].map((part) => join(folder, part));
    const to = join(root, 'node_modules', name);
    cpSync(folder, to, { recursive: true, filter: (file) => !left.includes(file) });
  }
  checkSecond(t, await answerOf(t, root, process.execPath), 'better-sqlite3 was installed without its binding', HERE);
});

const nodes = (process.env.GOSUMCHECK_TEST_NODES ?? '').split(delimiter).filter((node) => node !== '');
if (nodes.length === 0) t.comment('no newer Node is tried: GOSUMCHECK_TEST_NODES names none (npm run test:nodes gets some)');
for (const node of nodes) {
  t.test(`newer Node: ${node}`, async (t) => {
    const bare = await answerOf(t, copyOf(t), node);
    t.equal(bare.notice, 'cache: by node:sqlite, since better-sqlite3 is not installed');
    const full = await answerOf(t, ROOT, node);
    const notices = [
      undefined, // where better-sqlite3 was built for that very Node
      'cache: by node:sqlite, since better-sqlite3 was built for another Node or another system',
      bare.notice,
    ];
    t.ok(notices.includes(full.notice), full.notice ?? 'better-sqlite3');
    t.notOk(full.memory);
  });
}
