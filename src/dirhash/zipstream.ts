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
 * @throws {ZipError} `ZIP_LIMIT` where there are more bytes than a zip may have.
 * @throws {GosumError} `FILE_FAILED` where the file cannot be written; the signal's reason; what the stream or `work` throws.
 */
export async function withStoredStream<T>(
  stream: Readable,
  signal: AbortSignal | undefined,
  work: (path: string) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const folder = await failing(tmpdir(), mkdtemp(join(tmpdir(), 'gosumcheck-')));
  try {
    const path = join(folder, 'module.zip');
    await store(stream, path, signal);
    return await work(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function store(stream: Readable, path: string, signal: AbortSignal | undefined): Promise<void> {
  if (signal !== undefined) addAbortSignal(signal, stream);
  const file = await failing(path, open(path, 'wx', 0o600));
  try {
    let length = 0;
    for await (const chunk of stream) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('want a stream of bytes');
      length += chunk.length;
      if (length > MAX_BYTES) throw new ZipError('ZIP_LIMIT', 'zip', undefined, `it has more than ${MAX_BYTES} bytes`);
      await failing(path, file.writeFile(chunk));
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
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
