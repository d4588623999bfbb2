/** The hashes of what a module cache has of one module version, each with what kept it from being had. */

import { promises } from 'node:fs';
import path from 'node:path';
import { h1OfGoMod } from '../core/h1.js';
import type { Hasher } from '../dirhash/pool.js';
import type { HashOptions, Violation } from '../dirhash/result.js';
import { GosumError, isGosumError } from '../errors.js';
import { inCache, type CachedModule, type Suffix } from './layout.js';
import { oddEntry } from './oddentry.js';
import { toolchainCopies } from './toolchain.js';

/** What of a module version is hashed; `ziphash` is the hash that the go command wrote down. */
export type Part = 'zip' | 'ziphash' | 'folder' | 'mod';

/** One file, or the extracted folder, of a module version. */
export interface CachedFile {
  readonly part: Part;
  /** Its path from the cache's folder on, with slashes. */
  readonly file: string;
  /** Empty where there is none; `failure` says why. */
  readonly hash: string;
  readonly failure?: GosumError | undefined;
  /** Of a folder that has no hash: what it has that no extracted zip has. */
  readonly odd?: string | undefined;
  /** Of a zip: the rules it breaks. */
  readonly violations?: readonly Violation[] | undefined;
}

/** A module version of the cache, hashed. */
export interface HashedModule {
  readonly cached: CachedModule;
  /** Zip, its hash as written down, folder, go.mod file: those that there are. */
  readonly files: readonly CachedFile[];
  /** Why the go.mod file is not that of the zip or folder, in a few words; `undefined` where it is, or nothing can be said. */
  readonly otherGoMod: string | undefined;
  /** The version that the `.info` file says, where it is another. */
  readonly otherVersion: string | undefined;
}

/** The most bytes of the small files; of a go.mod as the go command has it (x/mod's zip.MaxGoMod). */
const LIMITS = { ziphash: 1024, info: 1024 * 1024, mod: 16 * 1024 * 1024 } as const;
/** Files that begin so are from before the first release, and the go command takes them for absent (modfetch/cache.go). */
const OLD_VGO = '//vgo 0.0.';

/**
 * Hashes what the cache has of a module version. What fails for one file is in the result.
 *
 * @throws the signal's reason.
 */
export async function hashModule(cache: string, cached: CachedModule, hasher: Hasher, options: HashOptions): Promise<HashedModule> {
  const { module, version, base, suffixes, folder } = cached;
  const id = { module, version };
  const has = (suffix: Suffix): boolean => suffixes.has(suffix);
  const fileOf = (suffix: Suffix): string => `${base}.${suffix}`;
  const part = async (part: Part, file: string, make: (absolute: string) => Promise<Partial<CachedFile>>): Promise<CachedFile> => {
    const absolute = inCache(cache, file);
    try {
      return { part, file, hash: '', ...(await make(absolute)) };
    } catch (error) {
      options.signal?.throwIfAborted();
      const odd = part === 'folder' ? await oddEntry(absolute) : undefined;
      return { part, file, hash: '', odd, failure: failureOf(absolute, error) };
    }
  };

  let goMod: Uint8Array | undefined;
  let inTree: string | undefined;
  const [zip, folderHash, ziphash, mod] = await Promise.all([
    has('zip')
      ? part('zip', fileOf('zip'), async (absolute) => {
          const { h1, violations, goMod } = await hasher.zip(absolute, { ...options, module: id });
          inTree = goMod ?? '';
          return { hash: h1, violations };
        })
      : undefined,
    folder === undefined
      ? undefined
      : part('folder', folder, async (absolute) => {
          const without = await toolchainCopies(absolute, id);
          return { hash: (await hasher.folder(absolute, id, { ...options, without })).h1 };
        }),
    has('ziphash')
      ? part('ziphash', fileOf('ziphash'), async (absolute) => ({ hash: trim(await readSmall(absolute, LIMITS.ziphash)) }))
      : undefined,
    has('mod')
      ? part('mod', fileOf('mod'), async (absolute) => {
          goMod = await readSmall(absolute, LIMITS.mod);
          return { hash: h1OfGoMod(goMod) };
        })
      : undefined,
  ]);
  if (inTree === undefined && folder !== undefined) inTree = await goModOfFolder(inCache(cache, folder));
  const ignored = goMod !== undefined && new TextDecoder().decode(goMod.subarray(0, OLD_VGO.length)) === OLD_VGO;
  return {
    cached,
    files: [zip, ziphash, folderHash, ignored ? undefined : mod].filter((file) => file !== undefined),
    otherGoMod: ignored || goMod === undefined || inTree === undefined ? undefined : goModFlaw(module, goMod, inTree),
    otherVersion: has('info') ? await otherVersion(inCache(cache, fileOf('info')), version) : undefined,
  };
}

/**
 * What is wrong with a go.mod file beside a zip or folder, by the protocol that both are had by: it is the tree's own
 * go.mod, or a module line alone where the tree has none (go.dev/ref/mod#goproxy-protocol).
 *
 * @param inTree the h1 of the tree's go.mod; empty where it has none.
 */
function goModFlaw(module: string, goMod: Uint8Array, inTree: string): string | undefined {
  if (inTree !== '') return h1OfGoMod(goMod) === inTree ? undefined : 'the module has another go.mod inside';
  const lines = new TextDecoder().decode(goMod).split('\n');
  const statement = lines.map((line) => line.replace(/\/\/.*/, '').trim()).filter((line) => line !== '').join('\n');
  const plain = [module, `"${module}"`, `\`${module}\``].some((name) => statement.replace(/\s+/, ' ') === `module ${name}`);
  return plain ? undefined : 'the module has no go.mod inside, so this should be a module line alone';
}

/** The h1 of a folder's go.mod; empty where it has none, `undefined` where that cannot be said. */
async function goModOfFolder(absolute: string): Promise<string | undefined> {
  try {
    return h1OfGoMod(await readSmall(path.join(absolute, 'go.mod'), LIMITS.mod));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? '' : undefined;
  }
}

/** The go command takes the version of this file for that of what was asked for; a file that is not of its form is passed over. */
async function otherVersion(file: string, version: string): Promise<string | undefined> {
  try {
    const info: unknown = JSON.parse(new TextDecoder().decode(await readSmall(file, LIMITS.info)));
    const said = (info as { Version?: unknown } | null)?.Version;
    return typeof said === 'string' && said !== version ? said : undefined;
  } catch {
    return undefined;
  }
}

/** @throws {GosumError} `FILE_FAILED` where it is no plain file or has more bytes than `limit`; the system's error. */
async function readSmall(file: string, limit: number): Promise<Uint8Array> {
  const stat = await promises.stat(file);
  if (!stat.isFile()) throw new GosumError('FILE_FAILED', 'it is no plain file');
  if (stat.size > limit) throw new GosumError('FILE_FAILED', `${stat.size} bytes, at most ${limit}`);
  return new Uint8Array(await promises.readFile(file));
}

/** As the go command reads it: bytes that are no text stay visible as such. */
function trim(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).trim();
}

/** Our own errors, and the system's as one of ours; the verdict names the path. @throws whatever else it is: a mistake of ours. */
function failureOf(absolute: string, error: unknown): GosumError {
  const { code, message } = error as NodeJS.ErrnoException;
  const said = message.replaceAll(`${absolute}: `, '').replaceAll(absolute + path.sep, '');
  if (isGosumError(error)) return new GosumError(error.code, said, { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) });
  if (code === undefined) throw error;
  return new GosumError('FILE_FAILED', said, { cause: error });
}
