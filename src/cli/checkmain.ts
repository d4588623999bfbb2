/** The entry of the commands that check alone: the same program to them, and half of it to read for Node. */

import { CHECKS } from './checkcommands.js';
import type { Host } from './host.js';
import { run } from './run.js';

/** Runs one of these commands, and gives the exit code. `args`: without the program's name. */
export function main(args: readonly string[], host?: Host): Promise<number> {
  return run(new Map(Object.entries(CHECKS)), args, host);
}
