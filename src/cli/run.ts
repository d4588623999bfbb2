/** One run: the command line is parsed, one command runs, and what it throws becomes a message and an exit code. */

import { CommanderError } from 'commander';
import { GosumError, isGosumError } from '../errors.js';
import type { Define } from './define.js';
import { exitCodeOf } from './exitcode.js';
import { processHost, say, sayError, type Host } from './host.js';
import { buildProgram } from './program.js';

/**
 * Runs the command line and gives the exit code.
 *
 * @param commands by name; the others are not known.
 * @param args without the program's name.
 */
export async function run(commands: ReadonlyMap<string, Define>, args: readonly string[], host: Host = hostWithSignals()): Promise<number> {
  // Each write looks at its own failure; without a listener a reader that went away would end the process here.
  for (const stream of [host.stdout, host.stderr]) stream.on('error', () => undefined);
  let exitCode = 0;
  const exit = (code: number): void => {
    exitCode = code;
  };
  const program = buildProgram(commands, host, exit, args[0]);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (isGosumError(error)) {
      await sayError(host, error);
      return exitCodeOf(error);
    }
    // Left to Node it would be exit 1, which says that a hash differs.
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    await say(host, `a mistake in gosumcheck itself, please report it: ${what}`);
    return 2;
  }
}

/** The process, interrupted by the first SIGINT or SIGTERM; the second one ends it as if nobody listened. */
function hostWithSignals(): Host {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => controller.abort(new GosumError('INTERRUPTED', 'interrupted', { cause: signal })));
  }
  return processHost(controller.signal);
}
