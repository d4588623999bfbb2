/** `gosumcheck log serve` and `log export`: what is published in a log's data file, over HTTP and as a folder. */

import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { GosumError, isGosumError } from '../errors.js';
import { LogDatabase } from '../log/database.js';
import { exportLog } from '../log/export.js';
import { visibleJson } from '../report/escape.js';
import { createProgress } from '../report/progress.js';
import { openLog, type Log } from '../server/log.js';
import { openMetrics } from '../server/metrics.js';
import type { DatabaseStatus, StoreStatus } from '../server/status.js';
import { packageVersion, print, showsProgress, type Host } from './host.js';
import { nameIn, withStore, type DataFlags } from './logopen.js';
import { readServeConfig, type ServeOptions } from './serveconfig.js';
import { serveUntilEnd } from './serveuntil.js';

/** Options of `log serve`: those of `serve` that are not of a way upstream. */
export type LogServeOptions = Pick<ServeOptions, 'data' | 'listen' | 'metricsListen' | 'logLevel' | 'accessLog' | 'tlsCert' | 'tlsKey' | 'maxConnections'>;

/** Options of `log export`. */
export interface LogExportOptions extends DataFlags {
  readonly progress: boolean;
  readonly quiet?: boolean;
  readonly format: 'text' | 'json';
}

/** Milliseconds between two looks at the log, for the pages of a server that nobody asks: what is asked for is read each time. */
const LOOK = 1000;
const ABOUT = {
  title: 'A checksum database',
  text: 'An append-only, signed log of the hashes of modules. The go command checks by it that a module version is the same for everybody.',
};

/** Serves the log until a person ends it. It needs no key, and shows what `log add` publishes meanwhile. Exit code 0. */
export async function logServeCommand(host: Host, options: LogServeOptions): Promise<number> {
  const config = await readServeConfig(host, options);
  return withStore(host, { data: config.data }, async (store) => {
    const log = openLog(host.stderr, config.logLevel);
    const database = new LogDatabase(store, await nameIn(store));
    await database.head();
    const watched = new Watched(database, log);
    const health: StoreStatus = { refused: 0, setAside: 0, unkept: 0, failure: undefined };
    const statuses = (): DatabaseStatus[] => [watched.status];
    const metrics = await openMetrics({ version: packageVersion(), statuses, store: () => health });
    const begin = (): (() => void) => {
      const timer = setInterval(() => void watched.look(), LOOK);
      return () => clearInterval(timer);
    };
    await serveUntilEnd(host, config, undefined, { databases: [database], statuses, store: () => health, isPrivate: () => false, begin, log, metrics, pages: { about: ABOUT } });
    log.info('ended');
    return 0;
  });
}

/** Writes the log out as files. */
export async function logExportCommand(host: Host, folder: string, options: LogExportOptions): Promise<number> {
  const root = path.resolve(host.cwd, folder);
  const progress = createProgress({ stream: host.stderr, enabled: showsProgress(host, options) });
  try {
    const { key, ...exported } = await withStore(host, options, async (store) => {
      const name = await nameIn(store);
      return { key: await new LogDatabase(store, name).key(), ...(await exportLog(store, name, root, { signal: host.interrupted, progress })) };
    });
    progress.hide();
    const gosumdb = `${key} ${pathToFileURL(exported.folder).href}`;
    if (options.format === 'json') await print(host, visibleJson({ ...exported, gosumdb }));
    else await print(host, `tree of ${exported.size}, files written: ${exported.written}\nGOSUMDB="${gosumdb}"\n`);
    return 0;
  } finally {
    progress.done();
  }
}

/** How the log is, for the pages and metrics of its server. */
class Watched {
  readonly #database: LogDatabase;
  readonly #log: Log;
  #readAt: number = Date.now();
  #grownAt: number = Date.now();
  #size: number | undefined;
  #failure: GosumError | undefined;

  /** @param database whose head was read. */
  constructor(database: LogDatabase, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  get status(): DatabaseStatus {
    const { name, seen } = this.#database;
    if (this.#size !== seen?.head.size) this.#grownAt = Date.now();
    this.#size = seen?.head.size;
    return { name, gosumdb: seen?.key ?? '', head: seen?.head, verifiedAt: this.#readAt, grownAt: this.#grownAt, failure: this.#failure, forked: false, ways: [] };
  }

  /** Reads the newest head, which another process may have published. What goes wrong is said once. */
  async look(): Promise<void> {
    try {
      await this.#database.head();
      this.#readAt = Date.now();
      this.#failure = undefined;
    } catch (error) {
      const failure = isGosumError(error) ? error : new GosumError('STORE_FAILED', String(error), { cause: error });
      if (failure.message !== this.#failure?.message) this.#log.error({ code: failure.code, error: failure.message }, 'the data file cannot be read');
      this.#failure = failure;
    }
  }
}
