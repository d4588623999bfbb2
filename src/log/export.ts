/**
 * A log as a folder of files, for any web server and for `file://`: what its database answers, written out.
 *
 * Tiles never change and are written once; lookups are written anew for each tree head, so that every client sees the newest one;
 * `latest` comes last. Partial tiles of earlier exports stay: clients that know those trees ask for them.
 * Each file is written under another name and renamed, so that nobody reads half of one. Nothing is forced to the disk: after a
 * crash of the machine another export mends what it finds of another length or content.
 */

import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Store } from '../contract.js';
import type { Progress } from '../client/sumdb.js';
import { fileFailure } from '../core/fileerror.js';
import { equalBytes, HASH_SIZE } from '../core/hash.js';
import { escapeModulePath, escapeVersion } from '../core/module.js';
import { formatLookup, parseDataTile } from '../core/record.js';
import { decodeUtf8 } from '../core/text.js';
import { DATA_LEVEL, formatTilePath, TILE_WIDTH, tileInTree, type Tile } from '../core/tile.js';
import { GosumError } from '../errors.js';
import { LogDatabase } from './database.js';

/** How it is done. */
export interface ExportOptions {
  readonly signal?: AbortSignal | undefined;
  /** Phases `tiles` and `lookups`, a step for each data tile. */
  readonly progress?: Progress | undefined;
}

/** What was exported. */
export interface Exported {
  /** Records of the tree. */
  readonly size: number;
  /** Files that were written; the others were as they should be. */
  readonly written: number;
  /** The folder of the database, which `file://` can name in GOSUMDB. */
  readonly folder: string;
}

/** The folder of a log's database in an exported one: as a module proxy has it. @throws {GosumError} `CONFIG_INVALID` for a name that is no path. */
export function databaseFolder(root: string, name: string): string {
  const elements = name.split('/');
  if (elements.some((element) => element === '' || element === '.' || element === '..' || /[\\:\0]/.test(element))) {
    throw new GosumError('CONFIG_INVALID', `the name ${name} can be no folder`, { hint: 'a name such as sum.corp.example can' });
  }
  return path.join(root, 'sumdb', ...elements);
}

/**
 * Writes the log to `<root>/sumdb/<name>/`, so that `root` can be a GOPROXY and that folder a GOSUMDB's URL. What is there already
 * is kept, and only what has changed is written.
 *
 * @throws {GosumError} `FILE_FAILED`; what the database throws; the signal's reason.
 */
export async function exportLog(store: Store, name: string, root: string, { signal, progress }: ExportOptions = {}): Promise<Exported> {
  const folder = databaseFolder(root, name);
  const database = new LogDatabase(store, name);
  const { size } = await database.head();
  const note = await database.latest();
  const output = new Output(folder);
  const dataTiles = Math.ceil(size / TILE_WIDTH);

  progress?.phase('tiles', dataTiles);
  for (const tile of tilesOf(size)) {
    signal?.throwIfAborted();
    if (!output.has(tile)) output.write(formatTilePath(tile), await database.tile(tile));
    if (tile.level === DATA_LEVEL) progress?.tick();
  }
  progress?.phase('lookups', dataTiles);
  for (let n = 0; n < dataTiles; n++) {
    signal?.throwIfAborted();
    const tile = tileInTree(DATA_LEVEL, n, size);
    if (tile === undefined) break;
    parseDataTile(await database.tile(tile), tile.width).forEach((text, i) => {
      output.put(lookupFile(text), formatLookup({ id: n * TILE_WIDTH + i, text, note }));
    });
    progress?.tick();
  }
  output.put('supported', new Uint8Array());
  output.put('latest', note);
  return { size, written: output.written, folder };
}

/** All tiles of a tree: the full ones, and the right edge's partial ones. */
function* tilesOf(size: number): Generator<Tile> {
  for (let level = DATA_LEVEL; ; level++) {
    for (let n = 0; ; n++) {
      const tile = tileInTree(level, n, size);
      if (tile === undefined) {
        if (n === 0 && level >= 0) return;
        break;
      }
      yield tile;
    }
  }
}

/** The file of a record of ours: of one module version, which its first two words name. */
function lookupFile(text: Uint8Array): string {
  const [module = '', version = ''] = decodeUtf8(text).split(' ', 2);
  return `lookup/${escapeModulePath(module)}@${escapeVersion(version)}`;
}

/** Writes files below a folder. */
class Output {
  readonly #folder: string;
  #written = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get written(): number {
    return this.#written;
  }

  /** Whether a tile is there, as far as its length says; of a data tile, which has none of its own, whether it is not empty. */
  has(tile: Tile): boolean {
    const length = statSync(this.#at(formatTilePath(tile)), { throwIfNoEntry: false })?.size ?? 0;
    return tile.level === DATA_LEVEL ? length > 0 : length === tile.width * HASH_SIZE;
  }

  /** Writes a file where it has not these bytes. */
  put(name: string, bytes: Uint8Array): void {
    if (!this.#isSame(name, bytes)) this.write(name, bytes);
  }

  write(name: string, bytes: Uint8Array): void {
    const file = this.#at(name);
    const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(temporary, bytes);
      renameSync(temporary, file);
      this.#written++;
    } catch (cause) {
      rmSync(temporary, { force: true });
      throw fileFailure(file, cause);
    }
  }

  #isSame(name: string, bytes: Uint8Array): boolean {
    const file = this.#at(name);
    if (statSync(file, { throwIfNoEntry: false })?.size !== bytes.length) return false;
    return equalBytes(readFileSync(file), bytes);
  }

  #at(name: string): string {
    return path.join(this.#folder, ...name.split('/'));
  }
}
