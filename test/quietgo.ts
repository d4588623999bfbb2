/** The go command in a home of a test's own. */

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { configFolder, openEnvironment, type Variables } from '../src/config/environment.js';

/**
 * Switches telemetry off in the home that these variables name, which has to be a test's own. Otherwise the go command
 * leaves a process behind that writes there when the test is over and its folder is being removed.
 */
export function withoutTelemetry<V extends Variables>(variables: V): V {
  const folder = configFolder(openEnvironment(variables));
  if (folder === undefined) throw new Error('these variables name no home');
  mkdirSync(path.join(folder, 'go', 'telemetry'), { recursive: true });
  writeFileSync(path.join(folder, 'go', 'telemetry', 'mode'), 'off');
  return variables;
}

/**
 * The environment of a go command that knows nothing of this machine but its PATH: all its caches are in `home`, and
 * telemetry is off.
 */
export function goHome(home: string, settings: Readonly<Record<string, string>>): Readonly<Record<string, string | undefined>> {
  return withoutTelemetry({
    PATH: process.env.PATH,
    SystemRoot: process.env.SystemRoot,
    HOME: home,
    USERPROFILE: home,
    AppData: home,
    GOPATH: path.join(home, 'go'),
    GOCACHE: path.join(home, 'cache'),
    GOENV: 'off',
    GOTOOLCHAIN: 'local',
    GOFLAGS: '-mod=mod -modcacherw',
    GOWORK: 'off',
    ...settings,
  });
}
