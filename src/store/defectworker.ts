/** The entry of the thread that has SQLite check a file. */

import { parentPort, workerData } from 'node:worker_threads';
import { isGosumError } from '../errors.js';
import { defectsIn, type DefectStart } from './defects.js';
import { SqliteFile } from './file.js';
import { loadDriver } from './open.js';

parentPort?.postMessage(find((workerData as DefectStart).file));

/** `undefined` where it cannot be told: who asks will hear why. */
function find(path: string): string[] | undefined {
  const { driver } = loadDriver();
  if (driver === undefined) return undefined;
  try {
    const file = new SqliteFile(driver, path, { readOnly: true });
    try {
      return defectsIn(file);
    } finally {
      file.close();
    }
  } catch (error) {
    if (isGosumError(error)) return undefined;
    throw error;
  }
}
