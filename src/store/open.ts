/** The store that this machine can have: SQLite by the first driver that works, else memory. */

import type { Store } from '../contract.js';
import { loadBetterSqlite, loadNodeSqlite } from './driver.js';
import { openMemoryStore } from './memory.js';
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
