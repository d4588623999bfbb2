/** How much there is to hash in a zip, before it is hashed: for a progress line, and for how many threads it is worth. */

import { isGosumError } from '../errors.js';
import { readZipDirectory } from './zipdirectory.js';
import { openZipFile } from './zipfile.js';

/** Bytes of contents that a zip's directory declares; 0 where it cannot be read, which hashing it will say. */
export function contentSize(zip: string): number {
  try {
    const file = openZipFile(zip);
    try {
      return readZipDirectory(file).entries.reduce((sum, { size }) => sum + size, 0);
    } finally {
      file.close();
    }
  } catch (error) {
    if (isGosumError(error)) return 0;
    throw error;
  }
}
