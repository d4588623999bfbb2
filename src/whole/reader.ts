/**
 * The whole log, read: records by module version and by number, versions, module paths, and the tiles that are made of packs.
 *
 * What a store gives is believed as far as its digests go, as of everything in a server's own file.
 */

import type { LogState, LogStore, PackedPart, Store, StoreNow } from '../contract.js';
import { HASH_SIZE } from '../core/hash.js';
import { dataTileOf, hashLeaves, type Leaves } from '../core/leaves.js';
import type { ModuleVersion } from '../core/module.js';
import type { LogRecord } from '../core/record.js';
import { compareVersions } from '../core/semver.js';
import { PART_WIDTH, TILE_WIDTH } from '../core/tile.js';
import { GosumError, isGosumError } from '../errors.js';
import { findInPage, findModuleInPage } from './entry.js';
import { KeyHash } from './key.js';
import { logOf } from './merge.js';
import { unpackLeaves, unpackRecord } from './pack.js';
import { isOf, namesOf } from './usual.js';

/** Parts of packs that are read at once: some 1.5 KB each. */
const PARTS_AT_ONCE = 256;
/** Module paths that are read at once. */
const MODULES_AT_ONCE = 1000;
const NOTHING: Uint8Array = new Uint8Array();

/** A version in the log. */
export interface LoggedVersion {
  readonly version: string;
  /** Number of its record. A version that the log repeats comes once for each. */
  readonly id: number;
}

/** The whole log of one key, as far as a store has it. */
export class WholeLog {
  readonly #log: LogStore;
  readonly #key: string;
  readonly #now: StoreNow | undefined;
  #hash: KeyHash | undefined;

  /** @param key canonical verifier key. @throws {GosumError} `STORE_FAILED` where the store has no room for a whole log. */
  constructor(store: Pick<Store, 'label' | 'log' | 'now'>, key: string) {
    this.#log = logOf(store);
    this.#now = store.now;
    this.#key = key;
  }

  /** How far it is kept and indexed; `undefined` where nothing of it is. */
  state(): Promise<LogState | undefined> {
    return this.#log.state(this.#key);
  }

  /**
   * The records of a module version, ascending by number: more than one where the log repeats itself, none where it is not in the
   * index's pages. That is an answer of the log only for a tree of at most `LogState.indexed` records.
   *
   * @throws {GosumError} `STORE_FAILED`, also where the index names a record that is not kept.
   */
  async find(module: string, version: string): Promise<LogRecord[]> {
    return onlyOf(await this.findMany([{ module, version }]));
  }

  /** As `find`, of many at once: for each its records, or what `find` would throw. A read costs as much again by itself. */
  async findMany(wanted: readonly ModuleVersion[]): Promise<(LogRecord[] | GosumError)[]> {
    const hash = await this.#keyHash();
    if (hash === undefined) return wanted.map(() => []);
    const keys = wanted.map(({ module, version }) => hash.key(module, version));
    const entries = await this.#log.entries(this.#key, keys);
    const found = await this.#records(keys.map((key, i) => findInPage(entries[i] ?? NOTHING, key)));
    return wanted.map((each, i) => {
      const records = found[i] ?? [];
      return isGosumError(records) ? records : records.filter(({ text }) => isOf(text, each)).sort((a, b) => a.id - b.id);
    });
  }

  /** The first of what `find` gives, where it can be had without waiting; `undefined`: `find` has to be asked. */
  findNow(module: string, version: string): LogRecord | undefined {
    if (this.#now === undefined || this.#hash === undefined) return undefined;
    const key = this.#hash.key(module, version);
    const entries = this.#now.entries(this.#key, key);
    if (entries === undefined) return undefined;
    for (const id of findInPage(entries, key)) {
      const part = this.#now.part(this.#key, partOf(id));
      const record = orError(() => recordIn(part, id));
      if (record === undefined || isGosumError(record)) return undefined;
      if (isOf(record.text, { module, version })) return record;
    }
    return undefined;
  }

  /** A record by its number; `undefined` where it is not kept. @throws {GosumError} `STORE_FAILED`; `RECORD_MALFORMED` where the pack is none. */
  async record(id: number): Promise<LogRecord | undefined> {
    const [part] = await this.#log.parts(this.#key, [partOf(id)]);
    return recordIn(part, id);
  }

  /** The versions of a module in their order (semver.org §11), those of one precedence by number. @throws as `find`. */
  async versions(module: string): Promise<LoggedVersion[]> {
    const hash = await this.#keyHash();
    if (hash === undefined) return [];
    const key = hash.moduleKey(module);
    const [page] = await this.#log.pages(this.#key, [key.page]);
    const records = onlyOf(await this.#records([findModuleInPage(page?.entries ?? NOTHING, key)]));
    const versions = records.flatMap(({ id, text }) => namesOf(text).flatMap((name) => (name.module === module ? [{ version: name.version, id }] : [])));
    return versions.sort((a, b) => compareVersions(a.version, b.version) || a.id - b.id);
  }

  /** All known module paths that begin with a text, in the order of their bytes. */
  async *modules(prefix: string): AsyncGenerator<string, void, undefined> {
    for (let after = ''; ; ) {
      const page = await this.#log.modules(this.#key, prefix, after, MODULES_AT_ONCE);
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < MODULES_AT_ONCE) return;
      after = last;
    }
  }

  /** The hash tile of level 0: `width` hashes; `undefined` where so many records are not kept. @throws as `record`. */
  async hashTile(n: number, width: number): Promise<Uint8Array | undefined> {
    const leaves = await this.#leaves(n, width);
    return leaves && hashLeaves(leaves).subarray(0, width * HASH_SIZE);
  }

  /** The data tile, with a blank line behind every record; `undefined` as `hashTile`. @throws as `record`. */
  async dataTile(n: number, width: number): Promise<Uint8Array | undefined> {
    const leaves = await this.#leaves(n, width);
    return leaves && dataTileOf(leaves);
  }

  async #leaves(n: number, width: number): Promise<Leaves | undefined> {
    const [pack] = await this.#log.packs(this.#key, [n]);
    if (pack === undefined || pack.width < width) return undefined;
    const { bytes, at } = unpackLeaves(pack.parts);
    return { bytes: bytes.subarray(0, at[width]), at: at.subarray(0, width + 1) };
  }

  /** The records of each list of numbers, which the index has; or why one of them cannot be had. */
  async #records(ids: readonly (readonly number[])[]): Promise<(LogRecord[] | GosumError)[]> {
    const records = await this.#readAll(ids.flat());
    return ids.map((own) => {
      const found: LogRecord[] = [];
      for (const id of own) {
        const record = records.get(id) ?? unkept(id);
        if (isGosumError(record)) return record;
        found.push(record);
      }
      return found;
    });
  }

  /** Records by their numbers, or why one cannot be had; without those that are not kept. */
  async #readAll(ids: readonly number[]): Promise<Map<number, LogRecord | GosumError>> {
    const records = new Map<number, LogRecord | GosumError>();
    for (let from = 0; from < ids.length; from += PARTS_AT_ONCE) {
      const some = ids.slice(from, from + PARTS_AT_ONCE);
      const numbers = [...new Set(some.map(partOf))];
      const parts = await this.#log.parts(this.#key, numbers);
      const byNumber = new Map(numbers.map((n, i) => [n, parts[i]]));
      for (const id of some) {
        const record = orError(() => recordIn(byNumber.get(partOf(id)), id));
        if (record !== undefined) records.set(id, record);
      }
    }
    return records;
  }

  /** The hash under the file's salt, which never changes once there is one. */
  async #keyHash(): Promise<KeyHash | undefined> {
    if (this.#hash !== undefined) return this.#hash;
    const state = await this.state();
    return state && (this.#hash = new KeyHash(state.salt));
  }
}

/** Number of the part that has a record. */
function partOf(id: number): number {
  return Math.floor(id / PART_WIDTH);
}

function recordIn(part: PackedPart | undefined, id: number): LogRecord | undefined {
  if (part === undefined || id % TILE_WIDTH >= part.width) return undefined;
  return { id, text: unpackRecord(part.bytes, id % PART_WIDTH) };
}

function unkept(id: number): GosumError {
  return new GosumError('STORE_FAILED', `record ${id} is in the index, and is not kept`, { hint: '`gosumcheck audit` says what else is damaged' });
}

/** What was found of the only thing that was looked for. @throws why it cannot be had. */
function onlyOf([found = []]: readonly (LogRecord[] | GosumError)[]): LogRecord[] {
  if (isGosumError(found)) throw found;
  return found;
}

function orError<T>(work: () => T): T | GosumError {
  try {
    return work();
  } catch (error) {
    if (isGosumError(error)) return error;
    throw error;
  }
}
