/** The file of a server's store: which one it is that is open, since another process may set it aside; and setting it aside. */

import { existsSync, renameSync, statSync } from 'node:fs';
import type { Evidence } from '../contract.js';
import type { VerifierKey } from '../core/key.js';
import type { GosumError } from '../errors.js';
import type { Driver } from './driver.js';
import { isDamaged, isForeign, storeFailure } from './failure.js';
import { SqliteFile } from './file.js';
import { RowError } from './row.js';
import { asideName, FILE_ENDS, namesOf, salvageHead } from './salvage.js';
import { evidenceOf, SqliteStore } from './sqlite.js';

/** What it is made of. */
export interface ServerFileOptions {
  readonly path: string;
  readonly driver: Driver;
  /** Much will be written. */
  readonly bulk: boolean;
  /** By a tree head that one of these has signed a file is known to be ours. */
  readonly keys: readonly VerifierKey[];
  /** As in `SqliteStore`. */
  readonly refused: (row: string) => void;
}

/** The file of a server's store. */
export class ServerFile {
  readonly #options: ServerFileOptions;
  #store: SqliteStore | undefined;
  #file: SqliteFile | undefined;
  /** Which file it is that is open, or was last. */
  #identity: number | undefined;
  /** Whether it was looked at in this turn. */
  #looked = false;

  constructor(options: ServerFileOptions) {
    this.#options = options;
  }

  /** The store in the file. It is opened where it is not, and where another file stands in its place. @throws {GosumError} `STORE_FAILED`. */
  open(): SqliteStore {
    const { path, driver, bulk, refused } = this.#options;
    const identity = identityOf(path);
    if (this.#store !== undefined && (identity === this.#identity || this.#identity === undefined)) {
      this.#identity = identity;
      return this.#store;
    }
    this.letGo();
    this.#file = new SqliteFile(driver, path, { wal: true, bulk });
    this.#identity = identityOf(path);
    this.#store = new SqliteStore(this.#file, refused);
    return this.#store;
  }

  /** As `open`, for thousands of small reads a second: which file it is is looked at once while the process turns to its connections. */
  openNow(): SqliteStore {
    if (this.#store !== undefined && this.#looked) return this.#store;
    const store = this.open();
    this.#looked = true;
    setImmediate(() => {
      this.#looked = false;
    });
    return store;
  }

  /** Reports whether a store is the one that is open; with `undefined`, whether none is. */
  isOpen(store: SqliteStore | undefined): boolean {
    return store === this.#store;
  }

  /** Checks that the tables that hold the memory of the timelines are sound. @throws {GosumError} `STORE_FAILED`. */
  checkMemory(): void {
    this.#file?.read((prepare) => {
      for (const table of ['db', 'head', 'evidence']) {
        const [found] = prepare(`PRAGMA integrity_check(${table})`).all();
        if (JSON.stringify(found) !== '{"integrity_check":"ok"}') throw new RowError(`the table ${table}: ${JSON.stringify(found)}`);
      }
      if (prepare('PRAGMA foreign_key_check(head)').all().length > 0) throw new RowError('a tree head of no database');
    });
  }

  /** The evidence in the file that is open. @throws {GosumError} `STORE_FAILED`. */
  evidence(): Evidence[] {
    return this.#file?.read((prepare) => prepare('SELECT * FROM evidence').all().map(evidenceOf)) ?? [];
  }

  /** Reports whether the file is damaged, and surely one of ours: another program's is never touched. */
  isOurs(error: GosumError<'STORE_FAILED'>): boolean {
    if (isForeign(error)) {
      if (error.cause.ours) return true;
      if (error.cause.newer) return false;
    } else if (!isDamaged(error)) {
      return false;
    }
    if (this.#identity !== undefined) return true; // it was once open
    return this.#options.keys.some((key) => salvageHead(namesOf(this.#options.path), key) !== undefined);
  }

  /** Reports whether the file that was open last still stands in its place; otherwise another process has set it aside. */
  isInPlace(): boolean {
    return this.#identity === undefined || this.#identity === identityOf(this.#options.path);
  }

  /** Sets the file aside, with all that stands beside it, and says under which name. @throws {GosumError} `STORE_FAILED`. */
  setAside(): string {
    const { path } = this.#options;
    this.letGo();
    this.#identity = undefined;
    const aside = asideName(path, new Date());
    try {
      for (const end of FILE_ENDS) if (existsSync(path + end)) renameSync(path + end, aside + end);
    } catch (cause) {
      throw storeFailure(path, cause);
    }
    return aside;
  }

  /** Closes what is open, to open it again when it is needed. */
  letGo(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#store = undefined;
  }

  /** Closes it for good. */
  async close(): Promise<void> {
    await this.#store?.close();
  }
}

function identityOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}
