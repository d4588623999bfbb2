/**
 * h1 of an extracted module's folder (x/mod's dirhash.HashDir), and of a go.mod file.
 *
 * As in Go: every file counts, whatever its name or mode; folders count for nothing, so empty ones do not either; a link is a
 * file with the content that it leads to. A link to a folder is an error, and so is a folder that is itself a link.
 *
 * Stricter than Go, on purpose: what is no plain file behind all links (a pipe, a device) is an error and not waited for; and so is a
 * folder that is changed while it is hashed.
 */

import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { sha256, sha256Digest } from '#crypto';
import type { Hash } from '../core/hash.js';
import { fileFailure } from '../core/fileerror.js';
import { h1OfFiles, type HashedFile } from '../core/h1.js';
import { checkModulePath, checkVersion, formatModuleVersion, type ModuleVersion } from '../core/module.js';
import { concatBytes, encodeUtf8 } from '../core/text.js';
import { GosumError } from '../errors.js';
import type { FolderOptions, HashOptions, TreeHash } from './result.js';

/** Bytes that are read at once. */
const PIECE = 2 ** 18;
/** Milliseconds of work between two turns of the event loop. */
const TURN_MS = 10;

/**
 * The h1 of a folder that has the content of a module version, as the go command extracts it.
 *
 * @param folder its path. Nothing in it is trusted.
 * @throws {GosumError} `FILE_FAILED` with the path: a file or folder cannot be read, is of no kind that has a content, or was
 *   changed meanwhile; `H1_MALFORMED` for a name with a newline; `MODULE_PATH_MALFORMED`, `VERSION_MALFORMED`; the signal's
 *   reason.
 */
export async function hashFolder(folder: string, module: ModuleVersion, options: FolderOptions = {}): Promise<TreeHash> {
  checkModulePath(module.module);
  checkVersion(module.version);
  const work = new Work(options);
  const root = absolute(folder);
  const without = new Set(options.without);
  const seen: Seen[] = [];
  const files: Found[] = [];
  for (const found of listFolder(root, folder, seen)) {
    if (work.isTime()) await work.turn();
    if (!without.has(found.name.toString())) files.push(found);
  }
  const prefix = encodeUtf8(`${formatModuleVersion(module.module, module.version)}/`);
  const hashed: HashedFile[] = [];
  for (const { name, at, label } of files) {
    if (work.isTime()) await work.turn();
    hashed.push({ name: concatBytes(prefix, name), sha256: await hashPlainFile(at, label, work, seen) });
  }
  // Once more at the end: what was changed after it was read, too, would make a hash of two states.
  for (const each of seen) {
    if (work.isTime()) await work.turn();
    checkUnchanged(each);
  }
  return { h1: h1OfFiles(hashed), files: hashed.length, bytes: work.bytes };
}

/**
 * The h1 of a go.mod file, whatever its name: that of a go.sum line with `/go.mod`.
 *
 * @param file its path; a link is followed.
 * @throws {GosumError} `FILE_FAILED` with the path; the signal's reason.
 */
export async function hashGoModFile(file: string, options: HashOptions = {}): Promise<string> {
  const seen: Seen[] = [];
  const sha256 = await hashPlainFile(Buffer.from(absolute(file)), file, new Work(options), seen);
  seen.forEach(checkUnchanged);
  return h1OfFiles([{ name: 'go.mod', sha256 }]);
}

/** As a Buffer a path is taken as it is: on Windows a long one needs its prefix. */
function absolute(name: string): string {
  return path.toNamespacedPath(path.resolve(name));
}

/** A file of a folder. */
interface Found {
  /** From the folder on, with slashes; bytes, as it need not be UTF-8. */
  readonly name: Buffer;
  readonly at: Buffer;
  /** Its path as a person would write it. */
  readonly label: string;
}

/** A file or folder whose content was read, and what it was like then. */
interface Seen {
  readonly at: Buffer;
  readonly label: string;
  readonly stat: Stats;
}

/** All files below a folder, in no order that would matter. */
function* listFolder(root: string, label: string, seen: Seen[]): Generator<Found> {
  const folders: Found[] = [{ name: Buffer.alloc(0), at: Buffer.from(root), label }];
  for (let folder; (folder = folders.pop()) !== undefined; ) {
    const { name, at, label } = folder;
    const stat = attempt(label, () => lstatSync(at));
    // only the first one can be anything else, but for a folder that was replaced a moment ago
    if (!stat.isDirectory()) throw notFolder(label, stat.isSymbolicLink());
    seen.push({ at, label, stat });
    for (const entry of attempt(label, () => readdirSync(at, { withFileTypes: true, encoding: 'buffer' }))) {
      const child = Buffer.from(entry.name);
      const found = {
        name: name.length === 0 ? child : Buffer.concat([name, SLASH, child]),
        at: Buffer.concat([at, SEPARATOR, child]),
        label: path.join(label, child.toString()),
      };
      if (entry.isDirectory()) folders.push(found);
      else yield found;
    }
  }
}

const SLASH = Buffer.from('/');
const SEPARATOR = Buffer.from(path.sep);

/** To open a pipe would wait for somebody to write to it. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK as number | undefined ?? 0);

async function hashPlainFile(at: Buffer, label: string, work: Work, seen: Seen[]): Promise<Hash> {
  const descriptor = attempt(label, () => openSync(at, READ));
  try {
    const stat = attempt(label, () => fstatSync(descriptor));
    if (!stat.isFile()) throw notPlain(label);
    seen.push({ at, label, stat });
    return await hashDescriptor(descriptor, label, stat.size, work);
  } finally {
    closeSync(descriptor);
  }
}

/** @param size what the file says it has: whether that is still so is looked at in the end. */
async function hashDescriptor(descriptor: number, label: string, size: number, work: Work): Promise<Hash> {
  const { piece } = work;
  const read = (): number => {
    const length = attempt(label, () => readSync(descriptor, piece, 0, piece.length, null));
    work.count(length);
    return length;
  };
  let length = read();
  // Most files are had with one read, and have one call for their hash.
  if (length === size) return sha256(piece.subarray(0, length));
  const digest = sha256Digest();
  for (; length > 0; length = read()) {
    digest.update(piece.subarray(0, length));
    if (work.isTime()) await work.turn();
  }
  return digest.digest();
}

/** The turns of a long work, its buffer, and how far it is. */
class Work {
  /** Of one work alone: others may be under way at the same time. */
  readonly piece: Buffer = Buffer.allocUnsafeSlow(PIECE);
  bytes = 0;
  readonly #options: HashOptions;
  #since = Date.now();

  constructor(options: HashOptions) {
    options.signal?.throwIfAborted();
    this.#options = options;
  }

  /** So many more bytes are hashed. */
  count(bytes: number): void {
    if (bytes === 0) return;
    this.bytes += bytes;
    this.#options.progress?.(bytes);
  }

  /** Whether the event loop should turn. */
  isTime(): boolean {
    return Date.now() - this.#since >= TURN_MS;
  }

  /** Lets the event loop turn. @throws the signal's reason. */
  async turn(): Promise<void> {
    await setImmediate();
    this.#since = Date.now();
    this.#options.signal?.throwIfAborted();
  }
}

function checkUnchanged({ at, label, stat }: Seen): void {
  const now = attempt(label, () => (stat.isDirectory() ? lstatSync(at) : statSync(at)));
  const isSame = (['dev', 'ino', 'size', 'mtimeMs', 'ctimeMs'] as const).every((field) => now[field] === stat[field]);
  if (!isSame) throw changed(label);
}

function attempt<T>(label: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    // a socket
    throw (cause as NodeJS.ErrnoException).code === 'ENXIO' ? notPlain(label) : fileFailure(label, cause);
  }
}

function notFolder(label: string, isLink: boolean): GosumError {
  return new GosumError('FILE_FAILED', `${label}: it is ${isLink ? 'a link' : 'no folder'}`, {
    hint: isLink ? 'name the folder that it leads to: Go does not follow it either' : 'name the folder of an extracted module',
  });
}

function notPlain(label: string): GosumError {
  return new GosumError('FILE_FAILED', `${label}: it is no plain file`);
}

function changed(label: string): GosumError {
  return new GosumError('FILE_FAILED', `${label}: it was changed while it was read`, { hint: 'try again when nobody writes to it' });
}
