/**
 * The tables of the SQLite file, and the check that a file has these and no others.
 *
 * Large values stand in ordinary tables; WITHOUT ROWID pays for `covers` alone, whose rows are small.
 */

import type { Connection } from './driver.js';
import { countIn, textIn } from './row.js';

/** Marks the file as ours in SQLite's header: "gsck". */
export const APPLICATION_ID = 0x6773636b;

/** Raised when the tables change. */
export const SCHEMA_VERSION = 1;

/** SQLite keeps these texts as they are, so that a file can be compared with them. */
const TABLES: readonly string[] = [
  `CREATE TABLE db (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL UNIQUE
  ) STRICT`,
  `CREATE TABLE head (
    db INTEGER NOT NULL REFERENCES db,
    size INTEGER NOT NULL,
    hash BLOB NOT NULL,
    note BLOB NOT NULL,
    next INTEGER CHECK (next > size),
    proof BLOB CHECK ((proof IS NULL) = (next IS NULL)),
    PRIMARY KEY (db, size)
  ) STRICT`,
  `CREATE UNIQUE INDEX head_newest ON head (db) WHERE next IS NULL`,
  `CREATE TABLE tile (
    db INTEGER NOT NULL REFERENCES db,
    level INTEGER NOT NULL,
    n INTEGER NOT NULL,
    data BLOB NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (db, level, n)
  ) STRICT`,
  `CREATE TABLE record (
    db INTEGER NOT NULL REFERENCES db,
    module_version TEXT NOT NULL,
    id INTEGER NOT NULL,
    text BLOB NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (db, module_version)
  ) STRICT`,
  `CREATE TABLE receipt (
    id INTEGER PRIMARY KEY,
    db INTEGER NOT NULL REFERENCES db,
    bytes BLOB NOT NULL
  ) STRICT`,
  `CREATE TABLE covers (
    db INTEGER NOT NULL,
    module_version TEXT NOT NULL,
    receipt INTEGER NOT NULL REFERENCES receipt ON DELETE CASCADE,
    PRIMARY KEY (db, module_version, receipt)
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX covers_receipt ON covers (receipt)`,
  `CREATE TABLE evidence (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    found_at TEXT NOT NULL,
    older BLOB NOT NULL,
    newer BLOB NOT NULL,
    proof BLOB NOT NULL,
    UNIQUE (key, older, newer)
  ) STRICT`,
];

/** A file that is a good SQLite database but not one of ours. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
  /** Whether a newer gosumcheck has made it. */
  readonly newer: boolean;
  /** Whether the tables are nevertheless ours: then the marks beside them are damaged, since each raise of the version changes tables. */
  readonly ours: boolean;

  constructor(message: string, { newer = false, ours = false }: { newer?: boolean; ours?: boolean } = {}) {
    super(message);
    this.newer = newer;
    this.ours = ours;
  }
}

/** Makes the tables. Inside a transaction of the caller's. */
export function createTables(connection: Connection): void {
  for (const table of TABLES) connection.exec(table);
  connection.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  connection.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}

/**
 * Reports whether the file has our tables; an empty one has not.
 *
 * The tables' definitions are compared as text, so that a file from elsewhere brings no trigger, view or column of its own.
 *
 * @throws {SchemaError} where the file is another program's, or of another version.
 */
export function hasTables(connection: Connection): boolean {
  const made = connection
    .prepare(`SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY sql`)
    .all()
    .map((row) => textIn(row, 'sql'));
  const application = countIn(connection.prepare('PRAGMA application_id').get(), 'application_id');
  if (made.length === 0 && application === 0) return false;
  const want = TABLES.toSorted();
  const ours = made.length === want.length && made.every((sql, i) => sql === want[i]);
  if (application !== APPLICATION_ID) throw new SchemaError('the file is not of gosumcheck', { ours });
  const version = countIn(connection.prepare('PRAGMA user_version').get(), 'user_version');
  if (version > SCHEMA_VERSION) throw new SchemaError(`the file is of a newer gosumcheck (schema ${version})`, { newer: true, ours });
  if (version !== SCHEMA_VERSION || !ours) throw new SchemaError('the tables are not those that gosumcheck makes', { ours });
  return true;
}
