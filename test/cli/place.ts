/** A working folder with a home of its own, a served log, and the real command run in it as a process. */

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Test } from 'tap';
import { madeUpHash, serveLog, TestLog, type Bend, type ServedLog } from '../../src/testing/index.js';

/** The package's folder; this file runs as dist/test/cli/place.js. */
export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url));
const COMMAND = path.join(ROOT, 'bin', 'gosumcheck.js');

const schema = JSON.parse(readFileSync(path.join(ROOT, 'docs', 'report.schema.json'), 'utf8')) as object;
const isReport = new Ajv2020({ allErrors: true }).compile(schema);

/** tap loads itself into every child, with signal handlers of its own, which no user has. This keeps it out. */
export const WITHOUT_TAP: readonly string[] = existsSync('/usr/bin/env') ? ['/usr/bin/env', '-u', 'NODE_OPTIONS'] : [];

/** Processes at a time in a test file. */
export const JOBS = 4;

/** What came of a process. */
export interface Ran {
  /** `null` where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds. */
  readonly took: number;
}

/** A process that runs. */
export interface Running {
  readonly ended: Promise<Ran>;
  /** What it has written to stdout so far. */
  out(): string;
  kill(signal: NodeJS.Signals): void;
  /** Stops reading stdout. */
  hangUp(): void;
  /** Writes to standard input, and waits until most of it was read: a pipe holds some 64 KiB. */
  feed(text: string): Promise<void>;
}

/** How a process is started. */
export interface Start {
  /** Beside those of the place; `undefined` unsets. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Below the place's working folder. */
  readonly cwd?: string;
  /** Standard input, which is empty by default; `undefined` never ends. */
  readonly stdin?: string | undefined;
  /** Another command with the reports of `verify`. */
  readonly command?: string;
  /** A command that runs the process, and its arguments. */
  readonly under?: readonly string[];
}

/** What a JSON report has that tests look at. */
export interface Report {
  readonly complete: boolean;
  readonly exitCode: number;
  readonly database: { name: string; url: string; tree: { size: number; hash: string } | null; timeline: string };
  readonly problem?: { code: string; message: string };
  readonly summary: Record<string, number>;
  readonly results: readonly {
    file: string;
    line?: number;
    module: string;
    status: string;
    hash: string;
    expected?: string;
    record?: number;
    retryable?: boolean;
    code?: string;
    message?: string;
    remove?: readonly string[];
  }[];
  readonly modcache?: Record<string, unknown>;
}

/** A place to run the command in. */
export interface Place {
  readonly log: TestLog;
  readonly served: ServedLog;
  /** The working folder. */
  readonly folder: string;
  /** The default place of the cache. */
  readonly cache: string;
  start(args: readonly string[], options?: Start): Running;
  run(args: readonly string[], options?: Start): Promise<Ran>;
  /** Runs `verify --format json`, and checks its report against the published schema. */
  verify(args?: readonly string[], options?: Start): Promise<Ran & { report: Report }>;
  /** Requests since the last call. */
  asked(): string[];
}

/** The modules of `newLog`, all at v1.0.0. */
export const MODULES: readonly string[] = ['example.com/Alpha', 'example.com/beta', 'example.com/gamma', 'example.com/delta'];

/** A log with the modules among many others. */
export function newLog(size = 2000, name = 'log.example'): TestLog {
  const log = new TestLog(name);
  MODULES.forEach((module, i) => log.fill(Math.floor((size * (i + 1)) / 5)).add(module, 'v1.0.0'));
  return log.fill(size);
}

/** The two lines of a module at v1.0.0, as the log has them. */
export function linesOf(module: string): string {
  return lineOf(module) + lineOf(module, '/go.mod');
}

/** A line of a module at v1.0.0: as the log has it, or with another hash. */
export function lineOf(module: string, kind: '' | '/go.mod' = '', hash: string = madeUpHash(`${module} v1.0.0${kind}`)): string {
  return `${module} v1.0.0${kind} ${hash}\n`;
}

/** The go.sum of all modules. */
export const GO_SUM: string = MODULES.map(linesOf).join('');
/** A hash that the log has for nothing. */
export const OTHER_HASH: string = madeUpHash('another');

/** A tree of files, as `testdir` takes it. */
export type Files = Exclude<Parameters<Test['testdir']>[0], undefined>;

/** Makes a place; what it opens ends with the test. */
export async function newPlace(
  t: Pick<Test, 'testdir' | 'teardown'>,
  files: Files = { 'go.sum': GO_SUM },
  { log = newLog(), answer }: { log?: TestLog; answer?: Bend } = {},
): Promise<Place> {
  const root = t.testdir({ home: {}, work: files });
  const served = await serveLog(log, answer === undefined ? {} : { answer });
  t.teardown(() => served.close());
  const home = path.join(root, 'home');
  const folder = path.join(root, 'work');
  const base = {
    HOME: home,
    USERPROFILE: home,
    LOCALAPPDATA: home,
    AppData: home,
    XDG_CACHE_HOME: path.join(home, '.cache'),
    XDG_CONFIG_HOME: path.join(home, '.config'),
    SystemRoot: process.env.SystemRoot,
    PATH: '',
    GOENV: 'off',
    GOPROXY: 'off',
    GOSUMDB: `${log.vkey} ${served.url}`,
  };
  const caches = process.platform === 'win32' ? home : path.join(home, process.platform === 'darwin' ? 'Library/Caches' : '.cache');
  let seen = 0;

  const start = (args: readonly string[], { env = {}, cwd = '', under = [], ...more }: Start = {}): Running => {
    const stdin = 'stdin' in more ? more.stdin : '';
    const [command = '', ...rest] = [...WITHOUT_TAP, ...under, process.execPath, COMMAND, ...args];
    const since = Date.now();
    const child = spawn(command, rest, { cwd: path.join(folder, cwd), env: { ...base, ...env }, stdio: 'pipe' });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    child.stdin.on('error', () => undefined);
    if (stdin !== undefined) child.stdin.end(stdin);
    t.teardown(() => child.kill('SIGKILL'));
    const ended = new Promise<Ran>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve({ code, signal, ...output, took: Date.now() - since }));
    });
    return {
      ended,
      out: () => output.stdout,
      kill: (signal) => void child.kill(signal),
      hangUp: () => child.stdout.destroy(),
      feed: (text) => new Promise((resolve) => child.stdin.write(text, () => resolve())),
    };
  };
  const run: Place['run'] = (args, options) => start(args, options).ended;
  return {
    log,
    served,
    folder,
    cache: path.join(caches, 'gosumcheck', 'cache.db'),
    start,
    run,
    async verify(args = [], options) {
      const ran = await run([options?.command ?? 'verify', '--format', 'json', ...args], options);
      if (ran.stdout === '') throw new Error(`no report, exit ${ran.code}: ${ran.stderr}`);
      const report: unknown = JSON.parse(ran.stdout);
      if (!isReport(report)) throw new Error(`not of the published form: ${JSON.stringify(isReport.errors)}`);
      const exit = (report as Report).exitCode;
      if (exit !== ran.code) throw new Error(`the report says exit ${exit}, and it is ${ran.code}`);
      return { ...ran, report: report as Report };
    },
    asked() {
      const since = served.requests.slice(seen);
      seen = served.requests.length;
      return since;
    },
  };
}

/** The lines of JSON that a command has written, as far as they are whole. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text.split('\n').slice(0, -1).map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** `line status code` of each result. */
export function outcomes({ results }: Report): string[] {
  return results.map(({ file, line = 0, status, code }) => [`${file}:${line}`, status, code].filter(Boolean).join(' '));
}
