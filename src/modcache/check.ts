/** The check of a module cache, or of what it has of some module versions: hashed while the log is asked, then judged. */

import { promises } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { GoSumLine } from '../core/gosum.js';
import { formatModuleVersion } from '../core/module.js';
import { HERE, openHashPool, type Hasher } from '../dirhash/pool.js';
import type { Check } from '../verify/run.js';
import type { CacheCounts, Verdict } from '../verify/verdict.js';
import { hashModule, type HashedModule } from './hash.js';
import { judgeModule, type Reference } from './judge.js';
import { findInCache, inCache, isFromGoroot, listCache, type CachedModule } from './layout.js';

/** Told how far the hashing is. */
export interface HashProgress {
  /** A new phase of `total` steps begins. */
  phase(name: string, total: number): void;
  /** Steps are done. */
  tick(steps: number): void;
}

/** Options of the check of a cache. */
export interface CacheOptions {
  /** The pattern (of GONOSUMDB or GOPRIVATE) by which a module is not asked about; its name never leaves the machine. */
  readonly skippedBy?: ((module: string) => string | undefined) | undefined;
  /** Look only at what the cache has of the module versions of these lines; where the log says nothing they are held against the lines. */
  readonly lines?: readonly GoSumLine[] | undefined;
  /** Worker threads for large caches; 0 for none, by default as many as there are cores, and 8 at most: each takes some 45 MB. */
  readonly threads?: number | undefined;
  /** The phase begins when the log was asked: one line shows one thing at a time. */
  readonly progress?: HashProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A check, and what it looks at. */
export interface CacheCheck extends Check {
  readonly counts: CacheCounts;
}

/**
 * Lists the cache and begins to hash what it has: every zip, `.ziphash`, go.mod file and extracted folder.
 *
 * @param folder the cache's absolute folder: GOMODCACHE. One that does not exist has nothing.
 * @throws {GosumError} `FILE_FAILED` where a folder of the cache cannot be read; the signal's reason. What fails for one file
 * is its verdict's business.
 */
export async function checkOfCache(folder: string, options: CacheOptions = {}): Promise<CacheCheck> {
  const { skippedBy = () => undefined, lines, progress, signal } = options;
  const all = lines === undefined ? await listCache(folder, signal) : await findInCache(folder, lines.filter(({ dropped }) => !dropped), signal);
  const modules = all.filter((cached) => hasContent(cached) || cached.suffixes.has('info'));
  const references = referencesOf(modules, skippedBy, lines ?? []);
  let steps = 0;
  let shown = false;
  const hashing = hashAll(folder, modules, options, () => {
    steps++;
    if (shown) progress?.tick(1);
  });
  // A run that fails meanwhile never comes to wait for it.
  hashing.catch(() => undefined);
  return {
    counts: countsOf(folder, all),
    wanted: modules.filter((cached, i) => hasContent(cached) && references[i]?.pattern === undefined && !isFromGoroot(cached)),
    async judge(lookups) {
      progress?.phase('hashing', modules.length);
      progress?.tick(steps);
      shown = true;
      const hashed = await hashing;
      return hashed.flatMap((each, i): Verdict[] => {
        const reference = references[i];
        return reference === undefined ? [] : judgeModule(each, reference, lookups);
      });
    },
  };
}

/** Whether anything of the module version can be hashed. */
function hasContent({ suffixes, folder }: CachedModule): boolean {
  return folder !== undefined || (['zip', 'ziphash', 'mod'] as const).some((suffix) => suffixes.has(suffix));
}

/** Several module versions at a time, in other threads where these pay. */
async function hashAll(folder: string, modules: readonly CachedModule[], options: CacheOptions, done: () => void): Promise<HashedModule[]> {
  const { threads = Math.min(availableParallelism(), MAX_THREADS), signal } = options;
  const hashed: HashedModule[] = [];
  const queue = modules.entries();
  const work = async (hasher: Hasher): Promise<void> => {
    for (const [i, cached] of queue) {
      signal?.throwIfAborted();
      hashed[i] = await hashModule(folder, cached, hasher, { signal });
      done();
    }
  };
  const pool = threads > 0 && (await isLarge(folder, modules)) ? openHashPool(threads) : undefined;
  try {
    const hasher = pool ?? HERE;
    // One more than there are threads: none waits while the small files of a module version are read.
    await Promise.all(Array.from({ length: threads + 1 }, () => work(hasher)));
    return hashed;
  } finally {
    await pool?.close();
  }
}

/** Threads where nobody says how many. */
const MAX_THREADS = 8;
/** Bytes of zips from which threads are worth their start. */
const LARGE = 4 * 2 ** 20;
/** What a folder without a zip is taken for. */
const FOLDER_BYTES = 2 ** 19;

async function isLarge(folder: string, modules: readonly CachedModule[]): Promise<boolean> {
  let bytes = 0;
  for (const { base, suffixes, folder: extracted } of modules) {
    if (suffixes.has('zip')) bytes += await sizeOf(inCache(folder, `${base}.zip`));
    else if (extracted !== undefined) bytes += FOLDER_BYTES;
    if (bytes >= LARGE) return true;
  }
  return false;
}

/** 0 where it cannot be said: whoever opens the file says why. */
async function sizeOf(file: string): Promise<number> {
  try {
    return (await promises.stat(file)).size;
  } catch {
    return 0;
  }
}

function referencesOf(
  modules: readonly CachedModule[],
  skippedBy: (module: string) => string | undefined,
  lines: readonly GoSumLine[],
): Reference[] {
  const sums = new Map<string, Record<Verdict['kind'], Set<string>>>();
  for (const { module, version, kind, hash, dropped } of lines) {
    if (dropped || !hash.startsWith('h1:')) continue;
    const name = formatModuleVersion(module, version);
    const known = sums.get(name) ?? { module: new Set(), 'go.mod': new Set() };
    known[kind].add(hash);
    sums.set(name, known);
  }
  const none = { module: new Set<string>(), 'go.mod': new Set<string>() };
  return modules.map(({ module, version }) => ({
    pattern: skippedBy(module),
    sums: sums.get(formatModuleVersion(module, version)) ?? none,
  }));
}

function countsOf(folder: string, all: readonly CachedModule[]): CacheCounts {
  const count = (is: (cached: CachedModule) => boolean): number => all.filter(is).length;
  const zip = ({ suffixes }: CachedModule): boolean => suffixes.has('zip');
  const tree = (cached: CachedModule): boolean => cached.folder !== undefined;
  const mod = ({ suffixes }: CachedModule): boolean => suffixes.has('mod');
  return {
    folder,
    modules: count(hasContent),
    zips: count(zip),
    folders: count(tree),
    goMods: count(mod),
    zipOnly: count((cached) => zip(cached) && !tree(cached)),
    folderOnly: count((cached) => tree(cached) && !zip(cached)),
    goModOnly: count((cached) => mod(cached) && !zip(cached) && !tree(cached)),
    unfinished: count(({ unfinished }) => unfinished),
  };
}
