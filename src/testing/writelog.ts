/** A log as a folder, for `file://`: the shape of the go command's own cache, and of a GOPROXY folder's `sumdb/NAME`. */

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { lookupPath, parseModuleVersion } from '../core/module.js';
import { DATA_LEVEL, formatTilePath, tileInTree, type Tile } from '../core/tile.js';
import type { TestLog } from './testlog.js';

/** What is written beside the heads and the hash tiles. */
export interface WriteOptions {
  /** The module versions (`path@version`) whose lookups are written. By default all. */
  readonly lookups?: Iterable<string>;
  /** Whether data tiles are written, too. By default not. */
  readonly data?: boolean;
}

/**
 * Writes a database folder: `supported`, `latest`, lookups, and all tiles of the log as it is, the right edge's partial
 * ones included. The folder itself is a `file://` database; as `<proxy folder>/sumdb/<name>` it belongs to a GOPROXY.
 */
export function writeLog(log: TestLog, folder: string, { lookups = log.modules, data = false }: WriteOptions = {}): void {
  const write = (name: string, bytes: Uint8Array): void => {
    const file = path.join(folder, ...name.split('/').filter((element) => element !== ''));
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  };
  write('supported', new Uint8Array());
  write('latest', log.head());
  for (const name of lookups) {
    const { module, version } = parseModuleVersion(name);
    const id = log.idOf(module, version);
    if (id === undefined) throw new Error(`${name} is not in the log`);
    write(lookupPath(module, version), log.lookupOf(id));
  }
  for (const tile of tilesOf(log.size, data)) write(formatTilePath(tile), log.tileBytes(tile));
}

/** All tiles of a tree: the full ones, and the right edge's partial ones. */
export function tilesOf(size: number, data = false): Tile[] {
  const tiles: Tile[] = [];
  for (let level = data ? DATA_LEVEL : 0; level < 7; level++) {
    for (let n = 0; ; n++) {
      const tile = tileInTree(level, n, size);
      if (tile === undefined) break;
      tiles.push(tile);
    }
  }
  return tiles;
}
