/**
 * Keeping: what a batch has proved goes into the store, by compare-and-swap of the timeline.
 */

import type { Change, TimelineHead } from '../contract.js';
import type { ForkError } from '../core/fork.js';
import { formatVerifierKey, type VerifierKey } from '../core/key.js';
import type { ProvedTree } from '../core/plan.js';
import type { Proved } from '../core/proved.js';
import { keptRecord, makeReceipt, type ProvedRecord } from '../core/receipt.js';
import { linkedHead, newestHead } from '../core/timeline.js';
import { TILE_WIDTH } from '../core/tile.js';
import type { SignedHead } from '../core/treehead.js';
import { GosumError, isGosumError } from '../errors.js';
import type { SumDBOptions } from './sumdb.js';

/** What was proved under one head. */
export interface ToKeep {
  readonly tree: ProvedTree;
  readonly head: SignedHead;
  /** The timeline's newest head that it was proved against; `undefined` at first contact. */
  readonly newest: SignedHead | undefined;
  /** Heads that were proved to lie under `head`, `newest` among them. */
  readonly before: readonly SignedHead[];
  /** By `path@version`. */
  readonly records: ReadonlyMap<string, ProvedRecord>;
}

/** Puts things into a client's store. */
export class Keeper {
  readonly #name: string;
  readonly #vkey: string;
  readonly #options: Pick<SumDBOptions, 'store' | 'keep' | 'notice'>;

  constructor(key: VerifierKey, options: Pick<SumDBOptions, 'store' | 'keep' | 'notice'>) {
    this.#name = key.name;
    this.#vkey = formatVerifierKey(key);
    this.#options = options;
  }

  /** Keeps what was proved. `false` where the timeline went forward meanwhile. */
  keep({ tree, head, newest, before, records }: ToKeep): Promise<boolean> {
    const heads: Proved<TimelineHead>[] = before.filter((old) => old.size < head.size).map((old) => linkedHead(tree, old));
    if (newest === undefined || newest.size < head.size) heads.push(newestHead(tree, head));
    const change = { expect: newest?.size, heads };
    if (this.#options.keep === 'all') {
      const kept = [...records].map(([name, record]) => keptRecord(record, name));
      return this.commit({ ...change, tiles: tree.tiles, receipts: [], records: kept, newestOnly: true });
    }
    return this.commit({
      ...change,
      // Not the full tiles of records: the receipt proves these, and the next record seldom lies in the same tile.
      tiles: tree.tiles.filter(({ tile }) => tile.level > 0 || tile.width < TILE_WIDTH),
      receipts: records.size === 0 ? [] : [makeReceipt(tree, head, [...records.values()], [...records.keys()])],
    });
  }

  /** Makes a change of the store. `true` also where the store failed: what is proved is true, kept or not. */
  async commit(change: Omit<Change, 'name'>): Promise<boolean> {
    try {
      return await this.#options.store.commit(this.#vkey, { name: this.#name, ...change });
    } catch (error) {
      if (!isGosumError(error, 'STORE_FAILED')) throw error;
      this.#options.notice?.(`what was proved could not be kept: ${error.message}`, false);
      return true;
    }
  }

  /** Keeps the evidence of a fork; that it cannot be kept is urgent. */
  async keepEvidence({ evidence }: ForkError): Promise<void> {
    try {
      await this.#options.store.addEvidence({ key: this.#vkey, foundAt: new Date().toISOString(), ...evidence });
    } catch (error) {
      if (!(error instanceof GosumError)) throw error;
      this.#options.notice?.(`the evidence could not be kept, so keep this report: ${error.message}`, true);
    }
  }
}
