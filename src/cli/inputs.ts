/** The go.sum files that `verify` is asked to look at: named ones, those of folders, standard input. */

import { existsSync, promises, statSync, type Dirent } from 'node:fs';
import path from 'node:path';
import { GosumError } from '../errors.js';
import { fileFailure, readAllUpTo, readUpTo } from './files.js';
import type { Host } from './host.js';

/** The files that have go.sum's form. */
const SUM_FILES: readonly string[] = ['go.sum', 'go.work.sum'];
/** Folders whose go.sum files are no build's of this repository. Dot folders are passed over too. */
const PASSED_OVER = new Set(['vendor', 'testdata', 'node_modules']);
/** The most bytes of a file, or of standard input; as the parser has it. */
const LIMIT = 64 * 1024 * 1024;

/** A file to verify. */
export interface Input {
  /** As a person would name it: relative to the working folder where it was; `-` for standard input. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** What there is to verify. */
export interface Inputs {
  /** Each file once, however often it was named. */
  readonly inputs: readonly Input[];
  /**
   * go.mod files of modules that need no other: there is no go.sum beside them, or an empty one, as `go mod tidy` leaves it.
   * Nothing is wrong with that.
   */
  readonly bare: readonly string[];
  /** The folder that was named first, or that of the first file: beside it a gosumcheck.toml may lie. */
  readonly folder: string;
}

/**
 * Finds and reads the files.
 *
 * @param paths files, folders, `-`; none means the working folder's own two files.
 * @throws {GosumError} `FILE_FAILED` with the path; `NOTHING_TO_CHECK` where neither a file nor a go.mod is found;
 * `INTERRUPTED`.
 */
export async function readInputs(host: Host, paths: readonly string[]): Promise<Inputs> {
  const { cwd } = host;
  const files: string[] = [];
  const bare: string[] = [];
  let folder: string | undefined;
  if (paths.length === 0) await lookIn(cwd, '', files, bare, false);
  for (const name of paths) {
    const absolute = path.resolve(cwd, name);
    const isFolder = name !== '-' && isFolderAt(absolute, name);
    if (isFolder) await lookIn(cwd, name, files, bare, true);
    else files.push(name);
    if (name !== '-') folder ??= isFolder ? absolute : path.dirname(absolute);
  }
  if (files.length === 0 && bare.length === 0) {
    throw new GosumError('NOTHING_TO_CHECK', `no go.sum in ${paths.join(', ') || 'this folder'}`, {
      hint: 'name a go.sum file, or a folder that has one: gosumcheck verify path/to/go.sum',
    });
  }
  const inputs = new Map<string, Input>();
  for (const file of files) {
    const absolute = file === '-' ? file : path.resolve(cwd, file);
    if (inputs.has(absolute)) continue;
    const bytes = await readOne(host, absolute, file);
    const goMod = path.join(path.dirname(file), 'go.mod');
    if (bytes.length === 0 && file !== '-' && existsSync(path.resolve(cwd, goMod))) bare.push(goMod);
    else inputs.set(absolute, { file, bytes });
  }
  return { inputs: [...inputs.values()], bare: [...new Set(bare)], folder: folder ?? cwd };
}

/** Finds the files of a folder, and with `deep` those of the folders below it. Links to folders are not followed. */
async function lookIn(cwd: string, folder: string, files: string[], bare: string[], deep: boolean): Promise<void> {
  let entries: Dirent[];
  try {
    entries = await promises.readdir(path.resolve(cwd, folder), { withFileTypes: true });
  } catch (cause) {
    throw fileFailure(folder || '.', cause);
  }
  const names = new Set(entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name));
  const found = SUM_FILES.filter((name) => names.has(name));
  files.push(...found.map((name) => path.join(folder, name)));
  if (names.has('go.mod') && found.length === 0) bare.push(path.join(folder, 'go.mod'));
  if (!deep) return;
  const below = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !PASSED_OVER.has(entry.name));
  for (const { name } of below.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    await lookIn(cwd, path.join(folder, name), files, bare, true);
  }
}

function isFolderAt(absolute: string, name: string): boolean {
  try {
    return statSync(absolute).isDirectory();
  } catch (cause) {
    throw fileFailure(name, cause);
  }
}

async function readOne(host: Host, absolute: string, name: string): Promise<Uint8Array> {
  if (path.basename(absolute) === 'go.mod') {
    throw new GosumError('NOTHING_TO_CHECK', `${name}: a go.mod file has no hashes to check`, { hint: 'name the go.sum beside it' });
  }
  try {
    if (name === '-') return await readAllUpTo(host.stdin, 'standard input', LIMIT, host.interrupted);
    return await readUpTo(absolute, LIMIT, host.interrupted);
  } catch (cause) {
    throw fileFailure(name === '-' ? 'standard input' : name, cause);
  }
}
