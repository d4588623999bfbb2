/**
 * The database over a log of one's own, as it is served: what is published in its data file, at any moment, whoever has
 * published it. It needs no signer key.
 */

import type { Database, Store } from '../contract.js';
import { makeBulk } from '../core/bulk.js';
import type { BulkQuery } from '../core/bulkform.js';
import { equalBytes } from '../core/hash.js';
import { parseVerifierKey } from '../core/key.js';
import { formatModuleVersion, type ModuleVersion } from '../core/module.js';
import { planTiles } from '../core/plan.js';
import { formatLookup } from '../core/record.js';
import { DATA_LEVEL, formatTilePath, isTileInTree, type Tile } from '../core/tile.js';
import { openTreeHead, type SignedHead } from '../core/treehead.js';
import { GosumError } from '../errors.js';
import { logOf } from '../whole/merge.js';
import { WholeLog } from '../whole/reader.js';
import { readTiles } from './tiles.js';

/** What is published now. */
interface Published {
  readonly head: SignedHead;
  /** With all signatures: more than one while the key is being changed. */
  readonly note: Uint8Array;
  readonly key: string;
  readonly log: WholeLog;
}

/** A log of one's own as a database. */
export class LogDatabase implements Database {
  readonly name: string;
  readonly #store: Store;
  #published: Published | undefined;
  #bulk: Promise<unknown> = Promise.resolve();

  /** @throws {GosumError} `STORE_FAILED` where the store has no room for a whole log. */
  constructor(store: Store, name: string) {
    logOf(store);
    this.name = name;
    this.#store = store;
  }

  /** The head that was read last, and its verifier key; `undefined` before the first. */
  get seen(): { readonly head: SignedHead; readonly key: string } | undefined {
    return this.#published;
  }

  /** The newest published head. @throws {GosumError} `CONFIG_INVALID` where there is none; `STORE_FAILED`. */
  async head(): Promise<SignedHead> {
    return (await this.#newest()).head;
  }

  /** The verifier key that the store has the log under. @throws {GosumError} as `head`. */
  async key(): Promise<string> {
    return (await this.#newest()).key;
  }

  async latest(): Promise<Uint8Array> {
    return (await this.#newest()).note;
  }

  async lookup(module: string, version: string): Promise<Uint8Array> {
    const { log } = await this.#newest();
    const [record] = await log.find(module, version);
    if (record === undefined) {
      await this.#checkIndex();
      throw notFound(`${formatModuleVersion(module, version)}: not in the log`);
    }
    // read after the record, which may have come meanwhile: its head came with it
    const { note } = await this.#newest();
    return formatLookup({ ...record, note });
  }

  async tile(tile: Tile): Promise<Uint8Array> {
    const { head, key, log } = await this.#newest();
    const { level, n, width } = tile;
    if (!isTileInTree(tile, head.size)) throw notFound(`${formatTilePath(tile)}: beyond the tree of ${head.size}`);
    const [bytes] = level === DATA_LEVEL ? [await log.dataTile(n, width)] : await readTiles(this.#store, key, [tile]);
    if (bytes === undefined) throw new GosumError('STORE_FAILED', `${this.#store.label}: ${formatTilePath(tile)} is not there`, { hint: 'gosumcheck audit --data FILE says what is damaged' });
    return bytes;
  }

  /** Made of the store's tiles, one answer after the other: each may need some MB. */
  bulk({ old, wanted }: BulkQuery): Promise<Uint8Array> {
    const made = this.#bulk.then(() => this.#makeBulk(old, wanted));
    this.#bulk = made.catch(() => undefined);
    return made;
  }

  async #makeBulk(old: number, wanted: readonly ModuleVersion[]): Promise<Uint8Array> {
    const { log } = await this.#newest();
    const found = await Promise.all(wanted.map(({ module, version }) => log.find(module, version)));
    const records = found.flatMap((each) => each.slice(0, 1));
    if (records.length < wanted.length) await this.#checkIndex();
    const missing = wanted.filter((_, i) => found[i]?.length === 0).map((each) => ({ ...each, status: 404 }));
    const { head, note, key } = await this.#newest();
    const plan = planTiles(head, { records: records.map(({ id }) => id), links: old > 0 && old < head.size ? [old] : [] });
    const tree = plan.authenticate(await readTiles(this.#store, key, plan.tiles));
    return makeBulk(tree, { ...head, note }, old, records, missing);
  }

  /** Checks that what is not found is not there: a copy that a mirror makes may not have all records, or not all in its index. */
  async #checkIndex(): Promise<void> {
    const { head, log } = await this.#newest();
    if (((await log.state())?.indexed ?? 0) >= head.size) return;
    throw new GosumError('STORE_FAILED', `${this.#store.label}: it has not all records of the tree of ${head.size}, or not all in its index`, {
      hint: 'gosumcheck sync completes a copy that it has begun; gosumcheck log state one that is to be signed on',
    });
  }

  /** The published head: read each time, since another process appends. */
  async #newest(): Promise<Published> {
    const known = this.#published;
    let key = known?.key ?? (await this.#store.keyOf(this.name));
    let newest = key === undefined ? undefined : await this.#store.newest(key);
    if (newest === undefined && known !== undefined) {
      // the key was changed
      key = await this.#store.keyOf(this.name);
      newest = key === undefined ? undefined : await this.#store.newest(key);
    }
    if (key === undefined || newest === undefined) {
      throw new GosumError('CONFIG_INVALID', `${this.#store.label}: there is no log ${this.name} in it`, { hint: 'begin one: gosumcheck log init' });
    }
    if (known?.key === key && equalBytes(known.note, newest.note)) return known;
    const head = openTreeHead(newest.note, parseVerifierKey(key));
    return (this.#published = { head, note: newest.note, key, log: known?.key === key ? known.log : new WholeLog(this.#store, key) });
  }
}

function notFound(message: string): GosumError {
  return new GosumError('NOT_FOUND', message);
}
