/**
 * The audit: everything that a store keeps is proved again, offline, and what is not as it should be is named.
 *
 * It streams: a page of rows at a time, each proved with the tiles that tie it to a signed head (audittree.ts). Nothing of the
 * store is believed, and nothing is written. The whole log, where one is kept, is in auditlog.ts.
 */

import type { KeptReceipt, KeptRecord, StoredPages, StoredRow, StoreRows, TileBytes, TimelineHead } from '../contract.js';
import type { Progress } from '../client/sumdb.js';
import { formatBase64 } from '../core/base64.js';
import { checkFork, ForkError, forkError } from '../core/fork.js';
import { formatHash, equalBytes, HASH_SIZE, type Hash } from '../core/hash.js';
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from '../core/key.js';
import { hashLeaves } from '../core/leaves.js';
import { parseModuleVersion } from '../core/module.js';
import { openReceipt } from '../core/receipt.js';
import { checkRecordText, findHashes, recordHash } from '../core/record.js';
import { decodeUtf8 } from '../core/text.js';
import { hashAtSize } from '../core/timeline.js';
import { formatTilePath, tileInTree, TILE_WIDTH, type Tile } from '../core/tile.js';
import { checkTree } from '../core/tree.js';
import { openTreeHead, sameTree, type SignedHead } from '../core/treehead.js';
import { GosumError, isGosumError } from '../errors.js';
import { unpackLeaves } from '../whole/pack.js';
import { checkState, LogAudit, type AuditedLog } from './auditlog.js';
import { Unjudged, AuditTree } from './audittree.js';
import { Findings, type Counted, type Finding, type Verdict } from './finding.js';

export type { ConflictEvidence, Counted, Finding, ForkEvidence, Table, Verdict } from './finding.js';

/** What an audit came to. */
export interface Audited {
  readonly databases: readonly {
    readonly name: string;
    readonly key: string;
    readonly tree: { readonly size: number; readonly hash: string } | undefined;
    /** Where a whole log is kept, or a part of one. */
    readonly log?: AuditedLog;
  }[];
  /** Rows that were proved. */
  readonly proved: Readonly<Record<Counted, number>>;
  /** Findings by verdict, in rows. */
  readonly found: Readonly<Record<Verdict, number>>;
}

/** How an audit is done. */
export interface AuditOptions {
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Threads that hash the records of a whole log; by default as many as there are processors. */
  readonly threads?: number | undefined;
}

/** What is known of a database while it is audited. */
interface Audit {
  readonly name: string;
  readonly key: VerifierKey;
  /** Each head that opened, by size. */
  readonly heads: Map<number, SignedHead>;
  newest: SignedHead | undefined;
  readonly trees: Map<number, AuditTree>;
  log: LogAudit | undefined;
  audited: AuditedLog | undefined;
}

/**
 * Audits all that a store has.
 *
 * @param found told of each finding when it is known; those of what could not be judged come at the end, summed up by reason.
 * @throws {GosumError} the signal's reason. That the store cannot be read is a finding.
 */
export async function audit(rows: StoreRows, found: (finding: Finding) => void, options: AuditOptions = {}): Promise<Audited> {
  const auditor = new Auditor(rows, new Findings(found), options);
  try {
    return await auditor.run();
  } finally {
    await auditor.close();
  }
}

class Auditor {
  readonly #rows: StoreRows;
  readonly #findings: Findings;
  readonly #options: AuditOptions;
  readonly #databases = new Map<string, Audit>();

  constructor(rows: StoreRows, findings: Findings, options: AuditOptions) {
    this.#rows = rows;
    this.#findings = findings;
    this.#options = options;
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    for (const { log } of this.#databases.values()) await log?.close();
  }

  async run(): Promise<Audited> {
    const rows = this.#rows;
    const findings = this.#findings;
    const { progress } = this.#options;
    progress?.phase('checking the file', 1);
    await findings.reading('file', async () => {
      for (const defect of await rows.defects()) findings.add('false', 'file', '', '', new GosumError('STORE_FAILED', defect));
    });
    const [all, base] = [await this.#count(), await this.#count('base')];
    progress?.phase('proving what is kept', base ?? 0);
    await findings.reading('database', () => this.#auditDatabases());
    await this.#each('head', () => rows.heads(), (page, database) => this.#auditHeads(page, database));
    await this.#each('head', () => rows.heads(), (page, database) => this.#auditLinks(page, database), { first: false });
    for (const { name, newest, heads } of this.#databases.values()) {
      if (newest === undefined && heads.size > 0) findings.add('false', 'head', name, '', new GosumError('PROOF_MISMATCH', 'no head is the newest: none of them is without a greater one'));
    }
    await this.#each('tile', () => rows.hashTiles(), (page, database) => this.#auditTiles(page, database));
    await this.#each('record', () => rows.records(), (page, database) => this.#auditRecords(page, database));
    await this.#each('receipt', () => rows.receipts(), (page, database) => this.#auditReceipts(page, database));
    await this.#auditEvidence();
    if (all === undefined || all !== base) await this.#auditLogs((all ?? 0) - (base ?? 0));
    findings.end();
    const databases = [...this.#databases.values()].map(({ name, key, newest, audited }) => ({
      name,
      key: formatVerifierKey(key),
      tree: newest && { size: newest.size, hash: formatHash(newest.hash) },
      ...(audited && { log: audited }),
    }));
    return { databases, proved: findings.proved, found: findings.found };
  }

  /** @param total rows of the whole logs. */
  async #auditLogs(total: number): Promise<void> {
    const rows = this.#rows;
    const { progress } = this.#options;
    await this.#each('loginfo', () => rows.logStates(), (page, database) => {
      for (const { row, value } of page) {
        this.#findings.judge('loginfo', database.name, row, () => {
          checkState(value, database.newest);
          database.log = this.#newLog(database, value);
        });
      }
    }, { ticks: false });
    const records = await this.#countRecords();
    progress?.phase('proving records', records);
    await this.#each('pack', () => rows.packs(), (page, database) => this.#log(database).takePacks(page), {
      ticks: false,
      spoil: (row, database) => this.#log(database).packs.spoil(row),
    });
    const logs = [...this.#databases.values()].flatMap(({ log }) => log ?? []);
    for (const log of logs) await log.endPacks();

    progress?.phase('proving the index', Math.max(0, total - Math.ceil(records / TILE_WIDTH)));
    await this.#each('entry', () => rows.indexPages(), async (page, database) => {
      for (const { row, value } of page) await this.#log(database).page(row, value);
    }, { spoil: (row, database) => this.#log(database).spoilPage(row) });
    await this.#each('pending', () => rows.pending(), (page, database) => {
      for (const { row, value } of page) this.#log(database).pending(row, value);
    }, { spoil: (row, database) => this.#log(database).spoilPending(row) });
    for (const log of logs) await this.#findings.reading('pending', () => log.endIndex());
    await this.#each('module', () => rows.modules(), (page, database) => {
      for (const { value } of page) this.#log(database).module(value);
    });
    await this.#each('seen', () => rows.seen(), (page, database) => {
      for (const { row, value } of page) this.#log(database).seen(row, value);
    });
    await this.#each('mark', () => rows.marks(), (page, database) => {
      for (const { row, value } of page) this.#log(database).mark(row, value.record);
    });
    await this.#each('staged', () => rows.staged(), (page, database) => {
      for (const { row } of page) this.#findings.judge('staged', database.name, row, () => undefined);
    });

    if (logs.some((log) => log.isUnsure)) {
      progress?.phase('looking for what is wrong', records);
      await this.#each('pack', () => rows.packs(), (page, database) => this.#log(database).takePacksAgain(page), { first: false });
    }
    for (const database of this.#databases.values()) {
      await this.#findings.reading('pack', async () => void (database.audited = await database.log?.end()));
    }
  }

  /** How many records the whole logs have, for the progress. */
  async #countRecords(): Promise<number> {
    let records = 0;
    for (const { key, newest } of this.#databases.values()) {
      if (newest === undefined) continue;
      await this.#findings.reading('pack', async () => {
        const gaps = await this.#rows.log.gaps(formatVerifierKey(key), newest.size);
        records += Math.max(0, newest.size - TILE_WIDTH * gaps.reduce((sum, { lo, hi }) => sum + hi - lo, 0));
      });
    }
    return records;
  }

  /** `undefined` where they cannot be counted, which is a finding. */
  async #count(part?: 'base'): Promise<number | undefined> {
    let count: number | undefined;
    await this.#findings.reading('file', async () => void (count = await this.#rows.count(part)));
    return count;
  }

  /** The whole log of a database; where nothing is known of it, without the secret of its index. */
  #log(database: Audit): LogAudit {
    return (database.log ??= this.#newLog(database, undefined));
  }

  #newLog(database: Audit, state: ConstructorParameters<typeof LogAudit>[1]): LogAudit {
    const { name, newest } = database;
    const tree = newest && this.#tree(database, newest);
    const { progress, threads } = this.#options;
    const key = formatVerifierKey(database.key);
    return new LogAudit({ database: name, key, head: newest, tree, rows: this.#rows, findings: this.#findings, progress, threads }, state);
  }

  async #auditDatabases(): Promise<void> {
    for (const { name, key: vkey } of await this.#rows.databases()) {
      this.#findings.judge('database', name, name, () => {
        const key = parseVerifierKey(vkey);
        if (key.name !== name || formatVerifierKey(key) !== vkey) throw new GosumError('KEY_MALFORMED', `it remembers the key of another: ${vkey}`);
        this.#databases.set(vkey, { name, key, heads: new Map(), newest: undefined, trees: new Map(), log: undefined, audited: undefined });
      });
    }
  }

  #auditHeads(page: readonly Value<TimelineHead>[], database: Audit): void {
    for (const { row, value } of page) {
      this.#findings.judge('head', database.name, row, () => {
        const opened = openTreeHead(value.note, database.key);
        if (!sameTree(opened, value)) throw new GosumError('PROOF_MISMATCH', 'it is not the head in its signed note');
        if (value.next === undefined && database.newest !== undefined) throw new GosumError('PROOF_MISMATCH', 'a second newest head');
        database.heads.set(value.size, opened);
        if (value.next === undefined) database.newest = opened;
      });
    }
  }

  /** Each head was proved to lie under a greater one: so all of them lie under the newest. */
  async #auditLinks(page: readonly Value<TimelineHead>[], database: Audit): Promise<void> {
    const { name, heads } = database;
    for (const { row, value } of page) {
      const opened = heads.get(value.size);
      if (value.next === undefined || opened === undefined) continue; // has been said
      const { size, proof } = value.next;
      const greater = heads.get(size);
      try {
        if (greater === undefined) throw new Unjudged(`the head of ${size} records, which it was proved to lie under, is not kept or not true`);
        checkTree(proof, greater, value);
      } catch (error) {
        this.#findings.proved.head--;
        const fork = await this.#forkAt(database, opened);
        if (fork === undefined) this.#findings.caught(error, 'head', name, row);
        else {
          heads.delete(value.size); // no tile is proved under it
          this.#findings.add('fork', 'head', name, row, fork, { evidence: evidenceOf(fork) });
        }
      }
    }
  }

  /** The proof that a head that its key signed does not lie under the newest one, where the kept tiles and records give it. */
  async #forkAt(database: Audit, older: SignedHead): Promise<ForkError | undefined> {
    const newest = database.newest;
    if (newest === undefined || older.size > newest.size) return undefined;
    try {
      const page = await this.#tree(database, newest).prove([], [], { links: [older.size] });
      const tree = page.tree();
      return equalBytes(hashAtSize(tree, older.size), older.hash) ? undefined : forkError(tree, newest, older);
    } catch (error) {
      if (error instanceof Unjudged || isGosumError(error, 'TILE_MISMATCH', 'TILE_SIZE')) return undefined;
      throw error;
    }
  }

  async #auditTiles(page: readonly Value<TileBytes>[], database: Audit): Promise<void> {
    const { name } = database;
    const groups = new Map<AuditTree, Value<TileBytes>[]>();
    for (const each of page) {
      const { tile } = each.value;
      this.#findings.judge('tile', name, formatTilePath(tile), () => {
        const tree = this.#treeOf(database, each.value);
        groups.set(tree, [...(groups.get(tree) ?? []), each]);
      }, false);
    }
    for (const [tree, group] of groups) {
      const [whole, narrow] = [group.filter(({ value }) => tree.has(value.tile)), group.filter(({ value }) => !tree.has(value.tile))];
      const proved = await tree.prove(whole.map(({ value }) => value), []);
      for (const { value } of whole) this.#findings.judge('tile', name, formatTilePath(value.tile), () => proved.tile(value.tile));
      const wider = await tree.prove([], [], { tiles: narrow.map(({ value }) => value.tile) });
      for (const { value } of narrow) this.#findings.judge('tile', name, formatTilePath(value.tile), () => wider.begins(value));
    }
  }

  /**
   * The tree that a kept tile is proved in: that of the newest head, or of an older one of the timeline, in which it is as wide as
   * it is kept. Where there is none it is the newest: the tile may be the beginning of a wider one that is proved.
   */
  #treeOf(database: Audit, { tile }: TileBytes): AuditTree {
    const newest = this.#newest(database);
    const whole = tileInTree(tile.level, tile.n, newest.size);
    if (whole === undefined || whole.width < tile.width) {
      throw new GosumError('TILE_MISMATCH', `it is beyond the newest tree, of ${newest.size}`);
    }
    const older = whole.width === tile.width ? undefined : [...database.heads.values()].find(({ size }) => tileInTree(tile.level, tile.n, size)?.width === tile.width);
    return this.#tree(database, older ?? newest);
  }

  async #auditRecords(page: readonly Value<KeptRecord>[], database: Audit): Promise<void> {
    const { name } = database;
    const within: Value<KeptRecord>[] = [];
    for (const each of page) {
      const { id } = each.value;
      this.#findings.judge('record', name, each.row, () => {
        const { size } = this.#newest(database);
        if (id >= size) throw new GosumError('RECORD_BEYOND_HEAD', `record ${id} is not in the tree of ${size}`);
        within.push(each);
      }, false);
    }
    if (within.length === 0) return;
    const proved = await this.#tree(database, this.#newest(database)).prove([], within.map(({ value }) => value.id));
    for (const { row, value } of within) {
      this.#findings.judge('record', name, row, () => {
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
      this.#findings.judge('receipt', name, row, () => {
        const { head, records } = openReceipt(value.bytes, key);
        for (const covers of value.covers) {
          const { module, version } = parseModuleVersion(covers);
          const has = ({ text }: { text: Uint8Array }): boolean => isFound(() => findHashes(text, module, version));
          if (!records.some(has)) throw new GosumError('RECORD_FOREIGN', `it has no record of ${covers}`);
        }
        const known = heads.get(head.size);
        if (known === undefined) throw new Unjudged(`no kept proof ties its tree head, of ${head.size} records, to the newest`);
        if (!equalBytes(known.hash, head.hash)) throw new GosumError('PROOF_MISMATCH', `the timeline has another tree of ${head.size}`);
      });
    }
  }

  async #auditEvidence(): Promise<void> {
    await this.#findings.reading('evidence', async () => {
      for await (const page of this.#rows.evidence()) {
        this.#step(page.length);
        for (const { row, key = '', value, problem } of page) {
          const name = this.#databases.get(key)?.name ?? key;
          if (value === undefined) this.#findings.add('false', 'evidence', name, row, new GosumError('STORE_FAILED', problem ?? 'no value'));
          else {
            const proves = this.#findings.judge('evidence', name, row, () => checkFork(value, parseVerifierKey(key)));
            if (proves) this.#findings.add('fork', 'evidence', name, row, new GosumError('FORK', `the log was seen to misbehave at ${value.foundAt}`));
          }
        }
      }
    });
  }

  /** Goes through a table, a page at a time, by database; rows that are none are said. */
  async #each<T>(
    table: Counted,
    pages: () => StoredPages<T>,
    work: (page: readonly Value<T>[], database: Audit) => Promise<void> | void,
    { first = true, ticks = first, spoil }: { readonly first?: boolean; readonly ticks?: boolean; readonly spoil?: (row: string, database: Audit) => void } = {},
  ): Promise<void> {
    const findings = this.#findings;
    await findings.reading(table, async () => {
      for await (const page of pages()) {
        const byKey = new Map<Audit, Value<T>[]>();
        for (const { row, key, value, problem } of page) {
          const database = key === undefined ? undefined : this.#databases.get(key);
          if (value === undefined || problem !== undefined) {
            if (first) findings.add('false', table, database?.name ?? key ?? '', row, new GosumError('STORE_FAILED', problem ?? 'no value'));
            if (database !== undefined) spoil?.(row, database);
          } else if (database === undefined) {
            if (first) findings.caught(new Unjudged('it belongs to no database whose key is known'), table, key ?? '', row);
          } else {
            const values = byKey.get(database);
            if (values === undefined) byKey.set(database, [{ row, value }]);
            else values.push({ row, value });
          }
        }
        for (const [database, values] of byKey) await work(values, database);
        this.#step(ticks ? page.length : 0);
      }
    });
  }

  #newest({ newest }: Audit): SignedHead {
    if (newest === undefined) throw new Unjudged('there is no newest tree head, signed by the key, to prove it under');
    return newest;
  }

  #tree(database: Audit, head: { size: number; hash: Hash }): AuditTree {
    let tree = database.trees.get(head.size);
    if (tree === undefined) database.trees.set(head.size, (tree = new AuditTree(head, (wanted) => this.#kept(formatVerifierKey(database.key), wanted))));
    return tree;
  }

  /** Kept tiles; those of level 0, which a whole log does not keep, are made of its records. */
  async #kept(key: string, wanted: readonly Tile[]): Promise<(Uint8Array | undefined)[]> {
    const tiles = await this.#rows.tiles(key, wanted);
    const made = wanted.map(async (tile, i) => tiles[i] ?? (tile.level === 0 ? this.#madeTile(key, tile) : undefined));
    return Promise.all(made);
  }

  async #madeTile(key: string, { n, width }: Tile): Promise<Uint8Array | undefined> {
    const [pack] = await this.#rows.log.packs(key, [n]);
    if (pack === undefined || pack.width < width) return undefined;
    try {
      return hashLeaves(unpackLeaves(pack.bytes)).subarray(0, width * HASH_SIZE);
    } catch (error) {
      if (isGosumError(error)) return undefined; // the pack's own row says it
      throw error;
    }
  }

  #step(rows: number): void {
    const { progress, signal } = this.#options;
    if (signal?.aborted === true) throw signal.reason as Error;
    for (let i = 0; i < rows; i++) progress?.tick();
  }
}

/** A row whose value could be read. */
type Value<T> = Pick<StoredRow<T>, 'row'> & { readonly value: T };

function evidenceOf({ evidence: { older, newer, proof } }: ForkError): Finding['evidence'] {
  return { older: decodeUtf8(older), newer: decodeUtf8(newer), proof: formatBase64(proof) };
}

function isFound(find: () => unknown): boolean {
  try {
    find();
    return true;
  } catch (error) {
    if (isGosumError(error)) return false;
    throw error;
  }
}
