/** The store that this machine can have: SQLite by the first driver that works, else memory. */

import type { Store, StoreRows } from '../contract.js';
import { loadBetterSqlite, loadNodeSqlite, type Driver } from './driver.js';
import { openMemoryStore } from './memory.js';
import { GosumError } from '../errors.js';
import { openSqliteRows } from './rows.js';
import { openSqliteStore, type SqliteStoreOptions } from './sqlite.js';

/** A store, and what a person should hear of it: one line, where it is not the first choice. */
export interface OpenedStore {
  readonly store: Store;
  readonly notice?: string;
}

/**
 * Opens the store in `file`, by better-sqlite3, else by node:sqlite, else in memory, where `file` is not touched.
 *
 * @throws {GosumError} `STORE_FAILED` where there is an SQLite, but the file is damaged, foreign or cannot be opened. The
 * caller may go on with `openMemoryStore`, and say so.
 */
export function openStore({ file, ...options }: SqliteStoreOptions & { readonly file: string }): Promise<OpenedStore> {
  return new Promise((resolve) => resolve(openNow(file, options)));
}

function openNow(file: string, options: SqliteStoreOptions): OpenedStore {
  const { driver, notice } = loadDriver();
  const store = driver === undefined ? openMemoryStore() : openSqliteStore(driver, file, options);
  return notice === undefined ? { store } : { store, notice };
}

/** The first driver that works, and what a person should hear of it. */
export function loadDriver(): { readonly driver: Driver | undefined; readonly notice?: string } {
  const first = loadBetterSqlite();
  if (typeof first !== 'string') return { driver: first };
  const second = loadNodeSqlite();
  if (typeof second !== 'string') return { driver: second, notice: `cache: by node:sqlite, since ${first}` };
  return { driver: undefined, notice: `cache: none, nothing is remembered after this run (${first}; ${second})` };
}

/**
 * Opens all rows of the store in `file`, to be read alone.
 *
 * @throws {GosumError} `STORE_FAILED` where there is no SQLite here, or the file is damaged, foreign or cannot be opened.
 */
export function openStoreRows({ file }: { readonly file: string }): Promise<StoreRows> {
  return new Promise((resolve) => {
    const { driver, notice } = loadDriver();
    if (driver !== undefined) resolve(openSqliteRows(driver, file));
    else throw new GosumError('STORE_FAILED', `${file}: there is no SQLite here (${String(notice)})`, { hint: 'install better-sqlite3' });
  });
}
