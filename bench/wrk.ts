/** Load by wrk, over a list of URLs; and the tools that a machine may lack. */

import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { finish, type Workshop } from './workshop.js';

/** How much load at a time. */
const CONNECTIONS = 64;
const THREADS = 2;

/** What a run of wrk saw. */
export interface Load {
  readonly requests: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Answers of another status than 200, and connections or answers that failed. */
  readonly errors: number;
}

/**
 * Walks the list of URLs that the first argument names, each thread from another place on, and says what came of it as JSON.
 * The requests are put together beforehand: wrk shares the machine with what it measures.
 */
const SCRIPT = `
local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end
function init(args)
  requests = {}
  for line in io.lines(args[1]) do requests[#requests + 1] = wrk.format("GET", line) end
  at = math.floor(#requests / ${THREADS}) * number
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\\nJSON {"requests":%d,"perSecond":%.1f,"p50":%.4f,"p99":%.4f,"errors":%d}\\n',
    summary.requests, summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    e.status + e.connect + e.read + e.write + e.timeout))
end
`;

/** A way to load a server with the same URLs again and again. */
export type Loader = (url: string, seconds: number) => Promise<Load>;

/** Writes wrk's script and a list of paths. */
export async function newLoader({ folder, env, signal }: Workshop, name: string, paths: readonly string[]): Promise<Loader> {
  const script = path.join(folder, 'walk.lua');
  const list = path.join(folder, `${name}.txt`);
  await writeFile(script, SCRIPT);
  await writeFile(list, `${paths.join('\n')}\n`);
  return async (url, seconds) => {
    const args = ['-t', String(THREADS), '-c', String(CONNECTIONS), '-d', `${seconds}s`, '-s', script, '--latency', url, '--', list];
    const { exitCode, stdout, stderr } = await finish('wrk', args, { env, cwd: folder, signal });
    const json = /^JSON (.*)$/m.exec(stdout)?.[1];
    if (exitCode !== 0 || json === undefined) throw new Error(`wrk: exit code ${exitCode}: ${stderr}${stdout}`);
    return JSON.parse(json) as Load;
  };
}

/**
 * Reports whether a program of a Debian package of the same name is there, and installs it where it is not and may be.
 * Says so, either way.
 */
export async function isThere(program: 'nginx' | 'wrk', { env, folder, signal }: Workshop, say: (text: string) => void): Promise<boolean> {
  if (starts(program)) return true;
  if (process.getuid?.() !== 0 || !starts('apt-get')) {
    say(`NOT MEASURED: there is no ${program}, and only root can install it, by apt-get`);
    return false;
  }
  say(`installing ${program} by apt-get`);
  const options = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' }, cwd: folder, signal };
  await finish('apt-get', ['update', '-qq'], options);
  const { exitCode, stderr } = await finish('apt-get', ['install', '-y', '-qq', '--no-install-recommends', program], options);
  if (exitCode === 0 && starts(program)) return true;
  say(`NOT MEASURED: ${program} could not be installed: ${stderr.trim().split('\n').at(-1) ?? ''}`);
  return false;
}

function starts(program: string): boolean {
  return spawnSync(program, ['-v'], { stdio: 'ignore' }).error === undefined;
}
