/** The server's log: a line of JSON for each thing that happened (pino). */

import { pino, stdTimeFunctions, type Logger } from 'pino';
import type { Writable } from 'node:stream';

/** A log. */
export type Log = Logger;

/** How much is said. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Opens a log.
 *
 * @param fields stand in every line.
 */
export function openLog(to: Writable, level: LogLevel, fields: Readonly<Record<string, unknown>> = {}): Log {
  const options = {
    level,
    base: fields,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, to);
}
