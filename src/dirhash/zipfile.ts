/** Bytes of a zip at rest, read by position: a file, or memory. All of them are suspect. */

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { fileFailure } from '../core/fileerror.js';
import { GosumError } from '../errors.js';

/** An open zip. */
export interface ZipFile {
  /** Names the zip to a person: the path, or `zip` for bytes in memory. */
  readonly label: string;
  /** Bytes of it. */
  readonly size: number;
  /**
   * Fills `into` with the bytes from `position` on; the caller asks for no byte beyond `size`.
   *
   * @throws {GosumError} `FILE_FAILED`, also where the file has become shorter.
   */
  read(into: Uint8Array, position: number): void;
  close(): void;
}

/**
 * Opens a zip file.
 *
 * @throws {GosumError} `FILE_FAILED` with the path: it cannot be read, or is no plain file (a pipe may have no end).
 */
export function openZipFile(path: string): ZipFile {
  const { descriptor, size } = openPlainFile(path);
  return {
    label: path,
    size,
    read(into, position) {
      let done = 0;
      while (done < into.length) {
        const got = attempt(path, () => readSync(descriptor, into, done, into.length - done, position + done));
        if (got === 0) throw new GosumError('FILE_FAILED', `${path}: the file became shorter while it was read`);
        done += got;
      }
    },
    close: () => closeSync(descriptor),
  };
}

/** A zip in memory. */
export function zipFileOf(bytes: Uint8Array): ZipFile {
  return {
    label: 'zip',
    size: bytes.length,
    read(into, position) {
      into.set(bytes.subarray(position, position + into.length));
    },
    close: () => undefined,
  };
}

function openPlainFile(path: string): { descriptor: number; size: number } {
  // asked before opening: to open a pipe waits for somebody to write to it
  if (!attempt(path, () => statSync(path)).isFile()) throw new GosumError('FILE_FAILED', `${path}: it is no plain file`);
  const descriptor = attempt(path, () => openSync(path, 'r'));
  try {
    return { descriptor, size: attempt(path, () => fstatSync(descriptor)).size };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw fileFailure(path, cause);
  }
}
