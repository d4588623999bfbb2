/** One worker thread that hashes, one job at a time; started when there is a first one. */

import { Worker } from 'node:worker_threads';
import { errorOfAnswer, runJob, type Answer, type Job, type JobResult } from './job.js';
import type { HashOptions } from './result.js';

/**
 * The bundle of worker.ts, which starts in half the time of its modules. The same place seen from dist/src/dirhash and from the
 * command's bundle in dist/bundle/cli: they are equally deep.
 */
const ENTRY = new URL('../../bundle/dirhash/worker.cjs', import.meta.url);

/** A worker thread. Without a job it keeps no process alive. */
export class HashThread {
  #worker: Worker | undefined;
  /** Whether it has ever said anything. */
  #isRunning = false;

  /**
   * Does a job, after the one before has ended. Where no thread can be started it is done in this one.
   *
   * @throws what the job throws; the signal's reason, and then the thread is ended at once; an error where the thread ends.
   */
  run(job: Job, { signal, progress }: HashOptions): Promise<JobResult> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const worker = (this.#worker ??= startWorker());
      const end = (settle: () => void): void => {
        worker.off('message', onMessage).off('error', onError).off('exit', onExit).unref();
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const drop = (settle: () => void): void => {
        this.#worker = undefined;
        this.#isRunning = false;
        end(settle);
      };
      const onMessage = (answer: Answer): void => {
        this.#isRunning = true;
        if (answer.kind === 'progress') progress?.(answer.bytes);
        else if (answer.kind === 'result') end(() => resolve(answer.result));
        else if (answer.kind === 'error') end(() => reject(errorOfAnswer(answer)));
      };
      const onError = (error: Error): void => {
        // Its file may be missing, as behind somebody's bundler, or the system may have no thread left.
        const isRunning = this.#isRunning;
        drop(() => (isRunning ? reject(error) : resolve(runJob(job, { signal, progress }))));
      };
      const onExit = (): void => drop(() => reject(new Error('the thread has ended')));
      const onAbort = (): void => {
        drop(() => reject(signal?.reason as Error));
        void worker.terminate();
      };
      worker.on('message', onMessage).on('error', onError).on('exit', onExit).ref();
      signal?.addEventListener('abort', onAbort, { once: true });
      worker.postMessage(job);
    });
  }

  /** Ends the thread; a job under way fails. */
  async end(): Promise<void> {
    await this.#worker?.terminate();
  }
}

function startWorker(): Worker {
  const worker = new Worker(ENTRY);
  // Between two jobs nobody else listens; the next one finds that the thread has ended.
  worker.on('error', () => undefined);
  return worker;
}
