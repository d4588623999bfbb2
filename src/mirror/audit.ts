/**
 * The audit: everything that a store keeps is proved again, offline, and what is not as it should be is named.
 *
 * It streams: a page of rows at a time, each proved with the tiles that tie it to a signed head (audittree.ts). Nothing of the
 * store is believed, and nothing is written.
 */

import type { KeptReceipt, KeptRecord, StoredPages, StoredRow, StoreRows, TileBytes, TimelineHead } from '../contract.js';
import type { Progress } from '../client/sumdb.js';
import { checkFork } from '../core/fork.js';
import { formatHash, equalBytes, type Hash } from '../core/hash.js';
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from '../core/key.js';
import { parseModuleVersion } from '../core/module.js';
import { openReceipt } from '../core/receipt.js';
import { checkRecordText, findHashes, recordHash } from '../core/record.js';
import { formatTilePath, tileInTree } from '../core/tile.js';
import { checkTree } from '../core/tree.js';
import { openTreeHead, sameTree, type SignedHead } from '../core/treehead.js';
import { GosumError, isGosumError, type Code } from '../errors.js';
import { Unjudged, AuditTree } from './audittree.js';

/** A table of a store; `file` where the file itself is meant. */
export type Table = 'file' | 'database' | 'head' | 'tile' | 'record' | 'receipt' | 'evidence';

/** Something that is not as it should be. */
export interface Finding {
  /** `false`: not what the log's key signed, or not as it was written. `fork`: proof that the log misbehaved. `unjudged`: it could not be proved offline. */
  readonly verdict: 'false' | 'fork' | 'unjudged';
  readonly table: Table;
  /** Name of the database, or its key where no name leads to it; empty for the file. */
  readonly database: string;
  /** The key of the row; of `unjudged`, where `rows` are more than one, that of the first. */
  readonly row: string;
  /** How many rows it is of. */
  readonly rows: number;
  readonly code?: Code;
  readonly message: string;
}

/** What an audit came to. */
export interface Audited {
  readonly databases: readonly { readonly name: string; readonly key: string; readonly tree: { readonly size: number; readonly hash: string } | undefined }[];
  /** Rows that were proved. */
  readonly proved: Readonly<Record<Exclude<Table, 'file'>, number>>;
  /** Findings by verdict, in rows. */
  readonly found: Readonly<Record<Finding['verdict'], number>>;
}

/** Reasons why something could not be judged that are told apart. */
const MOST_REASONS = 1000;

/** What is known of a database while it is audited. */
interface Audit {
  readonly name: string;
  readonly key: VerifierKey;
  /** The hash of each head that opened, by size. */
  readonly heads: Map<number, Hash>;
  newest: SignedHead | undefined;
  readonly trees: Map<number, AuditTree>;
}

/**
 * Audits all that a store has.
 *
 * @param found told of each finding when it is known; those of what could not be judged come at the end, summed up by reason.
 * @throws {GosumError} the signal's reason. That the store cannot be read is a finding.
 */
export async function audit(
  rows: StoreRows,
  found: (finding: Finding) => void,
  { progress, signal }: { readonly progress?: Progress; readonly signal?: AbortSignal } = {},
): Promise<Audited> {
  return new Auditor(rows, found, progress, signal).run();
}

class Auditor {
  readonly #rows: StoreRows;
  readonly #found: (finding: Finding) => void;
  readonly #progress: Progress | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #databases = new Map<string, Audit>();
  readonly #proved = { database: 0, head: 0, tile: 0, record: 0, receipt: 0, evidence: 0 };
  readonly #counts = { false: 0, fork: 0, unjudged: 0 };
  /** What could not be judged, by table, database and reason. */
  readonly #unjudged = new Map<string, Finding & { rows: number }>();

  constructor(rows: StoreRows, found: (finding: Finding) => void, progress: Progress | undefined, signal: AbortSignal | undefined) {
    this.#rows = rows;
    this.#found = found;
    this.#progress = progress;
    this.#signal = signal;
  }

  async run(): Promise<Audited> {
    const rows = this.#rows;
    this.#progress?.phase('checking the file', 1);
    await this.#reading('file', async () => {
      for (const defect of await rows.defects()) this.#add('false', 'file', '', '', new GosumError('STORE_FAILED', defect));
    });
    let total = 0;
    await this.#reading('file', async () => void (total = await rows.count()));
    this.#progress?.phase('proving what is kept', total);
    await this.#reading('database', () => this.#auditDatabases());
    await this.#each('head', () => rows.heads(), (page, database) => this.#auditHeads(page, database));
    await this.#each('head', () => rows.heads(), (page, database) => this.#auditLinks(page, database), false);
    for (const { name, newest, heads } of this.#databases.values()) {
      if (newest === undefined && heads.size > 0) this.#add('false', 'head', name, '', new GosumError('PROOF_MISMATCH', 'no head is the newest: none of them is without a greater one'));
    }
    await this.#each('tile', () => rows.hashTiles(), (page, database) => this.#auditTiles(page, database));
    await this.#each('record', () => rows.records(), (page, database) => this.#auditRecords(page, database));
    await this.#each('receipt', () => rows.receipts(), (page, database) => this.#auditReceipts(page, database));
    await this.#auditEvidence();
    for (const finding of this.#unjudged.values()) this.#found(finding);
    const databases = [...this.#databases.values()].map(({ name, key, newest }) => ({
      name,
      key: formatVerifierKey(key),
      tree: newest && { size: newest.size, hash: formatHash(newest.hash) },
    }));
    return { databases, proved: this.#proved, found: this.#counts };
  }

  async #auditDatabases(): Promise<void> {
    for (const { name, key: vkey } of await this.#rows.databases()) {
      this.#judge('database', name, name, () => {
        const key = parseVerifierKey(vkey);
        if (key.name !== name || formatVerifierKey(key) !== vkey) throw new GosumError('KEY_MALFORMED', `it remembers the key of another: ${vkey}`);
        this.#databases.set(vkey, { name, key, heads: new Map(), newest: undefined, trees: new Map() });
      });
    }
  }

  #auditHeads(page: readonly Value<TimelineHead>[], database: Audit): void {
    for (const { row, value } of page) {
      this.#judge('head', database.name, row, () => {
        const opened = openTreeHead(value.note, database.key);
        if (!sameTree(opened, value)) throw new GosumError('PROOF_MISMATCH', 'it is not the head in its signed note');
        if (value.next === undefined && database.newest !== undefined) throw new GosumError('PROOF_MISMATCH', 'a second newest head');
        database.heads.set(value.size, value.hash);
        if (value.next === undefined) database.newest = opened;
      });
    }
  }

  /** Each head was proved to lie under a greater one: so all of them lie under the newest. */
  #auditLinks(page: readonly Value<TimelineHead>[], { name, heads }: Audit): void {
    for (const { row, value } of page) {
      if (value.next === undefined || !heads.has(value.size)) continue; // has been said
      const { size, proof } = value.next;
      const hash = heads.get(size);
      try {
        if (hash === undefined) throw new Unjudged(`the head of ${size} records, which it was proved to lie under, is not kept or not true`);
        checkTree(proof, { size, hash }, value);
      } catch (error) {
        this.#proved.head--;
        this.#caught(error, 'head', name, row);
      }
    }
  }

  async #auditTiles(page: readonly Value<TileBytes>[], database: Audit): Promise<void> {
    const { name } = database;
    const groups = new Map<AuditTree, Value<TileBytes>[]>();
    for (const each of page) {
      const { tile } = each.value;
      this.#judge('tile', name, formatTilePath(tile), () => {
        const tree = this.#treeOf(database, each.value);
        groups.set(tree, [...(groups.get(tree) ?? []), each]);
      }, false);
    }
    for (const [tree, group] of groups) {
      const proved = await tree.prove(group.map(({ value }) => value), []);
      for (const { value } of group) this.#judge('tile', name, formatTilePath(value.tile), () => proved.tile(value.tile));
    }
  }

  /** The tree in which a kept tile is as wide as it is kept: that of the newest head, or of an older one of the timeline. */
  #treeOf(database: Audit, { tile }: TileBytes): AuditTree {
    const newest = this.#newest(database);
    const whole = tileInTree(tile.level, tile.n, newest.size);
    if (whole === undefined || whole.width < tile.width) {
      throw new GosumError('TILE_MISMATCH', `it is beyond the newest tree, of ${newest.size}`);
    }
    if (whole.width === tile.width) return this.#tree(database, newest);
    for (const [size, hash] of database.heads) {
      if (tileInTree(tile.level, tile.n, size)?.width === tile.width) return this.#tree(database, { size, hash });
    }
    throw new Unjudged('no kept head has a tree in which the tile is as narrow as it is kept');
  }

  async #auditRecords(page: readonly Value<KeptRecord>[], database: Audit): Promise<void> {
    const { name } = database;
    const within: Value<KeptRecord>[] = [];
    for (const each of page) {
      const { id } = each.value;
      this.#judge('record', name, each.row, () => {
        const { size } = this.#newest(database);
        if (id >= size) throw new GosumError('RECORD_BEYOND_HEAD', `record ${id} is not in the tree of ${size}`);
        within.push(each);
      }, false);
    }
    if (within.length === 0) return;
    const proved = await this.#tree(database, this.#newest(database)).prove([], within.map(({ value }) => value.id));
    for (const { row, value } of within) {
      this.#judge('record', name, row, () => {
        checkRecordText(value.text);
        if (!equalBytes(recordHash(value.text), proved.leaf(value.id))) {
          throw new GosumError('RECORD_MISMATCH', `its text is not that of record ${value.id} in the log`);
        }
        const { module, version } = parseModuleVersion(value.covers);
        findHashes(value.text, module, version);
      });
    }
  }

  #auditReceipts(page: readonly Value<KeptReceipt>[], { name, key, heads }: Audit): void {
    for (const { row, value } of page) {
      this.#judge('receipt', name, row, () => {
        const { head, records } = openReceipt(value.bytes, key);
        for (const covers of value.covers) {
          const { module, version } = parseModuleVersion(covers);
          const has = ({ text }: { text: Uint8Array }): boolean => isFound(() => findHashes(text, module, version));
          if (!records.some(has)) throw new GosumError('RECORD_FOREIGN', `it has no record of ${covers}`);
        }
        const hash = heads.get(head.size);
        if (hash === undefined) throw new Unjudged(`no kept proof ties its tree head, of ${head.size} records, to the newest`);
        if (!equalBytes(hash, head.hash)) throw new GosumError('PROOF_MISMATCH', `the timeline has another tree of ${head.size}`);
      });
    }
  }

  async #auditEvidence(): Promise<void> {
    await this.#reading('evidence', async () => {
      for await (const page of this.#rows.evidence()) {
        this.#step(page.length);
        for (const { row, key = '', value, problem } of page) {
          const name = this.#databases.get(key)?.name ?? key;
          if (value === undefined) this.#add('false', 'evidence', name, row, new GosumError('STORE_FAILED', problem ?? 'no value'));
          else {
            const proves = this.#judge('evidence', name, row, () => checkFork(value, parseVerifierKey(key)));
            if (proves) this.#add('fork', 'evidence', name, row, new GosumError('FORK', `the log was seen to misbehave at ${value.foundAt}`));
          }
        }
      }
    });
  }

  /** Goes through a table, a page at a time, by database; rows that are none are said. */
  async #each<T>(table: Exclude<Table, 'file'>, pages: () => StoredPages<T>, work: (page: readonly Value<T>[], database: Audit) => Promise<void> | void, first = true): Promise<void> {
    await this.#reading(table, async () => {
      for await (const page of pages()) {
        const byKey = new Map<Audit, Value<T>[]>();
        for (const { row, key, value, problem } of page) {
          const database = key === undefined ? undefined : this.#databases.get(key);
          const why = value === undefined || problem !== undefined ? new GosumError('STORE_FAILED', problem ?? 'no value') : undefined;
          if (why !== undefined) {
            if (first) this.#add('false', table, database?.name ?? key ?? '', row, why);
          } else if (database === undefined) {
            if (first) this.#caught(new Unjudged('it belongs to no database whose key is known'), table, key ?? '', row);
          } else if (value !== undefined) {
            byKey.set(database, [...(byKey.get(database) ?? []), { row, value }]);
          }
        }
        for (const [database, values] of byKey) await work(values, database);
        if (first) this.#step(page.length);
      }
    });
  }

  /** Reads of a table. Where it cannot be read on, that is said, and the next table is read. */
  async #reading(table: Table, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isGosumError(error, 'STORE_FAILED')) throw error;
      this.#add('false', table, '', '', new GosumError('STORE_FAILED', `it cannot be read to its end: ${error.message}`));
    }
  }

  /** Judges a row. Counts it as proved, unless that is left to a later one. */
  #judge(table: Exclude<Table, 'file'>, database: string, row: string, check: () => unknown, last = true): boolean {
    try {
      check();
      if (last) this.#proved[table]++;
      return true;
    } catch (error) {
      this.#caught(error, table, database, row);
      return false;
    }
  }

  #caught(error: unknown, table: Table, database: string, row: string): void {
    if (error instanceof Unjudged) {
      this.#counts.unjudged++;
      const message = this.#unjudged.size < MOST_REASONS ? error.message : 'what ties it to the tree is not kept, or not true';
      const id = JSON.stringify([table, database, message]);
      const known = this.#unjudged.get(id);
      if (known !== undefined) known.rows++;
      else this.#unjudged.set(id, { verdict: 'unjudged', table, database, row, rows: 1, message });
    } else if (isGosumError(error)) {
      this.#add('false', table, database, row, error);
    } else {
      throw error;
    }
  }

  #add(verdict: 'false' | 'fork', table: Table, database: string, row: string, { code, message }: GosumError): void {
    this.#counts[verdict]++;
    this.#found({ verdict, table, database, row, rows: 1, code, message });
  }

  #newest({ newest }: Audit): SignedHead {
    if (newest === undefined) throw new Unjudged('there is no newest tree head, signed by the key, to prove it under');
    return newest;
  }

  #tree(database: Audit, head: { size: number; hash: Hash }): AuditTree {
    let tree = database.trees.get(head.size);
    if (tree === undefined) database.trees.set(head.size, (tree = new AuditTree(head, (wanted) => this.#rows.tiles(formatVerifierKey(database.key), wanted))));
    return tree;
  }

  #step(rows: number): void {
    if (this.#signal?.aborted === true) throw this.#signal.reason as Error;
    for (let i = 0; i < rows; i++) this.#progress?.tick();
  }
}

/** A row whose value could be read. */
type Value<T> = Pick<StoredRow<T>, 'row'> & { readonly value: T };

function isFound(find: () => unknown): boolean {
  try {
    find();
    return true;
  } catch (error) {
    if (isGosumError(error)) return false;
    throw error;
  }
}
