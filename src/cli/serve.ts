/** `gosumcheck serve`. */

import type { Mirror } from '../mirror/mirror.js';
import { textAnswer, type Answer } from '../server/answers.js';
import { listen } from '../server/server.js';
import type { Page } from '../server/routes.js';
import { openStore } from '../store/open.js';
import { onAbort } from '../transport/abort.js';
import { packageVersion, print, say, type Host } from './host.js';
import { readServeConfig, type ServeOptions } from './serveconfig.js';
import { openDatabases } from './servedatabase.js';

/** Serves mirrors until a person ends it. */
export async function serveCommand(host: Host, options: ServeOptions): Promise<number> {
  const config = await readServeConfig(host, options);
  const notice = (text: string): void => void say(host, text);
  const { store, notice: which } = await openStore({ file: config.data });
  if (which !== undefined) notice(which);
  try {
    const databases = await openDatabases(host, config, { store, notice });
    const [first] = databases;
    if (first === undefined) throw new Error('no database');
    try {
      const server = await listen(config.listen.host, config.listen.port, {
        databases: databases.map(({ mirror }) => mirror),
        page: (page) => pageOf(page, first.mirror),
        failed: (error) => void say(host, `a mistake in gosumcheck itself, please report it: ${String(error)}`),
      });
      try {
        await print(host, `listening on ${server.url}\n`);
        const look = (): void => databases.forEach(({ mirror }) => void mirror.refresh().catch(notice));
        const poll = setInterval(look, config.poll);
        await new Promise<void>((resolve) => onAbort(host.interrupted, resolve));
        clearInterval(poll);
      } finally {
        await server.close();
      }
      return 0;
    } finally {
      for (const { source } of databases) await source.close();
    }
  } finally {
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
