/** The entry of the command, with all that it can do. */

import { COMMANDS } from './commands.js';
import type { Host } from './host.js';
import { run } from './run.js';

/** Runs the command line and gives the exit code. `args`: without the program's name. */
export function main(args: readonly string[], host?: Host): Promise<number> {
  return run(COMMANDS, args, host);
}
