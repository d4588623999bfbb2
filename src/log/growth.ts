/**
 * How a tree grows: from the proved right edge of the old one, and the hashes of new records, the new tree's head and all
 * tiles that are new or wider in it.
 *
 * What is made is authenticated like tiles of any other log, under the new head, with all that links the old head to it: a
 * damaged edge, or a mistake in this arithmetic, cannot be signed.
 */

import { HASH_SIZE, hashAt, type Hash } from '../core/hash.js';
import { planTiles, type ProvedTree } from '../core/plan.js';
import { TILE_HEIGHT, TILE_WIDTH, type Tile } from '../core/tile.js';
import type { TileBytes } from '../contract.js';
import { nodeHash, treeHash } from '../core/tree.js';
import type { TreeHead } from '../core/treehead.js';

/** A tree that has grown. */
export interface Growth {
  readonly head: TreeHead;
  /** The right edge, every tile that is new or wider than in the old tree, and what links that: proved under `head`. */
  readonly tree: ProvedTree;
}

/**
 * Grows a tree.
 *
 * @param old its right edge; of an empty tree, nothing.
 * @param leaves the new records' hashes, one after the other: at least one.
 */
export function grow(old: ProvedTree, leaves: Uint8Array): Growth {
  const tiles: TileBytes[] = [];
  const oldSize = old.head.size;
  const size = oldSize + leaves.length / HASH_SIZE;
  for (let level = 0, fresh = leaves; fresh.length > 0; level++) {
    const before = Math.floor(oldSize / TILE_WIDTH ** level);
    const first = Math.floor(before / TILE_WIDTH);
    const kept = Array.from({ length: before % TILE_WIDTH }, (_, i) => old.read(level * TILE_HEIGHT, first * TILE_WIDTH + i));
    const row = new Uint8Array(kept.length * HASH_SIZE + fresh.length);
    kept.forEach((hash, i) => row.set(hash, i * HASH_SIZE));
    row.set(fresh, kept.length * HASH_SIZE);
    const made = tilesOfRow(level, first, row);
    tiles.push(...made);
    const full = made.filter(({ tile }) => tile.width === TILE_WIDTH);
    fresh = new Uint8Array(full.length * HASH_SIZE);
    full.forEach(({ bytes }, i) => fresh.set(rootOf(bytes), i * HASH_SIZE));
  }
  return proved(old, size, tiles);
}

function tilesOfRow(level: number, first: number, row: Uint8Array): TileBytes[] {
  const tiles: TileBytes[] = [];
  for (let at = 0; at < row.length; at += TILE_WIDTH * HASH_SIZE) {
    const bytes = row.slice(at, at + TILE_WIDTH * HASH_SIZE);
    tiles.push({ tile: { level, n: first + tiles.length, width: bytes.length / HASH_SIZE }, bytes });
  }
  return tiles;
}

/** The hash of a full tile. */
function rootOf(bytes: Uint8Array): Hash {
  const node = (level: number, n: number): Hash => (level === 0 ? hashAt(bytes, n) : nodeHash(node(level - 1, 2 * n), node(level - 1, 2 * n + 1)));
  return node(TILE_HEIGHT, 0);
}

function proved(old: ProvedTree, size: number, made: readonly TileBytes[]): Growth {
  const own = new Map(made.map(({ tile, bytes }) => [keyOf(tile), bytes]));
  // tiles of the edge that did not grow, such as one of a higher level, are the old tree's
  for (const { tile, bytes } of old.tiles) if (!own.has(keyOf(tile))) own.set(keyOf(tile), bytes);
  const hash = treeHash(size, (level, n) => nodeIn(own, level, n));
  const head = { size, hash };
  const plan = planTiles(head, { tiles: made.map(({ tile }) => tile), links: [old.head.size] });
  const tree = plan.authenticate(plan.tiles.map((tile) => own.get(keyOf(tile))));
  const [failure] = tree.failures;
  if (failure !== undefined) throw new Error('a tile that was just made is not of its tree', { cause: failure });
  return { head, tree };
}

function nodeIn(tiles: ReadonlyMap<string, Uint8Array>, level: number, n: number): Hash {
  const below = level % TILE_HEIGHT;
  if (below > 0) return nodeHash(nodeIn(tiles, level - 1, 2 * n), nodeIn(tiles, level - 1, 2 * n + 1));
  const bytes = tiles.get(`${level / TILE_HEIGHT}/${Math.floor(n / TILE_WIDTH)}`);
  if (bytes === undefined) throw new Error(`no node (${level}, ${n})`);
  return hashAt(bytes, n % TILE_WIDTH);
}

function keyOf({ level, n }: Pick<Tile, 'level' | 'n'>): string {
  return `${level}/${n}`;
}
