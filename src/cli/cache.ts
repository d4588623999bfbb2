/** `gosumcheck cache`. */

import { rm } from 'node:fs/promises';
import { isGosumError } from '../errors.js';
import { failed } from './inputs.js';
import { write, type Host } from './host.js';
import { cacheFile, openCache, type CacheFlags } from './wire.js';

/** Options of the command line. */
export interface CacheOptions extends CacheFlags {
  readonly all?: boolean;
  readonly format: 'text' | 'json';
}

/** Shows or cleans the cache. */
export async function cacheCommand(host: Host, action: string, options: CacheOptions): Promise<number> {
  const file = cacheFile(host, options);
  if (action === 'path') await write(host.stdout, `${file}\n`);
  else if (action === 'clean') await clean(host, file, options.all === true);
  else await stats(host, file, options.format);
  return 0;
}

/** Forgets what can be had again. A file that is damaged, or with `all` any, is removed. */
async function clean(host: Host, file: string, all: boolean): Promise<void> {
  if (!all) {
    try {
      const store = await openCache(host, file);
      await store.clean();
      await store.close();
      await write(host.stderr, `gosumcheck: ${file} is clean\n`);
      return;
    } catch (error) {
      if (!isGosumError(error, 'STORE_FAILED')) throw error;
      await write(host.stderr, `gosumcheck: ${error.message}\n`);
    }
  }
  try {
    // SQLite's journals hold parts of the file: they go with it.
    for (const suffix of ['', '-journal', '-wal', '-shm']) await rm(file + suffix, { force: true });
  } catch (cause) {
    throw failed(file, cause);
  }
  await write(host.stderr, `gosumcheck: ${file} is removed\n`);
}

async function stats(host: Host, file: string, format: CacheOptions['format']): Promise<void> {
  const store = await openCache(host, file);
  const found = await store.stats();
  await store.close();
  if (format === 'json') {
    await write(host.stdout, `${JSON.stringify({ file, ...found }, undefined, 2)}\n`);
    return;
  }
  const lines = [`${file}: ${found.bytes} bytes`];
  for (const { name, newest, heads, records, receipts, tiles } of found.databases) {
    lines.push(
      `${name}: tree of ${newest ?? 0} (${heads} heads), ${records} module versions in ${receipts} receipts, ${tiles} tiles`,
    );
  }
  if (found.evidence > 0) lines.push(`evidence of ${found.evidence} forks: see gosumcheck evidence`);
  await write(host.stdout, `${lines.join('\n')}\n`);
}
