/** Opens connections: straight or through an HTTP proxy, plain or with TLS. */

import net, { type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import tls, { type TLSSocket } from 'node:tls';
import type { ProxyChoice } from '../config/httpproxy.js';
import { redactUrl, type GoUrl } from '../config/gourl.js';
import type { TrustedRoots } from './roots.js';
import { isUnknownIssuer } from './sourceerror.js';
import { bracket, targetOf, type HttpTarget } from './target.js';

/** A server, as far as connections to it go. */
export type Server = Pick<HttpTarget, 'secure' | 'hostname' | 'port'>;

/** What all connections of a run have in common. */
export interface DialOptions {
  readonly roots: TrustedRoots;
  readonly proxyFor: ProxyChoice;
  /** Milliseconds until a connection, TLS included, has to stand. */
  readonly timeout: number;
}

/** A socket on its way, or a request for a tunnel. */
interface Pending {
  destroy(error: Error): unknown;
}

/** Opens connections, and counts them. */
export class Dialer {
  readonly #options: DialOptions;
  /** TLS sessions to go on with, by server: of 64 connections over HTTP/1.1 only the first has to check certificates. */
  readonly #sessions = new Map<string, Buffer>();
  /** What is being connected. */
  readonly #pending = new Set<Pending>();
  #closed = false;
  /** Connections opened to servers and proxies. */
  connections = 0;

  constructor(options: DialOptions) {
    this.#options = options;
  }

  /** The proxy that requests to the server go through. @throws {GosumError} `CONFIG_INVALID`, see `httpProxies`. */
  proxyOf(server: Server): GoUrl | undefined {
    return this.#options.proxyFor(server);
  }

  /**
   * Opens a connection to the server itself, through a tunnel where a proxy is set and TLS is spoken; plain requests
   * are sent to the proxy, and so is this connection.
   *
   * @param protocols for TLS, what to offer (ALPN): `h2`, `http/1.1`.
   * @returns a connected socket; for TLS its `alpnProtocol` says what was chosen.
   */
  async dial(server: Server, protocols: readonly string[]): Promise<Socket> {
    const proxy = this.proxyOf(server);
    if (!server.secure) return this.#open(proxy === undefined ? server : proxyTarget(proxy));
    const { roots } = this.#options;
    const { isWide } = roots;
    try {
      return await this.#dialSecure(server, proxy, protocols);
    } catch (error) {
      // of several at a time, the first to fail has the roots widened for all
      if (!isUnknownIssuer(error) || (!roots.widen() && roots.isWide === isWide)) throw error;
      return await this.#dialSecure(server, proxy, protocols);
    }
  }

  /** Ends what is being connected, now and later. Connections that stand belong to those who asked for them. */
  close(): void {
    this.#closed = true;
    for (const pending of this.#pending) pending.destroy(closed());
  }

  async #dialSecure(server: Server, proxy: GoUrl | undefined, protocols: readonly string[]): Promise<TLSSocket> {
    if (proxy !== undefined) return this.#startTls(server, protocols, await this.#tunnel(server, proxy));
    const socket = this.#connect(server);
    const connected = this.#whenConnected(socket, 'connect');
    // The first TLS of a process reads the authorities, some 30 ms: while this and other connections are on their way.
    await Promise.race([connected, nextTurn()]);
    return this.#startTls(server, protocols, socket);
  }

  /** A connection to a proxy or a plain server. */
  #open(server: Server): Promise<Socket> {
    const socket = this.#connect(server);
    return server.secure ? this.#startTls(server, ['http/1.1'], socket) : this.#whenConnected(socket, 'connect');
  }

  #connect(server: Server): Socket {
    this.connections++;
    return net.connect({ host: server.hostname, port: server.port });
  }

  /** TLS, over a connection which may be connecting still. */
  #startTls(server: Server, protocols: readonly string[], over: Socket): Promise<TLSSocket> {
    const { hostname, port } = server;
    const key = `${bracket(hostname)}:${port}`;
    const session = this.#sessions.get(key);
    const secureContext = this.#options.roots.context;
    const socket = tls.connect({
      socket: over,
      // a name is sent, to choose a certificate by; an address must not be (RFC 6066 §3), but is checked likewise
      ...(net.isIP(hostname) === 0 ? { servername: hostname } : {}),
      checkServerIdentity: (_, certificate) => tls.checkServerIdentity(hostname, certificate),
      ALPNProtocols: [...protocols],
      ...(session === undefined ? {} : { session }),
      ...(secureContext === undefined ? {} : { secureContext }),
    });
    socket.on('session', (ticket) => this.#sessions.set(key, ticket));
    return this.#whenConnected(socket, 'secureConnect');
  }

  /** Asks a proxy for a way through to the server (CONNECT, RFC 9110 §9.3.6). */
  async #tunnel(server: Server, proxy: GoUrl): Promise<Socket> {
    const target = proxyTarget(proxy);
    const authority = `${bracket(server.hostname)}:${server.port}`;
    this.connections++;
    const { default: http } = await (target.secure ? import('node:https') : import('node:http'));
    const request = http.request({
      method: 'CONNECT',
      host: target.hostname,
      port: target.port,
      path: authority,
      headers: { host: authority, ...proxyAuthorization(proxy) },
      agent: false,
      ...(this.#options.roots.context === undefined ? {} : { secureContext: this.#options.roots.context }),
    });
    this.#add(request);
    return new Promise((resolve, reject) => {
      request.setTimeout(this.#options.timeout, () => request.destroy(timedOut()));
      request.once('close', () => this.#pending.delete(request));
      request.once('error', reject);
      request.once('response', (response) => {
        request.destroy();
        reject(refused(proxy, response.statusCode));
      });
      request.once('connect', (response, socket: Socket) => {
        this.#pending.delete(request);
        socket.setTimeout(0);
        if (response.statusCode === 200) {
          resolve(socket);
        } else {
          socket.destroy();
          reject(refused(proxy, response.statusCode));
        }
      });
      request.end();
    });
  }

  #whenConnected<S extends Socket>(socket: S, event: 'connect' | 'secureConnect'): Promise<S> {
    socket.setNoDelay(true);
    this.#add(socket);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => socket.destroy(timedOut()), this.#options.timeout);
      const settled = (): void => {
        clearTimeout(timer);
        this.#pending.delete(socket);
      };
      socket.once(event, () => {
        settled();
        resolve(socket);
      });
      // it stays: a connection may break before anybody uses it
      socket.on('error', (error) => {
        settled();
        reject(error);
      });
    });
  }

  #add(pending: Pending): void {
    this.#pending.add(pending);
    if (this.#closed) pending.destroy(closed());
  }
}

/** The header that a proxy's URL asks for; empty where it has no user. */
export function proxyAuthorization(proxy: GoUrl): { 'proxy-authorization'?: string } {
  return proxy.user === undefined ? {} : { 'proxy-authorization': basicAuth(proxy.user.name, proxy.user.password) };
}

/** An HTTP credential of a user and a password (RFC 7617). */
export function basicAuth(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** A proxy gets its credentials also over plain http: so Go does, and a proxy of one's own network speaks nothing else. */
function proxyTarget(proxy: GoUrl): HttpTarget {
  return targetOf({ ...proxy, user: undefined });
}

function closed(): Error {
  return new Error('the source is closed');
}

function timedOut(): Error {
  return Object.assign(new Error('connection timed out'), { code: 'ETIMEDOUT' });
}

function refused(proxy: GoUrl, status: number | undefined): Error {
  return new Error(`the proxy ${redactUrl(proxy)} refused to connect: ${status ?? 'no status'}`);
}
