/** A database while it is audited: its signed heads, and the trees that things are proved in. */

import type { StoreRows } from '../contract.js';
import { HASH_SIZE } from '../core/hash.js';
import { formatVerifierKey, type VerifierKey } from '../core/key.js';
import { hashLeaves } from '../core/leaves.js';
import type { Tile } from '../core/tile.js';
import type { SignedHead, TreeHead } from '../core/treehead.js';
import { isGosumError } from '../errors.js';
import { unpackLeaves } from '../whole/pack.js';
import { AuditTree, Unjudged } from './audittree.js';

/** What is known of a database. */
export class AuditedDatabase {
  readonly name: string;
  readonly key: VerifierKey;
  /** Its canonical spelling. */
  readonly vkey: string;
  /** Each head that opened, by size. */
  readonly heads: Map<number, SignedHead>;
  /** The one without a greater one; `undefined` until it is known. */
  newest: SignedHead | undefined;
  readonly #rows: StoreRows;
  readonly #trees = new Map<number, AuditTree>();

  constructor(name: string, key: VerifierKey, rows: StoreRows) {
    this.name = name;
    this.key = key;
    this.vkey = formatVerifierKey(key);
    this.heads = new Map();
    this.#rows = rows;
  }

  /** The newest head. @throws {Unjudged} where there is none. */
  head(): SignedHead {
    if (this.newest === undefined) throw new Unjudged('there is no newest tree head, signed by the key, to prove it under');
    return this.newest;
  }

  /** The tree of a head. */
  tree(head: TreeHead): AuditTree {
    let tree = this.#trees.get(head.size);
    if (tree === undefined) this.#trees.set(head.size, (tree = new AuditTree(head, (wanted) => this.#kept(wanted))));
    return tree;
  }

  /** Kept tiles; those of level 0, which a whole log does not keep, are made of its records. */
  async #kept(wanted: readonly Tile[]): Promise<(Uint8Array | undefined)[]> {
    const tiles = await this.#rows.tiles(this.vkey, wanted);
    return Promise.all(wanted.map(async (tile, i) => tiles[i] ?? (tile.level === 0 ? this.#madeTile(tile) : undefined)));
  }

  async #madeTile({ n, width }: Tile): Promise<Uint8Array | undefined> {
    const [pack] = await this.#rows.log.packs(this.vkey, [n]);
    if (pack === undefined || pack.width < width) return undefined;
    try {
      return hashLeaves(unpackLeaves(pack.parts)).subarray(0, width * HASH_SIZE);
    } catch (error) {
      if (isGosumError(error)) return undefined; // the pack's own row says it
      throw error;
    }
  }
}
