/** gosumcheck's own settings in the environment, and the default place of its cache. */

import { cacheFolder, pathsOf, type Environment } from './environment.js';

/** The variable of a command-line flag: `--foo-bar` is GOSUMCHECK_FOO_BAR. */
export function flagVariable(flag: string): string {
  return `GOSUMCHECK_${flag.replace(/^-+/, '').replaceAll('-', '_').toUpperCase()}`;
}

/** The value that the environment gives to a flag; `undefined` where its variable is unset or empty. */
export function flagFromEnv(env: Environment, flag: string): string | undefined {
  return env.get(flagVariable(flag));
}

/** The default cache: gosumcheck/cache.db in the user's cache folder; `undefined` where the system names no such folder. */
export function defaultCacheFile(env: Environment): string | undefined {
  const folder = cacheFolder(env);
  return folder === undefined ? undefined : pathsOf(env).join(folder, 'gosumcheck', 'cache.db');
}
