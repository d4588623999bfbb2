/**
 * Worker threads that hash zips and folders. They pay for several of them, or large ones: to start a thread takes as long as
 * to hash some 10 MB.
 */

import { statSync } from 'node:fs';
import type { ModuleVersion } from '../core/module.js';
import { hashFolder } from './folder.js';
import { hashZip, hashZipTogether } from './hashzip.js';
import type { Job, JobResult } from './job.js';
import type { FolderOptions, HashOptions, TreeHash, ZipHash, ZipOptions } from './result.js';
import { HashThread } from './thread.js';
import type { Share } from './zipcontent.js';

/** Hashes as `hashZip` and `hashFolder` do, in other threads. */
export interface HashPool {
  /** As `hashZip`, of a file; what it throws of ours is a plain `GosumError` with the same code and message. */
  zip(file: string, options?: ZipOptions): Promise<ZipHash>;
  /**
   * As `zip`, of one large zip: the free threads share its entries, this one in the place of one of them. Where that fails it is
   * hashed here once more, so that the error does not depend on who was faster.
   */
  largeZip(file: string, options?: ZipOptions): Promise<ZipHash>;
  /** As `hashFolder`. */
  folder(folder: string, module: ModuleVersion, options?: FolderOptions): Promise<TreeHash>;
  /** Ends the threads. What is under way, or comes later, fails. */
  close(): Promise<void>;
}

/** Where zips and folders are hashed. */
export type Hasher = Pick<HashPool, 'zip' | 'folder'>;

/** Hashes in this thread. */
export const HERE: Hasher = { zip: hashZip, folder: hashFolder };

/** Makes a pool of at most so many threads. Each starts when there is work for it; without work they keep no process alive. */
export function openHashPool(threads: number): HashPool {
  const all = Array.from({ length: threads }, () => new HashThread());
  // The last one to be free goes first: fewer are started.
  const free = [...all];
  const waiting: ((thread: HashThread) => void)[] = [];
  let isClosed = false;

  function freeThread(signal: AbortSignal | undefined): Promise<HashThread> {
    const thread = free.pop();
    if (thread !== undefined) return Promise.resolve(thread);
    return new Promise((resolve, reject) => {
      const take = (thread: HashThread): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve(thread);
      };
      const onAbort = (): void => {
        waiting.splice(waiting.indexOf(take), 1);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      waiting.push(take);
    });
  }

  async function run(job: Job, options: HashOptions): Promise<JobResult> {
    options.signal?.throwIfAborted();
    const thread = await freeThread(options.signal);
    try {
      if (isClosed) throw new Error('the pool is closed');
      return await thread.run(job, options);
    } finally {
      const next = waiting.shift();
      if (next === undefined) free.push(thread);
      else next(thread);
    }
  }

  async function largeZip(path: string, options: ZipOptions): Promise<ZipHash> {
    options.signal?.throwIfAborted();
    const { progress } = options;
    const help = (share: Share, signal: AbortSignal): Promise<unknown> =>
      Promise.all(free.slice(1).map(() => run({ kind: 'help', path, share }, { signal, progress })));
    try {
      const before = identityOf(path);
      const hashed = await hashZipTogether(path, options, help);
      if (identityOf(path) === before) return hashed;
    } catch {
      options.signal?.throwIfAborted();
    }
    return hashZip(path, options);
  }

  return {
    largeZip: (path, options = {}) => largeZip(path, options),
    zip: (path, { module, ...options } = {}) => run({ kind: 'zip', path, module }, options) as Promise<ZipHash>,
    folder: (path, module, { without, ...options } = {}) => run({ kind: 'folder', path, module, without }, options) as Promise<TreeHash>,
    async close() {
      isClosed = true;
      await Promise.all(all.map((thread) => thread.end()));
    },
  };
}

/** Each thread opens the file itself: this tells whether all had the same. */
function identityOf(path: string): string {
  const { dev, ino, size, mtimeMs, ctimeMs } = statSync(path);
  return [dev, ino, size, mtimeMs, ctimeMs].join(' ');
}
