/** Files that a person names: whether they are there, and reading those that anybody may have written. */

import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { GosumError } from '../errors.js';

export { fileFailure } from '../core/fileerror.js';

/** The data file that was given. @param hint how to give one. @throws {GosumError} `CONFIG_INVALID` where none was. */
export function givenData(data: string | undefined, hint: string): string {
  if (data !== undefined) return data;
  throw new GosumError('CONFIG_INVALID', 'no data file is given', { hint });
}

/** Checks that a file is there, for what would make a new one. @param hint which file is meant. @throws {GosumError} `FILE_FAILED`. */
export function checkThere(file: string, hint: string): void {
  if (!existsSync(file)) throw new GosumError('FILE_FAILED', `${file}: no such file`, { hint });
}

/**
 * The bytes of a file, up to a limit: a link in a repository can lead to one without an end.
 *
 * @throws {GosumError} `FILE_FAILED` where it has more; the signal's reason; the system's own error otherwise.
 */
export async function readUpTo(file: string, limit: number, signal: AbortSignal): Promise<Uint8Array> {
  const stat = statSync(file);
  // A plain file at once: a stream crosses to the thread pool four times. Anything else may have no end, or no writer yet.
  if (stat.isFile() && stat.size > 0 && stat.size <= limit) return new Uint8Array(readFileSync(file));
  return readAllUpTo(createReadStream(file), file, limit, signal);
}

/** As `readUpTo`, of a stream that a person calls `name`. */
export async function readAllUpTo(stream: Readable, name: string, limit: number, signal: AbortSignal): Promise<Uint8Array> {
  const stop = (): void => void stream.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > limit) throw new GosumError('FILE_FAILED', `${name}: more than ${limit} bytes`);
      chunks.push(chunk);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
