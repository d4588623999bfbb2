/**
 * Plan, read, authenticate: which tiles prove the wanted hashes under a tree head, and the check of what was read
 * (research.swtch.com/tlog, "Authenticating tiles").
 *
 * One value says what to read and alone can authenticate it, so plan and proof cannot drift apart. Every tile has exactly
 * one way to be believed: a tile of the right edge by the root hash, which all of the edge's tiles give together and no
 * hash of theirs is left out of; any other tile, a full one, by its own parent. What else shares a tile with it does not
 * matter (CVE-2026-56865).
 */

import { hashLevels } from '#crypto';
import type { TileBytes } from '../contract.js';
import { GosumError } from '../errors.js';
import { equalBytes, HASH_SIZE, hashAt, type Hash } from './hash.js';
import type { Proved } from './proved.js';
import { formatTilePath, TILE_HEIGHT, TILE_WIDTH, tileInTree, type Tile } from './tile.js';
import { nodesOf, treeHash, treeProofRanges, type Node, type NodeReader, type Range } from './tree.js';
import type { TreeHead } from './treehead.js';

/** A tile that did not come, or did not authenticate. */
export class TileError extends GosumError<'TILE_SIZE' | 'TILE_MISMATCH'> {
  override readonly name = 'TileError';
  /** The tile's path; `undefined` where the right edge as a whole does not give the root. */
  readonly path: string | undefined;

  constructor(code: TileError['code'], path: string | undefined, detail: string) {
    super(code, path === undefined ? detail : `${path}: ${detail}`);
    this.path = path;
  }
}

/** What a plan is for. */
export interface Wanted {
  /** Numbers of records whose hashes, and inclusion proofs, are wanted. All less than the head's size. */
  readonly records?: Iterable<number>;
  /** Sizes of earlier trees whose root hashes are wanted. */
  readonly trees?: Iterable<number>;
  /** Sizes of earlier trees from which consistency proofs are wanted. */
  readonly links?: Iterable<number>;
  /** Hash tiles that are wanted for themselves, of any width that the head's tree reaches. */
  readonly tiles?: Iterable<Tile>;
}

interface AuthenticatedTree {
  readonly head: TreeHead;
  /** The tiles that were believed. */
  readonly tiles: readonly Proved<TileBytes>[];
  /** What failed: these tiles and all that hangs on them are not proved. */
  readonly failures: readonly TileError[];
  /** The hash of a node. @throws {TileError} where the tile that has it failed. */
  readonly read: NodeReader;
}

/** Hashes that were proved to be in the tree of `head`. Only `TilePlan.authenticate` makes one. */
export type ProvedTree = Proved<AuthenticatedTree>;

/** Plans which tiles prove what is wanted under a head. */
export function planTiles(head: TreeHead, wanted: Wanted): TilePlan {
  const plan = new Planner(head.size);
  plan.addRange({ lo: 0, hi: head.size });
  const edge = plan.tiles();
  for (const id of wanted.records ?? []) {
    if (!(id >= 0 && id < head.size)) throw new Error(`no record ${id} in a tree of ${head.size}`);
    plan.addNode({ level: 0, n: id });
  }
  for (const { level, n, width } of wanted.tiles ?? []) {
    const tile = tileInTree(level, n, head.size);
    if (tile === undefined || tile.width < width) throw new Error(`${formatTilePath({ level, n, width })} is not in a tree of ${head.size}`);
    plan.addNode({ level: level * TILE_HEIGHT, n: n * TILE_WIDTH });
  }
  for (const size of wanted.trees ?? []) {
    if (!(size >= 0 && size <= head.size)) throw new Error(`no tree of ${size} in a tree of ${head.size}`);
    plan.addRange({ lo: 0, hi: size });
  }
  for (const size of wanted.links ?? []) {
    plan.addRange({ lo: 0, hi: size });
    treeProofRanges(head.size, size).forEach((range) => plan.addRange(range));
  }
  return new TilePlan(head, edge.length, [...edge, ...plan.tiles().slice(edge.length).sort(byLevelDown)]);
}

/** Which tiles to read, and the one check of what was read. Made by `planTiles`. */
class TilePlan {
  /** The head that everything is proved under. Trusted by the caller: its signature was verified. */
  readonly head: TreeHead;
  /** The tiles to read: those of the right edge first, then parents before children. */
  readonly tiles: readonly Tile[];
  readonly #edge: number;

  constructor(head: TreeHead, edge: number, tiles: readonly Tile[]) {
    this.head = head;
    this.tiles = tiles;
    this.#edge = edge;
  }

  /**
   * Checks the tiles that were read against the head, each by itself: a tile that fails takes only those below it with it.
   *
   * @param bytes attacker-controlled: for each of `tiles` its bytes, `undefined` where they could not be had.
   * @throws {TileError} `TILE_SIZE` where a tile of the right edge is absent or of a wrong length, `TILE_MISMATCH` where
   * the edge does not give the root hash: then nothing is proved, and which tile is wrong cannot be said.
   */
  authenticate(bytes: readonly (Uint8Array | undefined)[]): ProvedTree {
    const believed = new Map<string, Pyramid>();
    const failed = new Map<string, TileError>();
    const read = (level: number, n: number): Hash => readNode(this.head.size, believed, failed, { level, n });

    this.tiles.slice(0, this.#edge).forEach((tile, i) => {
      believed.set(tileKey(tile), new Pyramid(tile, checkedSize(tile, bytes[i])));
    });
    if (!equalBytes(treeHash(this.head.size, read), this.head.hash)) {
      throw new TileError('TILE_MISMATCH', undefined, `the tiles of the right edge do not give the tree of ${this.head.size}`);
    }
    for (let i = this.#edge; i < this.tiles.length; i++) {
      const tile = this.tiles[i];
      if (tile === undefined) break;
      try {
        const pyramid = new Pyramid(tile, checkedSize(tile, bytes[i]));
        if (!equalBytes(pyramid.hash(TILE_HEIGHT, 0), read(TILE_HEIGHT * (tile.level + 1), tile.n))) {
          throw new TileError('TILE_MISMATCH', formatTilePath(tile), 'its hash is not the one in its parent');
        }
        believed.set(tileKey(tile), pyramid);
      } catch (error) {
        if (!(error instanceof TileError)) throw error;
        failed.set(tileKey(tile), error);
      }
    }
    const tiles = [...believed.values()].map(({ tile, bytes }) => ({ tile, bytes }) as Proved<TileBytes>);
    const tree: AuthenticatedTree = { head: this.head, tiles, failures: [...failed.values()], read };
    return tree as ProvedTree;
  }
}

export type { TilePlan };

/** A tile's hashes and all nodes above them in the tile, each computed once. */
class Pyramid implements TileBytes {
  readonly tile: Tile;
  readonly bytes: Uint8Array;
  #above: Uint8Array | undefined;

  constructor(tile: Tile, bytes: Uint8Array) {
    this.tile = tile;
    this.bytes = bytes;
  }

  /** The hash of the `n`th node at `level` within the tile. */
  hash(level: number, n: number): Hash {
    let width = this.tile.width;
    let from = 0;
    for (let below = 0; below < level; below++) {
      if (below > 0) from += width;
      width = Math.floor(width / 2);
    }
    if (n >= width) throw new Error(`no node (${level}, ${n}) in ${formatTilePath(this.tile)}`);
    return hashAt(level === 0 ? this.bytes : (this.#above ??= hashLevels(this.bytes)), from + n);
  }
}

/** Collects tiles: for a node its own tile, and the parents up to the right edge. */
class Planner {
  readonly #size: number;
  readonly #tiles = new Map<string, Tile>();

  constructor(size: number) {
    this.#size = size;
  }

  addRange(range: Range): void {
    for (const node of nodesOf(range)) this.addNode(node);
  }

  addNode(node: Node): void {
    let tile: Tile | undefined = tileOf(node, this.#size);
    // A planned tile has its parents planned. A partial tile, and a full one whose hash stands in no parent yet, is of the
    // right edge, which is planned first.
    while (tile !== undefined && !this.#tiles.has(tileKey(tile))) {
      this.#tiles.set(tileKey(tile), tile);
      tile = tileInTree(tile.level + 1, Math.floor(tile.n / TILE_WIDTH), this.#size);
    }
  }

  tiles(): Tile[] {
    return [...this.#tiles.values()];
  }
}

function readNode(size: number, believed: Map<string, Pyramid>, failed: Map<string, TileError>, node: Node): Hash {
  const tile = tileOf(node, size);
  const key = tileKey(tile);
  const pyramid = believed.get(key);
  if (pyramid === undefined) throw failed.get(key) ?? new Error(`${formatTilePath(tile)} is not of this plan`);
  const level = node.level % TILE_HEIGHT;
  return pyramid.hash(level, node.n - tile.n * (TILE_WIDTH / 2 ** level));
}

/** The tile, as the tree of `size` has it, from which a node is computed. */
function tileOf({ level, n }: Node, size: number): Tile {
  const tileLevel = Math.floor(level / TILE_HEIGHT);
  const perTile = TILE_WIDTH / 2 ** (level % TILE_HEIGHT);
  const tile = tileInTree(tileLevel, Math.floor(n / perTile), size);
  if (tile === undefined) throw new Error(`no node (${level}, ${n}) in a tree of ${size}`);
  return tile;
}

function checkedSize(tile: Tile, bytes: Uint8Array | undefined): Uint8Array {
  const want = tile.width * HASH_SIZE;
  if (bytes?.length !== want) {
    throw new TileError('TILE_SIZE', formatTilePath(tile), `${bytes?.length ?? 'no'} bytes, want ${want}`);
  }
  return bytes;
}

/** A tile's identity in one tree, where its width is given by the size. */
function tileKey(tile: Tile): string {
  return `${tile.level}/${tile.n}`;
}

function byLevelDown(a: Tile, b: Tile): number {
  return b.level - a.level;
}
