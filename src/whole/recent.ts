/**
 * The newest records of module paths, for feeds: by the index, with bounded work. Of a few modules all records are found;
 * where there are more modules than that, the newest records of the log are looked through, where theirs most likely are.
 */

import { setImmediate as turn } from 'node:timers/promises';
import type { LogState, RecentRecord, RecentRecords, Store } from '../contract.js';
import { isAmong, type ModulePaths } from '../core/modulepaths.js';
import { findModuleInPage } from './entry.js';
import { KeyHash } from './key.js';
import { logOf } from './merge.js';
import { WholeLog } from './reader.js';
import { scanRecords, type NamedLogRecord } from './scan.js';
import { SeenTimes } from './seentimes.js';
import { namesOf } from './usual.js';

/** Modules whose records are found by the index: a page of some 10 KB is read for each. */
const MOST_MODULES = 256;
/** The newest records that are looked through otherwise: some ten milliseconds, and half a day of the public log. */
const NEWEST = 16_384;
/** Of these, so many at a time; one that is scanned at once. */
const PART = 1024;
/** Records or pages that are read before others get a turn: each takes some 50 µs. */
const AT_ONCE = 32;

/** Finds the newest records of one log. */
export class RecentFinder {
  readonly #store: Store;
  readonly #key: string;
  readonly #whole: WholeLog;
  readonly #seen: SeenTimes;
  readonly #isPrivate: (module: string) => boolean;

  /**
   * @param store that has room for a whole log.
   * @param key canonical verifier key.
   * @param isPrivate whether a module's name goes nowhere.
   */
  constructor(store: Store, key: string, isPrivate: (module: string) => boolean) {
    this.#store = store;
    this.#key = key;
    this.#whole = new WholeLog(store, key);
    this.#seen = new SeenTimes(logOf(store), key);
    this.#isPrivate = isPrivate;
  }

  /** At most `limit` newest records of the paths. Private modules count for none. @throws {GosumError} `STORE_FAILED`. */
  async find(state: LogState, paths: ModulePaths, limit: number): Promise<RecentRecords> {
    const modules = await this.#modules(paths);
    const byIndex = modules.length <= MOST_MODULES;
    const found = byIndex ? await this.#newestOf(state, new Set(modules), limit) : await this.#amongNewest(state, paths, limit);
    const records: RecentRecord[] = [];
    for (const record of found) {
      const { id, module, version } = record;
      const repeats = (await this.#whole.find(module, version)).map((other) => other.id).filter((other) => other !== id);
      records.push({ ...record, seenAt: await this.#seen.of(id), repeats });
    }
    const among = byIndex || found.length === limit ? undefined : Math.min(NEWEST, state.indexed);
    return { records, among, begun: await this.#seen.of(0) };
  }

  /** Modules of the paths that may be named; more than are found by the index, where there are more. */
  async #modules({ path, below }: ModulePaths): Promise<string[]> {
    const log = logOf(this.#store);
    const own = path === '' ? [] : (await log.modules(this.#key, path, '', 1)).filter((module) => module === path);
    const others = below ? await log.modules(this.#key, path === '' ? '' : `${path}/`, '', MOST_MODULES + 1) : [];
    const all = [...own, ...others];
    return all.length > MOST_MODULES ? all : all.filter((module) => !this.#isPrivate(module));
  }

  async #newestOf(state: LogState, modules: ReadonlySet<string>, limit: number): Promise<NamedLogRecord[]> {
    const ids = await this.#idsOf(state, modules);
    const found: NamedLogRecord[] = [];
    for (const [i, id] of ids.entries()) {
      if (found.length >= limit) break;
      if (i % AT_ONCE === AT_ONCE - 1) await turn();
      const record = await this.#whole.record(id);
      if (record === undefined) continue;
      for (const name of namesOf(record.text)) if (modules.has(name.module)) found.push({ ...record, ...name });
    }
    return found.slice(0, limit);
  }

  /** The numbers that the index has for modules, the greatest first. Records of others may be among them. */
  async #idsOf({ salt }: LogState, modules: Iterable<string>): Promise<number[]> {
    const hash = new KeyHash(salt);
    const ids = new Set<number>();
    let read = 0;
    for (const module of modules) {
      const key = hash.moduleKey(module);
      const [page] = await logOf(this.#store).pages(this.#key, [key.page]);
      for (const id of page === undefined ? [] : findModuleInPage(page.entries, key)) ids.add(id);
      if (++read % AT_ONCE === 0) await turn();
    }
    return [...ids].sort((a, b) => b - a);
  }

  /** Backwards, part by part: most often the first part has enough of them. */
  async #amongNewest({ indexed }: LogState, paths: ModulePaths, limit: number): Promise<NamedLogRecord[]> {
    const found: NamedLogRecord[] = [];
    const wanted = (module: string): boolean => isAmong(module, paths) && !this.#isPrivate(module);
    const end = Math.max(0, indexed - NEWEST);
    for (let to = indexed; to > end && found.length < limit; to -= PART) {
      const part = scanRecords(logOf(this.#store), this.#key, { from: Math.max(end, to - PART), to, wanted });
      for await (const { records } of part) found.push(...records.toReversed());
      await turn();
    }
    return found.slice(0, limit);
  }
}
