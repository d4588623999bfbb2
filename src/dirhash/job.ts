/** A work of hashing as it is sent to another thread, and what comes back. Classes do not travel: errors go as their parts. */

import type { ModuleVersion } from '../core/module.js';
import { GosumError, isGosumError, type Code } from '../errors.js';
import { hashFolder } from './folder.js';
import { hashZip, helpHashZip } from './hashzip.js';
import type { HashOptions, TreeHash, ZipHash } from './result.js';
import type { Share } from './zipcontent.js';

/** What is to be hashed. */
export type Job = ZipJob | FolderJob | HelpJob;

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

/** To take part in hashing a zip. */
export interface HelpJob {
  readonly kind: 'help';
  readonly path: string;
  readonly share: Share;
}

/** What comes of a job; of help, nothing but that it has ended. */
export type JobResult = TreeHash | ZipHash | undefined;

/** What a thread says: that it has started; of its job how many more bytes are hashed, and at last the result, or the error. */
export type Answer =
  | { readonly kind: 'started' }
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'result'; readonly result: JobResult }
  | { readonly kind: 'error'; readonly error: ErrorParts | undefined; readonly cause: unknown };

interface ErrorParts {
  readonly code: Code;
  readonly message: string;
  readonly hint: string | undefined;
  readonly retryable: boolean;
}

/** Does the job in this thread. */
export async function runJob(job: Job, options: HashOptions): Promise<JobResult> {
  switch (job.kind) {
    case 'zip':
      return hashZip(job.path, { ...options, module: job.module });
    case 'folder':
      return hashFolder(job.path, job.module, { ...options, without: job.without });
    case 'help':
      await helpHashZip(job.path, job.share, options);
      return undefined;
  }
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
