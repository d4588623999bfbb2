/** What `sync` measured, what of it misses a goal, and what it says of a log of the real one's size. */

/** What `sync` or `audit` took: medians, the most of the peak. */
export interface SyncWork {
  readonly ms: number;
  readonly cpuMs: number;
  readonly perSecond: number;
  /** Of the floor's rate; and the floor's processor time for a record to this one's. */
  readonly share: number;
  readonly cpuShare: number;
  /** The most memory at a time: MB of 1e6 bytes. NaN where the system does not say. */
  readonly peak: number;
  /** Milliseconds of all runs. */
  readonly samples: readonly number[];
}

/** One size of the log. */
export interface SyncSize {
  readonly records: number;
  /** Records a second that are only hashed; medians of the runs beside this size's. */
  readonly floor: number;
  readonly sync: SyncWork;
  readonly audit: SyncWork;
  /** On disk, all in. */
  readonly bytesPerRecord: number;
}

/** Lookups of the largest log. */
export interface ColdLookups {
  /** From the whole log, next to nothing in memory; and those of `serve`, from memory. Answers a second. */
  readonly cold: number;
  readonly memory: number;
  readonly ratio: number;
  /** Milliseconds, within which 99 of 100 answers came. */
  readonly p99: readonly [cold: number, memory: number];
}

/** A figure at a size that was not measured: what is measured grows by a power of the size, and goes on so. */
export interface Forecast {
  readonly what: string;
  readonly unit: string;
  readonly measured: readonly number[];
  /** The exponent between the measured sizes: 1 is linear. */
  readonly power: number;
  readonly expected: number;
}

/** All that was measured. */
export interface SyncBench {
  readonly node: string;
  readonly processors: number;
  readonly runs: number;
  readonly sizes: readonly SyncSize[];
  readonly lookups?: ColdLookups;
  readonly forecastSize: number;
  /** Empty where only small logs were measured. */
  readonly forecast: readonly Forecast[];
  /** Answers from the whole log that were the source's, byte for byte. */
  readonly compared: number;
  /** Whether there are goals. */
  readonly goals: boolean;
  readonly skipped: readonly string[];
  readonly problems: readonly string[];
}

/** The least shares, the most of all else. */
export const SYNC_GOALS = { sync: 0.25, audit: 0.4, bytes: 170, peak: 600, growth: 1.2, lookups: 0.4 } as const;
/** Records of sum.golang.org on 21 November 2026. */
export const REAL_SIZE = 71_769_961;

/** The goals that were missed. */
export function missedGoals(sizes: readonly SyncSize[], lookups: ColdLookups | undefined): string[] {
  const missed: string[] = [];
  const least = (what: string, value: number, goal: number): void => {
    if (value < goal) missed.push(`${what}: ${value.toFixed(2)}, want at least ${goal}`);
  };
  const atMost = (what: string, value: number, goal: number): void => {
    if (value > goal) missed.push(`${what}: ${value.toFixed(2)}, want at most ${goal}`);
  };
  for (const { records, sync, audit, bytesPerRecord } of sizes) {
    least(`sync of ${records}, share of the floor`, sync.share, SYNC_GOALS.sync);
    least(`audit of ${records}, share of the floor`, audit.share, SYNC_GOALS.audit);
    atMost(`bytes on disk a record, of ${records}`, bytesPerRecord, SYNC_GOALS.bytes);
    atMost(`MB at the peak of sync, ${records}`, sync.peak, SYNC_GOALS.peak);
    atMost(`MB at the peak of audit, ${records}`, audit.peak, SYNC_GOALS.peak);
  }
  const [first, last] = [sizes[0], sizes.at(-1)];
  if (first !== undefined && last !== undefined) {
    atMost('growth of memory of sync', last.sync.peak / first.sync.peak, SYNC_GOALS.growth);
    atMost('growth of memory of audit', last.audit.peak / first.audit.peak, SYNC_GOALS.growth);
  }
  if (lookups !== undefined) least('lookups from the whole log to those from memory', lookups.ratio, SYNC_GOALS.lookups);
  return missed;
}

/** What the real log would take, if what was measured goes on growing as it grew from the first size to the last. */
export function forecasts(sizes: readonly SyncSize[]): Forecast[] {
  const [first, last] = [sizes[0], sizes.at(-1)];
  if (first === undefined || last === undefined) return [];
  const of = (what: string, unit: string, value: (size: SyncSize) => number): Forecast => {
    const power = Math.log(value(last) / value(first)) / Math.log(last.records / first.records);
    return { what, unit, measured: sizes.map(value), power, expected: value(last) * (REAL_SIZE / last.records) ** power };
  };
  return [
    of('sync', 'min', ({ sync }) => sync.ms / 60_000),
    of('audit', 'min', ({ audit }) => audit.ms / 60_000),
    of('disk', 'GB', ({ bytesPerRecord, records }) => (bytesPerRecord * records) / 1e9),
    of('peak of sync', 'MB', ({ sync }) => sync.peak),
    of('peak of audit', 'MB', ({ audit }) => audit.peak),
  ];
}
