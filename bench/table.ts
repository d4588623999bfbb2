/** Results as text: tables of at most 80 columns. */

import type { CoreBench } from './core.js';
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
    ...(problems.length === 0 ? [] : ['\n', ...[...new Set(problems)].map((problem) => `NOT RIGHT: ${problem}\n`)]),
  ].join('');
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
