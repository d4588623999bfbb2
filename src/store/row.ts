/**
 * Rows read strictly: a cache file may have been written by anybody, so each column is checked for its kind before its
 * value goes on. (What the values say is proved again by the client.)
 */

import { isCount } from '../core/integer.js';

/** A row that no store of ours has written. The file is damaged. */
export class RowError extends Error {
  override readonly name = 'RowError';
}

/** A column's count. @throws {RowError} */
export function countIn(row: unknown, column: string): number {
  const value = valueIn(row, column);
  if (typeof value === 'number' && isCount(value)) return value;
  throw new RowError(`${column} is no count`);
}

/** A column's count, `undefined` for NULL. @throws {RowError} */
export function countOrNothingIn(row: unknown, column: string): number | undefined {
  return valueIn(row, column) === null ? undefined : countIn(row, column);
}

/** A column's text. @throws {RowError} */
export function textIn(row: unknown, column: string): string {
  const value = valueIn(row, column);
  if (typeof value === 'string') return value;
  throw new RowError(`${column} is no text`);
}

/** A column's bytes, as a plain `Uint8Array` (one driver gives a `Buffer`). @throws {RowError} */
export function bytesIn(row: unknown, column: string): Uint8Array {
  const value = valueIn(row, column);
  if (value instanceof Uint8Array) return new Uint8Array(value.buffer, value.byteOffset, value.length);
  throw new RowError(`${column} is no bytes`);
}

function valueIn(row: unknown, column: string): unknown {
  return (row as Readonly<Record<string, unknown>> | undefined)?.[column];
}
