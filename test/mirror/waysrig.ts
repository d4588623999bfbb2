/** Several ways to one log, each over a server of its own that may lie, and a mirror by all of them. */

import { request as httpRequest } from 'node:http';
import type { Source, Store } from '../../src/contract.js';
import { Mirror } from '../../src/mirror/mirror.js';
import { openWays, type Ways, type WaysOptions } from '../../src/mirror/ways.js';
import { textAnswer } from '../../src/server/answers.js';
import { listen } from '../../src/server/server.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { serveLog, type ServedLog, type TestLog } from '../../src/testing/index.js';
import { openHttpSource } from '../../src/transport/http.js';
import { parseGoUrl } from '../../src/config/gourl.js';

/** Short pauses, so that tests are; and all the time that a busy machine needs to answer. */
export const QUICK: WaysOptions = { pause: 20, longestPause: 100, patience: 60_000 };

/** What is behind a mirror, and its own server. */
export interface WaysRig {
  readonly upstreams: readonly ServedLog[];
  readonly ways: Ways;
  readonly mirror: Mirror;
  readonly store: Store;
  readonly url: string;
  close(): Promise<void>;
}

/** A way over HTTP. */
export function wayTo(url: string, timeout = 60_000): Source {
  return openHttpSource(parseGoUrl(url), { timeout });
}

/**
 * Serves each of the databases, and a mirror with a way to each. The first one's key is the mirror's.
 *
 * @param options with the `timeout` of the first way, where it is to be short; the others are honest, and may be slow.
 */
export async function newWaysRig(
  logs: readonly [TestLog, ...TestLog[]],
  { store = openMemoryStore(), timeout, ...options }: WaysOptions & { store?: Store; timeout?: number } = {},
): Promise<WaysRig> {
  const upstreams = await Promise.all(logs.map((log) => serveLog(log)));
  const ways = openWays(upstreams.map(({ url }, i) => wayTo(url, i === 0 ? timeout : undefined)), { ...QUICK, ...options });
  const mirror = new Mirror({ key: logs[0].key, source: ways, store });
  const server = await listen('127.0.0.1', 0, {
    databases: [mirror],
    page: () => textAnswer(200, ''),
    failed: (error) => {
      throw error;
    },
  });
  return {
    upstreams,
    ways,
    mirror,
    store,
    url: server.url,
    async close() {
      await server.close(0);
      await ways.close();
      await Promise.all(upstreams.map((upstream) => upstream.close()));
    },
  };
}

/** Asks a server for a path as it is, which `fetch` would rewrite. */
export function get(url: string): Promise<{ status: number; body: Uint8Array }> {
  return new Promise((resolve, reject) => {
    httpRequest(url, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: new Uint8Array(Buffer.concat(parts)) }));
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}
