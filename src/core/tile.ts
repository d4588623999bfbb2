/**
 * Tiles: the units in which the log's hashes are served (research.swtch.com/tlog, "Tiling a log"; tlog/tile.go).
 *
 * The checksum database's tiles have height 8: tile (L, N) holds up to 256 hashes of level 8·L, from number 256·N on.
 */

import { GosumError } from '../errors.js';
import { isCount } from './integer.js';
import { HASH_SIZE } from './hash.js';
import { quote } from './text.js';

/** Levels of the tree in one tile. */
export const TILE_HEIGHT = 8;
/** Hashes of a full tile. */
export const TILE_WIDTH = 256;
/** Records of a part of a data tile, as they are kept packed (contract.ts, `PackedTile`); its last part may have less. */
export const PART_WIDTH = 16;
/** Bytes of a full hash tile. */
export const TILE_BYTES: number = TILE_WIDTH * HASH_SIZE;
/** The `level` of a data tile, which holds records instead of hashes. */
export const DATA_LEVEL = -1;

/** The highest tile level of a tree of up to 2^53 records. */
const MAX_LEVEL = 6;

/** The coordinates of a tile. */
export interface Tile {
  /** Level in tiles, 0 to 6: the tile's hashes are of tree level `8 * level`. -1 (`DATA_LEVEL`) for a data tile. */
  readonly level: number;
  /** Number of the tile in its level. */
  readonly n: number;
  /** Hashes (or records) in the tile, 1 to 256. Less than 256 is a partial tile. */
  readonly width: number;
}

/**
 * The path of a tile: `tile/8/L/N`, with `.p/W` behind a partial one. N is written in groups of three digits,
 * all but the last with an `x` in front: 1234067 is `x001/x234/067`.
 */
export function formatTilePath(tile: Tile): string {
  const level = tile.level === DATA_LEVEL ? 'data' : String(tile.level);
  let n = tile.n;
  let groups = threeDigits(n % 1000);
  while (n >= 1000) {
    n = Math.floor(n / 1000);
    groups = `x${threeDigits(n % 1000)}/${groups}`;
  }
  return `tile/${TILE_HEIGHT}/${level}/${groups}${tile.width === TILE_WIDTH ? '' : `.p/${tile.width}`}`;
}

const TILE_PATH = /^tile\/8\/(data|[0-6])\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;

/**
 * Parses a tile's path. Accepts only what `formatTilePath` prints. Stricter than Go: height 8 alone, levels 0 to 6,
 * N up to 2^53 - 1.
 *
 * @throws {GosumError} `TILE_PATH_MALFORMED`.
 */
export function parseTilePath(path: string): Tile {
  const match = TILE_PATH.exec(path);
  if (match !== null) {
    const [, level = '', groups = '', width] = match;
    const tile: Tile = {
      level: level === 'data' ? DATA_LEVEL : Number(level),
      n: Number(groups.replaceAll(/[x/]/g, '')),
      width: width === undefined ? TILE_WIDTH : Number(width),
    };
    if (isTile(tile) && formatTilePath(tile) === path) return tile;
  }
  throw new GosumError('TILE_PATH_MALFORMED', `malformed tile path ${quote(path)}`);
}

/** Reports whether the numbers can be a tile's. */
export function isTile(tile: Tile): boolean {
  return (
    Number.isInteger(tile.level) &&
    tile.level >= DATA_LEVEL &&
    tile.level <= MAX_LEVEL &&
    isCount(tile.n) &&
    Number.isInteger(tile.width) &&
    tile.width >= 1 &&
    tile.width <= TILE_WIDTH
  );
}

/** A number for each tile of a tree of up to 2^50 records, by which it is found sooner than by its path; above all of these for any other. */
export function tileNumber({ level, n, width }: Tile): number {
  return (n * (MAX_LEVEL - DATA_LEVEL + 1) + level - DATA_LEVEL) * TILE_WIDTH + (width - 1);
}

/** The same tile, full. */
export function fullTile(tile: Tile): Tile {
  return { level: tile.level, n: tile.n, width: TILE_WIDTH };
}

/**
 * The tile (level, n) as a tree of `size` records has it: full, partial, or `undefined` where the tree does not reach it.
 */
export function tileInTree(level: number, n: number, size: number): Tile | undefined {
  const hashes = Math.floor(size / 2 ** (TILE_HEIGHT * Math.max(level, 0)));
  const width = Math.min(hashes - n * TILE_WIDTH, TILE_WIDTH);
  return width > 0 ? { level, n, width } : undefined;
}

/**
 * Reports whether the tree of `size` records has all of a tile: its hashes, or records, from the first to the last. A tile that the
 * tree has wider is one of it too: what is in a tile never changes.
 */
export function isTileInTree({ level, n, width }: Tile, size: number): boolean {
  return (tileInTree(level, n, size)?.width ?? 0) >= width;
}

function threeDigits(n: number): string {
  return String(n).padStart(3, '0');
}
