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

/** What a thread says of a job: its work, or the error. Several are one message; one without any says that it has started. */
export type Answer =
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

/**
 * A work to be handed over, and not copied: all arrays that it has in one buffer, since each buffer costs some microseconds in
 * both threads.
 */
export function handedOver<W extends ThreadWork>(work: W): { readonly work: W; readonly buffer: ArrayBuffer } {
  const buffer = new ArrayBuffer(roomOf(work));
  let end = 0;
  const move = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(move);
    if (isGroup(value)) return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, move(part)]));
    if (!ArrayBuffer.isView(value)) return value;
    const at = end;
    end += roomOf(value);
    new Uint8Array(buffer, at).set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    if (value instanceof Uint32Array) return new Uint32Array(buffer, at, value.length);
    if (value instanceof Uint16Array) return new Uint16Array(buffer, at, value.length);
    return new Uint8Array(buffer, at, value.byteLength);
  };
  return { work: move(work) as W, buffer };
}

/** Bytes of the arrays in a value, each up to the next word. */
function roomOf(value: unknown): number {
  if (ArrayBuffer.isView(value)) return 4 * Math.ceil(value.byteLength / 4);
  return isGroup(value) || Array.isArray(value) ? Object.values(value).reduce((sum: number, part) => sum + roomOf(part), 0) : 0;
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !Array.isArray(value);
}
