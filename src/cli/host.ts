/** What a command touches of the process around it, handed in as a value. */

import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { openEnvironment, type Environment } from '../config/environment.js';

/** A terminal or a pipe. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** The process around a command. */
export interface Host {
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Environment;
  /** Absolute. */
  readonly cwd: string;
  /** Aborted, with a `GosumError` as its reason, when a person ends the command. */
  readonly interrupted: AbortSignal;
}

/** The process itself as a host; `interrupted` is left to the caller. */
export function processHost(interrupted: AbortSignal): Host {
  const { stdin, stdout, stderr } = process;
  return { stdin, stdout, stderr, env: openEnvironment(), cwd: process.cwd(), interrupted };
}

/** This package's version. */
export function packageVersion(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Writes to a stream, and waits until it took the text: a report that is cut short is worse than none. */
export async function write(stream: Writable, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.write(text, (error) => {
      // A reader that went away (`| head`) ends the output, not the verdict.
      if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') reject(error);
      else resolve();
    });
  });
}
