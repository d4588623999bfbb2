/** A module path, or all below one, as people write it to the go command: `golang.org/x/text`, `golang.org/x/...`, `...`. */

import { GosumError } from '../errors.js';
import { checkModulePath } from './module.js';

/** One module path; or it and all that stand below it. */
export interface ModulePaths {
  /** Empty where all paths are meant. */
  readonly path: string;
  /** Also what begins with the path and a slash. */
  readonly below: boolean;
}

/** Behind a path: and all below it. */
const BELOW = '/...';
/** All paths. */
const ALL = '...';

/**
 * Parses what `formatModulePaths` prints.
 *
 * @throws {GosumError} `MODULE_PATH_MALFORMED` for what no module path is, or can begin with.
 */
export function parseModulePaths(text: string): ModulePaths {
  if (text === ALL) return { path: '', below: true };
  const below = text.endsWith(BELOW);
  const path = below ? text.slice(0, -BELOW.length) : text;
  // the rules for a path's last element are not for one in the middle: some path below it has to be good
  try {
    checkModulePath(below ? `${path}/x.v1` : path);
  } catch (cause) {
    if (!(cause instanceof GosumError)) throw cause;
    throw new GosumError('MODULE_PATH_MALFORMED', cause.message, { cause, hint: 'write it like example.com/module, or example.com/... for all below' });
  }
  return { path, below };
}

/** The path, with `/...` behind it where all below it is meant too; `...` for all paths. */
export function formatModulePaths({ path, below }: ModulePaths): string {
  return path === '' ? ALL : `${path}${below ? BELOW : ''}`;
}

/** Reports whether a module's path is the one, or below it. */
export function isAmong(module: string, { path, below }: ModulePaths): boolean {
  return module === path || (below && (path === '' || module.startsWith(`${path}/`)));
}
