/** Bulk answers of a test log: true ones, and ones of any parts. */

import type { BulkMissing, BulkQuery } from '../../src/core/bulkform.js';
import { makeBulk } from '../../src/core/bulk.js';
import type { ModuleVersion } from '../../src/core/module.js';
import { planTiles } from '../../src/core/plan.js';
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

/** A question for these records of the log's tree of `size`, and for what the log does not know. */
export function askFor(log: TestLog, size: number, old: number, ids: readonly number[], unknown = 0): Asked {
  const missing = Array.from({ length: unknown }, (_, i) => ({ module: `example.com/unknown/${i}`, version: 'v1.0.0', status: 404 }));
  const wanted = [...ids.map((id) => keyOf(log, id)), ...missing.map(({ module, version }) => ({ module, version }))];
  const known = old === 0 ? undefined : log.signedHead(old);
  return { log, size, query: { old, wanted }, known, ids: ids.toSorted((a, b) => a - b), missing };
}

/** Makes the answer as a server does: plan, authenticate, make. */
export function answerTo({ log, size, query: { old }, ids, missing }: Asked, known: TestLog = log): Uint8Array {
  const head = known.signedHead(size);
  const plan = planTiles(head, { records: ids, links: old > 0 && old < size ? [old] : [] });
  const tree = plan.authenticate(plan.tiles.map((tile) => known.tileBytes(tile)));
  return makeBulk(tree, head, old, ids.map((id) => ({ id, text: known.text(id) })), missing);
}

/** The module version of a record's first line. */
export function keyOf(log: TestLog, id: number): ModuleVersion {
  const [module = '', version = ''] = Buffer.from(log.text(id)).toString().split(' ');
  return { module, version: version.replace('/go.mod', '') };
}

/** An answer in its parts; a line that is given stands for the one that would fit. */
export interface Parts {
  first: string;
  note: Uint8Array;
  noteLine?: string;
  missing: readonly string[];
  missingLine?: string;
  records: readonly (readonly [id: number | string, text: Uint8Array, length?: string])[];
  recordsLine?: string;
  hashes: readonly Uint8Array[];
  hashesLine?: string;
  more?: Uint8Array;
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
