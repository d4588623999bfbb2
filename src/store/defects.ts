/**
 * SQLite's own check of a file. That of a large one takes half a minute in one call, in which nothing else is done and nobody is
 * heard: it has a thread, and a connection, of its own. What others write meanwhile it may see or not.
 */

import { Worker } from 'node:worker_threads';
import type { SqliteFile } from './file.js';
import { textIn } from './row.js';

/** The bundle of defectworker.ts. The same place seen from dist/src/store and from the command's bundle in dist/bundle/cli: they are equally deep. */
const ENTRY = new URL('../../bundle/store/defectworker.cjs', import.meta.url);
/** Bytes of a file that is checked here: to start a thread takes as long. */
const SMALL = 2 ** 24;

/** What the thread is started with. */
export interface DefectStart {
  readonly file: string;
}

/** What SQLite finds wrong, in its words. @throws {GosumError} `STORE_FAILED` where that cannot be told. */
export function defectsIn(file: SqliteFile): string[] {
  return (
    file.read((prepare) => {
      const texts = (sql: string, textOf: (row: unknown) => string): string[] => prepare(sql).all().map(textOf);
      const unsound = texts('PRAGMA integrity_check', (row) => textIn(row, 'integrity_check'));
      const strays = texts('PRAGMA foreign_key_check', (row) => `a row of ${textIn(row, 'table')} that belongs to none of ${textIn(row, 'parent')}`);
      return [...unsound.filter((text) => text !== 'ok'), ...new Set(strays)];
    }) ?? []
  );
}

/** Checks one file, in a thread where that is worth it. */
export class DefectSearch {
  readonly #file: SqliteFile;
  #worker: Worker | undefined;

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  /** As `defectsIn`. Never settles where it is closed meanwhile. */
  async find(): Promise<string[]> {
    const found = this.#file.bytes < SMALL ? undefined : await this.#findInThread();
    return found ?? defectsIn(this.#file); // which says why it cannot be told
  }

  close(): void {
    void this.#worker?.terminate();
  }

  /** `undefined` where there can be no thread, or it cannot tell. */
  #findInThread(): Promise<string[] | undefined> {
    return new Promise((resolve) => {
      this.#worker = new Worker(ENTRY, { workerData: { file: this.#file.path } satisfies DefectStart });
      this.#worker.once('message', (found: string[] | undefined) => resolve(found)).once('error', () => resolve(undefined));
    });
  }
}
