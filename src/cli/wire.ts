/** Wiring: from options and settings to a client with its source, caches and store. */

import path from 'node:path';
import type { Source, Store } from '../contract.js';
import { GosumError, isGosumError } from '../errors.js';
import { SumDB } from '../client/sumdb.js';
import { accuses } from '../core/fork.js';
import type { VerifierKey } from '../core/key.js';
import { openTreeHead } from '../core/treehead.js';
import { defaultCacheFile } from '../config/options.js';
import { readSettings, type Settings } from '../config/settings.js';
import { createProgress, type Progress } from '../report/progress.js';
import { openMemoryStore } from '../store/memory.js';
import { openStore } from '../store/open.js';
import { openGoCache } from '../transport/gocache.js';
import { openRemote } from '../transport/remote.js';
import { fileFailure, readUpTo } from './files.js';
import { packageVersion, say, showsProgress, type Host } from './host.js';

/** The most bytes of a trusted head. */
const HEAD_LIMIT = 64 * 1024;

/** Where the cache is. */
export interface CacheFlags {
  /** A file; `false` for none. */
  readonly cache?: string | false;
}

/** Options that every command has which asks a database. */
export interface DatabaseOptions extends CacheFlags {
  /** A value of GOSUMDB that goes before it. */
  readonly sumdb?: string;
  /** A file with a signed note. */
  readonly trustedHead?: string;
  readonly offline?: boolean;
  /** By default the transport's own. */
  readonly concurrency?: number;
  /** Milliseconds. */
  readonly timeout: number;
  /** Milliseconds. */
  readonly deadline?: number;
  readonly progress: boolean;
  readonly quiet?: boolean;
}

/** An open database, and what goes with it. */
export interface OpenDatabase {
  readonly db: SumDB;
  readonly settings: Settings;
  /** Aborted by a person, or at the deadline. */
  readonly signal: AbortSignal;
  /** The line that shows how far the work is. */
  readonly progress: Progress;
}

/**
 * Opens the database, has `work` done with it, and closes it.
 *
 * A cache that cannot be opened or read is gone on without, with a notice: it can only save time.
 */
export async function withDatabase<T>(
  host: Host,
  options: DatabaseOptions,
  work: (open: OpenDatabase) => Promise<T>,
): Promise<T> {
  const { sumdb, deadline } = options;
  const settings = await readSettings({
    env: host.env,
    sumdb: sumdb === undefined ? undefined : { value: sumdb, from: '--sumdb' },
  });
  const progress = createProgress({ stream: host.stderr, enabled: showsProgress(host, options) });
  const alarm = (text: string): void => progress.notice(`gosumcheck: ${text}`);
  const notice = (text: string, urgent = false): void => {
    if (urgent || options.quiet !== true) alarm(text);
  };
  const limit = deadline === undefined ? undefined : deadlineSignal(deadline);
  const signal = limit === undefined ? host.interrupted : AbortSignal.any([host.interrupted, limit.signal]);
  const source = openSource(settings, options);
  try {
    for (const warning of settings.warnings) notice(warning);
    const { key, name } = settings.sumdb;
    const trustedHead = await readTrustedHead(host, options, key);
    const caches = [openGoCache(settings.folders, name)];
    const workWith = async (store: Store): Promise<T> => {
      const db = new SumDB({ key, source, caches, store, trustedHead, notice, progress });
      const result = await work({ db, settings, signal, progress });
      if (store.label === 'memory' && (await store.evidence()).length > 0) {
        alarm('there is no cache to keep the evidence of the fork in: keep what is printed here');
      }
      return result;
    };
    const store = await openStoreFor(host, options, notice);
    try {
      await noticeEvidence(store, key, alarm);
      return await workWith(store);
    } catch (error) {
      if (!isGosumError(error, 'STORE_FAILED')) throw error;
      notice(goingOn(error));
      return await workWith(openMemoryStore());
    } finally {
      await store.close();
    }
  } finally {
    limit?.cancel();
    progress.done();
    await source.close();
  }
}

/** The cache's file. @throws {GosumError} `CONFIG_INVALID` where there is no default place. */
export function cacheFile(host: Host, { cache }: CacheFlags): string {
  const file = typeof cache === 'string' ? path.resolve(host.cwd, cache) : defaultCacheFile(host.env);
  if (file !== undefined) return file;
  throw new GosumError('CONFIG_INVALID', 'this system names no folder for caches', { hint: 'give --cache FILE' });
}

/** Opens the cache as it is, for commands about the cache itself. @throws {GosumError} `STORE_FAILED`. */
export async function openCache(host: Host, file: string): Promise<Store> {
  const { store, notice } = await openStore({ file });
  if (notice !== undefined) await say(host, notice);
  return store;
}

/** Opens the way to the database. */
export function openSource(
  settings: Settings,
  { timeout, concurrency, deadline, offline }: Pick<DatabaseOptions, 'timeout' | 'concurrency' | 'deadline' | 'offline'>,
): Source {
  const { env, sumdb, proxies, httpProxy, auth } = settings;
  return openRemote({
    env,
    sumdb,
    proxies,
    httpProxy,
    logins: auth.logins,
    offline: offline === true,
    userAgent: `gosumcheck/${packageVersion()}`,
    timeout,
    ...(concurrency === undefined ? {} : { concurrency }),
    deadline: deadline === undefined ? undefined : Date.now() + deadline,
  });
}

async function openStoreFor(host: Host, options: DatabaseOptions, notice: (text: string) => void): Promise<Store> {
  if (options.cache === false) return openMemoryStore();
  try {
    const opened = await openStore({ file: cacheFile(host, options) });
    if (opened.notice !== undefined) notice(opened.notice);
    return opened.store;
  } catch (error) {
    if (!isGosumError(error, 'STORE_FAILED', 'CONFIG_INVALID')) throw error;
    notice(goingOn(error));
    return openMemoryStore();
  }
}

async function readTrustedHead(
  host: Host,
  { trustedHead }: DatabaseOptions,
  key: VerifierKey,
): Promise<Uint8Array | undefined> {
  if (trustedHead === undefined) return undefined;
  const name = `--trusted-head ${trustedHead}`;
  let note: Uint8Array;
  try {
    note = await readUpTo(path.resolve(host.cwd, trustedHead), HEAD_LIMIT, host.interrupted);
  } catch (cause) {
    throw fileFailure(name, cause);
  }
  try {
    openTreeHead(note, key);
  } catch (cause) {
    if (!isGosumError(cause)) throw cause;
    // It is a setting, not an answer: that it does not authenticate says nothing of the log.
    throw new GosumError('CONFIG_INVALID', `${name}: no tree head signed by ${key.name}: ${cause.message}`, {
      cause,
      hint: '`gosumcheck head` makes such a file',
    });
  }
  return note;
}

/** A fork stays visible until a person clears it. What proves none was not written by us: it accuses nobody. */
async function noticeEvidence(store: Store, key: VerifierKey, alarm: (text: string) => void): Promise<void> {
  const proved = (await store.evidence()).find((evidence) => accuses(evidence, key));
  if (proved !== undefined) alarm(`${key.name} was seen to misbehave at ${proved.foundAt}: see gosumcheck evidence`);
}

function deadlineSignal(milliseconds: number): { signal: AbortSignal; cancel: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new GosumError('TIMEOUT', `the deadline of ${milliseconds / 1000} s has passed`));
  }, milliseconds);
  return { signal: controller.signal, cancel: () => clearTimeout(timer) };
}

function goingOn(error: GosumError): string {
  return `${error.message}; going on without the cache${error.hint === undefined ? '' : ` (${error.hint})`}`;
}
