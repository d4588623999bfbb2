/** A data file with a whole log, and `list` and `watch` as processes beside it. */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Test } from 'tap';
import { madeUpHash, TestLog } from '../../src/testing/index.js';
import { keepWhole } from '../mirror/wholefile.js';
import { ROOT, WITHOUT_TAP } from './place.js';

const COMMAND = path.join(ROOT, 'bin', 'gosumcheck.js');
const ajv = new Ajv2020({ allErrors: true, strictTypes: false });
addFormats.default(ajv);
const isLine = ajv.compile(JSON.parse(readFileSync(path.join(ROOT, 'docs', 'watch.schema.json'), 'utf8')) as object);
/** A hash that the log has for nothing. */
export const OTHER: string = madeUpHash('another');

/** A file with a log of some modules among others, and the command run beside it. */
export async function newFile(t: Pick<Test, 'testdir'>, size = 600): Promise<{ log: TestLog; folder: string; file: string; keep: (at?: number) => Promise<void> }> {
  const log = new TestLog('log.example');
  log.add('example.com/team/a', 'v1.0.0');
  log.fill(300).add('example.com/team/b', 'v0.1.0');
  log.add('example.com/teams', 'v1.0.0');
  log.fill(size).add('example.com/team/a', 'v1.10.0');
  log.add('example.com/team/a', 'v1.9.0');
  const folder = t.testdir({});
  const file = path.join(folder, 'data.db');
  const keep = (at = 0): Promise<void> => keepWhole(file, log, { at });
  await keep();
  return { log, folder, file, keep };
}

/** What came of a process. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Starts the command. */
export function start(t: Pick<Test, 'teardown'>, cwd: string, args: readonly string[]): { ended: Promise<Ran>; out: () => string; kill: (signal: NodeJS.Signals) => void; hangUp: () => void } {
  const [command = '', ...rest] = [...WITHOUT_TAP, process.execPath, COMMAND, ...args];
  const child = spawn(command, rest, { cwd, env: { PATH: '', HOME: cwd, SystemRoot: process.env.SystemRoot }, stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (part: string) => (out += part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => (err += part));
  const ended = new Promise<Ran>((resolve) => child.once('close', (code) => resolve({ code, out, err })));
  return { ended, out: () => out, kill: (signal) => void child.kill(signal), hangUp: () => child.stdout.destroy() };
}

/** Runs the command on the file. */
export async function run(t: Pick<Test, 'teardown'>, cwd: string, ...args: string[]): Promise<Ran> {
  return start(t, cwd, [...args, '--data', 'data.db']).ended;
}

/** Lines of JSON, each held against the published schema. */
export function linesOf(out: string): unknown[] {
  return out.trimEnd().split('\n').map((line) => {
    const value: unknown = JSON.parse(line);
    if (!isLine(value)) throw new Error(`not of the published form: ${line} ${JSON.stringify(isLine.errors)}`);
    return value;
  });
}

/** The hashes that the log has for a module version, `path version`. */
export function hashesOf(name: string): object {
  return { module: madeUpHash(name), goMod: madeUpHash(`${name}/go.mod`) };
}
