/**
 * Module versions fetched by the go command, by whatever way its settings lead, into a module cache of their own.
 * The log is not asked (GOSUMDB=off): what comes is compared with a go.sum, or with Go's own hash of it.
 */

import { finish } from './workshop.js';

/** A module version as the go command has it in its cache: absolute paths, and its own hashes. */
export interface Downloaded {
  readonly Path: string;
  readonly Version: string;
  readonly Zip: string;
  readonly Dir: string;
  readonly GoMod: string;
  readonly Sum: string;
  readonly GoModSum: string;
}

/** What came, and what the go command says of what did not. */
export interface Download {
  readonly modules: readonly Downloaded[];
  /** Empty: all came. */
  readonly errors: readonly string[];
}

/** The go command's environment: this process's own, for the way to modules, and no database, workspace or go.mod. */
export function goEnvironment(cache: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    GOMODCACHE: cache,
    GOSUMDB: 'off',
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
    GO111MODULE: 'on',
    // writable folders, which can be removed as any other
    GOFLAGS: '-mod=mod -modcacherw',
  };
}

/**
 * Downloads and extracts `versions` (`path@version`).
 *
 * @param folder where the go command is started: outside of any module.
 * @param cache the module cache: an absolute path.
 * @throws where there is no go command (`ENOENT`), or the signal ends it.
 */
export async function downloadModules(
  versions: readonly string[],
  folder: string,
  cache: string,
  signal: AbortSignal,
): Promise<Download> {
  const options = { env: goEnvironment(cache), cwd: folder, signal };
  const { exitCode, stdout, stderr } = await finish('go', ['mod', 'download', '-json', ...versions], options);
  const modules: Downloaded[] = [];
  const errors: string[] = [];
  // one object after the other, each indented and ended by a line of one brace
  for (const text of stdout.split(/(?<=^\}\n)/m)) {
    if (text.trim() === '') continue;
    const { Error: error, ...module } = JSON.parse(text) as Downloaded & { readonly Error?: string };
    if (error === undefined) modules.push(module);
    else errors.push(`${module.Path}@${module.Version}: ${error}`);
  }
  if (exitCode !== 0 && errors.length === 0) errors.push(`go mod download: exit code ${exitCode}: ${stderr}`);
  return { modules, errors };
}
