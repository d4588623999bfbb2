/** What every store checks of a change before it keeps it. That its contents are true was proved by the caller. */

import type { Change, LogChange, TimelineHead } from '../contract.js';
import { equalBytes, HASH_SIZE } from '../core/hash.js';
import { isCount } from '../core/integer.js';
import { DATA_LEVEL, formatTilePath, isTile, PART_WIDTH } from '../core/tile.js';
import { GosumError } from '../errors.js';
import { ENTRY_SIZE } from './indexrow.js';
import { hasPartIds } from './logrow.js';
import { RowError } from './row.js';

/** Bytes of the secret that the index's keys are made with, and of a pending entry; and how many buckets and pages there are (`LogChange`). */
const SALT_SIZE = 16;
const PENDING_SIZE = 9;
const BUCKETS = 256;
const PAGES = 65536;

/**
 * Checks that a name keeps its key for ever, and a key its name.
 *
 * @param known what the store remembers: of the name its key, of the key its name.
 * @throws {GosumError} `KEY_CHANGED` where the name remembers another key; `STORE_FAILED` where the key has another name.
 */
export function checkName(
  name: string,
  key: string,
  known: { readonly key: string | undefined; readonly name: string | undefined },
): void {
  if (known.key !== undefined && known.key !== key) {
    throw new GosumError('KEY_CHANGED', `${name}: was met with the key ${known.key}, and has now ${key}`, {
      hint: 'check GOSUMDB; if the database has truly a new key, begin anew with another cache file',
    });
  }
  if (known.name !== undefined && known.name !== name) {
    throw contradiction(`the key ${key} is of ${known.name}, not of ${name}`);
  }
}

/**
 * Checks that the timeline has exactly one newest head after the change, and every other head a greater one to lead to.
 *
 * @param kept the head of that size in the store, if any.
 * @param newest size of the store's newest head.
 * @throws {GosumError} `STORE_FAILED` where what is kept contradicts what was proved; a plain `Error` where the caller's
 * arithmetic is wrong.
 */
export function checkChange(
  change: Change,
  kept: (size: number) => TimelineHead | undefined,
  newest: number | undefined,
): void {
  const changed = new Map(change.heads.map((head) => [head.size, head]));
  const ends = change.heads.filter((head) => head.next === undefined).map((head) => head.size);
  if (newest !== undefined && !changed.has(newest)) ends.push(newest);
  if (ends.length !== 1 || changed.size !== change.heads.length) {
    throw new Error(`a change after which the timeline has not one newest head: ${ends.join(', ')}`);
  }
  for (const { size, hash, next } of change.heads) {
    if (!isCount(size) || hash.length !== HASH_SIZE) throw new Error(`a head of ${size} records with no hash`);
    const before = kept(size);
    if (before !== undefined && !equalBytes(before.hash, hash)) throw contradiction(`it has another head of ${size} records`);
    if (next === undefined) continue;
    if (next.size <= size || !(changed.has(next.size) || kept(next.size) !== undefined)) {
      throw new Error(`the head of ${size} records leads to none of ${next.size}`);
    }
  }
  for (const { tile, bytes } of change.tiles) {
    if (!isTile(tile) || tile.level === DATA_LEVEL || bytes.length !== tile.width * HASH_SIZE) {
      throw new Error(`${formatTilePath(tile)}: no hash tile, ${bytes.length} bytes`);
    }
  }
  if (change.log !== undefined) checkLogChange(change.log);
}

/** @throws {Error} where the caller's arithmetic is wrong. */
function checkLogChange({ salt, packs = [], pending = [], pages = [], merged = [], indexed = 0, seen }: LogChange): void {
  if (salt.length !== SALT_SIZE) throw new Error(`a secret of ${salt.length} bytes`);
  for (const { n, width, parts } of packs) {
    if (!isTile({ level: DATA_LEVEL, n, width }) || !hasPartIds(n) || parts.length !== Math.ceil(width / PART_WIDTH) || parts.some(({ length }) => length === 0)) throw new Error(`a pack ${n} of ${width} records`);
  }
  for (const { bucket, entries } of pending) checkEntries('bucket', bucket, BUCKETS, entries, PENDING_SIZE);
  for (const { n, entries } of pages) checkEntries('page', n, PAGES, entries);
  for (const bucket of merged) checkEntries('bucket', bucket, BUCKETS, new Uint8Array());
  if (!isCount(indexed) || (seen !== undefined && !(isCount(seen.size) && isCount(seen.at)))) throw new Error('what is no count');
}

function checkEntries(what: string, n: number, most: number, entries: Uint8Array, size = ENTRY_SIZE): void {
  if (!isCount(n) || n >= most || entries.length % size !== 0) throw new Error(`${what} ${n} of the index with ${entries.length} bytes`);
}

/** What somebody else wrote into the store: no mistake of ours, and no reason to end a run. */
function contradiction(detail: string): GosumError {
  return new GosumError('STORE_FAILED', `the store contradicts what was proved: ${detail}`, {
    hint: '`gosumcheck cache clean --all` begins anew',
    cause: new RowError(detail), // to a server it is damage
  });
}
