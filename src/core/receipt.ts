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
 * The order of hashes: walk [0, size) by the splits of RFC 6962. A range that holds none of the ids takes the next hash; a
 * single leaf that is asked for is computed from its text; everything else is split.
 */

import { sha256Into } from '#crypto';
import type { KeptReceipt, KeptRecord } from '../contract.js';
import { GosumError } from '../errors.js';
import { equalBytes, HASH_SIZE, type Hash } from './hash.js';
import { parseCount, splitPoint } from './integer.js';
import type { VerifierKey } from './key.js';
import type { ProvedTree } from './plan.js';
import type { Proved } from './proved.js';
import { checkRecordText, recordHash, type LogRecord } from './record.js';
import { decodeUtf8, encodeUtf8, joinBytes } from './text.js';
import { nodeFrame, proveRecord, rangeHash, recordProofRanges, type NodeFrame, type Range } from './tree.js';
import { openTreeHead, type SignedHead } from './treehead.js';

const FIRST_LINE = 'gosumcheck/receipt@v1';
const NEWLINE = 0x0a;
const HASH_WORDS = HASH_SIZE / 4;

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
  const sorted = [...new Map(records.map((record) => [record.id, record])).values()].sort((a, b) => a.id - b.id);
  const ids = sorted.map((record) => record.id);
  const hashes = coveringRanges(tree.head.size, ids).map((range) => rangeHash(range, tree.read));
  const bytes = joinBytes([
    encodeUtf8(`${FIRST_LINE}\nnote ${head.note.length}\n`),
    head.note,
    encodeUtf8(`records ${sorted.length}\n`),
    ...sorted.flatMap(({ id, text }) => [encodeUtf8(`${id} ${text.length}\n`), text]),
    encodeUtf8(`hashes ${hashes.length}\n`),
    ...hashes,
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
  const parts = new Parts(bytes);
  if (parts.line() !== FIRST_LINE) throw malformed('another first line');
  const head = openTreeHead(parts.take(parts.count('note')), key);
  const records: LogRecord[] = [];
  for (let left = parts.count('records'); left > 0; left--) {
    const [id, length] = parts.counts();
    const text = parts.take(length);
    checkRecordText(text);
    if (id <= (records.at(-1)?.id ?? -1) || id >= head.size) throw malformed(`record ${id} is out of order or range`);
    records.push({ id, text });
  }
  if (records.length === 0) throw malformed('no records');
  const hashes = parts.take(parts.count('hashes') * HASH_SIZE);
  if (!parts.atEnd) throw malformed('bytes behind the hashes');

  const root = walkReceipt(head.size, records, hashes);
  if (!equalBytes(root, head.hash)) {
    throw new GosumError('PROOF_MISMATCH', `the receipt does not give the tree of ${head.size}`);
  }
  let nodes: Map<string, Hash> | undefined;
  /** The inclusion proof of a record: few ask for one, so that only the first who does has the walk's hashes kept. */
  const proofOf = (id: number): Uint8Array => {
    if (nodes === undefined) walkReceipt(head.size, records, hashes, (nodes = new Map<string, Hash>()));
    const known = nodes;
    return joinBytes(recordProofRanges(head.size, id).flatMap(({ lo, hi }) => known.get(`${lo}-${hi}`) ?? []));
  };
  return { head, records: records.map((record) => ({ ...record, head, proof: () => proofOf(record.id) }) as ProvedRecord) };
}

/** The ranges that hold none of `ids` (ascending), in the order of the walk. */
function coveringRanges(size: number, ids: readonly number[]): Range[] {
  const ranges: Range[] = [];
  const walk = ({ lo, hi }: Range, from: number, to: number): void => {
    if (from === to) {
      ranges.push({ lo, hi });
    } else if (hi - lo > 1) {
      const mid = lo + splitPoint(hi - lo);
      const split = lowerBound(ids, mid, from, to);
      walk({ lo, hi: mid }, from, split);
      walk({ lo: mid, hi }, split, to);
    }
  };
  walk({ lo: 0, hi: size }, 0, ids.length);
  return ranges;
}

/**
 * The walk of a check, which takes each record and each hash exactly once, in order: the root that they give.
 *
 * A warm run is mostly this. So it makes no object for a node: each range writes its hash to where the range above it has
 * the bytes that it will hash, a frame for each depth.
 *
 * @param nodes where given, takes the hash of every range on the way, by `lo-hi`.
 */
function walkReceipt(size: number, records: readonly LogRecord[], hashes: Uint8Array, nodes?: Map<string, Hash>): Hash {
  const ids = records.map((record) => record.id);
  const words = new Int32Array(hashes.slice().buffer);
  const frames: NodeFrame[] = [];
  let used = 0;
  /** Writes the next hash to `frame`, as its left (0) or right (1) half. */
  const take = (lo: number, hi: number, frame: NodeFrame, half: 0 | 1): void => {
    if (used === words.length) throw malformed('fewer hashes than the proof needs');
    for (let i = half * HASH_WORDS, end = i + HASH_WORDS; i < end; i++) frame.words[i] = words[used++] ?? 0;
    nodes?.set(`${lo}-${hi}`, halfOf(frame, half));
  };
  /** Writes to `frame`, as that half, the hash of the range that holds the records from `from` up to `to`, at least one. */
  const walk = (lo: number, hi: number, from: number, to: number, frame: NodeFrame, half: 0 | 1, depth: number): void => {
    const record = records[from];
    if (hi - lo === 1 && record !== undefined) {
      frame.bytes.set(recordHash(record.text), 1 + half * HASH_SIZE);
    } else {
      const mid = lo + splitPoint(hi - lo);
      const split = lowerBound(ids, mid, from, to);
      const below = (frames[depth] ??= nodeFrame());
      if (split === from) take(lo, mid, below, 0);
      else walk(lo, mid, from, split, below, 0, depth + 1);
      if (split === to) take(mid, hi, below, 1);
      else walk(mid, hi, split, to, below, 1, depth + 1);
      sha256Into(below.bytes, frame.bytes, 1 + half * HASH_SIZE);
    }
    nodes?.set(`${lo}-${hi}`, halfOf(frame, half));
  };
  const root = nodeFrame();
  walk(0, size, 0, records.length, root, 0, 0);
  if (used < words.length) throw malformed('more hashes than the proof needs');
  return halfOf(root, 0);
}

function halfOf({ bytes }: NodeFrame, half: 0 | 1): Hash {
  return bytes.slice(1 + half * HASH_SIZE, 1 + (half + 1) * HASH_SIZE);
}

/** The first index in [from, to) whose id is at least `bound`; `to` where there is none. */
function lowerBound(ids: readonly number[], bound: number, from: number, to: number): number {
  let lo = from;
  let hi = to;
  while (lo < hi) {
    const mid = Math.floor((lo + hi) / 2);
    if ((ids[mid] ?? Infinity) < bound) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

/** Reads lines and counted bytes, strictly. */
class Parts {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  line(): string {
    const end = this.#bytes.indexOf(NEWLINE, this.#offset);
    if (end < 0 || end - this.#offset > 100) throw malformed('no line where one is due');
    const line = this.#bytes.subarray(this.#offset, end);
    this.#offset = end + 1;
    try {
      return decodeUtf8(line);
    } catch (cause) {
      throw malformed('invalid UTF-8', cause);
    }
  }

  /** A line of the word and a count. */
  count(word: string): number {
    const line = this.line();
    if (!line.startsWith(`${word} `)) throw malformed(`no line of ${word}`);
    return countOf(line.slice(word.length + 1));
  }

  /** A line of two counts. */
  counts(): [number, number] {
    const line = this.line();
    const space = line.indexOf(' ');
    return [countOf(line.slice(0, Math.max(space, 0))), countOf(line.slice(space + 1))];
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#offset) throw malformed('it is cut short');
    return this.#bytes.subarray(this.#offset, (this.#offset += length));
  }
}

function countOf(text: string): number {
  try {
    return parseCount(text);
  } catch (cause) {
    throw malformed('bad count', cause);
  }
}

function malformed(detail: string, cause?: unknown): GosumError {
  return new GosumError('RECEIPT_MALFORMED', `malformed receipt: ${detail}`, { cause });
}
