/**
 * The JavaScript part of better-sqlite3 that the bundle has inside, for a binding of the same version: to find and to read
 * its fifteen files takes longer than to open a database. The package stays optional, and its binding is the installed one.
 */

import BetterSqlite3 from 'better-sqlite3';
import ours from 'better-sqlite3/package.json' with { type: 'json' };
import * as installed from './wrapper.js';

/** Gives the constructor from the bundle where the installed package is of the same version, else the package's own. */
export function wrapperOf(load: NodeJS.Require): typeof BetterSqlite3 {
  const { version } = load('better-sqlite3/package.json') as { readonly version?: unknown };
  return version === ours.version ? BetterSqlite3 : installed.wrapperOf(load);
}
