/** Processes that add to a log of one's own and are killed, and what has to be true of it whenever anybody looks. */

import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { verifierKeyOf } from '../../src/core/key.js';
import { openTreeHead } from '../../src/core/treehead.js';
import { TestLog } from '../../src/testing/index.js';
import { WITHOUT_TAP } from '../cli/place.js';
import { KEYS, NAME, records, type OpenLog } from './rig.js';

const APPENDER = fileURLToPath(new URL('./appender.js', import.meta.url));

/**
 * Adds records in another process.
 *
 * @param begun gets the process once it has said something.
 */
export function appender(folder: string, from: number, to: number, point: string, begun?: (child: ChildProcess) => void): Promise<{ signal: string | null; stdout: string; stderr: string }> {
  const [command, ...rest] = [...WITHOUT_TAP, process.execPath, APPENDER, folder, String(from), String(to), point];
  const child = spawn(command, rest);
  const ran = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (ran.stdout === '') begun?.(child);
    ran.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ran.stderr += text));
  return new Promise((resolve) => child.once('close', (_, signal) => resolve({ signal, ...ran })));
}

/** All heads that were ever seen have to be those of one log: the one that records in this order make. */
export class Witness {
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
