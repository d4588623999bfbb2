/**
 * The store of a server: one SQLite file that is put in order by itself when it is damaged, and missed as little as can be when
 * the disk is full.
 *
 * **A row** that is not as it was written is refused, and counts for none: it is asked for again and kept anew.
 * **A damaged file** is set aside under another name, never deleted, and another is begun. The memory of the timeline is
 * carried over: the newest head that can still be read, and opens with its key. What is lost is said.
 * **A disk that is full** or fails, and a file that is held by another: what is proved is held in memory (unkept.ts) and answered
 * from there, and kept as soon as it can be.
 *
 * It expects changes that keep the newest head alone (`newestOnly`), as a mirror makes them.
 */

import { existsSync } from 'node:fs';
import type { Change, Evidence, KeptRecord, LogStore, Store, StoreNow, StoreStats, TimelineHead } from '../contract.js';
import { accuses } from '../core/fork.js';
import { equalBytes } from '../core/hash.js';
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from '../core/key.js';
import { carriedHead } from '../core/timeline.js';
import type { Tile } from '../core/tile.js';
import { openTreeHead, sameTree } from '../core/treehead.js';
import { GosumError, isGosumError } from '../errors.js';
import type { Driver } from './driver.js';
import { openMemoryStore } from './memory.js';
import { loadDriver } from './open.js';
import { RowError } from './row.js';
import { filesSetAside, namesOf, salvageHead } from './salvage.js';
import { ServerFile } from './serverfile.js';
import { ServerLog } from './serverlog.js';
import type { SqliteStore } from './sqlite.js';
import { Unkept } from './unkept.js';

/** What a server's store is made of. */
export interface ServerStoreOptions {
  readonly file: string;
  /** The keys of the databases that are served: whose timelines are carried over. */
  readonly keys: readonly VerifierKey[];
  /** Told what a person should know; what is urgent even where notices are not wanted. */
  readonly notice: (text: string, urgent: boolean) => void;
  /** Bytes that are held in memory where they cannot be kept. */
  readonly memory?: number;
  /** Milliseconds between two tries to keep them. */
  readonly pause?: number;
  readonly driver?: Driver;
  /** Much will be written, as by a sync. */
  readonly bulk?: boolean;
}

/** How a server's store is, counted since it was opened. */
export interface StoreHealth {
  /** Rows that were not as they were written. */
  readonly refused: number;
  /** Damaged files that were set aside. */
  readonly setAside: number;
  /** Changes that could not be kept when they were made. */
  readonly unkept: number;
  /** Why what was proved last could not be kept; `undefined` where all is kept. */
  readonly failure: GosumError | undefined;
}

/** A store that says how it is. */
export interface ServerStore extends Store {
  readonly health: StoreHealth;
}

const DEFAULT_MEMORY = 64 * 1024 * 1024;
const DEFAULT_PAUSE = 5000;

/**
 * Opens the store of a server; in memory, with a notice, where there is no SQLite.
 *
 * @throws {GosumError} `STORE_FAILED` where the file cannot be opened, or is not one of these databases': then it is left as it is.
 */
export async function openServerStore(options: ServerStoreOptions): Promise<ServerStore> {
  const { driver, notice } = options.driver === undefined ? loadDriver() : { driver: options.driver, notice: undefined };
  if (notice !== undefined) options.notice(notice, false);
  if (driver === undefined) return Object.assign(openMemoryStore(), { health: { refused: 0, setAside: 0, unkept: 0, failure: undefined } });
  const store = new SqliteServerStore(driver, options);
  await store.open();
  return store;
}

class SqliteServerStore implements ServerStore {
  readonly label: string;
  readonly log: LogStore;
  readonly now: StoreNow;
  readonly #file: ServerFile;
  readonly #options: ServerStoreOptions;
  readonly #keys: ReadonlyMap<string, VerifierKey>;
  readonly #unkept = new Map<string, Unkept>();
  /** Evidence that could not be kept. */
  readonly #evidence: Evidence[] = [];
  /** The newest head of each key that was ever seen here: it never goes back. */
  readonly #newest = new Map<string, TimelineHead>();
  readonly #health: { -readonly [K in keyof StoreHealth]: StoreHealth[K] } = { refused: 0, setAside: 0, unkept: 0, failure: undefined };
  #triedAt = -Infinity;

  constructor(driver: Driver, options: ServerStoreOptions) {
    this.label = options.file;
    this.#options = options;
    this.#file = new ServerFile({
      path: options.file,
      driver,
      bulk: options.bulk === true,
      keys: options.keys,
      refused: (row) => {
        this.#health.refused++;
        options.notice(`${row} in ${options.file} is not as it was written, and is asked for again or made anew`, false);
      },
    });
    this.now = {
      tile: (key, tile) => this.#unkept.get(key)?.tile(tile) ?? this.#now((now) => now.tile(key, tile)),
      record: (key, covers) => this.#unkept.get(key)?.record(covers) ?? this.#now((now) => now.record(key, covers)),
      entries: (key, place) => this.#now((now) => now.entries(key, place)),
      part: (key, n) => this.#now((now) => now.part(key, n)),
    };
    this.log = new ServerLog((work, otherwise) => this.#use((store) => work(store.log), otherwise));
    this.#keys = new Map(options.keys.map((key) => [formatVerifierKey(key), key]));
  }

  get health(): StoreHealth {
    return this.#health;
  }

  /** Opens the file and looks whether its memory of the timelines is sound. */
  async open(): Promise<void> {
    // cut off while a damaged file was set aside
    if (!existsSync(this.label)) await this.#carryOver(filesSetAside(this.label), []);
    await this.#use(async (store) => {
      this.#file.checkMemory();
      for (const [vkey, key] of this.#keys) await this.#inFile(store, vkey, key);
    });
  }

  keyOf(name: string): Promise<string | undefined> {
    return this.#use(async (store) => {
      const key = await store.keyOf(name);
      if (key !== undefined && !this.#keys.has(key)) checkKey(this.label, name, key);
      return key;
    }, () => [...this.#keys].find(([vkey, key]) => key.name === name && this.#newest.has(vkey))?.[0]);
  }

  async newest(key: string): Promise<TimelineHead | undefined> {
    const unkept = this.#unkept.get(key)?.newest;
    if (unkept !== undefined) return unkept;
    return this.#use(
      (store) => this.#inFile(store, key, this.#keys.get(key)),
      (error) => {
        // to say that there is none would be to forget the timeline
        const known = this.#newest.get(key);
        if (known === undefined) throw error;
        return known;
      },
    );
  }

  async timeline(key: string, fromSize: number): Promise<TimelineHead[]> {
    const newest = await this.newest(key);
    if (newest === undefined) return [];
    const older = this.#unkept.get(key)?.newest === undefined ? await this.#use((store) => store.timeline(key, fromSize), () => []) : [];
    return [...older.filter(({ size }) => size < newest.size), ...(newest.size >= fromSize ? [newest] : [])];
  }

  receipts(key: string, wanted: readonly string[]): Promise<Uint8Array[]> {
    return this.#use((store) => store.receipts(key, wanted), () => []);
  }

  async tiles(key: string, wanted: readonly Tile[]): Promise<(Uint8Array | undefined)[]> {
    const kept = await this.#use((store) => store.tiles(key, wanted), () => wanted.map(() => undefined));
    const unkept = this.#unkept.get(key);
    return unkept === undefined ? kept : wanted.map((tile, i) => unkept.tile(tile) ?? kept[i]);
  }

  async records(key: string, wanted: readonly string[]): Promise<(KeptRecord | undefined)[]> {
    const kept = await this.#use((store) => store.records(key, wanted), () => wanted.map(() => undefined));
    const unkept = this.#unkept.get(key);
    return unkept === undefined ? kept : wanted.map((covers, i) => unkept.record(covers) ?? kept[i]);
  }

  async commit(key: string, change: Change): Promise<boolean> {
    const newest = await this.newest(key);
    if (newest?.size !== change.expect) return false;
    const unkept = this.#unkeptOf(key);
    // what is added to a whole log is too much to be held in memory
    if (change.log !== undefined) return this.#commitLog(key, change, unkept);
    const waits = !unkept.isEmpty && performance.now() - this.#triedAt < (this.#options.pause ?? DEFAULT_PAUSE);
    if (!waits) {
      this.#triedAt = performance.now();
      const done = await this.#use((store) => store.commit(key, unkept.with(change)), () => undefined);
      if (done !== undefined) {
        await this.#committed(key, change, done);
        return done;
      }
    }
    this.#health.unkept++;
    await unkept.add(change);
    this.#unkept.set(key, unkept);
    for (const head of change.heads) if (head.next === undefined) this.#newest.set(key, head);
    return true;
  }

  async evidence(): Promise<Evidence[]> {
    return [...(await this.#use((store) => store.evidence(), () => [])), ...this.#evidence];
  }

  async addEvidence(evidence: Evidence): Promise<void> {
    const kept = await this.#use(async (store) => {
      await store.addEvidence(evidence);
      return true;
    }, () => false);
    if (kept) return;
    this.#evidence.push(evidence);
    this.#options.notice('the evidence that the log misbehaved is in memory alone, until there is room to keep it', true);
  }

  async clearEvidence(): Promise<number> {
    return (await this.#use((store) => store.clearEvidence())) + this.#evidence.splice(0).length;
  }

  stats(): Promise<StoreStats> {
    return this.#use((store) => store.stats());
  }

  async clean(): Promise<void> {
    await this.#use((store) => store.clean());
    this.#unkept.clear();
    this.#newest.clear();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Commits what is added to a whole log, with what waits; where it cannot be kept, that is thrown. */
  async #commitLog(key: string, change: Change, unkept: Unkept): Promise<boolean> {
    const done = await this.#use((store) => store.commit(key, unkept.with(change)));
    await this.#committed(key, change, done);
    return done;
  }

  async #committed(key: string, change: Change, done: boolean): Promise<void> {
    // false: another process went forward, or the file is a new one. What waits was not proved against that.
    this.#unkept.delete(key);
    if (!done) return;
    for (const head of change.heads) if (head.next === undefined) this.#newest.set(key, head);
    await this.#recovered();
  }

  /** The newest head that the file has. A head that is not what its note says, or goes back, is damage. */
  async #inFile(store: SqliteStore, vkey: string, key: VerifierKey | undefined): Promise<TimelineHead | undefined> {
    const head = await store.newest(vkey);
    const known = this.#newest.get(vkey);
    if (head !== undefined && known !== undefined && sameTree(head, known) && equalBytes(head.note, known.note)) return known;
    if (known !== undefined && (head?.size ?? -1) < known.size) throw damage(this.label, `the tree head of ${known.size} records is gone`);
    if (head === undefined || key === undefined) return head;
    let opened;
    try {
      opened = openTreeHead(head.note, key);
    } catch (error) {
      if (isGosumError(error)) throw damage(this.label, `its newest tree head is not signed: ${error.message}`);
      throw error;
    }
    if (!sameTree(opened, head)) throw damage(this.label, 'its newest tree head is not the one in its note');
    this.#newest.set(vkey, head);
    return head;
  }

  /**
   * Does work with the store in the file; once more where that is found to be damaged, with another file.
   *
   * @param otherwise what to answer where the medium fails; without it that is thrown.
   */
  async #use<T>(work: (store: SqliteStore) => Promise<T>, otherwise?: (error: GosumError) => T): Promise<T> {
    for (let again = true; ; again = false) {
      let store: SqliteStore | undefined;
      try {
        store = this.#file.open();
        return await work(store);
      } catch (error) {
        if (!isGosumError(error, 'STORE_FAILED')) throw error;
        if (again && this.#file.isOurs(error)) {
          // of several who find the damage the first one sets the file aside
          if (this.#file.isOpen(store)) await this.#setAside(error);
        } else if (otherwise === undefined) {
          throw error;
        } else {
          if (this.#health.failure === undefined) {
            this.#options.notice(`what is proved cannot be kept for now, and is served from memory: ${error.message}`, true);
          }
          this.#health.failure = error;
          return otherwise(error);
        }
      }
    }
  }

  /** Reads without waiting. What goes wrong is left to `#use`. */
  #now<T>(read: (now: StoreNow) => T | undefined): T | undefined {
    try {
      return read(this.#file.openNow().now);
    } catch (error) {
      if (isGosumError(error, 'STORE_FAILED')) return undefined;
      throw error;
    }
  }

  /** Sets the file aside and begins another. Up to its first `await` nobody else has a turn, and sees it half done. */
  async #setAside(error: GosumError): Promise<void> {
    if (!this.#file.isInPlace()) {
      this.#file.letGo(); // another process has done it
      return;
    }
    const evidence = this.#readEvidence();
    const aside = this.#file.setAside();
    this.#health.setAside++;
    this.#options.notice(`${error.message}; it is set aside as ${aside}, and another is begun: what is asked for is fetched and proved again`, true);
    await this.#carryOver(namesOf(aside), evidence);
  }

  /** Carries the memory of the timelines over into the new file: at once in memory, and then there. */
  async #carryOver(files: readonly string[], evidence: readonly Evidence[]): Promise<void> {
    if (files.length === 0) return;
    const carried = [...this.#keys].flatMap(([vkey, key]) => {
      const heads = [salvageHead(files, key), this.#unkept.get(vkey)?.newest, this.#newest.get(vkey)];
      const head = heads.reduce((a, b) => (b !== undefined && b.size > (a?.size ?? -1) ? b : a));
      this.#unkept.delete(vkey);
      if (head === undefined) {
        this.#options.notice(
          `no tree head of ${key.name} could be read any more: its timeline begins anew, and a log that goes back behind what was seen before is not noticed`,
          true,
        );
        return [];
      }
      this.#options.notice(`the timeline of ${key.name} goes on from its tree of ${head.size}, which could still be read`, true);
      const change = { name: key.name, expect: undefined, heads: [carriedHead(head.note, key)], tiles: [], receipts: [], newestOnly: true };
      const unkept = this.#unkeptOf(vkey);
      this.#unkept.set(vkey, unkept);
      this.#newest.set(vkey, head);
      this.#triedAt = -Infinity;
      return [{ vkey, change, added: unkept.add(change) }];
    });
    for (const { vkey, change, added } of carried) {
      await added;
      await this.commit(vkey, { ...change, expect: change.heads[0]?.size, heads: [] });
    }
    for (const each of evidence) await this.addEvidence(each);
  }

  #readEvidence(): Evidence[] {
    try {
      return this.#file.evidence().filter((each) => [...this.#keys.values()].some((key) => accuses(each, key)));
    } catch (error) {
      if (!isGosumError(error)) throw error;
      this.#options.notice('whether it had evidence that a log misbehaved could not be read any more: `gosumcheck evidence` may show it of the file that is set aside', true);
      return [];
    }
  }

  async #recovered(): Promise<void> {
    if (this.#health.failure === undefined || [...this.#unkept.values()].some((each) => !each.isEmpty)) return;
    this.#health.failure = undefined;
    this.#options.notice('what is proved can be kept again, and all of it is', true);
    for (const each of this.#evidence.splice(0)) await this.addEvidence(each);
  }

  #unkeptOf(key: string): Unkept {
    const inFile = async (tile: Tile): Promise<boolean> => {
      const [kept] = await this.#use((store) => store.tiles(key, [{ ...tile, width: 1 }]), () => [new Uint8Array()]);
      return kept !== undefined;
    };
    return this.#unkept.get(key) ?? new Unkept(this.#options.memory ?? DEFAULT_MEMORY, inFile);
  }
}

function damage(file: string, detail: string): GosumError {
  return new GosumError('STORE_FAILED', `${file}: the file is damaged: ${detail}`, { cause: new RowError(detail) });
}

/** A name that remembers a key which is none, or another's, was never written so. */
function checkKey(file: string, name: string, key: string): void {
  try {
    if (parseVerifierKey(key).name === name) return;
  } catch (error) {
    if (!isGosumError(error)) throw error;
  }
  throw damage(file, `${name} remembers what is no key of it`);
}
