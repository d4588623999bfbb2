/** One worker thread that works on tiles, some jobs under way; started when there is a first one. */

import { Worker } from 'node:worker_threads';
import { KeyHash } from './key.js';
import { doJob, errorOfAnswer, type Answer, type JobMessage, type ThreadJob, type ThreadStart, type ThreadWork } from './message.js';
import type { TileJob, TileWork } from './work.js';

/**
 * The bundle of worker.ts, which starts in half the time of its modules. The same place seen from dist/src/whole and from the
 * command's bundle in dist/bundle/cli: they are equally deep.
 */
const ENTRY = new URL('../../bundle/whole/worker.cjs', import.meta.url);

/** MB of what a thread has made lately: each job leaves some 200 KB behind, and what is more is only room that grows. */
const MOST_YOUNG = 8;

interface Asked {
  readonly job: ThreadJob;
  readonly resolve: (work: ThreadWork) => void;
  readonly reject: (error: Error) => void;
}

/** A worker thread. Without a job it keeps no process alive. */
export class TileThread {
  readonly #salt: Uint8Array;
  readonly #freed: () => void;
  readonly #asked = new Map<number, Asked>();
  #worker: Worker | undefined;
  /** Whether it has ever said anything. */
  #isRunning = false;
  #last = 0;

  /** @param freed called each time that a job is no more under way. */
  constructor(salt: Uint8Array, freed: () => void) {
    this.#salt = salt;
    this.#freed = freed;
  }

  /** Jobs under way. */
  get jobs(): number {
    return this.#asked.size;
  }

  /**
   * Does a job behind those that are under way. Where no thread can be started it is done in this one.
   *
   * @throws what the job throws; an error where the thread dies.
   */
  run(job: TileJob): Promise<TileWork>;
  run(job: ThreadJob): Promise<ThreadWork>;
  run(job: ThreadJob): Promise<ThreadWork> {
    return new Promise((resolve, reject) => {
      const worker = (this.#worker ??= this.#start());
      const ask = ++this.#last;
      // a copy to hand over: the caller's bytes may be a part of something greater
      const bytes = new Uint8Array(job.bytes);
      this.#asked.set(ask, { job, resolve, reject });
      worker.ref();
      worker.postMessage({ ask, job: { ...job, bytes } } satisfies JobMessage, [bytes.buffer]);
    });
  }

  /** Ends the thread; jobs under way fail. */
  async end(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(ENTRY, { workerData: { salt: this.#salt } satisfies ThreadStart, resourceLimits: { maxYoungGenerationSizeMb: MOST_YOUNG } });
    this.#isRunning = false;
    worker.on('message', (answers: readonly Answer[]) => {
      this.#isRunning = true;
      for (const answer of answers) this.#answered(worker, answer);
    });
    worker.on('error', (error) => {
      // Its file may be missing, as behind somebody's bundler, or the system may have no thread left.
      if (this.#isRunning) this.#drop(worker, ({ reject }) => reject(error));
      else this.#drop(worker, (asked) => this.#workHere(asked));
    });
    worker.on('exit', () => this.#drop(worker, ({ reject }) => reject(new Error('the thread has ended'))));
    return worker;
  }

  #answered(worker: Worker, answer: Answer): void {
    const asked = this.#asked.get(answer.ask);
    this.#asked.delete(answer.ask);
    if (this.#asked.size === 0) worker.unref();
    if (answer.kind === 'work') asked?.resolve(answer.work);
    else asked?.reject(errorOfAnswer(answer));
    this.#freed();
  }

  /** Lets go of a thread that has ended, and settles what it was asked. */
  #drop(worker: Worker, settle: (asked: Asked) => void): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const each of asked) {
      settle(each);
      this.#freed();
    }
  }

  #workHere({ job, resolve, reject }: Asked): void {
    try {
      resolve(doJob(job, new KeyHash(this.#salt)));
    } catch (error) {
      reject(error as Error);
    }
  }
}
