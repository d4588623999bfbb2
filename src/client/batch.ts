/**
 * One batch of lookups, from what the store can prove to what the database was asked for, proved and kept.
 */

import { GosumError } from '../errors.js';
import { ForkError } from '../core/fork.js';
import { formatVerifierKey, type VerifierKey } from '../core/key.js';
import { lookupPath, type ModuleVersion } from '../core/module.js';
import type { ProvedTree, Wanted } from '../core/plan.js';
import { findHashes } from '../core/record.js';
import { proveRecordIn, type ProvedRecord } from '../core/receipt.js';
import type { BulkAnswer } from '../core/bulk.js';
import { timelineHead } from '../core/timeline.js';
import { sameTree, type SignedHead } from '../core/treehead.js';
import { ask, HeadOpener, type Asked } from './ask.js';
import { askBulk, bulkPieces, LEAST_BULK } from './bulk.js';
import { checkHeads } from './heads.js';
import { Keeper } from './keeper.js';
import { BLANK, recall, type Memory } from './memory.js';
import { notLocal, prove, whyUnproved, type Proof } from './prove.js';
import { Reader } from './reader.js';
import type { Found, Lookups, SumDBOptions } from './sumdb.js';

/** How often the timeline may move under our hands. Each time means that somebody else went forward. */
const MAX_ROUNDS = 16;
/** Lookups that go out beside the question for the newest head, whose answer may say that a bulk query does for all. */
const FEW = 4;

/** One batch: `recall`, then, where that is not enough, `update`. */
export class Batch {
  /** By `path@version`. */
  readonly results: Map<string, Found | GosumError> = new Map<string, Found | GosumError>();
  problem: GosumError | undefined;
  head: SignedHead | undefined;

  readonly #vkey: string;
  readonly #key: VerifierKey;
  readonly #options: SumDBOptions;
  readonly #trusted: SignedHead | undefined;
  readonly #wanted: ReadonlyMap<string, ModuleVersion>;
  readonly #reader: Reader;
  readonly #heads: HeadOpener;
  readonly #keeper: Keeper;
  readonly #signal: AbortSignal | undefined;
  /** What was asked for and not yet proved, by `path@version`. */
  readonly #asked = new Map<string, Asked>();
  /** The newest head that the database shows. */
  #latest: SignedHead | undefined;
  /** Heads that caches know, or that came with answers that are not needed, and that may be on no timeline yet. */
  readonly #cachedHeads = new Set<SignedHead>();
  /** The newest head that a bulk answer proved. */
  #bulkHead: SignedHead | undefined;
  #memory: Memory = BLANK;
  #seenBefore = false;

  constructor(
    key: VerifierKey,
    options: SumDBOptions,
    trusted: SignedHead | undefined,
    wanted: ReadonlyMap<string, ModuleVersion>,
    signal: AbortSignal | undefined,
  ) {
    this.#key = key;
    this.#vkey = formatVerifierKey(key);
    this.#options = options;
    this.#trusted = trusted;
    this.#wanted = wanted;
    this.#heads = new HeadOpener(key);
    this.#keeper = new Keeper(key, options);
    this.#signal = signal;
    const { store, source, caches = [] } = options;
    this.#reader = new Reader({ key: this.#vkey, store, source, caches, signal });
  }

  get timeline(): Lookups['timeline'] {
    if (this.problem instanceof ForkError) return 'fork';
    if (this.head === undefined) return 'none';
    return this.#seenBefore ? 'consistent' : 'first-contact';
  }

  /** The way that was taken to the database; `cache` where it was not asked. */
  get way(): string {
    return this.#reader.asked ? (this.#options.source?.label ?? 'cache') : 'cache';
  }

  /** What the store could not prove. */
  get missing(): string[] {
    return [...this.#wanted.keys()].filter((name) => !this.results.has(name));
  }

  /** Whether there is a trusted head that the kept timeline is not proved to hold. */
  get trustedIsNew(): boolean {
    return this.#trusted !== undefined && this.#memory.timeline?.holds(this.#trusted) !== true;
  }

  /** Takes what the store can prove. */
  async recall(): Promise<void> {
    await this.#remember([...this.#wanted.keys()]);
    this.head = this.#memory.timeline?.newest;
    this.#seenBefore = this.head !== undefined;
    for (const name of this.#wanted.keys()) {
      const record = this.#memory.records.get(name);
      if (record !== undefined) this.#settle(name, () => this.#found(name, record, true));
    }
  }

  /**
   * Asks for the newest head and for what is missing, proves it, and keeps it.
   *
   * Where much is missing, and the way is a module proxy that takes bulk queries, one such query takes the place of all
   * that. A database at a URL of its own says only with `latest` whether it takes them. Until it has, few lookups go out
   * over HTTP/1.1, where each would need a connection; over HTTP/2 all of them do, so that nothing is lost where it does
   * not. Where it does, those under way are given up that very moment, and a bulk query asks for everything that is not
   * proved, as tiles for what was answered would be many times as much. Whatever a bulk query does not prove is asked for
   * as if there were none.
   *
   * @param fresh whether it is a problem if the newest head cannot be had. Otherwise the heads of other answers do as well.
   * @param latest whether it is asked for at all.
   */
  async update(fresh: boolean, latest = true): Promise<void> {
    for (const name of this.missing) this.#pathOf(name); // refuses what no log can have, before anything is asked
    try {
      const fits = this.#bulkFits();
      const bulk = fits ? await this.#askBulk() : undefined;
      const giveUp = fits && bulk === undefined ? new AbortController() : undefined;
      await this.#askEach(fresh, fresh || latest, giveUp);
      if (giveUp?.signal.aborted === true) {
        await this.#askBulk();
        await this.#askEach(false, false);
      }
      for (let round = 0; !(await this.#proveAll()); round++) {
        if (round === MAX_ROUNDS) throw this.#movedOften();
      }
    } catch (error) {
      this.problem = notLocal(error);
      for (const name of [...this.#asked.keys(), ...this.missing]) this.results.set(name, this.problem);
      if (this.problem instanceof ForkError) await this.#keeper.keepEvidence(this.problem);
    }
  }

  /**
   * Proves what is wanted under the newest head of the timeline, and keeps the tiles. What is proved is kept even where
   * other tiles fail.
   *
   * @param wanted in the newest head's tree.
   * @throws {GosumError} `HEAD_TOO_OLD` before first contact; as `Source.read`; `TILE_SIZE`, `TILE_MISMATCH`.
   */
  async tree(wanted: Wanted): Promise<ProvedTree> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const head = this.#memory.timeline?.newest;
      if (head === undefined) throw new GosumError('HEAD_TOO_OLD', `no tree head of ${this.#key.name} is known yet`);
      const { tree, unread } = await prove(this.#reader, head, wanted, this.#options.progress);
      const kept = await this.#keeper.commit({ expect: head.size, heads: [], tiles: tree.tiles, receipts: [] });
      const [failure] = tree.failures;
      if (failure !== undefined) throw whyUnproved(failure, unread);
      if (kept) return tree;
      await this.#remember([]);
    }
    throw this.#movedOften();
  }

  /**
   * Asks for the newest head, and for each that is missing by itself.
   *
   * @param latest whether the newest head is asked for, where no bulk answer had it.
   * @param giveUp aborted where the way announces bulk queries: ends the lookups that are under way, without a result.
   */
  async #askEach(fresh: boolean, latest: boolean, giveUp?: AbortController): Promise<void> {
    const { progress } = this.#options;
    const missing = this.missing.filter((name) => !this.#asked.has(name)).map((name) => ({ name, path: this.#pathOf(name) }));
    progress?.phase('asking the log', missing.length + 1);
    const tick = (): void => progress?.tick();
    // one error for all of them: to make one for each of a thousand takes longer than the query
    const forget = giveUp && this.#reader.onBulk(() => giveUp.abort(new GosumError('INTERRUPTED', 'given up for a bulk query')));
    const given = [this.#signal, giveUp?.signal].filter((signal) => signal !== undefined);
    const signal = given.length > 1 ? AbortSignal.any(given) : given[0];
    const lookUp = (some: typeof missing): Promise<void>[] => some.map(({ name, path }) => this.#ask(name, path, signal).finally(tick));

    // Asked before all else, so that it is not the last answer to come.
    const head = latest ? this.#askLatest(fresh).finally(tick) : undefined;
    const few = giveUp === undefined || head === undefined ? [] : lookUp(missing.splice(0, FEW));
    if (few.length > 0) await this.#untilWide(head, Promise.all(few));
    await Promise.all([head, ...few, ...(giveUp?.signal.aborted === true ? [] : lookUp(missing))]);
    forget?.();
  }

  /** Waits until the way is known to take very many reads at a time, or one of these has come. */
  async #untilWide(...others: readonly (Promise<unknown> | undefined)[]): Promise<void> {
    let forget = (): void => undefined;
    const wide = new Promise<void>((resolve) => (forget = this.#reader.onWide(resolve)));
    await Promise.race([wide, ...others]);
    forget();
  }

  async #askLatest(fresh: boolean): Promise<void> {
    const latest = this.#bulkHead === undefined ? this.#reader.latest() : Promise.resolve(this.#bulkHead.note);
    latest.catch(() => undefined);
    for (const note of await this.#reader.cachedLatest()) {
      try {
        this.#cachedHeads.add(this.#heads.open(note));
      } catch (error) {
        this.#notice(`a cached tree head is not true and is passed over: ${notLocal(error).message}`);
      }
    }
    try {
      this.#latest = this.#heads.open(await latest);
    } catch (error) {
      const why = notLocal(error);
      if (fresh) this.problem = why;
    }
  }

  async #ask(name: string, path: string, signal = this.#signal): Promise<void> {
    try {
      this.#asked.set(name, await ask(this.#reader, this.#heads, path, signal));
    } catch (error) {
      if (signal?.aborted === true && this.#signal?.aborted !== true) return; // given up for a bulk query
      this.results.set(name, notLocal(error));
    }
  }

  /**
   * Whether bulk queries may be used. Not where a trusted head has to be tied to a timeline that there is already: one
   * bulk answer ties one head.
   */
  #bulkFits(): boolean {
    const newest = this.#memory.timeline?.newest;
    if (newest !== undefined && (newest.size === 0 || this.trustedIsNew)) return false;
    return this.#options.keep !== 'all' && this.missing.length >= LEAST_BULK;
  }

  /**
   * Asks for all that is missing by bulk queries, one after the other, until one is not answered as it should be. What
   * they prove is kept and settled, all else is left as it was.
   *
   * @returns `undefined` where the way does not announce them.
   * @throws {ForkError}
   */
  async #askBulk(): Promise<true | undefined> {
    const missing = this.missing;
    const pieces = bulkPieces(missing.flatMap((name) => this.#wanted.get(name) ?? []));
    this.#options.progress?.phase('asking the log', pieces.length);
    for (const piece of pieces) {
      const newest = this.#memory.timeline?.newest;
      const known = newest ?? (this.#trusted?.size === 0 ? undefined : this.#trusted);
      const answer = await askBulk(this.#reader, this.#key, piece, known, missing.length + 1);
      if (answer === undefined) return undefined;
      this.#options.progress?.tick();
      if (answer instanceof GosumError) {
        if (answer.outcome === 'unproved') this.#notice(`a bulk answer was not true and is passed over: ${answer.message}`);
        break;
      }
      if (!(await this.#keepBulk(answer, newest))) break;
    }
    return true;
  }

  /** Keeps and settles what a bulk answer proved. `false`, and nothing of that, where the timeline went forward meanwhile. */
  async #keepBulk({ head, heads, receipt, records }: BulkAnswer, newest: SignedHead | undefined): Promise<boolean> {
    // The trusted head may be the very one.
    const first = newest === undefined && heads.length === 0 ? [timelineHead(head)] : [];
    const receipts = receipt === undefined ? [] : [receipt];
    const kept = await this.#keeper.commit({ expect: newest?.size, heads: [...heads, ...first], tiles: [], receipts });
    await this.#remember([]);
    if (this.#memory.timeline?.holds(head) !== true) this.#cachedHeads.add(head);
    if (!kept) return false;
    for (const [name, record] of records) {
      const asked = this.#asked.get(name);
      if (asked !== undefined) this.#cachedHeads.add(asked.head);
      this.#asked.delete(name);
      this.#settle(name, () => this.#found(name, record, false));
    }
    this.#seenBefore ||= newest === undefined && this.#trusted !== undefined && this.#trusted.size > 0;
    this.head = this.#bulkHead = head;
    return true;
  }

  /** Proves all answers under the greatest head, and keeps them. `false`: something changed meanwhile, prove again. */
  async #proveAll(): Promise<boolean> {
    const newest = this.#memory.timeline?.newest;
    const shown = new Set([...this.#asked.values()].map(({ head }) => head));
    if (this.#latest !== undefined) shown.add(this.#latest);
    const all = new Set([...(newest === undefined ? [] : [newest]), ...shown, ...this.#cachedHeads]);
    const byBulk = this.#bulkHead;
    if (byBulk !== undefined && this.#asked.size === 0 && [...all].every((each) => sameTree(each, byBulk))) return true;
    const head = [...all].reduce(greater, undefined);
    if (head === undefined) return true;
    const trusted = this.trustedIsNew ? this.#trusted : undefined;
    // an empty trusted head says nothing, and an empty one that was kept is linked like any other
    const before = [newest, trusted?.size === 0 ? undefined : trusted].filter((old): old is SignedHead => old !== undefined && old.size <= head.size);

    const records = [...this.#asked.values()].map(({ answer }) => answer.id).filter((id) => id < head.size);
    const wanted = {
      records,
      trees: [...all].map(({ size }) => size),
      links: before.map(({ size }) => size),
    };
    let proof: Proof;
    try {
      proof = await prove(this.#reader, head, wanted, this.#options.progress);
    } catch (error) {
      // A cache may know a newer head than the way to the database can prove: then that one is left to later runs.
      if (shown.has(head) || head === newest || notLocal(error).outcome !== 'unreachable') throw error;
      this.#cachedHeads.delete(head);
      this.#notice(`the cached tree of ${head.size} is newer than what can be proved here, and is passed over`);
      return false;
    }
    const unproved = await checkHeads(this.#reader, proof, { head, before, all }, this.#options.progress);
    this.#checkTrusted(head); // after the forks: a log that contradicts itself is more than one that lags behind

    const { proved, again } = this.#proveRecords(proof, head, unproved);
    if (again.length > 0) {
      // Cached answers that are not true: the database's own are asked for, and all is proved once more.
      await Promise.all(again.map((name) => this.#askAgain(name)));
      return false;
    }
    if (!(await this.#keeper.keep({ tree: proof.tree, head, newest, before, records: proved }))) {
      await this.#remember([]);
      return false;
    }
    for (const [name, record] of proved) this.#settle(name, () => this.#found(name, record, false));
    this.head = head;
    this.#seenBefore ||= before.length > 0 && this.#bulkHead === undefined; // which is of this batch itself
    return true;
  }

  /**
   * Proves each answer's record under the head; why one is not proved is its result.
   *
   * @returns what is proved, and whose cached answer is not true.
   */
  #proveRecords(
    proof: Proof,
    head: SignedHead,
    unproved: ReadonlyMap<SignedHead, GosumError>,
  ): { proved: Map<string, ProvedRecord>; again: string[] } {
    const proved = new Map<string, ProvedRecord>();
    const again: string[] = [];
    for (const [name, { answer, head: own, fromCache }] of this.#asked) {
      try {
        const why = unproved.get(own);
        if (why !== undefined) throw why;
        if (answer.id >= head.size) {
          throw new GosumError('RECORD_BEYOND_HEAD', `record ${answer.id} is not in the tree of ${head.size}`);
        }
        const record = proveRecordIn(proof.tree, head, answer);
        this.#found(name, record, false);
        proved.set(name, record);
      } catch (error) {
        const why = whyUnproved(notLocal(error), proof.unread);
        if (fromCache && why.outcome === 'unproved') again.push(name);
        this.results.set(name, why);
      }
    }
    return { proved, again };
  }

  #checkTrusted(head: SignedHead): void {
    if (this.#trusted !== undefined && this.#trusted.size > head.size) {
      throw new GosumError('HEAD_TOO_OLD', `the log shows a tree of ${head.size}, the trusted head is of ${this.#trusted.size}`, {
        hint: 'the log, or the way to it, lags behind: try again later',
      });
    }
  }

  async #askAgain(name: string): Promise<void> {
    const path = this.#pathOf(name);
    this.#asked.delete(name);
    this.#reader.distrust(path);
    this.results.delete(name);
    await this.#ask(name, path);
  }

  async #remember(names: readonly string[]): Promise<void> {
    const fromSize = this.#trusted?.size ?? Infinity;
    this.#memory = await recall(this.#options.store, this.#key, names, fromSize, (text) => this.#notice(text));
    for (const head of this.#memory.strays) this.#cachedHeads.add(head);
  }

  #found(name: string, record: ProvedRecord, cached: boolean): Found {
    const { module = '', version = '' } = this.#wanted.get(name) ?? {};
    return { record, hashes: findHashes(record.text, module, version), cached };
  }

  #settle(name: string, find: () => Found): void {
    try {
      this.results.set(name, find());
    } catch (error) {
      this.results.set(name, notLocal(error));
    }
  }

  /** @throws {GosumError} `MODULE_PATH_MALFORMED`, `VERSION_MALFORMED`. */
  #pathOf(name: string): string {
    const { module = '', version = '' } = this.#wanted.get(name) ?? {};
    return lookupPath(module, version);
  }

  #movedOften(): GosumError {
    return new GosumError('STORE_FAILED', `${this.#options.store.label}: the timeline moved ${MAX_ROUNDS} times`);
  }

  #notice(text: string, urgent = false): void {
    this.#options.notice?.(text, urgent);
  }
}

function greater(a: SignedHead | undefined, b: SignedHead): SignedHead {
  return a === undefined || b.size > a.size ? b : a;
}
