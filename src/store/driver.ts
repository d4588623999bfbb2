/**
 * SQLite drivers: the few synchronous calls that the store needs, over better-sqlite3 (an optional dependency) or over
 * Node's own node:sqlite.
 *
 * A driver that cannot be had is no error: each loader then says why in a few words, and the next way is tried (open.ts).
 */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { wrapperOf } from '#wrapper';
import * as installed from './wrapper.js';

/** What a statement's parameters take. Numbers are counts; a column of type INTEGER keeps them exactly up to 2^53 - 1. */
export type Value = number | string | Uint8Array | null;

/** A prepared statement. What comes out of it is believed by nobody: see row.ts. */
export interface Statement {
  /** The first row, or `undefined`. */
  get(...values: Value[]): unknown;
  all(...values: Value[]): unknown[];
  run(...values: Value[]): unknown;
  /** better-sqlite3 alone: has `get` give the first column in place of a row. */
  pluck?(): Statement;
}

/** A prepared statement of which one value a row is wanted: an object for each row costs as much as to find it. */
export interface ValueStatement {
  /** The first column of the first row, or `undefined`. */
  get(...values: Value[]): unknown;
  /** The first column of each row. */
  all(...values: Value[]): unknown[];
}

/** The first column of what a statement gives. */
export function valueStatement(statement: Statement): ValueStatement {
  if (statement.pluck !== undefined) return statement.pluck();
  const first = (row: unknown): unknown => Object.values(row ?? {})[0];
  return { get: (...values) => first(statement.get(...values)), all: (...values) => statement.all(...values).map(first) };
}

/** An open database file. */
export interface Connection {
  /** Runs statements that need no parameters and whose rows nobody wants. */
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
  close(): unknown;
}

/** A way to SQLite. */
export interface Driver {
  readonly name: 'better-sqlite3' | 'node:sqlite';
  /** Opens the file, or makes an empty one. A file that may not be written is opened for reading, as it is with `readOnly`. */
  open(file: string, readOnly?: boolean): Connection;
}

/**
 * better-sqlite3 with its binding loaded, or why there is none.
 *
 * The package's own word on the Node versions that it is made for is heard before its binding is touched, since a binding
 * made for another one need not fail politely.
 */
export function loadBetterSqlite(): Driver | string {
  // import() of this CommonJS package takes 7 ms, require 4
  const load = createRequire(import.meta.url);
  let manifest: { readonly version?: unknown; readonly engines?: { readonly node?: unknown } };
  try {
    manifest = load('better-sqlite3/package.json') as typeof manifest;
  } catch {
    return 'better-sqlite3 is not installed';
  }
  const { node } = process.versions;
  if (!isMadeFor(String(manifest.engines?.node), node)) {
    return `better-sqlite3 ${String(manifest.version)} is not made for Node ${node}`;
  }
  // Where the package's own search finds it most often; to be told saves that search a millisecond or two.
  const built = path.join(path.dirname(load.resolve('better-sqlite3/package.json')), 'build', 'Release', 'better_sqlite3.node');
  try {
    const options = existsSync(built) ? { nativeBinding: load(built) as string } : {};
    const Database = options.nativeBinding === undefined ? installed.wrapperOf(load) : wrapperOf(load);
    if (options.nativeBinding === undefined) new Database(':memory:').close(); // loads the binding
    return { name: 'better-sqlite3', open: (file, readonly = false) => new Database(file, { ...options, readonly }) };
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ERR_DLOPEN_FAILED'
      ? 'better-sqlite3 was built for another Node or another system'
      : 'better-sqlite3 was installed without its binding';
  }
}

/**
 * Reports whether a package's `engines.node` names this version of Node. Understands what better-sqlite3 writes, majors as
 * `20.x || 22.x`; anything else, and a Node that is no release, is answered with no.
 */
export function isMadeFor(engines: string, version: string): boolean {
  const major = /^([0-9]+)\.[0-9]+\.[0-9]+$/.exec(version)?.[1];
  return major !== undefined && engines.split('||').some((range) => range.trim() === `${major}.x`);
}

/** node:sqlite, or why there is none. Node has it from 22.13 on, and from 22.5 on behind `--experimental-sqlite`. */
export function loadNodeSqlite(): Driver | string {
  const sqlite = withoutSqliteWarning(() => process.getBuiltinModule('node:sqlite')) as NodeSqlite | undefined;
  if (sqlite === undefined) return `Node ${process.versions.node} has no node:sqlite`;
  return { name: 'node:sqlite', open: (file, readOnly = false) => new sqlite.DatabaseSync(file, { readOnly }) };
}

interface NodeSqlite {
  readonly DatabaseSync: new (file: string, options: { readonly readOnly: boolean }) => Connection;
}

/**
 * Does a synchronous `work` without the one warning that Node 22 prints when node:sqlite is loaded. Nobody else runs
 * meanwhile, so that no other warning is lost.
 */
function withoutSqliteWarning<T>(work: () => T): T {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- kept to be put back, and called on process
  const { emitWarning } = process;
  process.emitWarning = (...warning: unknown[]): void => {
    if (warning[1] !== 'ExperimentalWarning') Reflect.apply(emitWarning, process, warning);
  };
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
}
