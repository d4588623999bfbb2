/** One process of `gosumcheck serve`. */

import type { Store } from '../contract.js';
import { checkWays, startPoll } from '../mirror/poll.js';
import { openLog, type Log } from '../server/log.js';
import { openMetrics } from '../server/metrics.js';
import type { DatabaseStatus } from '../server/status.js';
import { openServerStore } from '../store/server.js';
import { packageVersion, type Host } from './host.js';
import type { ServeConfig } from './serveconfig.js';
import { openDatabases, readDatabases, type ServedDatabase } from './servedatabase.js';
import { HeadAlarm } from './serveevents.js';
import { serveUntilEnd, type Member } from './serveuntil.js';

/** Serves until a person ends it. Exit code 0. */
export async function serveOne(host: Host, config: ServeConfig, member?: Member): Promise<number> {
  const log = openLog(host.stderr, config.logLevel, member === undefined ? {} : { worker: member.worker, pid: process.pid });
  let databases: readonly ServedDatabase[] = [];
  const statuses = (): DatabaseStatus[] => databases.map(statusOf);
  const wanted = await readDatabases(host, config);
  const keys = wanted.map(({ settings }) => settings.sumdb.key);
  const store = await openServerStore({ file: config.data, keys, notice: (text, urgent) => (urgent ? log.error(text) : log.warn(text)) });
  const metrics = await openMetrics({ version: packageVersion(), statuses, store: () => store.health, all: member?.metrics });
  try {
    databases = await openDatabases(wanted, config, { store, log, metrics });
    const byName = new Map(databases.map((database) => [database.mirror.name, database]));
    await serveUntilEnd(host, config, member, {
      databases: databases.map(({ mirror }) => mirror),
      statuses,
      store: () => store.health,
      isPrivate: (name, module) => byName.get(name)?.isPrivate(module) !== false,
      pages: { feeds: (name) => byName.get(name)?.mirror.hasFeeds() ?? Promise.resolve(false) },
      begin: () => keepLooking(config, databases, store, log),
      log,
      metrics,
    });
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
