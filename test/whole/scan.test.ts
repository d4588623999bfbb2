import path from 'node:path';
import t from 'tap';
import type { LogStore, Store } from '../../src/contract.js';
import { decodeUtf8 } from '../../src/core/text.js';
import { scanRecords } from '../../src/whole/scan.js';
import { SeenTimes } from '../../src/whole/seentimes.js';
import { openStore } from '../../src/store/open.js';
import { TestLog } from '../../src/testing/index.js';
import { anyDriver } from '../store/anydriver.js';
import { keepIn } from '../mirror/wholefile.js';

function newLog(): TestLog {
  const log = new TestLog('log.example');
  log.add('example.com/a', 'v1.0.0');
  log.fill(255).add('example.com/a', 'v1.1.0');
  log.add('example.com/a', 'v1.2.0');
  // of a form that is kept whole: lines of two module versions, and more than two lines
  log.addText('example.com/a v1.3.0 h1:x\nexample.com/b v1.0.0 h1:y\nexample.com/b v1.0.0/go.mod h1:z\n');
  return log.fill(17_000);
}

async function scanned(store: Store, log: TestLog, from: number, to: number, wanted: (module: string) => boolean): Promise<string[]> {
  const found: string[] = [];
  let next = from;
  for await (const part of scanRecords(store.log!, log.vkey, { from, to, wanted })) {
    if (part.next <= next) throw new Error('it does not go on');
    next = part.next;
    for (const { id, module, version, text } of part.records) {
      if (decodeUtf8(text) !== decodeUtf8(log.text(id))) throw new Error(`record ${id} has another text`);
      found.push(`${id} ${module} ${version}`);
    }
  }
  if (next !== to) throw new Error(`it ended at ${next}`);
  return found;
}

t.test('records by their names, from one number to another', async (t) => {
  const log = newLog();
  const file = path.join(t.testdir({}), 'data.db');
  const { store } = await openStore({ file });
  t.teardown(() => store.close());
  await keepIn(store, log);
  const isA = (module: string): boolean => module === 'example.com/a';
  t.strictSame(await scanned(store, log, 0, 17_000, isA), ['0 example.com/a v1.0.0', '255 example.com/a v1.1.0', '256 example.com/a v1.2.0', '257 example.com/a v1.3.0']);
  t.strictSame(await scanned(store, log, 1, 257, isA), ['255 example.com/a v1.1.0', '256 example.com/a v1.2.0']);
  t.strictSame(await scanned(store, log, 256, 256, isA), []);
  t.strictSame(await scanned(store, log, 257, 258, () => true), ['257 example.com/a v1.3.0', '257 example.com/b v1.0.0']);
  t.equal((await scanned(store, log, 0, 17_000, () => true)).length, 17_001);

  await t.rejects(scanned(store, log, 16_900, 17_001, isA), { code: 'STORE_FAILED' }, 'more than is kept');

  const ended = new AbortController();
  ended.abort(new Error('ended'));
  const scan = scanRecords(store.log!, log.vkey, { from: 0, to: 17_000, wanted: isA, signal: ended.signal });
  await t.rejects(scan.next(), { message: 'ended' });

  const connection = anyDriver().open(file);
  connection.exec('UPDATE pack SET data = zeroblob(100) WHERE n = 65');
  connection.close();
  const parts = scanRecords(store.log!, log.vkey, { from: 0, to: 17_000, wanted: isA });
  t.match(await parts.next(), { value: { next: 64 * 256 } });
  await t.rejects(parts.next(), { code: 'STORE_FAILED', message: /tile\/8\/data\/065/ }, 'what cannot be read is not passed over');
});

t.test('when a record was first seen', async (t) => {
  const trees = [{ size: 10, at: 200 }, { size: 20, at: 300 }, { size: 30, at: 400 }];
  let asked = 0;
  const log = {
    seen: (_key: string, from: number) => {
      asked++;
      return Promise.resolve(trees.filter(({ size }) => size >= from));
    },
  } as unknown as LogStore;
  const seen = new SeenTimes(log, 'key');
  t.equal(await seen.of(29), 400);
  t.equal(await seen.of(20), 400);
  t.equal(await seen.of(19), 300);
  t.equal(await seen.of(10), 300);
  t.equal(await seen.of(9), 200);
  t.equal(await seen.of(0), 200);
  t.equal(asked, 1);
  t.equal(await seen.of(30), undefined);
  trees.push({ size: 40, at: 600 });
  t.equal(await seen.of(30), 600);
  t.equal(await seen.of(39), 600);
  t.equal(asked, 3);
});
