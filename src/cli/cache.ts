/** `gosumcheck cache`. */

import { GosumError } from '../errors.js';
import { isDamaged } from '../store/failure.js';
import { deleteSqliteFile } from '../store/file.js';
import { visible, visibleJson } from '../report/escape.js';
import { print, say, type Host } from './host.js';
import { cacheFile, openCache, type CacheFlags } from './wire.js';

/** Options of the command line. */
export interface CacheOptions extends CacheFlags {
  readonly all?: boolean;
  readonly format: 'text' | 'json';
}

/** Shows or cleans the cache. */
export async function cacheCommand(host: Host, action: string, options: CacheOptions): Promise<number> {
  const file = cacheFile(host, options);
  if (action === 'path') await print(host, `${file}\n`);
  else if (action === 'clean') await clean(host, file, options.all === true);
  else await stats(host, file, options.format);
  return 0;
}

/** Forgets what can be had again; with `all` the file itself goes, and so does a damaged one. Another program's never does. */
async function clean(host: Host, file: string, all: boolean): Promise<void> {
  try {
    const store = await openCache(host, file);
    try {
      if (store.label === 'memory' && !all) {
        throw new GosumError('STORE_FAILED', `${file}: it cannot be opened here`, { hint: '--all removes the file itself' });
      }
      if (!all) await store.clean();
    } finally {
      await store.close();
    }
    if (!all) {
      await say(host, `${file} is clean`);
      return;
    }
  } catch (error) {
    if (!isDamaged(error)) throw error;
    await say(host, error.message);
  }
  deleteSqliteFile(file);
  await say(host, `${file} is removed`);
}

async function stats(host: Host, file: string, format: CacheOptions['format']): Promise<void> {
  const store = await openCache(host, file);
  const found = await store.stats().finally(() => store.close());
  if (format === 'json') {
    await print(host, visibleJson({ file, ...found }));
    return;
  }
  const lines = [`${file}: ${found.bytes} bytes`];
  for (const { name, newest, heads, records, receipts, tiles, log } of found.databases) {
    lines.push(
      `${visible(name)}: tree of ${newest ?? 0} (${heads} heads), ${records} module versions in ${receipts} receipts, ${tiles} tiles`,
    );
    if (log !== undefined) lines.push(`${visible(name)}: of the whole log ${log.records} records, ${log.indexed} of them indexed`);
  }
  if (found.evidence > 0) lines.push(`evidence of ${found.evidence} forks: see gosumcheck evidence`);
  await print(host, `${lines.join('\n')}\n`);
}
