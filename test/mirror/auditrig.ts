/** Files that are audited, and damaged before. */

import { copyFileSync } from 'node:fs';
import path from 'node:path';
import type { Test } from 'tap';
import type { PackedTile } from '../../src/contract.js';
import { audit, type Audited, type AuditOptions, type Finding } from '../../src/mirror/audit.js';
import { rangeDigest, partDigest } from '../../src/store/digest.js';
import { partId } from '../../src/store/logrow.js';
import type { Connection, Driver } from '../../src/store/driver.js';
import { openStoreRows } from '../../src/store/open.js';
import { KeyHash } from '../../src/whole/key.js';
import { anyDriver } from '../store/anydriver.js';
import { usualName } from './auditfile.js';

/** A way to SQLite. */
export const driver: Driver = anyDriver();

/** Audits a file; `names` are `verdict table row code` of each finding. */
export async function auditOf(file: string, options: AuditOptions = {}): Promise<Audited & { findings: Finding[]; names: string[] }> {
  const rows = await openStoreRows({ file });
  const findings: Finding[] = [];
  const audited = await audit(rows, (finding) => findings.push(finding), options);
  await rows.close();
  const names = findings.map(({ verdict, table, row, code = '-' }) => `${verdict} ${table} ${row} ${code}`);
  return { ...audited, findings, names };
}

/** A copy of a file, to be damaged. */
export class Damaged {
  static #count = 0;
  readonly file: string;
  constructor(t: Test, from: string) {
    this.file = path.join(t.testdirName, `bad${Damaged.#count++}.db`);
    copyFileSync(from, this.file);
  }

  open<T>(work: (connection: Connection) => T): T {
    const connection = driver.open(this.file);
    connection.exec('PRAGMA foreign_keys = OFF');
    const result = work(connection);
    connection.close();
    return result;
  }

  sql(sql: string): this {
    this.open((connection) => connection.exec(sql));
    return this;
  }

  pack(n: number): PackedTile {
    return this.open((connection) => {
      const rows = connection.prepare('SELECT width, data FROM pack WHERE n = ? ORDER BY part').all(n) as { width: number; data: Uint8Array }[];
      return { n, width: rows[0]?.width ?? 0, parts: rows.map(({ data }) => new Uint8Array(data)) };
    });
  }

  /** Puts a pack in the place of another, with a digest that fits. */
  setPack({ n, width, parts }: PackedTile): this {
    this.open((connection) => {
      connection.prepare('DELETE FROM pack WHERE n = ?').run(n);
      const add = connection.prepare('INSERT INTO pack (id, db, n, part, width, data, digest) VALUES (?, 1, ?, ?, ?, ?, ?)');
      for (const [part, bytes] of parts.entries()) add.run(partId(1, n, part), n, part, width, bytes, partDigest({ n, part, width, bytes }));
    });
    return this;
  }

  /** Changes the entries of a page, each two words (number, rest of the key), with a digest that fits. */
  page(n: number, change: (words: number[]) => number[]): this {
    return this.open((connection) => {
      const { id, next, data } = connection.prepare('SELECT id, next, data FROM entry WHERE page = ?').get(n) as { id: number; next: number; data: Uint8Array };
      const words = change([...new Uint32Array(new Uint8Array(data).buffer)]);
      const range = { n, first: id % 2 ** 24, next, entries: new Uint8Array(Uint32Array.from(words).buffer) };
      connection.prepare('UPDATE entry SET data = ?, digest = ? WHERE page = ?').run(range.entries, rangeDigest(range), n);
      return this;
    });
  }

  salt(): Uint8Array {
    return this.open((connection) => new Uint8Array((connection.prepare('SELECT salt FROM loginfo').get() as { salt: Uint8Array }).salt));
  }

  /** The page and the rest of the key of the `i`th usual record. */
  key(i: number): { page: number; rest: number } {
    return new KeyHash(this.salt()).key(...usualName(i));
  }
}
