/**
 * The whole log of one database, audited: records, the index over them, the list of modules, repeats, and the small things that
 * are kept beside them. What is wrong is named by a second look at the records, which only a file in which something is wrong needs.
 */

import { availableParallelism } from 'node:os';
import type { IndexPage, LogState, PendingEntries, SeenTree, StoreRows } from '../contract.js';
import type { Progress } from '../client/sumdb.js';
import { formatModuleVersion } from '../core/module.js';
import type { SignedHead } from '../core/treehead.js';
import { GosumError } from '../errors.js';
import { KeyHash, newSalt, SALT_SIZE } from '../whole/key.js';
import { openTilePool, workHere, type TilePool } from '../whole/pool.js';
import { namesOf } from '../whole/usual.js';
import { IndexAudit } from './auditindex.js';
import { ModuleAudit } from './auditmodules.js';
import { PackAudit, type PackRow } from './auditpacks.js';
import { RepeatAudit } from './auditrepeats.js';
import { Unjudged, type AuditTree } from './audittree.js';
import type { Findings } from './finding.js';

/** What a whole log is audited with. */
export interface LogAuditOptions {
  /** Name of the database. */
  readonly database: string;
  /** Its verifier key. */
  readonly key: string;
  readonly head: SignedHead | undefined;
  /** The tree of the head. */
  readonly tree: AuditTree | undefined;
  readonly rows: StoreRows;
  readonly findings: Findings;
  /** Resolves when all packs were judged. */
  readonly judged: Promise<void>;
  readonly progress: Progress | undefined;
  /** Threads that hash; by default as many as there are processors. */
  readonly threads: number | undefined;
}

/** What an audit of a whole log came to. */
export interface AuditedLog {
  /** Records that were proved. */
  readonly records: number;
  /** All records below this can be found by name. */
  readonly indexed: number;
  /** Module versions that the log has more than once, with the same hashes. */
  readonly repeated: number;
}

/** A tree with no more records is not worth a thread, unless somebody wants it. */
const FEW = 20_000;

/** The whole log of one database. */
export class LogAudit {
  readonly packs: PackAudit;
  readonly #options: LogAuditOptions;
  readonly #state: LogState | undefined;
  readonly #pool: TilePool;
  readonly #index: IndexAudit;
  readonly #modules: ModuleAudit;
  readonly #repeats: RepeatAudit;

  /** @param state what is known of the log; `undefined` where that is not kept, or not as it was written. */
  constructor(options: LogAuditOptions, state: LogState | undefined) {
    const { database, key, head, tree, rows, findings, judged } = options;
    const { log } = rows;
    this.#options = options;
    this.#state = state;
    const size = head?.size ?? 0;
    const salt = state?.salt ?? newSalt();
    const threads = options.threads ?? availableParallelism();
    this.#pool = options.threads === undefined && size <= FEW ? workHere(salt) : openTilePool(threads, salt);
    const printSalt = newSalt();
    this.packs = new PackAudit({ database, tree, size, pool: this.#pool, printSalt, findings }, threads);
    this.#repeats = new RepeatAudit({ database, key, log, findings, has: (id) => this.packs.has(id), judged, head, tree });
    this.#index = new IndexAudit({
      ...{ database, key, log, findings, packs: this.packs },
      alike: (ids) => this.#repeats.alike(ids),
      nameOf: (id) => this.#nameOf(id),
    });
    this.#modules = new ModuleAudit({
      ...{ database, findings },
      printer: new KeyHash(printSalt),
      anySpoiled: () => this.packs.anySpoiled,
      pathsOf: (ids) => this.#pathsOf(ids),
    });
  }

  /** A page of packs. */
  takePacks(page: readonly PackRow[]): Promise<void> {
    return this.packs.take(page, (names) => {
      this.#index.has(names);
      this.#modules.has(names);
      this.#tick(names.records);
    });
  }

  /** All packs were taken. */
  async endPacks(): Promise<void> {
    await this.packs.end();
    this.packs.findMissing(this.#state?.indexed ?? 0);
  }

  page(row: string, page: IndexPage): Promise<void> {
    return this.#state === undefined ? this.#saltless('entry', row) : this.#index.page(row, page);
  }

  spoilPage(row: string): void {
    this.#index.spoilPage(row);
  }

  pending(row: string, pending: PendingEntries): void {
    if (this.#state === undefined) void this.#saltless('pending', row);
    else this.#index.pending(row, pending);
  }

  spoilPending(row: string): void {
    this.#index.spoilBucket(row);
  }

  /** All pages of the index and all pending entries were seen. */
  async endIndex(): Promise<void> {
    if (this.#state !== undefined) await this.#index.end();
  }

  module(path: string): void {
    this.#modules.listed(path);
  }

  /** All packs and all of the list of modules were seen. */
  endModules(): void {
    this.#modules.end();
  }

  /** Whether the list of modules has to be looked at once more. */
  get isListUnsure(): boolean {
    return this.#modules.isListUnsure;
  }

  /** A path of the list, on the second look. */
  moduleAgain(path: string): void {
    this.#modules.listedAgain(path);
  }

  /** Whether the records have to be looked at once more. */
  get isUnsure(): boolean {
    return (this.#state !== undefined && this.#index.isUnsure) || this.#modules.isUnsure;
  }

  /** A page of packs, on the second look. */
  takePacksAgain(page: readonly PackRow[]): Promise<void> {
    return this.packs.takeAgain(page, (names) => {
      this.#index.hasAgain(names);
      this.#modules.hasAgain(names);
      this.#tick(names.records);
    });
  }

  /** Names what is wrong, after the second look or without one. */
  async end(): Promise<AuditedLog> {
    await this.packs.end();
    if (this.#state !== undefined) await this.#index.name();
    await this.#modules.name();
    await this.#repeats.flush();
    return { records: this.packs.proved, indexed: this.#state?.indexed ?? 0, repeated: this.#repeats.same };
  }

  seen(row: string, { size }: SeenTree): void {
    this.#within('seen', row, size);
  }

  /** The number of a record that somebody has come to: perhaps that of the next one. */
  mark(row: string, record: number): void {
    this.#within('mark', row, record);
  }

  /** Ends the threads. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  #within(table: 'seen' | 'mark', row: string, size: number): void {
    const { database, findings, head } = this.#options;
    findings.judge(table, database, row, () => {
      if (head === undefined) throw new Unjudged('there is no newest tree head, signed by the key, that it could be of');
      if (size > head.size) throw new GosumError('RECORD_BEYOND_HEAD', `${size} is beyond the newest tree, of ${head.size}`);
    });
  }

  #saltless(table: 'entry' | 'pending', row: string): Promise<void> {
    this.#options.findings.caught(new Unjudged('the secret of the index, by which it could be compared with the records, is not kept as it was written'), table, this.#options.database, row);
    return Promise.resolve();
  }

  async #nameOf(id: number): Promise<string> {
    for await (const { text } of this.#repeats.read([id])) {
      const [name] = namesOf(text);
      if (name !== undefined) return formatModuleVersion(name.module, name.version);
    }
    return 'of no module version';
  }

  async *#pathsOf(ids: readonly number[]): AsyncGenerator<{ id: number; paths: string[] }> {
    for await (const { id, text } of this.#repeats.read(ids)) yield { id, paths: [...new Set(namesOf(text).map(({ module }) => module))] };
  }

  #tick(records: number): void {
    this.#options.progress?.tick(records);
  }
}

/**
 * Checks what is known of a whole log.
 *
 * @throws {GosumError} `STORE_FAILED` for a secret of another length; `RECORD_BEYOND_HEAD` where more is said to be indexed than
 * the newest tree has.
 */
export function checkState({ salt, indexed }: LogState, head: SignedHead | undefined): void {
  if (salt.length !== SALT_SIZE) throw new GosumError('STORE_FAILED', `a secret of ${salt.length} bytes`);
  if (head !== undefined && indexed > head.size) throw new GosumError('RECORD_BEYOND_HEAD', `${indexed} records are said to be indexed, and the newest tree has ${head.size}`);
}
