/**
 * `--workers N`: processes on one data file that share one address (node:cluster), and their parent, which starts again
 * whoever dies.
 *
 * Each has its own memory, single flights, limits and look for newer heads; what one has proved the others find on disk.
 */

import cluster, { type Worker } from 'node:cluster';
import { GosumError } from '../errors.js';
import { openLog } from '../server/log.js';
import { metricsOfAll } from '../server/metrics.js';
import { onAbort } from '../transport/abort.js';
import { print, type Host } from './host.js';
import type { ServeConfig } from './serveconfig.js';
import type { Member } from './serveuntil.js';

/** What parent and worker say to each other. */
type Message =
  | { readonly gosumcheck: 'listening'; readonly url: string }
  | { readonly gosumcheck: 'metrics?'; readonly ask: number }
  | { readonly gosumcheck: 'metrics'; readonly ask: number; readonly text: string };

/** Milliseconds between the death of a worker and the start of the next, while they die young. */
const RESTART_PAUSE = 1000;
/** Milliseconds that a worker has for its last answers; a little longer than it gives itself. */
const GRACE = 15_000;
/** Milliseconds that the sum of all metrics may take. */
const METRICS_TIMEOUT = 6000;

/** Runs the workers until a person ends it. Exit code 0; 2 where not even the first could begin. */
export async function superviseWorkers(host: Host, config: ServeConfig): Promise<number> {
  const log = openLog(host.stderr, config.logLevel, { worker: 0 });
  const ofAll = await metricsOfAll();
  let ending = false;
  let said = false;
  let exitCode = 0;
  const alive = new Set<Worker>();
  const start = (): void => {
    const worker = cluster.fork();
    alive.add(worker);
    worker.on('message', (message: Message) => {
      if (message.gosumcheck === 'listening' && !said) {
        said = true;
        void print(host, `listening on ${message.url}\n`);
      } else if (message.gosumcheck === 'metrics?') {
        const { ask } = message;
        const answer = (text: string): void => {
          if (worker.isConnected()) worker.send({ gosumcheck: 'metrics', ask, text } satisfies Message);
        };
        ofAll().then(answer, (error: unknown) => answer(`# ${String(error)}\n`));
      }
    });
  };

  const ended = new Promise<number>((resolve) => {
    const done = (): void => {
      if (alive.size === 0) resolve(exitCode);
    };
    cluster.on('exit', (worker, code, signal) => {
      alive.delete(worker);
      if (!said && !ending) {
        // one that cannot even begin would not the next time: its reason is said already
        exitCode = code || 2;
        ending = true;
        for (const other of alive) other.process.kill('SIGTERM');
      }
      if (ending) {
        done();
        return;
      }
      log.error({ pid: worker.process.pid, code, signal }, 'a worker died and is started again');
      setTimeout(() => {
        if (!ending) start();
      }, RESTART_PAUSE);
    });
    onAbort(host.interrupted, () => {
      ending = true;
      log.info('draining');
      for (const worker of alive) worker.process.kill('SIGTERM');
      setTimeout(() => {
        for (const worker of alive) worker.process.kill('SIGKILL');
      }, GRACE).unref();
      done();
    });
  });
  const renew = (): void => {
    for (const worker of alive) worker.process.kill('SIGHUP');
  };
  if (config.tls !== undefined) process.on('SIGHUP', renew);
  for (let i = 0; i < config.workers; i++) start();
  return ended.finally(() => process.off('SIGHUP', renew));
}

/** This process as one of several. */
export function memberOf(worker: Worker): Member {
  let asked = 0;
  const waiting = new Map<number, (text: string) => void>();
  process.on('message', (message: Message) => {
    if (message.gosumcheck === 'metrics') waiting.get(message.ask)?.(message.text);
  });
  return {
    worker: worker.id,
    listening: (url) => void worker.send({ gosumcheck: 'listening', url } satisfies Message),
    metrics: () =>
      new Promise((resolve, reject) => {
        const ask = asked++;
        const timer = setTimeout(() => {
          waiting.delete(ask);
          reject(new GosumError('TIMEOUT', 'the other processes did not say their metrics'));
        }, METRICS_TIMEOUT);
        waiting.set(ask, (text) => {
          clearTimeout(timer);
          waiting.delete(ask);
          resolve(text);
        });
        worker.send({ gosumcheck: 'metrics?', ask } satisfies Message);
      }),
  };
}
