/** `gosumcheck hash`. */

import path from 'node:path';
import { decodeUtf8 } from '../core/text.js';
import { parseModuleVersion } from '../core/module.js';
import { GosumError } from '../errors.js';
import { visible, visibleJson } from '../report/escape.js';
import { plural } from '../report/words.js';
import { exitCodeOf } from './exitcode.js';
import { fileFailure, readAllUpTo, readUpTo } from './files.js';
import { hashEach, type Outcome, type Task } from './hasheach.js';
import { formatHashLine, parseHashLines } from './hashlines.js';
import { packageVersion, print, say, sayError, type Host } from './host.js';

/** Options of the command line. */
export interface HashCommandOptions {
  readonly module?: string;
  readonly check?: string;
  readonly format: 'text' | 'json';
  readonly quiet?: boolean;
  readonly status?: boolean;
  readonly threads?: number;
  readonly progress: boolean;
}

/** The most bytes of a file of hashes. */
const CHECK_LIMIT = 64 * 1024 * 1024;

/** What there is to hash, and how much of a file of hashes could not be read. */
interface Wanted {
  readonly tasks: readonly Task[];
  readonly malformed: number;
}

/**
 * Hashes what the paths name, or with `--check` what a file names, and says of each what came of it: the h1 on stdout, errors and broken
 * rules on stderr. The exit code is that of the worst.
 */
export async function hashCommand(host: Host, names: readonly string[], options: HashCommandOptions): Promise<number> {
  const module = options.module === undefined ? undefined : parseModuleVersion(options.module);
  const { tasks, malformed } = await wantedOf(host, names, options);
  if (tasks.filter(({ name }) => name === '-').length > 1) throw usage('standard input can be hashed once alone', 'name - once');
  const outcomes: Outcome[] = [];
  await hashEach(host, tasks, module, options, async (outcome) => {
    outcomes.push(outcome);
    if (options.format === 'text') await showText(host, outcome, options);
    if (options.status !== true) await showProblems(host, outcome);
  });
  const codes = new Set(outcomes.map(codeOf));
  const exitCode = [1, 2].find((code) => codes.has(code)) ?? 0;
  if (options.format === 'json' && options.status !== true) await print(host, visibleJson(jsonOf(outcomes, options, malformed, exitCode)));
  if (options.check !== undefined && options.status !== true) await sayTotals(host, outcomes, options.check, malformed);
  return exitCode;
}

async function wantedOf(host: Host, names: readonly string[], { check, status }: HashCommandOptions): Promise<Wanted> {
  if (check === undefined) {
    if (status === true) throw usage('--status is for --check', 'leave one out, or give a file of hashes by --check FILE');
    if (names.length === 0) throw usage('nothing to hash', 'name a module zip or a go.mod file: gosumcheck hash module.zip');
    return { tasks: names.map((name) => ({ name })), malformed: 0 };
  }
  if (names.length > 0) throw usage('--check takes its paths from the file', `leave out ${names.join(' ')}`);
  let bytes: Uint8Array;
  const label = check === '-' ? 'standard input' : check;
  try {
    if (check === '-') bytes = await readAllUpTo(host.stdin, label, CHECK_LIMIT, host.interrupted);
    else bytes = await readUpTo(path.resolve(host.cwd, check), CHECK_LIMIT, host.interrupted);
  } catch (cause) {
    throw fileFailure(label, cause);
  }
  const lines = parseHashLines(textOf(bytes, label));
  const tasks = lines.flatMap((line) => (line === undefined ? [] : [{ name: line.name, expected: line.h1 }]));
  if (tasks.length === 0) {
    throw new GosumError('H1_MALFORMED', `${label}: no line has an h1, two spaces and a path`, {
      hint: 'a file of hashes is what `gosumcheck hash` prints',
    });
  }
  if (check === '-' && tasks.some(({ name }) => name === '-')) throw usage('standard input has the hashes, and can be no zip', 'name the zip');
  return { tasks, malformed: lines.length - tasks.length };
}

function textOf(bytes: Uint8Array, label: string): string {
  try {
    return decodeUtf8(bytes).replace(/^\ufeff/, '');
  } catch (cause) {
    throw new GosumError('UTF8_MALFORMED', `${label}: invalid UTF-8`, { cause });
  }
}

async function showText(host: Host, outcome: Outcome, { quiet, status }: HashCommandOptions): Promise<void> {
  const { name, expected, hashed } = outcome;
  if (expected === undefined) {
    if (hashed !== undefined) await print(host, formatHashLine({ h1: hashed.h1, name }));
  } else if (status !== true && !(quiet === true && hashed?.h1 === expected)) {
    const word = hashed === undefined ? 'FAILED open or read' : hashed.h1 === expected ? 'OK' : 'FAILED';
    await print(host, `${visible(name)}: ${word}\n`);
  }
}

async function showProblems(host: Host, { name, hashed, error }: Outcome): Promise<void> {
  if (error !== undefined) await sayError(host, error);
  const { violations = [] } = hashed ?? {};
  if (violations.length === 0) return;
  const lines = violations.map(({ rule, name, message }) => `  ${rule}  ${name === undefined ? '' : `${visible(name)}: `}${message}`);
  await say(host, [`${visible(name)}: Go's own tools refuse it as a module zip`, ...lines].join('\n'));
}

async function sayTotals(host: Host, outcomes: readonly Outcome[], check: string, malformed: number): Promise<void> {
  const count = (is: (outcome: Outcome) => boolean): number => outcomes.filter(is).length;
  const unread = count(({ error }) => error !== undefined);
  const other = count(({ hashed, expected }) => hashed !== undefined && hashed.h1 !== expected);
  const from = check === '-' ? 'standard input' : check;
  if (malformed > 0) await say(host, `warning: ${plural(malformed, 'line')} of ${from} without an h1, two spaces and a path`);
  if (unread > 0) await say(host, `warning: ${plural(unread, 'path')} without a hash`);
  if (other > 0) await say(host, `warning: ${plural(other, 'path')} with another hash`);
}

/** With `--check` whatever goes wrong with a path is one that fails. */
function codeOf({ expected, hashed, error }: Outcome): number {
  if (error !== undefined) return expected === undefined ? exitCodeOf(error) : 1;
  return hashed === undefined || hashed.violations.length > 0 || (expected !== undefined && hashed.h1 !== expected) ? 1 : 0;
}

function jsonOf(outcomes: readonly Outcome[], { check }: HashCommandOptions, malformed: number, exitCode: number): object {
  return {
    schema: 1,
    tool: { name: 'gosumcheck', version: packageVersion() },
    exitCode,
    ...(check === undefined ? {} : { malformedLines: malformed }),
    results: outcomes.map(({ name, expected, kind, hashed, error }) => ({
      path: name,
      kind,
      h1: hashed?.h1,
      expected,
      module: hashed?.module?.module,
      version: hashed?.module?.version,
      files: hashed?.files,
      bytes: hashed?.bytes,
      violations: hashed?.violations.map(({ rule, name, message }) => ({ rule, name, message })),
      code: error?.code,
      message: error?.message,
    })),
  };
}

function usage(message: string, hint: string): GosumError {
  return new GosumError('CONFIG_INVALID', message, { hint });
}
