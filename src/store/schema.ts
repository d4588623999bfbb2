/**
 * The tables of the SQLite file, and the check that a file has these and no others.
 *
 * There are two sets: the tables that every file has, and those of a whole log, which come with the first commit that adds
 * to one. A cache of `verify` stays without them.
 *
 * Large values stand in ordinary tables, behind all else of their row: what is in front of them is read without them. WITHOUT
 * ROWID pays for `covers` and `module` alone, whose rows are small.
 */

import type { Connection } from './driver.js';
import { countIn, textIn } from './row.js';

/** Marks the file as ours in SQLite's header: "gsck". */
export const APPLICATION_ID = 0x6773636b;

/** Which of our tables a file has: none, those that every file has, or also those of a whole log. */
export type Tables = 'none' | 'base' | 'whole';

/** Raised when the tables change. A file without a whole log is the same to a gosumcheck that knows nothing of one. */
const VERSIONS: Readonly<Record<Exclude<Tables, 'none'>, number>> = { base: 1, whole: 3 };

/** SQLite keeps these texts as they are, so that a file can be compared with them. */
const BASE: readonly string[] = [
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
    digest BLOB NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (db, level, n)
  ) STRICT`,
  `CREATE TABLE record (
    db INTEGER NOT NULL REFERENCES db,
    module_version TEXT NOT NULL,
    id INTEGER NOT NULL,
    digest BLOB NOT NULL,
    text BLOB NOT NULL,
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

/**
 * The tables of a whole log. What is looked for among many packs stands in an index as well (their numbers, and which of
 * them are narrow), so that nobody walks through 6 KB a row; the first part of each stands for all.
 */
const WHOLE: readonly string[] = [
  `CREATE TABLE loginfo (
    db INTEGER PRIMARY KEY REFERENCES db,
    salt BLOB NOT NULL,
    indexed INTEGER NOT NULL,
    changes INTEGER NOT NULL,
    digest BLOB NOT NULL
  ) STRICT`,
  `CREATE TABLE pack (
    id INTEGER PRIMARY KEY,
    db INTEGER NOT NULL REFERENCES db,
    n INTEGER NOT NULL,
    part INTEGER NOT NULL,
    width INTEGER NOT NULL,
    digest BLOB NOT NULL,
    data BLOB NOT NULL
  ) STRICT`,
  `CREATE INDEX pack_tile ON pack (db, n) WHERE part = 0`,
  `CREATE INDEX pack_narrow ON pack (db, n, width) WHERE part = 0 AND width < 256`,
  `CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    db INTEGER NOT NULL REFERENCES db,
    page INTEGER NOT NULL,
    next INTEGER NOT NULL,
    digest BLOB NOT NULL,
    data BLOB NOT NULL
  ) STRICT`,
  `CREATE TABLE pending (
    id INTEGER PRIMARY KEY,
    db INTEGER NOT NULL REFERENCES db,
    bucket INTEGER NOT NULL,
    digest BLOB NOT NULL,
    data BLOB NOT NULL
  ) STRICT`,
  `CREATE INDEX pending_bucket ON pending (db, bucket)`,
  `CREATE TABLE module (
    db INTEGER NOT NULL REFERENCES db,
    path TEXT NOT NULL,
    PRIMARY KEY (db, path)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE seen (
    db INTEGER NOT NULL REFERENCES db,
    size INTEGER NOT NULL,
    at INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (db, size)
  ) STRICT`,
  `CREATE TABLE staged (
    db INTEGER PRIMARY KEY REFERENCES db,
    digest BLOB NOT NULL,
    data BLOB NOT NULL
  ) STRICT`,
  `CREATE TABLE mark (
    db INTEGER NOT NULL REFERENCES db,
    name TEXT NOT NULL,
    record INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (db, name)
  ) STRICT`,
];

/** The tables of a whole log that have rows of a database's, by name. */
export const WHOLE_TABLES = ['loginfo', 'pack', 'entry', 'pending', 'module', 'seen', 'staged', 'mark'] as const;

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

/** Makes the tables that a file lacks. Inside a transaction of the caller's. */
export function createTables(connection: Connection, has: Tables, want: Exclude<Tables, 'none'>): void {
  if (has === 'none') {
    for (const table of BASE) connection.exec(table);
    connection.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  }
  if (want === 'whole' && has !== 'whole') for (const table of WHOLE) connection.exec(table);
  connection.exec(`PRAGMA user_version = ${VERSIONS[want]}`);
}

/**
 * Says which of our tables the file has; an empty one has none.
 *
 * The tables' definitions are compared as text, so that a file from elsewhere brings no trigger, view or column of its own.
 *
 * @throws {SchemaError} where the file is another program's, or of another version.
 */
export function tablesOf(connection: Connection): Tables {
  const made = connection
    .prepare(`SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY sql`)
    .all()
    .map((row) => textIn(row, 'sql'));
  const application = countIn(connection.prepare('PRAGMA application_id').get(), 'application_id');
  if (made.length === 0 && application === 0) return 'none';
  const tables = areTables(made, BASE) ? 'base' : areTables(made, [...BASE, ...WHOLE]) ? 'whole' : undefined;
  const ours = tables !== undefined;
  if (application !== APPLICATION_ID) throw new SchemaError('the file is not of gosumcheck', { ours });
  const version = countIn(connection.prepare('PRAGMA user_version').get(), 'user_version');
  if (version > VERSIONS.whole) throw new SchemaError(`the file is of a newer gosumcheck (schema ${version})`, { newer: true, ours });
  if (tables === undefined || version !== VERSIONS[tables]) throw new SchemaError('the tables are not those that gosumcheck makes', { ours });
  return tables;
}

function areTables(made: readonly string[], tables: readonly string[]): boolean {
  const want = tables.toSorted();
  return made.length === want.length && made.every((sql, i) => sql === want[i]);
}
