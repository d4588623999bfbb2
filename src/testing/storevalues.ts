/** Made-up heads, tiles and receipts for the tests of stores. They prove nothing; a store believes its caller. */

import type { Change, Evidence, IndexPage, KeptReceipt, KeptRecord, LogChange, PackedTile, PendingEntries, TileBytes, TimelineHead } from '../contract.js';
import { HASH_SIZE } from '../core/hash.js';
import type { Proved } from '../core/proved.js';
import { encodeUtf8 } from '../core/text.js';
import { PART_WIDTH, type Tile } from '../core/tile.js';

export const NAME = 'log.example';
export const KEY = 'log.example+00000001+AQ==';
export const OTHER_NAME = 'other.example/log';
export const OTHER_KEY = 'other.example/log+00000002+AQ==';

/** The head of `size` records, the same on every call; the newest, or with a `next`. */
export function head(size: number, next?: number): Proved<TimelineHead> {
  const newest = { size, hash: madeBytes(`tree ${size}`, HASH_SIZE), note: encodeUtf8(`a note of ${size}\n`) };
  if (next === undefined) return proved(newest);
  return proved({ ...newest, next: { size: next, proof: madeBytes(`${size}-${next}`, 2 * HASH_SIZE) } });
}

/** A tile's coordinates. */
export function tileAt(level: number, n: number, width: number): Tile {
  return { level, n, width };
}

/** A tile of `width` hashes, made from its coordinates and `seed`. A narrower one is the beginning of a wider one. */
export function hashTile(level: number, n: number, width: number, seed = 0): Proved<TileBytes> {
  return proved({ tile: tileAt(level, n, width), bytes: madeBytes(`${seed} ${level} ${n}`, width * HASH_SIZE) });
}

/** A receipt with `text` for its bytes. */
export function receipt(text: string, ...covers: string[]): Proved<KeptReceipt> {
  return proved({ bytes: encodeUtf8(text), covers });
}

/** A record that covers one module version. */
export function record(id: number, covers: string, text = `${covers} h1:x`): Proved<KeptRecord> {
  return proved({ id, text: encodeUtf8(text), covers });
}

/** A packed data tile of made-up bytes, some 90 for each record. Its parts are `parts`. */
export function pack(n: number, width: number, seed = 0): Proved<PackedTile> {
  const parts = Array.from({ length: Math.ceil(width / PART_WIDTH) }, (_, i) => madeBytes(`${seed} pack ${n} ${width} ${i}`, Math.min(PART_WIDTH, width - PART_WIDTH * i) * 90 + 7));
  return proved({ n, width, parts });
}

/** A page of the index with so many made-up entries, in order. */
export function indexPage(n: number, entries: number, seed = 0): IndexPage {
  const ordered = new BigUint64Array(new Uint8Array(madeBytes(`${seed} page ${n}`, entries * 8)).buffer).sort();
  return { n, entries: new Uint8Array(ordered.buffer) };
}

/** Pending entries, made up. */
export function pendingEntries(bucket: number, entries: number, seed = 0): PendingEntries {
  return { bucket, entries: madeBytes(`${seed} bucket ${bucket}`, entries * 9) };
}

/** The secret of the made-up index. */
export const SALT: Uint8Array = madeBytes('salt', 16);

/** A change of the whole log alone, under the head of `expect` records. */
export function logChange(expect: number, log: Partial<LogChange>): Change {
  return change(expect, [], { log: { salt: SALT, ...log } });
}

/** A change of the timeline of `NAME`, with more or otherwise as `rest` says. */
export function change(expect: number | undefined, heads: Change['heads'], rest: Partial<Change> = {}): Change {
  return { name: NAME, expect, heads, tiles: [], receipts: [], ...rest };
}

/** The `n`th piece of evidence. */
export function evidence(n: number): Evidence {
  const [older, newer] = [encodeUtf8(`older ${n}`), encodeUtf8(`newer ${n}`)];
  return { key: KEY, foundAt: `2026-01-01T00:00:0${n}Z`, older, newer, proof: madeBytes(`proof ${n}`, HASH_SIZE) };
}

/** Says of a made-up value that it was proved. */
export function proved<T>(value: T): Proved<T> {
  // eslint-disable-next-line no-restricted-syntax -- the one place outside the core: no store is used for a real log with these
  return value as Proved<T>;
}

/** Bytes that differ from text to text, quickly. */
function madeBytes(text: string, length: number): Uint8Array {
  let state = 1;
  for (const byte of encodeUtf8(text)) state = (state * 257 + byte) % 65537;
  return new Uint8Array(length).map(() => (state = (state * 75 + 74) % 65537));
}
