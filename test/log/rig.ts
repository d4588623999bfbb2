/** A log of one's own in a folder: data file, state and key, opened as often as a test wants. */

import path from 'node:path';
import type { Test } from 'tap';
import { sha256 } from '#crypto';
import type { SqliteStore } from '../../src/store/sqlite.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { openCell } from '../../src/store/cell.js';
import type { Driver } from '../../src/store/driver.js';
import { formatVerifierKey, newSignerKey, verifierKeyOf } from '../../src/core/key.js';
import { encodeUtf8 } from '../../src/core/text.js';
import { LogDatabase } from '../../src/log/database.js';
import { LastSigned } from '../../src/log/lastsigned.js';
import { OwnLog, type OwnLogOptions } from '../../src/log/log.js';
import type { NewRecord } from '../../src/log/newrecord.js';
import type { SignerKeys } from '../../src/log/signerkey.js';
import { madeUpHash } from '../../src/testing/index.js';
import { anyDriver } from '../store/anydriver.js';

/** The name of the log. */
export const NAME = 'log.example';
/** Its key, the same each time. */
export const KEYS: SignerKeys = [newSignerKey(NAME, sha256(encodeUtf8('a log of our own')))];
export const VKEY: string = formatVerifierKey(verifierKeyOf(KEYS[0]));

/** An open log. */
export interface OpenLog {
  readonly log: OwnLog;
  readonly store: SqliteStore;
  readonly database: LogDatabase;
  readonly state: LastSigned;
}

/** How it is opened. */
export interface OpenOptions extends Pick<OwnLogOptions, 'reached'> {
  readonly keys?: SignerKeys;
  /** Data file and state, below the folder. */
  readonly data?: string;
  readonly at?: string;
  readonly driver?: Driver;
  /** Milliseconds. */
  readonly patience?: number;
}

/** Opens the log of a folder; it is closed with the test. */
export function openLog(t: Pick<Test, 'teardown'>, folder: string, options: OpenOptions = {}): OpenLog {
  const { keys = KEYS, data = 'log.db', at = 'log.state', driver = anyDriver(), reached, patience } = options;
  const store = openSqliteStore(driver, path.join(folder, data), { wal: true, strict: true });
  t.teardown(() => store.close());
  const cell = openCell(path.join(folder, at), { driver, ...(patience === undefined ? {} : { patience }) });
  const state = new LastSigned(cell, NAME);
  const log = new OwnLog({ store, signers: keys, state, ...(reached === undefined ? {} : { reached }) });
  return { log, store, state, database: new LogDatabase(store, NAME) };
}

/** A record with made up hashes: the same for the same names. */
export function record(module: string, version = 'v1.0.0', hashes: Partial<NewRecord> = {}): NewRecord {
  return { module, version, h1: madeUpHash(`${module} ${version}`), goMod: madeUpHash(`${module} ${version}/go.mod`), ...hashes };
}

/** Records `example.com/m<from>` to `example.com/m<to - 1>`. */
export function records(from: number, to: number): NewRecord[] {
  return Array.from({ length: to - from }, (_, i) => record(`example.com/m${from + i}`));
}
