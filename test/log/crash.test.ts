/** Processes that are killed while they add: never two heads that disagree, nothing lost that was said to be recorded. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { openTreeHead } from '../../src/core/treehead.js';
import { verifierKeyOf } from '../../src/core/key.js';
import { TestLog } from '../../src/testing/index.js';
import { WITHOUT_TAP } from '../cli/place.js';
import { KEYS, NAME, openLog, records, type OpenLog } from './rig.js';

const APPENDER = fileURLToPath(new URL('./appender.js', import.meta.url));

/** Adds records in another process. @param after milliseconds until it is killed, since it began. */
function appender(folder: string, from: number, to: number, point: string, after?: number): Promise<{ signal: string | null; stdout: string; stderr: string }> {
  const [command, ...rest] = [...WITHOUT_TAP, process.execPath, APPENDER, folder, String(from), String(to), point];
  const child = spawn(command, rest);
  const ran = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (ran.stdout === '' && after !== undefined) setTimeout(() => child.kill('SIGKILL'), after);
    ran.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ran.stderr += text));
  return new Promise((resolve) => child.once('close', (_, signal) => resolve({ signal, ...ran })));
}

/** All heads that were ever seen have to be those of one log: the one that records in this order make. */
class Witness {
  readonly #twin = new TestLog(NAME, KEYS[0]);

  constructor() {
    for (const { module, version, h1, goMod } of records(0, 5000)) this.#twin.add(module, version, { module: h1, goMod });
  }

  async look(t: Test, { database }: Pick<OpenLog, 'database'>): Promise<number> {
    const { size, hash } = openTreeHead(await database.latest(), verifierKeyOf(KEYS[0]));
    t.same(hash, this.#twin.treeHead(size).hash, `the tree of ${size}`);
    if (size > 0) {
      const width = ((size - 1) % 256) + 1;
      for (const level of [-1, 0]) {
        const tile = { level, n: Math.floor((size - 1) / 256), width };
        t.same(await database.tile(tile), await this.#twin.tile(tile), 'and its tiles');
      }
      t.same(await database.lookup(`example.com/m${size - 1}`, 'v1.0.0'), this.#lookup(size));
    }
    return size;
  }

  #lookup(size: number): Uint8Array {
    this.#twin.headSizeOf = () => size;
    return this.#twin.lookupOf(size - 1);
  }
}

const POINTS = ['staged', 'noted', 'signed', 'published', ...[1, 2, 3].flatMap((n) => [`commit:${n}`, `committed:${n}`])];

t.test('killed at every point of a batch', async (t) => {
  const folder = t.testdir();
  const open = openLog(t, folder);
  await open.log.begin();
  const witness = new Witness();
  let size = 0;
  for (const point of POINTS) {
    const to = size + 150;
    const { signal, stderr } = await appender(folder, size, to, point);
    t.equal(signal, 'SIGKILL', `${point} ${stderr}`);
    const seen = await witness.look(t, open);
    const isPublished = ['published', 'committed:3'].includes(point);
    t.equal(seen, isPublished ? to : size, `${point}: what is seen`);
    const next = await open.log.add(records(size, to));
    const isKept = point !== 'commit:1'; // what is staged is finished
    t.same([next.added, next.known, next.head.size], [isKept ? 0 : 150, isKept ? 150 : 0, to], `${point}: what comes of it`);
    size = await witness.look(t, open);
  }
});

t.test('killed at any time', async (t) => {
  const folder = t.testdir();
  const open = openLog(t, folder);
  await open.log.begin();
  const witness = new Witness();
  let said = 0;
  let killed = 0;
  for (let i = 0; i < 10; i++) {
    const { size } = await open.log.recover();
    t.ok(size >= said, 'nothing is lost that was said to be recorded');
    const ran = await appender(folder, size, 5000, 'each', Math.random() * 60);
    if (ran.signal === 'SIGKILL') killed++;
    for (const line of ran.stdout.split('\n')) if (/^[0-9]+$/.test(line)) said = Number(line);
    await witness.look(t, open);
  }
  const { size } = await open.log.recover();
  t.ok(size >= said);
  await witness.look(t, open);
  t.ok(killed > 0);
  t.comment(`${killed} of 10 killed, ${said} records said to be recorded, ${size} are`);
});
