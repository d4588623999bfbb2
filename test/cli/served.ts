/** `gosumcheck serve` as a process. */

import { spawn } from 'node:child_process';
import path from 'node:path';
import type { Test } from 'tap';
import { until } from '../wait.js';
import { ROOT, type Place } from './place.js';

/** A mirror that runs. */
export interface Served {
  readonly url: string;
  /** The lines of its log so far, parsed. They come by another pipe than what it has done: the last may be late. */
  logged(): Record<string, unknown>[];
  /** Waits for a line of its log that is as it has to be. */
  said(isIt: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  /** Sends a signal. */
  kill(signal: NodeJS.Signals): void;
  /** Ends it, and gives its exit code and what it said on stderr. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; stderr: string }>;
}

/** Starts a mirror of the place's log; its data file is in the working folder. */
export async function serve(t: Pick<Test, 'teardown'>, place: Place, more: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Served> {
  const given = more.includes('--config') ? [] : ['--data', 'mirror.db', '--listen', '127.0.0.1:0', '--timeout', '1m'];
  const args = [path.join(ROOT, 'bin', 'gosumcheck.js'), 'serve', ...given, ...more];
  const base = { PATH: '', HOME: place.folder, GOENV: 'off', GOPROXY: 'off', GOSUMDB: `${place.log.vkey} ${place.served.url}`, SystemRoot: process.env.SystemRoot };
  const child = spawn(process.execPath, args, { cwd: place.folder, env: { ...base, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (line: string) => resolve(/^listening on (\S+)\n$/.exec(line)?.[1] ?? ''));
    void closed.then(() => reject(new Error(stderr)));
  });
  const logged = (): Record<string, unknown>[] =>
    stderr.split('\n').slice(0, -1).filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
  return {
    url,
    logged,
    async said(isIt) {
      if (!(await until(() => logged().some(isIt)))) throw new Error(`not in its log: ${stderr}`);
      return logged().find(isIt) ?? {};
    },
    kill: (signal) => void child.kill(signal),
    async end(signal) {
      child.kill(signal);
      return { code: await closed, stderr };
    },
  };
}

/** Reads a URL. */
export async function text(url: string, init: RequestInit = {}): Promise<{ status: number; body: string; headers: Record<string, string> }> {
  const answer = await fetch(url, init);
  return { status: answer.status, body: await answer.text(), headers: Object.fromEntries(answer.headers) };
}
