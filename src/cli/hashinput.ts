/** What `hash` is asked to hash: module zips, go.mod files, folders, a zip on standard input. */

import { closeSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import type { ModuleVersion } from '../core/module.js';
import { hashGoModFile } from '../dirhash/folder.js';
import { hashZipStream } from '../dirhash/hashzip.js';
import type { Hasher } from '../dirhash/pool.js';
import type { HashOptions, Violation, ZipHash } from '../dirhash/result.js';
import { ZipError } from '../dirhash/ziperror.js';
import { GosumError } from '../errors.js';
import { fileFailure } from './files.js';
import type { Host } from './host.js';

/** What a path is. */
export type InputKind = 'zip' | 'folder' | 'go.mod';

/** A path that can be hashed. */
export interface HashInput {
  /** As the person named it; `-` for standard input. */
  readonly name: string;
  readonly kind: InputKind;
  /** Bytes on the disk; `undefined` where nobody knows. */
  readonly size: number | undefined;
}

/** A path, hashed. */
export interface Hashed {
  readonly h1: string;
  /** `undefined` of a go.mod, and of a zip without entries. */
  readonly module: ModuleVersion | undefined;
  /** Files in it, and the bytes of their contents; `undefined` of a go.mod. */
  readonly files?: number;
  readonly bytes?: number;
  /** Module zip rules that are broken. */
  readonly violations: readonly Violation[];
}

/**
 * Finds out what a path is: a folder; by its name a zip or a go.mod (`go.mod`, or `v1.2.3.mod` as in a module cache); else by its first
 * bytes a zip.
 *
 * @throws {GosumError} `FILE_FAILED`, and `CONFIG_INVALID` for a folder where no module is given.
 */
export function inputOf(host: Host, name: string, module: ModuleVersion | undefined): HashInput {
  if (name === '-') return { name, kind: 'zip', size: undefined };
  const file = pathOf(host, name);
  const stat = statOf(file, name);
  if (stat.isDirectory()) {
    if (module !== undefined) return { name, kind: 'folder', size: undefined };
    throw new GosumError('CONFIG_INVALID', `${name}: it is a folder, and its names are hashed with the module version in front`, {
      hint: 'say which it is: --module example.com/module@v1.2.3',
    });
  }
  if (!stat.isFile()) {
    throw new GosumError('FILE_FAILED', `${name}: it is no plain file`, { hint: 'give a zip to standard input: gosumcheck hash - < FILE' });
  }
  const base = path.basename(name);
  if (base.endsWith('.mod')) return { name, kind: 'go.mod', size: stat.size };
  if (!base.toLowerCase().endsWith('.zip') && !beginsAsZip(file, name)) {
    throw new GosumError('FILE_FAILED', `${name}: it is neither a zip nor a go.mod file`, {
      hint: 'name a module zip, a file go.mod or VERSION.mod, or the folder of a module with --module',
    });
  }
  return { name, kind: 'zip', size: stat.size };
}

/**
 * Hashes it.
 *
 * @param module of folders; where it is given, that of zips as well.
 * @throws {GosumError} what hashing throws; `CONFIG_INVALID` for a zip of another module.
 */
export async function hashInput(
  host: Host,
  { name, kind }: HashInput,
  module: ModuleVersion | undefined,
  hasher: Hasher,
  options: HashOptions,
): Promise<Hashed> {
  const file = pathOf(host, name);
  if (kind === 'go.mod') return { h1: await hashGoModFile(file, options), module: undefined, violations: [] };
  if (kind === 'folder') {
    if (module === undefined) throw new Error('a folder without a module version');
    return { ...(await hasher.folder(file, module, options)), module, violations: [] };
  }
  const hashed = await (name === '-' ? hashStdin(host, options) : hasher.zip(file, options));
  if (module !== undefined && hashed.files > 0) checkModule(name, hashed.module, module);
  return hashed;
}

/** What is wrong with the zip is not said of the temporary file that nobody knows of. */
async function hashStdin({ stdin }: Host, options: HashOptions): Promise<ZipHash> {
  try {
    return await hashZipStream(stdin, options);
  } catch (error) {
    if (!(error instanceof ZipError) || !error.message.startsWith(error.zip)) throw error;
    const { code, zip, message, hint } = error;
    throw new GosumError(code, `standard input${message.slice(zip.length)}`, { cause: error, ...(hint === undefined ? {} : { hint }) });
  }
}

/** The path of a name: the name itself where that leads to the same, so that errors name it. */
export function pathOf({ cwd }: Host, name: string): string {
  return cwd === process.cwd() ? name : path.resolve(cwd, name);
}

function statOf(file: string, name: string): Stats {
  try {
    return statSync(file);
  } catch (cause) {
    throw fileFailure(name, cause);
  }
}

/** Whether the first two bytes are those of every part of a zip. */
function beginsAsZip(file: string, name: string): boolean {
  const bytes = Buffer.alloc(2);
  try {
    const descriptor = openSync(file, 'r');
    try {
      readSync(descriptor, bytes);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw fileFailure(name, cause);
  }
  return bytes.toString('latin1') === 'PK';
}

function checkModule(name: string, found: ModuleVersion | undefined, wanted: ModuleVersion): void {
  if (found?.module === wanted.module && found.version === wanted.version) return;
  const is = found === undefined ? 'no module version that its first name says' : `${found.module}@${found.version}`;
  throw new GosumError('CONFIG_INVALID', `${name}: it is the zip of ${is}, not of ${wanted.module}@${wanted.version}`, {
    hint: 'give the --module whose zip it should be, or look where the zip comes from',
  });
}
