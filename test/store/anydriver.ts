/** A way to SQLite on this machine, for tests that look into a file. */

import { loadBetterSqlite, loadNodeSqlite, type Driver } from '../../src/store/driver.js';

/** better-sqlite3, else node:sqlite. @throws {Error} where there is neither. */
export function anyDriver(): Driver {
  const [first, second] = [loadBetterSqlite(), loadNodeSqlite()];
  if (typeof first !== 'string') return first;
  if (typeof second !== 'string') return second;
  throw new Error(`no SQLite: ${first}; ${second}`);
}
