/**
 * The audit: everything that a store keeps is proved again, offline, and what is not as it should be is named.
 *
 * It streams: a page of rows at a time, each proved with the tiles that tie it to a signed head (audittree.ts). Nothing of the
 * store is believed, and nothing is written. The whole log, where one is kept, is in auditlog.ts.
 */

import type { KeptReceipt, KeptRecord, StoreRows, TileBytes, TimelineHead } from '../contract.js';
import type { Progress } from '../client/sumdb.js';
import { formatBase64 } from '../core/base64.js';
import { checkFork, ForkError, forkError } from '../core/fork.js';
import { formatHash, equalBytes } from '../core/hash.js';
import { formatVerifierKey, parseVerifierKey } from '../core/key.js';
import { parseModuleVersion } from '../core/module.js';
import { openReceipt } from '../core/receipt.js';
import { checkRecordText, findHashes, recordHash } from '../core/record.js';
import { decodeUtf8 } from '../core/text.js';
import { hashAtSize } from '../core/timeline.js';
import { formatTilePath, tileInTree } from '../core/tile.js';
import { checkTree } from '../core/tree.js';
import { openTreeHead, sameTree, type SignedHead } from '../core/treehead.js';
import { GosumError, isGosumError } from '../errors.js';
import { AuditedDatabase } from './auditdatabase.js';
import type { AuditedLog } from './auditlog.js';
import { auditLogs } from './auditlogs.js';
import { AuditedRows, type Value } from './auditrows.js';
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

/**
 * Audits all that a store has.
 *
 * @param found told of each finding when it is known; those of what could not be judged come at the end, summed up by reason.
 * @throws {GosumError} the signal's reason. That the store cannot be read is a finding.
 */
export async function audit(rows: StoreRows, found: (finding: Finding) => void, options: AuditOptions = {}): Promise<Audited> {
  return new Auditor(rows, new Findings(found), options).run();
}

class Auditor {
  readonly #rows: StoreRows;
  readonly #findings: Findings;
  readonly #options: AuditOptions;
  readonly #walk: AuditedRows;

  constructor(rows: StoreRows, findings: Findings, options: AuditOptions) {
    this.#rows = rows;
    this.#findings = findings;
    this.#options = options;
    this.#walk = new AuditedRows(findings, options);
  }

  async run(): Promise<Audited> {
    const rows = this.#rows;
    const findings = this.#findings;
    const { progress } = this.#options;
    const defects = rows.defects();
    defects.catch(() => undefined);
    const [all, base] = [await this.#count(), await this.#count('base')];
    progress?.phase('proving what is kept', base ?? 0);
    await findings.reading('database', () => this.#auditDatabases());
    await this.#walk.each('head', () => rows.heads(), (page, database) => this.#auditHeads(page, database));
    await this.#walk.each('head', () => rows.heads(), (page, database) => this.#auditLinks(page, database), { again: true });
    for (const { name, newest, heads } of this.#walk.databases.values()) {
      if (newest === undefined && heads.size > 0) findings.add('false', 'head', name, '', new GosumError('PROOF_MISMATCH', 'no head is the newest: none of them is without a greater one'));
    }
    await this.#walk.each('tile', () => rows.hashTiles(), (page, database) => this.#auditTiles(page, database));
    await this.#walk.each('record', () => rows.records(), (page, database) => this.#auditRecords(page, database));
    await this.#walk.each('receipt', () => rows.receipts(), (page, database) => this.#auditReceipts(page, database));
    await this.#auditEvidence();
    const logs = all === undefined || all !== base ? await auditLogs(rows, this.#walk, findings, { ...this.#options, total: (all ?? 0) - (base ?? 0) }) : undefined;
    progress?.phase('checking the file', 1);
    await findings.reading('file', async () => {
      for (const defect of await defects) findings.add('false', 'file', '', '', new GosumError('STORE_FAILED', defect));
    });
    findings.end();
    const databases = [...this.#walk.databases.values()].map((database) => {
      const { name, vkey, newest } = database;
      const log = logs?.get(database);
      return { name, key: vkey, tree: newest && { size: newest.size, hash: formatHash(newest.hash) }, ...(log && { log }) };
    });
    return { databases, proved: findings.proved, found: findings.found };
  }

  /** `undefined` where they cannot be counted, which is a finding. */
  async #count(part?: 'base'): Promise<number | undefined> {
    let count: number | undefined;
    await this.#findings.reading('file', async () => void (count = await this.#rows.count(part)));
    return count;
  }

  async #auditDatabases(): Promise<void> {
    for (const { name, key: vkey } of await this.#rows.databases()) {
      this.#findings.judge('database', name, name, () => {
        const key = parseVerifierKey(vkey);
        if (key.name !== name || formatVerifierKey(key) !== vkey) throw new GosumError('KEY_MALFORMED', `it remembers the key of another: ${vkey}`);
        this.#walk.databases.set(vkey, new AuditedDatabase(name, key, this.#rows));
      });
    }
  }

  #auditHeads(page: readonly Value<TimelineHead>[], database: AuditedDatabase): void {
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
  async #auditLinks(page: readonly Value<TimelineHead>[], database: AuditedDatabase): Promise<void> {
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
  async #forkAt(database: AuditedDatabase, older: SignedHead): Promise<ForkError | undefined> {
    const newest = database.newest;
    if (newest === undefined || older.size > newest.size) return undefined;
    try {
      const page = await database.tree(newest).prove([], [], { links: [older.size] });
      const tree = page.tree();
      return equalBytes(hashAtSize(tree, older.size), older.hash) ? undefined : forkError(tree, newest, older);
    } catch (error) {
      if (error instanceof Unjudged || isGosumError(error, 'TILE_MISMATCH', 'TILE_SIZE')) return undefined;
      throw error;
    }
  }

  async #auditTiles(page: readonly Value<TileBytes>[], database: AuditedDatabase): Promise<void> {
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
  #treeOf(database: AuditedDatabase, { tile }: TileBytes): AuditTree {
    const newest = database.head();
    const whole = tileInTree(tile.level, tile.n, newest.size);
    if (whole === undefined || whole.width < tile.width) {
      throw new GosumError('TILE_MISMATCH', `it is beyond the newest tree, of ${newest.size}`);
    }
    const older = whole.width === tile.width ? undefined : [...database.heads.values()].find(({ size }) => tileInTree(tile.level, tile.n, size)?.width === tile.width);
    return database.tree(older ?? newest);
  }

  async #auditRecords(page: readonly Value<KeptRecord>[], database: AuditedDatabase): Promise<void> {
    const { name } = database;
    const within: Value<KeptRecord>[] = [];
    for (const each of page) {
      const { id } = each.value;
      this.#findings.judge('record', name, each.row, () => {
        const { size } = database.head();
        if (id >= size) throw new GosumError('RECORD_BEYOND_HEAD', `record ${id} is not in the tree of ${size}`);
        within.push(each);
      }, false);
    }
    if (within.length === 0) return;
    const proved = await database.tree(database.head()).prove([], within.map(({ value }) => value.id));
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

  #auditReceipts(page: readonly Value<KeptReceipt>[], { name, key, heads }: AuditedDatabase): void {
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
        this.#walk.step(page.length);
        for (const { row, key = '', value, problem } of page) {
          const name = this.#walk.databases.get(key)?.name ?? key;
          if (value === undefined) this.#findings.add('false', 'evidence', name, row, new GosumError('STORE_FAILED', problem ?? 'no value'));
          else {
            const proves = this.#findings.judge('evidence', name, row, () => checkFork(value, parseVerifierKey(key)));
            if (proves) this.#findings.add('fork', 'evidence', name, row, new GosumError('FORK', `the log was seen to misbehave at ${value.foundAt}`));
          }
        }
      }
    });
  }

}

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
