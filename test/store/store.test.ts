/** The contract, by every store that this Node can have; and the small parts that stores share. */

import { join } from 'node:path';
import t from 'tap';
import { leastCover, type Cover } from '../../src/store/cover.js';
import { isMadeFor, loadBetterSqlite, loadNodeSqlite } from '../../src/store/driver.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { openServerStore } from '../../src/store/server.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { STORE_CASES } from '../../src/testing/storecontract.js';

t.test('memory', (t) => {
  for (const { name, run } of STORE_CASES) {
    t.test(name, async () => {
      const store = openMemoryStore();
      await run(() => Promise.resolve(store));
    });
  }
  t.end();
});

let drivers = 0;
for (const load of [loadBetterSqlite, loadNodeSqlite]) {
  const driver = load();
  if (typeof driver === 'string') {
    t.comment(`not tested here: ${driver}`);
    continue;
  }
  drivers++;
  t.test(driver.name, (t) => {
    const folder = t.testdir();
    for (const [i, { name, run }] of STORE_CASES.entries()) {
      t.test(name, () => run(() => Promise.resolve(openSqliteStore(driver, join(folder, `${i}`, 'cache.db')))));
    }
    t.end();
  });
}
t.ok(drivers > 0, 'there is an SQLite here');

t.test('which receipts to read', async (t) => {
  const cases: Readonly<Record<string, { covers: readonly Cover[]; want: readonly number[] }>> = {
    nothing: { covers: [], want: [] },
    'one for all': { covers: [['a', 1], ['b', 1], ['b', 2]], want: [1] },
    'the newest of equals': { covers: [['a', 2], ['a', 3], ['a', 1]], want: [3] },
    'the largest first': { covers: [['a', 1], ['b', 1], ['b', 9], ['c', 9], ['d', 9]], want: [9, 1] },
    'what is left counts': {
      covers: [['a', 1], ['b', 1], ['c', 1], ['a', 2], ['b', 2], ['d', 2], ['d', 3], ['e', 3]],
      want: [2, 3, 1],
    },
    'the same asked twice': { covers: [['a', 1], ['a', 1], ['b', 2]], want: [2, 1] },
  };
  for (const [name, { covers, want }] of Object.entries(cases)) t.same(leastCover(covers), want, name);
});

t.test('the Node versions that a package names', async (t) => {
  const engines = '20.x || 22.x || 23.x';
  const cases: readonly [string, string, boolean][] = [
    [engines, '20.20.2', true],
    [engines, '22.5.0', true],
    [engines, '23.11.1', true],
    [engines, '21.7.3', false],
    [engines, '2.0.0', false],
    [engines, '24.0.0', false],
    [engines, '22.0.0-nightly20240101aaaaaaaaaa', false],
    [engines, 'v22.5.0', false],
    ['20.x', '20.19.0', true],
    ['>=20', '20.19.0', false],
    ['undefined', '20.19.0', false],
    ['', '20.19.0', false],
  ];
  for (const [range, version, want] of cases) t.equal(isMadeFor(range, version), want, `${range}: ${version}`);
});

/** The cases whose keys are none, or whose file contradicts what was proved: to a server these are damage (mirror/recovery.test.ts). */
const DAMAGE = /^first contact|^a change that leaves|^a name keeps|^keys do not|^cleaning forgets/;

t.test('a server’s store', (t) => {
  const folder = t.testdir();
  for (const [i, { name, run }] of STORE_CASES.filter((each) => !DAMAGE.test(each.name)).entries()) {
    t.test(name, () => run(() => openServerStore({ file: join(folder, `${i}`, 'server.db'), keys: [], notice: () => undefined })));
  }
  t.end();
});
