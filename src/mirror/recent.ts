/**
 * The newest records of module paths, for feeds: by the index, with bounded work. Of a few modules all records are found;
 * where there are more modules than that, the newest records of the log are looked through, where theirs most likely are.
 */

import { setImmediate as turn } from 'node:timers/promises';
import type { LogState, LogStore, RecentRecord, RecentRecords } from '../contract.js';
import { formatModulePaths, isAmong, type ModulePaths } from '../core/modulepaths.js';
import { TILE_WIDTH } from '../core/tile.js';
import { GosumError } from '../errors.js';
import { findInPage, findModuleInPage } from '../whole/entry.js';
import { KeyHash, type IndexKey } from '../whole/key.js';
import { packedNames, unpackRecord } from '../whole/pack.js';
import { scanRecords, type NamedLogRecord } from './scan.js';
import type { SeenTimes } from './seentimes.js';

/** Modules whose records are found by the index: a page of some 10 KB is read for each. */
const MOST_MODULES = 256;
/** The newest records that are looked through otherwise: some milliseconds, and half a day of the public log. */
const NEWEST = 16_384;
/** Records that are read before others get a turn: each takes some 50 µs. */
const AT_ONCE = 32;

/** What recent records are found with. */
export interface RecentSource {
  readonly log: LogStore;
  readonly key: string;
  readonly state: LogState;
  readonly seen: SeenTimes;
  /** Whether a module's name goes nowhere. */
  readonly isPrivate: (module: string) => boolean;
}

/** Finds at most `limit` newest records of the paths, newest first. Private modules count for none. */
export async function findRecent(source: RecentSource, paths: ModulePaths, limit: number): Promise<RecentRecords> {
  const { seen } = source;
  const modules = (await modulesOf(source, paths)).filter((module) => !source.isPrivate(module));
  const byIndex = modules.length <= MOST_MODULES;
  const found = byIndex ? await newestOf(source, new Set(modules), limit) : await amongNewest(source, paths, limit);
  const records: RecentRecord[] = [];
  for (const record of found) {
    const repeats = (await idsOf(source, [record.module], (hash, page) => findInPage(page, hash.key(record.module, record.version))))
      .filter((id) => id !== record.id);
    const again: number[] = [];
    for (const id of repeats.sort((a, b) => a - b)) {
      if ((await readRecord(source, id)).some(({ module, version }) => module === record.module && version === record.version)) again.push(id);
    }
    records.push({ ...record, seenAt: await seen.of(record.id), repeats: again });
  }
  return { records, among: byIndex || found.length === limit ? undefined : Math.min(NEWEST, source.state.indexed), begun: await seen.of(0) };
}

/** The error where nothing may be said of the paths. */
export function noRecent(paths: ModulePaths, why: string): GosumError {
  return new GosumError('NOT_FOUND', `feeds/${formatModulePaths(paths)}.atom: ${why}`);
}

/** Known modules of the paths; one more than are found by the index, where there are more. */
async function modulesOf({ log, key }: RecentSource, { path, below }: ModulePaths): Promise<string[]> {
  const own = path === '' ? [] : (await log.modules(key, path, '', 1)).filter((module) => module === path);
  if (!below) return own;
  return [...own, ...(await log.modules(key, path === '' ? '' : `${path}/`, '', MOST_MODULES + 1 - own.length))];
}

/** The newest records of some modules. */
async function newestOf(source: RecentSource, modules: ReadonlySet<string>, limit: number): Promise<NamedLogRecord[]> {
  const ids = await idsOf(source, modules, (hash, page, module) => findModuleInPage(page, hash.moduleKey(module)));
  const found: NamedLogRecord[] = [];
  let read = 0;
  for (const id of ids.sort((a, b) => b - a)) {
    if (found.length >= limit) break;
    if (++read % AT_ONCE === 0) await turn();
    for (const record of await readRecord(source, id)) if (modules.has(record.module)) found.push(record);
  }
  return found.slice(0, limit);
}

/** Numbers of records that the index has for modules, each once; others may be among them. */
async function idsOf(
  { log, key, state }: RecentSource,
  modules: Iterable<string>,
  findIn: (hash: KeyHash, page: Uint8Array, module: string) => number[],
): Promise<number[]> {
  const hash = new KeyHash(state.salt);
  const ids = new Set<number>();
  for (const module of modules) {
    const { page }: IndexKey = hash.moduleKey(module);
    const [kept] = await log.pages(key, [page]);
    if (kept !== undefined) for (const id of findIn(hash, kept.entries, module)) ids.add(id);
    if (ids.size % AT_ONCE === 0) await turn();
  }
  return [...ids].filter((id) => id < state.indexed);
}

/** A record with each of its names; none where it is not kept as it was written. */
async function readRecord({ log, key }: RecentSource, id: number): Promise<NamedLogRecord[]> {
  const [pack] = await log.packs(key, [Math.floor(id / TILE_WIDTH)]);
  const place = id % TILE_WIDTH;
  if (pack === undefined || place >= pack.width) return [];
  const text = unpackRecord(pack.bytes, place);
  return packedNames(pack.bytes).flatMap(({ i, module, version }) => (i === place ? [{ id, module, version, text }] : []));
}

async function amongNewest({ log, key, state, isPrivate }: RecentSource, paths: ModulePaths, limit: number): Promise<NamedLogRecord[]> {
  const newest: NamedLogRecord[] = [];
  const wanted = (module: string): boolean => isAmong(module, paths) && !isPrivate(module);
  const from = Math.max(0, state.indexed - NEWEST);
  for await (const { records } of scanRecords(log, key, { from, to: state.indexed, wanted })) newest.push(...records);
  return newest.reverse().slice(0, limit);
}
