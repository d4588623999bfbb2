/** The go.sum files that `verify` is asked to look at: named ones, those of folders, standard input. */

import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { GosumError } from '../errors.js';

/** The files that have go.sum's form. */
const SUM_FILES: readonly string[] = ['go.sum', 'go.work.sum'];
/** Folders whose go.sum files are no build's of this repository. Dot folders are passed over too. */
const PASSED_OVER = new Set(['vendor', 'testdata', 'node_modules']);
/** The most bytes of standard input; the parser has its own limit. */
const STDIN_LIMIT = 64 * 1024 * 1024;

/** A file to verify. */
export interface Input {
  /** As a person would name it: relative to the working folder where it was; `-` for standard input. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** What there is to verify. */
export interface Inputs {
  readonly inputs: readonly Input[];
  /** go.mod files without a go.sum beside them: modules that need no other. Nothing is wrong with that. */
  readonly bare: readonly string[];
  /** The folder of the first input, beside which a gosumcheck.toml may lie. */
  readonly folder: string;
}

/**
 * Finds and reads the files.
 *
 * @param paths files, folders, `-`; none means the working folder's own two files.
 * @throws {GosumError} `FILE_FAILED` with the path; `NOTHING_TO_CHECK` where neither a file nor a go.mod is found.
 */
export async function readInputs(cwd: string, stdin: Readable, paths: readonly string[]): Promise<Inputs> {
  const files: string[] = [];
  const bare: string[] = [];
  if (paths.length === 0) await lookIn(cwd, '', files, bare, false);
  for (const name of paths) {
    if (name === '-') files.push(name);
    else if (await isFolder(path.resolve(cwd, name), name)) await lookIn(cwd, name, files, bare, true);
    else files.push(name);
  }
  const named = [...new Set(files)];
  if (named.length === 0 && bare.length === 0) {
    throw new GosumError('NOTHING_TO_CHECK', `no go.sum in ${paths.join(', ') || 'this folder'}`, {
      hint: 'name a go.sum file, or a folder that has one: gosumcheck verify path/to/go.sum',
    });
  }
  const inputs: Input[] = [];
  for (const file of named) {
    inputs.push({ file, bytes: file === '-' ? await readAll(stdin) : await readOne(path.resolve(cwd, file), file) });
  }
  const [first = '.'] = named;
  return { inputs, bare, folder: first === '-' ? cwd : path.dirname(path.resolve(cwd, first)) };
}

/** Finds the files of a folder, and with `deep` those of the folders below it. Links are not followed. */
async function lookIn(cwd: string, folder: string, files: string[], bare: string[], deep: boolean): Promise<void> {
  let entries: Dirent[];
  try {
    entries = await readdir(path.resolve(cwd, folder), { withFileTypes: true });
  } catch (cause) {
    throw failed(folder || '.', cause);
  }
  const names = new Set(entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name));
  const found = SUM_FILES.filter((name) => names.has(name));
  files.push(...found.map((name) => path.join(folder, name)));
  if (names.has('go.mod') && !names.has('go.sum')) bare.push(path.join(folder, 'go.mod'));
  if (!deep) return;
  const below = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !PASSED_OVER.has(entry.name));
  for (const { name } of below.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    await lookIn(cwd, path.join(folder, name), files, bare, true);
  }
}

async function isFolder(absolute: string, name: string): Promise<boolean> {
  try {
    return (await stat(absolute)).isDirectory();
  } catch (cause) {
    throw failed(name, cause);
  }
}

async function readOne(absolute: string, name: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(absolute));
  } catch (cause) {
    throw failed(name, cause);
  }
}

async function readAll(stdin: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > STDIN_LIMIT) throw new GosumError('FILE_FAILED', `standard input: more than ${STDIN_LIMIT} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/** A file that could not be read or written, in words. */
export function failed(name: string, cause: unknown): GosumError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const words: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or folder',
    EACCES: 'permission denied',
    EISDIR: 'it is a folder',
    ENOTDIR: 'a part of its path is no folder',
    ENOSPC: 'the disk is full',
  };
  return new GosumError('FILE_FAILED', `${name}: ${words[code ?? ''] ?? message}`, { cause });
}
