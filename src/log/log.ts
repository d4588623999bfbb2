/**
 * An append-only log of one's own, signed by one's own key.
 *
 * **Order.** A batch is checked whole; kept durably, staged; its tree is noted as signed (lastsigned.ts); signed; and published:
 * records, index, tiles and signed head in ONE commit. So no head is ever seen that its tiles do not support, and none is
 * signed that another could contradict. What `add` says is recorded, is durable.
 * **After a crash** the next turn finishes what was staged, whichever step it came to: the same records give the same tree, and
 * the same tree the same signature.
 * **One at a time.** The place of what was signed last is held for all of it: a second process waits, reads again, goes on.
 * **Restored backups and copies** of the data file lack the tree that was signed last, or what leads to it: then nothing is
 * signed any more (`SIGNING_REFUSED`).
 */

import type { Change, Store } from '../contract.js';
import type { Progress } from '../client/sumdb.js';
import { formatVerifierKey, parseVerifierKey, verifierKeyOf, type VerifierKey } from '../core/key.js';
import { formatModuleVersion } from '../core/module.js';
import { signNote } from '../core/note.js';
import type { LogRecord } from '../core/record.js';
import { liesUnder, timelineHead } from '../core/timeline.js';
import { planTiles } from '../core/plan.js';
import { EMPTY_HASH, formatTreeHead, openTreeHead, sameTree, type SignedHead, type TreeHead } from '../core/treehead.js';
import { GosumError } from '../errors.js';
import { newSalt } from '../whole/key.js';
import { logOf, mergePending } from '../whole/merge.js';
import { WholeLog } from '../whole/reader.js';
import { append, type Appended } from './append.js';
import type { HeldSigned, LastSigned } from './lastsigned.js';
import { checkNewRecord, formatNewRecord, saysTheSame, type NewRecord } from './newrecord.js';
import type { SignerKeys } from './signerkey.js';
import { formatStaged, parseStaged } from './staged.js';
import { readTiles } from './tiles.js';

/** A step of a batch that is done. */
export type Step = 'staged' | 'noted' | 'signed' | 'published';

/** What a log is made of. */
export interface OwnLogOptions {
  /** Keeps the whole log. It should refuse damaged rows: nobody else can be asked for them. */
  readonly store: Store;
  readonly signers: SignerKeys;
  readonly state: LastSigned;
  /** Told of each step of a batch. What it throws ends the work there, as a crash would. */
  readonly reached?: (step: Step) => void | Promise<void>;
}

/** How records are added. */
export interface AddOptions {
  readonly signal?: AbortSignal | undefined;
  /** A phase `recording`, a step for each batch. */
  readonly progress?: Progress | undefined;
}

/** What came of adding records. */
export interface Added {
  /** Module versions that are recorded now, and were not before. */
  readonly added: number;
  /** Module versions that the log had already, with the same hashes. */
  readonly known: number;
  /** The tree that is published. */
  readonly head: TreeHead;
}

/** The most records that are published at once: some MB in memory and in the journal. */
const BATCH = 8192;

/** A log of one's own. */
export class OwnLog {
  readonly name: string;
  readonly #options: OwnLogOptions;
  readonly #keys: readonly VerifierKey[];

  constructor(options: OwnLogOptions) {
    this.#options = options;
    this.name = options.signers[0].name;
    this.#keys = options.signers.map(verifierKeyOf);
  }

  /**
   * Begins the log: signs and publishes the empty tree. Does nothing where that was done before.
   *
   * @throws {GosumError} as `add`.
   */
  begin(): Promise<TreeHead> {
    const { state, store } = this.#options;
    return state.hold(async (held) => {
      const key = await this.#keyInStore();
      const newest = await store.newest(key);
      if (newest !== undefined) return treeOf(await this.#settle(held, key));
      const empty = { size: 0, hash: EMPTY_HASH };
      if ((held.head?.size ?? 0) > 0) throw this.#refused(held.head, undefined);
      if (held.head === undefined) await held.swap(empty);
      await this.#publish(key, empty, undefined, { heads: [], tiles: [], log: { salt: newSalt(), expect: 0, indexed: 0 } });
      return empty;
    });
  }

  /**
   * Records module versions: all that are not in the log yet, in the given order. What the log has already with the same hashes
   * is passed over.
   *
   * Before anything is written all of them are checked; after that they are published in batches of some thousands, and ended
   * between two by the signal.
   *
   * @throws {GosumError} what `checkNewRecord` throws; `HASH_MISMATCH` where the log, or another of the records, has another
   * hash for a module version: then nothing is recorded. `SIGNING_REFUSED` where the data are not those that were signed last;
   * `STORE_FAILED`; the signal's reason.
   */
  async add(records: readonly NewRecord[], { signal, progress }: AddOptions = {}): Promise<Added> {
    for (const record of records) checkNewRecord(record);
    return this.#options.state.hold(async (held) => {
      const key = await this.#keyInStore();
      let head = await this.#settle(held, key);
      await this.#finishIndex(key, head);
      const fresh = await this.#unknown(key, records, signal);
      progress?.phase('recording', Math.ceil(fresh.length / BATCH));
      for (let from = 0; from < fresh.length; from += BATCH) {
        signal?.throwIfAborted();
        const { size } = head;
        const batch = fresh.slice(from, from + BATCH).map((record, i): LogRecord => ({ id: size + i, text: formatNewRecord(record) }));
        head = await this.#record(held, key, head, batch);
        progress?.tick();
      }
      return { added: fresh.length, known: records.length - fresh.length, head: treeOf(head) };
    }, signal);
  }

  /**
   * Finishes what a crash, or a mirror that made the data file, has left half done, and sees that what is published is what was
   * signed last.
   *
   * @throws {GosumError} as `add`.
   */
  recover(): Promise<TreeHead> {
    return this.#options.state.hold(async (held) => {
      const key = await this.#keyInStore();
      const head = await this.#settle(held, key);
      await this.#finishIndex(key, head);
      return treeOf(head);
    });
  }

  /**
   * As `recover`, and signs the newest head by all keys there are: so it is done when a key is changed.
   *
   * @throws {GosumError} as `add`.
   */
  sign(): Promise<TreeHead> {
    return this.#options.state.hold(async (held) => {
      const key = await this.#keyInStore();
      const head = await this.#settle(held, key);
      await this.#publish(key, head, head.size, { heads: [], tiles: [] });
      return treeOf(head);
    });
  }

  /**
   * Notes the tree that the data have as the one that was signed last, where nothing was ever noted, or a tree that theirs begins
   * with. To be done when a person knows that no newer copy of the data exists anywhere.
   *
   * @throws {GosumError} `SIGNING_REFUSED` where what was signed last is not the beginning of what the data have.
   */
  takeData(): Promise<TreeHead> {
    const { state, store } = this.#options;
    return state.hold(async (held) => {
      const key = await this.#keyInStore();
      const head = await this.#newest(key);
      const { head: noted } = held;
      if (noted !== undefined && noted.size > 0 && !(noted.size <= head.size && (await beginsWith(store, key, head, noted)))) throw this.#refused(noted, head);
      await held.swap(treeOf(head));
      return treeOf(await this.#settle(held, key));
    });
  }

  /** The key that the store has the log under: one of ours. */
  async #keyInStore(): Promise<string> {
    const { store, signers } = this.#options;
    logOf(store);
    const [first = ''] = this.#keys.map(formatVerifierKey);
    const known = (await store.keyOf(signers[0].name)) ?? first;
    if (this.#keys.some((key) => formatVerifierKey(key) === known)) return known;
    throw new GosumError('KEY_CHANGED', `${store.label}: its log ${this.name} has the key ${known}, and the given one is ${first}`, {
      hint: 'give the key that the log was begun with; `gosumcheck log rekey` changes it',
    });
  }

  /** The head in the store, whose signature is checked. */
  async #newest(key: string): Promise<SignedHead> {
    const { store } = this.#options;
    const newest = await store.newest(key);
    if (newest === undefined) throw new GosumError('CONFIG_INVALID', `${store.label}: there is no log ${this.name} in it`, { hint: 'begin one: gosumcheck log init' });
    return openTreeHead(newest.note, parseVerifierKey(key));
  }

  /** Brings store and state together, as far as a crash has parted them; the head that both have then. */
  async #settle(held: HeldSigned, key: string): Promise<SignedHead> {
    const { store } = this.#options;
    const head = await this.#newest(key);
    const bytes = await logOf(store).staged(key);
    const staged = bytes === undefined ? [] : parseStaged(bytes);
    const isNext = staged[0]?.id === head.size;
    const isSame = held.head !== undefined && sameTree(held.head, head);
    if (isSame && !isNext) return head;
    if (isNext && held.head !== undefined) {
      const next = await append(store, key, head, staged);
      if (isSame || sameTree(next.head, held.head)) return this.#finish(held, key, head, next);
    }
    throw this.#refused(held.head, head);
  }

  /** Stages a batch and takes it through all steps. What could go wrong with it is found out before: a staged batch stays. */
  async #record(held: HeldSigned, key: string, head: SignedHead, batch: readonly LogRecord[]): Promise<SignedHead> {
    const { store, reached } = this.#options;
    const next = await append(store, key, head, batch);
    const { salt, expect } = next.log;
    await this.#commit(key, { name: this.name, expect: head.size, heads: [], tiles: [], receipts: [], log: { salt, expect, staged: formatStaged(batch) } });
    await reached?.('staged');
    return this.#finish(held, key, head, { ...next, log: { ...next.log, expect: expect + 1 } });
  }

  /** The steps of a staged batch: noted, signed, published. */
  async #finish(held: HeldSigned, key: string, head: SignedHead, next: Appended): Promise<SignedHead> {
    await held.swap(next.head);
    await this.#options.reached?.('noted');
    const { before, tiles, log } = next;
    return this.#publish(key, next.head, head.size, { heads: [before], tiles, log });
  }

  /** Signs a tree that is noted, and commits it with all that it needs. */
  async #publish(key: string, head: TreeHead, expect: number | undefined, change: Pick<Change, 'heads' | 'tiles' | 'log'>): Promise<SignedHead> {
    const { reached, signers } = this.#options;
    const note = signNote(formatTreeHead(head), signers);
    await reached?.('signed');
    const { heads, tiles, log } = change;
    const base = { name: this.name, expect, heads: [...heads, timelineHead({ ...head, note })], tiles, receipts: [], newestOnly: true };
    await this.#commit(key, log === undefined ? base : { ...base, log: { ...log, seen: { size: head.size, at: Date.now() }, staged: null } });
    await reached?.('published');
    return { ...head, note };
  }

  /** Nobody else signs meanwhile. Whoever changes the file all the same was not told of this log's state. */
  async #commit(key: string, change: Change): Promise<void> {
    const { store } = this.#options;
    if (await store.commit(key, change)) return;
    throw new GosumError('STORE_FAILED', `${store.label}: another process writes to it, and does not hold ${this.#options.state.label}`, {
      hint: 'use one state file for all who add to the log; then try again',
    });
  }

  /** Of a copy that a mirror has made, entries of the index may be pending. Without them a record could be overlooked. */
  async #finishIndex(key: string, { size }: TreeHead): Promise<void> {
    const { store } = this.#options;
    const log = logOf(store);
    const state = await log.state(key);
    if (state?.indexed === size && (await log.pendingBuckets(key)).length === 0) return;
    if ((await mergePending(store, this.name, key)) < size) {
      throw new GosumError('STORE_FAILED', `${store.label}: it has not all records of the log`, { hint: 'put a copy of the whole log in its place: docs/log.md' });
    }
  }

  /** The records that are not in the log, each module version once. */
  async #unknown(key: string, records: readonly NewRecord[], signal: AbortSignal | undefined): Promise<NewRecord[]> {
    const log = new WholeLog(this.#options.store, key);
    const fresh = new Map<string, NewRecord>();
    const conflicts = new Set<string>();
    for (const record of records) {
      const { module, version } = record;
      const name = formatModuleVersion(module, version);
      const earlier = fresh.get(name);
      if (earlier !== undefined) {
        if (earlier.h1 !== record.h1 || earlier.goMod !== record.goMod) conflicts.add(name);
        continue;
      }
      const known = await log.find(module, version);
      if (known.length === 0) fresh.set(name, record);
      else if (!known.every(({ text }) => saysTheSame(text, record))) conflicts.add(name);
      if (fresh.size % 1000 === 0) signal?.throwIfAborted();
    }
    if (conflicts.size > 0) throw conflict([...conflicts]);
    return [...fresh.values()];
  }

  /** Says why nothing can be signed, and what to do. */
  #refused(noted: TreeHead | undefined, head: TreeHead | undefined): GosumError {
    const { store, state } = this.#options;
    const has = `${store.label} has ${head === undefined ? 'no tree' : `the tree of ${head.size}`}`;
    if (noted === undefined) {
      return new GosumError('SIGNING_REFUSED', `nothing is signed: ${has}, and ${state.label} says nothing of what was signed last`, {
        hint: 'give the state file that the log was begun with; if it is lost, and this data file is the newest one for certain: gosumcheck log state --take-data',
      });
    }
    if (noted.size >= (head?.size ?? 0)) {
      return new GosumError('SIGNING_REFUSED', `nothing is signed: ${has}, but the tree of ${noted.size} was signed after it (${state.label}): the data file is a restored backup, or a copy`, {
        hint: 'put the newest data file in its place, or a mirror’s copy of this log: docs/log.md',
      });
    }
    return new GosumError('SIGNING_REFUSED', `nothing is signed: ${has}, but ${state.label} says that the tree of ${noted.size} was the last: the state is a restored backup, or a copy`, {
      hint: 'give the state file that is in use; if it is lost, and this data file is the newest one for certain: gosumcheck log state --take-data',
    });
  }
}

function treeOf({ size, hash }: TreeHead): TreeHead {
  return { size, hash };
}

/** Reports whether the tree that a store has begins with another. */
async function beginsWith(store: Store, key: string, head: TreeHead, old: TreeHead): Promise<boolean> {
  const plan = planTiles(head, { trees: [old.size] });
  return liesUnder(plan.authenticate(await readTiles(store, key, plan.tiles)), old);
}

function conflict(names: readonly string[]): GosumError {
  const [first = ''] = names;
  const more = names.length === 1 ? '' : `, and ${names.length - 1} more`;
  return new GosumError('HASH_MISMATCH', `${first}${more}: recorded with other hashes`, {
    hint: 'nothing was recorded now. A version is recorded once, for ever: publish another version',
  });
}
