/**
 * The go command's settings, as the go command itself would read them (cmd/go/internal/cfg): the process environment,
 * then the file that `go env GOENV` names, then GOROOT/go.env.
 *
 * The files are read here, for starting `go env` costs more than a whole warm run may. Where a go command is found but
 * its GOROOT is not (a wrapper script), it is asked after all.
 */

import { accessSync, constants, readFileSync, realpathSync, statSync } from 'node:fs';
import { configFolder, homeFolder, pathsOf, type Environment } from './environment.js';

/** The settings that matter here. */
export type GoVariable =
  | 'GOSUMDB'
  | 'GOPROXY'
  | 'GONOSUMDB'
  | 'GONOPROXY'
  | 'GOPRIVATE'
  | 'GOAUTH'
  | 'GOPATH'
  | 'GOMODCACHE';

/** A value, and where it was found: `environment`, a file's path, `go env`, or `default`. */
export interface Setting {
  readonly value: string;
  readonly from: string;
}

/** The go command's settings. */
export interface GoEnv {
  /** The value of a variable; empty where nothing sets it. */
  get(name: GoVariable): Setting;
  /** What a person should know of how it was found out; most often nothing. */
  readonly warnings: readonly string[];
}

/** How long `go env` may take, in milliseconds. */
const GO_ENV_TIMEOUT = 10_000;

/**
 * Reads the go command's settings. Never fails: what cannot be read is not set.
 *
 * Without any go command on this machine and without a setting, the database is sum.golang.org and is asked directly:
 * the public module proxy is the go command's own default, and is read from it.
 */
export async function readGoEnv(env: Environment): Promise<GoEnv> {
  const userFile = userEnvFile(env);
  const user = userFile === undefined ? undefined : readEnvFile(userFile);
  const goroot = findGoroot(env, user?.get('GOROOT'));

  const layers: { from: string; values: ReadonlyMap<string, string> }[] = [];
  const warnings: string[] = [];
  if (userFile !== undefined && user !== undefined) layers.push({ from: userFile, values: user });

  const gorootFile = goroot === undefined ? undefined : pathsOf(env).join(goroot, 'go.env');
  const shipped = gorootFile === undefined ? undefined : readEnvFile(gorootFile);
  if (gorootFile !== undefined && shipped !== undefined) {
    layers.push({ from: gorootFile, values: shipped });
  } else {
    const go = findGo(env);
    const asked = go === undefined ? undefined : await askGo(go, env);
    if (go !== undefined && asked === undefined) warnings.push(`${go} env failed: its settings are not known, defaults are used`);
    layers.push(asked === undefined ? DEFAULTS : { from: 'go env', values: asked });
  }

  return {
    warnings,
    get(name) {
      const value = env.get(name);
      if (value !== undefined) return { value, from: 'environment' };
      // the first file that has the name wins, even with an empty value: so the go command reads them
      const layer = layers.find(({ values }) => values.has(name));
      return { value: layer?.values.get(name) ?? '', from: layer?.from ?? 'default' };
    },
  };
}

const DEFAULTS: { from: string; values: ReadonlyMap<string, string> } = {
  from: 'default',
  values: new Map([
    ['GOSUMDB', 'sum.golang.org'],
    ['GOPROXY', 'direct'],
  ]),
};

/**
 * The folders of the go command: the module cache, and the first of GOPATH (which keeps the tree head last seen).
 * `undefined` where there is none, or the setting is a relative path, which the go command refuses.
 */
export function goFolders(go: GoEnv, env: Environment): { gopath: string | undefined; gomodcache: string | undefined } {
  const paths = pathsOf(env);
  const absolute = (folder: string | undefined): string | undefined =>
    folder !== undefined && paths.isAbsolute(folder) ? folder : undefined;
  const home = homeFolder(env);
  const list = go.get('GOPATH').value || (home === undefined ? '' : paths.join(home, 'go'));
  const gopath = absolute(list.split(paths.delimiter)[0]);
  const gomodcache = absolute(go.get('GOMODCACHE').value || (gopath === undefined ? undefined : paths.join(gopath, 'pkg', 'mod')));
  return { gopath, gomodcache };
}

/** The file of `go env -w`: GOENV, by default go/env in the user's configuration folder; `off` is none. */
function userEnvFile(env: Environment): string | undefined {
  const file = env.get('GOENV');
  if (file !== undefined) return file === 'off' ? undefined : file;
  const folder = configFolder(env);
  return folder === undefined ? undefined : pathsOf(env).join(folder, 'go', 'env');
}

/** Lines `NAME=value`; nothing is trimmed, and a comment gives a name that nobody asks for. */
function readEnvFile(file: string): Map<string, string> | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return values;
}

/** GOROOT as the go command finds its own: its env file, the environment, or above the executable. */
function findGoroot(env: Environment, fromUserFile: string | undefined): string | undefined {
  const named = fromUserFile || env.get('GOROOT');
  if (named !== undefined) return pathsOf(env).normalize(named);
  const go = findGo(env);
  if (go === undefined) return undefined;
  const paths = pathsOf(env);
  const folders = [go, realPath(go)].flatMap((file) => [paths.join(file, '../..'), paths.join(file, '../../..')]);
  return folders.find((folder) => isFolder(paths.join(folder, 'pkg', 'tool')));
}

/** The go command on PATH; as only an executable file can be started without a shell, `.bat` and `.cmd` are none. */
function findGo(env: Environment): string | undefined {
  const paths = pathsOf(env);
  const name = env.platform === 'win32' ? 'go.exe' : 'go';
  return (env.get('PATH') ?? '')
    .split(paths.delimiter)
    .filter((folder) => paths.isAbsolute(folder))
    .map((folder) => paths.join(folder, name))
    .find(isExecutable);
}

/** What `go env` says, without switching to another toolchain; `undefined` where it fails. */
async function askGo(go: string, env: Environment): Promise<Map<string, string> | undefined> {
  // not by import(): in the bundle that name is commander's (cli/noprograms.ts)
  const { execFile } = process.getBuiltinModule('node:child_process');
  const names: GoVariable[] = ['GOSUMDB', 'GOPROXY', 'GONOSUMDB', 'GONOPROXY', 'GOPRIVATE', 'GOAUTH', 'GOPATH', 'GOMODCACHE'];
  // GOFLAGS is for other commands; GOTOOLCHAIN=local lets nothing be downloaded
  const variables = { ...env.variables, GOTOOLCHAIN: 'local', GOFLAGS: '' };
  const output = await new Promise<string | undefined>((resolve) => {
    execFile(go, ['env', '-json', ...names], { env: variables, timeout: GO_ENV_TIMEOUT, windowsHide: true }, (error, stdout) => {
      resolve(error === null ? stdout : undefined);
    });
  });
  if (output === undefined) return undefined;
  try {
    const values = JSON.parse(output) as Record<string, unknown>;
    return new Map(Object.entries(values).map(([name, value]) => [name, String(value)]));
  } catch {
    return undefined;
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function isFolder(file: string): boolean {
  try {
    return statSync(file).isDirectory();
  } catch {
    return false;
  }
}

function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
