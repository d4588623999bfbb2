/**
 * What a module cache has, by name (cmd/go's modfetch/cache.go; go.dev/ref/mod#module-cache).
 *
 * `cache/download/<escaped path>/@v/` has, for each escaped version, `.info`, `.mod`, `.zip`, `.ziphash`, `.lock`, and
 * `.partial` as long as a zip is being extracted; the extracted folder is `<escaped path>@<escaped version>`. Everything else,
 * such as `list`, `*.tmp`, the version control folders and the cached checksum database, holds nothing that is built.
 */

import { promises, type Dirent } from 'node:fs';
import path from 'node:path';
import { escapeModulePath, escapeVersion, unescapeModulePath, unescapeVersion, type ModuleVersion } from '../core/module.js';
import { compareVersions } from '../core/semver.js';
import { GosumError, isGosumError } from '../errors.js';

/** What the cache has of a module version. Paths are from the cache's folder on, with slashes. */
export interface CachedModule extends ModuleVersion {
  /** Path of the files, without their suffix: `cache/download/<escaped path>/@v/<escaped version>`. */
  readonly base: string;
  readonly suffixes: ReadonlySet<Suffix>;
  /** The extracted folder, where it is there and the go command would use it. */
  readonly folder: string | undefined;
  /** Whether there is a folder whose extraction was not finished. The go command makes it anew. */
  readonly unfinished: boolean;
}

/** The files that are looked at, or that say something about the others. */
export type Suffix = (typeof SUFFIXES)[number];
const SUFFIXES = ['info', 'mod', 'zip', 'ziphash', 'lock', 'partial'] as const;

const DOWNLOADS = 'cache/download';
/** Folders below `cache/download` at most, some hundred times what a large cache has: links can lead round in circles. */
const MAX_FOLDERS = 2_000_000;
/** The go command takes this one from a zip in GOROOT, where the log never saw it (cmd/go's internal/fips140). */
const FIPS140 = 'golang.org/fips140';

/** Whether the module version is unpacked from GOROOT, and so has neither a zip nor a hash in the cache. */
export function isFromGoroot({ module }: ModuleVersion): boolean {
  return module === FIPS140;
}

/** A path of the cache as one of this system. */
export function inCache(cache: string, relative: string): string {
  return path.join(cache, ...relative.split('/'));
}

/**
 * All module versions of the cache, sorted by path and version. Names that the go command would not read are passed over.
 *
 * @param cache its absolute folder.
 * @throws {GosumError} `FILE_FAILED` where a folder cannot be read; the signal's reason.
 */
export async function listCache(cache: string, signal?: AbortSignal): Promise<CachedModule[]> {
  const modules: CachedModule[] = [];
  let folders = 0;
  const walk = async (elements: readonly string[]): Promise<void> => {
    signal?.throwIfAborted();
    const relative = [DOWNLOADS, ...elements].join('/');
    for (const name of await subfolders(cache, relative)) {
      if (++folders > MAX_FOLDERS) throw new GosumError('FILE_FAILED', `${DOWNLOADS}: more than ${MAX_FOLDERS} folders`);
      if (name === '@v') modules.push(...(await versionsIn(cache, elements.join('/'))));
      else await walk([...elements, name]);
    }
  };
  await walk([]);
  return modules.sort(compareModules);
}

/** What the cache has of the given module versions, sorted; nothing of those that it lacks. @throws as `listCache`. */
export async function findInCache(cache: string, wanted: Iterable<ModuleVersion>, signal?: AbortSignal): Promise<CachedModule[]> {
  const versions = new Map<string, Set<string>>();
  for (const { module, version } of wanted) versions.set(module, (versions.get(module) ?? new Set()).add(version));
  const found: CachedModule[] = [];
  for (const [module, these] of versions) {
    signal?.throwIfAborted();
    const cached = await versionsIn(cache, escapeModulePath(module));
    found.push(...cached.filter(({ version }) => these.has(version)));
  }
  return found.sort(compareModules);
}

function compareModules(a: ModuleVersion, b: ModuleVersion): number {
  if (a.module !== b.module) return a.module < b.module ? -1 : 1;
  return compareVersions(a.version, b.version) || (a.version < b.version ? -1 : 1);
}

/** The module versions of one `@v` folder. */
async function versionsIn(cache: string, escapedPath: string): Promise<CachedModule[]> {
  const module = unescaped(() => unescapeModulePath(escapedPath));
  if (module === undefined) return [];
  const folder = `${DOWNLOADS}/${escapedPath}/@v`;
  const found = new Map<string, Set<Suffix>>();
  for (const { name } of await readFolder(cache, folder)) {
    const dot = name.lastIndexOf('.');
    const suffix = SUFFIXES.find((each) => each === name.slice(dot + 1));
    const version = unescaped(() => unescapeVersion(name.slice(0, dot)));
    if (suffix !== undefined && version !== undefined) found.set(version, (found.get(version) ?? new Set()).add(suffix));
  }
  return Promise.all(
    [...found].map(async ([version, suffixes]) => {
      const escaped = escapeVersion(version);
      const extracted = `${escapedPath}@${escaped}`;
      const there = await isFolder(inCache(cache, extracted));
      const unfinished = there && suffixes.has('partial');
      return { module, version, base: `${folder}/${escaped}`, suffixes, folder: there && !unfinished ? extracted : undefined, unfinished };
    }),
  );
}

/** Names of the folders in a folder, and of links to folders, as the go command would follow them. */
async function subfolders(cache: string, relative: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readFolder(cache, relative)) {
    if (entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(inCache(cache, `${relative}/${entry.name}`))))) {
      names.push(entry.name);
    }
  }
  return names;
}

/** Nothing where there is no such folder. */
async function readFolder(cache: string, relative: string): Promise<Dirent[]> {
  try {
    return await promises.readdir(inCache(cache, relative), { withFileTypes: true });
  } catch (cause) {
    if (isAbsent(cause)) return [];
    throw new GosumError('FILE_FAILED', `${relative}: ${(cause as Error).message}`, { cause });
  }
}

async function isFolder(absolute: string): Promise<boolean> {
  try {
    return (await promises.stat(absolute)).isDirectory();
  } catch {
    return false;
  }
}

/** Whether the system says that there is no such file, or that a part of its path is none. */
function isAbsent(cause: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP'].includes((cause as NodeJS.ErrnoException).code ?? '');
}

function unescaped(parse: () => string): string | undefined {
  try {
    return parse();
  } catch (error) {
    if (isGosumError(error)) return undefined;
    throw error;
  }
}
