/** A served log, and syncs of it into files. */

import path from 'node:path';
import type { Test } from 'tap';
import type { Source, Store } from '../../src/contract.js';
import { formatVerifierKey } from '../../src/core/key.js';
import { Sync, type SyncOptions } from '../../src/mirror/sync.js';
import { openServerStore } from '../../src/store/server.js';
import { serveLog, type Bend, type ServedLog, type TestLog } from '../../src/testing/index.js';
import { wayTo } from './rig.js';

/** A log, and where it is synced to. */
export interface SyncRig {
  readonly log: TestLog;
  readonly upstream: ServedLog;
  readonly vkey: string;
  readonly folder: string;
  readonly notices: string[];
  /** Opens a data file; it is closed with the test. */
  open(file?: string): Promise<Store>;
  /** A way to the log. */
  way(url?: string): Promise<Source>;
  /** A sync into a store; closed with the test. */
  sync(store: Store, options?: Partial<SyncOptions>): Promise<Sync>;
  /** The packs of a store that the log was synced to without a mishap. */
  trueRows(): Promise<string[]>;
}

const CONCURRENCY = 8;

/** Serves a log. */
export async function newSyncRig(t: Test, log: TestLog, answer?: Bend): Promise<SyncRig> {
  const upstream = await serveLog(log, answer === undefined ? {} : { answer });
  t.teardown(() => upstream.close());
  const folder = t.testdir();
  const notices: string[] = [];
  const way = async (url = upstream.url): Promise<Source> => {
    const source = await wayTo(url, log, 'root', 60_000, CONCURRENCY);
    t.teardown(() => source.close());
    return source;
  };
  const rig: SyncRig = {
    log,
    upstream,
    vkey: formatVerifierKey(log.key),
    folder,
    notices,
    async open(file = 'sumdb.db') {
      const store = await openServerStore({ file: path.join(folder, file), keys: [log.key], notice: (text) => notices.push(text) });
      t.teardown(() => store.close());
      return store;
    },
    way,
    async sync(store, options = {}) {
      const sync = new Sync({ key: log.key, source: options.source ?? (await way()), store, notice: (text) => notices.push(text), concurrency: CONCURRENCY, threads: 1, ...options });
      t.teardown(() => sync.close());
      return sync;
    },
    async trueRows() {
      const honest = await serveLog(log);
      t.teardown(() => honest.close());
      const store = await rig.open('true.db');
      await (await rig.sync(store, { source: await way(honest.url) })).look();
      return packsOf(store, rig.vkey, log.size);
    },
  };
  return rig;
}

/** A log of so many records, with names in many forms. */
export function fillMany(log: TestLog, size: number): TestLog {
  while (log.size < size) {
    const i = log.size;
    if (i % 701 === 700) log.addText(`example.com/odd/${i} v1.0.0/go.mod h1:ZmlsbCBmaWxsIGZpbGwgZmlsbCBmaWxsIGZpbGwgMTI=\n`);
    else log.add(`example.com/${i % 13 === 0 ? 'Upper' : 'user'}${i % 97}/repo${i % 41}`, `v${i % 3}.${i}.0${i % 7 === 0 ? '-20240102030405-abcdefabcdef' : ''}`);
  }
  return log;
}

/** All that a store keeps of the log's records, to be compared: each pack's number, width and bytes. */
export async function packsOf(store: Store, vkey: string, size: number): Promise<string[]> {
  const numbers = Array.from({ length: Math.ceil(size / 256) }, (_, n) => n);
  const packs = (await store.log?.packs(vkey, numbers)) ?? [];
  return packs.map((pack) => (pack === undefined ? 'none' : `${pack.n} ${pack.width} ${Buffer.concat(pack.parts).toString('base64')}`));
}
