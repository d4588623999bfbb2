/** What the system says of a file, in words for a person. */

import { GosumError, isGosumError } from '../errors.js';

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  ELOOP: 'a link that leads to itself',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk is full',
};

/** The `FILE_FAILED` error of what the system threw about the file that a person calls `name`; our own errors stay. */
export function fileFailure(name: string, cause: unknown): GosumError {
  if (isGosumError(cause)) return cause;
  const { code = '', message } = cause as Error & { code?: string };
  return new GosumError('FILE_FAILED', `${name}: ${WORDS[code] ?? message}`, { cause });
}
