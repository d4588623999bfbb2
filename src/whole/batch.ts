/** A batch: proved work of many tiles, gathered into what one commit adds to the whole log. */

import type { LogChange, PackedTile } from '../contract.js';
import { provePack } from '../core/leaves.js';
import type { ProvedTree } from '../core/plan.js';
import type { Proved } from '../core/proved.js';
import { pendingByBucket, type NewEntries } from './entry.js';
import { pathTexts, RecentPaths } from './pathbytes.js';
import type { TileWork } from './work.js';

/** What a batch adds: everything of a `LogChange` but the salt, which the caller has. */
export type BatchChange = Required<Pick<LogChange, 'packs' | 'pending' | 'modules'>>;

/** Gathers work until it is committed. One for a whole sync: it remembers module paths that were in it lately, and leaves them out. */
export class LogBatch {
  #packs: Proved<PackedTile>[] = [];
  #entries: NewEntries[] = [];
  #modules: Uint8Array[] = [];
  #records = 0;
  readonly #recent = new RecentPaths();

  /** Records gathered since the last commit. */
  get records(): number {
    return this.#records;
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
    this.#modules.push(this.#recent.add(work.modules)); // of proved work alone: what is dropped shall keep nothing out
    this.#records += work.width;
  }

  /** What was gathered; it stays until `committed` or `drop`. Of module paths few come twice. */
  change(): BatchChange {
    const packs = [...this.#packs].sort((a, b) => a.n - b.n);
    return { packs, pending: pendingByBucket(this.#entries), modules: this.#modules.flatMap(pathTexts) };
  }

  /** Begins a new batch: the change is being committed. Where that comes to nothing, `forget`. */
  committed(): void {
    this.#packs = [];
    this.#entries = [];
    this.#modules = [];
    this.#records = 0;
  }

  /** Forgets what was gathered. */
  drop(): void {
    this.committed();
    this.forget();
  }

  /**
   * Takes no module path for kept any more, as a change was not committed, or the file is another one. What was left out since
   * then comes again with the tiles of that change, which are still missing.
   */
  forget(): void {
    this.#recent.clear();
  }
}
