/** Hashes one path after the other, or several at a time in threads, and tells what came of each in their order. */

import { availableParallelism } from 'node:os';
import type { ModuleVersion } from '../core/module.js';
import { contentSize } from '../dirhash/contentsize.js';
import { HERE, openHashPool, type HashPool, type Hasher } from '../dirhash/pool.js';
import { isGosumError, type GosumError } from '../errors.js';
import { createProgress } from '../report/progress.js';
import { hashInput, inputOf, pathOf, type Hashed, type HashInput, type InputKind } from './hashinput.js';
import { showsProgress, type Host } from './host.js';

/** A path to hash. */
export interface Task {
  readonly name: string;
  /** The h1 that it should have, where one is known. */
  readonly expected?: string;
}

/** What came of a path: a hash, or an error. */
export interface Outcome extends Task {
  /** `undefined` where that could not be found out. */
  readonly kind?: InputKind | undefined;
  readonly hashed?: Hashed | undefined;
  readonly error?: GosumError | undefined;
}

/** How it is done. */
export interface EachOptions {
  readonly threads?: number | undefined;
  /** Whether a progress line is wanted. */
  readonly progress: boolean;
  readonly quiet?: boolean | undefined;
}

const MIB = 2 ** 20;
/** Bytes of content that are worth a thread. */
const THREAD_WORTH = 64 * MIB;
/** What a folder is taken for: nobody knows before it is read. */
const FOLDER_SIZE = 2 * MIB;
/** A zip with more bytes on the disk is shared out among the threads, and one with fewer is nobody asked how much it is unpacked. */
const LARGE = 4 * MIB;
/** Threads where nobody says how many: with more the disk would decide; and each takes some 45 MB of memory. */
const MAX_THREADS = 4;
/** Paths that are under way for each thread, so that a long one does not hold the others up. */
const AHEAD = 4;

/**
 * Hashes the paths; `tell` is called for each, in their order, as soon as it and all before it are hashed.
 *
 * @throws {GosumError} `INTERRUPTED`; what `tell` throws.
 */
export async function hashEach(
  host: Host,
  tasks: readonly Task[],
  module: ModuleVersion | undefined,
  options: EachOptions,
  tell: (outcome: Outcome) => Promise<void>,
): Promise<void> {
  const found: Found[] = tasks.map((task) => ({ task, input: inputOrError(host, task.name, module) }));
  const enabled = showsProgress(host, options);
  const work = sizeOf(host, found.flatMap(({ input }) => (isGosumError(input) ? [] : [input])), enabled);
  const threads = options.threads ?? work.threads;
  const pool = threads > 1 ? openHashPool(threads) : undefined;
  const progress = createProgress({ stream: host.stderr, enabled });
  progress.phase('hashing, MiB', work.bytes === undefined ? undefined : Math.ceil(work.bytes / MIB));
  const hashing = { signal: host.interrupted, progress: mebibytes((steps) => progress.tick(steps)) };

  const hashOne = async ({ task, input }: Found): Promise<Outcome> => {
    if (isGosumError(input)) return { ...task, error: input };
    const { kind } = input;
    const hasher = pool === undefined ? HERE : isLarge(input) ? sharing(pool) : pool;
    const hashed = await attempt(host, () => hashInput(host, input, module, hasher, hashing));
    return isGosumError(hashed) ? { ...task, kind, error: hashed } : { ...task, kind, hashed };
  };
  const ahead: Promise<Outcome>[] = [];
  try {
    for (let next = 0; next < found.length || ahead.length > 0; ) {
      // What all threads share, or this one does, goes alone.
      for (let isAlone = false; !isAlone; next++) {
        const each = found[next];
        if (each === undefined) break;
        isAlone = pool === undefined || isLarge(each.input);
        if (ahead.length >= (isAlone ? 1 : threads * AHEAD)) break;
        const outcome = hashOne(each);
        // Where an earlier one ends the run, nobody waits for this one.
        outcome.catch(() => undefined);
        ahead.push(outcome);
      }
      const outcome = await ahead.shift();
      progress.hide();
      if (outcome !== undefined) await tell(outcome);
    }
  } finally {
    progress.done();
    await pool?.close();
  }
}

/** A task, and what its path is. */
interface Found {
  readonly task: Task;
  readonly input: HashInput | GosumError;
}

function isLarge(input: HashInput | GosumError): boolean {
  return !isGosumError(input) && input.kind === 'zip' && (input.size ?? 0) > LARGE;
}

/** A zip is hashed by all threads together. */
function sharing(pool: HashPool): Hasher {
  return {
    zip: (file, options) => pool.largeZip(file, options),
    folder: (folder, module, options) => pool.folder(folder, module, options),
  };
}

function inputOrError(host: Host, name: string, module: ModuleVersion | undefined): HashInput | GosumError {
  try {
    return inputOf(host, name, module);
  } catch (error) {
    if (isGosumError(error)) return error;
    throw error;
  }
}

/** What `work` gives, or the error of ours that it throws; where the run is interrupted, that is thrown. */
async function attempt<T>(host: Host, work: () => Promise<T>): Promise<T | GosumError> {
  try {
    return await work();
  } catch (error) {
    host.interrupted.throwIfAborted();
    if (isGosumError(error)) return error;
    throw error;
  }
}

/**
 * How many bytes of content there are, where all of it is known, and for how many threads they are work.
 *
 * @param exactly also of little work, which nobody else would see any of.
 */
function sizeOf(host: Host, inputs: readonly HashInput[], exactly: boolean): { bytes: number | undefined; threads: number } {
  const packed = inputs.reduce((sum, { size }) => sum + (size ?? 0), 0);
  const sizes = inputs.map(({ name, kind, size }) => (kind === 'zip' && size !== undefined && (exactly || packed > LARGE) ? contentSize(pathOf(host, name)) : size));
  const known = sizes.filter((size) => size !== undefined);
  const bytes = known.reduce((sum, size) => sum + size, 0);
  const folders = inputs.filter(({ kind }) => kind === 'folder').length;
  const worth = Math.floor((bytes + folders * FOLDER_SIZE) / THREAD_WORTH);
  const works = inputs.some(isLarge) ? MAX_THREADS : inputs.filter(({ kind }) => kind !== 'go.mod').length;
  const most = Math.min(availableParallelism(), MAX_THREADS, works);
  return { bytes: known.length === sizes.length ? bytes : undefined, threads: Math.min(most, worth) };
}

/** Counts bytes, and tells whole MiB. */
function mebibytes(tell: (steps: number) => void): (bytes: number) => void {
  let rest = 0;
  return (bytes) => {
    rest += bytes;
    if (rest < MIB) return;
    tell(Math.floor(rest / MIB));
    rest %= MIB;
  };
}
