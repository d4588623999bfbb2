/** Threads that hash: the same as without them, also where they fail or are ended. */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { GosumError, hashFolder, hashZip, openHashPool, type HashPool } from '../../src/dirhash.js';
import { until } from '../wait.js';
import { buildZip } from './zipbuilder.js';

const MODULE = { module: 'example.com/m', version: 'v1.2.3' };
const zipOf = (name: string, content: string | Buffer): Buffer => buildZip({ entries: [{ name: `example.com/m@v1.2.3/${name}`, content }] });
const LARGE = Buffer.alloc(2 ** 25, 'large ');
/** The package's folder; this file runs as dist/test/dirhash/pool.test.js. */
const DIST = fileURLToPath(new URL('../../', import.meta.url));

async function failureOf(work: Promise<unknown>): Promise<GosumError> {
  const error = await work.then(() => undefined, (error: unknown) => error);
  if (error instanceof GosumError) return error;
  throw new Error('want an error of ours', { cause: error });
}

t.test('as without threads', async (t) => {
  const folder = t.testdir({ 'a.zip': zipOf('A', 'a'), 'b.zip': zipOf('go.MOD', 'b'), 'large.zip': zipOf('large', LARGE), tree: { a: 'A', b: 'B' } });
  const at = (name: string): string => path.join(folder, name);
  const pool = openHashPool(2);
  t.teardown(() => pool.close());
  for (const name of ['a.zip', 'b.zip', 'large.zip']) t.strictSame(await pool.zip(at(name)), await hashZip(at(name)), name);
  const other = { ...MODULE, version: 'v1.2.4' };
  t.strictSame(await pool.zip(at('a.zip'), { module: other }), await hashZip(at('a.zip'), { module: other }), 'of a given module');
  t.strictSame(await pool.folder(at('tree'), MODULE), await hashFolder(at('tree'), MODULE));
  t.strictSame(await pool.folder(at('tree'), MODULE, { without: ['b'] }), await hashFolder(at('tree'), MODULE, { without: ['b'] }));

  let told = 0;
  const progress = (bytes: number): void => void (told += bytes);
  await Promise.all([pool.zip(at('large.zip'), { progress }), pool.zip(at('a.zip'), { progress })]);
  t.equal(told, LARGE.length + 1, 'all progress is told');

  const names = Array.from({ length: 40 }, (_, i) => (i % 3 === 0 ? 'b.zip' : 'a.zip'));
  const [a, b] = [(await hashZip(at('a.zip'))).h1, (await hashZip(at('b.zip'))).h1];
  const hashed = await Promise.all(names.map((name) => pool.zip(at(name))));
  t.same(hashed.map(({ h1 }) => h1), names.map((name) => (name === 'a.zip' ? a : b)), 'more works than threads');
});

t.test('a large zip, shared', async (t) => {
  const names = Array.from({ length: 40 }, (_, i) => `f${i}`);
  const zipWith = (seed: string): Buffer =>
    buildZip({ entries: names.map((name, i) => ({ name: `example.com/m@v1.2.3/${name}`, content: Buffer.alloc(2 ** 21 + i, seed + name), method: i % 5 === 0 ? 0 : 8 })) });
  const whole = zipWith('one');
  const folder = t.testdir({ 'm.zip': whole, 'n.zip': zipWith('two'), 'bad.zip': Buffer.from(whole).fill('?', 300, 310), 'a.zip': zipOf('A', 'a'), 'none.zip': buildZip({ entries: [] }) });
  const at = (name: string): string => path.join(folder, name);
  const want = await hashZip(at('m.zip'));
  for (const threads of [0, 1, 3]) {
    const pool = openHashPool(threads);
    t.teardown(() => pool.close());
    for (let times = 0; times < 3; times++) {
      let told = 0;
      t.strictSame(await pool.largeZip(at('m.zip'), { progress: (bytes) => (told += bytes) }), want, `${threads} threads`);
      t.equal(told, want.bytes, 'all is done, and once');
    }
    for (const name of ['a.zip', 'none.zip']) t.strictSame(await pool.largeZip(at(name)), await hashZip(at(name)), name);
    for (const name of ['bad.zip', 'nowhere.zip']) {
      const want = await failureOf(hashZip(at(name)));
      const got = await failureOf(pool.largeZip(at(name)));
      t.strictSame([got.code, got.message], [want.code, want.message], name);
    }
    const reason = new Error('enough');
    const controller = new AbortController();
    await t.rejects(pool.largeZip(at('m.zip'), { signal: controller.signal, progress: () => controller.abort(reason) }), reason);
    await t.rejects(pool.largeZip(at('m.zip'), { signal: controller.signal }), reason);
  }

  const pool = openHashPool(1);
  t.teardown(() => pool.close());
  const other = (await hashZip(at('n.zip'))).h1;
  let pieces = 0;
  const { h1 } = await pool.largeZip(at('m.zip'), { progress: () => ++pieces === 1 && renameSync(at('n.zip'), at('m.zip')) });
  t.equal(h1, other, 'replaced meanwhile, by one with as many entries: hashed anew');
});

t.test('errors', async (t) => {
  const folder = t.testdir({ 'a.zip': zipOf('A', 'a'), 'cut.zip': zipOf('A', 'a').subarray(0, -1) });
  const pool = openHashPool(1);
  t.teardown(() => pool.close());
  for (const name of ['none.zip', 'cut.zip']) {
    const file = path.join(folder, name);
    const want = await failureOf(hashZip(file));
    const got = await failureOf(pool.zip(file));
    t.strictSame([got.code, got.message, got.hint, got.outcome, got.retryable], [want.code, want.message, want.hint, want.outcome, want.retryable], name);
  }
  await t.rejects(pool.folder(folder, { module: 'example', version: 'v1.0.0' }), { code: 'MODULE_PATH_MALFORMED' });
  await t.rejects(pool.folder(7 as unknown as string, MODULE), { name: 'TypeError', message: /type string/ }, 'a mistake of the caller comes back as it is');
  t.equal((await pool.zip(path.join(folder, 'a.zip'))).files, 1, 'and it goes on');
});

t.test('interrupted', async (t) => {
  const folder = t.testdir({ 'large.zip': zipOf('large', LARGE), 'a.zip': zipOf('A', 'a') });
  const large = path.join(folder, 'large.zip');
  const small = path.join(folder, 'a.zip');
  const pool = openHashPool(1);
  t.teardown(() => pool.close());
  const reason = new Error('enough');
  await t.rejects(pool.zip(small, { signal: AbortSignal.abort(reason) }), reason, 'before');
  const controller = new AbortController();
  const { signal } = controller;
  const running = pool.zip(large, { signal, progress: () => controller.abort(reason) });
  const waiting = pool.zip(small, { signal });
  const unconcerned = pool.zip(small);
  await t.rejects(running, reason, 'under way');
  await t.rejects(waiting, reason, 'waiting');
  t.equal((await unconcerned).files, 1, 'others are not concerned');
});

t.test('closed', async (t) => {
  const folder = t.testdir({ 'large.zip': zipOf('large', LARGE) });
  const large = path.join(folder, 'large.zip');
  const pool = openHashPool(1);
  let begun = (): void => undefined;
  const begins = new Promise<void>((resolve) => (begun = resolve));
  const running = t.rejects(pool.zip(large, { progress: () => begun() }), /the thread has ended/);
  const waiting = t.rejects(pool.zip(large), /the pool is closed/);
  await begins;
  await pool.close();
  await running;
  await waiting;
  await t.rejects(pool.zip(large), /the pool is closed/);
  await openHashPool(3).close();
});

/** Runs a program in a process of its own. */
function run(cwd: string, text: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--input-type=module', '--eval', text], { cwd, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' }, timeout: 100_000 });
}

t.test('a pool that nobody closes keeps no process alive', (t) => {
  const folder = t.testdir({ 'a.zip': zipOf('A', 'a') });
  const entry = JSON.stringify(pathToFileURL(path.join(DIST, 'src', 'dirhash.js')));
  const { status, stdout } = run(folder, `import { openHashPool } from ${entry}; console.log((await openHashPool(2).zip('a.zip')).files)`);
  t.strictSame([status, stdout], [0, '1\n']);
  t.end();
});

t.test('the thread’s file', async (t) => {
  const worker = new Worker(path.join(DIST, 'bundle', 'dirhash', 'worker.cjs'));
  t.strictSame(await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)), { kind: 'started' });
  await worker.terminate();
});

t.test('without the thread’s file, as behind a bundler', (t) => {
  const folder = t.testdir({ 'a.zip': zipOf('A', 'a'), 'package.json': '{"type":"module","imports":{"#crypto":"./src/core/crypto/node.js"}}' });
  cpSync(path.join(DIST, 'src', 'core'), path.join(folder, 'src', 'core'), { recursive: true });
  cpSync(path.join(DIST, 'src', 'errors.js'), path.join(folder, 'src', 'errors.js'));
  mkdirSync(path.join(folder, 'src', 'dirhash'));
  cpSync(path.join(DIST, 'src', 'dirhash'), path.join(folder, 'src', 'dirhash'), { recursive: true });
  const { status, stdout, stderr } = run(
    folder,
    `import { openHashPool } from './src/dirhash/pool.js';
     const pool = openHashPool(2);
     const [a, b] = await Promise.all(['a.zip', 'a.zip', 'a.zip'].map((file) => pool.zip(file)));
     console.log(a.files, b.files, await pool.zip('none').catch(({ code }) => code));
     await pool.close();`,
  );
  t.strictSame([status, stdout], [0, '1 1 FILE_FAILED\n'], stderr);
  t.end();
});

/** Whether each of two zips began before the other had ended. */
async function isTogether(pool: HashPool, file: string): Promise<boolean> {
  const order: string[] = [];
  const hash = async (name: string): Promise<void> => {
    await pool.zip(file, { progress: () => order.push(name) });
    order.push(`${name} ends`);
  };
  await Promise.all([hash('a'), hash('b')]);
  return order.indexOf('b') < order.indexOf('a ends') && order.indexOf('a') < order.indexOf('b ends');
}

t.test('threads work at the same time', async (t) => {
  const folder = t.testdir({ 'large.zip': zipOf('large', LARGE) });
  const large = path.join(folder, 'large.zip');
  const one = openHashPool(1);
  for (let i = 0; i < 10; i++) t.notOk(await isTogether(one, large), 'one after the other');
  await one.close();
  // a busy machine may start the second thread only after the first has ended: one time of many is enough
  const two = openHashPool(2);
  t.ok(await until(() => isTogether(two, large)), 'two at a time');
  await two.close();
});
