/**
 * `gosumcheck verify` against `gosumcheck serve`, which takes bulk queries, beside x/mod's gosumcheck against x/mod's
 * `sumdb.NewServer`: the same log and go.sum, nothing kept by the client, in turn, whole processes.
 *
 * Both go through bench/go/relay, which charges round trips and counts them.
 */

import { availableParallelism } from 'node:os';
import path from 'node:path';
import { serveLog } from '../src/testing/index.js';
import { hashShares, makeBulkLog, type BulkLog, type HashShare } from './bulklog.js';
import { withCounting } from './counting.js';
import { median, timed, type Run } from './measure.js';
import { freePort, startOurs } from './servers.js';
import { BIN, type Workshop } from './workshop.js';

/** How much is measured. */
export interface BulkBenchOptions {
  /** Runs of each side. */
  readonly runs: number;
  /** A small log and go.sum, and no goals. */
  readonly quick: boolean;
  /** Told what goes on. */
  readonly say: (text: string) => void;
}

/** What was measured of one side: medians. */
export interface BulkSide {
  readonly ms: number;
  readonly cpuMs: number;
  readonly requests: number;
  readonly connections: number;
  /**
   * Round trips that waited for each other, without those of the first connection and its TLS handshake. Absent where none
   * is charged: then every frame of HTTP/2 that goes back and forth would look like one.
   */
  readonly trips?: number;
  /** The times of all runs. */
  readonly samples: readonly number[];
}

/** Two sides, measured in turn. */
export interface BulkComparison {
  readonly what: string;
  /** Round trip that is charged, in milliseconds. */
  readonly rtt: number;
  readonly theirs: BulkSide;
  readonly ours: BulkSide;
  /** Their median time to ours: above 1, ours takes less. */
  readonly speed: number;
  /** The least speed and the most round trips; absent where they are only shown. */
  readonly goal?: { readonly speed: number; readonly trips: number };
}

/** All that was measured. */
export interface BulkBench {
  readonly node: string;
  readonly processors: number;
  readonly runs: number;
  readonly records: number;
  readonly modules: number;
  readonly comparisons: readonly BulkComparison[];
  /** The hashes of bulk answers in a log of sum.golang.org's size. */
  readonly hashes: { readonly size: number; readonly shares: readonly HashShare[] };
  /** What must not be: a failed run, no bulk query, a goal missed. */
  readonly problems: readonly string[];
}

const SIZE = 2 ** 19;
const QUICK_SIZE = 20_000;
const MODULES = 1000;
const QUICK_MODULES = 50;
const RTTS = [0, 100];
const GOAL_RTT = 100;
const GOAL = { speed: 2.5, trips: 4 } as const;
/** The connection, and its TLS handshake. */
const CONNECTING = 2;

/** Where ours finds the log: the mirror as the database itself, or as a module proxy. */
const LAYOUTS = ['URL', 'GOPROXY'] as const;
type Layout = (typeof LAYOUTS)[number];

/** What the relay counts, and what a server does. */
interface Wire {
  readonly connections: number;
  readonly trips: number;
}
interface Asked {
  readonly requests: number;
}

interface Sample extends Wire, Asked {
  readonly run: Run;
}

/** A server, and a relay before it. */
interface Far {
  readonly url: string;
  readonly take: () => Promise<Wire & Asked>;
}

/** Measures it all. */
export async function benchBulk(workshop: Workshop, { runs, quick, say }: BulkBenchOptions): Promise<BulkBench> {
  say('making a log');
  const modules = quick ? QUICK_MODULES : MODULES;
  const log = await makeBulkLog(workshop.folder, quick ? QUICK_SIZE : SIZE, modules);
  const problems: string[] = [];
  const comparisons: BulkComparison[] = [];
  await withTheirs(workshop, log, (theirs) =>
    withOurs(workshop, log, say, async (ours) => {
      for (const rtt of RTTS) {
        say(`round trip ${rtt} ms`);
        const samples = await inTurn(workshop, log, { theirs, ours, rtt, runs });
        const other = sideOf(samples.theirs, rtt);
        for (const layout of LAYOUTS) {
          const what = `${layout}, ${rtt} ms`;
          problems.push(...problemsOf(samples.theirs, samples[layout], modules).map((problem) => `${what}: ${problem}`));
          const own = sideOf(samples[layout], rtt);
          const goal = !quick && rtt === GOAL_RTT ? GOAL : undefined;
          comparisons.push({ what, rtt, theirs: other, ours: own, speed: other.ms / own.ms, ...(goal === undefined ? {} : { goal }) });
        }
      }
    }),
  );
  for (const { what, ours, speed, goal } of comparisons) {
    if (goal !== undefined && speed < goal.speed) problems.push(`${what}: speed ${speed.toFixed(2)}, want at least ${goal.speed}`);
    if (goal !== undefined && !((ours.trips ?? NaN) <= goal.trips)) problems.push(`${what}: ${ours.trips ?? 'no'} round trips, want at most ${goal.trips}`);
  }
  const hashes = hashShares();
  for (const { records, kilobytes, goal, isMet } of hashes.shares) {
    if (!isMet) problems.push(`hashes for ${records} records: ${kilobytes.toFixed(0)} KB, want ${goal}`);
  }
  return { node: process.version, processors: availableParallelism(), runs, records: log.log.size, modules, comparisons, hashes, problems };
}

/** A server that counts. */
interface Server {
  readonly url: string;
  /** Those that it answered since the last call. */
  readonly requests: () => Promise<number>;
}

/** x/mod's `sumdb.NewServer`, over HTTP/2. */
function withTheirs<T>(workshop: Workshop, { folder }: BulkLog, work: (server: Server) => Promise<T>): Promise<T> {
  return withCounting<Asked, T>(workshop, 'server', ['-cert', workshop.cert, '-key', workshop.key, folder], ({ at, take }) =>
    work({ url: at, requests: async () => (await take()).requests }),
  );
}

/** Our mirror, which has proved and kept all that is asked for; its upstream is gone by then. */
async function withOurs(
  workshop: Workshop,
  log: BulkLog,
  say: (text: string) => void,
  work: (server: Server) => Promise<void>,
): Promise<void> {
  const upstream = await serveLog(log.log);
  const metrics = `127.0.0.1:${await freePort()}`;
  const data = path.join(workshop.folder, 'bulk.db');
  const options = ['--tls-cert', workshop.cert, '--tls-key', workshop.key, '--metrics-listen', metrics, '--client-rate', '0', '--log-level', 'error'];
  const mirror = await startOurs(workshop, log, upstream.url, data, options);
  try {
    say('filling the mirror');
    const filling = await runOurs(workshop, log, mirror.url, 'GOPROXY');
    if (filling.exitCode !== 0) throw new Error(`the run that fills the mirror failed: ${filling.stderr}${filling.stdout}`);
    await upstream.close();
    let before = 0;
    const requests = async (): Promise<number> => {
      const all = requestsIn(await (await fetch(`http://${metrics}/metrics`)).text());
      const since = all - before;
      before = all;
      return since;
    };
    await requests();
    await work({ url: mirror.url, requests });
  } finally {
    await mirror.end();
    await upstream.close();
  }
}

/** The requests that a mirror's metrics tell of, but for those of its own pages. */
function requestsIn(metrics: string): number {
  let sum = 0;
  for (const [, count] of metrics.matchAll(/^gosumcheck_http_requests_total\{route="(?:supported|latest|lookup|tile|bulk)".*\} ([0-9]+)$/gm)) {
    sum += Number(count);
  }
  return sum;
}

function runTheirs(workshop: Workshop, { log, goSum }: BulkLog, url: string): Promise<Run> {
  return timed(workshop, workshop.program('gosumcheck'), ['-k', log.vkey, '-u', url, goSum]);
}

function runOurs(workshop: Workshop, { log, goSum }: BulkLog, url: string, layout: Layout): Promise<Run> {
  const cache = path.join(workshop.folder, `cold-${crypto.randomUUID()}`, 'cache.db');
  const sumdb = layout === 'URL' ? `${log.vkey} ${url}` : log.vkey;
  const args = [BIN, 'verify', '--quiet', '--sumdb', sumdb, '--cache', cache, goSum];
  return timed(workshop, process.execPath, args, layout === 'URL' ? {} : { GOPROXY: url });
}

interface Turns {
  readonly theirs: Server;
  readonly ours: Server;
  readonly rtt: number;
  readonly runs: number;
}

type Samples = Record<'theirs' | Layout, Sample[]>;

/** All sides in turn; who begins changes. One run of each goes before, and is not counted: disks and memory get warm. */
function inTurn(workshop: Workshop, log: BulkLog, { theirs, ours, rtt, runs }: Turns): Promise<Samples> {
  return withRelay(workshop, theirs, rtt, (theirFar) =>
    withRelay(workshop, ours, rtt, async (ourFar) => {
      const sides = [
        { name: 'theirs', far: theirFar, run: () => runTheirs(workshop, log, theirFar.url) },
        ...LAYOUTS.map((layout) => ({ name: layout, far: ourFar, run: () => runOurs(workshop, log, ourFar.url, layout) })),
      ] as const;
      const samples: Samples = { theirs: [], URL: [], GOPROXY: [] };
      for (let i = 0; i <= runs; i++) {
        for (const { name, far, run } of i % 2 === 0 ? sides : sides.toReversed()) {
          const sample = { run: await run(), ...(await far.take()) };
          if (i > 0) samples[name].push(sample);
        }
      }
      return samples;
    }),
  );
}

function withRelay<T>(workshop: Workshop, { url, requests }: Server, rtt: number, work: (far: Far) => Promise<T>): Promise<T> {
  return withCounting<Wire, T>(workshop, 'relay', ['-to', new URL(url).host, '-rtt', `${rtt}ms`], ({ at, take }) =>
    work({ url: `https://${at}`, take: async () => ({ ...(await take()), requests: await requests() }) }),
  );
}

/** What is wrong with runs, apart from their times. */
function problemsOf(theirs: readonly Sample[], ours: readonly Sample[], modules: number): string[] {
  const problems: string[] = [];
  for (const { run, requests } of theirs) {
    if (requests < modules) problems.push(`x/mod's gosumcheck: ${requests} requests for ${modules} module versions`);
    // it always ends with 0, and says something only of what it finds
    if (run.exitCode !== 0 || run.stdout + run.stderr !== '') problems.push(`x/mod's gosumcheck: ${run.stdout}${run.stderr}`);
  }
  for (const { run, requests } of ours) {
    if (requests >= modules) problems.push(`${requests} requests: not by bulk queries`);
    if (run.exitCode !== 0 || run.stderr !== '') problems.push(`exit code ${run.exitCode}: ${run.stderr}${run.stdout}`);
  }
  return problems;
}

function sideOf(samples: readonly Sample[], rtt: number): BulkSide {
  const of = (value: (sample: Sample) => number): number => median(samples.map(value));
  return {
    ms: of(({ run }) => run.ms),
    cpuMs: of(({ run }) => run.cpuMs),
    requests: of(({ requests }) => requests),
    connections: of(({ connections }) => connections),
    ...(rtt === 0 ? {} : { trips: of(({ trips }) => trips - CONNECTING) }),
    samples: samples.map(({ run }) => run.ms),
  };
}
