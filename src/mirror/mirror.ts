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
import type { Caller, Database, Question, RecentRecords, Store } from '../contract.js';
import { GosumError, isGosumError } from '../errors.js';
import { SumDB, type Lookups, type SumDBOptions } from '../client/sumdb.js';
import type { BulkQuery } from '../core/bulkform.js';
import { accuses } from '../core/fork.js';
import { formatVerifierKey } from '../core/key.js';
import { formatModuleVersion, lookupPath, type ModuleVersion } from '../core/module.js';
import type { ModulePaths } from '../core/modulepaths.js';
import type { LogRecord } from '../core/record.js';
import { DATA_LEVEL, formatTilePath, isTileInTree, type Tile } from '../core/tile.js';
import { openTreeHead, type SignedHead } from '../core/treehead.js';
import { AtOnce } from './atonce.js';
import { BulkMaker, nameOfQuery } from './bulk.js';
import { Feeds } from './feeds.js';
import { Flights } from './flights.js';
import { Kept } from './kept.js';
import { FOUND, type MirrorEvent } from './mirrorevent.js';
import { ReadyAnswers } from './ready.js';
import { standsStill } from './standstill.js';

export type { MirrorEvent } from './mirrorevent.js';

/** What a mirror stands on. */
export interface MirrorOptions extends Pick<SumDBOptions, 'key' | 'source' | 'store' | 'notice'> {
  /** The pattern by which a module is private: it is answered with "not found", and its name goes nowhere. */
  readonly skippedBy?: (module: string) => string | undefined;
  /** Bytes of answers kept in memory. */
  readonly memory?: number;
  /** Told of what happens, while it happens: it must be quick, and must not throw. */
  readonly told?: (event: MirrorEvent) => void;
}

/** How a mirror is. */
export interface MirrorState {
  /** The newest proved head; `undefined` before first contact. */
  readonly head: SignedHead | undefined;
  /** When upstream last showed a head that verified and lies on the timeline, in milliseconds since 1970. */
  readonly verifiedAt: number | undefined;
  /** When this process last saw the log grow. */
  readonly grownAt: number | undefined;
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

/** A mirror of one database. */
export class Mirror implements Database {
  readonly name: string;
  readonly #db: SumDB;
  readonly #store: Store;
  readonly #vkey: string;
  readonly #skippedBy: (module: string) => string | undefined;
  readonly #told: (event: MirrorEvent) => void;
  readonly #ready: ReadyAnswers;
  readonly #atOnce: AtOnce;
  readonly #unknown = new LRUCache<string, GosumError>({ max: MOST_UNKNOWN, ttl: UNKNOWN_STANDS });
  readonly #kept: Kept;
  readonly #flights = new Flights();
  readonly #bulk: BulkMaker;
  readonly #feeds: Feeds;
  #head: SignedHead | undefined;
  #opened: Promise<void> | undefined;
  #verifiedAt: number | undefined;
  #grownAt: number | undefined;
  #askedAt = -Infinity;
  #failure: GosumError | undefined;
  #forked = false;

  constructor(options: MirrorOptions) {
    const { key, source, store, notice, skippedBy = () => undefined, memory = DEFAULT_MEMORY, told = () => undefined } = options;
    this.#db = new SumDB({ key, source, store, keep: 'all', ...(notice === undefined ? {} : { notice }) });
    this.name = this.#db.key.name;
    this.#vkey = formatVerifierKey(this.#db.key);
    this.#store = store;
    this.#kept = new Kept(store, this.#vkey);
    this.#skippedBy = skippedBy;
    this.#told = told;
    this.#bulk = new BulkMaker(this.#db, this.#kept);
    this.#ready = new ReadyAnswers(memory);
    this.#atOnce = new AtOnce({ ready: this.#ready, kept: this.#kept, head: () => this.#head, skippedBy, told });
    this.#feeds = new Feeds(store, this.#vkey, skippedBy);
  }

  get state(): MirrorState {
    return { head: this.#head, verifiedAt: this.#verifiedAt, grownAt: this.#grownAt, failure: this.#failure, forked: this.#forked };
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

  async lookup(module: string, version: string, caller?: Caller): Promise<Uint8Array> {
    const name = formatModuleVersion(module, version);
    const ready = this.ready({ kind: 'lookup', module, version });
    if (ready !== undefined) return ready;
    let found = FOUND.lookup.memory;
    let record = this.#ready.record(name);
    if (record === undefined) {
      found = FOUND.lookup.store;
      record = await this.#flights.once(`kept ${name}`, () => this.#keptRecord(module, version));
    }
    if (record === undefined) {
      found = FOUND.lookup.upstream;
      record = await this.#flights.upstream(`lookup ${name}`, caller, () => this.#askRecord(module, version));
    }
    this.#told(found);
    return this.#ready.addLookup(name, record, await this.#newest());
  }

  async tile(tile: Tile, caller?: Caller): Promise<Uint8Array> {
    const path = formatTilePath(tile);
    if (tile.level === DATA_LEVEL) return this.#dataTile(tile, path);
    const ready = this.ready({ kind: 'tile', tile });
    if (ready !== undefined) return ready;
    const kept = await this.#flights.once(`kept ${path}`, () => this.#keptTile(tile));
    const bytes = kept ?? (await this.#flights.upstream(`tile ${path}`, caller, () => this.#askTile(tile)));
    this.#told(kept === undefined ? FOUND.tile.upstream : FOUND.tile.store);
    return this.#ready.addTile(tile, bytes);
  }

  /** Data tiles are of the whole log alone. Each is asked for seldom, and is large: none is held in memory. */
  async #dataTile(tile: Tile, path: string): Promise<Uint8Array> {
    const bytes = await this.#flights.once(`kept ${path}`, () => this.#keptTile(tile));
    if (bytes === undefined) throw notFound(`${path}: not kept here${this.#kept.isWhole ? ' yet' : ': the log is not kept whole'}`);
    this.#told(FOUND.tile.store);
    return bytes;
  }

  ready(question: Question): Uint8Array | undefined {
    return this.#atOnce.ready(question);
  }

  now(question: Question): Uint8Array | undefined {
    return this.#atOnce.now(question);
  }

  /** The jobs of a CI run ask for the same at a time, and the next run for the same again. */
  async bulk(query: BulkQuery, caller?: Caller): Promise<Uint8Array> {
    const name = nameOfQuery(query);
    const ready = this.#ready.bulk(name, this.#head);
    if (ready === undefined) return this.#flights.once(`bulk ${name}`, () => this.#makeBulk(query, name, caller));
    query.wanted.forEach(() => this.#told(FOUND.lookup.memory));
    return ready;
  }

  async #makeBulk({ old, wanted }: BulkQuery, name: string, caller: Caller | undefined): Promise<Uint8Array> {
    if (old > (await this.#newest()).size) {
      await caller?.admit();
      await this.#lookAhead();
    }
    const records = await this.#findRecords(wanted, caller);
    const head = await this.#newest();
    const answer = await this.#bulk.make(head, old, wanted, records);
    // what is missing now may be there the next time, and who is ahead of us makes us look each time
    if (old <= head.size && ![...records.values()].some((each) => isGosumError(each))) this.#ready.addBulk(name, answer, head);
    return answer;
  }

  /** Whether there are feeds: the log is kept whole. */
  hasFeeds(): Promise<boolean> {
    return this.#feeds.areKept();
  }

  recent(paths: ModulePaths, limit: number, caller?: Caller): Promise<RecentRecords> {
    return this.#feeds.recent(paths, limit, caller);
  }

  /** Waits until nothing is under way: what clients asked for who have gone goes on to its end, and needs the store for that. */
  idle(): Promise<void> {
    return this.#flights.idle();
  }

  /**
   * Looks whether upstream has a newer head. Resolves also where that cannot be had: see `state`. While there is evidence
   * of a fork, nothing is asked; a person who clears it makes the next look go on.
   */
  refresh(): Promise<void> {
    return this.#flights.once(REFRESH, async () => {
      this.#askedAt = Date.now();
      await this.#recallEvidence(); // which another process may have found, or a person cleared
      await this.#kept.look();
      await this.#ask([], true);
    });
  }

  /** As `refresh`, for clients that have seen more of the log than we: a 404 would break their build, so who comes soon after a look waits for the next. */
  #lookAhead(): Promise<void> {
    return this.#flights.once(LOOK_AHEAD, async () => {
      await sleep(Math.max(0, this.#askedAt + REFRESH_PAUSE - Date.now()));
      await this.refresh();
    });
  }

  async #recall(): Promise<void> {
    await this.#recallEvidence();
    await this.#kept.look();
    await this.#takeKept();
  }

  async #recallEvidence(): Promise<void> {
    const evidence = await this.#store.evidence();
    this.#forked = evidence.some((each) => accuses(each, this.#db.key));
  }

  /** Takes the store's newest head, which another process on the same store may have put there. */
  async #takeKept(): Promise<void> {
    const newest = await this.#store.newest(this.#vkey);
    if (newest !== undefined && newest.size > (this.#head?.size ?? -1)) this.#take(openTreeHead(newest.note, this.#db.key));
  }

  async #newest(): Promise<SignedHead> {
    await this.open();
    if (this.#head === undefined) await this.refresh();
    if (this.#head === undefined) throw this.#failure ?? new Error('no head, and no reason why');
    return this.#head;
  }

  async #keptRecord(module: string, version: string): Promise<LogRecord | undefined> {
    lookupPath(module, version); // refuses what no log can have
    await this.open();
    const [known] = await this.#known([{ module, version }]);
    if (isGosumError(known)) throw known;
    return known;
  }

  async #askRecord(module: string, version: string): Promise<LogRecord> {
    return this.#recordOf(formatModuleVersion(module, version), await this.#ask([{ module, version }], false));
  }

  /** The records of many module versions, or why there is none, by `path@version`; those that are not kept by one question. */
  async #findRecords(wanted: readonly ModuleVersion[], caller: Caller | undefined): Promise<Map<string, LogRecord | GosumError>> {
    const found = new Map<string, LogRecord | GosumError>();
    const unkept: ModuleVersion[] = [];
    const known = await this.#known(wanted);
    wanted.forEach((each, i) => {
      const record = known[i];
      if (record === undefined) unkept.push(each);
      else found.set(formatModuleVersion(each.module, each.version), record);
      this.#told(record === undefined ? FOUND.lookup.upstream : FOUND.lookup.store);
    });
    if (unkept.length > 0) await caller?.admit();
    const mine: ModuleVersion[] = [];
    let asked: Promise<Lookups['results']> | undefined;
    const ask = async (each: ModuleVersion): Promise<void> => {
      const name = formatModuleVersion(each.module, each.version);
      const record = this.#flights.once(`lookup ${name}`, async () => {
        mine.push(each);
        asked ??= Promise.resolve().then(() => this.#bulk.ask(() => this.#ask(mine, false))); // once all of them are known
        return this.#recordOf(name, await asked);
      });
      found.set(name, await record.catch(notLocal));
    };
    await Promise.all(unkept.map(ask));
    return found;
  }

  /** For each module version what is known of it without asking: its kept record, or that it is private or unknown. */
  async #known(wanted: readonly ModuleVersion[]): Promise<(LogRecord | GosumError | undefined)[]> {
    const names = wanted.map(({ module, version }) => formatModuleVersion(module, version));
    const open = names.map((name, i) => (this.#skippedBy(wanted[i]?.module ?? '') === undefined ? undefined : notFound(`${name}: private here`)));
    const kept = await this.#kept.records(wanted);
    const isBeyond = (record: LogRecord | undefined): boolean => record !== undefined && record.id >= (this.#head?.size ?? 0);
    if (kept.some(isBeyond)) await this.#takeKept();
    return names.map((name, i) => open[i] ?? (isBeyond(kept[i]) ? undefined : kept[i]) ?? this.#unknown.get(name));
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

  async #keptTile(tile: Tile): Promise<Uint8Array | undefined> {
    let head = await this.#newest();
    if (!isTileInTree(tile, head.size)) {
      await this.#takeKept();
      head = await this.#newest();
    }
    if (!isTileInTree(tile, head.size)) return undefined;
    return this.#kept.tile(tile, head.size);
  }

  async #askTile(tile: Tile): Promise<Uint8Array> {
    let head = await this.#newest();
    if (!isTileInTree(tile, head.size)) {
      await this.#lookAhead();
      head = await this.#newest();
    }
    if (!isTileInTree(tile, head.size)) throw notFound(`${formatTilePath(tile)}: beyond the tree of ${head.size}`);
    try {
      const [proved] = await this.#db.tiles([tile]);
      if (proved === undefined) throw new Error(`${formatTilePath(tile)} was not read`);
      return proved.bytes;
    } catch (error) {
      if (isGosumError(error) && error.outcome === 'unproved') this.#told({ kind: 'unproved', error });
      throw error;
    }
  }

  /** Asks upstream, and takes the newest head that comes of it. */
  async #ask(wanted: readonly ModuleVersion[], fresh: boolean): Promise<Lookups['results']> {
    if (this.#forked) {
      this.#noteFailure(standsStill(this.name));
      return new Map();
    }
    const { results, head, problem } = await this.#db.lookup(wanted, { fresh, latest: false });
    const answers = [...results.values()];
    const errors = new Set([problem, ...answers].filter((each) => isGosumError(each)));
    for (const error of errors) if (error.outcome === 'unproved') this.#told({ kind: 'unproved', error });
    this.#noteFailure(problem ?? [...errors].find(({ outcome }) => outcome !== 'missing'));
    if (problem?.code === 'FORK') this.#noteFork(problem);
    const before = this.#head;
    if (head !== undefined) this.#take(head);
    if (problem === undefined && this.#head !== undefined && (fresh || answers.some((answer) => !isGosumError(answer)))) {
      this.#verifiedAt = Date.now();
      const grown = this.#head.size > (before?.size ?? -1);
      if (grown) this.#grownAt = this.#verifiedAt;
      this.#told({ kind: 'head', head: this.#head, grown });
    }
    return results;
  }

  /** Tells of it once, though several who ask at a time may meet it. */
  #noteFork(error: GosumError): void {
    if (this.#forked) return;
    this.#forked = true;
    this.#told({ kind: 'fork', error });
  }

  #noteFailure(failure: GosumError | undefined): void {
    const before = this.#failure;
    this.#failure = failure;
    if ((before === undefined) !== (failure === undefined)) this.#told({ kind: 'upstream', failure });
  }

  #take(head: SignedHead): void {
    if (this.#head === undefined || head.size > this.#head.size) this.#head = head;
  }
}

function notFound(message: string): GosumError {
  return new GosumError('NOT_FOUND', message);
}

/** The error as a result; a bug or a broken store is thrown on. */
function notLocal(error: unknown): GosumError {
  if (!isGosumError(error) || error.outcome === 'local') throw error;
  return error;
}
