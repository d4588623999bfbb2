/** Credentials of ~/.netrc, read as cmd/go/internal/auth reads them: GOAUTH=netrc, the go command's default. */

import { existsSync, readFileSync } from 'node:fs';
import { fields } from '../core/text.js';
import { GosumError } from '../errors.js';
import { homeFolder, pathsOf, type Environment } from './environment.js';
import type { Setting } from './goenv.js';

/** User and password for a machine: a host, perhaps with a port and a path. */
export interface Login {
  readonly machine: string;
  readonly user: string;
  readonly password: string;
}

/** What GOAUTH asks for, as far as it is understood here. */
export interface Auth {
  /** The logins to choose from. */
  readonly logins: readonly Login[];
  /** What is not understood, or cannot be read. */
  readonly warnings: readonly string[];
}

/**
 * Reads GOAUTH: `netrc` (also where it is empty) or `off`. Its other methods, `git` and commands, are not run;
 * that is said, for a server may then answer 401 to us and not to the go command.
 *
 * @throws {GosumError} `CONFIG_INVALID` where the go command, too, would refuse the value.
 */
export function parseGoauth(setting: Setting, env: Environment): Auth {
  const methods = (setting.value || 'netrc').split(';').map((method) => fields(method));
  const warnings: string[] = [];
  let netrc = false;
  for (const [method] of methods) {
    if (method === undefined) throw invalid(setting, 'it has an empty command');
    if (method === 'off' && methods.length > 1) throw invalid(setting, '`off` stands alone');
    if (method === 'netrc') netrc = true;
    else if (method !== 'off') {
      warnings.push(`GOAUTH (${setting.from}): gosumcheck runs no ${method === 'git' ? 'git' : 'commands'} for credentials, only netrc`);
    }
  }
  return { logins: netrc ? readNetrc(env, warnings) : [], warnings };
}

/**
 * Parses a netrc file. A login is complete with machine, login and password in any order of the last two; macros, and
 * what stands behind `default`, are passed over.
 */
export function parseNetrc(text: string): Login[] {
  const logins: Login[] = [];
  let machine = '';
  let user = '';
  let password = '';
  let inMacro = false;
  for (const line of text.split('\n')) {
    if (inMacro) {
      inMacro = line !== '';
      continue;
    }
    const words = fields(line);
    for (let i = 0; i + 1 < words.length; i += 2) {
      const value = words[i + 1] ?? '';
      switch (words[i]) {
        case 'machine':
          [machine, user, password] = [value, '', ''];
          break;
        case 'login':
          user = value;
          break;
        case 'password':
          password = value;
          break;
        case 'macdef':
          inMacro = true;
          break;
        default:
      }
      if (machine !== '' && user !== '' && password !== '') {
        logins.push({ machine, user, password });
        [machine, user, password] = ['', '', ''];
      }
    }
    if (words.length % 2 === 1 && words.at(-1) === 'default') break;
  }
  return logins;
}

/**
 * The login for `host[:port]/path`: the one whose machine is its longest prefix of whole elements; of equal machines
 * the first.
 */
export function loginFor(logins: readonly Login[], hostAndPath: string): Login | undefined {
  if (logins.length === 0) return undefined;
  for (let prefix = hostAndPath.replace(/\/$/, ''); ; prefix = prefix.slice(0, prefix.lastIndexOf('/'))) {
    const login = logins.find(({ machine }) => machineKey(machine) === prefix);
    if (login !== undefined || !prefix.includes('/')) return login;
  }
}

function machineKey(machine: string): string {
  return machine.replace(/^https:\/\//, '').replace(/\/$/, '');
}

function readNetrc(env: Environment, warnings: string[]): Login[] {
  const file = netrcFile(env);
  if (file === undefined) return [];
  try {
    return parseNetrc(readFileSync(file, 'utf8'));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code !== 'ENOENT') warnings.push(`${file}: cannot be read (${code}), so its credentials are not used`);
    return [];
  }
}

/** NETRC, or .netrc in the user's home; on Windows _netrc is looked for first. */
function netrcFile(env: Environment): string | undefined {
  const named = env.get('NETRC');
  if (named !== undefined) return named;
  const home = homeFolder(env);
  if (home === undefined) return undefined;
  const file = (name: string): string => pathsOf(env).join(home, name);
  return env.platform === 'win32' && existsSync(file('_netrc')) ? file('_netrc') : file('.netrc');
}

function invalid(setting: Setting, detail: string): GosumError {
  return new GosumError('CONFIG_INVALID', `invalid GOAUTH (${setting.from}): ${detail}`, {
    hint: 'GOAUTH is `off`, or `netrc`, git and commands with `;` between them',
  });
}
