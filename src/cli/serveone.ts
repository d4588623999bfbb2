/** One process of `gosumcheck serve`. */

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Store } from '../contract.js';
import { GosumError } from '../errors.js';
import { checkWays, startPoll } from '../mirror/poll.js';
import { ClientLimiter } from '../server/limits.js';
import { openLog, type Log } from '../server/log.js';
import { openMetrics } from '../server/metrics.js';
import { makePages, type PagesOptions } from '../server/pages.js';
import { listen, type RunningServer, type ServerOptions, type TlsFiles } from '../server/server.js';
import type { DatabaseStatus } from '../server/status.js';
import { openServerStore } from '../store/server.js';
import { onAbort } from '../transport/abort.js';
import { fileFailure } from './files.js';
import { packageVersion, print, type Host } from './host.js';
import type { ServeConfig } from './serveconfig.js';
import { openDatabases, readDatabases, type ServedDatabase } from './servedatabase.js';
import type { ListenAt } from './servelisten.js';
import { accessTeller, HeadAlarm } from './serveevents.js';

/** A process among several on one data file. */
export interface Member {
  /** Its number. */
  readonly worker: number;
  /** The metrics of all. */
  readonly metrics: () => Promise<string>;
  /** Told where it listens, instead of the person. */
  readonly listening: (url: string) => void;
}

/** Serves until a person ends it. Exit code 0. */
export async function serveOne(host: Host, config: ServeConfig, member?: Member): Promise<number> {
  const startedAt = Date.now();
  const log = openLog(host.stderr, config.logLevel, member === undefined ? {} : { worker: member.worker, pid: process.pid });
  const tls = await readTls(config);
  let databases: readonly ServedDatabase[] = [];
  const statuses = (): DatabaseStatus[] => databases.map(statusOf);
  const wanted = await readDatabases(host, config);
  const keys = wanted.map(({ settings }) => settings.sumdb.key);
  const store = await openServerStore({ file: config.data, keys, notice: (text, urgent) => (urgent ? log.error(text) : log.warn(text)) });
  const metrics = await openMetrics({ version: packageVersion(), statuses, store: () => store.health, all: member?.metrics });
  try {
    databases = await openDatabases(wanted, config, { store, log, metrics });
    let draining = false;
    const pages: PagesOptions = {
      version: packageVersion(),
      dataFile: path.basename(config.data),
      secure: tls !== undefined,
      headAgeAlarm: config.headAgeAlarm,
      startedAt,
      statuses,
      store: () => store.health,
      draining: () => draining,
      metrics: config.metricsListen === undefined ? metrics.text : undefined,
      feeds: (name) => byName.get(name)?.mirror.hasFeeds() ?? Promise.resolve(false),
    };
    const byName = new Map(databases.map((database) => [database.mirror.name, database]));
    const limiter = config.clientRate === 0 ? undefined : limiterOf(config);
    const failed = (error: unknown): void => log.error({ error: error instanceof Error ? error.stack : String(error) }, 'a mistake in gosumcheck itself, please report it');
    const servers: RunningServer[] = [];
    try {
      const { metricsListen } = config;
      if (metricsListen !== undefined) {
        const server = await listenAt('metrics-listen', metricsListen, { databases: [], page: makePages({ ...pages, metrics: metrics.text }), failed });
        servers.push(server);
        log.info({ url: server.url }, 'metrics');
      }
      const server = await listenAt('listen', config.listen, {
        databases: databases.map(({ mirror }) => mirror),
        page: makePages(pages),
        tls,
        maxConnections: config.maxConnections,
        admit: limiter === undefined ? undefined : (address) => limiter.admit(address),
        measured: (route, status, took) => metrics.answered(route, status, took),
        access: config.accessLog ? accessTeller(log, (name, module) => byName.get(name)?.isPrivate(module) !== false) : undefined,
        failed,
      });
      servers.unshift(server);
      log.info({ url: server.url }, 'listening');
      if (member === undefined) await print(host, `listening on ${server.url}\n`);
      else member.listening(server.url);
      const stop = [keepLooking(config, databases, store, log), renewOnHangup(config, server, log)];
      await new Promise<void>((resolve) => onAbort(host.interrupted, resolve));
      draining = true;
      log.info('draining');
      for (const end of stop) end();
    } finally {
      // that of the metrics last: until all answers are sent it says that no more are taken
      for (const server of servers) await server.close();
    }
    return 0;
  } finally {
    for (const { source } of databases) await source.close();
    for (const { mirror } of databases) await mirror.idle();
    await store.close();
    log.info('ended');
  }
}

function statusOf({ mirror, gosumdb, source }: ServedDatabase): DatabaseStatus {
  const ways = source.states.map(({ label, state, failure }) => ({ label, inService: state === 'closed', failure }));
  return { name: mirror.name, gosumdb, ...mirror.state, ways };
}

function limiterOf({ clientRate, clientBurst, clientQueue }: ServeConfig): ClientLimiter {
  return new ClientLimiter({ rate: clientRate, burst: clientBurst, queue: clientQueue });
}

/** Looks for newer heads, at once and from time to time, and at how old those are that there are. */
function keepLooking(config: ServeConfig, databases: readonly ServedDatabase[], store: Store, log: Log): () => void {
  const alarm = new HeadAlarm(config.headAgeAlarm, Date.now(), log);
  const ends = databases.map(({ mirror, key, source }) => {
    const failed = (error: unknown): void => log.error({ database: mirror.name, error: String(error) }, 'looking for a newer tree head failed');
    mirror.refresh().catch(failed);
    return startPoll({ mirror, every: config.poll, then: () => checkWays(source.each, { key, store }), failed });
  });
  const watch = setInterval(() => alarm.look(databases.map(statusOf)), Math.min(60_000, Math.ceil(config.headAgeAlarm / 4)));
  return () => {
    for (const end of ends) end();
    clearInterval(watch);
  };
}

/** @throws {GosumError} `CONFIG_INVALID` for an address that cannot be had. */
async function listenAt(key: string, { host, port }: ListenAt, options: ServerOptions): Promise<RunningServer> {
  try {
    return await listen(host, port, options);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    throw new GosumError('CONFIG_INVALID', `${key} ${host}:${port}: ${code === 'EADDRINUSE' ? 'the address is in use' : code}`, { cause });
  }
}

/** @throws {GosumError} `FILE_FAILED`; `CONFIG_INVALID` for what is no certificate, or no key of it. */
async function readTls({ tls }: ServeConfig): Promise<TlsFiles | undefined> {
  if (tls === undefined) return undefined;
  const read = (file: string): Promise<Uint8Array> => readFile(file).catch((cause: unknown) => Promise.reject(fileFailure(file, cause)));
  const cert = Buffer.from(await read(tls.cert));
  const key = Buffer.from(await read(tls.key));
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : '';
    throw new GosumError('CONFIG_INVALID', `tls-cert ${tls.cert}, tls-key ${tls.key}: no certificate in PEM and its key: ${detail}`, { cause });
  }
  return { cert, key };
}

/** Reads the certificate again when the process is told to. One that cannot be read, or is none, is not taken. */
function renewOnHangup(config: ServeConfig, server: RunningServer, log: Log): () => void {
  if (config.tls === undefined) return () => undefined;
  const renew = async (): Promise<void> => {
    try {
      const files = await readTls(config);
      if (files !== undefined) server.renew(files);
      log.info('the certificate was read again');
    } catch (error) {
      log.error({ error: error instanceof Error ? error.message : String(error) }, 'the certificate stays as it was');
    }
  };
  const onHangup = (): void => void renew();
  process.on('SIGHUP', onHangup);
  return () => process.off('SIGHUP', onHangup);
}
