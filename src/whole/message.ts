/** What is said to a thread that works on tiles, and what it answers. Classes do not travel: errors go as their parts. */

import { GosumError, isGosumError, type Code } from '../errors.js';
import { checkPacks, type CheckedPacks, type CheckJob } from './check.js';
import type { KeyHash } from './key.js';
import { workTile, type TileJob, type TileWork } from './work.js';

/** What a thread is started with. */
export interface ThreadStart {
  readonly salt: Uint8Array;
}

/** What a thread does. */
export type ThreadJob = TileJob | CheckJob;

/** What comes of it. */
export type ThreadWork = TileWork | CheckedPacks;

/** A job, and the number by which it is answered. */
export interface JobMessage {
  readonly ask: number;
  readonly job: ThreadJob;
}

/** What a thread says: that it has started; of a job its work, or the error. */
export type Answer =
  | { readonly kind: 'started' }
  | { readonly kind: 'work'; readonly ask: number; readonly work: ThreadWork }
  | { readonly kind: 'error'; readonly ask: number; readonly code: Code | undefined; readonly message: string; readonly cause: unknown };

/** The answer that an error is. */
export function answerOfError(ask: number, error: unknown): Answer {
  if (isGosumError(error)) return { kind: 'error', ask, code: error.code, message: error.message, cause: error.cause };
  return { kind: 'error', ask, code: undefined, message: String(error), cause: error };
}

/** The error that an answer was. */
export function errorOfAnswer({ code, message, cause }: Answer & { kind: 'error' }): Error {
  return code === undefined ? new Error(message, { cause }) : new GosumError(code, message, { cause });
}

/** Does a job. @throws {GosumError} as `workTile`. */
export function doJob(job: ThreadJob, hash: KeyHash): ThreadWork {
  return job.kind === 'check' ? checkPacks(job, hash) : workTile(job, hash);
}

/** What of a work is handed over, and not copied. */
export function transfersOf(work: ThreadWork): ArrayBuffer[] {
  const { nodes } = work;
  const own = 'prints' in work ? [work.prints, work.pages, work.words] : [...work.parts, work.leaves, work.entries.pages, work.entries.words];
  return [...own, nodes].map((array) => array.buffer as ArrayBuffer);
}
