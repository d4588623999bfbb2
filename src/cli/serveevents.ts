/** What happens in a mirror and its server, told to the log and the metrics. */

import type { Source } from '../contract.js';
import { formatModuleVersion } from '../core/module.js';
import { formatModulePaths } from '../core/modulepaths.js';
import { formatTilePath } from '../core/tile.js';
import { isGosumError } from '../errors.js';
import type { MirrorEvent } from '../mirror/mirror.js';
import type { Log } from '../server/log.js';
import type { Metrics } from '../server/metrics.js';
import { headAge } from '../server/pages.js';
import type { Access } from '../server/server.js';
import type { DatabaseStatus } from '../server/status.js';

/** Tells log and metrics what happens in the mirror of `database`. */
export function mirrorTeller(database: string, log: Log, metrics: Metrics): (event: MirrorEvent) => void {
  return (event) => {
    switch (event.kind) {
      case 'answer':
        metrics.found(event.of, event.layer);
        break;
      case 'head':
        if (event.grown) log.info({ database, size: event.head.size }, 'tree head moved');
        break;
      case 'upstream':
        if (event.failure === undefined) log.info({ database }, 'upstream answers again');
        else log.warn({ database, code: event.failure.code, error: event.failure.message }, 'upstream fails');
        break;
      case 'unproved':
        metrics.unproved(event.error.code);
        log.warn({ database, code: event.error.code, error: event.error.message }, 'upstream gave an answer that is not proved');
        break;
      case 'fork':
        log.error({ database, error: event.error.message }, 'FORK: the log contradicts itself; see gosumcheck evidence');
        break;
    }
  };
}

/** A source whose reads are counted. */
export function countedSource(source: Source, metrics: Pick<Metrics, 'read'>): Source {
  return {
    get label() {
      return source.label;
    },
    async read(path, options) {
      try {
        const bytes = await source.read(path, options);
        metrics.read(source.label, bytes === undefined ? 'none' : 'ok');
        return bytes;
      } catch (error) {
        metrics.read(source.label, isGosumError(error) ? error.outcome : 'mistake');
        throw error;
      }
    },
    close: () => source.close(),
  };
}

/** Logs each request: never its query, and no private module's name. */
export function accessTeller(log: Log, isPrivate: (database: string, module: string) => boolean): (access: Access) => void {
  return ({ id, trace, method, route, database, asked, status, bytes, took, client }) => {
    const what = database === undefined || asked === undefined ? {} : { database, ...thingOf(database) };
    const ms = Math.round(took * 1000) / 1000;
    log.info({ request: id, ...(trace === undefined ? {} : { trace }), method, route, ...what, status, bytes, ms, client }, 'request');

    function thingOf(name: string): { module?: string; tile?: string; feed?: string } {
      if (asked?.kind === 'tile') return { tile: formatTilePath(asked.tile) };
      if (asked?.kind === 'feed') return isPrivate(name, asked.paths.path) ? {} : { feed: formatModulePaths(asked.paths) };
      if (asked?.kind !== 'lookup' || isPrivate(name, asked.module)) return {};
      return { module: formatModuleVersion(asked.module, asked.version) };
    }
  };
}

/** Says once when a head was not verified for too long, and once when one is again. */
export class HeadAlarm {
  readonly #limit: number;
  readonly #startedAt: number;
  readonly #log: Log;
  readonly #raised = new Set<string>();

  /** @param limit in milliseconds. */
  constructor(limit: number, startedAt: number, log: Log) {
    this.#limit = limit;
    this.#startedAt = startedAt;
    this.#log = log;
  }

  /** Looks at the databases as they are now. */
  look(statuses: readonly DatabaseStatus[], now: number = Date.now()): void {
    for (const status of statuses) {
      const { name } = status;
      const age = headAge(status, this.#startedAt, now);
      if (age > this.#limit === this.#raised.has(name)) continue;
      if (age > this.#limit) {
        this.#raised.add(name);
        this.#log.warn({ database: name, seconds: Math.floor(age / 1000) }, 'ALARM: no tree head was verified for too long');
      } else {
        this.#raised.delete(name);
        this.#log.info({ database: name }, 'a tree head was verified again');
      }
    }
  }
}
