/** The whole log in an SQLite file: what is written to it, inside a transaction of the caller's. */

import type { IndexPage, LogChange, LogState, PackedTile, SeenTree } from '../contract.js';
import { equalBytes } from '../core/hash.js';
import { asWritten, markDigest, partDigest, pendingDigest, rangeDigest, seenDigest, stagedDigest, stateDigest } from './digest.js';
import type { Prepare } from './file.js';
import { rangeId, rangesOf } from './indexrow.js';
import { partId, seenIn, stateIn } from './logrow.js';
import { readPack } from './read.js';
import { RowError } from './row.js';

/** What is known of a whole log. @throws {RowError} where that is not as it was written. */
export function stateOf(prepare: Prepare, db: number | null): LogState | undefined {
  const row = prepare('SELECT salt, indexed, changes, digest FROM loginfo WHERE db = ?').get(db);
  if (row === undefined) return undefined;
  const state = asWritten(row, stateIn, stateDigest);
  if (state === undefined) throw new RowError('the secret of the index is not as it was written');
  return state;
}

/** Reports whether the log can be changed so: whether the change was made from the state that it has. */
export function takesLog(prepare: Prepare, db: number | null, { salt, expect }: LogChange): boolean {
  const state = stateOf(prepare, db);
  return (state === undefined || equalBytes(state.salt, salt)) && (expect === undefined || expect === (state?.changes ?? 0));
}

/** Makes a change that the log takes. */
export function saveLog(prepare: Prepare, db: number, change: LogChange): void {
  const { packs = [], pending = [], pages = [], merged = [], modules = [], seen, staged } = change;
  saveState(prepare, db, change);
  for (const pack of packs) savePack(prepare, db, pack);
  const add = prepare('INSERT INTO pending (db, bucket, data, digest) VALUES (?, ?, ?, ?)');
  // what is merged was read before this change
  for (const bucket of merged) prepare('DELETE FROM pending WHERE db = ? AND bucket = ?').run(db, bucket);
  for (const each of pending) add.run(db, each.bucket, each.entries, pendingDigest(each));
  if (pages.length > 0) savePages(prepare, db, pages);
  if (modules.length > 0) {
    // in order, so that neighbours come to one page of the file
    prepare('INSERT OR IGNORE INTO module (db, path) SELECT ?, value FROM json_each(?) ORDER BY value').run(db, JSON.stringify(modules));
  }
  if (seen !== undefined) saveSeen(prepare, db, seen);
  if (staged === null) prepare('DELETE FROM staged WHERE db = ?').run(db);
  else if (staged !== undefined) {
    prepare('INSERT OR REPLACE INTO staged (db, data, digest) VALUES (?, ?, ?)').run(db, staged, stagedDigest(staged));
  }
}

/** Keeps the record that somebody has come to. */
export function keepMark(prepare: Prepare, db: number, name: string, record: number): void {
  prepare('INSERT OR REPLACE INTO mark (db, name, record, digest) VALUES (?, ?, ?, ?)').run(db, name, record, markDigest(name, record));
}

function saveState(prepare: Prepare, db: number, { salt, indexed }: LogChange): void {
  const before = stateOf(prepare, db);
  const state = { salt, indexed: indexed ?? before?.indexed ?? 0, changes: (before?.changes ?? 0) + 1 };
  prepare('INSERT OR REPLACE INTO loginfo (db, salt, indexed, changes, digest) VALUES (?, ?, ?, ?, ?)').run(
    db,
    salt,
    state.indexed,
    state.changes,
    stateDigest(state),
  );
}

/** In place of the pages that are there. */
function savePages(prepare: Prepare, db: number, pages: readonly IndexPage[]): void {
  const numbers = pages.map(({ n }) => n);
  // of a log that is synced for the first time none is: to look once takes less than to delete nothing for each
  const isAnyThere = prepare('SELECT 1 FROM entry WHERE id >= ? AND id < ?').get(rangeId(db, Math.min(...numbers), 0), rangeId(db, Math.max(...numbers) + 1, 0)) !== undefined;
  const drop = prepare('DELETE FROM entry WHERE id >= ? AND id < ?');
  const add = prepare('INSERT INTO entry (id, db, page, next, data, digest) VALUES (?, ?, ?, ?, ?, ?)');
  for (const page of pages) {
    if (isAnyThere) drop.run(rangeId(db, page.n, 0), rangeId(db, page.n + 1, 0));
    for (const range of rangesOf(page)) add.run(rangeId(db, page.n, range.first), db, page.n, range.next, range.entries, rangeDigest(range));
  }
}

/** All parts of a tile, one behind the other in the table. A wider one stays, if it is as it was written. */
function savePack(prepare: Prepare, db: number, { n, width, parts }: PackedTile): void {
  const kept = readPack(prepare, db, n);
  if ((kept?.value?.width ?? 0) > width) return;
  if (kept !== undefined) prepare('DELETE FROM pack WHERE id >= ? AND id < ?').run(partId(db, n, 0), partId(db, n + 1, 0));
  // all in one statement: to run one takes longer than to insert a row
  const sql = `INSERT INTO pack (id, db, n, part, width, data, digest) VALUES ${parts.map(() => '(?, ?, ?, ?, ?, ?, ?)').join(', ')}`;
  prepare(sql).run(...parts.flatMap((bytes, part) => [partId(db, n, part), db, n, part, width, bytes, partDigest({ n, part, width, bytes })]));
}

/** The first time stands, if it is as it was written. */
function saveSeen(prepare: Prepare, db: number, tree: SeenTree): void {
  const before = prepare('SELECT size, at, digest FROM seen WHERE db = ? AND size = ?').get(db, tree.size);
  if (before !== undefined && asWritten(before, seenIn, seenDigest) !== undefined) return;
  prepare('INSERT OR REPLACE INTO seen (db, size, at, digest) VALUES (?, ?, ?, ?)').run(db, tree.size, tree.at, seenDigest(tree));
}
