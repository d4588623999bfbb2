/** Connections to one server over HTTP/1.1: kept alive, and never more than a polite number. */

import http from 'node:http';
import type { Socket } from 'node:net';
import { Limiter } from './limiter.js';
import { lost, readAnswer, type Connections, type HttpAnswer, type HttpRequest } from './exchange.js';

/** How requests reach the server. */
export interface Http1Options {
  /** Opens a connection to the server, or to the proxy that plain requests go to. */
  readonly dial: () => Promise<Socket>;
  /** Such connections, open already or on the way; not more than `maxConnections`. */
  readonly dialled: readonly Promise<Socket>[];
  readonly maxConnections: number;
  /** Headers for a proxy that plain requests are sent to; with it, they name the whole URL (RFC 9112 §3.2.2). */
  readonly proxyHeaders?: Readonly<Record<string, string>> | undefined;
}

/** Connections over HTTP/1.1: each is an agent of Node's with one socket, for one request at a time. */
export class Http1Connections implements Connections {
  readonly #options: Http1Options;
  readonly #limiter: Limiter;
  readonly #all = new Set<http.Agent>();
  readonly #idle: http.Agent[] = [];
  /** What was dialled beforehand and has no agent yet. */
  readonly #dialled: Promise<Socket>[];
  /** Of these, what is open. */
  readonly #unused = new Set<Socket>();
  #closed = false;

  constructor(options: Http1Options) {
    this.#options = options;
    this.#limiter = new Limiter(options.maxConnections);
    this.#dialled = [...options.dialled];
    for (const dialled of this.#dialled) {
      dialled.then(
        (socket) => this.#keep(socket),
        () => undefined, // whoever needs it will open another
      );
    }
  }

  send(request: HttpRequest): Promise<HttpAnswer> {
    return this.#limiter.run(async () => {
      if (request.giveUp.reason !== undefined) throw request.giveUp.reason;
      const agent = this.#idle.pop() ?? this.#newAgent();
      try {
        const answer = await this.#request(agent, request);
        this.#idle.push(agent);
        return answer;
      } catch (error) {
        // whatever state it is in: the next request shall not wait for it
        this.#all.delete(agent);
        agent.destroy();
        throw error;
      }
    }, undefined);
  }

  expect(): void {
    // connections are opened as requests come
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#unused) socket.destroy();
    for (const agent of this.#all) agent.destroy();
  }

  /**
   * One agent for all would not do: it counts a socket when that is connected, so that any number can be on the way.
   */
  #newAgent(): http.Agent {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    // the sockets come from our own dialer, TLS and tunnels included: to the agent they are all plain
    const createConnection = (_: unknown, created: (error: unknown, socket?: Socket) => void): void => {
      this.#dial().then((socket) => {
        if (this.#all.has(agent)) {
          created(null, socket);
        } else {
          socket.destroy(); // its request was given up
          created(lost());
        }
      }, created);
    };
    this.#all.add(agent);
    return Object.assign(agent, { createConnection });
  }

  async #dial(): Promise<Socket> {
    const socket = await this.#dialled.shift()?.catch(() => undefined);
    if (socket === undefined || !this.#unused.delete(socket) || socket.destroyed) return this.#options.dial();
    return socket.ref();
  }

  #keep(socket: Socket): void {
    if (this.#closed) socket.destroy();
    else this.#unused.add(socket.unref());
  }

  #request(agent: http.Agent, { target, headers, body, giveUp, limit, sink }: HttpRequest): Promise<HttpAnswer> {
    const { proxyHeaders } = this.#options;
    return new Promise((resolve, reject) => {
      const request = http.request({
        agent,
        method: body === undefined ? 'GET' : 'POST',
        host: target.hostname,
        port: target.port,
        path: proxyHeaders === undefined ? target.path : `http://${target.host}${target.path}`,
        headers: { host: target.host, ...headers, ...proxyHeaders },
      });
      request.on('error', reject);
      request.once('response', (response) => {
        readAnswer(response, response.statusCode ?? 0, response.headers, { target, limit, sink }).then(resolve, reject);
      });
      giveUp.waiter((reason) => {
        reject(reason); // Node says nothing of a request that has no socket yet
        request.destroy(reason);
      });
      request.end(body);
    });
  }
}
