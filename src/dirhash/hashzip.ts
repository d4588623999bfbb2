/**
 * h1 of module zips, equal to Go's dirhash.HashZip, and beside it the module zip rules that are broken.
 *
 * Stricter than Go, on purpose. Go hashes these; here they are `ZIP_MALFORMED`, as another reader would see another zip:
 *
 * - bytes that belong to nothing: before the first entry, between entries, around the central directory, behind the end
 *   record or within an entry's data behind the end of its deflate stream; entries that overlap;
 * - a local header or a data descriptor that disagrees with the central directory (of the one, Go reads only where the data
 *   begins, of the other only the CRC), and an extra field that gives another name;
 * - a CRC of zero for a content that has another (Go takes it as not set);
 * - a wrong CRC, size or deflate stream where Go does not look: in folders, and in all but the last entry of one name;
 * - a number of entries that is right only modulo 65,536, end records that disagree, several disks;
 * - a zip64 field twice, or with numbers that the header does not call for;
 * - flags that say that an entry is encrypted or patched; folders by an unknown method;
 * - a deflate block whose code lengths have a code of one symbol, which zlib refuses.
 *
 * Go has no limits on entries, names and bytes of contents; ours, in zipdirectory.ts, are `ZIP_LIMIT` and far above the rules.
 * As Go does, we take folders (as empty files), entries of any mode (a symbolic link's too), duplicates (all hashed with the
 * last one's content) and any name without a newline. Of names the rules speak.
 */

import type { Readable } from 'node:stream';
import { HASH_SIZE, hashAt, type Hash } from '../core/hash.js';
import { h1OfByteNames } from '../core/h1.js';
import { formatModuleVersion, type ModuleVersion } from '../core/module.js';
import { GosumError } from '../errors.js';
import type { HashOptions, ZipHash, ZipOptions } from './result.js';
import { checkZipRules, moduleOfName, type ZipRuleEntry } from './rules.js';
import { hashContents, newShare, type Share } from './zipcontent.js';
import { readZipDirectory, type ZipDirectory } from './zipdirectory.js';
import type { ZipEntry } from './zipentry.js';
import { openZipFile, zipFileOf, type ZipFile } from './zipfile.js';
import { decodeName } from './zipname.js';
import { withStoredStream } from './zipstream.js';

/**
 * The h1 of a zip, and the rules of module zips that it breaks.
 *
 * @param zip a file's path, or all bytes of a zip. Nothing in it is trusted; a process stays below
 *   120 MB, and below 150 MB with 70,000 entries.
 * @throws {ZipError} `ZIP_MALFORMED` where Go gives no h1, or the zip can be read in two ways (see above); `ZIP_LIMIT`.
 * @throws {GosumError} `FILE_FAILED` with the path; `MODULE_PATH_MALFORMED`, `VERSION_MALFORMED` for the given module;
 *   the signal's reason.
 */
export async function hashZip(zip: string | Uint8Array, options: ZipOptions = {}): Promise<ZipHash> {
  options.signal?.throwIfAborted();
  const file = typeof zip === 'string' ? openZipFile(zip) : zipFileOf(zip);
  try {
    return await hashOpenZip(file, options);
  } finally {
    file.close();
  }
}

/**
 * As `hashZip`, of a stream of bytes: it goes to a temporary file first, as the directory of a zip is at its end. The file
 * is removed after, whatever happens.
 *
 * @throws {ZipError} as `hashZip`; `ZIP_LIMIT` as soon as more bytes come than a zip may have.
 * @throws {GosumError} as `hashZip`; `FILE_FAILED` where the temporary file cannot be written. The stream's own error.
 */
export async function hashZipStream(stream: Readable, options: ZipOptions = {}): Promise<ZipHash> {
  return withStoredStream(stream, options.signal, (path) => hashZip(path, options));
}

/**
 * As `hashZip`, together with others.
 *
 * @param help has them do `helpHashZip` with the same path and the share; settles when they have ended.
 */
export async function hashZipTogether(
  path: string,
  options: ZipOptions,
  help: (share: Share, signal: AbortSignal) => Promise<unknown>,
): Promise<ZipHash> {
  const failed = new AbortController();
  const signal = options.signal === undefined ? failed.signal : AbortSignal.any([options.signal, failed.signal]);
  const file = openZipFile(path);
  try {
    const directory = readZipDirectory(file);
    const share = newShare(directory.entries.length);
    const all = [hashContents(file, directory, { ...options, signal }, share), help(share, signal)];
    await Promise.all(all).catch(async (error: unknown) => {
      failed.abort(error);
      await Promise.allSettled(all);
      throw error;
    });
    return hashOf(file, directory, share.hashes, options);
  } finally {
    file.close();
  }
}

/** Takes part in hashing a zip. @throws what `hashZip` throws. */
export async function helpHashZip(path: string, share: Share, options: HashOptions): Promise<void> {
  const file = openZipFile(path);
  try {
    const directory = readZipDirectory(file);
    if (share.hashes.length !== HASH_SIZE * directory.entries.length) throw new GosumError('FILE_FAILED', `${path}: it was changed while it was read`);
    await hashContents(file, directory, options, share);
  } finally {
    file.close();
  }
}

async function hashOpenZip(file: ZipFile, options: ZipOptions): Promise<ZipHash> {
  const directory = readZipDirectory(file);
  return hashOf(file, directory, await hashContents(file, directory, options), options);
}

function hashOf(file: ZipFile, { entries }: ZipDirectory, hashes: Uint8Array, options: ZipOptions): ZipHash {
  const module = options.module ?? moduleOfName(decodeName(entries[0]?.name ?? '').name);
  // Go keeps one content a name: the last
  const contents = new Map<string, Hash>();
  for (const { name, index } of entries) contents.set(name, hashAt(hashes, index));
  const files = entries.map(({ name, index }) => ({ name, sha256: contents.get(name) ?? hashAt(hashes, index) }));
  return {
    h1: h1OfByteNames(files),
    files: entries.length,
    bytes: entries.reduce((sum, { size }) => sum + size, 0),
    module,
    goMod: goModOf(contents, module),
    violations: checkZipRules(ruleEntries(entries), file.size, module),
  };
}

function* ruleEntries(entries: readonly ZipEntry[]): Generator<ZipRuleEntry> {
  for (const { name, size } of entries) yield { ...decodeName(name), size };
}

/** The h1 of the root's go.mod. */
function goModOf(contents: ReadonlyMap<string, Hash>, module: ModuleVersion | undefined): string | undefined {
  if (module === undefined) return undefined;
  const sha256 = contents.get(`${formatModuleVersion(module.module, module.version)}/go.mod`);
  return sha256 === undefined ? undefined : h1OfByteNames([{ name: 'go.mod', sha256 }]);
}
