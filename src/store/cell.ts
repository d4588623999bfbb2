/**
 * One value in an SQLite file of its own, held by one process at a time (contract.ts, `Cell`).
 *
 * **Lock.** While it is held, SQLite's exclusive lock is on the file, over commits too (`locking_mode`); the system takes
 * it back from a process that dies. So it holds wherever SQLite's locks do: not on every network file system.
 * **Durability.** The rollback journal with `synchronous` EXTRA: when a swap returns, the value, and that the journal is
 * gone, are on the disk (FULL leaves the last to the file system, and a power cut could bring the old value back).
 * **Form.** One row, with a digest. The file has SQLite's mark `gskc`, so that no store is taken for it, nor it for a store.
 */

import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256 } from '#crypto';
import type { Cell, HeldCell } from '../contract.js';
import { equalBytes } from '../core/hash.js';
import { GosumError, isGosumError } from '../errors.js';
import type { Connection, Driver } from './driver.js';
import { isBusy, storeFailure } from './failure.js';
import { loadDriver } from './open.js';
import { bytesIn, countIn, RowError } from './row.js';
import { SchemaError } from './schema.js';

/** Marks the file in SQLite's header: "gskc". */
const APPLICATION_ID = 0x67736b63;
/** Milliseconds between two tries to get the turn, and until it is given up: a batch takes some hundred. */
const PAUSE = 20;
const PATIENCE = 60_000;

/** How a cell is opened. */
export interface CellOptions {
  /** By default the first that works here. */
  readonly driver?: Driver;
  /** Milliseconds that a turn is waited for. */
  readonly patience?: number;
}

/**
 * Opens the cell in `file`. A missing file is an empty cell, and is made, with its folder, when it is held.
 *
 * @throws {GosumError} `STORE_FAILED` where there is no SQLite here.
 */
export function openCell(file: string, options: CellOptions = {}): Cell {
  const { driver = loadDriver().driver, patience = PATIENCE } = options;
  if (driver === undefined) throw new GosumError('STORE_FAILED', `${file}: there is no SQLite here`, { hint: 'install better-sqlite3' });
  return {
    label: file,
    async hold<T>(work: (held: HeldCell) => Promise<T>, signal?: AbortSignal): Promise<T> {
      const taken = await takeTurn(driver, file, patience, signal);
      try {
        return await work(taken.held);
      } finally {
        taken.end();
      }
    },
  };
}

/** A turn: the cell while it is held, and the end of that. */
interface Turn {
  readonly held: HeldCell;
  end(): void;
}

async function takeTurn(driver: Driver, file: string, patience: number, signal?: AbortSignal): Promise<Turn> {
  const until = Date.now() + patience;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return openTurn(driver, file);
    } catch (error) {
      if (!isBusy(error) || Date.now() > until) throw error;
    }
    await sleep(PAUSE * (1 + Math.random()));
  }
}

/** @throws {GosumError} `STORE_FAILED`; `isBusy` where another holds the file. */
function openTurn(driver: Driver, file: string): Turn {
  let connection: Connection | undefined;
  try {
    mkdirSync(dirname(resolve(file)), { recursive: true });
    const open = (connection = driver.open(resolve(file)));
    open.exec(`PRAGMA busy_timeout = 0; PRAGMA trusted_schema = OFF; PRAGMA synchronous = EXTRA; PRAGMA locking_mode = EXCLUSIVE;
      BEGIN EXCLUSIVE; COMMIT`);
    return { held: { value: valueIn(open), swap: (next) => swap(open, file, next) }, end: () => void open.close() };
  } catch (error) {
    connection?.close();
    throw cellFailure(file, error);
  }
}

const TABLE = 'CREATE TABLE IF NOT EXISTS cell (id INTEGER PRIMARY KEY CHECK (id = 0), value BLOB NOT NULL, digest BLOB NOT NULL) STRICT';

function swap(connection: Connection, file: string, next: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    try {
      connection.exec('BEGIN IMMEDIATE');
      connection.exec(`PRAGMA application_id = ${APPLICATION_ID}; ${TABLE}`);
      connection.prepare('INSERT OR REPLACE INTO cell (id, value, digest) VALUES (0, ?, ?)').run(next, sha256(next));
      connection.exec('COMMIT');
      resolve();
    } catch (error) {
      throw cellFailure(file, error);
    }
  });
}

/** @throws {SchemaError | RowError} for a file that is no cell, or whose value is not as it was written. */
function valueIn(connection: Connection): Uint8Array | undefined {
  const application = countIn(connection.prepare('PRAGMA application_id').get(), 'application_id');
  const tables = connection.prepare('SELECT name FROM sqlite_schema').all();
  if (application === 0 && tables.length === 0) return undefined;
  if (application !== APPLICATION_ID) throw new SchemaError('the file is not one of what was signed last');
  const row = connection.prepare('SELECT value, digest FROM cell').get();
  if (row === undefined) return undefined;
  const value = bytesIn(row, 'value').slice();
  if (!equalBytes(sha256(value), bytesIn(row, 'digest'))) throw new RowError('the value is not as it was written');
  return value;
}

/** As `storeFailure`; but what a person may do with a cache's file must not be done with this one. */
function cellFailure(file: string, cause: unknown): unknown {
  const failure = storeFailure(file, cause);
  if (!isGosumError(failure, 'STORE_FAILED')) return failure;
  const hint = isBusy(failure) ? 'try again when it is done' : 'it says what was signed last, and must not be deleted: see docs/log.md';
  return new GosumError('STORE_FAILED', failure.message, { cause: failure.cause, hint });
}
