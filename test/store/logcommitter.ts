/**
 * A process that adds to a whole log, for tests: `node logcommitter.js FILE TIMES [wait]`. Each commit adds the next pack. With
 * `wait` the last one is made only once standard input has ended.
 */

import { once } from 'node:events';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { change, head, KEY, logChange, pack, pendingEntries, SALT } from '../../src/testing/storevalues.js';
import { anyDriver } from './anydriver.js';

const [file = '', times = '', wait] = process.argv.slice(2);
const SIZE = 1_000_000;
const store = openSqliteStore(anyDriver(), file, { wal: true });
for (let done = 0; done < Number(times); ) {
  if (wait !== undefined && done === Number(times) - 1) await once(process.stdin.resume(), 'end');
  const newest = await store.newest(KEY);
  const { indexed, changes } = (await store.log.state(KEY)) ?? { indexed: 0, changes: 0 };
  const { log } = logChange(SIZE, { expect: changes, packs: [pack(indexed, 256)], indexed: indexed + 1, pending: [pendingEntries(3, 2)] });
  const first = change(undefined, [head(SIZE)], { log: log ?? { salt: SALT } });
  if (await store.commit(KEY, newest === undefined ? first : { ...first, expect: newest.size, heads: [] })) done++;
}
await store.close();
