/** `gosumcheck serve`. */

import cluster from 'node:cluster';
import type { Host } from './host.js';
import { readServeConfig, type ServeOptions } from './serveconfig.js';
import { serveOne } from './serveone.js';
import { memberOf, superviseWorkers } from './serveworkers.js';

/** Serves mirrors until a person ends it. A worker is this same command, started by its parent. */
export async function serveCommand(host: Host, options: ServeOptions): Promise<number> {
  const config = await readServeConfig(host, options);
  if (cluster.worker !== undefined) return serveOne(host, config, memberOf(cluster.worker));
  return config.workers === 1 ? serveOne(host, config) : superviseWorkers(host, config);
}
