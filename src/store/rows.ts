/**
 * All rows of an SQLite file, in pages: what an audit reads.
 *
 * Pages go along the rowid, so that they come in the order in which the tables lie in the file, and no index, which may
 * be damaged by itself, leads to them. The file is opened for reading and one state of it is held on to.
 */

import type { Evidence, KeptReceipt, KeptRecord, StoredPages, StoredRow, StoreRows, TileBytes, TimelineHead } from '../contract.js';
import { equalBytes, HASH_SIZE } from '../core/hash.js';
import { isTile, type Tile } from '../core/tile.js';
import type { Driver } from './driver.js';
import { SqliteFile } from './file.js';
import { bytesIn, countIn, RowError, textIn } from './row.js';
import { evidenceOf, headOf, recordDigest, SqliteStore, tileDigest } from './sqlite.js';

/** Rows of a page. A tile has up to 8 KiB; a receipt perhaps 200 KB, so that these come by fewer. */
const PAGE = 128;
const RECEIPTS = 8;

/**
 * Opens the rows of the store in `file`. A missing file is an empty store.
 *
 * @throws {GosumError} `STORE_FAILED` where the file is damaged, or not of gosumcheck, or of a newer one, or where a commit
 * was cut off in it that only writing can undo.
 */
export function openSqliteRows(driver: Driver, file: string): StoreRows {
  const opened = new SqliteFile(driver, file, { readOnly: true });
  try {
    opened.hold();
  } catch (error) {
    opened.close();
    throw error;
  }
  return new SqliteRows(opened);
}

/** A value read out of a row, and what is wrong with it. */
interface Read<T> {
  readonly value: T;
  readonly problem?: string;
}

class SqliteRows implements StoreRows {
  readonly label: string;
  readonly #file: SqliteFile;
  readonly #store: SqliteStore;

  constructor(file: SqliteFile) {
    this.label = file.path;
    this.#file = file;
    this.#store = new SqliteStore(file);
  }

  tiles(key: string, wanted: readonly Tile[]): Promise<(Uint8Array | undefined)[]> {
    return this.#store.tiles(key, wanted);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  databases(): Promise<{ name: string; key: string }[]> {
    return this.#read('SELECT name, key FROM db NOT INDEXED', (row) => ({ name: textIn(row, 'name'), key: textIn(row, 'key') }));
  }

  heads(): StoredPages<TimelineHead> {
    return this.#pages<TimelineHead>('head', PAGE, 'size', (row) => ({ value: headOf(row) }));
  }

  hashTiles(): StoredPages<TileBytes> {
    return this.#pages<TileBytes>('tile', PAGE, `level || ' ' || n`, (row) => {
      const [level, n, bytes] = [countIn(row, 'level'), countIn(row, 'n'), bytesIn(row, 'data')];
      const tile = { level, n, width: bytes.length / HASH_SIZE };
      if (!isTile(tile)) throw new RowError(`${bytes.length} bytes are no tile`);
      return withDigest({ tile, bytes }, bytesIn(row, 'digest'), tileDigest(level, n, bytes));
    });
  }

  records(): StoredPages<KeptRecord> {
    return this.#pages<KeptRecord>('record', PAGE, 'module_version', (row) => {
      const record = { id: countIn(row, 'id'), text: bytesIn(row, 'text'), covers: textIn(row, 'module_version') };
      return withDigest(record, bytesIn(row, 'digest'), recordDigest(record));
    });
  }

  receipts(): StoredPages<KeptReceipt> {
    return this.#pages<KeptReceipt>('receipt', RECEIPTS, 'id', (row) => {
      const sql = 'SELECT module_version FROM covers WHERE receipt = ?';
      const covers = this.#file.read((prepare) => prepare(sql).all(countIn(row, 'id'))) ?? [];
      return { value: { bytes: bytesIn(row, 'bytes'), covers: covers.map((each) => textIn(each, 'module_version')) } };
    });
  }

  evidence(): StoredPages<Evidence> {
    return this.#pages<Evidence>('evidence', PAGE, 'id', (row) => ({ value: evidenceOf(row) }));
  }

  async count(): Promise<number> {
    const tables = ['head', 'tile', 'record', 'receipt', 'evidence'].map((table) => `(SELECT count(*) FROM ${table} NOT INDEXED)`);
    const [count] = await this.#read(`SELECT ${tables.join(' + ')} AS n`, (row) => countIn(row, 'n'));
    return count ?? 0;
  }

  async defects(): Promise<string[]> {
    const unsound = await this.#read('PRAGMA integrity_check', (row) => textIn(row, 'integrity_check'));
    const strays = await this.#read('PRAGMA foreign_key_check', (row) => `a row of ${textIn(row, 'table')} that belongs to none of ${textIn(row, 'parent')}`);
    return [...unsound.filter((text) => text !== 'ok'), ...new Set(strays)];
  }

  #read<T>(sql: string, valueOf: (row: unknown) => T): Promise<T[]> {
    return new Promise((resolve) => resolve(this.#file.read((prepare) => prepare(sql).all().map(valueOf)) ?? []));
  }

  /** @param shown what names a row of the table, in SQL. */
  async *#pages<T>(table: string, size: number, shown: string, read: (row: unknown) => Read<T>): AsyncGenerator<StoredRow<T>[]> {
    const key = table === 'evidence' ? '' : ', (SELECT key FROM db NOT INDEXED WHERE db.id = db) AS owner';
    const sql = `SELECT *, rowid AS at, CAST(${shown} AS TEXT) AS shown${key} FROM ${table} NOT INDEXED WHERE rowid > ? ORDER BY rowid LIMIT ${size}`;
    for (let after = Number.MIN_SAFE_INTEGER; ; ) {
      // SQLite is synchronous: between two pages others get their turn
      await new Promise((resolve) => setImmediate(resolve));
      const from = after;
      const rows = this.#file.read((prepare) => {
        const page = prepare(sql).all(from);
        const last = (page.at(-1) as { readonly at?: unknown } | undefined)?.at ?? from;
        // a damaged rowid may be greater than a number can be exactly
        if (typeof last !== 'number' || (page.length > 0 && last <= from)) throw new RowError('the rows are out of order');
        after = last;
        return page;
      });
      if (rows === undefined || rows.length === 0) return;
      yield rows.map((row) => storedRow(row, read));
    }
  }
}

function storedRow<T>(row: unknown, read: (row: unknown) => Read<T>): StoredRow<T> {
  const { shown, owner, key: own } = row as Readonly<Record<string, unknown>>;
  const of = owner ?? own;
  const key = typeof of === 'string' ? of : undefined;
  const name = typeof shown === 'string' ? shown : '?';
  try {
    return { row: name, key, ...read(row) };
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    return { row: name, key, value: undefined, problem: error.message };
  }
}

function withDigest<T>(value: T, kept: Uint8Array, own: Uint8Array): Read<T> {
  return equalBytes(kept, own) ? { value } : { value, problem: 'its digest does not fit: it is not as it was written' };
}
