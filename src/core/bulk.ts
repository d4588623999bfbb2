/**
 * Bulk proofs: many records, and the consistency from the client's own tree head, under one signed head, as one compact
 * multiproof (docs/bulk.md).
 *
 * Nothing that an answer says is believed: a record's place is its id, the walk (walk.ts) follows from the sizes and ids
 * alone, and which module versions a record is of is read in its proved text.
 */

import type { KeptReceipt, TimelineHead } from '../contract.js';
import { GosumError } from '../errors.js';
import { bulkKey, formatBulkAnswer, malformedAnswer, parseBulkAnswer, type BulkMissing, type BulkQuery } from './bulkform.js';
import { forkOf } from './fork.js';
import { equalBytes, hashAt, type Hash } from './hash.js';
import type { VerifierKey } from './key.js';
import { formatModuleVersion, type ModuleVersion } from './module.js';
import { sortRecords } from './parts.js';
import type { ProvedTree } from './plan.js';
import type { Proved } from './proved.js';
import { provedRecords, proveRecordIn, receiptOf, type ProvedRecord } from './receipt.js';
import type { LogRecord } from './record.js';
import { decodeUtf8, joinBytes, quote } from './text.js';
import { linkHead, timelineHead } from './timeline.js';
import { rangeHash, treeHash, treeProofRanges } from './tree.js';
import { openTreeHead, sameTree, type SignedHead } from './treehead.js';
import { coveringRanges, RangeHashes, straddles, walkRoot } from './walk.js';

export type { BulkMissing, BulkQuery };

/** What an answer proves. */
export interface BulkAnswer {
  readonly head: SignedHead;
  /** By `path@version`. A record that has lines of several is under each. */
  readonly records: ReadonlyMap<string, ProvedRecord>;
  /** What the server has no record of, by its own word alone. With `records` it is all that was asked for. */
  readonly missing: readonly BulkMissing[];
  /** Covers what was found; `undefined` where nothing was. */
  readonly receipt: Proved<KeptReceipt> | undefined;
  /** What a change of the timeline needs to go from the known head to `head`; empty where they are one. */
  readonly heads: readonly Proved<TimelineHead>[];
}

/**
 * Makes an answer.
 *
 * @param tree proved under `head`, with a plan of the records, and of `old` as a link where it lies in the tree.
 * @param old size of the head that the client holds. Where it is beyond `head`, the answer is as for 0: a client will see
 * that the server is behind, and judge nothing by it.
 * @param records in any order, repeats allowed.
 * @param missing what there is no record of, each with a status from 400 to 599.
 * @throws {GosumError} `RECORD_MISMATCH` where a text is not the log's; `TileError` where a tile is not proved.
 */
export function makeBulk(
  tree: ProvedTree,
  head: SignedHead,
  old: number,
  records: readonly LogRecord[],
  missing: readonly BulkMissing[],
): Uint8Array {
  if (!sameTree(tree.head, head)) throw new Error('not the head that the tree was proved under');
  const { size } = head;
  const proved = sortRecords(records.map((record) => proveRecordIn(tree, head, record)));
  const ids = proved.map(({ id }) => id);
  const hashes = coveringRanges(size, ids, old < size ? old : 0).map((range) => rangeHash(range, tree.read));
  return formatBulkAnswer({ note: head.note, missing, records: proved, hashes });
}

/**
 * How many hashes an answer has: what it weighs beside its texts, 32 bytes each.
 *
 * @param ids any order, no repeats, all less than `size`. @param old at most `size`.
 */
export function bulkHashCount(size: number, ids: readonly number[], old = 0): number {
  return coveringRanges(size, ids.toSorted((a, b) => a - b), old).length;
}

/**
 * Opens an answer: verifies the head's signature, and proves every record, and the client's own head, under it.
 *
 * Whether a record has two different hashes for one line is left to `findHashes`, as with any other record.
 *
 * @param bytes attacker-controlled.
 * @param known the newest head of the client's timeline, of size `query.old`; `undefined` at first contact.
 * @throws {ForkError} where the log signed both heads, and the new one's tree does not begin with the known one.
 * @throws {GosumError} `BULK_MALFORMED`, `RECORD_MALFORMED`; what `openTreeHead` throws; `BULK_OLDER` where the server's
 * head is smaller than the known one: no verdict, ask the ordinary way; `RECORD_BEYOND_HEAD`; `PROOF_MISMATCH` where records
 * and hashes do not give the signed root; `RECORD_FOREIGN` for a record that nobody asked for; `BULK_COVERAGE` where a
 * module version stands in none or several of the records and the missing ones, or was not asked for.
 */
export function openBulk(bytes: Uint8Array, key: VerifierKey, query: BulkQuery, known: SignedHead | undefined): BulkAnswer {
  const { old } = query;
  if (old !== (known?.size ?? 0)) throw new Error(`the question was asked with a head of ${old}, not ${known?.size ?? 0}`);
  const { note, missing, records, hashes } = parseBulkAnswer(bytes);
  const head = openTreeHead(note, key);
  const { size } = head;
  if (size < old) throw new GosumError('BULK_OLDER', `the bulk answer is of a tree of ${size}, a head of ${old} is known`);
  const last = records.at(-1);
  if (last !== undefined && last.id >= size) {
    throw new GosumError('RECORD_BEYOND_HEAD', `record ${last.id} is not in the tree of ${size}`);
  }

  // The hashes beside the way to the old size: they have its root, its consistency proof, and what the receipt lacks.
  const way = new RangeHashes();
  const root = walkRoot({ size, old, records, hashes }, malformedAnswer, (lo, mid, hi, halves) => {
    if (straddles(lo, hi, old)) way.keep(lo, mid, hi, halves);
  });
  if (!equalBytes(root, head.hash)) {
    throw new GosumError('PROOF_MISMATCH', `the bulk answer does not give the tree of ${size}`);
  }
  const heads = known === undefined ? [timelineHead(head)] : headsFrom(known, head, way);
  const ids = placeKeys(query.wanted, records, missing);
  if (records.length === 0) return { head, records: new Map(), missing, receipt: undefined, heads };

  const kept = withoutOld(size, records, hashes, old, way);
  const proved = new Map(provedRecords(head, records, joinBytes(kept)).map((record) => [record.id, record]));
  const found = new Map<string, ProvedRecord>();
  for (const [name, id] of ids) {
    const record = proved.get(id);
    if (record !== undefined) found.set(name, record);
  }
  return { head, records: found, missing, receipt: receiptOf(head, records, kept, [...found.keys()]), heads };
}

/**
 * What leads from the known head to the new one, whose root the walk gave.
 *
 * @throws {ForkError} where the new tree does not begin with the known one.
 */
function headsFrom(known: SignedHead, head: SignedHead, way: RangeHashes): Proved<TimelineHead>[] {
  const { size } = known;
  const read = (level: number, n: number): Hash => way.get({ lo: n * 2 ** level, hi: (n + 1) * 2 ** level });
  const begins = size === head.size ? head.hash : treeHash(size, read);
  const proof = joinBytes(treeProofRanges(head.size, size).map((range) => way.get(range)));
  if (!equalBytes(begins, known.hash)) throw forkOf(head, known, begins, proof);
  return size === head.size ? [] : [linkHead(known, head, proof), timelineHead(head)];
}

/** Finds each module version's record, by `path@version`, where each stands in one record or one line of the missing alone. */
function placeKeys(
  wanted: readonly ModuleVersion[],
  records: readonly LogRecord[],
  missing: readonly BulkMissing[],
): Map<string, number> {
  const asked = new Map(wanted.map((each) => [bulkKey(each), each]));
  const open = new Set(asked.keys());
  for (const key of missing.map(bulkKey)) {
    if (!open.delete(key)) throw coverage(key, 'is missing twice, or was not asked for');
  }
  const ids = new Map<string, number>();
  for (const { id, text } of records) {
    const keys = keysOf(text).filter((key) => asked.has(key));
    if (keys.length === 0) throw new GosumError('RECORD_FOREIGN', `record ${id} is of no module version that was asked for`);
    for (const key of keys) {
      if (!open.delete(key)) throw coverage(key, `has record ${id}, and another or none`);
      const { module = '', version = '' } = asked.get(key) ?? {};
      ids.set(formatModuleVersion(module, version), id);
    }
  }
  for (const key of open) throw coverage(key, 'is neither among the records nor missing');
  return ids;
}

/** The module versions that a record has hashes of, as `findHashes` reads them. */
function keysOf(text: Uint8Array): string[] {
  const keys = new Set<string>();
  for (const line of decodeUtf8(text).split('\n')) {
    const key = /^([^ ]+ [^ ]+?)(?:\/go\.mod)? h1:/.exec(line)?.[1];
    if (key !== undefined) keys.add(key);
  }
  return [...keys];
}

/**
 * The hashes that prove the records without the earlier size: where that made the walk split a range that holds no record,
 * the range's own hash stands for those that the walk took.
 */
function withoutOld(size: number, records: readonly LogRecord[], hashes: Uint8Array, old: number, way: RangeHashes): Hash[] {
  const ids = records.map(({ id }) => id);
  const taken = coveringRanges(size, ids, old);
  let at = 0;
  return coveringRanges(size, ids).map((range) => {
    const hash = straddles(range.lo, range.hi, old) ? way.get(range) : hashAt(hashes, at);
    while ((taken[at]?.lo ?? range.hi) < range.hi) at++;
    return hash;
  });
}

function coverage(key: string, flaw: string): GosumError {
  return new GosumError('BULK_COVERAGE', `in the bulk answer ${quote(key)} ${flaw}`);
}
