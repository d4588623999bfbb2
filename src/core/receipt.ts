/**
 * Receipts: records and the hashes that prove all of them under one signed tree head, together and without tiles.
 *
 * For 314 records of 72 million a receipt is 200 KB and 4,900 hashes to check, where the tiles are 3.8 MB and 118,000.
 * It is kept whole and proved again on every use. The form, in bytes:
 *
 *     gosumcheck/receipt@v1\n
 *     note LEN\n      then the signed note
 *     records K\n     then K times: id LEN\n and the record's text, ids ascending
 *     hashes H\n      then H times 32 bytes
 *
 * The order of hashes is that of the walk (walk.ts).
 */

import type { KeptReceipt, KeptRecord } from '../contract.js';
import { GosumError } from '../errors.js';
import { equalBytes, type Hash } from './hash.js';
import type { VerifierKey } from './key.js';
import { formatHashes, formatRecords, Parts, readHashes, readRecords, sortRecords } from './parts.js';
import type { ProvedTree } from './plan.js';
import type { Proved } from './proved.js';
import { recordHash, type LogRecord } from './record.js';
import { encodeUtf8, joinBytes } from './text.js';
import { proveRecord, rangeHash, recordProofRanges } from './tree.js';
import { openTreeHead, type SignedHead } from './treehead.js';
import { coveringRanges, RangeHashes, walkRoot } from './walk.js';

const FIRST_LINE = 'gosumcheck/receipt@v1';

/** A record that was proved to be in the tree of `head`. */
export type ProvedRecord = Proved<
  LogRecord & {
    readonly head: SignedHead;
    /** Its inclusion proof under `head`: hashes of 32 bytes, the leaf's sibling first. */
    readonly proof: () => Uint8Array;
  }
>;

/** A receipt that was opened, and so proved. */
export interface Receipt {
  readonly head: SignedHead;
  /** Ascending by id. */
  readonly records: readonly ProvedRecord[];
}

/**
 * Proves that a text is the record of that number in a proved tree.
 *
 * @param head the signed head that `tree` was proved under.
 * @param record attacker-controlled; its id is less than the head's size.
 * @throws {GosumError} `RECORD_MISMATCH` where the text is not the log's; `TileError` where its tile is not proved.
 */
export function proveRecordIn(tree: ProvedTree, head: SignedHead, { id, text }: LogRecord): ProvedRecord {
  if (!equalBytes(recordHash(text), tree.read(0, id))) {
    throw new GosumError('RECORD_MISMATCH', `the answer for record ${id} is not the one in the log`);
  }
  const record = { id, text, head, proof: () => proveRecord(tree.head.size, id, tree.read) };
  return record as ProvedRecord;
}

/** A proved record as a server keeps it, for the module version that it was asked for. */
export function keptRecord({ id, text }: ProvedRecord, covers: string): Proved<KeptRecord> {
  return { id, text, covers } as Proved<KeptRecord>;
}

/**
 * Makes a receipt of records that were proved in a tree.
 *
 * @param head the signed head that `tree` was proved under.
 * @param records not empty; in any order, repeats allowed.
 * @param covers the module versions that the receipt is kept for.
 */
export function makeReceipt(
  tree: ProvedTree,
  head: SignedHead,
  records: readonly ProvedRecord[],
  covers: readonly string[],
): Proved<KeptReceipt> {
  const sorted = sortRecords(records);
  const ids = sorted.map((record) => record.id);
  const hashes = coveringRanges(tree.head.size, ids).map((range) => rangeHash(range, tree.read));
  return receiptOf(head, sorted, hashes, covers);
}

/**
 * The receipt of records that the caller has proved under `head`.
 *
 * @param records not empty, strictly ascending.
 * @param hashes those of the `coveringRanges`.
 */
export function receiptOf(
  head: SignedHead,
  records: readonly LogRecord[],
  hashes: readonly Hash[],
  covers: readonly string[],
): Proved<KeptReceipt> {
  const bytes = joinBytes([
    encodeUtf8(`${FIRST_LINE}\nnote ${head.note.length}\n`),
    head.note,
    ...formatRecords(records),
    ...formatHashes(hashes),
  ]);
  return { bytes, covers } as Proved<KeptReceipt>;
}

/**
 * Opens a receipt: verifies the head's signature, and proves every record under it.
 *
 * @param bytes attacker-controlled.
 * @throws {GosumError} `RECEIPT_MALFORMED`; what `openTreeHead` throws; `PROOF_MISMATCH` where records and hashes do not
 * give the signed root.
 */
export function openReceipt(bytes: Uint8Array, key: VerifierKey): Receipt {
  const parts = new Parts(bytes, malformed);
  if (parts.line() !== FIRST_LINE) throw malformed('another first line');
  const head = openTreeHead(parts.take(parts.count('note')), key);
  const records = readRecords(parts, malformed);
  const last = records.at(-1);
  if (last === undefined) throw malformed('no records');
  if (last.id >= head.size) throw malformed(`record ${last.id} is out of range`);
  const hashes = readHashes(parts, malformed);
  const root = walkRoot({ size: head.size, old: 0, records, hashes }, malformed);
  if (!equalBytes(root, head.hash)) {
    throw new GosumError('PROOF_MISMATCH', `the receipt does not give the tree of ${head.size}`);
  }
  return { head, records: provedRecords(head, records, hashes) };
}

/**
 * Records that the caller has proved under `head`, by these hashes of their receipt.
 *
 * Few ask for an inclusion proof, so that only the first who does has the hashes of the walk kept.
 */
export function provedRecords(head: SignedHead, records: readonly LogRecord[], hashes: Uint8Array): ProvedRecord[] {
  let nodes: RangeHashes | undefined;
  const proofOf = (id: number): Uint8Array => {
    if (nodes === undefined) {
      const kept = (nodes = new RangeHashes());
      walkRoot({ size: head.size, old: 0, records, hashes }, malformed, (...split) => kept.keep(...split));
    }
    const known = nodes;
    return joinBytes(recordProofRanges(head.size, id).map((range) => known.get(range)));
  };
  return records.map((record) => ({ ...record, head, proof: () => proofOf(record.id) }) as ProvedRecord);
}

function malformed(detail: string, cause?: unknown): GosumError {
  return new GosumError('RECEIPT_MALFORMED', `malformed receipt: ${detail}`, { cause });
}
