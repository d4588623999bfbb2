/** A stream kept in a temporary file for as long as it is needed. */

import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { fileFailure } from '../core/fileerror.js';
import { ZipError } from './ziperror.js';
import { MAX_BYTES } from './zipdirectory.js';

/**
 * Writes all bytes of a stream to a temporary file, has `work` done with its path, and removes it.
 *
 * @param limit the most bytes that are taken.
 * @throws {ZipError} `ZIP_LIMIT` where there are more bytes.
 * @throws {GosumError} `FILE_FAILED` where the file cannot be written; the signal's reason; what the stream or `work` throws.
 */
export async function withStoredStream<T>(
  stream: Readable,
  signal: AbortSignal | undefined,
  work: (path: string) => Promise<T>,
  limit: number = MAX_BYTES,
): Promise<T> {
  // heard from now on: a stream can fail before the first of it is read, and is asked for its error then
  stream.on('error', () => undefined);
  if (signal !== undefined) addAbortSignal(signal, stream);
  try {
    const folder = await failing(tmpdir(), mkdtemp(join(tmpdir(), 'gosumcheck-')));
    try {
      const path = join(folder, 'module.zip');
      await store(stream, path, limit);
      return await work(path);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    stream.destroy();
  }
}

async function store(stream: Readable, path: string, limit: number): Promise<void> {
  const file = await failing(path, open(path, 'wx', 0o600));
  try {
    let length = 0;
    for await (const chunk of stream) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('want a stream of bytes');
      length += chunk.length;
      if (length > limit) throw new ZipError('ZIP_LIMIT', 'zip', undefined, `it has more than ${limit} bytes`);
      await failing(path, file.writeFile(chunk));
    }
  } finally {
    await file.close();
  }
}

async function failing<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw fileFailure(path, cause);
  }
}
