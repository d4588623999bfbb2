/** The store in memory: for runs that shall leave nothing, for tests, and where there is no SQLite. */

import type { Change, Evidence, KeptReceipt, KeptRecord, Store, StoreStats, TimelineHead } from '../contract.js';
import { equalBytes, HASH_SIZE } from '../core/hash.js';
import { formatTilePath, fullTile, type Tile } from '../core/tile.js';
import { checkChange, checkName } from './change.js';
import { leastCover, type Cover } from './cover.js';

/** Opens an empty store that lasts as long as the process. `close` keeps it. */
export function openMemoryStore(): Store {
  return new MemoryStore();
}

/** What is kept of one key. */
class Shelf {
  readonly heads = new Map<number, TimelineHead>();
  /** By the path of the full tile. */
  readonly tiles = new Map<string, Uint8Array>();
  readonly receipts = new Map<number, Uint8Array>();
  readonly records = new Map<string, KeptRecord>();
  /** Of each module version the receipts that cover it, oldest first. */
  readonly covers = new Map<string, number[]>();

  get newest(): TimelineHead | undefined {
    return [...this.heads.values()].find((head) => head.next === undefined);
  }
}

class MemoryStore implements Store {
  readonly label = 'memory';
  /** Key by name, and name by key. */
  readonly #keys = new Map<string, string>();
  readonly #names = new Map<string, string>();
  readonly #shelves = new Map<string, Shelf>();
  readonly #evidence: Evidence[] = [];
  #lastReceipt = 0;

  keyOf(name: string): Promise<string | undefined> {
    return Promise.resolve(this.#keys.get(name));
  }

  timeline(key: string, fromSize: number): Promise<TimelineHead[]> {
    const heads = [...this.#shelf(key).heads.values()].filter((head) => head.size >= fromSize);
    return Promise.resolve(heads.sort((a, b) => a.size - b.size).map(copyHead));
  }

  newest(key: string): Promise<TimelineHead | undefined> {
    const { newest } = this.#shelf(key);
    return Promise.resolve(newest && copyHead(newest));
  }

  receipts(key: string, wanted: readonly string[]): Promise<Uint8Array[]> {
    const { covers, receipts } = this.#shelf(key);
    const found = wanted.flatMap((version) => (covers.get(version) ?? []).map((id): Cover => [version, id]));
    return Promise.resolve(leastCover(found).flatMap((id) => receipts.get(id)?.slice() ?? []));
  }

  tiles(key: string, wanted: readonly Tile[]): Promise<(Uint8Array | undefined)[]> {
    const { tiles } = this.#shelf(key);
    const cut = wanted.map((tile) => {
      const bytes = tiles.get(formatTilePath(fullTile(tile)));
      const length = tile.width * HASH_SIZE;
      return bytes !== undefined && bytes.length >= length ? bytes.slice(0, length) : undefined;
    });
    return Promise.resolve(cut);
  }

  records(key: string, wanted: readonly string[]): Promise<(KeptRecord | undefined)[]> {
    const { records } = this.#shelf(key);
    return Promise.resolve(wanted.map((covers) => copyRecord(records.get(covers))));
  }

  commit(key: string, change: Change): Promise<boolean> {
    return new Promise((resolve) => resolve(this.#commit(key, change)));
  }

  evidence(): Promise<Evidence[]> {
    return Promise.resolve(this.#evidence.map(copyEvidence));
  }

  addEvidence(evidence: Evidence): Promise<void> {
    if (!this.#evidence.some((kept) => sameEvidence(kept, evidence))) this.#evidence.push(copyEvidence(evidence));
    return Promise.resolve();
  }

  clearEvidence(): Promise<number> {
    return Promise.resolve(this.#evidence.splice(0).length);
  }

  stats(): Promise<StoreStats> {
    const databases = [...this.#keys].map(([name, key]) => {
      const { heads, newest, tiles, receipts, covers, records } = this.#shelf(key);
      const counts = { heads: heads.size, newest: newest?.size, tiles: tiles.size, receipts: receipts.size };
      return { name, key, ...counts, records: covers.size + records.size };
    });
    return Promise.resolve({ databases, evidence: this.#evidence.length, bytes: 0 });
  }

  clean(): Promise<void> {
    this.#shelves.clear();
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** All checks come first, so that what follows cannot stop half way. */
  #commit(key: string, change: Change): boolean {
    if (change.log !== undefined) throw new Error('a store in memory has no room for a whole log');
    const shelf = this.#shelf(key);
    checkName(change.name, key, { key: this.#keys.get(change.name), name: this.#names.get(key) });
    const newest = shelf.newest?.size;
    if (newest !== change.expect) return false;
    checkChange(change, (size) => shelf.heads.get(size), newest);
    this.#keys.set(change.name, key);
    this.#names.set(key, change.name);
    this.#shelves.set(key, shelf);
    for (const head of change.heads) shelf.heads.set(head.size, copyHead(head));
    for (const { tile, bytes } of change.tiles) {
      const path = formatTilePath(fullTile(tile));
      if (bytes.length >= (shelf.tiles.get(path)?.length ?? 0)) shelf.tiles.set(path, bytes.slice());
    }
    for (const receipt of change.receipts) this.#keep(shelf, receipt);
    for (const record of change.records ?? []) shelf.records.set(record.covers, { ...record, text: record.text.slice() });
    if (change.newestOnly === true) {
      for (const head of shelf.heads.values()) if (head.next !== undefined) shelf.heads.delete(head.size);
    }
    return true;
  }

  #shelf(key: string): Shelf {
    return this.#shelves.get(key) ?? new Shelf();
  }

  #keep(shelf: Shelf, { bytes, covers }: KeptReceipt): void {
    const id = ++this.#lastReceipt;
    shelf.receipts.set(id, bytes.slice());
    for (const version of covers) shelf.covers.set(version, [...(shelf.covers.get(version) ?? []), id]);
    // a receipt that is the newest for nothing any more goes
    const useful = new Set([...shelf.covers.values()].map((ids) => ids.at(-1)));
    for (const old of shelf.receipts.keys()) if (!useful.has(old)) shelf.receipts.delete(old);
    for (const [version, ids] of shelf.covers) shelf.covers.set(version, ids.filter((each) => useful.has(each)));
  }
}

function copyHead(head: TimelineHead): TimelineHead {
  const { size, hash, note, next } = head;
  const copy = { size, hash: hash.slice(), note: note.slice() };
  return next === undefined ? copy : { ...copy, next: { size: next.size, proof: next.proof.slice() } };
}

function copyRecord(record: KeptRecord | undefined): KeptRecord | undefined {
  return record && { ...record, text: record.text.slice() };
}

function copyEvidence({ key, foundAt, older, newer, proof }: Evidence): Evidence {
  return { key, foundAt, older: older.slice(), newer: newer.slice(), proof: proof.slice() };
}

function sameEvidence(a: Evidence, b: Evidence): boolean {
  return a.key === b.key && equalBytes(a.older, b.older) && equalBytes(a.newer, b.newer);
}
