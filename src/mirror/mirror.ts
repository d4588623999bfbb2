/**
 * The mirror: a database that proves what it passes on.
 *
 * Everything it answers was proved under a signed head of its own timeline. What is not kept is asked for upstream, proved,
 * kept, and only then answered; each thing by one flight, however many wait for it. When the head moves on, the tiles that
 * tie the older trees to it are read in the same step (client/batch.ts): so whatever is kept can be proved by anybody
 * under the newest head, with upstream there or not.
 */

import { LRUCache } from 'lru-cache';
import type { Database, Store } from '../contract.js';
import { GosumError, isGosumError } from '../errors.js';
import { SumDB, type Lookups, type SumDBOptions } from '../client/sumdb.js';
import { provesFork } from '../core/fork.js';
import { HASH_SIZE } from '../core/hash.js';
import { formatVerifierKey } from '../core/key.js';
import type { BulkQuery } from '../core/bulkform.js';
import { formatModuleVersion, lookupPath, type ModuleVersion } from '../core/module.js';
import { formatLookup, type LogRecord } from '../core/record.js';
import { DATA_LEVEL, formatTilePath, fullTile, tileInTree, type Tile } from '../core/tile.js';
import { openTreeHead, type SignedHead } from '../core/treehead.js';
import { BulkMaker } from './bulk.js';

/** What a mirror stands on. */
export interface MirrorOptions extends Pick<SumDBOptions, 'key' | 'source' | 'store' | 'notice'> {
  /** The pattern by which a module is private: it is answered with "not found", and its name goes nowhere. */
  readonly skippedBy?: (module: string) => string | undefined;
  /** Bytes of answers kept in memory. */
  readonly memory?: number;
}

/** How a mirror is. */
export interface MirrorState {
  /** The newest proved head; `undefined` before first contact. */
  readonly head: SignedHead | undefined;
  /** When upstream last showed a head that verified and lies on the timeline, in milliseconds since 1970. */
  readonly verifiedAt: number | undefined;
  /** What the last contact with upstream came to, where it came to nothing. */
  readonly failure: GosumError | undefined;
  /** The log was seen to contradict itself: the timeline stands still until a person decides. */
  readonly forked: boolean;
}

const DEFAULT_MEMORY = 64 * 1024 * 1024;
/** Milliseconds that "the log does not know it" is remembered. Never on disk. */
const UNKNOWN_STANDS = 60_000;
const MOST_UNKNOWN = 10_000;
/** Milliseconds between two looks at upstream for the sake of clients that are ahead. */
const REFRESH_PAUSE = 1000;
/** The flight of a look at upstream's newest head. */
const REFRESH = 'refresh';

/** A lookup's answer, made for one head. */
interface ReadyLookup {
  readonly record: LogRecord;
  readonly head: SignedHead;
  readonly answer: Uint8Array;
}

/** A mirror of one database. */
export class Mirror implements Database {
  readonly name: string;
  readonly #db: SumDB;
  readonly #store: Store;
  readonly #vkey: string;
  readonly #skippedBy: (module: string) => string | undefined;
  readonly #lookups: LRUCache<string, ReadyLookup>;
  readonly #tiles: LRUCache<string, Uint8Array>;
  readonly #unknown = new LRUCache<string, GosumError>({ max: MOST_UNKNOWN, ttl: UNKNOWN_STANDS });
  readonly #flights = new Map<string, Promise<unknown>>();
  readonly #bulk: BulkMaker;
  #head: SignedHead | undefined;
  #opened: Promise<void> | undefined;
  #verifiedAt: number | undefined;
  #askedAt = -Infinity;
  #failure: GosumError | undefined;
  #forked = false;

  constructor(options: MirrorOptions) {
    const { key, source, store, notice, skippedBy = () => undefined, memory = DEFAULT_MEMORY } = options;
    this.#db = new SumDB({ key, source, store, keep: 'all', ...(notice === undefined ? {} : { notice }) });
    this.name = this.#db.key.name;
    this.#vkey = formatVerifierKey(this.#db.key);
    this.#store = store;
    this.#skippedBy = skippedBy;
    this.#bulk = new BulkMaker(this.#db, store, this.#vkey);
    this.#lookups = new LRUCache({ maxSize: memory / 4, sizeCalculation: ({ answer }) => answer.length + 500 });
    this.#tiles = new LRUCache({ maxSize: memory, sizeCalculation: (bytes) => bytes.length + 200 });
  }

  get state(): MirrorState {
    return { head: this.#head, verifiedAt: this.#verifiedAt, failure: this.#failure, forked: this.#forked };
  }

  /** Takes up what the store has: the newest head, and whether the log was seen to misbehave. @throws {GosumError}. */
  open(): Promise<void> {
    this.#opened ??= this.#recall().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async latest(): Promise<Uint8Array> {
    return (await this.#newest()).note;
  }

  async lookup(module: string, version: string): Promise<Uint8Array> {
    const name = formatModuleVersion(module, version);
    const ready = this.#lookups.get(name);
    if (ready !== undefined && ready.head === this.#head) return ready.answer;
    const record = ready?.record ?? (await this.#once(`lookup ${name}`, () => this.#findRecord(module, version)));
    const head = await this.#newest();
    const answer = formatLookup({ ...record, note: head.note });
    this.#lookups.set(name, { record, head, answer });
    return answer;
  }

  async tile(tile: Tile): Promise<Uint8Array> {
    if (tile.level === DATA_LEVEL) throw notFound(`${formatTilePath(tile)}: data tiles are not kept here`);
    const length = tile.width * HASH_SIZE;
    const path = formatTilePath(fullTile(tile));
    let bytes = this.#tiles.get(path);
    if (bytes === undefined || bytes.length < length) {
      bytes = await this.#once(`tile ${formatTilePath(tile)}`, () => this.#findTile(tile));
      this.#tiles.set(path, bytes);
    }
    return bytes.length === length ? bytes : bytes.subarray(0, length);
  }

  async bulk({ old, wanted }: BulkQuery): Promise<Uint8Array> {
    if (old > (await this.#newest()).size) await this.#newestForClient();
    const records = await this.#findRecords(wanted);
    return this.#bulk.make(await this.#newest(), old, wanted, records);
  }

  /** Looks whether upstream has a newer head. Resolves also where that cannot be had: see `state`. */
  refresh(): Promise<void> {
    return this.#once(REFRESH, async () => {
      this.#askedAt = Date.now();
      await this.#ask([], true);
    });
  }

  async #recall(): Promise<void> {
    const [newest, evidence] = await Promise.all([this.#store.newest(this.#vkey), this.#store.evidence()]);
    this.#forked = evidence.some((each) => each.key === this.#vkey && provesFork(each, this.#db.key));
    if (newest !== undefined) this.#take(openTreeHead(newest.note, this.#db.key));
  }

  async #newest(): Promise<SignedHead> {
    await this.open();
    if (this.#head === undefined) await this.refresh();
    if (this.#head === undefined) throw this.#failure ?? new Error('no head, and no reason why');
    return this.#head;
  }

  /** The newest head for a client that has seen more of the log than we have: it makes us look. */
  async #newestForClient(): Promise<SignedHead> {
    if (this.#flights.has(REFRESH) || Date.now() - this.#askedAt >= REFRESH_PAUSE) await this.refresh();
    return this.#newest();
  }

  async #findRecord(module: string, version: string): Promise<LogRecord> {
    const name = formatModuleVersion(module, version);
    lookupPath(module, version); // refuses what no log can have
    await this.open();
    const [kept] = await this.#store.records(this.#vkey, [name]);
    const known = this.#known(module, name, kept);
    if (isGosumError(known)) throw known;
    return known ?? this.#recordOf(name, await this.#ask([{ module, version }], false));
  }

  /**
   * The records of many module versions, or why there is none, by `path@version`. What is not kept is asked for together,
   * but for what is asked for already.
   */
  async #findRecords(wanted: readonly ModuleVersion[]): Promise<Map<string, LogRecord | GosumError>> {
    const names = wanted.map(({ module, version }) => formatModuleVersion(module, version));
    const kept = await this.#store.records(this.#vkey, names);
    const unkept: ModuleVersion[] = [];
    let asked: Promise<Lookups['results']> | undefined;
    const find = (each: ModuleVersion, name: string, record: LogRecord | undefined): LogRecord | GosumError | Promise<LogRecord> =>
      this.#known(each.module, name, record) ??
      this.#once(`lookup ${name}`, async () => {
        unkept.push(each);
        asked ??= Promise.resolve().then(() => this.#ask(unkept, false)); // once all are known
        return this.#recordOf(name, await asked);
      });
    const found = await Promise.all(
      wanted.map(async (each, i) => {
        try {
          return await find(each, names[i] ?? '', kept[i]);
        } catch (error) {
          if (!isGosumError(error) || error.outcome === 'local') throw error;
          return error;
        }
      }),
    );
    return new Map(found.map((result, i) => [names[i] ?? '', result]));
  }

  /** What is known of a module version without asking: its kept record, or that it is private or unknown. */
  #known(module: string, name: string, kept: LogRecord | undefined): LogRecord | GosumError | undefined {
    if (this.#skippedBy(module) !== undefined) return notFound(`${name}: private here`);
    return kept !== undefined && kept.id < (this.#head?.size ?? 0) ? kept : this.#unknown.get(name);
  }

  /** The record that was asked for. */
  #recordOf(name: string, results: Lookups['results']): LogRecord {
    const found = results.get(name);
    if (found === undefined || isGosumError(found)) {
      const error = found ?? this.#failure ?? new Error(`${name} was not asked for`);
      if (isGosumError(error, 'NOT_FOUND')) this.#unknown.set(name, error);
      throw error;
    }
    return found.record;
  }

  async #findTile(tile: Tile): Promise<Uint8Array> {
    let head = await this.#newest();
    if (!reaches(head, tile)) head = await this.#newestForClient();
    if (!reaches(head, tile)) throw notFound(`${formatTilePath(tile)}: beyond the tree of ${head.size}`);
    const own = tileInTree(tile.level, tile.n, head.size) ?? tile;
    const [whole, part] = await this.#store.tiles(this.#vkey, [own, tile]);
    const kept = whole ?? part;
    if (kept !== undefined) return kept;
    const [proved] = await this.#db.tiles([tile]);
    if (proved === undefined) throw new Error(`${formatTilePath(tile)} was not read`);
    return proved.bytes;
  }

  /** Asks upstream, and takes the newest head that comes of it. */
  async #ask(wanted: readonly ModuleVersion[], fresh: boolean): Promise<Lookups['results']> {
    const { results, head, problem } = await this.#db.lookup(wanted, { fresh, latest: false });
    this.#failure = problem;
    if (problem?.code === 'FORK') this.#forked = true;
    if (head !== undefined) this.#take(head);
    if (problem === undefined && (fresh || [...results.values()].some((result) => !isGosumError(result)))) this.#verifiedAt = Date.now();
    return results;
  }

  #take(head: SignedHead): void {
    if (this.#head === undefined || head.size > this.#head.size) this.#head = head;
  }

  /** Does what several ask for at a time once. */
  #once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const under = this.#flights.get(key) as Promise<T> | undefined;
    if (under !== undefined) return under;
    const flight = work().finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }
}

function reaches(head: SignedHead, { level, n, width }: Tile): boolean {
  return (tileInTree(level, n, head.size)?.width ?? 0) >= width;
}

function notFound(message: string): GosumError {
  return new GosumError('NOT_FOUND', message);
}
