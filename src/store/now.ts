/** What an SQLite file gives without waiting. A row that is not as it was written is passed over in silence: see `StoreNow`. */

import type { IndexPlace, KeptRecord, PackedPart, StoreNow } from '../contract.js';
import type { Tile } from '../core/tile.js';
import type { Prepare, SqliteFile } from './file.js';
import { idOf } from './logstore.js';
import { readPart, readRange, readRecord, readTile, type ReadRow } from './read.js';

/** Small reads of one file. Each throws `STORE_FAILED` where the medium fails. */
export class SqliteNow implements StoreNow {
  readonly #file: SqliteFile;
  /** The row of the key that was asked for last, in the state of the file that it was read in. */
  #key: string | undefined;
  #id: number | null = null;
  #reading = -1;

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  tile(key: string, tile: Tile): Uint8Array | undefined {
    return this.#read(key, readTile, tile);
  }

  record(key: string, covers: string): KeptRecord | undefined {
    return this.#read(key, readRecord, covers);
  }

  entries(key: string, place: IndexPlace): Uint8Array | undefined {
    return this.#read(key, readRange, place, true);
  }

  part(key: string, n: number): PackedPart | undefined {
    return this.#read(key, readPart, n, true);
  }

  #read<K, T>(key: string, readRow: ReadRow<K, T>, wanted: K, ofWhole = false): T | undefined {
    return this.#file.readNow((prepare, hasWhole) => (ofWhole && !hasWhole() ? undefined : readRow(prepare, this.#idOf(prepare, key), wanted)?.value));
  }

  #idOf(prepare: Prepare, key: string): number | null {
    if (this.#key !== key || this.#reading !== this.#file.readings) {
      this.#id = idOf(prepare, key);
      this.#key = key;
      this.#reading = this.#file.readings;
    }
    return this.#id;
  }
}
