/**
 * A real server on loopback for any `Database`: HTTP/1.1, TLS, or HTTP/2 over TLS; at its root, as a database, and under
 * `/sumdb/NAME/`, as a module proxy has it. A hook sees each answer before it goes out, and may bend it.
 *
 * It holds no process open: a test that forgets to close it ends all the same.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { constants, createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Database } from '../contract.js';
import { answerOf, textAnswer, type Answer, type Request } from './answer.js';

/** Sees each request with the answer that is due, and gives the answer that goes out. May wait. */
export type Bend = (request: Request, answer: Answer) => Answer | Promise<Answer>;

/** How a log is served. */
export interface ServeOptions {
  /** Certificate and key, PEM: serves https. See certificate.ts. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Offers HTTP/2 beside HTTP/1.1. Needs `tls`. */
  readonly http2?: boolean;
  /** Bends answers. By default all are true. */
  readonly answer?: Bend;
}

/** A log that is being served. */
export interface ServedLog {
  /** `http://127.0.0.1:PORT` or `https://…`, without a slash at its end. */
  readonly url: string;
  /** The requests so far, in the order of their coming: paths as they came, with the base. */
  readonly requests: string[];
  /** The connections taken so far. */
  readonly connections: number;
  /** Bends answers from now on. */
  answer: Bend;
  /** Stops, and drops all connections. */
  close(): Promise<void>;
}

/** Serves a database on 127.0.0.1, at a port of the system's choice. */
export async function serveLog(database: Database, options: ServeOptions = {}): Promise<ServedLog> {
  const { tls, http2 = false } = options;
  if (http2 && tls === undefined) throw new Error('HTTP/2 needs a certificate');
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;

  const handle = (request: AnyRequest, response: AnyResponse): void => {
    const url = request.url ?? '/';
    requests.push(url);
    const seen = { method: request.method ?? 'GET', path: behindBase(url, database.name), url, headers: request.headers };
    respond(seen, response).catch((error: unknown) => {
      // A bend that throws is a mistake of the test: say so where the client shows it.
      if (!response.headersSent) send(seen, response, textAnswer(500, `the test's own server failed: ${String(error)}\n`));
      else response.destroy();
    });
  };
  const respond = async (request: Request, response: AnyResponse): Promise<void> => {
    const known = request.method === 'GET' || request.method === 'HEAD';
    const answer = known ? await answerOf(database, request.path) : textAnswer(405, 'only GET and HEAD\n');
    const bent = await served.answer(request, answer);
    if (!response.destroyed) send(request, response, bent);
  };

  const server: Server =
    tls === undefined
      ? createServer(handle)
      : http2
        ? createSecureServer({ ...tls, allowHTTP1: true }, handle)
        : createTlsServer(tls, handle);
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.unref();
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();

  const served: ServedLog = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get connections() {
      return connections;
    },
    answer: options.answer ?? ((_, answer) => answer),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return served;
}

type AnyRequest = IncomingMessage | Http2ServerRequest;
type AnyResponse = ServerResponse | Http2ServerResponse;

/** The path behind the base of a module proxy, where it has that. */
export function behindBase(url: string, name: string): string {
  const base = `/sumdb/${name}/`;
  return url.startsWith(base) ? url.slice(base.length - 1) : url;
}

function send(request: Request, response: AnyResponse, { status, headers, body, dropAfter }: Answer): void {
  if (dropAfter === 0) {
    drop(response, false);
    return;
  }
  response.statusCode = status;
  for (const [name, value] of Object.entries({ 'content-length': String(body.length), ...headers })) {
    response.setHeader(name, value);
  }
  if (request.method === 'HEAD') response.end();
  else if (dropAfter === undefined) response.end(body);
  else write(response, body.subarray(0, dropAfter), () => drop(response, true));
}

// The two kinds of response have each an own form of the same method, which TypeScript does not call on their union.
function write(response: AnyResponse, bytes: Uint8Array, then: () => void): void {
  if ('stream' in response) response.write(bytes, then);
  else response.write(bytes, then);
}

/** Drops the connection: behind a part of a body by an end, else by a reset, which could take the part away again. */
function drop(response: AnyResponse, answered: boolean): void {
  if ('stream' in response) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else if (answered) response.socket?.destroy();
  else response.socket?.resetAndDestroy();
}
