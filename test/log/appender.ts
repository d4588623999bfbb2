/**
 * A process that adds records to a log of one's own, for tests: `node appender.js FOLDER FROM TO [POINT]`. At the point it kills
 * itself, in the middle of its batch: `staged`, `noted`, `signed`, `published`, or `commit:N` and `committed:N`, before and
 * after the Nth COMMIT that writes, of data file or state. With `each` it adds two records at a time, and prints a line when it
 * begins and how many there are after each.
 */

import type { Connection, Driver } from '../../src/store/driver.js';
import { anyDriver } from '../store/anydriver.js';
import { openLog, records } from './rig.js';

const [folder = '', from = '', to = '', point = ''] = process.argv.slice(2);

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** A driver that dies at a commit. What is read is no write: only what begins with IMMEDIATE counts. */
function dyingDriver(driver: Driver): Driver {
  const [when, number] = point.split(':');
  let left = Number(number);
  return {
    name: driver.name,
    open: (path): Connection => {
      const connection = driver.open(path);
      let writes = false;
      return {
        prepare: (sql) => connection.prepare(sql),
        close: () => connection.close(),
        exec: (sql) => {
          if (sql === 'BEGIN IMMEDIATE') writes = true;
          const counts = sql === 'COMMIT' && writes;
          if (sql === 'COMMIT') writes = false;
          if (counts) left--;
          if (counts && left === 0 && when === 'commit') die();
          const result = connection.exec(sql);
          if (counts && left === 0 && when === 'committed') die();
          return result;
        },
      };
    },
  };
}

const { log, store } = openLog({ teardown: () => undefined }, folder, {
  driver: point.includes(':') ? dyingDriver(anyDriver()) : anyDriver(),
  reached: (step) => {
    if (step === point) die();
  },
});
const step = point === 'each' ? 2 : Number(to);
if (point === 'each') process.stdout.write('begun\n');
for (let at = Number(from); at < Number(to); at += step) {
  const { head } = await log.add(records(at, Math.min(at + step, Number(to))));
  process.stdout.write(`${head.size}\n`);
}
await store.close();
