/**
 * `gosumcheck modcache` beside `go mod verify`, on one module cache: the 314 module versions of the recorded go.sum.
 *
 * Ours also proves each of them in the log, from a cache filled before, and hashes the go.mod files. The go command takes
 * one version of each path at a time: for the rest it runs again, and the times are added up.
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseGoSum } from '../src/core/gosum.js';
import { formatModuleVersion, type ModuleVersion } from '../src/core/module.js';
import { downloadModules } from './download.js';
import { median, timed, type Run } from './measure.js';
import { withReplay } from './replay.js';
import { BIN, GO_SUM, type Workshop } from './workshop.js';

/** How much is measured. */
export interface ModcacheBenchOptions {
  /** Runs of each side. */
  readonly runs: number;
  /** Told what goes on. */
  readonly say: (text: string) => void;
}

/** What was measured of one side. */
export interface ModcacheSide {
  readonly what: string;
  /** Medians, in milliseconds. */
  readonly ms: number;
  readonly cpuMs: number;
  /** The most memory of all runs, resident, in MB of 1e6 bytes. */
  readonly peak: number;
  /** The times of all runs. */
  readonly samples: readonly number[];
}

/** All that was measured. */
export interface ModcacheBench {
  readonly node: string;
  readonly runs: number;
  readonly modules: number;
  /** How often the go command has to run. */
  readonly groups: number;
  readonly sides: readonly ModcacheSide[];
  /** What must not be: a failed run, a request of a warm run. */
  readonly problems: readonly string[];
}

const MB = 1e6;

/** Measures it all. */
export async function benchModcache(workshop: Workshop, { runs, say }: ModcacheBenchOptions): Promise<ModcacheBench> {
  const modules = await recordedModules();
  say(`downloading ${modules.length} modules`);
  const cache = path.join(workshop.folder, 'modcache');
  const versions = modules.map(({ module, version }) => formatModuleVersion(module, version));
  const { errors } = await downloadModules(versions, workshop.folder, cache, workshop.signal);
  if (errors[0] !== undefined) throw new Error(`the modules cannot be downloaded: ${errors[0]}`);
  const mains = await mainModules(workshop, modules);

  const problems: string[] = [];
  const goEnv = { GOMODCACHE: cache, GOFLAGS: '-mod=mod', GOPROXY: 'off', GOSUMDB: 'off', GOTOOLCHAIN: 'local', GOWORK: 'off' };
  const theirs = async (): Promise<Run> => {
    const all: Run[] = [];
    for (const main of mains) all.push(await timed(workshop, 'go', ['-C', main, 'mod', 'verify'], goEnv));
    for (const { exitCode, stdout, stderr } of all) {
      if (exitCode !== 0 || !stdout.includes('all modules verified')) problems.push(`go mod verify: ${stdout}${stderr}`);
    }
    return joined(all);
  };
  return withReplay(workshop, { protocol: 'h2', rtt: 0 }, async (replay) => {
    const args = [BIN, 'modcache', '--cache', path.join(workshop.folder, 'modcache.db'), cache];
    const ours = async (requests: boolean): Promise<Run> => {
      // the certificate is for the requests alone: with it Node itself takes longer to start
      const env = { GOSUMDB: `sum.golang.org ${replay.url}`, ...(requests ? {} : { NODE_EXTRA_CA_CERTS: undefined }) };
      const run = await timed(workshop, process.execPath, args, env);
      const counts = await replay.take();
      if (run.exitCode !== 0) problems.push(`gosumcheck modcache: exit code ${run.exitCode}: ${run.stderr}${run.stdout}`);
      if (counts.unanswered.length > 0) problems.push(`not in the recording: ${counts.unanswered.join(' ')}`);
      if (!requests && counts.requests > 0) problems.push(`gosumcheck modcache: ${counts.requests} requests of a warm run`);
      return run;
    };
    say('go mod verify, and gosumcheck modcache');
    await theirs();
    const first = await ours(true);
    const done: { theirs: Run[]; ours: Run[] } = { theirs: [], ours: [] };
    for (let i = 0; i < runs; i++) {
      if (i % 2 === 0) done.theirs.push(await theirs());
      done.ours.push(await ours(false));
      if (i % 2 === 1) done.theirs.push(await theirs());
    }
    const sides = [
      sideOf('go mod verify', done.theirs),
      sideOf('gosumcheck modcache', done.ours),
      sideOf('  the first time: asks the log', [first]),
    ];
    return { node: process.version, runs, modules: modules.length, groups: mains.length, sides, problems };
  });
}

/** The module versions of the recorded go.sum, also those of which it has the go.mod alone. */
async function recordedModules(): Promise<ModuleVersion[]> {
  const lines = parseGoSum(new Uint8Array(await readFile(GO_SUM)), 'go.sum');
  const all = new Map(lines.map(({ module, version }) => [formatModuleVersion(module, version), { module, version }]));
  return [...all.values()];
}

/**
 * Folders with a go.mod each that together require all modules, one version of a path each. Each is replaced by an empty module,
 * so that no go.mod of its own is read, which would require further ones; `go mod verify` looks at the required ones all the same.
 */
async function mainModules({ folder }: Workshop, modules: readonly ModuleVersion[]): Promise<string[]> {
  const groups: Map<string, string>[] = [];
  for (const { module, version } of modules) {
    const group = groups.find((group) => !group.has(module));
    if (group === undefined) groups.push(new Map([[module, version]]));
    else group.set(module, version);
  }
  const stub = path.join(folder, 'stub');
  await mkdir(stub);
  await writeFile(path.join(stub, 'go.mod'), 'module example.com/stub\n');
  const mains: string[] = [];
  for (const [i, group] of groups.entries()) {
    const main = path.join(folder, `main${i}`);
    await mkdir(main);
    const lines = [...group].map(([module, version]) => `require ${module} ${version}\nreplace ${module} => ../stub\n`);
    await writeFile(path.join(main, 'go.mod'), `module example.com/main\n\ngo 1.25\n\n${lines.join('')}`);
    mains.push(main);
  }
  return mains;
}

/** Runs one after the other, as one. */
function joined(runs: readonly Run[]): Run {
  const sum = (of: (run: Run) => number): number => runs.reduce((all, run) => all + of(run), 0);
  return {
    exitCode: runs.find(({ exitCode }) => exitCode !== 0)?.exitCode ?? 0,
    stdout: runs.map(({ stdout }) => stdout).join(''),
    stderr: runs.map(({ stderr }) => stderr).join(''),
    ms: sum(({ ms }) => ms),
    cpuMs: sum(({ cpuMs }) => cpuMs),
    peak: Math.max(...runs.map(({ peak }) => peak)),
  };
}

function sideOf(what: string, runs: readonly Run[]): ModcacheSide {
  const samples = runs.map(({ ms }) => ms);
  const peak = Math.max(...runs.map(({ peak }) => peak)) / MB;
  return { what, ms: median(samples), cpuMs: median(runs.map(({ cpuMs }) => cpuMs)), peak, samples };
}
