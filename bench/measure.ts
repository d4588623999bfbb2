/** Whole processes, timed, and what is made of their times. */

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { finish, type Finished, type Workshop } from './workshop.js';

/** A process that was run. */
export interface Run extends Finished {
  /** From its start to its end. */
  readonly ms: number;
  /** The processor's time in it. */
  readonly cpuMs: number;
  /** The most memory that it had, resident, in bytes; 0 where the system does not say. */
  readonly peak: number;
}

/** Runs a process and times it, by bench/go/clock. */
export async function timed(
  workshop: Workshop,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Run> {
  const times = path.join(workshop.folder, `times-${crypto.randomUUID()}.json`);
  const options = { env: { ...workshop.env, ...env }, cwd: workshop.folder, signal: workshop.signal };
  const finished = await finish(workshop.program('clock'), [times, command, ...args], options);
  return { ...finished, ...(JSON.parse(await readFile(times, 'utf8')) as Pick<Run, 'ms' | 'cpuMs' | 'peak'>) };
}

/** The middle one of some numbers; of an even count, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const [low = NaN, high = NaN] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return (low + high) / 2;
}
