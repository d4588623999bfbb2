/** Damage to the rows of a data file, and whether nothing is left of it. */

import { readFileSync, writeFileSync } from 'node:fs';
import type { Test } from 'tap';
import type { Store } from '../../src/contract.js';
import { joinBytes } from '../../src/core/text.js';
import type { TestLog } from '../../src/testing/index.js';
import { WholeLog } from '../../src/whole/reader.js';
import { usualName } from './auditfile.js';
import { auditOf, driver } from './auditrig.js';

/** A row of the file's: what it says, as it stands there. */
export interface Row {
  readonly number: number;
  readonly data: Uint8Array;
  readonly digest: Uint8Array;
}

export function rowsOf(file: string, sql: string): Row[] {
  const connection = driver.open(file);
  const rows = connection.prepare(sql).all() as Row[];
  connection.close();
  return rows;
}

/** Flips a bit of a row's data in the file itself; also where SQLite has left an older copy of the row. */
export function flip(file: string, { data, digest }: Row): void {
  const bytes = readFileSync(file);
  const row = joinBytes([digest, data]).subarray(0, digest.length + 32);
  let at = bytes.indexOf(row);
  if (at < 0) throw new Error('the row does not stand there');
  for (; at >= 0; at = bytes.indexOf(row, at + 1)) bytes[at + digest.length + 3]! ^= 0x10;
  writeFileSync(file, bytes);
}

export function sqlOn(file: string, sql: string): void {
  const connection = driver.open(file);
  connection.exec(sql);
  connection.close();
}

/** Every record is found by its name, and an audit finds nothing wrong. */
export async function isWhole(t: Test, store: Store, file: string, of: TestLog): Promise<void> {
  const whole = new WholeLog(store, of.vkey);
  for (let id = 0; id < of.size; id++) {
    const found = await whole.find(...usualName(id));
    if (!found.some((record) => record.id === id)) t.fail(`record ${id}`);
  }
  const { names, databases } = await auditOf(file);
  t.strictSame(names, []);
  t.match(databases, [{ log: { records: of.size, indexed: of.size } }]);
}
