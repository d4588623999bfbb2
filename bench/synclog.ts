/** The log that `sync` is measured with: a scale log in files, served by a process of its own that has little to do. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { lookupPath } from '../src/core/module.js';
import { ScaleLog } from '../src/testing/index.js';
import { ROOT, type Workshop } from './workshop.js';

/** One that is served. */
export interface ServedScaleLog {
  /** The GOSUMDB value: key and URL. */
  readonly sumdb: string;
  readonly url: string;
  end(): Promise<void>;
}

/** The folder of its data tiles. */
export function tilesFolder({ folder }: Workshop): string {
  return path.join(folder, 'scalelog');
}

/** Serves the first `size` records of a log of `records`, which is made where it is not there yet. */
export async function serveScaleLog(workshop: Workshop, records: number, size: number): Promise<ServedScaleLog> {
  const program = path.join(ROOT, 'dist', 'src', 'testing', 'scaleserver.js');
  const args = [program, '--records', String(records), '--start', String(size), '--folder', tilesFolder(workshop)];
  const { env, folder, signal } = workshop;
  const child = spawn(process.execPath, args, { env, cwd: folder, signal, stdio: ['ignore', 'pipe', 'ignore'], windowsHide: true });
  const ended = once(child, 'close').then(() => Promise.reject(new Error('the server of the log has ended')));
  ended.catch(() => undefined);
  child.on('error', () => undefined);
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended])) as string[];
  const sumdb = line?.replace(/^GOSUMDB=/, '') ?? '';
  return {
    sumdb,
    url: sumdb.split(' ')[1] ?? '',
    async end() {
      child.kill('SIGTERM');
      await ended.catch(() => undefined);
    },
  };
}

/** Lookups of records at random places, the same each time. */
export function randomLookups(size: number, count: number): string[] {
  const log = new ScaleLog({ records: size });
  return randomIds(size, count).map((id) => {
    const { module, version } = log.moduleOf(id);
    return lookupPath(module, version);
  });
}

/** Paths of `count` tiles at random places, of records and of their hashes in turn. */
export function randomTiles(size: number, count: number): string[] {
  const group = (n: number): string => String(n % 1000).padStart(3, '0');
  return randomIds(Math.floor(size / 256), count).map((n, i) => {
    return `/tile/8/${i % 2 === 0 ? 'data' : '0'}/${n >= 1000 ? `x${group(Math.floor(n / 1000))}/` : ''}${group(n)}`;
  });
}

/** By the generator of Park and Miller. */
function randomIds(size: number, count: number): number[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (state * 48_271) % 0x7fff_ffff;
    return Math.floor((state / 0x7fff_ffff) * size);
  });
}
