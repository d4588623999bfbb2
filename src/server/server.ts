/** Databases over HTTP/1.1, at the root and under `/sumdb/NAME/`, with a few pages of the server's own. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Caller, Database } from '../contract.js';
import { MAX_BULK_QUERY } from '../core/bulkform.js';
import { answerOf, CORS, matches, textAnswer, type Answer } from './answers.js';
import { readBody } from './body.js';
import { KEEP_ALIVE, linesOf, Pieces } from './piece.js';
import { answerAtOnce, RouteMemory, type ReadyAnswer } from './ready.js';
import { nameRequest, type RequestName } from './requestid.js';
import { routeOf, type Asked, type Page } from './routes.js';

/** A certificate and its key, PEM. */
export interface TlsFiles {
  readonly cert: string | Uint8Array;
  readonly key: string | Uint8Array;
}

/** What is served, and how. */
export interface ServerOptions {
  /** The first is served at the root as well. Each has another name. With none there are pages alone. */
  readonly databases: readonly Database[];
  /** The server's own pages. */
  readonly page: (page: Page, request: PageRequest) => Answer | Promise<Answer>;
  /** Serves https. */
  readonly tls?: TlsFiles | undefined;
  /** Connections that are open at a time; more are dropped. */
  readonly maxConnections?: number;
  /** Milliseconds after which a connection on which nothing moves is dropped: its client reads no more. */
  readonly stalled?: number;
  /** Asked for leave before anything is read upstream for this client's sake. See limits.ts. */
  readonly admit?: ((address: string) => Promise<void>) | undefined;
  /** Told of each answer: the kind of what was asked, the status, and how many milliseconds it took. */
  readonly measured?: ((route: string, status: number, took: number) => void) | undefined;
  /** Told of each answer, in full. */
  readonly access?: ((access: Access) => void) | undefined;
  /** Told of a mistake of our own, which was answered with 500. */
  readonly failed?: (error: unknown) => void;
}

/** What a page may know of a request. */
export interface PageRequest {
  /** The `host` header: attacker-controlled. */
  readonly host?: string | undefined;
  /** The `accept` header: attacker-controlled. */
  readonly accept?: string | undefined;
}

/** A request that was answered. */
export interface Access {
  /** See requestid.ts. */
  readonly id: string;
  readonly trace: string | undefined;
  readonly method: string;
  /** As it came: attacker-controlled, and perhaps with a private module's name in it. */
  readonly url: string;
  /** The kind of what was asked, such as `lookup`. */
  readonly route: string;
  /** What was asked of which database. */
  readonly database: string | undefined;
  readonly asked: Asked | undefined;
  readonly status: number;
  /** Of the body that was sent. */
  readonly bytes: number;
  /** Milliseconds. */
  readonly took: number;
  /** Address of the client. */
  readonly client: string;
}

/** A server that listens. */
export interface RunningServer {
  /** `http://HOST:PORT`, or `https://`. */
  readonly url: string;
  /** Takes another certificate for new connections. */
  renew(tls: TlsFiles): void;
  /** Takes no new connections, and resolves when the last answer is sent; after `grace` milliseconds the rest is cut. */
  close(grace?: number): Promise<void>;
}

/** Bytes of all headers of a request. Go's have some 200. */
const MAX_HEADERS = 16 * 1024;
/** Milliseconds for a request's headers, and for all of it. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;
/** Longer than any answer from upstream takes. */
const STALLED = 120_000;

/** Listens at a host and port; port 0 takes a free one. */
export async function listen(host: string, port: number, options: ServerOptions): Promise<RunningServer> {
  const byName = new Map(options.databases.map((database) => [database.name, database]));
  const routes = new RouteMemory([...byName.keys()]);
  const pieces = new Pieces();
  const limits = { maxHeaderSize: MAX_HEADERS, headersTimeout: HEADERS_TIMEOUT, requestTimeout: REQUEST_TIMEOUT, keepAliveTimeout: KEEP_ALIVE };

  const { admit, measured, access, tls } = options;
  let closing = false;

  const nameOf = ({ headers }: IncomingMessage): RequestName | undefined =>
    access !== undefined || headers['x-request-id'] !== undefined ? nameRequest(headers) : undefined;

  /** Answers at once where the answer is ready, and says whether it was. */
  const handleReady = (request: IncomingMessage, response: ServerResponse): boolean => {
    const began = performance.now();
    const { method = 'GET', url = '/' } = request;
    if (!isReading(method)) return false;
    const route = routes.routeOf(url);
    if (route.kind !== 'database') return false;
    const { asked, name } = route;
    if (asked.kind !== 'lookup' && asked.kind !== 'tile') return false;
    const database = byName.get(name);
    const ready = database?.ready?.(asked);
    const body = ready ?? database?.now?.(asked);
    if (body === undefined) return false;
    const answer = answerAtOnce(name, asked, body, ready !== undefined);
    const named = nameOf(request);
    if (closing) response.shouldKeepAlive = false;
    const sent = send(request, response, pieces, answer, named?.id);
    const took = performance.now() - began;
    measured?.(asked.kind, sent.status, took);
    if (named !== undefined) access?.({ ...named, ...sent, method, url, route: asked.kind, database: name, asked, took, client: request.socket.remoteAddress ?? '' });
    return true;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const began = performance.now();
    const { method = 'GET', url = '/', socket } = request;
    const client = socket.remoteAddress ?? '';
    let kind = 'refused';
    let asked: Asked | undefined;
    let name: string | undefined;
    let answer: Answer;
    try {
      const route = isReading(method) ? routes.routeOf(url) : routeOf(url, [...byName.keys()], method);
      if (method === 'OPTIONS') {
        answer = NO_CONTENT;
      } else if (route.kind === 'refused') {
        const refusal = textAnswer(route.status, `${route.text}\n`);
        answer = route.status === 405 ? { ...refusal, headers: { ...refusal.headers, allow: route.allow } } : refusal;
      } else if (route.kind === 'page') {
        kind = route.page;
        answer = await options.page(route.page, request.headers);
      } else {
        ({ asked, name } = route);
        kind = asked.kind;
        const database = byName.get(name);
        if (database === undefined) throw new Error(`no database ${name}`);
        const caller: Caller | undefined = admit === undefined ? undefined : { admit: () => admit(client) };
        answer = await answerTo(request, database, asked, caller);
      }
    } catch (error) {
      options.failed?.(error);
      answer = textAnswer(500, 'a mistake of the server\n');
    }
    const named = nameOf(request);
    if (closing) response.shouldKeepAlive = false;
    const { status, bytes } = send(request, response, pieces, answer, named?.id);
    const took = performance.now() - began;
    measured?.(kind, status, took);
    if (named !== undefined) access?.({ ...named, method, url, route: kind, database: name, asked, status, bytes, took, client });
  };

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (!handleReady(request, response)) void handle(request, response);
  };
  const server = tls === undefined ? createServer(limits, onRequest) : createTlsServer({ ...limits, ...pemOf(tls) }, onRequest);
  server.maxConnections = options.maxConnections ?? Infinity;
  server.timeout = options.stalled ?? STALLED;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    renew: (files) => {
      if (tls !== undefined) (server as TlsServer).setSecureContext(pemOf(files));
    },
    close: (grace = 10_000) => {
      closing = true;
      pieces.flush(); // before connections without an answer to come are closed
      return drain(server, grace);
    },
  };
}

function isReading(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** The answer; of a bulk query once its body was read. What is refused unread ends the connection. */
async function answerTo(request: IncomingMessage, database: Database, asked: Asked, caller: Caller | undefined): Promise<Answer> {
  if (asked.kind !== 'bulk') return answerOf(database, asked, caller);
  const body = await readBody(request, MAX_BULK_QUERY);
  if (typeof body !== 'number') return answerOf(database, asked, caller, body);
  const refusal = textAnswer(body, body === 413 ? `more than ${MAX_BULK_QUERY} bytes\n` : 'no whole body\n');
  return { ...refusal, headers: { ...refusal.headers, connection: 'close' } };
}

function pemOf({ cert, key }: TlsFiles): { cert: string | Buffer; key: string | Buffer } {
  const pem = (text: string | Uint8Array): string | Buffer => (typeof text === 'string' ? text : Buffer.from(text));
  return { cert: pem(cert), key: pem(key) };
}

const PREFLIGHT = { 'access-control-allow-methods': 'GET, HEAD', 'access-control-max-age': '86400' };
const NO_CONTENT: Answer = { status: 204, headers: PREFLIGHT, body: new Uint8Array() };

/** What was sent. */
interface Sent {
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
}

/** Sends an answer; of one that the client has only that. */
function send(request: IncomingMessage, response: ServerResponse, pieces: Pieces, answer: Answer & Partial<ReadyAnswer>, id: string | undefined): Sent {
  const { status, headers, body } = answer;
  const condition = request.headers['if-none-match'];
  const known = status === 200 && condition !== undefined && headers.etag !== undefined && matches(condition, headers.etag);
  if (status === 200 && !known && request.method === 'GET' && pieces.send(response, answer.lines ?? linesOf(answer), body, id)) {
    return { status, bytes: body.length };
  }
  const length = known || status === 204 ? {} : { 'content-length': String(body.length) };
  const named = id === undefined ? {} : { 'x-request-id': id };
  response.writeHead(known ? 304 : status, { ...CORS, ...headers, ...length, ...named });
  if (known || request.method === 'HEAD' || status === 204) {
    response.end();
    return { status: known ? 304 : status, bytes: 0 };
  }
  response.end(body);
  return { status, bytes: body.length };
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
