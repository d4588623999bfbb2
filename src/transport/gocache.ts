/**
 * What the go command itself has kept of a checksum database: lookups and tiles under GOMODCACHE, the newest tree head
 * under GOPATH (modfetch/sumdb.go, ReadCache and ReadConfig). One more place to read suspect bytes from, never written.
 */

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
  return {
    label: 'the go command’s cache',
    read(readPath, { limit }) {
      const elements = pathElements(readPath);
      const folder = elements[0] === 'latest' ? config : kept;
      if (folder === undefined || elements[0] === 'supported') return Promise.resolve(undefined);
      try {
        const bytes = readFileUpTo(path.join(folder, ...elements), limit, readPath);
        return Promise.resolve(bytes.length === 0 ? undefined : bytes);
      } catch {
        return Promise.resolve(undefined);
      }
    },
    close: () => Promise.resolve(),
  };
}

/** The database's own folder; none for a name that would lead out of the cache. */
function below(folder: string | undefined, elements: readonly string[], name: string): string | undefined {
  const plain = name.split('/').every((element) => !['', '.', '..'].includes(element) && !element.includes('\\'));
  return folder === undefined || !plain ? undefined : path.join(folder, ...elements, name);
}
