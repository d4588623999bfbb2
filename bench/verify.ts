/**
 * `gosumcheck verify` beside x/mod's own gosumcheck: the same go.sum, the same recorded answers, in turn, whole processes.
 *
 * Cold: an empty cache, over HTTP/2 and HTTP/1.1, with round trips charged. Warm: an unchanged go.sum, against what it
 * costs to start Node at all.
 */

import path from 'node:path';
import { median, timed, type Run } from './measure.js';
import { withReplay, type Counts, type Replay, type ReplayOptions } from './replay.js';
import { BIN, cutGoSum, GO_SUM, type Workshop } from './workshop.js';

/** Module versions in the recorded go.sum: each is looked up once. */
const MODULE_VERSIONS = 314;
/** Connections to one host that are still polite. */
const MAX_CONNECTIONS = 64;
/** Lines of the warm go.sum. */
const WARM_LINES = 400;
/** A warm run is short, so that more of them are needed for as good a median. */
const WARM_FACTOR = 3;

/** How much is measured. */
export interface VerifyBenchOptions {
  /** Runs of each side. */
  readonly runs: number;
  /** Round trips, in milliseconds. */
  readonly rtts: readonly number[];
  /** Whether times have to reach their goals. */
  readonly goals: boolean;
  /** Told what goes on. */
  readonly say: (text: string) => void;
}

/** What was measured of one side. */
export interface Side {
  /** Medians, in milliseconds. */
  readonly ms: number;
  readonly cpuMs: number;
  /** Medians of what the server counted. */
  readonly requests: number;
  readonly connections: number;
  /** The times of all runs. */
  readonly samples: readonly number[];
}

/** Two sides, measured in turn. */
export interface Comparison {
  /** What was measured, and against what. */
  readonly what: string;
  readonly theirs: Side;
  readonly ours: Side;
  /** Our median time to theirs. */
  readonly ratio: number;
  /** The most that the ratio may be; absent where it is only shown. */
  readonly goal?: number;
}

/** All that was measured. */
export interface VerifyBench {
  readonly node: string;
  readonly runs: number;
  readonly cold: readonly (Comparison & ReplayOptions)[];
  readonly warm: readonly Comparison[];
  /** What must not be, whatever the times: a failed run, a request too many, a goal missed. */
  readonly problems: readonly string[];
}

/** Our time to theirs over HTTP/2, by round trip. Over HTTP/1.1 theirs opens hundreds of connections: no goal. */
const COLD_GOALS: ReadonlyMap<number, number> = new Map([
  [0, 1.6],
  [100, 1.05],
]);
/** Our time to that of `node -e 0`. */
const WARM_GOAL = 3;
const VERSION_GOAL = 1.5;

interface Sample {
  readonly run: Run;
  readonly counts: Counts;
}

/** Measures it all. */
export async function benchVerify(workshop: Workshop, options: VerifyBenchOptions): Promise<VerifyBench> {
  const { runs, rtts, say } = options;
  const problems: string[] = [];
  const cold: VerifyBench['cold'][number][] = [];
  for (const protocol of ['h2', 'http/1.1'] as const) {
    for (const rtt of rtts) {
      say(`cold, ${protocol}, round trip ${rtt} ms`);
      const goal = protocol === 'h2' ? COLD_GOALS.get(rtt) : undefined;
      const measured = await withReplay(workshop, { protocol, rtt }, (replay) => benchCold(workshop, replay, runs));
      const what = `cold, ${protocol}, ${rtt} ms`;
      const { theirs, ours } = measured;
      problems.push(...coldProblems(theirs, ours).map((problem) => `${what}: ${problem}`));
      cold.push({ protocol, rtt, ...comparison(what, sideOf(theirs), sideOf(ours), options.goals ? goal : undefined) });
    }
  }
  say(`warm, ${WARM_LINES} lines`);
  const warm = await withReplay(workshop, { protocol: 'h2', rtt: 0 }, (replay) =>
    benchWarm(workshop, replay, options, problems),
  );
  for (const { what, ratio, goal } of [...cold, ...warm]) {
    if (goal !== undefined && ratio > goal) problems.push(`${what}: ratio ${ratio.toFixed(2)}, want at most ${goal}`);
  }
  return { node: process.version, runs, cold, warm, problems };
}

/** Both sides in turn; who begins changes. One run of each goes before, and is not counted: disks and memory get warm. */
async function benchCold(workshop: Workshop, replay: Replay, runs: number): Promise<{ theirs: Sample[]; ours: Sample[] }> {
  const theirs: Sample[] = [];
  const ours: Sample[] = [];
  const runTheirs = async (): Promise<void> => {
    const run = await timed(workshop, workshop.program('gosumcheck'), ['-u', replay.url, GO_SUM]);
    theirs.push({ run, counts: await replay.take() });
  };
  const runOurs = async (): Promise<void> => {
    const cache = path.join(workshop.folder, `cold-${crypto.randomUUID()}`, 'cache.db');
    const run = await timed(workshop, process.execPath, [BIN, 'verify', '--cache', cache, GO_SUM], settingsFor(replay));
    ours.push({ run, counts: await replay.take() });
  };
  for (let i = 0; i <= runs; i++) {
    for (const runSide of i % 2 === 0 ? [runTheirs, runOurs] : [runOurs, runTheirs]) await runSide();
  }
  return { theirs: theirs.slice(1), ours: ours.slice(1) };
}

/**
 * A warm verification and `--version`, each against a Node that does nothing.
 *
 * Nothing is asked, so no certificate is needed. With NODE_EXTRA_CA_CERTS Node itself takes longer to start, which makes
 * our part smaller: both are shown.
 */
async function benchWarm(
  workshop: Workshop,
  replay: Replay,
  { runs, goals }: VerifyBenchOptions,
  problems: string[],
): Promise<Comparison[]> {
  const goSum = await cutGoSum(workshop, WARM_LINES);
  const verify = [BIN, 'verify', '--cache', path.join(workshop.folder, 'warm', 'cache.db'), goSum];
  const plain = settingsFor(replay);
  const withRoots = { ...plain, NODE_EXTRA_CA_CERTS: workshop.cert };
  const filling = await timed(workshop, process.execPath, verify, plain);
  if (filling.exitCode !== 0) problems.push(`warm: the run that fills the cache failed: ${filling.stderr}${filling.stdout}`);
  await replay.take();

  const programs = {
    nothing: { args: ['-e', '0'], env: plain },
    verify: { args: verify, env: plain },
    version: { args: [BIN, '--version'], env: plain },
    nothingWithRoots: { args: ['-e', '0'], env: withRoots },
    verifyWithRoots: { args: verify, env: withRoots },
  } as const;
  const names = Object.keys(programs) as (keyof typeof programs)[];
  const samples = new Map<keyof typeof programs, Sample[]>(names.map((name) => [name, []]));
  for (let i = 0; i < runs * WARM_FACTOR; i++) {
    for (const name of names) {
      const { args, env } = programs[name];
      const run = await timed(workshop, process.execPath, args, env);
      const counts = await replay.take();
      samples.get(name)?.push({ run, counts });
      if (run.exitCode !== 0) problems.push(`warm, ${name}: exit code ${run.exitCode}: ${run.stderr}${run.stdout}`);
      if (counts.requests + counts.connections > 0) problems.push(`warm, ${name}: ${counts.requests} requests`);
    }
  }
  const side = (name: keyof typeof programs): Side => sideOf(samples.get(name) ?? []);
  const goal = goals ? WARM_GOAL : undefined;
  return [
    comparison(`warm, ${WARM_LINES} lines`, side('nothing'), side('verify'), goal),
    comparison(`  NODE_EXTRA_CA_CERTS`, side('nothingWithRoots'), side('verifyWithRoots'), goal),
    comparison('--version', side('nothing'), side('version'), goals ? VERSION_GOAL : undefined),
  ];
}

/** The log's URL by GOSUMDB, as x/mod's gosumcheck has it by -u: neither asks a proxy whether it passes the log on. */
function settingsFor(replay: Replay): NodeJS.ProcessEnv {
  return { GOSUMDB: `sum.golang.org ${replay.url}` };
}

/** What is wrong with runs, apart from their times. */
function coldProblems(theirs: readonly Sample[], ours: readonly Sample[]): string[] {
  const problems: string[] = [];
  for (const { run, counts } of [...theirs, ...ours]) {
    if (counts.unanswered.length > 0) problems.push(`not in the recording: ${counts.unanswered.join(' ')}`);
    if (counts.lookups !== MODULE_VERSIONS) problems.push(`${counts.lookups} lookups, want ${MODULE_VERSIONS}`);
    if (run.exitCode !== 0) problems.push(`exit code ${run.exitCode}: ${run.stderr}${run.stdout}`);
  }
  for (const { run } of theirs) {
    // it always ends with 0, and says something only of what it finds
    if (run.stdout + run.stderr !== '') problems.push(`x/mod's gosumcheck: ${run.stdout}${run.stderr}`);
  }
  // theirs varies: it goes through the heads of the lookups in the order of their coming
  const most = median(theirs.map(({ counts }) => counts.requests));
  for (const { counts } of ours) {
    if (counts.latest !== 1) problems.push(`${counts.latest} requests for the newest head, want 1`);
    if (counts.requests > most + 1) problems.push(`${counts.requests} requests, want at most ${most} and one head`);
    if (counts.connections > MAX_CONNECTIONS) problems.push(`${counts.connections} connections, want at most ${MAX_CONNECTIONS}`);
  }
  return problems;
}

function sideOf(samples: readonly Sample[]): Side {
  const of = (value: (sample: Sample) => number): number => median(samples.map(value));
  return {
    ms: of(({ run }) => run.ms),
    cpuMs: of(({ run }) => run.cpuMs),
    requests: of(({ counts }) => counts.requests),
    connections: of(({ counts }) => counts.connections),
    samples: samples.map(({ run }) => run.ms),
  };
}

function comparison(what: string, theirs: Side, ours: Side, goal: number | undefined): Comparison {
  return { what, theirs, ours, ratio: ours.ms / theirs.ms, ...(goal === undefined ? {} : { goal }) };
}
