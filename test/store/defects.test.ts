/** SQLite's own check of a file: a small one here, a large one in a thread. */

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { DefectSearch, defectsIn } from '../../src/store/defects.js';
import { SqliteFile } from '../../src/store/file.js';
import { loadDriver } from '../../src/store/open.js';
import { isGosumError } from '../../src/errors.js';

const { driver } = loadDriver();
if (driver === undefined) throw new Error('no SQLite here');

/** A file of ours with tiles of so many bytes, and the row of none. */
function fileOf(t: Test, bytes: number, stray = false): string {
  const file = path.join(t.testdir(), 'data.db');
  const made = new SqliteFile(driver!, file);
  made.write((prepare) => void prepare("INSERT INTO db VALUES (1, 'log.example', 'key')").run());
  made.close();
  const connection = driver!.open(file);
  connection.exec('PRAGMA foreign_keys = OFF');
  for (let n = 0; n < 4; n++) connection.exec(`INSERT INTO tile VALUES (${stray ? 9 : 1}, 0, ${n}, x'00', zeroblob(${bytes / 4}))`);
  connection.close();
  return file;
}

for (const [size, bytes] of [['small', 2 ** 16], ['large', 2 ** 24 + 2 ** 20]] as const) {
  t.test(`a ${size} file`, async (t) => {
    for (const [what, stray, damage, want] of [
      ['sound', false, false, 0],
      ['a row of no database', true, false, 1],
      ['pages that nothing leads to', false, true, 1],
    ] as const) {
      const file = fileOf(t, bytes, stray);
      if (damage) {
        // the last page of a value says that another one follows, which is no page of the file
        const data = readFileSync(file);
        data.writeUInt32BE(data.length, data.length - 4096);
        writeFileSync(file, data);
      }
      const opened = new SqliteFile(driver, file, { readOnly: true });
      const search = new DefectSearch(opened);
      const found = await search.find();
      t.strictSame(found, defectsIn(opened), what);
      t.equal(found.length > 0, want > 0, `${what}: ${found.join('; ')}`);
      search.close();
      opened.close();
    }
  });

  t.test(`a ${size} file that is none any more`, async (t) => {
    const file = fileOf(t, bytes);
    const opened = new SqliteFile(driver, file, { readOnly: true });
    const data = readFileSync(file);
    data.fill(0x11, 0, 100);
    writeFileSync(file, data);
    const search = new DefectSearch(opened);
    const failure = await search.find().then(() => undefined, (error: unknown) => error);
    t.ok(isGosumError(failure, 'STORE_FAILED'));
    search.close();
    opened.close();
  });
}

t.test('a search that is ended keeps nobody', async (t) => {
  const opened = new SqliteFile(driver, fileOf(t, 2 ** 26), { readOnly: true });
  const search = new DefectSearch(opened);
  let isFound = false;
  void search.find().then(() => (isFound = true));
  search.close();
  opened.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.notOk(isFound);
});
