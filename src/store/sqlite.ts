/**
 * The store in an SQLite file. Its tables are in schema.ts, its transactions in file.ts.
 *
 * SQLite is synchronous: each method does its work at once and gives a promise that is already settled.
 */

import type { Change, Evidence, KeptReceipt, KeptRecord, Store, StoreStats, TileBytes, TimelineHead } from '../contract.js';
import { sha256 } from '#crypto';
import { equalBytes, HASH_SIZE } from '../core/hash.js';
import { encodeUtf8, joinBytes } from '../core/text.js';
import type { Tile } from '../core/tile.js';
import { checkChange, checkName } from './change.js';
import { leastCover, type Cover } from './cover.js';
import type { Driver, Value } from './driver.js';
import { SqliteFile, type Prepare } from './file.js';
import { bytesIn, countIn, countOrNothingIn, RowError, textIn } from './row.js';

/**
 * Opens the store in `file`. A missing file is an empty store, and is made, with its folder, by the first commit;
 * reading writes nothing. A file that cannot be written can still be read: only commits fail then.
 *
 * @throws {GosumError} `STORE_FAILED` where the file is damaged, or not of gosumcheck, or of a newer one. It is left as it is.
 */
export function openSqliteStore(driver: Driver, file: string): Store {
  return new SqliteStore(new SqliteFile(driver, file));
}

const HEAD = 'SELECT size, hash, note, next, proof FROM head';

/** The store in one file; opened by `openSqliteStore`. */
export class SqliteStore implements Store {
  readonly label: string;
  readonly #file: SqliteFile;

  constructor(file: SqliteFile) {
    this.label = file.path;
    this.#file = file;
  }

  keyOf(name: string): Promise<string | undefined> {
    return this.#read((prepare) => keyOf(prepare, name), undefined);
  }

  timeline(key: string, fromSize: number): Promise<TimelineHead[]> {
    return this.#read((prepare) => {
      const sql = `${HEAD} WHERE db = (SELECT id FROM db WHERE key = ?) AND size >= ? ORDER BY size`;
      return prepare(sql).all(key, fromSize).map(headOf);
    }, []);
  }

  newest(key: string): Promise<TimelineHead | undefined> {
    return this.#read((prepare) => newestOf(prepare, idOf(prepare, key)), undefined);
  }

  receipts(key: string, wanted: readonly string[]): Promise<Uint8Array[]> {
    return this.#read((prepare) => {
      const covers = prepare(
        `SELECT covers.module_version, covers.receipt FROM json_each(?) AS wanted
        CROSS JOIN covers ON covers.module_version = wanted.value AND covers.db = ?`,
      ).all(JSON.stringify(wanted), idOf(prepare, key));
      const least = leastCover(covers.map((row): Cover => [textIn(row, 'module_version'), countIn(row, 'receipt')]));
      return least.map((id) => bytesIn(prepare('SELECT bytes FROM receipt WHERE id = ?').get(id), 'bytes'));
    }, []);
  }

  tiles(key: string, wanted: readonly Tile[]): Promise<(Uint8Array | undefined)[]> {
    return this.#read(
      (prepare) => {
        const db = idOf(prepare, key);
        const statement = prepare('SELECT data, digest FROM tile WHERE db = ? AND level = ? AND n = ? AND length(data) >= ?');
        return wanted.map(({ level, n, width }) => {
          const row = statement.get(db, level, n, width * HASH_SIZE);
          if (row === undefined) return undefined;
          const data = bytesIn(row, 'data');
          if (!equalBytes(bytesIn(row, 'digest'), tileDigest(level, n, data))) return undefined;
          return data.subarray(0, width * HASH_SIZE);
        });
      },
      wanted.map(() => undefined),
    );
  }

  records(key: string, wanted: readonly string[]): Promise<(KeptRecord | undefined)[]> {
    return this.#read(
      (prepare) => {
        const db = idOf(prepare, key);
        const statement = prepare('SELECT id, text, digest FROM record WHERE db = ? AND module_version = ?');
        return wanted.map((covers) => {
          const row = statement.get(db, covers);
          if (row === undefined) return undefined;
          const record = { id: countIn(row, 'id'), text: bytesIn(row, 'text'), covers };
          return equalBytes(bytesIn(row, 'digest'), recordDigest(record)) ? record : undefined;
        });
      },
      wanted.map(() => undefined),
    );
  }

  commit(key: string, change: Change): Promise<boolean> {
    return settle(() =>
      this.#file.write((prepare) => {
        const known = prepare('SELECT name FROM db WHERE key = ?').get(key);
        checkName(change.name, key, {
          key: keyOf(prepare, change.name),
          name: known === undefined ? undefined : textIn(known, 'name'),
        });
        const newest = newestOf(prepare, idOf(prepare, key))?.size;
        if (newest !== change.expect) return false;
        prepare('INSERT OR IGNORE INTO db (name, key) VALUES (?, ?)').run(change.name, key);
        const db = idOf(prepare, key);
        checkChange(change, (size) => headAt(prepare, db, size), newest);
        saveHeads(prepare, db, change.heads);
        saveTiles(prepare, db, change.tiles);
        saveReceipts(prepare, db, change.receipts);
        saveRecords(prepare, db, change.records ?? []);
        if (change.newestOnly === true) prepare('DELETE FROM head WHERE db = ? AND next IS NOT NULL').run(db);
        return true;
      }),
    );
  }

  evidence(): Promise<Evidence[]> {
    return this.#read((prepare) => prepare('SELECT * FROM evidence ORDER BY id').all().map(evidenceOf), []);
  }

  addEvidence({ key, foundAt, older, newer, proof }: Evidence): Promise<void> {
    return settle(() =>
      this.#file.write((prepare) => {
        const sql = 'INSERT OR IGNORE INTO evidence (key, found_at, older, newer, proof) VALUES (?, ?, ?, ?, ?)';
        prepare(sql).run(key, foundAt, older, newer, proof);
      }),
    );
  }

  clearEvidence(): Promise<number> {
    return settle(() => this.#file.update((prepare) => prepare('DELETE FROM evidence RETURNING id').all().length) ?? 0);
  }

  stats(): Promise<StoreStats> {
    return this.#read(
      (prepare) => ({
        databases: prepare(STATS).all().map(statsOf),
        evidence: countIn(prepare('SELECT count(*) AS n FROM evidence').get(), 'n'),
        bytes: this.#file.bytes,
      }),
      { databases: [], evidence: 0, bytes: this.#file.bytes },
    );
  }

  clean(): Promise<void> {
    return settle(() => {
      this.#file.update((prepare) => {
        for (const table of ['covers', 'receipt', 'record', 'tile', 'head']) prepare(`DELETE FROM ${table}`).run();
      });
      this.#file.shrink();
    });
  }

  close(): Promise<void> {
    return settle(() => {
      this.#file.close();
    });
  }

  #read<T>(work: (prepare: Prepare) => T, nothing: T): Promise<T> {
    return settle(() => this.#file.read(work) ?? nothing);
  }
}

const STATS = `SELECT name, key,
  (SELECT count(*) FROM head WHERE db = db.id) AS heads,
  (SELECT size FROM head WHERE db = db.id AND next IS NULL) AS newest,
  (SELECT count(*) FROM tile WHERE db = db.id) AS tiles,
  (SELECT count(*) FROM receipt WHERE db = db.id) AS receipts,
  (SELECT count(DISTINCT module_version) FROM covers WHERE db = db.id)
    + (SELECT count(*) FROM record WHERE db = db.id) AS records
  FROM db ORDER BY id`;

/** What a synchronous `work` gives or throws, as a promise. */
function settle<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}

function keyOf(prepare: Prepare, name: string): string | undefined {
  const row = prepare('SELECT key FROM db WHERE name = ?').get(name);
  return row === undefined ? undefined : textIn(row, 'key');
}

/** The row of a key; `null`, which equals nothing in SQL, where there is none. */
function idOf(prepare: Prepare, key: string): number | null {
  const row = prepare('SELECT id FROM db WHERE key = ?').get(key);
  return row === undefined ? null : countIn(row, 'id');
}

function newestOf(prepare: Prepare, db: Value): TimelineHead | undefined {
  const row = prepare(`${HEAD} WHERE db = ? AND next IS NULL`).get(db);
  return row === undefined ? undefined : headOf(row);
}

function headAt(prepare: Prepare, db: Value, size: number): TimelineHead | undefined {
  const row = prepare(`${HEAD} WHERE db = ? AND size = ?`).get(db, size);
  return row === undefined ? undefined : headOf(row);
}

/** @throws {RowError} */
export function headOf(row: unknown): TimelineHead {
  const hash = bytesIn(row, 'hash');
  if (hash.length !== HASH_SIZE) throw new RowError(`hash has ${hash.length} bytes`);
  const head: TimelineHead = { size: countIn(row, 'size'), hash, note: bytesIn(row, 'note') };
  const next = countOrNothingIn(row, 'next');
  return next === undefined ? head : { ...head, next: { size: next, proof: bytesIn(row, 'proof') } };
}

/** @throws {RowError} */
export function evidenceOf(row: unknown): Evidence {
  return {
    key: textIn(row, 'key'),
    foundAt: textIn(row, 'found_at'),
    older: bytesIn(row, 'older'),
    newer: bytesIn(row, 'newer'),
    proof: bytesIn(row, 'proof'),
  };
}

function statsOf(row: unknown): StoreStats['databases'][number] {
  return {
    name: textIn(row, 'name'),
    key: textIn(row, 'key'),
    heads: countIn(row, 'heads'),
    newest: countOrNothingIn(row, 'newest'),
    tiles: countIn(row, 'tiles'),
    receipts: countIn(row, 'receipts'),
    records: countIn(row, 'records'),
  };
}

function saveHeads(prepare: Prepare, db: Value, heads: readonly TimelineHead[]): void {
  const save = prepare(
    `INSERT INTO head (db, size, hash, note, next, proof) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (db, size) DO UPDATE SET note = excluded.note, next = excluded.next, proof = excluded.proof`,
  );
  // the old newest head gets its `next` before the new one comes: the table takes only one without
  for (const { size, hash, note, next } of heads.toSorted((a, b) => Number(!a.next) - Number(!b.next))) {
    save.run(db, size, hash, note, next?.size ?? null, next?.proof ?? null);
  }
}

function saveTiles(prepare: Prepare, db: Value, tiles: readonly TileBytes[]): void {
  const save = prepare(
    `INSERT INTO tile (db, level, n, data, digest) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (db, level, n) DO UPDATE SET data = excluded.data, digest = excluded.digest
    WHERE length(excluded.data) >= length(data)`,
  );
  for (const { tile, bytes } of tiles) save.run(db, tile.level, tile.n, bytes, tileDigest(tile.level, tile.n, bytes));
}

function saveRecords(prepare: Prepare, db: Value, records: readonly KeptRecord[]): void {
  const save = prepare('INSERT OR REPLACE INTO record (db, module_version, id, text, digest) VALUES (?, ?, ?, ?, ?)');
  for (const record of records) save.run(db, record.covers, record.id, record.text, recordDigest(record));
}

/** A digest is of the row's key as well: a row that stands at another's place is none. It is no proof, and guards against decay alone. */
export function tileDigest(level: number, n: number, data: Uint8Array): Uint8Array {
  return sha256(joinBytes([encodeUtf8(`tile ${level} ${n}\n`), data]));
}

/** As `tileDigest`, of a record. */
export function recordDigest({ covers, id, text }: KeptRecord): Uint8Array {
  return sha256(joinBytes([encodeUtf8(`record ${covers} ${id}\n`), text]));
}

function saveReceipts(prepare: Prepare, db: Value, receipts: readonly KeptReceipt[]): void {
  if (receipts.length === 0) return;
  for (const { bytes, covers } of receipts) {
    const id = countIn(prepare('INSERT INTO receipt (db, bytes) VALUES (?, ?) RETURNING id').get(db, bytes), 'id');
    const cover = 'INSERT OR IGNORE INTO covers (db, module_version, receipt) SELECT ?, value, ? FROM json_each(?)';
    prepare(cover).run(db, id, JSON.stringify(covers));
  }
  // a receipt that is the newest for nothing any more goes, and what it covers with it
  prepare(
    `DELETE FROM receipt WHERE db = ? AND NOT EXISTS (
      SELECT 1 FROM covers AS own WHERE own.receipt = receipt.id AND NOT EXISTS (
        SELECT 1 FROM covers AS newer
        WHERE newer.db = own.db AND newer.module_version = own.module_version AND newer.receipt > own.receipt))`,
  ).run(db);
}
