/**
 * Module versions that a log has more than once. With the same hashes that deceives nobody, and is counted. With other ones the
 * log has broken its promise: whoever asked at another time got another answer, and each with a valid proof. The evidence is a
 * receipt that has both records under one signed head.
 */

import type { LogStore } from '../contract.js';
import { formatBase64 } from '../core/base64.js';
import { formatModuleVersion, type ModuleVersion } from '../core/module.js';
import { makeReceipt, proveRecordIn } from '../core/receipt.js';
import { findHashes, type LogRecord, type RecordHashes } from '../core/record.js';
import { decodeUtf8 } from '../core/text.js';
import { PART_WIDTH } from '../core/tile.js';
import type { SignedHead } from '../core/treehead.js';
import { GosumError, isGosumError } from '../errors.js';
import { unpackRecord } from '../whole/pack.js';
import { namesOf } from '../whole/usual.js';
import { Unjudged, type AuditTree } from './audittree.js';
import type { ConflictEvidence, Findings } from './finding.js';

/** Records that are looked at together: so many of 72 million have one key with another by chance. */
const TOGETHER = 50_000;
/** Parts of packs that are read at once, of some 1.5 KB. */
const PARTS_AT_ONCE = 128;

/** Records of a conflict that are shown. */
const MOST_RECORDS = 16;

/** What repeats are looked for with. */
export interface RepeatAuditOptions {
  /** Name of the database. */
  readonly database: string;
  /** Its verifier key. */
  readonly key: string;
  readonly log: LogStore;
  readonly findings: Findings;
  /** Whether a record is kept, and not false. */
  readonly has: (id: number) => boolean;
  /** Resolves when that is known of all records. */
  readonly judged: Promise<void>;
  readonly head: SignedHead | undefined;
  readonly tree: AuditTree | undefined;
}

/** A record that a module version has. */
interface Named {
  readonly id: number;
  readonly hashes: RecordHashes;
}

/** The repeats of one database. */
export class RepeatAudit {
  readonly #options: RepeatAuditOptions;
  /** Groups of records with one key each. */
  #groups: (readonly number[])[] = [];
  #waiting = 0;
  /** Module versions that were found to be repeated: a group may come twice. */
  readonly #found = new Set<string>();
  /** Module versions that are repeated with the same hashes. */
  same = 0;

  constructor(options: RepeatAuditOptions) {
    this.#options = options;
  }

  /** Records that have one key in the index. */
  async alike(ids: readonly number[]): Promise<void> {
    this.#groups.push(ids);
    this.#waiting += ids.length;
    if (this.#waiting < TOGETHER) return;
    await this.#options.judged;
    await this.flush();
  }

  /** Looks at all that wait. */
  async flush(): Promise<void> {
    const groups = this.#groups;
    this.#groups = [];
    this.#waiting = 0;
    const hashes = new Map<string, Named[]>();
    for await (const { id, text } of this.read(groups.flat())) {
      for (const name of namesOf(text)) {
        const own = hashesOf(text, name);
        if (own === undefined) continue;
        const full = formatModuleVersion(name.module, name.version);
        const known = hashes.get(full);
        if (known === undefined) hashes.set(full, [{ id, hashes: own }]);
        else known.push({ id, hashes: own });
      }
    }
    for (const [name, all] of hashes) if (all.length > 1) await this.#judge(name, all);
  }

  /** Reads records that are kept, and not false, in the order of their numbers, each once. */
  async *read(ids: readonly number[]): AsyncGenerator<LogRecord> {
    const { key, log, has } = this.#options;
    const sorted = [...new Set(ids)].filter(has).sort((a, b) => a - b);
    const byPart = groupByPart(sorted);
    const numbers = [...byPart.keys()];
    for (let from = 0; from < numbers.length; from += PARTS_AT_ONCE) {
      const some = numbers.slice(from, from + PARTS_AT_ONCE);
      const parts = await log.parts(key, some);
      for (const [i, n] of some.entries()) {
        const part = parts[i];
        if (part === undefined) continue;
        for (const id of byPart.get(n) ?? []) yield { id, text: unpackRecord(part.bytes, id % PART_WIDTH) };
      }
    }
  }

  async #judge(name: string, all: readonly Named[]): Promise<void> {
    if (this.#found.has(name)) return;
    this.#found.add(name);
    if (!differ(all, 'module') && !differ(all, 'goMod')) {
      this.same++;
      return;
    }
    const { database, findings } = this.#options;
    const records: LogRecord[] = [];
    for await (const record of this.read(firstOfEach(all))) records.push(record);
    const ids = records.map(({ id }) => id).join(' and ');
    try {
      const error = new GosumError('LINES_CONFLICT', `records ${ids} have different hashes of one module version`);
      findings.add('conflict', 'pack', database, name, error, { evidence: await this.#evidence(records, name) });
    } catch (error) {
      if (!(error instanceof Unjudged)) throw error;
      findings.caught(new Unjudged('it has records with different hashes, of which it cannot be proved that both are in the tree'), 'pack', database, name);
    }
  }

  /** @throws {Unjudged} where the records cannot be proved. */
  async #evidence(records: readonly LogRecord[], covers: string): Promise<ConflictEvidence> {
    const { head, tree } = this.#options;
    if (head === undefined || tree === undefined) throw new Unjudged('there is no newest tree head');
    const page = await tree.prove([], records.map(({ id }) => id));
    const proved = page.tree();
    let receipt: Uint8Array;
    try {
      receipt = makeReceipt(proved, head, records.map((record) => proveRecordIn(proved, head, record)), [covers]).bytes;
    } catch (error) {
      if (isGosumError(error, 'TILE_MISMATCH', 'TILE_SIZE', 'RECORD_MISMATCH')) throw new Unjudged(error.message);
      throw error;
    }
    return { records: records.map(({ id, text }) => ({ id, text: decodeUtf8(text) })), receipt: formatBase64(receipt) };
  }
}

/** The hashes that a record has of a module version; `undefined` where it contradicts itself, which its form says. */
function hashesOf(text: Uint8Array, { module, version }: ModuleVersion): RecordHashes | undefined {
  try {
    return findHashes(text, module, version);
  } catch (error) {
    if (isGosumError(error)) return undefined;
    throw error;
  }
}

/** Whether two records have different hashes of the same thing. */
function differ(all: readonly Named[], kind: keyof RecordHashes): boolean {
  const hashes = all.map(({ hashes }) => hashes[kind]).filter((hash) => hash !== undefined);
  return new Set(hashes).size > 1;
}

/** The first record with each pair of hashes: the least that shows the conflict. */
function firstOfEach(all: readonly Named[]): number[] {
  const first = new Map<string, number>();
  for (const { id, hashes } of all) {
    const pair = `${hashes.module ?? ''} ${hashes.goMod ?? ''}`;
    if (!first.has(pair)) first.set(pair, id);
  }
  return [...first.values()].slice(0, MOST_RECORDS);
}

/** Record numbers by the number of their part, in order. */
function groupByPart(sorted: readonly number[]): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const id of sorted) {
    const n = Math.floor(id / PART_WIDTH);
    const group = groups.get(n);
    if (group === undefined) groups.set(n, [id]);
    else group.push(id);
  }
  return groups;
}
