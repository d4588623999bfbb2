/** Findings of an audit: what is not as it should be, counted by verdict; and what was proved, counted by table. */

import { GosumError, isGosumError, type Code } from '../errors.js';
import { Unjudged } from './audittree.js';

/** A table of a store; `file` where the file itself is meant. Those from `loginfo` on are of the whole log. */
export type Table =
  | 'file'
  | 'database'
  | 'head'
  | 'tile'
  | 'record'
  | 'receipt'
  | 'evidence'
  | 'loginfo'
  | 'pack'
  | 'entry'
  | 'pending'
  | 'module'
  | 'seen'
  | 'staged'
  | 'mark';

/**
 * What a finding means.
 *
 * - `false`: not what the log's key signed, or not as it was written.
 * - `fork`: proof that the log misbehaved: two signed trees that cannot both be true.
 * - `conflict`: proof that the log broke its promise: one signed tree has two records of a module version with different hashes.
 * - `malformed`: a record that is truly in the log, and has not the form that records have. Nobody is deceived by it.
 * - `unjudged`: it could not be proved offline.
 */
export type Verdict = 'false' | 'fork' | 'conflict' | 'malformed' | 'unjudged';

/** Something that is not as it should be. */
export interface Finding {
  readonly verdict: Verdict;
  readonly table: Table;
  /** Name of the database, or its key where no name leads to it; empty for the file. */
  readonly database: string;
  /** The key of the row; where `rows` are more than one, that of the first. */
  readonly row: string;
  /** How many rows it is of. */
  readonly rows: number;
  readonly code?: Code;
  readonly message: string;
  /** Only of a `conflict`, and of a `fork` that this audit has found. */
  readonly evidence?: ConflictEvidence | ForkEvidence;
}

/** Records of one module version, and the proof that all of them are in one signed tree. */
export interface ConflictEvidence {
  /** By number in the log, ascending. */
  readonly records: readonly { readonly id: number; readonly text: string }[];
  /** Base64 of a receipt (docs/receipt.md) of these records. */
  readonly receipt: string;
}

/** Two signed tree heads, and the proof that they cannot both be true. */
export interface ForkEvidence {
  /** Signed notes. */
  readonly older: string;
  readonly newer: string;
  /** Base64 of the hash that the newer tree has at the older size, and of its consistency proof. */
  readonly proof: string;
}

/** Tables whose rows are counted where they are proved. */
export type Counted = Exclude<Table, 'file'>;

/** Counts of nothing. */
export function noneProved(): Record<Counted, number> {
  return {
    ...{ database: 0, head: 0, tile: 0, record: 0, receipt: 0, evidence: 0 },
    ...{ loginfo: 0, pack: 0, entry: 0, pending: 0, module: 0, seen: 0, staged: 0, mark: 0 },
  };
}

/** Counts of nothing. */
export function noneFound(): Record<Verdict, number> {
  return { false: 0, fork: 0, conflict: 0, malformed: 0, unjudged: 0 };
}

/** Reasons why something could not be judged that are told apart. */
const MOST_REASONS = 1000;

/** Collects the findings of an audit. */
export class Findings {
  /** Rows that were proved. */
  readonly proved: Record<Counted, number> = noneProved();
  /** Findings by verdict, in rows. */
  readonly found: Record<Verdict, number> = noneFound();
  readonly #tell: (finding: Finding) => void;
  /** What could not be judged, by table, database and reason. */
  readonly #unjudged = new Map<string, Finding & { rows: number }>();

  /** @param tell told of each finding when it is known; of what could not be judged by `end`. */
  constructor(tell: (finding: Finding) => void) {
    this.#tell = tell;
  }

  /** Judges a row. Counts it as proved, unless that is left to a later one. */
  judge(table: Counted, database: string, row: string, check: () => unknown, last = true): boolean {
    try {
      check();
      if (last) this.proved[table]++;
      return true;
    } catch (error) {
      this.caught(error, table, database, row);
      return false;
    }
  }

  /** Takes what a check has thrown. @throws what is neither ours nor `Unjudged`. */
  caught(error: unknown, table: Table, database: string, row: string): void {
    if (error instanceof Unjudged) {
      this.found.unjudged++;
      const message = this.#unjudged.size < MOST_REASONS ? error.message : 'what ties it to the tree is not kept, or not true';
      const id = JSON.stringify([table, database, message]);
      const known = this.#unjudged.get(id);
      if (known !== undefined) known.rows++;
      else this.#unjudged.set(id, { verdict: 'unjudged', table, database, row, rows: 1, message });
    } else if (isGosumError(error)) {
      this.add('false', table, database, row, error);
    } else {
      throw error;
    }
  }

  add(
    verdict: Exclude<Verdict, 'unjudged'>,
    table: Table,
    database: string,
    row: string,
    { code, message }: Pick<GosumError, 'code' | 'message'>,
    { rows = 1, evidence }: { readonly rows?: number; readonly evidence?: Finding['evidence'] } = {},
  ): void {
    this.found[verdict] += rows;
    this.#tell({ verdict, table, database, row, rows, code, message, ...(evidence && { evidence }) });
  }

  /** Reads of a table. Where it cannot be read on, that is said, and the next table is read. */
  async reading(table: Table, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isGosumError(error, 'STORE_FAILED')) throw error;
      this.add('false', table, '', '', new GosumError('STORE_FAILED', `it cannot be read to its end: ${error.message}`));
    }
  }

  /** Tells of what could not be judged, summed up by reason. */
  end(): void {
    for (const finding of this.#unjudged.values()) this.#tell(finding);
  }
}
