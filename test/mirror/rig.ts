/** A mirror of a served test log, served itself, with a way to cut it off. */

import type { Database, Source, Store } from '../../src/contract.js';
import { Mirror, type MirrorOptions } from '../../src/mirror/mirror.js';
import { textAnswer } from '../../src/server/answers.js';
import { listen, type Access } from '../../src/server/server.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { serveLog, type ServedLog, type TestLog } from '../../src/testing/index.js';
import { openRemote } from '../../src/transport/remote.js';
import { readSettings } from '../../src/config/settings.js';
import { openEnvironment } from '../../src/config/environment.js';

/** How a client asks a mirror. */
export type Layout = 'root' | 'proxy';

/** What a mirror's rig may have in another way. */
export interface MirrorRigOptions extends Partial<MirrorOptions> {
  /** What is served in place of the mirror. */
  readonly bend?: (mirror: Mirror) => Database;
}

/** A mirror, and what is before and behind it. */
export interface MirrorRig {
  readonly log: TestLog;
  readonly upstream: ServedLog;
  readonly mirror: Mirror;
  readonly store: Store;
  readonly url: string;
  readonly notices: string[];
  /** What was answered, and when, in milliseconds of `performance.now`. */
  readonly accesses: (Access & { readonly ended: number })[];
  /** Answers every request of the mirror with 404 from now on, or no more. */
  cut(yes?: boolean): void;
  /** A client's way to the mirror: by its own URL, or as a module proxy. */
  way(layout?: Layout): Promise<Source>;
  /** Requests upstream since the last call. */
  asked(): string[];
  close(): Promise<void>;
}

/** Opens a mirror of a log. */
export async function newMirrorRig(log: TestLog, store: Store = openMemoryStore(), options: MirrorRigOptions = {}): Promise<MirrorRig> {
  const upstream = await serveLog(log);
  const source = await wayTo(upstream.url, log);
  const notices: string[] = [];
  const mirror = new Mirror({ key: log.key, source, store, notice: (text) => notices.push(text), ...options });
  const accesses: (Access & { readonly ended: number })[] = [];
  const server = await listen('127.0.0.1', 0, {
    databases: [options.bend?.(mirror) ?? mirror],
    page: () => textAnswer(200, ''),
    access: (access) => accesses.push({ ...access, ended: performance.now() }),
    failed: (error) => {
      throw error;
    },
  });
  const ways: Source[] = [source];
  let seen = 0;
  return {
    log,
    upstream,
    mirror,
    store,
    url: server.url,
    notices,
    accesses,
    cut(yes = true) {
      upstream.answer = yes ? () => textAnswer(404, '') : (_, answer) => answer;
    },
    async way(layout = 'root') {
      const way = await wayTo(server.url, log, layout);
      ways.push(way);
      return way;
    },
    asked() {
      const since = upstream.requests.slice(seen);
      seen = upstream.requests.length;
      return since;
    },
    async close() {
      for (const way of ways) await way.close();
      await server.close(0);
      await upstream.close();
    },
  };
}

/** A client's way to a server. */
export async function wayTo(url: string, log: TestLog, layout: Layout = 'root', timeout = 60_000, concurrency?: number): Promise<Source> {
  const { env, sumdb, proxies, httpProxy } = await readSettings({
    env: openEnvironment(layout === 'root' ? {} : { GOPROXY: url, GOENV: 'off' }),
    sumdb: { value: layout === 'root' ? `${log.vkey} ${url}` : log.vkey, from: 'test' },
  });
  return openRemote({ env, sumdb, proxies, httpProxy, timeout, ...(concurrency === undefined ? {} : { concurrency }) });
}
