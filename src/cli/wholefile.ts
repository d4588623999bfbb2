/** A data file with a whole log in it, for the commands that show what the log has. Nothing is asked of anybody. */

import path from 'node:path';
import { parseSumdb } from '../config/sumdb.js';
import type { LogState, LogStore, Store } from '../contract.js';
import { accuses } from '../core/fork.js';
import { formatVerifierKey, parseVerifierKey } from '../core/key.js';
import { GosumError } from '../errors.js';
import { openStore, openStoreRows } from '../store/open.js';
import { logOf } from '../whole/merge.js';
import { WholeLog } from '../whole/reader.js';
import { checkThere } from './files.js';
import { say, type Host } from './host.js';

/** Options of the command line. */
export interface WholeFileOptions {
  /** The data file. */
  readonly data: string;
  /** Which of several databases, by its name or as GOSUMDB has it. */
  readonly sumdb?: string;
}

/** A whole log that is open. */
export interface OpenLog {
  /** Of the database. */
  readonly name: string;
  /** Verifier key, canonical. */
  readonly key: string;
  readonly log: LogStore;
  readonly whole: WholeLog;
  readonly state: LogState;
  /** When the log was seen to misbehave: what stands here is true of one of its trees. */
  readonly forkedAt: string | undefined;
}

/**
 * Opens the file, has `work` done with the log in it, and closes it.
 *
 * @throws {GosumError} `FILE_FAILED` where there is none; `CONFIG_INVALID` where it has no such database, or no whole log of it (yet).
 */
export async function withWholeLog<T>(host: Host, { data, sumdb }: WholeFileOptions, work: (open: OpenLog) => Promise<T>): Promise<T> {
  const file = path.resolve(host.cwd, data);
  checkThere(file, HINT);
  const { name, key } = choose(file, await databasesIn(file), sumdb);
  const { store } = await openStore({ file });
  try {
    const log = logOf(store);
    const state = await log.state(key);
    if (state === undefined) throw new GosumError('CONFIG_INVALID', `${file}: the log of ${name} is not kept whole`, { hint: HINT });
    // to begin now, before the first sync is done, would make all that it brings new
    if (state.indexed === 0) throw new GosumError('CONFIG_INVALID', `${file}: the first sync of ${name} is not done`, { hint: 'try again when `gosumcheck sync --data FILE` is' });
    return await work({ name, key, log, whole: new WholeLog(store, key), state, forkedAt: await forkedAt(store, key) });
  } finally {
    await store.close();
  }
}

/** Says that the log was seen to misbehave, until a person has cleared that. */
export async function sayForked(host: Host, { name, forkedAt: at }: OpenLog, { data }: WholeFileOptions): Promise<void> {
  if (at !== undefined) await say(host, `FORK: ${name} was seen to misbehave at ${at}: see gosumcheck evidence --data ${data}`);
}

async function forkedAt(store: Store, key: string): Promise<string | undefined> {
  const verifier = parseVerifierKey(key);
  return (await store.evidence()).find((evidence) => accuses(evidence, verifier))?.foundAt;
}

const HINT = '`gosumcheck sync --data FILE` makes a file with the whole log, and keeps it up to date';

interface Named {
  readonly name: string;
  readonly key: string;
}

async function databasesIn(file: string): Promise<readonly Named[]> {
  const rows = await openStoreRows({ file });
  return rows.databases().finally(() => rows.close());
}

function choose(file: string, known: readonly Named[], sumdb: string | undefined): Named {
  const names = known.map(({ name }) => name).join(', ');
  if (sumdb === undefined) {
    const [only] = known;
    if (only === undefined) throw new GosumError('CONFIG_INVALID', `${file}: no database is in it`, { hint: HINT });
    if (known.length === 1) return only;
    throw new GosumError('CONFIG_INVALID', `${file}: several databases are in it`, { hint: `choose one by --sumdb: ${names}` });
  }
  const found = known.find(({ name }) => name === sumdb) ?? known.find(({ key }) => key === keyOf(sumdb));
  if (found !== undefined) return found;
  throw new GosumError('CONFIG_INVALID', `${file}: no such database as --sumdb says is in it`, { hint: names === '' ? HINT : `it has ${names}` });
}

function keyOf(sumdb: string): string {
  return formatVerifierKey(parseSumdb({ value: sumdb, from: '--sumdb' }).key);
}
