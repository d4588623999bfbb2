/**
 * A process that commits, for tests: `node committer.js FILE TIMES [die]`. Prints a line after each commit. With `die` it
 * kills itself in the middle of the last one, when its pages are on the disk and its COMMIT is not.
 */

import { loadBetterSqlite, loadNodeSqlite, type Connection, type Driver } from '../../src/store/driver.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { swapTimes } from '../../src/testing/storecontract.js';

const [file = '', times = '', die] = process.argv.slice(2);

function dieAtCommit(driver: Driver, commits: number): Driver {
  return {
    name: driver.name,
    open: (path): Connection => {
      const connection = driver.open(path);
      connection.exec('PRAGMA cache_size = 1'); // pages go to the file, and the old ones to the journal, at once
      let left = commits;
      return {
        prepare: (sql) => connection.prepare(sql),
        close: () => connection.close(),
        exec: (sql) => {
          // `BEGIN IMMEDIATE` and not `BEGIN`: a reader's COMMIT is not meant
          if (sql === 'BEGIN IMMEDIATE') left--;
          if (sql === 'COMMIT' && left === 0) process.kill(process.pid, 'SIGKILL');
          return connection.exec(sql);
        },
      };
    },
  };
}

const first = loadBetterSqlite();
const driver = typeof first === 'string' ? loadNodeSqlite() : first;
if (typeof driver === 'string') throw new Error(driver);
const store = openSqliteStore(die === undefined ? driver : dieAtCommit(driver, Number(times)), file);
for (let i = 0; i < Number(times); i++) {
  await swapTimes(store, 1);
  process.stdout.write('.\n');
}
await store.close();
