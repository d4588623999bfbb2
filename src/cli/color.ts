/** Whether to colour what goes to a terminal. */

import type { Environment } from '../config/environment.js';
import type { Output } from './host.js';

/** Values of `--color`. */
export type ColorChoice = 'auto' | 'always' | 'never';

/**
 * Whether to colour what goes to a stream: `--color`, then NO_COLOR (no-color.org), then FORCE_COLOR (as Node has it: any
 * value but `0` and `false`), then whether it is a terminal that can.
 */
export function useColor(output: Output, env: Environment, choice: ColorChoice): boolean {
  if (choice !== 'auto') return choice === 'always';
  if (env.get('NO_COLOR') !== undefined) return false;
  const force = env.get('FORCE_COLOR');
  if (force !== undefined) return force !== '0' && force !== 'false';
  return output.isTTY === true && env.get('TERM') !== 'dumb';
}
