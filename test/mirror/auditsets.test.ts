/** What the audit of a whole log counts with. */

import path from 'node:path';
import t from 'tap';
import { RepeatAudit } from '../../src/mirror/auditrepeats.js';
import { Findings } from '../../src/mirror/finding.js';
import { openStoreRows } from '../../src/store/open.js';
import { usualLog, usualName, wholeFile } from './auditfile.js';
import { EntryBalance } from '../../src/mirror/entrybalance.js';
import { AuditFlights } from '../../src/mirror/auditflights.js';
import { IN_BOTH, IN_LIST, IN_RECORDS, PathSet } from '../../src/mirror/pathset.js';

t.test('an index balances in any order, and any other entry tips it', (t) => {
  const balance = new EntryBalance();
  const entries = Array.from({ length: 5000 }, (_, i) => [(i * 7919) % 65_536, Math.imul(i, 2654435761) >>> 0, 4_294_967_295 - i] as const);
  for (const entry of entries) balance.has(...entry);
  t.equal(balance.unequal().length, 5000);
  for (const entry of entries.toReversed()) balance.stands(...entry);
  t.strictSame(balance.unequal(), []);
  const others: readonly (readonly [what: string, has: [number, number, number][], stands: [number, number, number][]])[] = [
    ['one more', [], [[5, 1, 1]]],
    ['one less', [[5, 1, 1]], []],
    ['another number', [[5, 1, 1]], [[5, 1, 2]]],
    ['another key', [[5, 1, 1]], [[5, 2, 1]]],
    ['swapped', [[5, 1, 2]], [[5, 2, 1]]],
    ['crossed', [[5, 1, 2], [5, 3, 4]], [[5, 1, 4], [5, 3, 2]]],
    ['twice', [[5, 1, 2], [5, 3, 4]], [[5, 1, 2], [5, 1, 2]]],
    ['a bit up, a bit down', [[5, 4, 8], [5, 8, 8]], [[5, 5, 8], [5, 7, 8]]],
  ];
  for (const [what, has, stands] of others) {
    const tipped = new EntryBalance();
    for (const entry of has) tipped.has(...entry);
    for (const entry of stands) tipped.stands(...entry);
    t.strictSame(tipped.unequal(), [5], what);
  }
  const other = new EntryBalance();
  other.has(5, 1, 1);
  other.stands(6, 1, 1);
  t.strictSame(other.unequal(), [5, 6]);
  t.end();
});

t.test('a set of paths grows, and knows where each was seen', (t) => {
  const set = new PathSet();
  const print = (i: number): [number, number] => [Math.imul(i, 2654435761) >>> 0, i];
  set.add(0, 0, IN_LIST);
  t.strictSame([set.has(0, 0, IN_LIST), set.has(0, 0, IN_RECORDS)], [true, false], 'a print of zeros');
  for (let i = 1; i < 50_000; i++) {
    set.add(...print(i), IN_RECORDS);
    set.add(...print(i), IN_RECORDS);
    if (i === 9000) for (let j = 1; j <= i; j += 2) set.add(...print(j), IN_LIST);
  }
  t.strictSame(([IN_RECORDS, IN_LIST, IN_BOTH] as const).map((where) => set.count(where)), [45_499, 1, 4500]);
  const has = (i: number): boolean[] => [set.has(...print(i), IN_RECORDS), set.has(...print(i), IN_LIST)];
  t.strictSame([8999, 9000, 50_001].map(has), [[true, true], [true, false], [false, false]]);
  t.notOk(set.has(1, 8999, IN_RECORDS), 'half of one');
  t.end();
});

t.test('only so much work is under way, and what fails is heard of', async (t) => {
  const flights = new AuditFlights(3);
  let [now, most, done] = [0, 0, 0];
  const work = async (): Promise<void> => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    now--;
    done++;
  };
  for (let i = 0; i < 20; i++) await flights.begin(work);
  await flights.end();
  t.strictSame([most, done], [3, 20]);
  await flights.begin(() => Promise.reject(new Error('lost')));
  await t.rejects(flights.end(), { message: 'lost' });
  await t.rejects(flights.begin(work), { message: 'lost' });
});

t.test('what is alike may be told again and again', async (t) => {
  const log = usualLog(300);
  log.add(...usualName(4));
  const rows = await openStoreRows({ file: await wholeFile(path.join(t.testdir(), 'whole.db'), log) });
  const findings = new Findings(() => t.fail('no finding'));
  const repeats = new RepeatAudit({ database: log.name, key: log.vkey, log: rows.log, findings, has: (id) => id !== 9, judged: Promise.resolve(), head: undefined, tree: undefined });
  for (let i = 0; i < 3; i++) {
    await repeats.alike([4, 300]);
    await repeats.alike([4, 5, 9, 5]);
    await repeats.flush();
  }
  t.equal(repeats.same, 1);
  const read: number[] = [];
  for await (const { id } of repeats.read([300, 9, 4, 300])) read.push(id);
  t.strictSame(read, [4, 300]);
  await rows.close();
});

t.test('many that are alike wait until all packs were judged', async (t) => {
  const log = usualLog(300);
  log.add(...usualName(4));
  const rows = await openStoreRows({ file: await wholeFile(path.join(t.testdir(), 'whole.db'), log) });
  let isJudged = false;
  let judge = (): void => undefined;
  const judged = new Promise<void>((resolve) => (judge = resolve));
  const has = (): boolean => isJudged || t.fail('asked before it is known');
  const repeats = new RepeatAudit({ database: log.name, key: log.vkey, log: rows.log, findings: new Findings(() => t.fail('no finding')), has, judged, head: undefined, tree: undefined });
  const alike = Promise.all(Array.from({ length: 30_000 }, () => repeats.alike([4, 300])));
  await new Promise((resolve) => setImmediate(resolve));
  isJudged = true;
  judge();
  await alike;
  await repeats.flush();
  t.equal(repeats.same, 1);
  await rows.close();
});
