/** The replay server of bench/go/replay: a process of its own, and the counts that it gives. */

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { RECORDING, type Workshop } from './workshop.js';

/** How the recording is served. */
export interface ReplayOptions {
  readonly protocol: 'h2' | 'http/1.1';
  /** Round trip, in milliseconds. */
  readonly rtt: number;
}

/** What a server was asked since the last count. */
export interface Counts {
  readonly requests: number;
  readonly lookups: number;
  readonly latest: number;
  readonly connections: number;
  /** Paths that the recording does not have. */
  readonly unanswered: readonly string[];
}

/** A recording that is being served. */
export interface Replay {
  readonly url: string;
  /** Waits until all connections are closed, and gives the counts since the last call. */
  take(): Promise<Counts>;
}

/** Serves the recording while `work` is done. */
export async function withReplay<T>(
  workshop: Workshop,
  { protocol, rtt }: ReplayOptions,
  work: (replay: Replay) => Promise<T>,
): Promise<T> {
  const { cert, key, signal } = workshop;
  const args = ['-recording', RECORDING, '-cert', cert, '-key', key, '-protocol', protocol, '-rtt', `${rtt}ms`];
  const child = spawn(workshop.program('replay'), args, { stdio: ['pipe', 'pipe', 'inherit'], signal, windowsHide: true });
  child.on('error', () => undefined); // its end is seen where a line of it is waited for
  const lines = linesOf(child);
  try {
    const url = (await lines()).replace(/^listening on /, '');
    return await work({
      url,
      take: async () => {
        child.stdin.write('take\n');
        return JSON.parse(await lines()) as Counts;
      },
    });
  } finally {
    child.stdin.end();
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) await once(child, 'close');
  }
}

/** Reads one line after the other. Rejects where the process has ended. */
function linesOf(child: ChildProcessByStdio<Writable, Readable, null>): () => Promise<string> {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    const next: IteratorResult<string, unknown> = await lines.next();
    if (next.done === true) throw new Error('the replay server has ended');
    return next.value;
  };
}
