/** All settings of a run that asks a checksum database: read, parsed, and with what a person should be told of them. */

import { openEnvironment, type Environment } from './environment.js';
import { goFolders, readGoEnv, type GoEnv, type Setting } from './goenv.js';
import { parseGoproxy, type ProxyEntry } from './goproxy.js';
import { httpProxies, type ProxyChoice } from './httpproxy.js';
import { parseGoauth, type Auth } from './netrc.js';
import { privateModules, type PrivateModules } from './private.js';
import { parseSumdb, type Sumdb } from './sumdb.js';

/** The settings. */
export interface Settings {
  readonly env: Environment;
  readonly sumdb: Sumdb;
  /** The entries of GOPROXY; empty where the database's URL is set and no proxy is asked. */
  readonly proxies: readonly ProxyEntry[];
  readonly privateModules: PrivateModules;
  readonly auth: Auth;
  readonly httpProxy: ProxyChoice;
  /** The go command's folders, whose caches of the database are read too. */
  readonly folders: { readonly gopath: string | undefined; readonly gomodcache: string | undefined };
  /** One line each, to be shown as notices. */
  readonly warnings: readonly string[];
}

/**
 * Reads and checks the settings. No network is used.
 *
 * @param options.sumdb a value of GOSUMDB that goes before it, and where it is from (`--sumdb`).
 * @throws {GosumError} `SUMDB_OFF`, `CONFIG_INVALID`.
 */
export async function readSettings(
  options: { env?: Environment; sumdb?: Setting | undefined } = {},
): Promise<Settings> {
  const { env = openEnvironment(), sumdb: override } = options;
  const go: GoEnv = await readGoEnv(env);
  const sumdb = parseSumdb(override ?? go.get('GOSUMDB'));
  // the go command, too, does not look at GOPROXY where the database's URL is given
  const proxies = sumdb.url === undefined ? parseGoproxy(go.get('GOPROXY'), env) : [];
  const privates = privateModules(go);
  const auth = parseGoauth(go.get('GOAUTH'), env);
  return {
    env,
    sumdb,
    proxies,
    privateModules: privates,
    auth,
    httpProxy: httpProxies(env),
    folders: goFolders(go, env),
    warnings: [...go.warnings, ...privates.warnings, ...auth.warnings],
  };
}
