/** Many modules, and what a client makes of them; for the tests of bulk queries. */

import { SumDB, type Lookups, type SumDBOptions } from '../../src/client/sumdb.js';
import type { Source } from '../../src/contract.js';
import { formatModuleVersion, type ModuleVersion } from '../../src/core/module.js';
import { isGosumError } from '../../src/errors.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { TestLog } from '../../src/testing/index.js';
import type { Layout, MirrorRig } from './rig.js';

export const LAYOUTS: readonly Layout[] = ['root', 'proxy'];

/** Module versions. */
export function modules(count: number): ModuleVersion[] {
  return Array.from({ length: count }, (_, i) => ({ module: `example.com/Many/m${i}`, version: `v1.${i}.0` }));
}

/** Enough of them for a bulk query. */
export const FEW: readonly ModuleVersion[] = modules(40);

/** `path@version`. */
export const nameOf = ({ module, version }: ModuleVersion): string => formatModuleVersion(module, version);

/** A log with the modules spread over it. */
export function newLog(wanted: readonly ModuleVersion[], size: number): TestLog {
  const log = new TestLog('log.example');
  wanted.forEach(({ module, version }, i) => log.fill(Math.floor((size * i) / wanted.length)).add(module, version));
  return log.fill(size);
}

/** What a client makes of it, by default one that knows nothing yet. */
export function lookup(
  log: TestLog,
  source: Source,
  wanted: readonly ModuleVersion[],
  { fresh, ...options }: Partial<SumDBOptions> & { fresh?: boolean } = {},
): Promise<Lookups> {
  return new SumDB({ key: log.key, source, store: openMemoryStore(), ...options }).lookup(wanted, { fresh });
}

/** By module version: the text that was proved, or the code of why there is none. */
export function verdicts({ results }: Lookups): Record<string, string> {
  return Object.fromEntries([...results].map(([name, result]) => [name, isGosumError(result) ? result.code : new TextDecoder().decode(result.record.text)]));
}

/** The verdicts that are right. */
export function right(log: TestLog, wanted: readonly ModuleVersion[]): Record<string, string> {
  return Object.fromEntries(
    wanted.map((each) => {
      const id = log.idOf(each.module, each.version);
      return [nameOf(each), id === undefined ? 'NOT_FOUND' : new TextDecoder().decode(log.text(id))];
    }),
  );
}

/** Requests since the last call by route, and how many of them came one after the other's answer. */
export function seen({ accesses }: MirrorRig): { routes: Record<string, number>; rounds: number } {
  const routes: Record<string, number> = {};
  const done: { ended: number; round: number }[] = [];
  for (const { route, ended, took } of accesses.splice(0).sort((a, b) => a.ended - a.took - (b.ended - b.took))) {
    routes[route] = (routes[route] ?? 0) + 1;
    done.push({ ended, round: 1 + Math.max(0, ...done.filter((before) => before.ended < ended - took).map(({ round }) => round)) });
  }
  return { routes, rounds: Math.max(0, ...done.map(({ round }) => round)) };
}
