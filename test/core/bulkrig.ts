/** Bulk answers of a test log: true ones, ones of any parts, and what of an answer is not the truth. */

import type { BulkMissing, BulkQuery } from '../../src/core/bulkform.js';
import { makeBulk, type BulkAnswer } from '../../src/core/bulk.js';
import { formatModuleVersion, type ModuleVersion } from '../../src/core/module.js';
import { openNote } from '../../src/core/note.js';
import { planTiles } from '../../src/core/plan.js';
import { openReceipt } from '../../src/core/receipt.js';
import { concatBytes, encodeUtf8 } from '../../src/core/text.js';
import type { SignedHead } from '../../src/core/treehead.js';
import type { TestLog } from '../../src/testing/index.js';

/** A question, what the client holds, and the parts of the true answer. */
export interface Asked {
  readonly log: TestLog;
  readonly size: number;
  readonly query: BulkQuery;
  readonly known: SignedHead | undefined;
  /** Ascending. */
  readonly ids: readonly number[];
  readonly missing: readonly BulkMissing[];
}

/** A question for these records of the log's tree of `size`, and for some that the log does not know. */
export function askFor(log: TestLog, size: number, old: number, ids: readonly number[], unknown = 0): Asked {
  const missing = Array.from({ length: unknown }, (_, i) => ({ module: `example.com/unknown/${i}`, version: 'v1.0.0', status: 404 + i }));
  const wanted = [...ids.map((id) => keyOf(log, id)), ...missing.map(({ module, version }) => ({ module, version }))];
  const known = old === 0 ? undefined : log.signedHead(old);
  return { log, size, query: { old, wanted }, known, ids: ids.toSorted((a, b) => a - b), missing };
}

/** Makes the answer as a server does: plan, authenticate, make. */
export function answerTo({ log, size, query: { old }, ids, missing }: Asked): Uint8Array {
  const head = log.signedHead(size);
  const plan = planTiles(head, { records: ids, links: old > 0 && old < size ? [old] : [] });
  const tree = plan.authenticate(plan.tiles.map((tile) => log.tileBytes(tile)));
  return makeBulk(tree, head, old, ids.map((id) => ({ id, text: log.text(id) })), missing);
}

/** The module version of a record's first line. */
export function keyOf(log: TestLog, id: number): ModuleVersion {
  const [module = '', version = ''] = Buffer.from(log.text(id)).toString().split(' ');
  return { module, version: version.replace('/go.mod', '') };
}

/** A record in an answer; a length that is given stands for the one that would fit. */
export type Row = readonly [id: number | string, text: Uint8Array, length?: string];

/** An answer in its parts; a line that is given stands for the one that would fit. */
export interface Parts {
  readonly first: string;
  readonly note: Uint8Array;
  readonly noteLine?: string;
  readonly missing: readonly string[];
  readonly missingLine?: string;
  readonly records: readonly Row[];
  readonly recordsLine?: string;
  readonly hashes: readonly Uint8Array[];
  readonly hashesLine?: string;
  readonly more?: Uint8Array;
}

/** Takes a true answer apart. */
export function partsOf(bytes: Uint8Array): Parts {
  let rest = Buffer.from(bytes);
  const take = (length: number): Buffer => {
    const taken = rest.subarray(0, length);
    rest = rest.subarray(length);
    return taken;
  };
  const line = (): string => take(rest.indexOf('\n') + 1).toString().slice(0, -1);
  const count = (): number => Number(line().split(' ')[1]);
  const list = <T>(make: () => T): T[] => Array.from({ length: count() }, make);
  return {
    first: line(),
    note: take(count()),
    missing: list(line),
    records: list(() => {
      const [id, length] = line().split(' ').map(Number) as [number, number];
      return [id, take(length)] as const;
    }),
    hashes: list(() => take(32)),
  };
}

/** Writes an answer of any parts. */
export function join(parts: Parts): Uint8Array {
  const { first, note, missing, records, hashes } = parts;
  return concatBytes(
    encodeUtf8(`${first}\n${parts.noteLine ?? `note ${note.length}`}\n`),
    note,
    encodeUtf8(`${parts.missingLine ?? `missing ${missing.length}`}\n${missing.map((line) => `${line}\n`).join('')}`),
    encodeUtf8(`${parts.recordsLine ?? `records ${records.length}`}\n`),
    ...records.flatMap(([id, text, length = String(text.length)]) => [encodeUtf8(`${id} ${length}\n`), text]),
    encodeUtf8(`${parts.hashesLine ?? `hashes ${hashes.length}`}\n`),
    ...hashes,
    parts.more ?? new Uint8Array(),
  );
}

/**
 * What of an opened answer is not the truth, or not all of it; `undefined` where nothing is. The status of what is missing
 * is nobody's truth, and not looked at.
 */
export function flawOf({ log, size, query, known, ids, missing }: Asked, answer: BulkAnswer): string | undefined {
  const { head, records, receipt, heads } = answer;
  const truth = log.signedHead(size);
  if (head.size !== size || !same(head.hash, truth.hash) || !sameNote(head.note, truth.note, log)) return 'the head';

  const names = ids.map((id) => nameOf(keyOf(log, id)));
  if (!sameSet(records.keys(), names)) return 'what was found';
  for (const [i, id] of ids.entries()) {
    const record = records.get(names[i]!);
    if (record?.id !== id || !same(record.text, log.text(id)) || record.head !== head) return `record ${id}`;
    if (!same(record.proof(), log.proveRecord(id, size))) return `the proof of record ${id}`;
  }
  if (!sameSet(answer.missing.map(nameOf), missing.map(nameOf))) return 'what is missing';

  if ((receipt === undefined) !== (ids.length === 0)) return 'whether there is a receipt';
  if (receipt !== undefined) {
    const opened = openReceipt(receipt.bytes, log.key);
    if (!sameSet(receipt.covers, names) || !sameNote(opened.head.note, truth.note, log)) return 'the receipt';
    if (!sameSet(opened.records.map(({ id }) => id), ids)) return 'the receipt’s records';
  }

  const links = known === undefined || known.size === size ? [] : [known];
  const newest = known?.size === size ? [] : [truth];
  if (heads.length !== links.length + newest.length) return 'the number of heads';
  for (const [i, { size: at, hash, note, next }] of heads.entries()) {
    const want = [...links, ...newest][i]!;
    if (at !== want.size || !same(hash, want.hash) || !sameNote(note, want.note, log)) return 'the heads';
    const proof = i < links.length ? log.proveTree(query.old, size) : undefined;
    if (next?.size !== (proof && size) || !same(next?.proof, proof)) return 'the link';
  }
  return undefined;
}

/**
 * The question as an answer leaves it that says of some records that they are missing. Every server can: it is nobody's
 * truth, and asked again.
 */
export function withheld(asked: Asked, { records }: BulkAnswer): Asked {
  const isFound = (id: number): boolean => records.has(nameOf(keyOf(asked.log, id)));
  const more = asked.ids.filter((id) => !isFound(id)).map((id) => ({ ...keyOf(asked.log, id), status: 404 }));
  return { ...asked, ids: asked.ids.filter(isFound), missing: [...asked.missing, ...more] };
}

/** Two notes of one text and one signature, which base64 can spell in several ways. */
function sameNote(a: Uint8Array, b: Uint8Array, log: TestLog): boolean {
  const [left, right] = [openNote(a, [log.key]), openNote(b, [log.key])];
  const signature = ({ verified }: typeof left): Buffer => Buffer.from(verified.map(({ base64 }) => base64).join(), 'base64');
  return same(left.text, right.text) && left.verified.length === 1 && same(signature(left), signature(right));
}

function nameOf({ module, version }: ModuleVersion): string {
  return formatModuleVersion(module, version);
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
}

function sameSet(a: Iterable<unknown>, b: Iterable<unknown>): boolean {
  return [...a].map(String).sort().join() === [...b].map(String).sort().join();
}
