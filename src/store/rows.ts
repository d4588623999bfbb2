/**
 * All rows of an SQLite file, in pages: what an audit reads.
 *
 * Pages go along the rowid, so that they come in the order in which the tables lie in the file, and no index, which may
 * be damaged by itself, leads to them. The file is opened for reading and one state of it is held on to.
 */

import type {
  Evidence,
  IndexPage,
  KeptReceipt,
  KeptRecord,
  LogState,
  LogStore,
  PackedPart,
  PackedTile,
  PendingEntries,
  SeenTree,
  StoredPages,
  StoredRow,
  StoreRows,
  TileBytes,
  TimelineHead,
} from '../contract.js';
import { equalBytes, HASH_SIZE } from '../core/hash.js';
import { isTile, type Tile } from '../core/tile.js';
import {
  LABELLED,
  markDigest,
  numbered,
  numberedIn,
  partDigest,
  pendingDigest,
  rangeDigest,
  recordDigest,
  seenDigest,
  stagedDigest,
  stateDigest,
  tileDigest,
  type Labelled,
} from './digest.js';
import { DefectSearch } from './defects.js';
import type { Driver } from './driver.js';
import { storeFailure } from './failure.js';
import { settle, SqliteFile } from './file.js';
import { pageOf, PLACES_OF_PAGE, RANGE_IS_AT_ITS_PLACE, rangeAt, rangeIn, type IndexRange } from './indexrow.js';
import { markIn, packOf, partAt, partIn, PART_IS_AT_ITS_PLACE, pendingIn, seenIn, stateIn } from './logrow.js';
import { bytesIn, countIn, RowError, textIn } from './row.js';
import { WHOLE_TABLES } from './schema.js';
import { evidenceOf, headOf, SqliteStore } from './sqlite.js';

/** Rows of a page. A tile has up to 8 KiB; a receipt perhaps 200 KB, so that these come by fewer. */
const PAGE = 128;
const RECEIPTS = 8;
/** A part of a pack has some 1.5 KB, and a data tile 16 of them; a range of the index 1 KB. */
const PARTS = 512;
const RANGES = 512;
/** Module paths have some 40 bytes. */
const MODULES = 1024;

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

/**
 * A way to read a page of a table quickly, each row as one value. It is for rows that are as they were written: a page that has another
 * is read again, column by column, so that what is wrong is named.
 */
interface Quick<T> {
  /** See `numbered`. */
  readonly select: string;
  /** The row of this number, and whose it is; `undefined` where it is none. */
  readonly read: (id: number, labelled: Labelled) => { readonly db: number; readonly row: number; readonly value: T } | undefined;
}

const QUICK_PARTS: Quick<PackedPart> = {
  select: numbered(LABELLED.part, PART_IS_AT_ITS_PLACE),
  read: (id, { number, value }) => {
    const { db, n, part } = partAt(id);
    return { db, row: n, value: { n, part, width: number, bytes: value } };
  },
};

const QUICK_RANGES: Quick<IndexRange> = {
  select: numbered(LABELLED.range, RANGE_IS_AT_ITS_PLACE),
  read: (id, { number: next, value }) => {
    const { db, page, first } = rangeAt(id);
    return next <= first || next > PLACES_OF_PAGE ? undefined : { db, row: page, value: { n: page, first, next, entries: value } };
  },
};

/** Rows of a page, and the place of the last one. */
interface PageOfRows<T> {
  readonly rows: readonly StoredRow<T>[];
  readonly last: number;
}

class SqliteRows implements StoreRows {
  readonly label: string;
  readonly #file: SqliteFile;
  readonly #store: SqliteStore;
  readonly #defects: DefectSearch;
  /** The keys of the databases, by their rows. */
  #keys: ReadonlyMap<unknown, unknown> | undefined;
  readonly log: LogStore;

  constructor(file: SqliteFile) {
    this.label = file.path;
    this.#file = file;
    this.#store = new SqliteStore(file);
    this.#defects = new DefectSearch(file);
    this.log = this.#store.log;
  }

  tiles(key: string, wanted: readonly Tile[]): Promise<(Uint8Array | undefined)[]> {
    return this.#store.tiles(key, wanted);
  }

  close(): Promise<void> {
    this.#defects.close();
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

  logStates(): StoredPages<LogState> {
    return this.#pages<LogState>('loginfo', PAGE, 'db', (row) => withRowDigest(row, stateIn(row), stateDigest));
  }

  /** The parts of a tile stand one behind the other. */
  packs(): StoredPages<PackedTile> {
    return joined(this.#pages<PackedPart>('pack', PARTS, 'n', (row) => withRowDigest(row, partIn(row), partDigest), QUICK_PARTS), packOf, 'its parts are not all there');
  }

  /** The ranges of a page stand one behind the other. */
  indexPages(): StoredPages<IndexPage> {
    return joined(this.#pages<IndexRange>('entry', RANGES, 'page', (row) => withRowDigest(row, rangeIn(row), rangeDigest), QUICK_RANGES), pageOf, 'its ranges are not all there');
  }

  pending(): StoredPages<PendingEntries> {
    return this.#pages<PendingEntries>('pending', PAGE, 'bucket', (row) => withRowDigest(row, pendingIn(row), pendingDigest));
  }

  seen(): StoredPages<SeenTree> {
    return this.#pages<SeenTree>('seen', PAGE, 'size', (row) => withRowDigest(row, seenIn(row), seenDigest));
  }

  staged(): StoredPages<Uint8Array> {
    return this.#pages<Uint8Array>('staged', 1, 'db', (row) => withRowDigest(row, bytesIn(row, 'data'), stagedDigest));
  }

  marks(): StoredPages<{ name: string; record: number }> {
    return this.#pages<{ name: string; record: number }>('mark', PAGE, 'name', (row) =>
      withRowDigest(row, markIn(row), ({ name, record }) => markDigest(name, record)),
    );
  }

  /** Along the table's own key: it has no rowid. */
  async *modules(): AsyncGenerator<StoredRow<string>[]> {
    for (let db = Number.MIN_SAFE_INTEGER; ; ) {
      const next = this.#file.readWhole((prepare) => prepare.value('SELECT min(db) FROM module WHERE db > ?').get(db)) ?? null;
      if (next === null) return;
      db = countIn({ next }, 'next');
      yield* this.#modulesOf(db);
    }
  }

  async *#modulesOf(db: number): AsyncGenerator<StoredRow<string>[]> {
    const key = this.#keyOf(db);
    for (let [after, isAfter] = ['', '>=']; ; isAfter = '>') {
      await turn();
      const sql = `SELECT path FROM module WHERE db = ? AND path ${isAfter} ? ORDER BY path LIMIT ${MODULES}`;
      const paths = this.#file.readWhole((prepare) => prepare.value(sql).all(db, after)) ?? [];
      if (paths.length === 0) return;
      yield paths.map((path) => (typeof path === 'string' ? { row: path, key, value: path } : { row: '?', key, value: undefined, problem: 'path is no text' }));
      const last = paths.at(-1);
      if (typeof last !== 'string') throw storeFailure(this.label, new RowError('a module path is no text'));
      after = last;
    }
  }

  async count(part?: 'base'): Promise<number> {
    const base = ['head', 'tile', 'record', 'receipt', 'evidence'].map((table) => `(SELECT count(*) FROM ${table} NOT INDEXED)`);
    // by an index where there is one: it is for a progress line, and the packs are many pages
    const whole = WHOLE_TABLES.filter((table) => table !== 'entry' && table !== 'module').map((table) => `(SELECT count(*) FROM ${table}${table === 'pack' ? ' WHERE part = 0' : ''})`);
    return settle(
      () =>
        this.#file.read((prepare, hasWhole) =>
          countIn(prepare(`SELECT ${[...base, ...(hasWhole() && part === undefined ? whole : [])].join(' + ')} AS n`).get(), 'n'),
        ) ?? 0,
    );
  }

  defects(): Promise<string[]> {
    return this.#defects.find();
  }

  #read<T>(sql: string, valueOf: (row: unknown) => T): Promise<T[]> {
    return new Promise((resolve) => resolve(this.#file.read((prepare) => prepare(sql).all().map(valueOf)) ?? []));
  }

  /** @param shown what names a row of the table, in SQL. */
  async *#pages<T>(table: string, size: number, shown: string, read: (row: unknown) => Read<T>, quick?: Quick<T>): AsyncGenerator<readonly StoredRow<T>[]> {
    const rest = `FROM ${table} NOT INDEXED WHERE rowid > ? ORDER BY rowid LIMIT ${size}`;
    const isWhole = WHOLE_TABLES.some((each) => each === table);
    for (let after = Number.MIN_SAFE_INTEGER; ; ) {
      await turn();
      const page = this.#file.read((prepare, hasWhole) => {
        if (isWhole && !hasWhole()) return undefined;
        const quickly = quick && this.#quickPage(prepare.value(`SELECT ${quick.select} ${rest}`).all(after), after, quick);
        return quickly ?? this.#page(prepare(`SELECT *, rowid AS place, CAST(${shown} AS TEXT) AS shown ${rest}`).all(after), after, read);
      });
      if (page === undefined || page.rows.length === 0) return;
      yield page.rows;
      after = page.last;
    }
  }

  #page<T>(page: readonly unknown[], after: number, read: (row: unknown) => Read<T>): PageOfRows<T> {
    const last = (page.at(-1) as { readonly place?: unknown } | undefined)?.place ?? after;
    // a damaged rowid may be greater than a number can be exactly
    if (typeof last !== 'number' || (page.length > 0 && last <= after)) throw new RowError('the rows are out of order');
    return { rows: page.map((row) => this.#rowOf(row, read)), last };
  }

  /** `undefined` where not all are as they were written. */
  #quickPage<T>(page: readonly unknown[], after: number, { read }: Quick<T>): PageOfRows<T> | undefined {
    const rows: StoredRow<T>[] = [];
    let last = after;
    for (const each of page) {
      const numbered = numberedIn(each);
      const own = numbered && numbered.id > last ? read(numbered.id, numbered) : undefined;
      if (numbered === undefined || own === undefined) return undefined;
      rows.push({ row: String(own.row), key: this.#keyOf(own.db), value: own.value });
      last = numbered.id;
    }
    return { rows, last };
  }

  #rowOf<T>(row: unknown, read: (row: unknown) => Read<T>): StoredRow<T> {
    const { shown, db, key: own } = row as Readonly<Record<string, unknown>>;
    const key = db === undefined ? own : this.#keyOf(db);
    const of = { row: typeof shown === 'string' ? shown : '?', key: typeof key === 'string' ? key : undefined };
    try {
      return { ...of, ...read(row) };
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      return { ...of, value: undefined, problem: error.message };
    }
  }

  /** The key of a database, by its row. */
  #keyOf(db: unknown): string | undefined {
    this.#keys ??= new Map(this.#file.read((prepare) => prepare('SELECT id, key FROM db NOT INDEXED').all())?.map((row) => {
      const { id, key } = row as Readonly<Record<string, unknown>>;
      return [id, key];
    }));
    const key = this.#keys.get(db);
    return typeof key === 'string' ? key : undefined;
  }
}

/** Rows that are one value each, of several that stand one behind the other: those with one name and owner. @param missing what is wrong where they are not. */
async function* joined<P, T>(pages: StoredPages<P>, join: (pieces: readonly P[]) => T | undefined, missing: string): StoredPages<T> {
  const pieces: StoredRow<P>[] = [];
  const whole = (): StoredRow<T> => {
    const rows = pieces.splice(0);
    const [{ row, key } = { row: '?', key: undefined }] = rows;
    const problem = rows.find((each) => each.problem !== undefined)?.problem;
    const value = problem === undefined ? join(rows.flatMap((each) => each.value ?? [])) : undefined;
    return value === undefined ? { row, key, value, problem: problem ?? missing } : { row, key, value };
  };
  for await (const page of pages) {
    const values: StoredRow<T>[] = [];
    for (const piece of page) {
      if (pieces[0] !== undefined && (pieces[0].row !== piece.row || pieces[0].key !== piece.key)) values.push(whole());
      pieces.push(piece);
    }
    yield values;
  }
  if (pieces.length > 0) yield [whole()];
}

/** SQLite is synchronous: between two pages others get their turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function withRowDigest<T>(row: unknown, value: T, digestOf: (value: T) => Uint8Array): Read<T> {
  return withDigest(value, bytesIn(row, 'digest'), digestOf(value));
}

function withDigest<T>(value: T, kept: Uint8Array, own: Uint8Array): Read<T> {
  return equalBytes(kept, own) ? { value } : { value, problem: 'its digest does not fit: it is not as it was written' };
}
