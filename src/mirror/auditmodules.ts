/**
 * The list of module paths that a whole log has, audited: it must have each path of a record, and no other. Both are held as
 * prints (pathset.ts), and come in any order; only where they are not the same, a second look names the paths.
 */

import { GosumError } from '../errors.js';
import type { KeyHash } from '../whole/key.js';
import type { PackNames } from './auditpacks.js';
import { Unjudged } from './audittree.js';
import type { Findings } from './finding.js';
import { IN_BOTH, IN_LIST, IN_RECORDS, PathSet } from './pathset.js';

/** Paths that are named; of more it is said how many there are. */
const MOST_NAMED = 1000;

/** What a list is audited with. */
export interface ModuleAuditOptions {
  /** Name of the database. */
  readonly database: string;
  readonly findings: Findings;
  /** Makes the paths' prints; see `CheckJob`. */
  readonly printer: KeyHash;
  /** Whether there are packs that are false or missing: a path may be of a record in them. */
  readonly anySpoiled: () => boolean;
  /** The module paths of a record. */
  readonly pathsOf: (ids: readonly number[]) => AsyncIterable<{ readonly id: number; readonly paths: readonly string[] }>;
}

/** The list of one database. */
export class ModuleAudit {
  readonly #options: ModuleAuditOptions;
  readonly #paths = new PathSet();
  /** Records with paths that are not in the list: one for each path. */
  readonly #unlisted: number[] = [];

  constructor(options: ModuleAuditOptions) {
    this.#options = options;
  }

  /** The paths that the records of a pack have. */
  has({ checked: { prints }, from, to }: PackNames): void {
    for (let i = 2 * from; i < 2 * to; i += 2) this.#paths.add(prints[i] ?? 0, prints[i + 1] ?? 0, IN_RECORDS);
  }

  /** A path of the list. */
  listed(path: string): void {
    const [left, right] = this.#print(path);
    this.#paths.add(left, right, IN_LIST);
  }

  /** All records and all of the list were seen. */
  end(): void {
    this.#options.findings.proved.module += this.#paths.count(IN_BOTH);
  }

  /** Whether the list has to be looked at once more. */
  get isListUnsure(): boolean {
    return this.#paths.count(IN_LIST) > 0;
  }

  /** Whether the records have to be looked at once more. */
  get isUnsure(): boolean {
    return this.#paths.count(IN_RECORDS) > 0;
  }

  /** A path of the list, on the second look. */
  listedAgain(path: string): void {
    const { anySpoiled, database, findings } = this.#options;
    const [left, right] = this.#print(path);
    if (this.#paths.has(left, right, IN_RECORDS)) return;
    const why = anySpoiled()
      ? new Unjudged('no record is of it, but for one, perhaps, that is not kept as it was written')
      : new GosumError('STORE_FAILED', 'no record is of it');
    findings.caught(why, 'module', database, path);
  }

  /** The paths that the records of a pack have, on the second look. */
  hasAgain({ checked: { prints, words }, from, to }: PackNames): void {
    for (let i = 2 * from; i < 2 * to; i += 2) {
      const [left = 0, right = 0] = [prints[i], prints[i + 1]];
      if (this.#paths.has(left, right, IN_LIST)) continue;
      this.#paths.add(left, right, IN_LIST); // once each
      this.#unlisted.push(words[i] ?? 0);
    }
  }

  /** Names what is wrong, after the second look. */
  async name(): Promise<void> {
    const { database, findings, pathsOf } = this.#options;
    const first = this.#unlisted.slice(0, MOST_NAMED);
    for await (const { id, paths } of pathsOf(first)) {
      const error = new GosumError('STORE_FAILED', `record ${id} is of it, and it is not in the list of modules`);
      findings.add('false', 'module', database, paths.join(' '), error);
    }
    const more = this.#unlisted.length - first.length;
    if (more === 0) return;
    findings.add('false', 'module', database, '', new GosumError('STORE_FAILED', 'more paths of records are not in the list of modules'), { rows: more });
  }

  #print(path: string): [number, number] {
    const print = new Uint32Array(2);
    this.#options.printer.printText(path, print, 0);
    return [print[0] ?? 0, print[1] ?? 0];
  }
}
