/** `gosumcheck serve`. */

import path from 'node:path';
import { readSettings } from '../config/settings.js';
import { GosumError } from '../errors.js';
import { Mirror } from '../mirror/mirror.js';
import { textAnswer, type Answer } from '../server/answers.js';
import { listen } from '../server/server.js';
import type { Page } from '../server/routes.js';
import { openServerStore } from '../store/server.js';
import { onAbort } from '../transport/abort.js';
import { packageVersion, print, say, type Host } from './host.js';
import { openSource } from './wire.js';

/** Options of the command line. */
export interface ServeOptions {
  /** `HOST:PORT`. */
  readonly listen: string;
  /** The data file. */
  readonly data: string;
  readonly sumdb?: string;
  /** Milliseconds of each request upstream. */
  readonly timeout: number;
  /** Milliseconds between two looks for a newer head; 0 for none. */
  readonly poll: number;
}

/** Serves a mirror until a person ends it. */
export async function serveCommand(host: Host, options: ServeOptions): Promise<number> {
  const { sumdb } = options;
  const settings = await readSettings({ env: host.env, sumdb: sumdb === undefined ? undefined : { value: sumdb, from: '--sumdb' } });
  const at = parseListen(options.listen);
  const notice = (text: string): void => void say(host, text);
  for (const warning of settings.warnings) notice(warning);
  const store = await openServerStore({ file: path.resolve(host.cwd, options.data), keys: [settings.sumdb.key], notice });
  const source = openSource(settings, options);
  const { privateModules } = settings;
  const mirror = new Mirror({ key: settings.sumdb.key, source, store, notice, skippedBy: (module) => privateModules.skippedBy(module) });
  try {
    await mirror.open();
    const server = await listen(at.host, at.port, {
      databases: [mirror],
      page: (page) => pageOf(page, mirror),
      failed: (error) => void say(host, `a mistake in gosumcheck itself, please report it: ${String(error)}`),
    });
    try {
      await print(host, `listening on ${server.url}\n`);
      const poll = options.poll === 0 ? undefined : setInterval(() => void mirror.refresh().catch(notice), options.poll);
      await new Promise<void>((resolve) => onAbort(host.interrupted, resolve));
      clearInterval(poll);
    } finally {
      await server.close();
    }
    return 0;
  } finally {
    await source.close();
    await store.close();
  }
}

function pageOf(page: Page, mirror: Mirror): Answer {
  const { head, forked, failure } = mirror.state;
  const tree = head === undefined ? 'no tree head yet' : `tree ${head.size}`;
  switch (page) {
    case 'healthz':
      return textAnswer(200, 'alive\n');
    case 'readyz': {
      const words = [tree, ...(forked ? ['the log was seen to misbehave'] : []), ...(failure === undefined ? [] : [`upstream: ${failure.message}`])];
      return textAnswer(head === undefined ? 503 : 200, `${words.join('\n')}\n`);
    }
    case 'version':
      return textAnswer(200, `gosumcheck ${packageVersion()}\n`);
    default:
      return textAnswer(200, `A verifying mirror of ${mirror.name} (${tree}).\n`);
  }
}

function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new GosumError('CONFIG_INVALID', `--listen ${text}: want HOST:PORT`, { hint: 'such as 127.0.0.1:8080, or 0.0.0.0:8080 for all' });
  }
  return { host: match[1] ?? match[2] ?? '', port };
}
