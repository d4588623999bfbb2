/**
 * The h1 of module zips: x/mod's dirhash.HashZip and ours, in turn, as whole processes and within one.
 *
 * A ratio is a speed: Go's time to ours, more than 1 where ours takes less. Peak memory is of whole processes.
 */

import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { largeZip, realZips, type BenchZip } from './hashzips.js';
import { median, timed, type Run } from './measure.js';
import { BIN, type Workshop } from './workshop.js';

/** How much is measured. */
export interface HashBenchOptions {
  /** Runs of each side. */
  readonly runs: number;
  /** The smallest zip alone, and no goals. */
  readonly quick: boolean;
  /** Told what goes on. */
  readonly say: (text: string) => void;
}

/** What was measured of one side. */
export interface HashSide {
  /** Medians, in milliseconds. */
  readonly ms: number;
  /** Of whole processes: the processor's time, median, in milliseconds. */
  readonly cpuMs: number;
  /** Of whole processes: the most memory of all runs, resident, in MB of 1e6 bytes. */
  readonly peak: number;
  /** The times of all runs. */
  readonly samples: readonly number[];
}

/** Two sides, measured in turn. */
export interface HashComparison {
  /** Which zip. */
  readonly what: string;
  readonly theirs: HashSide;
  readonly ours: HashSide;
  /** Their median time to ours. */
  readonly ratio: number;
  /** The least that the ratio may be; absent where it is only shown. */
  readonly goal?: number;
  /** The most memory that ours may have, in MB; absent where it is only shown. */
  readonly peakGoal?: number;
}

/** All that was measured. */
export interface HashBench {
  readonly node: string;
  readonly runs: number;
  readonly whole: readonly HashComparison[];
  readonly within: readonly HashComparison[];
  /** Ours alone: one thread, then as many processes at once as there are threads next, each with its share. Absent on one processor. */
  readonly threads?: readonly HashComparison[];
  /** What must not be: a failed run, another h1 than Go's, a goal missed. */
  readonly problems: readonly string[];
}

/** By size in MB: what our speed has to be, to Go's. */
const WHOLE_GOALS: ReadonlyMap<number, number> = new Map([
  [80, 1.1],
  [300, 1.25],
]);
const WITHIN_GOAL = 1.3;
/** By size in MB: the most memory of a whole process, in MB. */
const PEAK_GOALS: ReadonlyMap<number, number> = new Map([
  [300, 120],
  [400, 120],
]);
/** How often a process repeats its work, where that is timed from within. */
const REPEATS = 3;
/** How many threads, and how much faster they have to be than one. */
const THREADS = 2;
const THREADS_GOAL = 1.6;
const MB = 1e6;

const MANY = fileURLToPath(new URL('hashmany.js', import.meta.url));

type Command = readonly [program: string, args: readonly string[]];

/** Measures it all. */
export async function benchHash(workshop: Workshop, options: HashBenchOptions): Promise<HashBench> {
  const { runs, quick, say } = options;
  say('downloading modules');
  const zips = await realZips(workshop, quick ? 20 : Infinity);
  if (!quick) {
    say('making a zip of one entry of 400 MB');
    zips.push(await largeZip(workshop));
  }
  const problems: string[] = [];
  const whole: HashComparison[] = [];
  const within: HashComparison[] = [];
  for (const zip of zips) {
    say(`whole processes, ${zip.what}`);
    whole.push(await benchWhole(workshop, zip, options, problems));
    say(`within one, ${zip.what}`);
    within.push(await benchWithin(workshop, zip, options, problems));
  }
  const results = { node: process.version, runs, whole, within, problems };
  if (availableParallelism() < THREADS) return results;
  say('worker threads');
  return { ...results, threads: await benchThreads(workshop, zips, options, problems) };
}

/**
 * The real zips, each twice: by one command in one thread, by two commands at once with one of each, and by one command in
 * two threads. The second says what the machine gives: threads cannot be faster, and where it does not reach the goal, two
 * processors were not free.
 */
async function benchThreads(
  workshop: Workshop,
  zips: readonly BenchZip[],
  { runs, quick }: HashBenchOptions,
  problems: string[],
): Promise<HashComparison[]> {
  const files = zips.filter(({ isReal }) => isReal).map(({ file }) => file);
  const hash = (threads: number, some: readonly string[]): Promise<Run> =>
    timed(workshop, process.execPath, [BIN, 'hash', '--threads', String(threads), ...some]);
  const one: Run[] = [];
  const apart: Run[] = [];
  const threads: Run[] = [];
  const twice = files.flatMap((file) => [file, file]);
  for (let i = 0; i <= runs; i++) {
    const first = await hash(1, twice);
    const both = await Promise.all(Array.from({ length: THREADS }, () => hash(1, files)));
    const second = await hash(THREADS, twice);
    if (i === 0) continue;
    one.push(first);
    apart.push(atOnce(both));
    threads.push(second);
  }
  const what = `${twice.length} zips, ${THREADS}`;
  problems.push(...differences(one, threads).map((problem) => `${what} threads: ${problem}`));
  const given = comparison(`${what} processes`, [wholeSide(one), wholeSide(apart)], {}, problems);
  const hasFree = given.ratio >= THREADS_GOAL;
  return [given, comparison(`${what} threads`, [wholeSide(one), wholeSide(threads)], quick || !hasFree ? {} : { goal: THREADS_GOAL }, problems)];
}

/** Runs that began together, as one. */
function atOnce(runs: readonly Run[]): Run {
  const [first] = runs;
  if (first === undefined) throw new Error('no run');
  const sum = (value: (run: Run) => number): number => runs.reduce((total, run) => total + value(run), 0);
  return { ...first, ms: Math.max(...runs.map(({ ms }) => ms)), cpuMs: sum(({ cpuMs }) => cpuMs), peak: sum(({ peak }) => peak) };
}

async function benchWhole(
  workshop: Workshop,
  zip: BenchZip,
  { runs, quick }: HashBenchOptions,
  problems: string[],
): Promise<HashComparison> {
  const [theirs, ours] = await inTurn(workshop, runs + 1, [
    [workshop.program('hash'), [zip.file]],
    [process.execPath, [BIN, 'hash', '--threads', '1', zip.file]],
  ]);
  problems.push(...differences(theirs, ours).map((problem) => `${zip.what}: ${problem}`));
  const [, ...theirsCounted] = theirs;
  const [, ...oursCounted] = ours;
  const goals = quick ? {} : { goal: WHOLE_GOALS.get(zip.size), peakGoal: PEAK_GOALS.get(zip.size) };
  return comparison(zip.what, [wholeSide(theirsCounted), wholeSide(oursCounted)], goals, problems);
}

async function benchWithin(
  workshop: Workshop,
  zip: BenchZip,
  { runs, quick }: HashBenchOptions,
  problems: string[],
): Promise<HashComparison> {
  const [theirs, ours] = await inTurn(workshop, Math.ceil(runs / REPEATS), [
    [workshop.program('hash'), ['-repeat', String(REPEATS), zip.file]],
    [process.execPath, [MANY, String(REPEATS), zip.file]],
  ]);
  problems.push(...differences(theirs, ours).map((problem) => `${zip.what}, within one process: ${problem}`));
  return comparison(`${zip.what}, within one process`, [withinSide(theirs), withinSide(ours)], quick ? {} : { goal: WITHIN_GOAL }, problems);
}

/** Both sides in turn; who begins changes. */
async function inTurn(workshop: Workshop, runs: number, commands: readonly [Command, Command]): Promise<[Run[], Run[]]> {
  const done: [Run[], Run[]] = [[], []];
  for (let i = 0; i < runs; i++) {
    for (const side of i % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const [program, args] = commands[side];
      done[side].push(await timed(workshop, program, args));
    }
  }
  return done;
}

/** What is wrong with runs, apart from their times. */
function differences(theirs: readonly Run[], ours: readonly Run[]): string[] {
  const h1s = ({ stdout }: Run): string => (stdout.match(/^h1:\S+/gm) ?? []).join(' ');
  const want = theirs[0] === undefined ? '' : h1s(theirs[0]);
  const problems = want === '' ? ['no h1'] : [];
  for (const run of [...theirs, ...ours]) {
    if (run.exitCode !== 0 || run.stderr !== '') problems.push(`exit code ${run.exitCode}: ${run.stderr}${run.stdout}`);
    else if (h1s(run) !== want) problems.push(`${h1s(run)}, want ${want}`);
  }
  return problems;
}

function wholeSide(runs: readonly Run[]): HashSide {
  return sideOf(
    runs,
    runs.map(({ ms }) => ms),
  );
}

/** By the times that the processes print, a line each behind the h1. */
function withinSide(runs: readonly Run[]): HashSide {
  return sideOf(
    runs,
    runs.flatMap(({ stdout }) => stdout.trimEnd().split('\n').slice(1).map(Number)),
  );
}

function sideOf(runs: readonly Run[], samples: readonly number[]): HashSide {
  return {
    ms: median(samples),
    cpuMs: median(runs.map(({ cpuMs }) => cpuMs)),
    peak: Math.max(...runs.map(({ peak }) => peak)) / MB,
    samples,
  };
}

function comparison(
  what: string,
  [theirs, ours]: readonly [HashSide, HashSide],
  { goal, peakGoal }: { readonly goal?: number | undefined; readonly peakGoal?: number | undefined },
  problems: string[],
): HashComparison {
  const ratio = theirs.ms / ours.ms;
  if (goal !== undefined && ratio < goal) problems.push(`${what}: ${ratio.toFixed(2)} times the speed, want at least ${goal}`);
  if (peakGoal !== undefined && ours.peak > peakGoal) {
    problems.push(`${what}: ${ours.peak.toFixed(0)} MB of memory, want at most ${peakGoal}`);
  }
  return { what, theirs, ours, ratio, ...(goal === undefined ? {} : { goal }), ...(peakGoal === undefined ? {} : { peakGoal }) };
}
