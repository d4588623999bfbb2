/** What a command touches of the process around it, handed in as a value; and how it speaks to the person there. */

import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { openEnvironment, type Environment } from '../config/environment.js';
import type { GosumError } from '../errors.js';
import { visibleLines } from '../report/escape.js';
import { fileFailure } from './files.js';

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
  const { stdout, stderr } = process;
  return {
    // opened when it is asked for: few commands read it
    get stdin() {
      return process.stdin;
    },
    stdout,
    stderr,
    env: openEnvironment(),
    cwd: process.cwd(),
    interrupted,
  };
}

/** Whether work shows how far it is: at a terminal, unless a person does not want it. */
export function showsProgress({ stderr }: Host, { progress, quiet }: { readonly progress: boolean; readonly quiet?: boolean | undefined }): boolean {
  return stderr.isTTY === true && progress && quiet !== true;
}

/** This package's version. */
export function packageVersion(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/**
 * Writes to stdout, and waits until it took the text. A reader that went away (`| head`) ends the output, not the command.
 *
 * @throws {GosumError} `FILE_FAILED`: a report that is cut short is worse than none.
 */
export async function print(host: Host, text: string | Uint8Array): Promise<void> {
  await deliver(host, text);
}

/** As `print`, and says whether the reader is still there: `false` where nobody has the text. */
export async function deliver({ stdout }: Host, text: string | Uint8Array): Promise<boolean> {
  const failure = await write(stdout, text);
  if (failure !== undefined && failure.code !== 'EPIPE') throw fileFailure('standard output', failure);
  return failure === undefined;
}

/** Says something on stderr. That nobody can hear it is no failure. */
export async function say({ stderr }: Host, text: string): Promise<void> {
  await write(stderr, `gosumcheck: ${visibleLines(text).join('\n')}\n`);
}

/** Says what went wrong and what to do next; of a fork, also its evidence. */
export async function sayError(host: Host, error: GosumError): Promise<void> {
  const hint = error.hint === undefined ? '' : `\n  ${error.hint}`;
  await say(host, `${error.message}${hint}`);
  if (error.code !== 'FORK') return;
  const { ForkError, formatFork } = await import('../core/fork.js');
  if (error instanceof ForkError) await say(host, formatFork(error.evidence));
}

function write(stream: Writable, text: string | Uint8Array): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    stream.write(text, (error) => resolve(error ?? undefined));
  });
}
