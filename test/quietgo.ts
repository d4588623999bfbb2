/** The go command without its telemetry. */

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
