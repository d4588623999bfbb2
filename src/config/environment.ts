/**
 * The process environment as a value, and the folders that the system keeps for a user in it.
 *
 * Nothing here reads `process.env`: the caller hands it in, so that a test (or a library's user) can hand in another.
 */

import path from 'node:path';

/** Variables by name, as `process.env` has them. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** An environment: variables, and the system whose rules they follow. */
export interface Environment {
  readonly platform: NodeJS.Platform;
  /** A variable's value; one that is empty counts as unset. On Windows a name is the same in any case. */
  get(name: string): string | undefined;
  /** All of it, for a child process. */
  readonly variables: Variables;
}

/** Takes variables as an environment of `platform`. */
export function openEnvironment(
  variables: Variables = process.env,
  platform: NodeJS.Platform = process.platform,
): Environment {
  if (platform !== 'win32') return { platform, variables, get: (name) => variables[name] || undefined };
  const upper = new Map(Object.entries(variables).map(([name, value]) => [name.toUpperCase(), value]));
  return { platform, variables, get: (name) => upper.get(name.toUpperCase()) || undefined };
}

/** The path rules of the environment's system. */
export function pathsOf(env: Environment): path.PlatformPath {
  return env.platform === 'win32' ? path.win32 : path.posix;
}

/** The user's home, as Go's `os.UserHomeDir`; `undefined` where the environment does not say. */
export function homeFolder(env: Environment): string | undefined {
  return env.get(env.platform === 'win32' ? 'USERPROFILE' : 'HOME');
}

/** Where a user's settings are kept, as Go's `os.UserConfigDir`. */
export function configFolder(env: Environment): string | undefined {
  return userFolder(env, { windows: 'AppData', darwin: 'Library/Application Support', xdg: 'XDG_CONFIG_HOME', unix: '.config' });
}

/** Where a user's caches are kept, as Go's `os.UserCacheDir`. */
export function cacheFolder(env: Environment): string | undefined {
  return userFolder(env, { windows: 'LocalAppData', darwin: 'Library/Caches', xdg: 'XDG_CACHE_HOME', unix: '.cache' });
}

function userFolder(
  env: Environment,
  names: { windows: string; darwin: string; xdg: string; unix: string },
): string | undefined {
  if (env.platform === 'win32') return env.get(names.windows);
  const home = env.get('HOME');
  const inHome = (folder: string): string | undefined => (home === undefined ? undefined : path.posix.join(home, folder));
  if (env.platform === 'darwin') return inHome(names.darwin);
  const xdg = env.get(names.xdg);
  if (xdg === undefined) return inHome(names.unix);
  // Go has no folder at all where the variable is relative
  return path.posix.isAbsolute(xdg) ? xdg : undefined;
}
