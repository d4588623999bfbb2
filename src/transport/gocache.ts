/**
 * What the go command itself has kept of a checksum database: lookups and tiles under GOMODCACHE, the newest tree head
 * under GOPATH (modfetch/sumdb.go, ReadCache and ReadConfig). One more place to read suspect bytes from, never written.
 */

import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Source } from '../contract.js';
import { readFileUpTo } from './file.js';
import { pathElements } from './readpath.js';

/** Where the go command keeps its caches; see `goFolders`. */
export interface GoFolders {
  readonly gopath: string | undefined;
  readonly gomodcache: string | undefined;
}

/**
 * Opens the go command's cache of the database `name`.
 *
 * A cache has no authority to say what is not there: whatever cannot be read is `undefined`. An empty file is one that
 * the go command is just about to write.
 */
export function openGoCache(folders: GoFolders, name: string): Source {
  const kept = below(folders.gomodcache, ['cache', 'download', 'sumdb'], name);
  const config = below(folders.gopath, ['pkg', 'sumdb'], name);
  const hasKept = kept !== undefined && existsSync(kept);
  return {
    label: 'the go command’s cache',
    read: (readPath, { limit }) =>
      new Promise((resolve) => {
        const elements = pathElements(readPath);
        const folder = elements[0] === 'latest' ? config : hasKept ? kept : undefined;
        const bytes = folder === undefined ? undefined : tryRead(path.join(folder, ...elements), limit);
        resolve(bytes?.length === 0 ? undefined : bytes);
      }),
    close: () => Promise.resolve(),
  };
}

function tryRead(file: string, limit: number): Uint8Array | undefined {
  // Most are not there, and to ask is a tenth of what it costs to make and catch the system's error.
  if (!existsSync(file)) return undefined;
  try {
    return readFileUpTo(file, limit, file);
  } catch {
    return undefined;
  }
}

/** The database's own folder; none for a name that would lead out of the cache. */
function below(folder: string | undefined, elements: readonly string[], name: string): string | undefined {
  const plain = name.split('/').every((element) => !['', '.', '..'].includes(element) && !element.includes('\\'));
  return folder === undefined || !plain ? undefined : path.join(folder, ...elements, name);
}
