/** A batch: proved work of many tiles, gathered into what one commit adds to the whole log. */

import type { LogChange, PackedTile } from '../contract.js';
import { provePack } from '../core/leaves.js';
import type { ProvedTree } from '../core/plan.js';
import type { Proved } from '../core/proved.js';
import { pendingByBucket, type NewEntries } from './entry.js';
import type { TileWork } from './work.js';

/** The most module paths that a batch remembers to have been committed: each is some 100 bytes of memory. */
const MOST_KNOWN = 100_000;

/** What a batch adds: everything of a `LogChange` but the salt, which the caller has. */
export type BatchChange = Required<Pick<LogChange, 'packs' | 'pending' | 'modules'>>;

/** Gathers work until it is committed. One for a whole sync: it remembers module paths that are kept already. */
export class LogBatch {
  #packs: Proved<PackedTile>[] = [];
  #entries: NewEntries[] = [];
  #modules = new Set<string>();
  readonly #known = new Set<string>();

  /** Records gathered since the last commit. */
  get records(): number {
    return this.#packs.reduce((sum, { width }) => sum + width, 0);
  }

  /**
   * Proves the work of a tile and takes it in. Of records that are kept already (of a narrower pack) the entries come once
   * more, and are dropped when they are merged.
   *
   * @throws {TileError} as `provePack`; then nothing is taken in.
   */
  add(tree: ProvedTree, work: TileWork): void {
    this.#packs.push(provePack(tree, { n: work.n, width: work.width, parts: work.parts }, work.nodes));
    this.#entries.push(work.entries);
    for (const module of work.modules) if (!this.#known.has(module)) this.#modules.add(module);
  }

  /** What was gathered; it stays until `committed` or `drop`. */
  change(): BatchChange {
    const packs = [...this.#packs].sort((a, b) => a.n - b.n);
    return { packs, pending: pendingByBucket(this.#entries), modules: [...this.#modules] };
  }

  /** Tells that the change was committed: a new batch begins. */
  committed(): void {
    for (const module of this.#modules) {
      if (this.#known.size >= MOST_KNOWN) this.#known.clear();
      this.#known.add(module);
    }
    this.drop();
  }

  /** Forgets what was gathered. */
  drop(): void {
    this.#packs = [];
    this.#entries = [];
    this.#modules = new Set();
  }
}
