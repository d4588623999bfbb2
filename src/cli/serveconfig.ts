/**
 * The configuration of `gosumcheck serve`: flags and their variables go before a file in TOML, and that before defaults.
 *
 * The file is the operator's own and may set everything, the database and its key too; unlike a project's
 * gosumcheck.toml, which lies beside the go.sum that it would vouch for.
 */

import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { MAX_TIMER, parseDuration } from '../config/duration.js';
import { parseSize } from '../config/size.js';
import { patternWarnings } from '../core/pattern.js';
import { GosumError } from '../errors.js';
import { fileFailure, givenData, readUpTo } from './files.js';
import { MOST_PROCESSES } from './flags.js';
import type { Host } from './host.js';
import { parseListen, type ListenAt } from './servelisten.js';

/** Levels of the log, the least talkative last. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** What has a flag, a variable and a key in the file, by the same name. What is not given is `undefined`. */
interface Settable {
  readonly listen?: string;
  readonly data?: string;
  /** Milliseconds. */
  readonly poll?: number;
  readonly timeout?: number;
  readonly headAgeAlarm?: number;
  readonly metricsListen?: string;
  readonly logLevel?: (typeof LOG_LEVELS)[number];
  readonly accessLog?: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** Bytes of answers kept in memory. */
  readonly memory?: number;
  /** `auto`: one for each processor. */
  readonly workers?: number | 'auto';
  readonly maxConnections?: number;
  readonly clientRate?: number;
  readonly clientBurst?: number;
  readonly clientQueue?: number;
}

/** Options of the command line. */
export interface ServeOptions extends Settable {
  /** The file. */
  readonly config?: string;
  /** A value of GOSUMDB; it goes before all databases of the file. */
  readonly sumdb?: string;
  /** Ways to the database that is not of the file. */
  readonly way?: readonly string[];
}

/** One database that is served. */
export interface DatabaseConfig {
  /** A value of GOSUMDB, and where it is from; `undefined`: the go command's own setting. */
  readonly sumdb: { readonly value: string; readonly from: string } | undefined;
  /** Ways to it, as way.ts has them; `undefined`: as the go command would go. Not empty. */
  readonly ways: readonly string[] | undefined;
  /** Globs of private modules; `undefined`: GONOSUMDB or GOPRIVATE. */
  readonly private: readonly string[] | undefined;
}

/** What `serve` does, complete. Times are in milliseconds, paths absolute. */
export interface ServeConfig {
  readonly listen: ListenAt;
  readonly data: string;
  readonly poll: number;
  readonly timeout: number;
  /** A tree head that was not verified for so long is an alarm. */
  readonly headAgeAlarm: number;
  readonly metricsListen: ListenAt | undefined;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly accessLog: boolean;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Bytes of answers kept in memory, by each database. */
  readonly memory: number;
  readonly workers: number;
  readonly maxConnections: number;
  /** Requests a second and client that cause work upstream; 0 for no limit. */
  readonly clientRate: number;
  readonly clientBurst: number;
  /** Requests of one client that wait at most. */
  readonly clientQueue: number;
  /** The first is served at the root, too. */
  readonly databases: readonly DatabaseConfig[];
}

/** What is not set anywhere. */
export const SERVE_DEFAULTS: Required<Omit<Settable, 'data' | 'metricsListen' | 'tlsCert' | 'tlsKey'>> = {
  listen: '127.0.0.1:8080',
  poll: 300_000,
  timeout: 30_000,
  headAgeAlarm: 3_600_000,
  logLevel: 'info',
  accessLog: false,
  memory: 64 * 1024 * 1024,
  workers: 1,
  maxConnections: 10_000,
  clientRate: 100,
  clientBurst: 1000,
  clientQueue: 500,
};

/** The most bytes of the file. */
const LIMIT = 1 << 20;

/**
 * Puts together what the command line, its variables and the file say.
 *
 * @throws {GosumError} `CONFIG_INVALID`, naming the key, and the file where it is from there; `FILE_FAILED`.
 */
export async function readServeConfig(host: Host, options: ServeOptions): Promise<ServeConfig> {
  const { config, sumdb, way, ...flags } = options;
  const file = config === undefined ? { settings: {}, databases: undefined } : await readConfigFile(host, config);
  const all = { ...SERVE_DEFAULTS, ...file.settings, ...resolvePaths(flags, host.cwd) };
  const { listen, data: given, metricsListen, tlsCert, tlsKey, workers, ...plain } = all;
  const data = givenData(given, 'give --data FILE, or `data` in the file of --config');
  if (way !== undefined && sumdb === undefined && file.databases !== undefined) {
    throw new GosumError('CONFIG_INVALID', '--way is given, and the file names the databases', { hint: 'write the ways of each there: ways = [...]' });
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new GosumError('CONFIG_INVALID', `tls-${tlsCert === undefined ? 'cert' : 'key'} is missing`, { hint: 'TLS needs both, tls-cert and tls-key' });
  }
  return {
    ...plain,
    data,
    workers: workers === 'auto' ? Math.min(availableParallelism(), MOST_PROCESSES) : workers,
    listen: parseListen(listen, '--listen'),
    metricsListen: metricsListen === undefined ? undefined : parseListen(metricsListen, '--metrics-listen'),
    tls: tlsCert === undefined || tlsKey === undefined ? undefined : { cert: tlsCert, key: tlsKey },
    databases:
      sumdb === undefined
        ? (file.databases ?? [{ sumdb: undefined, ways: way, private: undefined }])
        : [{ sumdb: { value: sumdb, from: '--sumdb' }, ways: way, private: undefined }],
  };
}

/** Reads the file. Its paths are relative to the folder that it is in. */
async function readConfigFile(host: Host, name: string): Promise<{ settings: Settable; databases: DatabaseConfig[] | undefined }> {
  const at = path.resolve(host.cwd, name);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readUpTo(at, LIMIT, host.interrupted));
  } catch (cause) {
    throw fileFailure(name, cause);
  }
  const { limits = {}, database, ...rest } = checkFile(text, name);
  const settings = camelKeys({ ...rest, ...limits });
  return {
    settings: resolvePaths(settings, path.dirname(at)),
    databases: database?.map(({ name: known, sumdb: value = known ?? '', ways, private: globs }, i) => ({
      sumdb: { value, from: `${name}: database.${i}.${known === undefined ? 'sumdb' : 'name'}` },
      ways,
      private: globs,
    })),
  };
}

const listenText = v.pipe(v.string(), parsedBy((text) => (parseListen(text, 'an address'), text)));
const duration = v.pipe(v.string(), parsedBy(parseDuration), v.gtValue(0, 'want more than 0'), v.maxValue(MAX_TIMER, 'want at most 596h'));
const file = v.pipe(v.string(), v.nonEmpty('want a file'));
const count = (least: number, most: number): v.GenericSchema<number> =>
  v.pipe(v.number(), v.integer(), v.check((n) => n >= least && n <= most, `want a whole number from ${least} to ${most}`));
const glob = v.pipe(
  v.string(),
  v.nonEmpty('want a glob'),
  v.check((text) => !text.includes(','), 'want one glob, without a comma'),
  v.check((text) => patternWarnings(text).length === 0, 'this glob can never match'),
);

const DATABASE = v.pipe(
  v.strictObject({
    name: v.optional(v.pipe(v.string(), v.nonEmpty('want a name'))),
    sumdb: v.optional(v.pipe(v.string(), v.nonEmpty('want a value of GOSUMDB'))),
    ways: v.optional(v.pipe(v.array(v.pipe(v.string(), v.nonEmpty('want direct, a URL, proxy URL, or goproxy'))), v.nonEmpty('want at least one way'))),
    private: v.optional(v.array(glob)),
  }),
  v.check(({ name, sumdb }) => (name === undefined) !== (sumdb === undefined), 'want one of name and sumdb'),
);

const FILE = v.strictObject({
  listen: v.optional(listenText),
  data: v.optional(file),
  poll: v.optional(duration),
  timeout: v.optional(duration),
  'head-age-alarm': v.optional(duration),
  'metrics-listen': v.optional(listenText),
  'log-level': v.optional(v.picklist(LOG_LEVELS, `want one of ${LOG_LEVELS.join(', ')}`)),
  'access-log': v.optional(v.boolean()),
  'tls-cert': v.optional(file),
  'tls-key': v.optional(file),
  memory: v.optional(v.pipe(v.string(), parsedBy(parseSize))),
  workers: v.optional(v.union([count(1, MOST_PROCESSES), v.literal('auto')], `want auto, or a whole number from 1 to ${MOST_PROCESSES}`)),
  limits: v.optional(
    v.strictObject({
      'max-connections': v.optional(count(1, 1_000_000)),
      'client-rate': v.optional(count(0, 1_000_000)),
      'client-burst': v.optional(count(1, 1_000_000)),
      'client-queue': v.optional(count(0, 1_000_000)),
    }),
  ),
  database: v.optional(v.pipe(v.array(DATABASE), v.nonEmpty('want at least one'))),
});

function checkFile(text: string, name: string): v.InferOutput<typeof FILE> {
  try {
    return v.parse(FILE, parse(text));
  } catch (cause) {
    throw new GosumError('CONFIG_INVALID', `${name}: ${flawOf(cause)}`, { cause, hint: 'docs/serve.md has a full example' });
  }
}

function flawOf(cause: unknown): string {
  if (cause instanceof TomlError) return `line ${cause.line}: ${(cause.message.split('\n', 1)[0] ?? '').replace(/^Invalid TOML document: /, '')}`;
  if (!v.isValiError(cause)) throw cause;
  const [issue] = cause.issues;
  const key = v.getDotPath(issue) ?? '';
  return issue.type === 'strict_object' && issue.expected === 'never' ? `${key}: there is no such key` : `${key}: ${issue.message}`;
}

/** A step of a schema that parses text, and makes what that throws an issue of the key. */
function parsedBy<T>(parseText: (text: string) => T): v.RawTransformAction<string, T> {
  return v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return parseText(dataset.value);
    } catch (cause) {
      if (!(cause instanceof GosumError)) throw cause;
      addIssue({ message: cause.message });
      return NEVER;
    }
  });
}

function resolvePaths(settings: Settable, folder: string): Settable {
  const names = (['data', 'tlsCert', 'tlsKey'] as const).filter((key) => settings[key] !== undefined);
  return { ...settings, ...Object.fromEntries(names.map((key) => [key, path.resolve(folder, settings[key] ?? '')])) };
}

/** `foo-bar` of the file is `fooBar` of the command line. */
function camelKeys(table: Readonly<Record<string, unknown>>): Settable {
  return Object.fromEntries(
    Object.entries(table).map(([key, value]) => [key.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()), value]),
  );
}
