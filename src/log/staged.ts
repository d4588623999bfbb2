/**
 * A batch on its way into the log, as it is kept before its tree is signed: after a crash it is finished, or it never was.
 *
 * Its form is that of records in a receipt (core/parts.ts): their numbers, lengths and texts; on disk between two steps of one
 * `add` alone, so that it may change with the version.
 */

import { formatRecords, Parts, readRecords, type Malformed } from '../core/parts.js';
import type { LogRecord } from '../core/record.js';
import { joinBytes } from '../core/text.js';
import { GosumError } from '../errors.js';

/** The batch's bytes. Numbers ascend by one. */
export function formatStaged(records: readonly LogRecord[]): Uint8Array {
  return joinBytes(formatRecords(records));
}

/** @throws {GosumError} `STORE_FAILED` where the bytes are not those of a batch. */
export function parseStaged(bytes: Uint8Array): readonly LogRecord[] {
  const malformed: Malformed = (detail, cause) => new GosumError('STORE_FAILED', `the batch on its way into the log is damaged: ${detail}`, { cause });
  const parts = new Parts(bytes, malformed);
  const records = readRecords(parts, malformed);
  const first = records[0]?.id ?? 0;
  if (!parts.atEnd || records.some(({ id }, i) => id !== first + i)) throw malformed('its records do not follow one another');
  return records;
}
