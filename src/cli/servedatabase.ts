/** One database of `gosumcheck serve`: its settings, the way to it, and its mirror. */

import { SUM_GOLANG_ORG } from '../config/sumdb.js';
import { readSettings, type Settings } from '../config/settings.js';
import type { Store } from '../contract.js';
import { formatVerifierKey, type VerifierKey } from '../core/key.js';
import { patternMatcher } from '../core/pattern.js';
import { GosumError } from '../errors.js';
import { Mirror, type MirrorOptions } from '../mirror/mirror.js';
import type { Ways } from '../mirror/ways.js';
import type { Log } from '../server/log.js';
import type { Metrics } from '../server/metrics.js';
import type { Host } from './host.js';
import type { DatabaseConfig, ServeConfig } from './serveconfig.js';
import { countedSource, mirrorTeller } from './serveevents.js';
import { openWaysOf } from './way.js';

/** A database that is served. */
export interface ServedDatabase {
  readonly mirror: Mirror;
  readonly key: VerifierKey;
  readonly source: Ways;
  /** What GOSUMDB calls it: a name that the go command knows, or its whole key. */
  readonly gosumdb: string;
  /** Whether the module's name goes nowhere. */
  readonly isPrivate: (module: string) => boolean;
}

/** What goes with all databases of a process. */
export interface Around {
  readonly store: Store;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** One database as it is to be served, and the settings that follow from that. */
export interface WantedDatabase {
  readonly config: DatabaseConfig;
  readonly settings: Settings;
}

/**
 * Reads the settings of all databases.
 *
 * @throws {GosumError} `CONFIG_INVALID` for a setting that is malformed, or two databases of one name; `SUMDB_OFF`.
 */
export async function readDatabases(host: Host, { databases }: ServeConfig): Promise<WantedDatabase[]> {
  const wanted: WantedDatabase[] = [];
  for (const config of databases) {
    const settings = await settingsOf(host, config);
    const { name } = settings.sumdb;
    if (wanted.some((other) => other.settings.sumdb.name === name)) {
      throw new GosumError('CONFIG_INVALID', `${config.sumdb?.from ?? ''}: ${name} stands twice`, { hint: 'give one [[database]] several ways instead' });
    }
    wanted.push({ config, settings });
  }
  return wanted;
}

/**
 * Opens all databases, and takes up what is kept of them.
 *
 * @throws {GosumError} `CONFIG_INVALID` for a malformed way; `STORE_FAILED`, `KEY_CHANGED`.
 */
export async function openDatabases(wanted: readonly WantedDatabase[], config: ServeConfig, around: Around): Promise<ServedDatabase[]> {
  const opened: ServedDatabase[] = [];
  try {
    for (const each of wanted) {
      const database = openDatabase(each.settings, config, each.config, around);
      opened.push(database);
      await database.mirror.open();
    }
    return opened;
  } catch (error) {
    for (const { source } of opened) await source.close();
    throw error;
  }
}

async function settingsOf(host: Host, { sumdb, ways }: DatabaseConfig): Promise<Settings> {
  const settings = await readSettings({ env: host.env, sumdb });
  if (ways !== undefined && settings.sumdb.url !== undefined) {
    throw new GosumError('CONFIG_INVALID', `${settings.sumdb.source}: a URL stands here, and ways beside it`, { hint: 'move the URL into `ways`' });
  }
  return settings;
}

function openDatabase(settings: Settings, config: ServeConfig, database: DatabaseConfig, { store, log, metrics }: Around): ServedDatabase {
  const { key, name, source: from } = settings.sumdb;
  const { timeout } = config;
  const notice = (text: string): void => log.warn({ database: name }, text);
  for (const warning of settings.warnings) notice(warning);
  const source = openWaysOf(database.ways ?? [], from, settings, { timeout, around: (way) => countedSource(way, metrics) });
  const skippedBy: NonNullable<MirrorOptions['skippedBy']> =
    database.private === undefined ? (module) => settings.privateModules.skippedBy(module) : patternMatcher(database.private.join(','));
  const mirror = new Mirror({ key, source, store, notice, skippedBy, memory: config.memory, told: mirrorTeller(name, log, metrics) });
  const vkey = formatVerifierKey(key);
  return { mirror, key, source, gosumdb: vkey === SUM_GOLANG_ORG ? name : vkey, isPrivate: (module) => skippedBy(module) !== undefined };
}
