/** A client, a served test log and a store, wired as the command wires them. */

import { openEnvironment } from '../../src/config/environment.js';
import { readSettings } from '../../src/config/settings.js';
import type { Source, Store } from '../../src/contract.js';
import { isGosumError, type Code } from '../../src/errors.js';
import { SumDB, type Found, type LookupOptions, type Lookups, type SumDBOptions } from '../../src/client/sumdb.js';
import type { ModuleVersion } from '../../src/core/module.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { serveLog, TestLog, type ServedLog } from '../../src/testing/index.js';
import { openRemote } from '../../src/transport/remote.js';

/** A log with some modules spread over many tiles, and fillers between. */
export function newLog(size = 20_000, name = 'log.example'): TestLog {
  const log = new TestLog(name);
  MODULES.forEach(({ module, version }, i) => {
    log.fill(Math.floor((size * i) / MODULES.length));
    log.add(module, version);
  });
  return log.fill(size);
}

/** The modules of `newLog`: the first in the first tile, the last in the last but one. */
export const MODULES: readonly ModuleVersion[] = Array.from({ length: 12 }, (_, i) => ({
  module: `example.com/Mod${i}`,
  version: `v1.${i}.0`,
}));

/** `path@version` of the `i`th module. */
export function nameOf(i: number): string {
  return `example.com/Mod${i}@v1.${i}.0`;
}

/** The source of a served log, by its own URL. */
export async function sourceOf(served: ServedLog, log: { readonly vkey: string }): Promise<Source> {
  const { env, sumdb, proxies, httpProxy } = await readSettings({
    env: openEnvironment({}),
    sumdb: { value: `${log.vkey} ${served.url}`, from: 'test' },
  });
  return openRemote({ env, sumdb, proxies, httpProxy, timeout: 60_000 });
}

/** What a rig is made of. */
export interface Rig {
  readonly log: TestLog;
  readonly served: ServedLog;
  readonly store: Store;
  readonly notices: string[];
  /** A new client on the same store, as the next run of the command would be. */
  lookup(wanted?: readonly ModuleVersion[], options?: LookupOptions & Partial<SumDBOptions>): Promise<Lookups>;
  /** Requests since the last call. */
  asked(): string[];
  close(): Promise<void>;
}

/** Serves a log and wires a client to it. */
export async function newRig(log: TestLog = newLog(), store: Store = openMemoryStore()): Promise<Rig> {
  const served = await serveLog(log);
  const source = await sourceOf(served, log);
  const notices: string[] = [];
  let seen = 0;
  return {
    log,
    served,
    store,
    notices,
    lookup: (wanted = MODULES, { fresh, signal, ...options } = {}) =>
      new SumDB({ key: log.key, source, store, notice: (text) => notices.push(text), ...options }).lookup(wanted, { fresh, signal }),
    asked() {
      const since = served.requests.slice(seen);
      seen = served.requests.length;
      return since;
    },
    async close() {
      await source.close();
      await served.close();
    },
  };
}

/** What came of each module version: `found`, `cached`, or the code of its error. */
export function outcomes(lookups: Lookups): Record<string, 'found' | 'cached' | Code> {
  return Object.fromEntries(
    [...lookups.results].map(([name, result]) => [name, isGosumError(result) ? result.code : result.cached ? 'cached' : 'found']),
  );
}

/** The same outcome for all modules, but for some. */
export function all(outcome: 'found' | 'cached' | Code, but: Record<string, string> = {}): Record<string, string> {
  return { ...Object.fromEntries(MODULES.map((_, i) => [nameOf(i), outcome])), ...but };
}

/** The result of a module version that was found. */
export function found(lookups: Lookups, name: string): Found {
  const result = lookups.results.get(name);
  if (result === undefined || isGosumError(result)) throw new Error(`${name}: ${result?.message ?? 'not asked'}`);
  return result;
}
