/**
 * Commits of a sync. A server on the same file may take a newer head at any time: then what was proved under the older one is
 * as true as before, since both lie on one timeline, and is committed again against the newer.
 */

import type { LogChange, Store } from '../contract.js';
import { equalBytes } from '../core/hash.js';
import { formatVerifierKey, type VerifierKey } from '../core/key.js';
import { GosumError } from '../errors.js';
import { newSalt } from '../whole/key.js';

/** How often the timeline may move under one commit. Each time means that somebody else went forward. */
const MAX_ROUNDS = 64;

/** Commits to the whole log of one database. */
export class SyncCommits {
  readonly #store: Store;
  readonly #name: string;
  readonly #vkey: string;
  readonly salt: Uint8Array;

  private constructor(store: Store, key: VerifierKey, salt: Uint8Array) {
    this.#store = store;
    this.#name = key.name;
    this.#vkey = formatVerifierKey(key);
    this.salt = salt;
  }

  /**
   * Begins to commit. Where nothing of the log was ever kept, the index's secret is made and kept first: of two processes
   * that begin at once the second uses what the first has made.
   *
   * @throws {GosumError} `STORE_FAILED`.
   */
  static async begin(store: Store, key: VerifierKey): Promise<SyncCommits> {
    const vkey = formatVerifierKey(key);
    let state = await store.log?.state(vkey);
    if (state === undefined) {
      const newest = await store.newest(vkey);
      const change = { name: key.name, expect: newest?.size, heads: [], tiles: [], receipts: [] };
      await store.commit(vkey, { ...change, log: { salt: newSalt() } });
      state = await store.log?.state(vkey);
    }
    if (state === undefined) throw moved(store);
    return new SyncCommits(store, key, state.salt);
  }

  /**
   * Makes a change.
   *
   * @throws {GosumError} `STORE_FAILED`, also where the file is not the one any more that was begun with.
   */
  async commit(log: Omit<LogChange, 'salt'>): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const newest = await this.#store.newest(this.#vkey);
      if (newest === undefined) throw moved(this.#store);
      const change = { name: this.#name, expect: newest.size, heads: [], tiles: [], receipts: [] };
      if (await this.#store.commit(this.#vkey, { ...change, log: { salt: this.salt, ...log } })) return;
      const state = await this.#store.log?.state(this.#vkey);
      if (state === undefined || !equalBytes(state.salt, this.salt)) throw moved(this.#store);
    }
    throw new GosumError('STORE_FAILED', `${this.#store.label}: the timeline moved ${MAX_ROUNDS} times during one commit`);
  }
}

function moved(store: Store): GosumError {
  return new GosumError('STORE_FAILED', `${store.label}: it was replaced or cleaned while the log was synced`, {
    hint: 'run sync again: it begins with what is kept now',
  });
}
