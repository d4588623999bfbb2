/** One server: which version of HTTP it speaks is found out by the first connection to it, and that one is used. */

import type { Socket } from 'node:net';
import { proxyAuthorization, type Dialer } from './dial.js';
import type { Connections, GiveUp, HttpAnswer, HttpRequest } from './exchange.js';
import { Http1Connections } from './http1.js';
import { Http2Connections } from './http2.js';
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
        connections.expect(this.#expected);
        if (this.#closed) connections.close();
        return connections;
      })
      .finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #connect(): Promise<Connections> {
    const server = this.#server;
    const { maxConnections, onHttp2 } = this.#options;
    if (!server.secure) {
      const proxy = this.#dialer.proxyOf(server);
      const proxyHeaders = proxy === undefined ? undefined : { ...proxyAuthorization(proxy) };
      return new Http1Connections({ dial: () => this.#dialer.dial(server, []), maxConnections, proxyHeaders });
    }
    const first = await this.#dialer.dial(server, ['h2', 'http/1.1']);
    if (protocolOf(first) !== 'h2') {
      return new Http1Connections({ dial: () => this.#dialer.dial(server, ['http/1.1']), first, maxConnections });
    }
    onHttp2();
    return new Http2Connections({ server, first, dial: () => this.#dialer.dial(server, ['h2']) });
  }
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
