/** Servers on this machine for the transport's tests. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { openEnvironment, type Environment, type Variables } from '../../src/config/environment.js';
import { parseGoUrl } from '../../src/config/gourl.js';
import { isGosumError } from '../../src/errors.js';
import { openHttpSource, type HttpOptions, type HttpSource } from '../../src/transport/http.js';
import { gatherer } from '../wait.js';
import { CERTIFICATE, KEY } from './tls.js';

/** A running server. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** Requests so far: method, path, and the headers. */
  readonly requests: { readonly path: string; readonly headers: IncomingMessage['headers'] }[];
  /** Connections so far. */
  connections: number;
  /** Connections that are open now. */
  open(): number;
  /** As many as were open at the busiest time. */
  mostOpen: number;
  /** Requests being answered at the busiest time. */
  busiest: number;
  /** Breaks all connections. */
  drop(): void;
  close(): Promise<void>;
}

/** What ends with a test. */
interface Teardown {
  teardown(run: () => unknown): void;
}

/** A handler of plain HTTP/1.1, which the HTTP/2 server calls in the same way. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers each request with its path, those that come at a time together: only once all of them are there. */
export function together(): Handler {
  const gathered = gatherer();
  return (request, response) => void gathered().then(() => response.end(request.url));
}

/** Serves plain HTTP/1.1. */
export function servePlain(t: Teardown, handler: Handler): Promise<TestServer & { http: http.Server }> {
  return serve(t, 'http', (listener) => http.createServer(listener), handler);
}

/** Serves HTTP/1.1 over TLS. */
export function serveTls(t: Teardown, handler: Handler): Promise<TestServer & { http: https.Server }> {
  return serve(t, 'https', (listener) => https.createServer({ key: KEY, cert: CERTIFICATE }, listener), handler);
}

/** Serves HTTP/2 over TLS, with as many streams on a connection as Go's server allows. */
export function serveHttp2(t: Teardown, handler: Handler, streams = 250): Promise<TestServer & { http: http2.Http2SecureServer }> {
  const settings = { maxConcurrentStreams: streams };
  const create = (listener: RequestListener): http2.Http2SecureServer =>
    http2.createSecureServer({ key: KEY, cert: CERTIFICATE, settings, allowHTTP1: true }, (request, response) => {
      listener(request as unknown as IncomingMessage, response as unknown as ServerResponse & { req: IncomingMessage });
    });
  return serve(t, 'https', create, handler);
}

/** An HTTP proxy: tunnels, and plain requests answered by itself. It wants `authorization`, where given. */
export async function serveProxy(t: Teardown, authorization?: string, serveIt: typeof servePlain | typeof serveTls = servePlain): Promise<TestServer> {
  const server = await serveIt(t, (request, response) => {
    response.end(`by proxy: ${request.url ?? ''} ${request.headers['proxy-authorization'] ?? ''}`);
  });
  server.http.on('connect', (request: IncomingMessage, client: Socket) => {
    server.requests.push({ path: `CONNECT ${request.url ?? ''}`, headers: request.headers });
    if (authorization !== undefined && request.headers['proxy-authorization'] !== authorization) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    // names of tests lead to this machine, too
    const target = net.connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      target.pipe(client).pipe(target);
    });
    target.on('error', () => client.destroy());
    client.on('error', () => target.destroy());
  });
  return server;
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** An environment that trusts the test servers' certificate. */
export function testEnv(variables: Variables = {}): Environment {
  return openEnvironment({ SSL_CERT_FILE: certificateFile(), ...variables }, 'linux');
}

let folder: string | undefined;

/** The certificate as a file; not in a test's own folder, which a second use in the same test would empty. */
function certificateFile(): string {
  if (folder === undefined) {
    const made = mkdtempSync(path.join(tmpdir(), 'gosumcheck-test-'));
    process.once('exit', () => rmSync(made, { recursive: true }));
    writeFileSync(path.join(made, 'ca.pem'), CERTIFICATE);
    folder = made;
  }
  return path.join(folder, 'ca.pem');
}

/** Opens a source, closed when the test ends. */
export function openSource(t: Teardown, url: string, options: HttpOptions): HttpSource {
  const source = openHttpSource(parseGoUrl(url), options);
  t.teardown(() => source.close());
  return source;
}

/** The text that a read gives, or the code of its error. */
export async function outcome(read: Promise<Uint8Array | undefined>): Promise<string> {
  try {
    return Buffer.from((await read) ?? []).toString();
  } catch (error) {
    if (isGosumError(error)) return error.code;
    throw error;
  }
}

type AnyServer = http.Server | https.Server | http2.Http2SecureServer;

async function serve<S extends AnyServer>(
  t: Teardown,
  scheme: string,
  create: (listener: RequestListener) => S,
  handler: Handler,
): Promise<TestServer & { http: S }> {
  let busy = 0;
  const listener: RequestListener = (request, response) => {
    served.requests.push({ path: request.url ?? '', headers: request.headers });
    served.busiest = Math.max(served.busiest, ++busy);
    response.once('close', () => busy--);
    handler(request, response);
  };
  const server = create(listener);
  const sockets = new Set<Duplex>();
  server.on('connection', (socket: Duplex) => {
    served.connections++;
    sockets.add(socket);
    served.mostOpen = Math.max(served.mostOpen, sockets.size);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const served = {
    http: server,
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    requests: [] as TestServer['requests'],
    connections: 0,
    open: () => sockets.size,
    mostOpen: 0,
    busiest: 0,
    drop(): void {
      for (const socket of sockets) socket.destroy();
    },
    async close(): Promise<void> {
      this.drop();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  t.teardown(() => served.close());
  return served;
}
