import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { openCell } from '../../src/store/cell.js';
import type { Connection, Driver } from '../../src/store/driver.js';
import { decodeUtf8, encodeUtf8 } from '../../src/core/text.js';
import { anyDriver } from './anydriver.js';

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && decodeUtf8(bytes);

t.test('a value outlives its process', async (t) => {
  const file = path.join(t.testdir(), 'deep', 'cell');
  t.equal(await openCell(file).hold(async ({ value }) => text(value)), undefined);
  await openCell(file).hold(async (held) => {
    await held.swap(encodeUtf8('one'));
    await held.swap(encodeUtf8('two'));
  });
  t.equal(await openCell(file).hold(async ({ value }) => text(value)), 'two');
  t.notOk(existsSync(`${file}-wal`));
});

t.test('one holds it at a time, over a swap too', async (t) => {
  const file = path.join(t.testdir(), 'cell');
  const order: string[] = [];
  const add = (name: string): Promise<void> =>
    openCell(file).hold(async (held) => {
      order.push(`${name} has it`);
      await held.swap(encodeUtf8(`${text(held.value) ?? ''}${name}`));
      await new Promise((resolve) => setTimeout(resolve, 30));
      order.push(`${name} gives it up`);
    });
  await Promise.all(['a', 'b', 'c', 'd'].map(add));
  const names = order.map((line) => line[0]);
  for (let i = 0; i < names.length; i += 2) t.equal(names[i], names[i + 1]);
  t.equal(text(await openCell(file).hold(async ({ value }) => value))?.length, 4, 'no swap is lost');

  const impatient = openCell(file, { patience: 50 });
  await openCell(file).hold(() => t.rejects(impatient.hold(async () => undefined), { code: 'STORE_FAILED' }));
  await t.rejects(openCell(file).hold(() => Promise.reject(new Error('work'))), /work/);
  await impatient.hold(async () => undefined);
  await openCell(file).hold(() => t.rejects(openCell(file).hold(async () => undefined, AbortSignal.abort(new Error('ended'))), /ended/));
});

t.test('a commit is forced to the disk, the journal’s end too', async (t) => {
  const said: string[] = [];
  const driver = anyDriver();
  const listening: Driver = {
    name: driver.name,
    open: (file): Connection => {
      const connection = driver.open(file);
      return {
        exec: (sql) => {
          const result = connection.exec(sql);
          if (sql.includes('synchronous')) said.push(JSON.stringify([connection.prepare('PRAGMA synchronous').get(), connection.prepare('PRAGMA journal_mode').get()]));
          return result;
        },
        prepare: (sql) => connection.prepare(sql),
        close: () => connection.close(),
      };
    },
  };
  await openCell(path.join(t.testdir(), 'cell'), { driver: listening }).hold((held) => held.swap(encodeUtf8('x')));
  t.same(said, ['[{"synchronous":3},{"journal_mode":"delete"}]']);
});

t.test('a file that is none, and one that is damaged', async (t) => {
  const folder = t.testdir();
  const file = path.join(folder, 'cell');
  writeFileSync(path.join(folder, 'text'), 'no database at all, but long enough to be seen as such by SQLite, which has a header');
  await t.rejects(openCell(path.join(folder, 'text')).hold(async () => undefined), { code: 'STORE_FAILED' });
  const other = anyDriver().open(path.join(folder, 'other'));
  other.exec('CREATE TABLE cell (value, digest)');
  other.close();
  await t.rejects(openCell(path.join(folder, 'other')).hold(async () => undefined), { code: 'STORE_FAILED' });
  const value = 'a value that can be found in the file';
  await openCell(file).hold((held) => held.swap(encodeUtf8(value)));
  const bytes = readFileSync(file);
  const at = bytes.indexOf(value);
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(file, bytes);
  await t.rejects(openCell(file).hold(async () => undefined), { code: 'STORE_FAILED', hint: /must not be deleted/ });
});
