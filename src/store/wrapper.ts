/**
 * The JavaScript part of better-sqlite3, as it is installed. In the command's bundle insidewrapper.ts stands in its place
 * (`#wrapper` in package.json, under the condition `bundle`).
 */

import type BetterSqlite3 from 'better-sqlite3';

/** Gives the package's constructor. `load` is a `require` that finds the package; nothing native is loaded by it. */
export function wrapperOf(load: NodeJS.Require): typeof BetterSqlite3 {
  return load('better-sqlite3') as typeof BetterSqlite3;
}
