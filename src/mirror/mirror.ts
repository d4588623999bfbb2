/**
 * The mirror: a database that proves what it passes on.
 *
 * Everything it answers was proved under a signed head of its own timeline. What is not kept is asked for upstream, proved,
 * kept, and only then answered; each thing by one flight, however many wait for it. When the head moves on, the tiles that
 * tie the older trees to it are read in the same step (client/batch.ts): so whatever is kept can be proved by anybody
 * under the newest head, with upstream there or not.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Database, Question, Store } from '../contract.js';
import { GosumError, isGosumError } from '../errors.js';
import { SumDB, type SumDBOptions } from '../client/sumdb.js';
import { provesFork } from '../core/fork.js';
import { HASH_SIZE } from '../core/hash.js';
import { formatVerifierKey } from '../core/key.js';
import { formatModuleVersion, lookupPath } from '../core/module.js';
import { formatLookup, type LogRecord } from '../core/record.js';
import { DATA_LEVEL, formatTilePath, fullTile, tileInTree, type Tile } from '../core/tile.js';
import { openTreeHead, type SignedHead } from '../core/treehead.js';
import { Gathered } from './gathered.js';

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
/** The flights of a look at upstream's newest head. */
const REFRESH = 'refresh';
const LOOK_AHEAD = 'look ahead';

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
  readonly #keptTiles: Gathered<Tile, Uint8Array | undefined>;
  readonly #flights = new Map<string, Promise<unknown>>();
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
    this.#keptTiles = new Gathered((tiles) => store.tiles(this.#vkey, tiles));
    this.#skippedBy = skippedBy;
    this.#lookups = new LRUCache({ maxSize: Math.ceil((memory + 1) / 4), sizeCalculation: ({ answer }) => answer.length + 500 });
    this.#tiles = new LRUCache({ maxSize: memory + 1, sizeCalculation: (bytes) => bytes.length + 200 });
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
    const ready = this.#readyTile(tile);
    if (ready !== undefined) return ready;
    const bytes = await this.#once(`tile ${formatTilePath(tile)}`, () => this.#findTile(tile));
    this.#tiles.set(formatTilePath(fullTile(tile)), bytes);
    return this.#readyTile(tile) ?? bytes.subarray(0, tile.width * HASH_SIZE);
  }

  ready(question: Question): Uint8Array | undefined {
    switch (question.kind) {
      case 'latest':
        return this.#head?.note;
      case 'lookup': {
        const ready = this.#lookups.get(formatModuleVersion(question.module, question.version));
        return ready?.head === this.#head ? ready?.answer : undefined;
      }
      case 'tile':
        return this.#readyTile(question.tile);
    }
  }

  /** A tile in memory. By a full tile's path the widest is kept that is known, by a partial one's what was cut from that. */
  #readyTile(tile: Tile): Uint8Array | undefined {
    const length = tile.width * HASH_SIZE;
    const path = formatTilePath(tile);
    const kept = this.#tiles.get(path);
    if (kept?.length === length) return kept;
    const widest = this.#tiles.get(formatTilePath(fullTile(tile)));
    if (widest === undefined || widest.length < length) return undefined;
    if (widest.length === length) return widest;
    const cut = widest.slice(0, length);
    this.#tiles.set(path, cut);
    return cut;
  }

  /** Looks whether upstream has a newer head. Resolves also where that cannot be had: see `state`. */
  refresh(): Promise<void> {
    return this.#once(REFRESH, async () => {
      this.#askedAt = Date.now();
      await this.#ask([], true);
    });
  }

  /** As `refresh`, for clients that are ahead: a 404 would break their build, so who comes soon after a look waits for the next. */
  #lookAhead(): Promise<void> {
    return this.#once(LOOK_AHEAD, async () => {
      await sleep(Math.max(0, this.#askedAt + REFRESH_PAUSE - Date.now()));
      await this.refresh();
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

  async #findRecord(module: string, version: string): Promise<LogRecord> {
    const name = formatModuleVersion(module, version);
    lookupPath(module, version); // refuses what no log can have
    const pattern = this.#skippedBy(module);
    if (pattern !== undefined) throw notFound(`${name}: private here`);
    await this.open();
    const head = this.#head;
    const [kept] = await this.#store.records(this.#vkey, [name]);
    if (kept !== undefined && head !== undefined && kept.id < head.size) return kept;
    const unknown = this.#unknown.get(name);
    if (unknown !== undefined) throw unknown;
    const result = await this.#ask([{ module, version }], false);
    const found = result?.get(name);
    if (found === undefined || isGosumError(found)) {
      const error = found ?? this.#failure ?? new Error(`${name} was not asked for`);
      if (isGosumError(error, 'NOT_FOUND')) this.#unknown.set(name, error);
      throw error;
    }
    return found.record;
  }

  async #findTile(tile: Tile): Promise<Uint8Array> {
    let head = await this.#newest();
    if (!reaches(head, tile)) {
      // The client has seen more of the log than we have.
      await this.#lookAhead();
      head = await this.#newest();
    }
    if (!reaches(head, tile)) throw notFound(`${formatTilePath(tile)}: beyond the tree of ${head.size}`);
    const own = tileInTree(tile.level, tile.n, head.size) ?? tile;
    const kept = (await this.#keptTiles.get(own)) ?? (own.width === tile.width ? undefined : await this.#keptTiles.get(tile));
    if (kept !== undefined) return kept;
    const [proved] = await this.#db.tiles([tile]);
    if (proved === undefined) throw new Error(`${formatTilePath(tile)} was not read`);
    return proved.bytes;
  }

  /** Asks upstream, and takes the newest head that comes of it. */
  async #ask(
    wanted: Parameters<SumDB['lookup']>[0],
    fresh: boolean,
  ): Promise<Awaited<ReturnType<SumDB['lookup']>>['results'] | undefined> {
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
