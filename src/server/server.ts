/** Databases over HTTP/1.1: GET and HEAD, at the root and under `/sumdb/NAME/`, with a few pages of the server's own. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Database } from '../contract.js';
import { answerOf, CORS, matches, textAnswer, type Answer } from './answers.js';
import { RouteMemory, sendReady } from './ready.js';
import type { Page } from './routes.js';

/** What is served, and how. */
export interface ServerOptions {
  /** The first is served at the root as well. Not empty; each has another name. */
  readonly databases: readonly Database[];
  /** The server's own pages. */
  readonly page: (page: Page) => Answer | Promise<Answer>;
  /** Told of each answer, when it was sent or given up. */
  readonly access?: (access: Access) => void;
  /** Told of a mistake of our own, which was answered with 500. */
  readonly failed?: (error: unknown) => void;
}

/** A request that was answered. */
export interface Access {
  readonly method: string;
  readonly url: string;
  /** The kind of what was asked, such as `lookup`. */
  readonly route: string;
  readonly status: number;
  readonly bytes: number;
  /** Milliseconds. */
  readonly took: number;
}

/** A server that listens. */
export interface RunningServer {
  /** `http://HOST:PORT`. */
  readonly url: string;
  /** Takes no new connections, and resolves when the last answer is sent; after `grace` milliseconds the rest is cut. */
  close(grace?: number): Promise<void>;
}

/** Bytes of all headers of a request. Go's have some 200. */
const MAX_HEADERS = 16 * 1024;
/** Milliseconds for a request's headers, and for all of it. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;
const KEEP_ALIVE = 75_000;

/** Listens at a host and port; port 0 takes a free one. */
export async function listen(host: string, port: number, options: ServerOptions): Promise<RunningServer> {
  const byName = new Map(options.databases.map((database) => [database.name, database]));
  const routes = new RouteMemory([...byName.keys()]);
  const limits = { maxHeaderSize: MAX_HEADERS, headersTimeout: HEADERS_TIMEOUT, requestTimeout: REQUEST_TIMEOUT, keepAliveTimeout: KEEP_ALIVE };

  /** Answers at once where the answer is ready, and says whether it was. */
  const handleReady = (request: IncomingMessage, response: ServerResponse): boolean => {
    const began = performance.now();
    const { method = 'GET', url = '/' } = request;
    if (method !== 'GET' && method !== 'HEAD') return false;
    const route = routes.routeOf(url);
    if (route.kind !== 'database' || route.asked.kind === 'supported') return false;
    const body = byName.get(route.name)?.ready?.(route.asked);
    if (body === undefined) return false;
    const status = sendReady(request, response, route.asked, body);
    options.access?.({ method, url, route: route.asked.kind, status, bytes: body.length, took: performance.now() - began });
    return true;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const began = performance.now();
    const { method = 'GET', url = '/' } = request;
    let kind = 'refused';
    let answer: Answer;
    try {
      const route = routes.routeOf(url);
      if (method === 'OPTIONS') {
        answer = { status: 204, headers: PREFLIGHT, body: new Uint8Array() };
      } else if (method !== 'GET' && method !== 'HEAD') {
        const refusal = textAnswer(405, 'only GET and HEAD\n');
        answer = { ...refusal, headers: { ...refusal.headers, allow: 'GET, HEAD' } };
      } else if (route.kind === 'refused') {
        answer = textAnswer(route.status, `${route.text}\n`);
      } else if (route.kind === 'page') {
        kind = route.page;
        answer = await options.page(route.page);
      } else {
        kind = route.asked.kind;
        const database = byName.get(route.name);
        if (database === undefined) throw new Error(`no database ${route.name}`);
        answer = await answerOf(database, route.asked);
      }
    } catch (error) {
      options.failed?.(error);
      answer = textAnswer(500, 'a mistake of the server\n');
    }
    const status = send(request, response, answer);
    options.access?.({ method, url, route: kind, status, bytes: answer.body.length, took: performance.now() - began });
  };

  const server = createServer(limits, (request, response) => {
    if (!handleReady(request, response)) void handle(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    close: (grace = 10_000) => drain(server, grace),
  };
}

const PREFLIGHT = { ...CORS, 'access-control-allow-methods': 'GET, HEAD', 'access-control-max-age': '86400' };

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): number {
  const { etag } = headers;
  const known = status === 200 && etag !== undefined && matches(request.headers['if-none-match'], etag);
  const sent = known ? 304 : status;
  const all = known ? { ...CORS, ...headers } : { ...CORS, ...headers, 'content-length': String(body.length) };
  response.writeHead(sent, all);
  if (known || request.method === 'HEAD' || sent === 204) response.end();
  else response.end(body);
  return sent;
}

function drain(server: Server, grace: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), grace);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
