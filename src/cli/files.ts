/** Files that could not be read or written, in words. */

import { GosumError } from '../errors.js';

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  ENOSPC: 'the disk is full',
};

/** The `FILE_FAILED` error of what the system threw about the file that a person calls `name`. */
export function fileFailure(name: string, cause: unknown): GosumError {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  return new GosumError('FILE_FAILED', `${name}: ${WORDS[code] ?? message}`, { cause });
}
