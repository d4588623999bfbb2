/** Results as text: tables of at most 80 columns. */

import type { BulkBench, BulkComparison } from './bulk.js';
import type { CoreBench } from './core.js';
import type { HashBench, HashComparison } from './hash.js';
import type { ModcacheBench, ModcacheSide } from './modcache.js';
import type { ServeBench, ServeComparison } from './serve.js';
import { SYNC_GOALS, type SyncBench, type SyncWork } from './syncresult.js';
import type { Comparison, VerifyBench } from './verify.js';

/** A table: the first column is text and flush left, all others are flush right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  const pad = (cell: string, i: number): string => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0));
  return rows.map((row) => `${row.map(pad).join('  ').trimEnd()}\n`).join('');
}

/** What `verify` measured. */
export function formatVerifyBench({ node, runs, cold, warm, problems }: VerifyBench): string {
  const row = (name: string, { theirs, ours, ratio, goal }: Comparison): string[] => [
    name,
    ...[theirs, ours].flatMap(({ ms, requests, connections }) => [ms, requests, connections].map((value) => value.toFixed(0))),
    ratio.toFixed(2),
    (ours.cpuMs / theirs.cpuMs).toFixed(2),
    goal === undefined ? '-' : `${ratio <= goal ? 'ok' : 'MISSED'} ${goal}`,
  ];
  const head = ['ms', 'req', 'conn', 'ms', 'req', 'conn', 'ratio', 'cpu', 'goal'];
  const name = (protocol: string): string => (protocol === 'h2' ? 'HTTP/2' : 'HTTP/1.1');
  return [
    `${node}; medians of ${runs}, warm of ${warm[0]?.ours.samples.length ?? 0}; each side: time, requests, connections\n\n`,
    "cold: x/mod's gosumcheck, and gosumcheck verify; by round trip\n",
    formatTable([['', ...head], ...cold.map((each) => row(`${name(each.protocol)}, ${each.rtt} ms`, each))]),
    '\nwarm: node -e 0, and gosumcheck\n',
    formatTable([['', ...head], ...warm.map((each) => row(each.what, each))]),
    ...formatProblems(problems),
  ].join('');
}

/** What `hash` measured. */
export function formatHashBench({ node, runs, whole, within, threads, problems }: HashBench): string {
  const mark = (value: number | undefined, isMet: (value: number) => boolean): string =>
    value === undefined ? '-' : `${isMet(value) ? 'ok' : 'MISSED'} ${value}`;
  const row = ({ what, theirs, ours, ratio, goal, peakGoal }: HashComparison): string[] => [
    what,
    ...[theirs, ours].flatMap(({ ms, peak }) => [ms, peak].map((value) => value.toFixed(0))),
    ratio.toFixed(2),
    (theirs.cpuMs / ours.cpuMs).toFixed(2),
    mark(goal, (goal) => ratio >= goal),
    mark(peakGoal, (goal) => ours.peak <= goal),
  ];
  const head = ['ms', 'MB', 'ms', 'MB', 'speed', 'cpu', 'goal', 'memory'];
  return [
    `${node}; medians of ${runs}; each side: time, peak memory; speed: the second to the first\n\n`,
    "whole processes: x/mod's dirhash.HashZip, and gosumcheck hash; by size inflated\n",
    formatTable([['', ...head], ...whole.map(row)]),
    '\nwithin one process\n',
    formatTable([['', ...head], ...within.map(row)]),
    ...(threads === undefined ? [] : ['\ngosumcheck hash: one thread, and more at a time\n', formatTable([['', ...head], ...threads.map(row)])]),
    ...formatProblems(problems),
  ].join('');
}

/** What `modcache` measured. */
export function formatModcacheBench({ node, runs, modules, groups, sides, problems }: ModcacheBench): string {
  const row = ({ what, ms, cpuMs, peak }: ModcacheSide): string[] => [
    what,
    ...[ms, cpuMs, peak].map((value) => value.toFixed(0)),
    ((sides[0]?.ms ?? NaN) / ms).toFixed(2),
  ];
  return [
    `${node}; medians of ${runs}; ${modules} modules, for which the go command runs ${groups} times\n\n`,
    formatTable([['', 'ms', 'cpu ms', 'MB', 'speed'], ...sides.map(row)]),
    ...formatProblems(problems),
  ].join('');
}

/** What `serve` measured: of nginx only how its rate is to x/mod's, for none is a measure of anything by itself. */
export function formatServeBench({ node, processors, runs, tiles, lookups, compared, comparisons, growth, skipped, problems }: ServeBench): string {
  const mark = (isMet: boolean, goal: number | undefined): string => (goal === undefined ? '-' : `${isMet ? 'ok' : 'MISSED'} ${goal}`);
  const row = ({ what, ours, theirs, nginx, ratio, p99Ratio, goal, p99Goal }: ServeComparison): string[] => [
    what,
    ratio.toFixed(2),
    mark(ratio >= (goal ?? 0), goal),
    Number.isNaN(ours.cpuUs) ? '-' : (ours.cpuUs / theirs.cpuUs).toFixed(2),
    (ours.p50 / theirs.p50).toFixed(2),
    p99Ratio.toFixed(2),
    mark(p99Ratio <= (p99Goal ?? 0), p99Goal),
    nginx === undefined ? '-' : (nginx.perSecond / theirs.perSecond).toFixed(2),
  ];
  const grown = growth === undefined ? '' : `${growth.ratio.toFixed(2)} (${mark(growth.ratio <= growth.goal, growth.goal)})`;
  return [
    `${node}; ${processors} processors, shared with wrk; medians of ${runs}; ${tiles} tiles, ${lookups} lookups\n`,
    `${compared} URLs compared: the bytes of all servers are the same\n`.repeat(problems.length === 0 ? 1 : 0),
    ...(comparisons.length === 0
      ? []
      : [
          "\ngosumcheck serve to x/mod's sumdb.NewServer in memory: answers a second, processor, time to answer; nginx to that\n",
          formatTable([['', 'rate', 'goal', 'cpu', 'p50', 'p99', 'goal', 'nginx'], ...comparisons.map(row)]),
        ]),
    ...(growth === undefined ? [] : [`\nmemory after ${growth.requests[1]} requests to that after ${growth.requests[0]}: ${grown}\n`]),
    ...skipped.map((text) => `${text}\n`),
    ...formatProblems(problems),
  ].join('');
}

/** What `bulk` measured. */
export function formatBulkBench({ node, processors, runs, records, modules, comparisons, hashes, problems }: BulkBench): string {
  const mark = (isMet: boolean, goal: number | undefined): string => (goal === undefined ? '-' : `${isMet ? 'ok' : 'MISSED'} ${goal}`);
  const row = ({ what, theirs, ours, speed, goal }: BulkComparison): string[] => [
    what,
    ...[theirs, ours].flatMap((side) => [side.ms, side.requests, side.connections, side.trips].map((value) => value?.toFixed(0) ?? '-')),
    mark((ours.trips ?? NaN) <= (goal?.trips ?? 0), goal?.trips),
    speed.toFixed(2),
    (theirs.cpuMs / ours.cpuMs).toFixed(2),
    mark(speed >= (goal?.speed ?? 0), goal?.speed),
  ];
  const head = ['ms', 'req', 'conn', 'trips', 'ms', 'req', 'conn', 'trips', 'goal', 'speed', 'cpu', 'goal'];
  return [
    `${node}; ${processors} processors; medians of ${runs}; ${modules} module versions of a log of ${records}\n`,
    'each side: time, requests, connections, round trips after connecting; speed: the second to the first\n\n',
    "cold: x/mod's gosumcheck, and gosumcheck verify by bulk proofs; by round trip\n",
    formatTable([['', ...head], ...comparisons.map(row)]),
    `\nhashes of a bulk answer, in a log of ${hashes.size}\n`,
    formatTable([
      ['records', 'KB', 'within 5 %'],
      ...hashes.shares.map(({ records, kilobytes, goal, isMet }) => [String(records), kilobytes.toFixed(1), mark(isMet, goal)]),
    ]),
    ...formatProblems(problems),
  ].join('');
}

/** What `sync` measured. */
export function formatSyncBench(bench: SyncBench): string {
  const { node, processors, runs, sizes, compared, goals, lookups, forecast, forecastSize, skipped, problems } = bench;
  const mark = (isMet: boolean, goal: number): string => (goals ? `${isMet ? 'ok' : 'MISSED'} ${goal}` : '-');
  const million = (records: number): string => (records / 1e6).toFixed(2);
  const row = (records: number, what: 'sync' | 'audit', { perSecond, share, cpuShare, peak }: SyncWork): string[] => [
    `${what} of ${million(records)} million`,
    (perSecond / 1000).toFixed(1),
    share.toFixed(2),
    mark(share >= SYNC_GOALS[what], SYNC_GOALS[what]),
    cpuShare.toFixed(2),
    peak.toFixed(0),
    mark(peak <= SYNC_GOALS.peak, SYNC_GOALS.peak),
  ];
  const [first, last] = [sizes[0], sizes.at(-1)];
  const growth = (what: 'sync' | 'audit'): string => {
    const ratio = (last?.[what].peak ?? NaN) / (first?.[what].peak ?? NaN);
    return `${what} ${ratio.toFixed(2)} (${mark(ratio <= SYNC_GOALS.growth, SYNC_GOALS.growth)})`;
  };
  return [
    `${node}; ${processors} processors, shared with the server of the log; medians of ${runs}; memory: the most of them\n`,
    `${compared} answers from the copies alone compared: the bytes of the log\n`.repeat(problems.length === 0 ? 1 : 0),
    `floor, one thread that only hashes records in memory: ${sizes.map(({ floor }) => (floor / 1000).toFixed(0)).join(' and ')} thousand records/s\n\n`,
    'whole processes, to the floor: rate, processor\n',
    formatTable([
      ['', '1000/s', 'rate', 'goal', 'cpu', 'MB', 'goal'],
      ...sizes.flatMap(({ records, sync, audit }) => [row(records, 'sync', sync), row(records, 'audit', audit)]),
    ]),
    `\nmemory at ${million(last?.records ?? NaN)} million to that at ${million(first?.records ?? NaN)}: ${growth('sync')}, ${growth('audit')}\n`,
    'on disk, all in: ',
    sizes.map(({ records, bytesPerRecord: bytes }) => `${bytes.toFixed(1)} bytes a record of ${million(records)} million (${mark(bytes <= SYNC_GOALS.bytes, SYNC_GOALS.bytes)})`).join(', '),
    '\n',
    ...(lookups === undefined
      ? []
      : [
          `\nlookups of ${million(last?.records ?? NaN)} million from the data file to those of serve from memory: `,
          `${lookups.ratio.toFixed(2)} (${mark(lookups.ratio >= SYNC_GOALS.lookups, SYNC_GOALS.lookups)}), p99 ${(lookups.p99[0] / lookups.p99[1]).toFixed(2)}\n`,
        ]),
    ...(forecast.length === 0
      ? []
      : [
          `\n${million(forecastSize)} million were NOT measured: what they take here if all goes on growing by the power of the size seen above\n`,
          formatTable([
            ['', ...sizes.map(({ records }) => million(records)), 'power', million(forecastSize)],
            ...forecast.map(({ what, unit, measured, power, expected }) => [
              `${what}, ${unit}`,
              ...[...measured, power, expected].map((value) => value.toFixed(2)),
            ]),
          ]),
        ]),
    ...skipped.map((text) => `${text}\n`),
    ...formatProblems(problems),
  ].join('');
}

function formatProblems(problems: readonly string[]): string[] {
  return problems.length === 0 ? [] : ['\n', ...[...new Set(problems)].map((problem) => `NOT RIGHT: ${problem}\n`)];
}

/** What `core` measured. */
export function formatCoreBench({ node, runs, rates, works }: CoreBench): string {
  return [
    `${node}; medians of ${runs}\n\n`,
    formatTable([
      ['node hashes', '1000/s'],
      ...rates.map(({ what, perSecond }) => [what, (perSecond / 1000).toFixed(0)]),
    ]),
    '\n',
    formatTable([['the recorded run', 'ms'], ...works.map(({ what, ms }) => [what, ms.toFixed(1)])]),
  ].join('');
}
