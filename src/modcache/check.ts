/** The check of a module cache, or of what it has of some module versions: hashed while the log is asked, then judged. */

import { availableParallelism } from 'node:os';
import type { GoSumLine } from '../core/gosum.js';
import { formatModuleVersion } from '../core/module.js';
import type { Check } from '../verify/run.js';
import type { CacheCounts, Verdict } from '../verify/verdict.js';
import { HERE, hashModule, type HashedModule, type Hasher } from './hash.js';
import { judgeModule, type Reference } from './judge.js';
import { findInCache, isFromGoroot, listCache, type CachedModule } from './layout.js';

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
  /** By default this thread does it. */
  readonly hasher?: Hasher | undefined;
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
  const modules = all.filter(hasContent);
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
    wanted: modules.filter((cached, i) => references[i]?.pattern === undefined && !isFromGoroot(cached)),
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

/** Whether anything of the module version can be hashed, or contradict its name. */
function hasContent({ suffixes, folder }: CachedModule): boolean {
  return folder !== undefined || (['zip', 'ziphash', 'mod'] as const).some((suffix) => suffixes.has(suffix));
}

/** As many module versions at a time as there are cores: each has several files. */
async function hashAll(folder: string, modules: readonly CachedModule[], options: CacheOptions, done: () => void): Promise<HashedModule[]> {
  const { hasher = HERE, signal } = options;
  const hashed: HashedModule[] = [];
  const queue = modules.entries();
  const work = async (): Promise<void> => {
    for (const [i, cached] of queue) {
      signal?.throwIfAborted();
      hashed[i] = await hashModule(folder, cached, hasher, { signal });
      done();
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return hashed;
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
