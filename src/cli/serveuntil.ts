/** Serving until a person ends it: what all commands that serve have in common, whichever databases they serve. */

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Database } from '../contract.js';
import { GosumError } from '../errors.js';
import { ClientLimiter } from '../server/limits.js';
import type { Log } from '../server/log.js';
import type { Metrics } from '../server/metrics.js';
import { makePages, type PagesOptions } from '../server/pages.js';
import { listen, type RunningServer, type ServerOptions, type TlsFiles } from '../server/server.js';
import type { DatabaseStatus, StoreStatus } from '../server/status.js';
import { onAbort } from '../transport/abort.js';
import { fileFailure } from './files.js';
import { packageVersion, print, type Host } from './host.js';
import type { ServeConfig } from './serveconfig.js';
import { accessTeller } from './serveevents.js';
import type { ListenAt } from './servelisten.js';

/** A process among several on one data file. */
export interface Member {
  /** Its number. */
  readonly worker: number;
  /** The metrics of all. */
  readonly metrics: () => Promise<string>;
  /** Told where it listens, instead of the person. */
  readonly listening: (url: string) => void;
}

/** What is served, and what goes with it. */
export interface Served {
  /** The first is served at the root, too. */
  readonly databases: readonly Database[];
  readonly statuses: () => DatabaseStatus[];
  readonly store: () => StoreStatus;
  /** Whether a module's name of a database goes into no log. */
  readonly isPrivate: (database: string, module: string) => boolean;
  /** Called when it listens; gives the end of what that began. */
  readonly begin: () => () => void;
  readonly log: Log;
  readonly metrics: Metrics;
  /** What the pages say besides. */
  readonly pages?: Partial<PagesOptions>;
}

/**
 * Serves until a person ends it, then drains.
 *
 * @throws {GosumError} `CONFIG_INVALID` for an address that cannot be had, or what is no certificate; `FILE_FAILED`.
 */
export async function serveUntilEnd(host: Host, config: ServeConfig, member: Member | undefined, served: Served): Promise<void> {
  const { databases, statuses, log, metrics, isPrivate } = served;
  const tls = await readTls(config);
  let draining = false;
  const pages: PagesOptions = {
    version: packageVersion(),
    dataFile: path.basename(config.data),
    secure: tls !== undefined,
    headAgeAlarm: config.headAgeAlarm,
    startedAt: Date.now(),
    statuses,
    store: served.store,
    draining: () => draining,
    metrics: config.metricsListen === undefined ? metrics.text : undefined,
    ...served.pages,
  };
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
      databases,
      page: makePages(pages),
      tls,
      maxConnections: config.maxConnections,
      admit: limiter === undefined ? undefined : (address) => limiter.admit(address),
      measured: (route, status, took) => metrics.answered(route, status, took),
      access: config.accessLog ? accessTeller(log, isPrivate) : undefined,
      failed,
    });
    servers.unshift(server);
    log.info({ url: server.url }, 'listening');
    if (member === undefined) await print(host, `listening on ${server.url}\n`);
    else member.listening(server.url);
    const stop = [served.begin(), renewOnHangup(config, server, log)];
    await new Promise<void>((resolve) => onAbort(host.interrupted, resolve));
    draining = true;
    log.info('draining');
    for (const end of stop) end();
  } finally {
    // that of the metrics last: until all answers are sent it says that no more are taken
    for (const server of servers) await server.close();
  }
}

function limiterOf({ clientRate, clientBurst, clientQueue }: ServeConfig): ClientLimiter {
  return new ClientLimiter({ rate: clientRate, burst: clientBurst, queue: clientQueue });
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
