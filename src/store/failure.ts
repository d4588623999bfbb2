/** What went wrong with a store's file, as one error that names the file and the next step. */

import { GosumError, isGosumError } from '../errors.js';
import { RowError } from './row.js';
import { SchemaError } from './schema.js';

/** What SQLite's primary result codes (sqlite.org/rescode.html) mean to a person, and what to do. */
const FAILURES: readonly { readonly codes: Readonly<Record<string, number>>; readonly means: string; readonly hint: string }[] = [
  {
    codes: { SQLITE_CORRUPT: 11, SQLITE_NOTADB: 26 },
    means: 'the file is damaged',
    hint: 'delete it with `gosumcheck cache clean`',
  },
  {
    codes: { SQLITE_PERM: 3, SQLITE_READONLY: 8, SQLITE_CANTOPEN: 14 },
    means: 'the file cannot be opened or written',
    hint: 'make the file and its folder writable, or name another file with --cache',
  },
  {
    codes: { SQLITE_IOERR: 10, SQLITE_FULL: 13 },
    means: 'the disk is full or failing',
    hint: 'make room on the disk, or name another file with --cache',
  },
  {
    codes: { SQLITE_BUSY: 5, SQLITE_LOCKED: 6 },
    means: 'another process holds the file',
    hint: 'try again when it is done, or name another file with --cache',
  },
];

/**
 * The error to throw for what was caught while a store's file was used: `STORE_FAILED` for a failure of SQLite or of the
 * file system, and the caught thing itself for anything else.
 *
 * @param subject the file, or whatever names the store to a person.
 */
export function storeFailure(subject: string, cause: unknown): unknown {
  if (cause instanceof GosumError || !(cause instanceof Error)) return cause;
  if (cause instanceof SchemaError) {
    const hint = cause.newer
      ? 'update gosumcheck, or name another file with --cache'
      : 'name another file with --cache, or delete this one';
    return failed(subject, cause.message, hint, cause);
  }
  if (cause instanceof RowError || hasCode(cause, 'ERR_OUT_OF_RANGE')) {
    return failed(subject, `the file is damaged: ${cause.message}`, 'delete it with `gosumcheck cache clean`', cause);
  }
  if ('errcode' in cause || ('code' in cause && String(cause.code).startsWith('SQLITE_'))) {
    const known = FAILURES.find(({ codes }) => Object.entries(codes).some(([name, number]) => isResult(cause, name, number)));
    return failed(subject, `${known?.means ?? 'SQLite failed'}: ${cause.message}`, known?.hint, cause);
  }
  if ('syscall' in cause) {
    return failed(subject, cause.message, 'make the folder writable, or name another file with --cache', cause);
  }
  return cause;
}

/** Reports whether an error is that of a store's file which is damaged, and not one that is another's, held or out of reach. */
export function isDamaged(error: unknown): error is GosumError<'STORE_FAILED'> {
  if (!isGosumError(error, 'STORE_FAILED')) return false;
  const { cause } = error;
  if (!(cause instanceof Error)) return false;
  if (cause instanceof RowError || hasCode(cause, 'ERR_OUT_OF_RANGE')) return true;
  return isResult(cause, 'SQLITE_CORRUPT', 11) || isResult(cause, 'SQLITE_NOTADB', 26);
}

/** Reports whether an error is that of a file whose tables or marks are not ours: another program's, a newer one's, or damaged. */
export function isForeign(error: unknown): error is GosumError<'STORE_FAILED'> & { readonly cause: SchemaError } {
  return isGosumError(error, 'STORE_FAILED') && error.cause instanceof SchemaError;
}

function failed(subject: string, detail: string, hint: string | undefined, cause: Error): GosumError<'STORE_FAILED'> {
  return new GosumError('STORE_FAILED', `${subject}: ${detail}`, { cause, ...(hint === undefined ? {} : { hint }) });
}

/** better-sqlite3 gives the (extended) result code by name, `SQLITE_IOERR_WRITE`; node:sqlite by number, 778. */
function isResult(error: Error, name: string, number: number): boolean {
  if ('errcode' in error) return Number(error.errcode) % 256 === number;
  const code = 'code' in error ? String(error.code) : '';
  return code === name || code.startsWith(`${name}_`);
}

function hasCode(error: Error, code: string): boolean {
  return 'code' in error && error.code === code;
}

/** Reports whether an error is that another process holds a store's file. */
export function isBusy(error: unknown): boolean {
  return isGosumError(error, 'STORE_FAILED') && error.cause instanceof Error && (isResult(error.cause, 'SQLITE_BUSY', 5) || isResult(error.cause, 'SQLITE_LOCKED', 6));
}
