/**
 * The index of a whole log, audited: its pages and pending entries must have exactly the entries of the records. Whether they do is
 * found out in constant memory (entrybalance.ts); where they do not, a second look at the records names what is missing or foreign.
 */

import type { IndexPage, LogStore, PendingEntries } from '../contract.js';
import { GosumError } from '../errors.js';
import { BUCKETS, ENTRY_SIZE, mergePage, PAGES, pendingByPage, PENDING_SIZE } from '../whole/entry.js';
import type { PackAudit, PackNames } from './auditpacks.js';
import { Unjudged } from './audittree.js';
import { EntryBalance } from './entrybalance.js';
import type { Findings } from './finding.js';

/** Pages whose wrong entries are named, each by itself; of more it is only said that they are wrong. */
const MOST_NAMED = 256;

const LOST = 'it has entries of records that are not kept, or not as they were written';

/** What an index is audited with. */
export interface IndexAuditOptions {
  /** Name of the database. */
  readonly database: string;
  /** Its verifier key. */
  readonly key: string;
  readonly log: LogStore;
  readonly packs: PackAudit;
  readonly findings: Findings;
  /** Told of records that stand under one key: of one module version, or of two by chance. */
  readonly alike: (ids: readonly number[]) => Promise<void>;
  /** The module version of a record, for a person. */
  readonly nameOf: (id: number) => Promise<string>;
}

/** The index of one database. */
export class IndexAudit {
  readonly #options: IndexAuditOptions;
  readonly #balance = new EntryBalance();
  /** Pages, and buckets of pending entries, that are known to be false: what is wrong with their entries is not asked. */
  readonly #badPages = new Set<number>();
  readonly #badBuckets = new Set<number>();
  /** Of pages that are looked at again, the entries that their records have. */
  readonly #again = new Map<number, number[]>();
  #pages = 0;
  #unequal: readonly number[] = [];

  constructor(options: IndexAuditOptions) {
    this.#options = options;
  }

  /** The entries that the records of a pack have. */
  has({ checked: { pages, words }, from, to }: PackNames): void {
    for (let i = from; i < to; i++) this.#balance.has(pages[i] ?? 0, words[2 * i + 1] ?? 0, words[2 * i] ?? 0);
  }

  /** A page of the index. */
  async page(row: string, { n, entries }: IndexPage): Promise<void> {
    const { database, findings } = this.#options;
    const words = wordsOf(entries);
    if (!findings.judge('entry', database, row, () => checkPage(n, entries.length, words), false)) {
      this.spoilPage(row);
      return;
    }
    this.#pages++;
    for (let i = 0; i < words.length; i += 2) this.#balance.stands(n, words[i + 1] ?? 0, words[i] ?? 0);
    await this.#tellAlike(words);
  }

  /** A page that cannot be read, or is not as it was written. @param row its number. */
  spoilPage(row: string): void {
    this.#badPages.add(Number(row));
  }

  /** Pending entries: their form. */
  pending(row: string, { bucket, entries }: PendingEntries): void {
    const { database, findings } = this.#options;
    const isGood = findings.judge('pending', database, row, () => {
      if (bucket >= BUCKETS) throw new GosumError('STORE_FAILED', `there is no bucket ${bucket}`);
      if (entries.length === 0 || entries.length % PENDING_SIZE !== 0) throw new GosumError('STORE_FAILED', `${entries.length} bytes are no pending entries`);
    });
    if (!isGood) this.spoilBucket(row);
  }

  /** Pending entries that cannot be read, or are not as they were written. @param row their bucket. */
  spoilBucket(row: string): void {
    this.#badBuckets.add(Number(row));
  }

  /** All pages and the forms of all pending entries are known: a bucket at a time, the pending entries are put to the pages. */
  async end(): Promise<void> {
    const { key, log } = this.#options;
    for (const bucket of await log.pendingBuckets(key)) {
      if (this.#badBuckets.has(bucket)) continue;
      for (const [n, added] of pendingByPage(bucket, (await log.pending(key, bucket)) ?? [])) {
        const [kept] = await log.pages(key, [n]);
        // some may stand in the page already: to commit a wider pack gives its entries once more
        const all = wordsOf(mergePage(kept?.entries, added));
        for (const { rest, id } of without(all, kept && wordsOf(kept.entries))) this.#balance.stands(n, rest, id);
        await this.#tellAlike(all);
      }
    }
    const wrong = this.#balance.unequal().filter((n) => !this.#badBuckets.has(n >>> 8));
    this.#unequal = wrong.filter((n) => !this.#badPages.has(n));
    this.#options.findings.proved.entry += this.#pages - this.#unequal.length;
    // a page that cannot be read hides what its records repeat
    for (const n of [...this.#unequal.slice(0, MOST_NAMED), ...[...this.#badPages].slice(0, MOST_NAMED)]) this.#again.set(n, []);
  }

  /** Whether the records have to be looked at once more. */
  get isUnsure(): boolean {
    return this.#again.size > 0;
  }

  /** The entries that the records of a pack have, on the second look. */
  hasAgain({ checked: { pages, words }, from, to }: PackNames): void {
    for (let i = from; i < to; i++) this.#again.get(pages[i] ?? 0)?.push(words[2 * i] ?? 0, words[2 * i + 1] ?? 0);
  }

  /** Names what is wrong, after the second look. */
  async name(): Promise<void> {
    for (const [n, has] of this.#again) {
      const words = wordsOf(mergePage(undefined, new BigUint64Array(Uint32Array.from(has).buffer)));
      await this.#tellAlike(words);
      if (!this.#badPages.has(n)) await this.#namePage(n, words);
    }
    const more = this.#unequal.slice(MOST_NAMED);
    if (more[0] === undefined) return;
    const { database, findings, packs } = this.#options;
    if (packs.anySpoiled) {
      for (const n of more) findings.caught(new Unjudged(LOST), 'entry', database, String(n));
    } else {
      const error = new GosumError('STORE_FAILED', 'its entries are not those of the records');
      findings.add('false', 'entry', database, String(more[0]), error, { rows: more.length });
    }
  }

  /** @param has the entries that the records have. */
  async #namePage(n: number, has: Uint32Array): Promise<void> {
    const { database, findings, packs, nameOf } = this.#options;
    const stands = await this.#stored(n);
    for (const { id } of without(has, stands)) {
      const message = `it has no entry of record ${id}, ${await nameOf(id)}: the record is not found by its name`;
      findings.add('false', 'entry', database, String(n), new GosumError('STORE_FAILED', message));
    }
    for (const { id } of without(stands, has)) {
      if (packs.has(id)) {
        const message = `an entry leads to record ${id}, ${await nameOf(id)}, which has another key`;
        findings.add('false', 'entry', database, String(n), new GosumError('STORE_FAILED', message));
      } else if (packs.isSpoiled(id)) {
        findings.caught(new Unjudged(LOST), 'entry', database, String(n));
      } else {
        findings.add('false', 'entry', database, String(n), new GosumError('STORE_FAILED', `an entry leads to record ${id}, which is not kept`));
      }
    }
  }

  /** The entries of a page, pending ones among them. */
  async #stored(n: number): Promise<Uint32Array> {
    const { key, log } = this.#options;
    const [kept] = await log.pages(key, [n]);
    const added = pendingByPage(n >>> 8, (await log.pending(key, n >>> 8)) ?? []).get(n);
    return wordsOf(mergePage(kept?.entries, added ?? new BigUint64Array()));
  }

  /** @param words of a page, in order: those of one key stand together. */
  async #tellAlike(words: Uint32Array): Promise<void> {
    for (let from = 0; from + 2 < words.length; ) {
      let to = from + 2;
      while (to < words.length && words[to + 1] === words[from + 1]) to += 2;
      if (to > from + 2) await this.#options.alike(Array.from({ length: (to - from) / 2 }, (_, i) => words[from + 2 * i] ?? 0));
      from = to;
    }
  }
}

/** @throws {GosumError} `STORE_FAILED`. */
function checkPage(n: number, bytes: number, words: Uint32Array): void {
  if (n >= PAGES) throw new GosumError('STORE_FAILED', `there is no page ${n}`);
  if (bytes % ENTRY_SIZE !== 0) throw new GosumError('STORE_FAILED', `${bytes} bytes are no entries`);
  for (let i = 2; i < words.length; i += 2) {
    if (!isBefore(words, i - 2, words, i)) throw new GosumError('STORE_FAILED', 'its entries are not in order, each once');
  }
}

/** The entries of one page that another has not. Both in order. */
function* without(words: Uint32Array, others: Uint32Array = new Uint32Array()): Generator<{ readonly rest: number; readonly id: number }> {
  let at = 0;
  for (let i = 0; i < words.length; i += 2) {
    while (at < others.length && isBefore(others, at, words, i)) at += 2;
    if (others[at] !== words[i] || others[at + 1] !== words[i + 1]) yield { rest: words[i + 1] ?? 0, id: words[i] ?? 0 };
  }
}

/** Whether an entry comes before another: by the rest of their keys, then by the number. */
function isBefore(a: Uint32Array, i: number, b: Uint32Array, j: number): boolean {
  const [x = 0, y = 0] = [a[i + 1], b[j + 1]];
  return x < y || (x === y && (a[i] ?? 0) < (b[j] ?? 0));
}

/** Of each entry two words: the record's number, the rest of its key. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, 2 * Math.floor(bytes.length / ENTRY_SIZE));
}
