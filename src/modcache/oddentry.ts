/** Why a folder cannot be hashed though it can be read: an entry that no extracted zip has. */

import { promises } from 'node:fs';
import path from 'node:path';

/**
 * The first entry, in no certain order, that is neither a plain file nor a folder: the go command extracts nothing else.
 *
 * @returns its path from the folder on, with slashes, and what it is; `undefined` where there is none, or a folder cannot be read.
 */
export async function oddEntry(folder: string): Promise<string | undefined> {
  const walk = async (elements: readonly string[]): Promise<string | undefined> => {
    const absolute = path.join(folder, ...elements);
    for (const entry of await promises.readdir(absolute, { withFileTypes: true })) {
      const inside = [...elements, entry.name];
      if (entry.isDirectory()) {
        const found = await walk(inside);
        if (found !== undefined) return found;
      } else if (!entry.isFile()) {
        return `${inside.join('/')} is ${entry.isSymbolicLink() ? 'a link' : 'no plain file'}`;
      }
    }
    return undefined;
  };
  try {
    if ((await promises.lstat(folder)).isSymbolicLink()) return 'the folder itself is a link';
    return await walk([]);
  } catch {
    return undefined;
  }
}
