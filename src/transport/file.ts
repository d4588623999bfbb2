/**
 * file:// databases: a folder with `latest`, `lookup/` and `tile/` in it, as a proxy or as the database itself.
 *
 * Files are read synchronously, a few kilobytes each from a local disk: 525 reads take some 10 ms so, and four times that
 * by promises, which cross to the thread pool four times a file.
 */

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import type { ReadOptions, Source } from '../contract.js';
import { joinUrl, redactUrl, type GoUrl } from '../config/gourl.js';
import { GosumError } from '../errors.js';
import { pathElements } from './readpath.js';
import { SourceError, unreachable } from './sourceerror.js';

/**
 * Opens the folder that a file:// URL names.
 *
 * Its reads fail with `NOT_FOUND` where there is no such file.
 *
 * @throws {GosumError} `CONFIG_INVALID` for a URL that names no folder of this machine.
 */
export function openFileSource(url: GoUrl): Source {
  const folder = fileUrlToPath(url);
  return {
    label: redactUrl(url),
    read: (readPath, { limit }) =>
      new Promise((resolve) => {
        const file = path.join(folder, ...pathElements(readPath));
        const shown = redactUrl(joinUrl(url, readPath));
        try {
          resolve(readFileUpTo(file, limit, shown));
        } catch (cause) {
          if (cause instanceof SourceError) throw cause;
          if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw unreachable(shown, cause);
          throw new SourceError('NOT_FOUND', `reading ${shown}: no such file`, { url: shown, cause });
        }
      }),
    close: () => Promise.resolve(),
  };
}

/**
 * The path that a file:// URL names, by cmd/go's rules (cmd/go/internal/web, urlToFilePath): on Windows a host is a
 * network share, elsewhere none but `localhost` may stand; `file:/path` works, too.
 *
 * @throws {GosumError} `CONFIG_INVALID`.
 */
export function fileUrlToPath(url: GoUrl, platform: NodeJS.Platform = process.platform): string {
  const windows = platform === 'win32';
  const paths = windows ? path.win32 : path.posix;
  const fromSlash = (text: string): string => (windows ? text.replaceAll('/', '\\') : text);
  const local = url.host === '' || url.host === 'localhost';

  let file: string;
  if (url.path === '') {
    if (url.host !== '' || url.opaque === '') throw invalid(url, 'it has no path');
    file = fromSlash(url.opaque);
  } else if (!windows) {
    if (!local) throw invalid(url, 'its host is not this machine');
    file = url.path;
  } else if (!local) {
    if (/^[A-Za-z]:/.test(url.host)) throw invalid(url, 'a drive stands where the host should, want file:///C:/…');
    file = `\\\\${url.host}${fromSlash(url.path)}`;
  } else {
    if (!/^\/[A-Za-z]:/.test(url.path)) throw invalid(url, 'it has no drive letter');
    file = fromSlash(url.path.slice(1));
  }
  if (!paths.isAbsolute(file) || file.includes('\0')) throw invalid(url, 'its path is not absolute');
  return file;
}

/**
 * Reads a file of at most `limit` bytes.
 *
 * @throws {SourceError} `TOO_LARGE`; the system's own errors for everything else.
 */
export function readFileUpTo(file: string, limit: ReadOptions['limit'], shown: string): Uint8Array {
  // to open a named pipe would wait for its writer; Windows has neither
  const { O_NONBLOCK = 0 } = constants as { O_NONBLOCK?: number };
  const descriptor = openSync(file, constants.O_RDONLY | O_NONBLOCK);
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new SourceError('UNREACHABLE', `reading ${shown}: it is no plain file`, { url: shown });
    const bytes = Buffer.allocUnsafeSlow(Math.min(stat.size, limit) + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(descriptor, bytes, length, bytes.length - length, null);
    }
    if (length > limit) throw new SourceError('TOO_LARGE', `reading ${shown}: more than ${limit} bytes`, { url: shown });
    return new Uint8Array(bytes.buffer, bytes.byteOffset, length);
  } finally {
    closeSync(descriptor);
  }
}

function invalid(url: GoUrl, detail: string): GosumError {
  return new GosumError('CONFIG_INVALID', `bad file URL ${redactUrl(url)}: ${detail}`);
}
