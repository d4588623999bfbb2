/** The store that this machine can have: SQLite by the first driver that works, else memory. */

import type { Store, StoreRows } from '../contract.js';
import { loadBetterSqlite, loadNodeSqlite, type Driver } from './driver.js';
import { openMemoryStore } from './memory.js';
import { GosumError } from '../errors.js';
import { openSqliteRows } from './rows.js';
import { openSqliteStore } from './sqlite.js';

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
export function openStore({ file }: { readonly file: string }): Promise<OpenedStore> {
  return new Promise((resolve) => resolve(openNow(file)));
}

function openNow(file: string): OpenedStore {
  const first = loadBetterSqlite();
  if (typeof first !== 'string') return { store: openSqliteStore(first, file) };
  const second = loadNodeSqlite();
  if (typeof second !== 'string') {
    return { store: openSqliteStore(second, file), notice: `cache: by node:sqlite, since ${first}` };
  }
  const notice = `cache: none, nothing is remembered after this run (${first}; ${second})`;
  return { store: openMemoryStore(), notice };
}

/**
 * Opens all rows of the store in `file`, to be read alone.
 *
 * @throws {GosumError} `STORE_FAILED` where there is no SQLite here, or the file is damaged, foreign or cannot be opened.
 */
export function openStoreRows({ file }: { readonly file: string }): Promise<StoreRows> {
  return new Promise((resolve) => resolve(openSqliteRows(anyDriver(file), file)));
}

function anyDriver(file: string): Driver {
  const first = loadBetterSqlite();
  if (typeof first !== 'string') return first;
  const second = loadNodeSqlite();
  if (typeof second !== 'string') return second;
  throw new GosumError('STORE_FAILED', `${file}: there is no SQLite here (${first}; ${second})`, {
    hint: 'install better-sqlite3, or use a Node that has node:sqlite',
  });
}
