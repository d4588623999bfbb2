/**
 * `gosumcheck serve` beside x/mod's `sumdb.NewServer`, which has the same log in memory, and nginx, which has it as files:
 * the same URLs by the thousand, loaded by wrk in turn.
 *
 * A ratio is of rates: ours to theirs, more than 1 where ours answers more. The machine is shared by the server and wrk, so
 * that no rate says anything by itself.
 */

import { availableParallelism } from 'node:os';
import path from 'node:path';
import { serveLog } from '../src/testing/index.js';
import { median } from './measure.js';
import { makeServeLog, type ServeLog } from './servelog.js';
import { startNginx, startOurs, startTheirs, type Measured } from './servers.js';
import type { Workshop } from './workshop.js';
import { isThere, newLoader, type Load, type Loader } from './wrk.js';

/** How much is measured. */
export interface ServeBenchOptions {
  /** Runs of each side. */
  readonly runs: number;
  /** A small log, a second each, and no goals. */
  readonly quick: boolean;
  /** Told what goes on. */
  readonly say: (text: string) => void;
}

/** What was measured of one side: medians. */
export interface ServeSide {
  readonly perSecond: number;
  /** Milliseconds, within which half and 99 of 100 answers came. */
  readonly p50: number;
  readonly p99: number;
  /** The processor's time for an answer, in microseconds; NaN where the system does not say it, or it is of several processes. */
  readonly cpuUs: number;
  /** The rates of all runs. */
  readonly samples: readonly number[];
}

/** The servers under one load, in turn. */
export interface ServeComparison {
  readonly what: string;
  readonly theirs: ServeSide;
  readonly ours: ServeSide;
  /** Absent where there is no nginx, or nothing to compare with it. */
  readonly nginx?: ServeSide;
  /** Our rate to theirs, and our p99 to theirs. */
  readonly ratio: number;
  readonly p99Ratio: number;
  /** The least rate and the most p99, as ratios; absent where they are only shown. */
  readonly goal?: number;
  readonly p99Goal?: number;
}

/** What is resident after a number of requests, and after more: MB of 1e6 bytes. */
export interface Growth {
  readonly requests: readonly [number, number];
  readonly resident: readonly [number, number];
  readonly ratio: number;
  readonly goal: number;
}

/** All that was measured. */
export interface ServeBench {
  readonly node: string;
  readonly processors: number;
  readonly runs: number;
  readonly tiles: number;
  readonly lookups: number;
  /** URLs to which all servers gave the same bytes. */
  readonly compared: number;
  readonly comparisons: readonly ServeComparison[];
  readonly growth?: Growth;
  /** What could not be measured here. */
  readonly skipped: readonly string[];
  /** What must not be: other bytes, a failed request, a goal missed. */
  readonly problems: readonly string[];
}

const GOALS = { tiles: 1.3, lookups: 1, cold: 0.8, p99: 1 } as const;
const GROWTH_GOAL = 1.1;
const GROWTH_AT = [200_000, 1_000_000] as const;
/** Records: 2,048 full tiles of level 0, and as many modules to look up. */
export const LOOKUP_LOG_SIZE: number = 2 ** 19;
const QUICK_SIZE = 20_000;
const SECONDS = 4;
/** A mirror that has next to nothing in memory: each tile comes from its data file, and its digest is checked. */
const COLD = ['--memory', '64KiB'];
/** URLs that are compared byte by byte; all are asked for once. */
const SAMPLE = 500;

interface Servers {
  readonly ours: Measured;
  readonly theirs: Measured;
  readonly nginx: Measured | undefined;
}

/** Measures it all. */
export async function benchServe(workshop: Workshop, { runs, quick, say }: ServeBenchOptions): Promise<ServeBench> {
  const skipped: string[] = [];
  const skip = (text: string): void => {
    say(text);
    if (text.startsWith('NOT MEASURED')) skipped.push(text);
  };
  const [hasWrk, hasNginx] = [await isThere('wrk', workshop, skip), await isThere('nginx', workshop, skip)];
  say('making a log');
  const log = await makeServeLog(path.join(workshop.folder, 'log'), quick ? QUICK_SIZE : LOOKUP_LOG_SIZE);
  const all = [...log.tiles, ...log.lookups];
  const upstream = await serveLog(log.log);
  const data = path.join(workshop.folder, 'mirror.db');
  const running: Measured[] = [];
  const started = async (server: Promise<Measured>): Promise<Measured> => {
    running.push(await server);
    return server;
  };
  try {
    const ours = await started(startOurs(workshop, log, upstream.url, data));
    const servers: Servers = {
      ours,
      theirs: await started(startTheirs(workshop, log)),
      nginx: hasNginx ? await started(startNginx(workshop, log)) : undefined,
    };
    say(`filling the mirror: ${all.length} URLs`);
    const problems = await fill(ours, all);
    const sample = all.filter((_, i) => i % Math.ceil(all.length / SAMPLE) === 0).concat('/latest');
    problems.push(...(await compare(servers, sample)));
    const measured = { node: process.version, processors: availableParallelism(), runs, tiles: log.tiles.length, lookups: log.lookups.length };
    if (!hasWrk || problems.length > 0) return { ...measured, compared: sample.length, comparisons: [], skipped, problems };

    // x/mod's server takes all processors that there are: what is to be reached is of a mirror that does so, too
    const processes = availableParallelism();
    const options = { runs, seconds: quick ? 1 : SECONDS, goals: !quick && processes === 1, say, problems };
    const tiles = await newLoader(workshop, 'tiles', log.tiles);
    const lookups = await newLoader(workshop, 'lookups', log.lookups);
    const cold = await started(startOurs(workshop, log, upstream.url, data, COLD));
    const comparisons = [
      await compareUnder(tiles, 'tiles, from memory', servers, GOALS.tiles, options),
      await compareUnder(lookups, 'lookups, from memory', servers, GOALS.lookups, options),
      await compareUnder(tiles, 'tiles, from SQLite', { ...servers, ours: cold }, GOALS.cold, options),
    ];
    if (processes > 1) {
      const workers = ['--workers', 'auto'];
      const many = await started(startOurs(workshop, log, upstream.url, data, workers));
      const manyCold = await started(startOurs(workshop, log, upstream.url, data, [...workers, ...COLD]));
      const asked = { ...options, goals: !quick };
      comparisons.push(
        await compareUnder(tiles, `tiles, from memory, ${processes} workers`, { ...servers, ours: many }, GOALS.tiles, asked),
        await compareUnder(lookups, `lookups, from memory, ${processes} workers`, { ...servers, ours: many }, GOALS.lookups, asked),
        await compareUnder(tiles, `tiles, from SQLite, ${processes} workers`, { ...servers, ours: manyCold }, GOALS.cold, asked),
      );
    }
    const mixed = await newLoader(workshop, 'all', all);
    const growth = quick ? undefined : await grow(workshop, log, upstream.url, data, mixed, say);
    if (growth !== undefined && growth.ratio > growth.goal) problems.push(`memory grows: ${growth.ratio.toFixed(2)}, want at most ${growth.goal}`);
    return { ...measured, compared: sample.length, comparisons, ...(growth === undefined ? {} : { growth }), skipped, problems };
  } finally {
    for (const server of running) await server.end();
    await upstream.close();
  }
}

/** Asks for each path once, some at a time; what is not answered with 200. */
export async function fill({ url }: Measured, paths: readonly string[]): Promise<string[]> {
  const problems: string[] = [];
  const left = paths.values();
  const worker = async (): Promise<void> => {
    for (const path of left) {
      const answer = await fetch(url + path);
      if (answer.status !== 200) problems.push(`${path}: ${answer.status} ${await answer.text()}`);
      else await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return problems;
}

/** Compares what the servers answer, byte by byte. */
async function compare({ ours, theirs, nginx }: Servers, paths: readonly string[]): Promise<string[]> {
  const problems: string[] = [];
  const bytesOf = async ({ url }: Measured, path: string): Promise<Buffer> => Buffer.from(await (await fetch(url + path)).arrayBuffer());
  for (const path of paths) {
    const own = await bytesOf(ours, path);
    if (!own.equals(await bytesOf(theirs, path))) problems.push(`${path}: not the bytes of x/mod's server`);
    if (nginx !== undefined && !own.equals(await bytesOf(nginx, path))) problems.push(`${path}: not the bytes of the file`);
  }
  return problems;
}

interface Turns {
  readonly runs: number;
  readonly seconds: number;
  readonly goals: boolean;
  readonly say: (text: string) => void;
  readonly problems: string[];
}

/** All servers in turn; who begins changes. One run of each goes before, and is not counted. */
async function compareUnder(
  load: Loader,
  what: string,
  { ours, theirs, nginx }: Servers,
  goal: number,
  { runs, seconds, goals, say, problems }: Turns,
): Promise<ServeComparison> {
  say(what);
  const sides = [ours, theirs, ...(nginx === undefined ? [] : [nginx])].map((server) => ({ server, loads: [] as Sample[] }));
  for (let i = 0; i <= runs; i++) {
    for (const { server, loads } of i % 2 === 0 ? sides : sides.toReversed()) {
      const before = server.cpuMs() ?? NaN;
      const loaded = await load(server.url, i === 0 ? 1 : seconds);
      const cpuUs = (((server.cpuMs() ?? NaN) - before) * 1000) / loaded.requests;
      if (loaded.errors > 0) problems.push(`${what}: ${loaded.errors} requests failed`);
      if (i > 0) loads.push({ ...loaded, cpuUs });
    }
  }
  const [own, other, files] = sides.map(({ loads }) => sideOf(loads));
  if (own === undefined || other === undefined) throw new Error('two sides at least');
  const ratio = own.perSecond / other.perSecond;
  const p99Ratio = own.p99 / other.p99;
  if (goals && ratio < goal) problems.push(`${what}: ratio ${ratio.toFixed(2)}, want at least ${goal}`);
  if (goals && p99Ratio > GOALS.p99) problems.push(`${what}: p99 ${p99Ratio.toFixed(2)} times theirs, want at most ${GOALS.p99}`);
  return {
    what,
    theirs: other,
    ours: own,
    ...(files === undefined ? {} : { nginx: files }),
    ratio,
    p99Ratio,
    ...(goals ? { goal, p99Goal: GOALS.p99 } : {}),
  };
}

interface Sample extends Load {
  readonly cpuUs: number;
}

function sideOf(loads: readonly Sample[]): ServeSide {
  const of = (value: (load: Sample) => number): number => median(loads.map(value));
  return {
    perSecond: of(({ perSecond }) => perSecond),
    p50: of(({ p50 }) => p50),
    p99: of(({ p99 }) => p99),
    cpuUs: of(({ cpuUs }) => cpuUs),
    samples: loads.map(({ perSecond }) => perSecond),
  };
}

/** What a mirror of its own has in memory after so many requests, and after many more. */
async function grow(workshop: Workshop, log: ServeLog, upstream: string, data: string, load: Loader, say: (text: string) => void): Promise<Growth | undefined> {
  say(`memory, after ${GROWTH_AT.join(' and ')} requests`);
  const server = await startOurs(workshop, log, upstream, data);
  try {
    const resident: number[] = [];
    let requests = 0;
    for (const until of GROWTH_AT) {
      while (requests < until) requests += (await load(server.url, 1)).requests;
      resident.push(server.resident() ?? NaN);
    }
    const [first = NaN, last = NaN] = resident.map((bytes) => bytes / 1e6);
    if (Number.isNaN(first)) {
      say('NOT MEASURED: the system does not say what is resident');
      return undefined;
    }
    return { requests: GROWTH_AT, resident: [first, last], ratio: last / first, goal: GROWTH_GOAL };
  } finally {
    await server.end();
  }
}
