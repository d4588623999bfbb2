/**
 * What a benchmark works with: a temporary folder, the Go programs built into it, a certificate, and an environment in
 * which both sides find the same and nothing of this machine's own caches and settings.
 */

import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { newCertificate } from '../src/testing/certificate.js';

/** The repository, from dist/bench. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

/** The Go programs: x/mod's own gosumcheck, and those of bench/go. */
const PROGRAMS = ['golang.org/x/mod/gosumcheck', './replay', './clock', './hash', './server', './relay'];

/** A folder with all that is needed. */
export interface Workshop {
  readonly folder: string;
  /** The program of this name. */
  program(name: 'gosumcheck' | 'replay' | 'clock' | 'hash' | 'server' | 'relay'): string;
  /** The environment of what is measured: the same for both sides. */
  readonly env: NodeJS.ProcessEnv;
  /** Certificate and key, PEM files. */
  readonly cert: string;
  readonly key: string;
  /** Aborted when a person ends the benchmark. */
  readonly signal: AbortSignal;
}

/** What a finished process leaves. */
export interface Finished {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Makes a workshop, has `work` done in it, and removes it, whatever happens. */
export async function inWorkshop<T>(signal: AbortSignal, work: (workshop: Workshop) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gosumcheck-bench-'));
  try {
    return await work(await equip(folder, signal));
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Runs a process to its end. Rejects where it cannot be started, or a person ends the benchmark. */
export function finish(
  command: string,
  args: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly cwd: string; readonly signal: AbortSignal },
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}

/** The command. */
export const BIN: string = path.join(ROOT, 'bin', 'gosumcheck.js');

/** The 505 lines of Kubernetes 1.34, which the recording covers. */
export const GO_SUM: string = path.join(ROOT, 'fixtures', 'kubernetes-1.34', 'go.sum');

/** The recorded database. */
export const RECORDING: string = path.join(ROOT, 'fixtures', 'sumdb', 'sum.golang.org');

/** The first `count` lines of the recorded go.sum, in a file of its own. */
export async function cutGoSum({ folder }: Workshop, count: number): Promise<string> {
  const file = path.join(folder, 'go.sum');
  const lines = (await readFile(GO_SUM, 'utf8')).split('\n').slice(0, count);
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}

async function equip(folder: string, signal: AbortSignal): Promise<Workshop> {
  const home = path.join(folder, 'home');
  await mkdir(home);
  const { cert, key } = newCertificate();
  const files = { cert: path.join(folder, 'cert.pem'), key: path.join(folder, 'key.pem') };
  await writeFile(files.cert, cert);
  await writeFile(files.key, key);
  await buildPrograms(folder, signal);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    folder,
    signal,
    ...files,
    program: (name) => path.join(folder, name + suffix),
    env: {
      ...plainEnvironment(),
      HOME: home,
      USERPROFILE: home,
      // where both look for private modules: set, so that x/mod's gosumcheck need not start the go command for it
      GONOSUMDB: 'private.example',
      GOENV: 'off',
      GOPATH: path.join(home, 'go'),
      // whom both of them trust
      SSL_CERT_FILE: files.cert,
    },
  };
}

async function buildPrograms(folder: string, signal: AbortSignal): Promise<void> {
  const env = { ...process.env, GOFLAGS: '', GOWORK: 'off', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' };
  const cwd = path.join(ROOT, 'bench', 'go');
  const build = ['build', '-o', folder + path.sep, ...PROGRAMS];
  const { exitCode, stderr } = await finish('go', build, { env, cwd, signal }).catch((cause: unknown) => {
    throw new Error('the go command is needed, and cannot be started', { cause });
  });
  if (exitCode !== 0) throw new Error(`the Go programs of bench/go cannot be built:\n${stderr}`);
}

/** This process's environment without what would change a run: settings of go, of gosumcheck, of Node, and proxies. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const changing = /^(GO|NODE_|SSL_CERT_|XDG_|npm_|LOCALAPPDATA$|(HTTPS?|ALL|NO)_PROXY$)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !changing.test(name)));
}
