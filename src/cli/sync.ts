/** `gosumcheck sync`. */

import { availableParallelism } from 'node:os';
import path from 'node:path';
import { readSettings } from '../config/settings.js';
import type { Source } from '../contract.js';
import { formatHash } from '../core/hash.js';
import type { VerifierKey } from '../core/key.js';
import { DATA_LEVEL, formatTilePath, TILE_WIDTH } from '../core/tile.js';
import { isGosumError, type GosumError } from '../errors.js';
import { followLog } from '../mirror/follow.js';
import { Sync, type Synced } from '../mirror/sync.js';
import { visibleJsonLine, visibleLines } from '../report/escape.js';
import { createProgress, type Progress } from '../report/progress.js';
import { openServerStore } from '../store/server.js';
import { exitCodeOf } from './exitcode.js';
import { givenData } from './files.js';
import { print, sayError, showsProgress, type Host } from './host.js';
import { openWaysOf } from './way.js';

/** Options of the command line. */
export interface SyncCommandOptions {
  readonly data?: string;
  readonly once?: boolean;
  readonly check?: boolean;
  readonly sumdb?: string;
  readonly way?: readonly string[];
  readonly concurrency: number;
  /** Milliseconds. */
  readonly timeout: number;
  readonly poll: number;
  readonly threads?: number;
  readonly format: 'text' | 'json';
  readonly quiet?: boolean;
  readonly progress: boolean;
}

/** Failures that are told by name; more are counted. */
const MOST_TOLD = 20;
/** Damaged data tiles that are told by name. */
const MOST_NAMED = 3;
/** Milliseconds between two lines about the progress, off a terminal. */
const LINES_EVERY = 60_000;
/** More threads would wait for this one, which reads and commits. */
const MOST_THREADS = 8;

/** Syncs a file with its log. Without `--once` until a person ends it, which is exit code 0 as of any service. */
export async function syncCommand(host: Host, options: SyncCommandOptions): Promise<number> {
  const { sumdb, way = [], timeout, concurrency, quiet = false } = options;
  const file = path.resolve(host.cwd, givenData(options.data, 'give --data FILE: it is made where it is not there'));
  const settings = await readSettings({ env: host.env, sumdb: sumdb === undefined ? undefined : { value: sumdb, from: '--sumdb' } });
  const source = openWaysOf(way, '--way', settings, { timeout, concurrency });
  const quietly = quiet || !options.progress;
  const progress = createProgress({ stream: host.stderr, enabled: showsProgress(host, options), linesEvery: quietly || host.stderr.isTTY === true ? undefined : LINES_EVERY });
  try {
    const notice = (text: string, urgent = false): void => {
      if (urgent || !quiet) progress.notice(`gosumcheck: ${text}`);
    };
    for (const warning of settings.warnings) notice(warning);
    return await syncFile(host, { ...options, file, key: settings.sumdb.key, source, notice, line: progress });
  } finally {
    progress.done();
    await source.close();
  }
}

/** What a sync of a file needs. */
interface SyncedFile extends SyncCommandOptions {
  readonly file: string;
  readonly key: VerifierKey;
  readonly source: Source;
  readonly notice: (text: string, urgent?: boolean) => void;
  readonly line: Progress;
}

async function syncFile(host: Host, options: SyncedFile): Promise<number> {
  const { file, key, source, notice, line, once, check = false, concurrency, poll, threads = Math.min(availableParallelism(), MOST_THREADS) } = options;
  const store = await openServerStore({ file, keys: [key], notice, bulk: true });
  try {
    const sync = new Sync({ key, source, store, notice, concurrency, threads, check, progress: line });
    try {
      const told = new Teller(host, options);
      if (once === true) return await told.looked(await sync.look(host.interrupted).catch((error: unknown) => told.unlooked(error)));
      await followLog({
        sync,
        every: poll,
        looked: async (synced) => {
          await told.looked(synced);
        },
        failed: (error) => told.failed(error),
        signal: host.interrupted,
      });
      return 0;
    } finally {
      await sync.close();
    }
  } finally {
    await store.close();
  }
}

/** Tells what came of looks at the log. */
class Teller {
  readonly #host: Host;
  readonly #options: SyncedFile;
  #before: string | undefined;

  constructor(host: Host, options: SyncedFile) {
    this.#host = host;
    this.#options = options;
  }

  /** Tells of a look, where it is news, and gives the exit code. */
  async looked(synced: Synced): Promise<number> {
    const { file, key, format, quiet, line } = this.#options;
    line.hide();
    const { head, records, indexed, failures, failed, gaveUp, damaged, took } = synced;
    const [first] = failures;
    const worst = failures.find(({ outcome }) => outcome === 'unproved') ?? first;
    const exitCode = worst === undefined ? 0 : exitCodeOf(worst);
    const news = JSON.stringify([head.size, indexed, records > 0, damaged !== undefined, failures.map(({ message }) => message)]);
    if (news === this.#before) return exitCode;
    this.#before = news;
    if (format === 'json') {
      const told = failures.slice(0, MOST_TOLD).map(({ code, message, hint }) => ({ code, message, ...(hint === undefined ? {} : { hint }) }));
      const tree = { size: head.size, hash: formatHash(head.hash) };
      await print(this.#host, visibleJsonLine({ file, database: key.name, exitCode, tree, indexed, records, seconds: took / 1000, failed, gaveUp, failures: told, ...(damaged === undefined ? {} : { damaged: { tiles: damaged.tiles.length, pages: damaged.pages.length } }) }));
      return exitCode;
    }
    for (const failure of failures.slice(0, MOST_TOLD)) await sayError(this.#host, failure);
    if (quiet === true && exitCode === 0) return exitCode;
    await print(this.#host, `${visibleLines(textOf(synced, this.#options)).join('\n')}\n`);
    return exitCode;
  }

  /** Tells why a look came to nothing. */
  async failed(error: GosumError): Promise<void> {
    this.#options.line.hide();
    if (this.#before === error.message) return;
    this.#before = error.message;
    await this.#problem(error);
    await sayError(this.#host, error);
  }

  /** Tells a program why the only look came to nothing; a person is told where the command ends. */
  async unlooked(error: unknown): Promise<never> {
    if (isGosumError(error)) await this.#problem(error);
    throw error;
  }

  async #problem(error: GosumError): Promise<void> {
    const { file, key, format } = this.#options;
    const { code, message } = error;
    if (format === 'json') await print(this.#host, visibleJsonLine({ file, database: key.name, exitCode: exitCodeOf(error), problem: { code, message } }));
  }
}

function textOf({ head, records, indexed, failed, gaveUp, damaged, took }: Synced, { file, key }: SyncedFile): string {
  const seconds = took / 1000;
  const rate = seconds < 1 ? '' : ` in ${Math.round(seconds)} s, ${Math.round(records / seconds)} a second`;
  const words = [`${file}: ${key.name}, tree of ${head.size} records, ${formatHash(head.hash)}`, `new: ${records} records${rate}`];
  if (damaged !== undefined) {
    const { tiles, pages } = damaged;
    const names = tiles.slice(0, MOST_NAMED).map((n) => formatTilePath({ level: DATA_LEVEL, n, width: TILE_WIDTH }));
    const named = names.length === 0 ? '' : ` (${names.join(', ')}${tiles.length > names.length ? ', …' : ''})`;
    const what = `${tiles.length} data tiles${named} and ${pages.length} pages of the index were not as they were written`;
    words.push(tiles.length + pages.length === 0 ? 'checked: all that was kept was as it was written' : `checked: ${what}${failed > 0 ? '' : ', and are made anew'}`);
  }
  if (failed > 0) {
    words.push(`${failed} tiles could not be had, ${indexed} records from the beginning on are complete`);
    if (gaveUp) words.push('too many failed in a row: it was given up; run again, it goes on where it was');
  } else {
    words.push('all of it is proved and kept');
  }
  return words.join('\n');
}
