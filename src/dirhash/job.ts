/** A work of hashing as it is sent to another thread, and what comes back. Classes do not travel: errors go as their parts. */

import type { ModuleVersion } from '../core/module.js';
import { GosumError, isGosumError, type Code } from '../errors.js';
import { hashFolder } from './folder.js';
import { hashZip } from './hashzip.js';
import type { HashOptions, TreeHash, ZipHash } from './result.js';

/** What is to be hashed. */
export type Job = ZipJob | FolderJob;

export interface ZipJob {
  readonly kind: 'zip';
  readonly path: string;
  readonly module: ModuleVersion | undefined;
}

export interface FolderJob {
  readonly kind: 'folder';
  readonly path: string;
  readonly module: ModuleVersion;
  readonly without: readonly string[] | undefined;
}

/** What a thread says: that it has started; of its job how many more bytes are hashed, and at last the result, or the error. */
export type Answer =
  | { readonly kind: 'started' }
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'result'; readonly result: TreeHash | ZipHash }
  | { readonly kind: 'error'; readonly error: ErrorParts | undefined; readonly cause: unknown };

interface ErrorParts {
  readonly code: Code;
  readonly message: string;
  readonly hint: string | undefined;
  readonly retryable: boolean;
}

/** Does the job in this thread. */
export function runJob(job: Job, options: HashOptions): Promise<TreeHash | ZipHash> {
  if (job.kind === 'zip') return hashZip(job.path, { ...options, module: job.module });
  return hashFolder(job.path, job.module, { ...options, without: job.without });
}

/** The answer that an error is. */
export function answerOfError(error: unknown): Answer {
  if (!isGosumError(error)) return { kind: 'error', error: undefined, cause: error };
  const { code, message, hint, retryable, cause } = error;
  return { kind: 'error', error: { code, message, hint, retryable }, cause };
}

/** The error that an answer was; one of ours is a plain `GosumError`. */
export function errorOfAnswer({ error, cause }: Answer & { kind: 'error' }): Error {
  if (error === undefined) return cause instanceof Error ? cause : new Error(String(cause));
  const { code, message, hint, retryable } = error;
  return new GosumError(code, message, { cause, retryable, ...(hint === undefined ? {} : { hint }) });
}
