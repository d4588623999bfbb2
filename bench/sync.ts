/**
 * `gosumcheck sync` and `audit` of a made-up log of millions of records, beside the rate at which one thread only hashes the
 * same records in memory; what is on disk and in memory; and lookups from the whole log, beside those from memory.
 *
 * A share is of rates: 1 where reading, proving, keeping and indexing a log took no longer than hashing it.
 */

import { createReadStream } from 'node:fs';
import { stat, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { serveLog } from '../src/testing/index.js';
import { median, timed, type Run } from './measure.js';
import { fill, LOOKUP_LOG_SIZE } from './serve.js';
import { makeServeLog } from './servelog.js';
import { startOurs, type Measured } from './servers.js';
import type { Floor } from './syncfloor.js';
import { forecasts, missedGoals, REAL_SIZE, type ColdLookups, type SyncBench, type SyncSize, type SyncWork } from './syncresult.js';
import { randomLookups, randomTiles, serveScaleLog, tilesFolder, type ServedScaleLog } from './synclog.js';
import { BIN, ROOT, type Workshop } from './workshop.js';
import { isThere, newLoader, type Load } from './wrk.js';

/** How much is measured. */
export interface SyncBenchOptions {
  readonly runs: number;
  /** Small logs, and no goals. */
  readonly quick: boolean;
  readonly say: (text: string) => void;
}

const SIZES = [1_000_000, 5_000_000];
const QUICK_SIZES = [20_000, 60_000];
/** Records that the floor hashes, at most. */
const FLOOR_SIZE = 1_000_000;
const LOOKUPS = 40_000;
const SECONDS = 4;
/** Mirrors that take every processor, as `bench serve` asks of them; and one that has next to nothing in memory. */
const MANY = ['--workers', 'auto'];
const COLD = [...MANY, '--memory', '64KiB'];

/** Measures it all. */
export async function benchSync(workshop: Workshop, { runs, quick, say }: SyncBenchOptions): Promise<SyncBench> {
  const problems: string[] = [];
  const skipped: string[] = [];
  const sizes = quick ? QUICK_SIZES : SIZES;
  const most = Math.max(...sizes);
  const measured: SyncSize[] = [];
  let [lookups, compared]: [ColdLookups | undefined, number] = [undefined, 0];
  for (const records of sizes) {
    say(`making and serving a log of ${records} records`);
    const log = await serveScaleLog(workshop, most, records);
    const data = path.join(workshop.folder, `whole-${records}.db`);
    try {
      measured.push(await measureSize({ workshop, log, data, records, runs, say, problems }));
      compared += await compare(workshop, log, data, records, problems);
      if (records === most && problems.length === 0) {
        lookups = await measureLookups({ workshop, log, data, records, runs, say, problems }, quick, skipped);
      }
    } finally {
      await log.end();
      await removeData(data);
    }
  }
  const result = { node: process.version, processors: availableParallelism(), runs, sizes: measured, compared, goals: !quick, skipped };
  if (!quick) problems.push(...missedGoals(measured, lookups));
  const forecast = quick ? [] : forecasts(measured);
  return { ...result, ...(lookups === undefined ? {} : { lookups }), forecastSize: REAL_SIZE, forecast, problems };
}

interface SizeWork {
  readonly workshop: Workshop;
  readonly log: ServedScaleLog;
  /** The data file; the last run's stays. */
  readonly data: string;
  readonly records: number;
  readonly runs: number;
  readonly say: (text: string) => void;
  readonly problems: string[];
}

/** Floor, sync and audit in turn. */
async function measureSize({ workshop, log, data, records, runs, say, problems }: SizeWork): Promise<SyncSize> {
  const floors: Floor[] = [];
  const syncs: Run[] = [];
  const audits: Run[] = [];
  let bytes = 0;
  const run = async (what: string, args: readonly string[]): Promise<Run> => {
    const done = await timed(workshop, process.execPath, [BIN, ...args]);
    if (done.exitCode !== 0) problems.push(`${what}: exit code ${done.exitCode}: ${done.stderr}${done.stdout}`);
    return done;
  };
  for (let i = 0; i < runs && problems.length === 0; i++) {
    say(`${records} records, run ${i + 1} of ${runs}`);
    await removeData(data);
    floors.push(await floorOf(workshop, Math.min(records, FLOOR_SIZE)));
    syncs.push(await run('sync', ['sync', '--once', '--quiet', '--data', data, '--sumdb', log.sumdb]));
    bytes = await sizeOf(data);
    const audit = await run('audit', ['audit', '--format', 'json', '--no-progress', '--data', data]);
    audits.push(audit);
    const proved = auditedRecords(audit);
    if (proved !== records) problems.push(`audit: ${proved} of ${records} records proved and found by name`);
  }
  const floor = median(floors.map(({ records, ms }) => (records * 1000) / ms));
  const floorCpu = median(floors.map(({ records, cpuMs }) => cpuMs / records));
  const workOf = (done: readonly Run[]): SyncWork => {
    const ms = median(done.map(({ ms }) => ms));
    const cpuMs = median(done.map(({ cpuMs }) => cpuMs));
    const perSecond = (records * 1000) / ms;
    const peak = Math.max(...done.map(({ peak }) => peak)) / 1e6 || NaN;
    return { ms, cpuMs, perSecond, share: perSecond / floor, cpuShare: (floorCpu * records) / cpuMs, peak, samples: done.map(({ ms }) => ms) };
  };
  return { records, floor, sync: workOf(syncs), audit: workOf(audits), bytesPerRecord: bytes / records };
}

/** How many records an audit has proved and found in the index. */
function auditedRecords({ stdout }: Run): number {
  interface Audited {
    readonly databases: readonly { readonly log?: { readonly records: number; readonly indexed: number } }[];
  }
  const log = stdout === '' ? undefined : (JSON.parse(stdout) as Audited).databases[0]?.log;
  return Math.min(log?.records ?? 0, log?.indexed ?? 0);
}

async function floorOf(workshop: Workshop, records: number): Promise<Floor> {
  const program = path.join(ROOT, 'dist', 'bench', 'syncfloor.js');
  const { exitCode, stdout, stderr } = await timed(workshop, process.execPath, [program, tilesFolder(workshop), String(records)]);
  if (exitCode !== 0) throw new Error(`the floor: exit code ${exitCode}: ${stderr}`);
  return JSON.parse(stdout) as Floor;
}

/** Compares answers from the data file alone with the log's own. Gives how many. */
async function compare(workshop: Workshop, log: ServedScaleLog, data: string, records: number, problems: string[]): Promise<number> {
  if (problems.length > 0) return 0;
  const server = await startOurs(workshop, { log: keyOf(log) }, 'http://127.0.0.1:9', data);
  const bytesOf = async (url: string): Promise<Buffer> => Buffer.from(await (await fetch(url)).arrayBuffer());
  try {
    const paths = ['/latest', ...randomLookups(records, 100), ...randomTiles(records, 100)];
    for (const each of paths) {
      if (!(await bytesOf(server.url + each)).equals(await bytesOf(log.url + each))) problems.push(`${each}: not the bytes of the log`);
    }
    return paths.length;
  } finally {
    await server.end();
  }
}

/** Lookups from the whole log beside those that `serve` is measured with, in turn. */
async function measureLookups({ workshop, log, data, records, runs, say, problems }: SizeWork, quick: boolean, skipped: string[]): Promise<ColdLookups | undefined> {
  const skip = (text: string): void => {
    say(text);
    if (text.startsWith('NOT MEASURED')) skipped.push(text);
  };
  if (!(await isThere('wrk', workshop, skip))) return undefined;
  say('lookups from the whole log, and from memory');
  const small = await makeServeLog(path.join(workshop.folder, 'log'), quick ? 20_000 : LOOKUP_LOG_SIZE);
  const upstream = await serveLog(small.log);
  const running: Measured[] = [];
  const started = async (server: Promise<Measured>): Promise<Measured> => {
    running.push(await server);
    return server;
  };
  try {
    const memory = await started(startOurs(workshop, small, upstream.url, path.join(workshop.folder, 'memory.db'), MANY));
    problems.push(...(await fill(memory, small.lookups)));
    const cold = await started(startOurs(workshop, { log: keyOf(log) }, log.url, data, COLD));
    const sides = [
      { server: cold, load: await newLoader(workshop, 'whole', randomLookups(records, quick ? 1000 : LOOKUPS)), loads: [] as Load[] },
      { server: memory, load: await newLoader(workshop, 'memory', small.lookups), loads: [] as Load[] },
    ];
    for (let i = 0; i <= runs; i++) {
      for (const { server, load, loads } of i % 2 === 0 ? sides : sides.toReversed()) {
        if (server === cold) await readThrough(data);
        const loaded = await load(server.url, i === 0 || quick ? 1 : SECONDS);
        if (loaded.errors > 0) problems.push(`lookups: ${loaded.errors} requests failed`);
        if (i > 0) loads.push(loaded);
      }
    }
    const [rates, p99s] = [sides.map(({ loads }) => median(loads.map(({ perSecond }) => perSecond))), sides.map(({ loads }) => median(loads.map(({ p99 }) => p99)))];
    const [ofCold = NaN, ofMemory = NaN] = rates;
    const [p99Cold = NaN, p99Memory = NaN] = p99s;
    return { cold: ofCold, memory: ofMemory, ratio: ofCold / ofMemory, p99: [p99Cold, p99Memory] };
  } finally {
    for (const server of running) await server.end();
    await upstream.close();
  }
}

/** Has the system read a file, so that it is in its cache: some systems let go of what is not used for a minute. */
async function readThrough(file: string): Promise<void> {
  await finished(createReadStream(file, { highWaterMark: 2 ** 20 }).resume());
}

/** A data file and what SQLite has beside it. */
function filesOf(data: string): string[] {
  return ['', '-wal', '-shm', '-journal'].map((suffix) => data + suffix);
}

async function sizeOf(data: string): Promise<number> {
  let bytes = 0;
  for (const file of filesOf(data)) bytes += await stat(file).then(({ size }) => size, () => 0);
  return bytes;
}

async function removeData(data: string): Promise<void> {
  for (const file of filesOf(data)) await rm(file, { force: true });
}

function keyOf({ sumdb }: ServedScaleLog): { readonly vkey: string } {
  return { vkey: sumdb.split(' ')[0] ?? '' };
}
