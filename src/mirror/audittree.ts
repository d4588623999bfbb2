/** One tree of an audit: proves kept tiles and leaves under its head, by the tiles that are kept beside them. */

import type { TileBytes } from '../contract.js';
import { equalBytes, hashAt, type Hash } from '../core/hash.js';
import { planTiles, TileError, type ProvedTree, type Wanted } from '../core/plan.js';
import { formatTilePath, TILE_HEIGHT, TILE_WIDTH, tileInTree, type Tile } from '../core/tile.js';
import type { TreeHead } from '../core/treehead.js';
import { GosumError } from '../errors.js';

/** Why something could not be judged offline. It is no failure of what it is about. */
export class Unjudged extends Error {
  override readonly name = 'Unjudged';
}

/** What was proved of a page. */
export interface ProvedPage {
  /** Says that the tile is true. @throws {GosumError} where it is not; {Unjudged} where what it hangs on is not proved. */
  tile(tile: Tile): void;
  /** Says that the tile is the beginning of a kept one that is as wide as this tree has it. @throws as `tile`. */
  begins(tile: TileBytes): void;
  /** The hash of a record's leaf. @throws {Unjudged} */
  leaf(id: number): Hash;
  /** The hash of a node of the tree, which a tile that was wanted has. @throws {Unjudged} */
  node(level: number, n: number): Hash;
  /** All that was proved. @throws {Unjudged} where the right edge was not. */
  tree(): ProvedTree;
}

/** A signed tree, and a way to the kept tiles. */
export class AuditTree {
  readonly #head: TreeHead;
  readonly #kept: (wanted: readonly Tile[]) => Promise<(Uint8Array | undefined)[]>;
  /** The paths of its right edge. */
  readonly #edge: ReadonlySet<string>;

  constructor(head: TreeHead, kept: (wanted: readonly Tile[]) => Promise<(Uint8Array | undefined)[]>) {
    this.#head = head;
    this.#kept = kept;
    this.#edge = new Set(planTiles(head, {}).tiles.map(formatTilePath));
  }

  /** Reports whether the tile is as wide as this tree has it. */
  has({ level, n, width }: Tile): boolean {
    return tileInTree(level, n, this.#head.size)?.width === width;
  }

  /**
   * Proves tiles that were read, and leaves.
   *
   * @param tiles each as wide as this tree has it.
   * @param records less than the tree's size.
   * @param more kept tiles, and links, that are wanted as well.
   * @throws {GosumError} `STORE_FAILED` where the kept tiles cannot be read.
   */
  async prove(tiles: readonly TileBytes[], records: readonly number[], more: Pick<Wanted, 'tiles' | 'links'> = {}): Promise<ProvedPage> {
    const plan = planTiles(this.#head, { ...more, tiles: [...tiles.map(({ tile }) => tile), ...(more.tiles ?? [])], records });
    const given = new Map(tiles.map(({ tile, bytes }) => [formatTilePath(tile), bytes]));
    const wanted = plan.tiles.filter((tile) => !given.has(formatTilePath(tile)));
    const read = await this.#kept(wanted);
    const bytes = new Map([...given, ...wanted.map((tile, i) => [formatTilePath(tile), read[i]] as const)]);
    let tree: ProvedTree | undefined;
    let absent: string | undefined;
    try {
      tree = plan.authenticate(plan.tiles.map((tile) => bytes.get(formatTilePath(tile))));
    } catch (error) {
      if (!(error instanceof TileError)) throw error;
      absent = error.path;
    }
    const { size } = this.#head;
    const isEdge = (tile: Tile): boolean => this.#edge.has(formatTilePath(tile));
    const provedTree = (): ProvedTree => {
      if (tree !== undefined) return tree;
      if (absent !== undefined) throw new Unjudged(`${absent}, of the right edge of the tree of ${size}, is not kept or not as it was written`);
      throw new Unjudged(`the right edge of the tree of ${size} is not proved`);
    };
    const readNode = (level: number, n: number): Hash => provedTree().read(level, n);
    return {
      tree: provedTree,
      node: (level, n) => unjudged(undefined, () => readNode(level, n)),
      tile: (tile) => {
        if (tree === undefined && absent === undefined && isEdge(tile)) {
          throw new GosumError('TILE_MISMATCH', `the tiles of the right edge do not give the tree of ${size}: this one, or another of them, is not true`);
        }
        unjudged(tile, () => readNode(TILE_HEIGHT * tile.level, tile.n * TILE_WIDTH));
      },
      begins: ({ tile, bytes }) => {
        const own = (i: number): Hash => unjudged(undefined, () => readNode(TILE_HEIGHT * tile.level, tile.n * TILE_WIDTH + i));
        for (let i = 0; i < tile.width; i++) {
          if (!equalBytes(hashAt(bytes, i), own(i))) throw new GosumError('TILE_MISMATCH', `it is not the beginning of the tile in the tree of ${size}`);
        }
      },
      leaf: (id) => unjudged(undefined, () => readNode(0, id)),
    };
  }
}

/** A tile's own fault is one; that another, on which it hangs, is not proved, leaves it unjudged. */
function unjudged<T>(own: Tile | undefined, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TileError) || (own !== undefined && error.path === formatTilePath(own))) throw error;
    const why = error.code === 'TILE_SIZE' ? 'is not kept, or not as it was written' : 'is not true';
    throw new Unjudged(`${error.path ?? 'a tile'}, which ties it to the tree, ${why}`);
  }
}
