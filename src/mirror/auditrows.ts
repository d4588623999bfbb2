/** The rows of a store, as an audit goes through them: a page at a time, by database. */

import type { StoredPages, StoredRow } from '../contract.js';
import type { Progress } from '../client/sumdb.js';
import { GosumError } from '../errors.js';
import type { AuditedDatabase } from './auditdatabase.js';
import { Unjudged } from './audittree.js';
import type { Counted, Findings } from './finding.js';

/** A row whose value could be read, and is as it was written. */
export type Value<T> = Pick<StoredRow<T>, 'row'> & { readonly value: T };

/** How a table is gone through. */
export interface TableOptions {
  /** `false`: another time, so that what is wrong with the rows has been said. */
  readonly again?: boolean;
  /** `false`: each row is no step of the progress. By default those of the first time are. */
  readonly ticks?: boolean;
  /** Told of rows that cannot be read, or are not as they were written. */
  readonly spoil?: (row: string, database: AuditedDatabase) => void;
}

/** Goes through tables. */
export class AuditedRows {
  /** By key. */
  readonly databases: Map<string, AuditedDatabase>;
  readonly #findings: Findings;
  readonly #progress: Progress | undefined;
  readonly #signal: AbortSignal | undefined;

  constructor(findings: Findings, { progress, signal }: { readonly progress?: Progress | undefined; readonly signal?: AbortSignal | undefined }) {
    this.databases = new Map();
    this.#findings = findings;
    this.#progress = progress;
    this.#signal = signal;
  }

  /** Goes through a table; rows that are none are said. @throws the signal's reason. */
  async each<T>(
    table: Counted,
    pages: () => StoredPages<T>,
    work: (page: readonly Value<T>[], database: AuditedDatabase) => Promise<void> | void,
    { again = false, ticks = !again, spoil }: TableOptions = {},
  ): Promise<void> {
    const findings = this.#findings;
    await findings.reading(table, async () => {
      for await (const page of pages()) {
        const byDatabase = new Map<AuditedDatabase, Value<T>[]>();
        for (const { row, key, value, problem } of page) {
          const database = key === undefined ? undefined : this.databases.get(key);
          if (value === undefined || problem !== undefined) {
            if (!again) findings.add('false', table, database?.name ?? key ?? '', row, new GosumError('STORE_FAILED', problem ?? 'no value'));
            if (database !== undefined) spoil?.(row, database);
          } else if (database === undefined) {
            if (!again) findings.caught(new Unjudged('it belongs to no database whose key is known'), table, key ?? '', row);
          } else {
            const values = byDatabase.get(database);
            if (values === undefined) byDatabase.set(database, [{ row, value }]);
            else values.push({ row, value });
          }
        }
        for (const [database, values] of byDatabase) await work(values, database);
        this.step(ticks ? page.length : 0);
      }
    });
  }

  /** So many steps are done. @throws the signal's reason. */
  step(rows: number): void {
    if (this.#signal?.aborted === true) throw this.#signal.reason as Error;
    if (rows > 0) this.#progress?.tick(rows);
  }
}
