/**
 * The store in an SQLite file. Its tables are in schema.ts, its transactions in file.ts.
 *
 * SQLite is synchronous: each method does its work at once and gives a promise that is already settled.
 */

import type { Change, Evidence, KeptReceipt, KeptRecord, LogStore, Store, StoreNow, StoreStats, TileBytes, TimelineHead } from '../contract.js';
import { HASH_SIZE } from '../core/hash.js';
import { formatTilePath, type Tile } from '../core/tile.js';
import { checkChange, checkName } from './change.js';
import { leastCover, type Cover } from './cover.js';
import { recordDigest, tileDigest } from './digest.js';
import type { Driver, Value } from './driver.js';
import { settle, SqliteFile, type FileOptions, type Prepare, type Work } from './file.js';
import { saveLog, takesLog } from './logsave.js';
import { idOf, logStats, SqliteLog } from './logstore.js';
import { SqliteNow } from './now.js';
import { readRecord, readTile, tileIn } from './read.js';
import { bytesIn, countIn, countOrNothingIn, RowError, textIn } from './row.js';
import { WHOLE_TABLES } from './schema.js';

/**
 * Opens the store in `file`. A missing file is an empty store, and is made, with its folder, by the first commit;
 * reading writes nothing. A file that cannot be written can still be read: only commits fail then.
 *
 * @throws {GosumError} `STORE_FAILED` where the file is damaged, or not of gosumcheck, or of a newer one. It is left as it is.
 */
export function openSqliteStore(driver: Driver, file: string, options: SqliteStoreOptions = {}): SqliteStore {
  const refuse = (row: string): never => {
    throw new RowError(`${row} is not as it was written`);
  };
  return new SqliteStore(new SqliteFile(driver, file, options), options.strict === true ? refuse : undefined);
}

/** How a store is opened. */
export interface SqliteStoreOptions extends Pick<FileOptions, 'wal'> {
  /** A row that is not as it was written rejects with `STORE_FAILED`, in place of counting for none: where nobody else can be asked. */
  readonly strict?: boolean;
}

const HEAD = 'SELECT size, hash, note, next, proof FROM head';

/** The store in one file; opened by `openSqliteStore`. */
export class SqliteStore implements Store {
  readonly label: string;
  readonly log: LogStore;
  readonly now: StoreNow;
  readonly #file: SqliteFile;
  readonly #refused: (row: string) => void;

  /** @param refused told of each row that is not as it was written, and so counts for none. */
  constructor(file: SqliteFile, refused: (row: string) => void = () => undefined) {
    this.label = file.path;
    this.#file = file;
    this.#refused = refused;
    this.log = new SqliteLog(file, refused);
    this.now = new SqliteNow(file);
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
        return wanted.map((tile) => {
          const kept = readTile(prepare, db, tile);
          if (kept !== undefined && kept.value === undefined) this.#refused(formatTilePath(tile));
          return kept?.value;
        });
      },
      wanted.map(() => undefined),
    );
  }

  records(key: string, wanted: readonly string[]): Promise<(KeptRecord | undefined)[]> {
    return this.#read(
      (prepare) => {
        const db = idOf(prepare, key);
        return wanted.map((covers) => {
          const kept = readRecord(prepare, db, covers);
          if (kept !== undefined && kept.value === undefined) this.#refused(`record ${covers}`);
          return kept?.value;
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
        const { log } = change;
        if (log !== undefined && !takesLog(prepare, idOf(prepare, key), log)) return false;
        prepare('INSERT OR IGNORE INTO db (name, key) VALUES (?, ?)').run(change.name, key);
        const db = countIn(prepare('SELECT id FROM db WHERE key = ?').get(key), 'id');
        checkChange(change, (size) => headAt(prepare, db, size), newest);
        saveHeads(prepare, db, change.heads);
        saveTiles(prepare, db, change.tiles);
        saveReceipts(prepare, db, change.receipts);
        saveRecords(prepare, db, change.records ?? []);
        if (log !== undefined) saveLog(prepare, db, log);
        if (change.newestOnly === true) prepare('DELETE FROM head WHERE db = ? AND next IS NOT NULL').run(db);
        return true;
      }, change.log === undefined ? 'base' : 'whole'),
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
      (prepare, hasWhole) => ({
        databases: prepare(STATS).all().map((row) => statsOf(row, hasWhole() ? logStats(prepare, countIn(row, 'id')) : undefined)),
        evidence: countIn(prepare('SELECT count(*) AS n FROM evidence').get(), 'n'),
        bytes: this.#file.bytes,
      }),
      { databases: [], evidence: 0, bytes: this.#file.bytes },
    );
  }

  clean(): Promise<void> {
    return settle(() => {
      this.#file.update((prepare, hasWhole) => {
        for (const table of [...(hasWhole() ? WHOLE_TABLES : []), 'covers', 'receipt', 'record', 'tile', 'head']) prepare(`DELETE FROM ${table}`).run();
      });
      this.#file.shrink();
    });
  }

  close(): Promise<void> {
    return settle(() => {
      this.#file.close();
    });
  }

  #read<T>(work: Work<T>, nothing: T): Promise<T> {
    return settle(() => this.#file.read(work) ?? nothing);
  }
}

type DatabaseStats = StoreStats['databases'][number];

const STATS = `SELECT id, name, key,
  (SELECT count(*) FROM head WHERE db = db.id) AS heads,
  (SELECT size FROM head WHERE db = db.id AND next IS NULL) AS newest,
  (SELECT count(*) FROM tile WHERE db = db.id) AS tiles,
  (SELECT count(*) FROM receipt WHERE db = db.id) AS receipts,
  (SELECT count(DISTINCT module_version) FROM covers WHERE db = db.id)
    + (SELECT count(*) FROM record WHERE db = db.id) AS records
  FROM db ORDER BY id`;

function keyOf(prepare: Prepare, name: string): string | undefined {
  const row = prepare('SELECT key FROM db WHERE name = ?').get(name);
  return row === undefined ? undefined : textIn(row, 'key');
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

function statsOf(row: unknown, log: DatabaseStats['log']): DatabaseStats {
  return {
    name: textIn(row, 'name'),
    key: textIn(row, 'key'),
    heads: countIn(row, 'heads'),
    newest: countOrNothingIn(row, 'newest'),
    tiles: countIn(row, 'tiles'),
    receipts: countIn(row, 'receipts'),
    records: countIn(row, 'records'),
    ...(log === undefined ? {} : { log }),
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
    WHERE length(excluded.data) >= length(data) RETURNING n`,
  );
  const find = prepare('SELECT data, digest FROM tile WHERE db = ? AND level = ? AND n = ?');
  const mend = prepare('UPDATE tile SET data = ?, digest = ? WHERE db = ? AND level = ? AND n = ?');
  for (const { tile, bytes } of tiles) {
    const { level, n } = tile;
    const digest = tileDigest(level, n, bytes);
    // a wider one stays, if it is as it was written
    if (save.get(db, level, n, bytes, digest) === undefined && tileIn(find.get(db, level, n), level, n) === undefined) {
      mend.run(bytes, digest, db, level, n);
    }
  }
}

function saveRecords(prepare: Prepare, db: Value, records: readonly KeptRecord[]): void {
  const save = prepare('INSERT OR REPLACE INTO record (db, module_version, id, text, digest) VALUES (?, ?, ?, ?, ?)');
  for (const record of records) save.run(db, record.covers, record.id, record.text, recordDigest(record));
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
