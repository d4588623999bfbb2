/** A mirror killed under load, again and again. */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveLog, TestLog } from '../../src/testing/index.js';
import { until } from '../wait.js';

const COMMAND = fileURLToPath(new URL('../../../bin/gosumcheck.js', import.meta.url));

/** What came of it. */
export interface Soaked {
  /** Lookups that were answered before a kill. */
  readonly served: number;
  /** What went wrong; empty where nothing did. */
  readonly failures: readonly string[];
}

/**
 * Starts a mirror on one file, has clients ask it while the log grows, and kills it at some moment, so many times. After each
 * time the file is audited; at the end all that was ever answered is asked for with upstream gone.
 */
export async function soak(folder: string, times: number, say: (text: string) => void = () => undefined): Promise<Soaked> {
  const log = new TestLog('soak.example').fill(1000);
  const upstream = await serveLog(log);
  const env = { PATH: '', HOME: folder, GOENV: 'off', GOPROXY: 'off', GOSUMDB: `${log.vkey} ${upstream.url}`, SystemRoot: process.env.SystemRoot };
  const file = path.join(folder, 'soak.db');
  const start = async (): Promise<{ child: ChildProcess; url: string; ended: Promise<unknown> }> => {
    const args = [COMMAND, 'serve', '--data', file, '--listen', '127.0.0.1:0', '--poll', '50ms', '--timeout', '1m'];
    const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = new Promise((resolve) => child.once('close', resolve));
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (line: string) => {
        const listens = /listening on (\S+)/.exec(line)?.[1];
        if (listens !== undefined) resolve(listens);
      });
      void ended.then(() => reject(new Error(stderr)));
    });
    return { child, url, ended };
  };
  const failures: string[] = [];
  const served = new Set<number>();
  /** Asks for a record, and compares it with the log's. */
  const ask = async (url: string, id: number): Promise<boolean> => {
    const answer = await fetch(`${url}/lookup/example.com/fill/${id}@v1.0.0`);
    const body = await answer.text();
    if (answer.status !== 200) return false;
    if (body.startsWith(`${id}\n${new TextDecoder().decode(log.text(id))}\n`)) return true;
    failures.push(`a wrong answer for record ${id}`);
    return false;
  };
  for (let time = 0; time < times; time++) {
    const { child, url, ended } = await start();
    let running = true;
    let answered = 0;
    const client = async (seed: number): Promise<void> => {
      for (let n = seed; running; n += 4) {
        log.fill(log.size + 3);
        const id = (n * 7919) % log.size;
        if (!(await ask(url, id).catch(() => false))) continue;
        served.add(id);
        answered++;
      }
    };
    const clients = [0, 1, 2, 3].map((seed) => client(seed + 1000 * time));
    // before that the file may not even be there
    if (!(await until(() => answered > 4))) failures.push(`time ${time + 1}: no answers`);
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 400));
    child.kill('SIGKILL');
    await ended;
    running = false;
    await Promise.all(clients);
    const found = await run(['audit', '--data', file], folder, env);
    if (found.code !== 0) failures.push(`kill ${time + 1}: the audit ends with ${found.code}: ${found.output}`);
    say(`kill ${time + 1} of ${times}: ${served.size} records served, a log of ${log.size}`);
  }
  await upstream.close();
  const { child, url, ended } = await start();
  for (const id of served) if (!(await ask(url, id))) failures.push(`record ${id} was served, and is not with upstream gone`);
  child.kill('SIGTERM');
  await ended;
  return { served: served.size, failures };
}

function run(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<{ code: number | string; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [COMMAND, ...args], { cwd, env }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, output: stdout + stderr });
    });
  });
}
