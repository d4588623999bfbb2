/** The whole log in an SQLite file: what is read of it. What is written is in logsave.ts, its tables in schema.ts. */

import type { IndexPage, IndexPlace, LogState, LogStore, PackedPart, PackedTile, SeenTree } from '../contract.js';
import { compareUtf8 } from '../core/text.js';
import { TILE_WIDTH } from '../core/tile.js';
import { joinRanges, type Range } from '../core/tree.js';
import { asWritten, markDigest, pendingDigest, seenDigest, stagedDigest } from './digest.js';
import { settle, type Prepare, type SqliteFile } from './file.js';
import { keepMark, stateOf } from './logsave.js';
import { rangeId } from './indexrow.js';
import { markIn, pendingIn, seenIn } from './logrow.js';
import { readPack, readPage, readPart, readRange, type Read, type ReadRow } from './read.js';
import { bytesIn, countIn, RowError, textIn } from './row.js';

/** The whole logs of one file. */
export class SqliteLog implements LogStore {
  readonly #file: SqliteFile;
  readonly #refused: (row: string) => void;

  /** @param refused as in `SqliteStore`. */
  constructor(file: SqliteFile, refused: (row: string) => void) {
    this.#file = file;
    this.#refused = refused;
  }

  state(key: string): Promise<LogState | undefined> {
    return this.#read((prepare) => stateOf(prepare, idOf(prepare, key)), undefined);
  }

  async packs(key: string, wanted: readonly number[]): Promise<(PackedTile | undefined)[]> {
    const found = await this.#each(key, wanted, (n) => `pack ${n}`, readPack);
    return found.map((row) => row?.value);
  }

  async parts(key: string, wanted: readonly number[]): Promise<(PackedPart | undefined)[]> {
    const found = await this.#each(key, wanted, (n) => `part of a pack ${n}`, readPart);
    return found.map((row) => row?.value);
  }

  gaps(key: string, size: number): Promise<Range[]> {
    const tiles = Math.ceil(size / TILE_WIDTH);
    return this.#read((prepare) => gapsIn(prepare, idOf(prepare, key), size), tiles === 0 ? [] : [{ lo: 0, hi: tiles }]);
  }

  damagedTiles(key: string, lo: number, hi: number): Promise<number[]> {
    return this.#read((prepare) => {
      const db = idOf(prepare, key);
      const numbers = prepare('SELECT n FROM pack WHERE db = ? AND part = 0 AND n >= ? AND n < ? ORDER BY n').all(db, lo, hi);
      return numbers.map((row) => countIn(row, 'n')).filter((n) => readPack(prepare, db, n)?.value === undefined);
    }, []);
  }

  damagedPages(key: string, lo: number, hi: number): Promise<number[]> {
    return this.#read((prepare) => {
      const db = idOf(prepare, key);
      const numbers = prepare('SELECT DISTINCT page FROM entry WHERE id >= ? AND id < ? ORDER BY id').all(rangeId(db ?? 0, lo, 0), rangeId(db ?? 0, hi, 0));
      return numbers.map((row) => countIn(row, 'page')).filter((n) => readPage(prepare, db, n)?.value === undefined);
    }, []);
  }

  async entries(key: string, wanted: readonly IndexPlace[]): Promise<(Uint8Array | undefined)[]> {
    const found = await this.#each(key, wanted, (place) => `index page ${place.page}`, readRange);
    return found.map((row) => row?.value);
  }

  async pages(key: string, wanted: readonly number[]): Promise<(IndexPage | undefined)[]> {
    return (await this.#pages(key, wanted)).map((row) => row?.value);
  }

  async pagesToMerge(key: string, wanted: readonly number[]): Promise<(IndexPage | undefined)[] | undefined> {
    const rows = await this.#pages(key, wanted);
    return rows.some((row) => row !== undefined && row.value === undefined) ? undefined : rows.map((row) => row?.value);
  }

  async pending(key: string, bucket: number): Promise<Uint8Array[] | undefined> {
    const rows = await this.#read((prepare) => {
      const sql = 'SELECT bucket, data, digest FROM pending WHERE db = ? AND bucket = ?';
      return prepare(sql).all(idOf(prepare, key), bucket).map((row) => {
        const kept = asWritten(row, pendingIn, pendingDigest);
        if (kept === undefined) this.#refused(`a row of pending entries of bucket ${bucket}`);
        return kept?.entries;
      });
    }, []);
    const sound = rows.filter((entries) => entries !== undefined);
    return sound.length === rows.length ? sound : undefined;
  }

  pendingBuckets(key: string): Promise<number[]> {
    return this.#read((prepare) => {
      // from bucket to bucket by the index: there may be a million rows
      const next = prepare('SELECT min(bucket) AS bucket FROM pending WHERE db = ? AND bucket > ?');
      const db = idOf(prepare, key);
      const buckets: number[] = [];
      for (let after = -1; ; ) {
        const row = next.get(db, after) as { readonly bucket: unknown };
        if (row.bucket === null) return buckets;
        buckets.push((after = countIn(row, 'bucket')));
      }
    }, []);
  }

  modules(key: string, from: string, after: string, limit: number): Promise<string[]> {
    return this.#read((prepare) => {
      // SQLite compares texts by their UTF-8 bytes; what begins with `from` stands together
      // one bound alone: of two, SQLite may seek the lower one and pass over all up to the other
      const [bound, begin] = compareUtf8(after, from) < 0 ? ['>=', from] : ['>', after];
      const sql = `SELECT path FROM module WHERE db = ? AND path ${bound} ? ORDER BY path LIMIT ?`;
      const paths = prepare(sql).all(idOf(prepare, key), begin, limit).map((row) => textIn(row, 'path'));
      const end = paths.findIndex((path) => !path.startsWith(from));
      return end < 0 ? paths : paths.slice(0, end);
    }, []);
  }

  seen(key: string, fromSize: number): Promise<SeenTree[]> {
    return this.#read((prepare) => {
      const rows = prepare('SELECT size, at, digest FROM seen WHERE db = ? AND size >= ? ORDER BY size').all(idOf(prepare, key), fromSize);
      return rows.flatMap((row) => {
        const kept = asWritten(row, seenIn, seenDigest);
        if (kept === undefined) this.#refused('when a tree was first seen');
        return kept ?? [];
      });
    }, []);
  }

  staged(key: string): Promise<Uint8Array | undefined> {
    return this.#read((prepare) => {
      const row = prepare('SELECT data, digest FROM staged WHERE db = ?').get(idOf(prepare, key));
      if (row === undefined) return undefined;
      const data = asWritten(row, () => bytesIn(row, 'data'), stagedDigest);
      if (data === undefined) throw new RowError('the records that are to be appended are not as they were written');
      return data;
    }, undefined);
  }

  mark(key: string, name: string): Promise<number | undefined> {
    return this.#read((prepare) => {
      const row = prepare('SELECT name, record, digest FROM mark WHERE db = ? AND name = ?').get(idOf(prepare, key), name);
      if (row === undefined) return undefined;
      const kept = asWritten(row, markIn, (mark) => markDigest(name, mark.record));
      if (kept === undefined) this.#refused(`the mark ${name}`);
      return kept?.record;
    }, undefined);
  }

  setMark(key: string, name: string, record: number): Promise<void> {
    return settle(() =>
      this.#file.write((prepare) => {
        const db = idOf(prepare, key);
        if (db === null) throw new Error(`a mark in the log of ${key}, of which nothing is known`);
        keepMark(prepare, db, name, record);
      }, 'whole'),
    );
  }

  changeKey(from: string, to: string): Promise<void> {
    return settle(() => this.#file.update((prepare) => void prepare('UPDATE db SET key = ? WHERE key = ?').run(to, from)));
  }

  #pages(key: string, wanted: readonly number[]): Promise<(Read<IndexPage> | undefined)[]> {
    return this.#each(key, wanted, (n) => `index page ${n}`, readPage);
  }

  /** Reads something for each that is wanted; `undefined` where nothing is there. @param named what is refused where it is not as it was written. */
  #each<K, T>(key: string, wanted: readonly K[], named: (each: K) => string, read: ReadRow<K, T>): Promise<(Read<T> | undefined)[]> {
    return this.#read(
      (prepare) => {
        const db = idOf(prepare, key);
        return wanted.map((each) => {
          const kept = read(prepare, db, each);
          if (kept !== undefined && kept.value === undefined) this.#refused(named(each));
          return kept;
        });
      },
      wanted.map(() => undefined),
    );
  }

  #read<T>(work: (prepare: Prepare) => T, nothing: T): Promise<T> {
    return settle(() => this.#file.readWhole(work) ?? nothing);
  }
}

/** The row of a key; `null`, which equals nothing in SQL, where there is none. */
export function idOf(prepare: Prepare, key: string): number | null {
  const row = prepare('SELECT id FROM db WHERE key = ?').get(key);
  return row === undefined ? null : countIn(row, 'id');
}

/** The whole log in numbers, for `StoreStats`. */
export function logStats(prepare: Prepare, db: number): { records: number; indexed: number } | undefined {
  const row = prepare('SELECT indexed FROM loginfo WHERE db = ?').get(db);
  if (row === undefined) return undefined;
  const kept = prepare(
    `SELECT (SELECT count(*) FROM pack WHERE db = ? AND part = 0) * 256
      - (SELECT coalesce(sum(256 - width), 0) FROM pack WHERE db = ? AND part = 0 AND width < 256) AS n`,
  ).get(db, db);
  return { records: countIn(kept, 'n'), indexed: countIn(row, 'indexed') };
}

/** Of each tile its first part stands for all: they come and go together. Numbers and widths alone are read, from their indexes. */
function gapsIn(prepare: Prepare, db: number | null, size: number): Range[] {
  const tiles = Math.ceil(size / TILE_WIDTH);
  const between = prepare(
    'SELECT lo, hi FROM (SELECT coalesce(lag(n) OVER (ORDER BY n) + 1, 0) AS lo, n AS hi FROM pack WHERE db = ? AND part = 0 AND n < ?) WHERE lo < hi',
  ).all(db, tiles);
  const behind = prepare('SELECT coalesce(max(n) + 1, 0) AS lo, ? AS hi FROM pack WHERE db = ? AND part = 0 AND n < ?').all(tiles, db, tiles);
  const narrow = prepare(
    'SELECT n AS lo, n + 1 AS hi FROM pack WHERE db = ? AND part = 0 AND n < ? AND width < 256 AND width < ? - n * 256',
  ).all(db, tiles, size);
  return joinRanges([...between, ...behind, ...narrow].map((row) => ({ lo: countIn(row, 'lo'), hi: countIn(row, 'hi') })));
}
