/** A Go program that serves, counts what it serves, and says the counts when it is asked: a process of its own. */

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Workshop } from './workshop.js';

/** One that runs. `Counts` is what it prints, as JSON. */
export interface Counting<Counts> {
  /** What it listens on: a URL, or `host:port`. */
  readonly at: string;
  /** The counts since the last call. */
  readonly take: () => Promise<Counts>;
}

/** Has it run while `work` is done. */
export async function withCounting<Counts, T>(
  workshop: Workshop,
  name: 'replay' | 'relay' | 'server',
  args: readonly string[],
  work: (counting: Counting<Counts>) => Promise<T>,
): Promise<T> {
  const child = spawn(workshop.program(name), args, { stdio: ['pipe', 'pipe', 'inherit'], signal: workshop.signal, windowsHide: true });
  child.on('error', () => undefined); // its end is seen where a line of it is waited for
  const lines = linesOf(child, name);
  try {
    const at = (await lines()).replace(/^listening on /, '');
    return await work({
      at,
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
function linesOf(child: ChildProcessByStdio<Writable, Readable, null>, name: string): () => Promise<string> {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    const next: IteratorResult<string, unknown> = await lines.next();
    if (next.done === true) throw new Error(`the ${name} of bench/go has ended`);
    return next.value;
  };
}
