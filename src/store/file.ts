/**
 * One SQLite file: opened when it is there, made when something is first written, each piece of work one transaction.
 *
 * **Journal.** The rollback journal, SQLite's default, and not WAL: the cache stays one file that CI can pack; reading it
 * writes nothing, and works in a read-only folder and over a network; and a run commits once, so that WAL's cheaper commits
 * buy nothing. A file that somebody has switched to WAL is used as it is (a busy server may want that).
 * **Durability.** `synchronous` is FULL: a commit outlives a crash of the machine. It costs four fsyncs a commit, and a run commits once.
 * **Modes.** As the go command's caches: the folder 0777 and the file 0644, both less the umask. Nothing here is secret.
 */

import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { valueStatement, type Connection, type Driver, type Statement, type ValueStatement } from './driver.js';
import { isDamaged, storeFailure } from './failure.js';
import { countIn } from './row.js';
import { createTables, tablesOf, type Tables } from './schema.js';

/** How long a transaction waits for another process, in milliseconds. A commit takes some ten. */
const BUSY_TIMEOUT = 5000;

/**
 * Bytes of a page of a new file of a server. A tile fills one with few bytes over, and rows of 1.5 KB leave little room behind them;
 * a commit writes half as many. SQLite's own 4 KiB serve a cache, which is small.
 */
const PAGE_SIZE = 8192;
/** By then most pages were written several times, those of the index and of the module paths; that many stay in memory. */
const BULK = 'PRAGMA wal_autocheckpoint = 8192; PRAGMA cache_size = -65536';

/** Gives the prepared statement of an SQL text; each text is prepared once. */
export interface Prepare {
  (sql: string): Statement;
  /** As a statement of which one value is wanted. */
  value(sql: string): ValueStatement;
}

/** A piece of work with a file; `hasWhole` says whether it has the tables of a whole log. */
export type Work<T> = (prepare: Prepare, hasWhole: () => boolean) => T;

/** How a file is opened. */
export interface FileOptions {
  /** Nothing is written, not even what a crash has left behind is put in order. */
  readonly readOnly?: boolean;
  /** The write-ahead log, for a server: a commit costs a third, and those who read and the one who writes keep nobody waiting. */
  readonly wal?: boolean;
  /** Much is written: the write-ahead log is carried over to the file at 64 MB, not at 8. */
  readonly bulk?: boolean;
}

/** A database file of ours. Everything rejects a damaged or foreign file with `STORE_FAILED`. */
export class SqliteFile {
  /** As the user named it. */
  readonly path: string;
  readonly #driver: Driver;
  readonly #absolute: string;
  readonly #options: FileOptions;
  #connection: Connection | undefined;
  #prepared: Prepare | undefined;
  /** Which of our tables the file was seen to have. It may have got more since. */
  #tables: Tables = 'none';
  /** The schema's version, as SQLite counts it, when the file was seen to have no whole log. */
  #without: number | undefined;
  /** Whether one state of the file is held on to. */
  #held = false;
  /** Whether a transaction of `readNow` is open, and how many there were. */
  #reading = false;
  #readings = 0;
  #closed = false;

  /** @throws {GosumError} `STORE_FAILED` where the file is there and not a usable one of ours. */
  constructor(driver: Driver, path: string, options: FileOptions = {}) {
    this.#options = options;
    this.path = path;
    this.#driver = driver;
    this.#absolute = resolve(path);
    try {
      this.read(() => undefined);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Bytes on disk. */
  get bytes(): number {
    return statSync(this.#absolute, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Reads one state of the file. `undefined` where there is no file, or nothing was ever written to it. */
  read<T>(work: Work<T>): T | undefined {
    return this.#transact('BEGIN', undefined, work);
  }

  /** As `read`; `undefined` also where nothing of a whole log was ever written. */
  readWhole<T>(work: (prepare: Prepare) => T): T | undefined {
    return this.read((prepare, hasWhole) => (hasWhole() ? work(prepare) : undefined));
  }

  /**
   * As `read`, of work that is small and comes thousands of times a second: what is read before the process turns to its
   * connections again is read in one transaction, whose beginning and end cost as much as a row.
   */
  readNow<T>(work: Work<T>): T | undefined {
    if (this.#tables === 'none' && this.read(() => true) === undefined) return undefined;
    const connection = this.#connection;
    if (connection === undefined) return undefined;
    try {
      if (!this.#reading && !this.#held) {
        connection.exec('BEGIN');
        this.#reading = true;
        this.#readings++;
        setImmediate(() => this.#endReading());
      }
      return work(this.#prepare(connection), () => this.#hasWhole(connection));
    } catch (error) {
      this.#endReading();
      throw storeFailure(this.path, error);
    }
  }

  /** What is read by `readNow` is of one state of the file as long as this is the same. */
  get readings(): number {
    return this.#readings;
  }

  /** Changes what is there, all of it or nothing. `undefined` where nothing is there. */
  update<T>(work: Work<T>): T | undefined {
    return this.#transact('BEGIN IMMEDIATE', undefined, work);
  }

  /** Changes the file, all of it or nothing, and makes it first where it is not there, or has not the tables that are wanted. */
  write<T>(work: Work<T>, want: 'base' | 'whole' = 'base'): T {
    return this.#transact('BEGIN IMMEDIATE', want, work) as T;
  }

  /**
   * Holds on to the state that the file has now: all that is read from now on is of it. In the rollback journal's mode
   * nobody can write until this is closed.
   */
  hold(): void {
    this.read(() => undefined);
    try {
      this.#connection?.exec('BEGIN');
      this.#held = true;
      this.read((prepare) => prepare('SELECT 1 FROM db').get()); // BEGIN alone holds nothing yet
    } catch (error) {
      throw storeFailure(this.path, error);
    }
  }

  /** Gives the room of deleted rows back to the disk. */
  shrink(): void {
    try {
      this.#connection?.exec('VACUUM');
    } catch (error) {
      throw storeFailure(this.path, error);
    }
  }

  close(): void {
    this.#endReading();
    this.#closed = true;
    this.#prepared = undefined;
    this.#connection?.close();
    this.#connection = undefined;
  }

  #transact<T>(begin: string, make: 'base' | 'whole' | undefined, work: Work<T>): T | undefined {
    if (this.#closed) throw new Error(`${this.path}: used after it was closed`);
    this.#endReading();
    try {
      const connection = this.#open(make !== undefined);
      if (connection === undefined) return undefined;
      const hasWhole = (): boolean => this.#hasWhole(connection);
      if (this.#held) return work(this.#prepare(connection), hasWhole);
      connection.exec(begin);
      try {
        let tables = this.#tables;
        if (tables === 'none' || (make === 'whole' && tables !== 'whole')) tables = tablesOf(connection);
        if (make !== undefined && tables !== 'whole' && tables !== make) {
          createTables(connection, tables, make);
          tables = make;
        }
        const result = tables === 'none' ? undefined : work(this.#prepare(connection), hasWhole);
        connection.exec('COMMIT');
        if (this.#tables !== 'whole') this.#tables = tables;
        return result;
      } catch (error) {
        rollBack(connection);
        throw error;
      }
    } catch (error) {
      throw storeFailure(this.path, error);
    }
  }

  /** Ends what `readNow` has begun. Nothing was written in it: what fails here has failed already. */
  #endReading(): void {
    if (!this.#reading) return;
    this.#reading = false;
    if (this.#connection !== undefined) rollBack(this.#connection);
  }

  /** Another process may have begun a whole log since the file was looked at: SQLite counts such changes. */
  #hasWhole(connection: Connection): boolean {
    if (this.#tables === 'whole') return true;
    const version = countIn(this.#prepare(connection)('PRAGMA schema_version').get(), 'schema_version');
    if (version === this.#without) return false;
    const has = tablesOf(connection) === 'whole';
    if (has) this.#tables = 'whole';
    else this.#without = version;
    return has;
  }

  #open(make: boolean): Connection | undefined {
    if (this.#connection !== undefined) return this.#connection;
    if (make) mkdirSync(dirname(this.#absolute), { recursive: true });
    else if (!existsSync(this.#absolute)) return undefined;
    const connection = this.#driver.open(this.#absolute, this.#options.readOnly);
    try {
      // trusted_schema: what a file's own schema says is not run; cell_size_check finds damage early
      connection.exec(
        `PRAGMA busy_timeout = ${BUSY_TIMEOUT}; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
        PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON`,
      );
      if (this.#options.wal === true) switchToWal(connection);
      if (this.#options.bulk === true) connection.exec(BULK);
    } catch (error) {
      connection.close(); // the damage may show already here, and an open file cannot be deleted on Windows
      throw error;
    }
    this.#connection = connection;
    return connection;
  }

  #prepare(connection: Connection): Prepare {
    return (this.#prepared ??= preparing(connection));
  }
}

function preparing(connection: Connection): Prepare {
  const statements = new Map<string, Statement>();
  const values = new Map<string, ValueStatement>();
  const of = <T>(known: Map<string, T>, sql: string, make: (statement: Statement) => T): T => {
    let statement = known.get(sql);
    if (statement === undefined) known.set(sql, (statement = make(connection.prepare(sql))));
    return statement;
  };
  return Object.assign((sql: string) => of(statements, sql, (statement) => statement), { value: (sql: string) => of(values, sql, valueStatement) });
}

/**
 * Deletes a store's file, whatever is in it, and what SQLite may have left beside it.
 *
 * The file goes first: a journal alone is harmless, but a file without its journal may be torn.
 *
 * @throws {GosumError} `STORE_FAILED`.
 */
export function deleteSqliteFile(path: string): void {
  try {
    for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${resolve(path)}${end}`, { force: true });
  } catch (error) {
    throw storeFailure(path, error);
  }
}

/** What a synchronous `work` gives or throws, as a promise. */
export function settle<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}

/** Where there is no room for it, or another process has the file open, it stays as it is. Pages of a file that is there keep their size. */
function switchToWal(connection: Connection): void {
  try {
    connection.exec(`PRAGMA page_size = ${PAGE_SIZE}; PRAGMA journal_mode = WAL`);
  } catch (error) {
    if (isDamaged(storeFailure('', error))) throw error;
  }
}

/** SQLite has rolled back by itself after some failures, and then says that there is no transaction. */
function rollBack(connection: Connection): void {
  try {
    connection.exec('ROLLBACK');
  } catch {
    // what has failed before is what the caller wants to hear of
  }
}
