/** `gosumcheck modcache`, and what of it `verify --modcache` uses. */

import { statSync } from 'node:fs';
import path from 'node:path';
import type { GoSumLine } from '../core/gosum.js';
import { GosumError } from '../errors.js';
import type { Settings } from '../config/settings.js';
import type { CacheCheck, CacheOptions } from '../modcache/check.js';
import { runChecks } from '../verify/run.js';
import { fileFailure } from './files.js';
import type { Host } from './host.js';
import { checkReportFiles } from './reportfiles.js';
import { reportRun, type ReportingOptions } from './reporting.js';
import { withDatabase, type DatabaseOptions, type OpenDatabase } from './wire.js';

/** Options of the command line. */
export interface ModcacheOptions extends DatabaseOptions, ReportingOptions {
  readonly fresh?: boolean;
  readonly allowAllSkipped?: boolean;
  readonly quiet?: boolean;
}

/**
 * Checks a module cache and prints the reports.
 *
 * @param given the cache's folder, as a person named it; by default GOMODCACHE.
 */
export async function modcacheCommand(host: Host, given: string | undefined, options: ModcacheOptions): Promise<number> {
  await checkReportFiles(host.cwd, options.report ?? []);
  const { run, privateModules } = await withCacheCheck(host, options, async (open, begin) => {
    const { db, settings, signal } = open;
    const folder = given === undefined ? cacheFolder(settings) : path.resolve(host.cwd, given);
    checkIsFolder(folder, given ?? folder);
    const check = await begin(folder, open);
    if (check.counts.modules === 0) {
      throw new GosumError('NOTHING_TO_CHECK', `${given ?? folder}: no module version in this module cache`, {
        hint: 'it has a folder cache/download where the go command has downloaded anything; see go env GOMODCACHE',
      });
    }
    const { fresh, allowAllSkipped } = options;
    const run = await runChecks(db, [check], { fresh, allowAllSkipped, signal });
    return { run: { ...run, modcache: check.counts }, privateModules: settings.privateModules };
  });
  return reportRun(host, options, run, privateModules);
}

/** Begins the check of a cache; called again, as it is where the run goes on without gosumcheck's own cache, it gives the same. */
export type Begin = (folder: string, open: OpenDatabase, lines?: readonly GoSumLine[]) => Promise<CacheCheck>;

/** As `withDatabase`, with a check that ends when the work does: hashing does not go on behind a run that failed. */
export async function withCacheCheck<T>(
  host: Host,
  options: DatabaseOptions,
  work: (open: OpenDatabase, begin: Begin) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  let check: Promise<CacheCheck> | undefined;
  const begin: Begin = (folder, { settings, signal, progress }, lines) =>
    (check ??= checkOf(folder, {
      skippedBy: (module) => settings.privateModules.skippedBy(module),
      lines,
      progress,
      signal: AbortSignal.any([signal, ended.signal]),
    }));
  try {
    return await withDatabase(host, options, (open) => work(open, begin));
  } finally {
    ended.abort();
  }
}

/** Loaded when it is asked for: a run of `verify` alone does not pay for it. */
async function checkOf(folder: string, options: CacheOptions): Promise<CacheCheck> {
  return (await import('../modcache/check.js')).checkOfCache(folder, options);
}

/** GOMODCACHE. @throws {GosumError} `CONFIG_INVALID` where there is no such folder by any setting. */
export function cacheFolder({ folders }: Settings): string {
  if (folders.gomodcache !== undefined) return folders.gomodcache;
  throw new GosumError('CONFIG_INVALID', 'neither GOMODCACHE nor GOPATH names a module cache', {
    hint: 'name its folder: gosumcheck modcache DIR, or set GOMODCACHE',
  });
}

function checkIsFolder(folder: string, name: string): void {
  try {
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
  } catch (cause) {
    throw fileFailure(name, cause);
  }
}
