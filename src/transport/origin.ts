/** One server: which version of HTTP it speaks is found out by the first connection to it, and that one is used. */

import type { Socket } from 'node:net';
import { proxyAuthorization, type Dialer } from './dial.js';
import type { Connections, GiveUp, HttpAnswer, HttpRequest } from './exchange.js';
import { connectionsFor } from './streams.js';
import type { HttpTarget } from './target.js';

/** What a server's user sets. */
export interface OriginOptions {
  /** How many connections there may be over HTTP/1.1. */
  readonly maxConnections: number;
  /** Called when the server turns out to take many requests on one connection. */
  readonly onHttp2: () => void;
}

/** A server that requests are sent to. */
export class Origin {
  readonly #server: HttpTarget;
  readonly #dialer: Dialer;
  readonly #options: OriginOptions;
  #opening: Promise<Connections> | undefined;
  #connections: Connections | undefined;
  #expected = 0;
  #closed = false;

  constructor(server: HttpTarget, dialer: Dialer, options: OriginOptions) {
    this.#server = server;
    this.#dialer = dialer;
    this.#options = options;
  }

  /** Sends a request, over a new connection where there is none. */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const connections = this.#connections ?? (await unlessGivenUp(this.#open(), request.giveUp));
    return connections.send(request);
  }

  /** Says how many requests are about to come at once. */
  expect(count: number): void {
    this.#expected = count;
    this.#connections?.expect(count);
  }

  close(): void {
    this.#closed = true;
    this.#connections?.close();
  }

  #open(): Promise<Connections> {
    this.#opening ??= this.#connect()
      .then((connections) => {
        this.#connections = connections;
        if (this.#closed) connections.close();
        return connections;
      })
      .finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  /**
   * Opens as many connections at once as HTTP/2 most likely needs, since to wait for what the first one says would take
   * two round trips more. Over HTTP/1.1 they are the first of many. What speaks on them is loaded while they are opened.
   */
  async #connect(): Promise<Connections> {
    const server = this.#server;
    const { maxConnections, onHttp2 } = this.#options;
    if (!server.secure) {
      const proxy = this.#dialer.proxyOf(server);
      const proxyHeaders = proxy === undefined ? undefined : { ...proxyAuthorization(proxy) };
      const { Http1Connections } = await import('./http1.js');
      return new Http1Connections({ dial: () => this.#dialer.dial(server, []), dialled: [], maxConnections, proxyHeaders });
    }
    const all = Array.from({ length: connectionsFor(this.#expected) }, () => this.#dialer.dial(server, ['h2', 'http/1.1']));
    const loading = import('./http2.js');
    const first = await firstOf(all);
    const speaks = protocolOf(first);
    const dial = (): Promise<Socket> => speaking(speaks, this.#dialer.dial(server, [speaks]));
    if (speaks !== 'h2') {
      const { Http1Connections } = await import('./http1.js');
      return new Http1Connections({ dial, dialled: all.map((socket) => speaking(speaks, socket)), maxConnections });
    }
    const { Http2Connections } = await loading;
    onHttp2();
    return new Http2Connections({ server, dial, dialled: all.map((socket) => speaking(speaks, socket)) });
  }
}

/** The first socket that is connected; where none will be, the first one's error. */
function firstOf(sockets: readonly Promise<Socket>[]): Promise<Socket> {
  return Promise.any(sockets).catch((error: unknown) => {
    throw error instanceof AggregateError ? error.errors[0] : error;
  });
}

/** A socket of a server whose other sockets speak `protocol`; it might be several servers behind one name. */
async function speaking(protocol: string, dialled: Promise<Socket>): Promise<Socket> {
  const socket = await dialled;
  if (protocolOf(socket) === protocol) return socket;
  socket.destroy();
  throw new Error(`the server does not speak ${protocol} on every connection`);
}

function protocolOf(socket: Socket): string {
  const { alpnProtocol } = socket as { alpnProtocol?: string | false | null };
  return alpnProtocol || 'http/1.1';
}

/** Waits for what several requests wait for, unless this one is given up before. */
function unlessGivenUp<T>(promise: Promise<T>, giveUp: GiveUp): Promise<T> {
  return new Promise((resolve, reject) => {
    giveUp.waiter(reject);
    promise.then(resolve, reject);
  });
}
