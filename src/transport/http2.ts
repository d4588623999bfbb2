/**
 * Connections to one server over HTTP/2, by node:http2.
 *
 * (undici was measured first, 522 requests over loopback TLS: 70 ms to import and 340 ms of processor time for the
 * process, against 10 and 150 here.)
 */

import { connect, constants, type ClientHttp2Session, type Settings } from 'node:http2';
import type { Socket } from 'node:net';
import { lost, readAnswer, type Connections, type HttpAnswer, type HttpRequest } from './exchange.js';
import { originOf, type HttpTarget } from './target.js';

/** Receive windows, in bytes. The default of 64 KiB for a whole connection would let through 8 tiles a round trip. */
const STREAM_WINDOW = 1 << 20;
const CONNECTION_WINDOW = 1 << 24;
/** Megabytes that Node may hold for a connection; its default of 10 refuses streams under load. */
const SESSION_MEMORY = 64;
/** Connections to one server, which most often allows 100 or 250 requests at a time on each. */
const MAX_CONNECTIONS = 3;
/** Requests that follow at once upon one that was announced: a lookup needs up to two tiles. */
const FOLLOWING = 2;

/** How the server is reached. */
export interface Http2Options {
  readonly server: HttpTarget;
  /** Opens a connection on which HTTP/2 was agreed. */
  readonly dial: () => Promise<Socket>;
  /** A connection that is open already. */
  readonly first: Socket;
}

/** A session, and the requests that are under way on it. */
interface Session {
  readonly h2: ClientHttp2Session;
  streams: number;
  /** Requests that the server allows at a time, once it has said so; what is beyond waits inside Node. */
  limit: number;
  /** No more requests: the server said goodbye, or does not answer. */
  retired: boolean;
}

/** Connections over HTTP/2. */
export class Http2Connections implements Connections {
  readonly #options: Http2Options;
  #sessions: Session[] = [];
  readonly #dialing = new Set<Promise<Session>>();
  #expected = 0;
  #closed = false;

  constructor(options: Http2Options) {
    this.#options = options;
    this.#adopt(options.first);
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    const [dialing] = this.#dialing;
    const session = this.#leastBusy() ?? (await (dialing ?? this.#dial()));
    if (session.streams >= session.limit) this.#grow(this.#sessions.length + 1);
    return this.#request(session, request);
  }

  expect(count: number): void {
    this.#expected = count;
    const [session] = this.#sessions;
    if (session !== undefined) this.#grow(Math.ceil((count * FOLLOWING) / session.limit));
  }

  close(): void {
    this.#closed = true;
    for (const { h2 } of this.#sessions) h2.destroy();
  }

  #leastBusy(): Session | undefined {
    let best: Session | undefined;
    for (const session of this.#sessions) {
      if (!session.retired && (best === undefined || session.streams < best.streams)) best = session;
    }
    return best;
  }

  /** Opens connections in the background, until there are `wanted`, or as many as there may be. */
  #grow(wanted: number): void {
    while (this.#sessions.length + this.#dialing.size < Math.min(wanted, MAX_CONNECTIONS)) {
      this.#dial().catch(() => undefined); // the connections that stand go on
    }
  }

  #dial(): Promise<Session> {
    const dialing = this.#options
      .dial()
      .then((socket) => this.#adopt(socket))
      .finally(() => this.#dialing.delete(dialing));
    this.#dialing.add(dialing);
    return dialing;
  }

  #adopt(socket: Socket): Session {
    const h2 = connect(originOf(this.#options.server), {
      createConnection: () => socket,
      maxSessionMemory: SESSION_MEMORY,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    });
    const session: Session = { h2, streams: 0, limit: Infinity, retired: false };
    this.#sessions.push(session);
    h2.once('connect', () => h2.setLocalWindowSize(CONNECTION_WINDOW));
    h2.once('remoteSettings', ({ maxConcurrentStreams = Infinity }: Settings) => {
      session.limit = maxConcurrentStreams;
      this.expect(this.#expected);
    });
    h2.once('goaway', () => this.#retire(session));
    h2.once('close', () => this.#retire(session));
    h2.on('error', () => this.#retire(session)); // the requests under way fail by themselves
    h2.unref();
    if (this.#closed) h2.destroy();
    return session;
  }

  #retire(session: Session): void {
    session.retired = true;
    this.#sessions = this.#sessions.filter((other) => other !== session);
    if (session.streams === 0) session.h2.close();
  }

  #request(session: Session, request: HttpRequest): Promise<HttpAnswer> {
    const { target, giveUp } = request;
    return new Promise<HttpAnswer>((resolve, reject) => {
      const stream = session.h2.request({ ':authority': target.host, ':path': target.path, ...request.headers });
      let answered = false;
      if (session.streams++ === 0) session.h2.ref();
      stream.once('response', (headers) => {
        answered = true;
        readAnswer(stream, Number(headers[':status']), headers, request).then((answer) => {
          // Node ends a stream also where the server broke it off, which shows by the code alone
          if (answer.status === 200 && stream.rstCode !== constants.NGHTTP2_NO_ERROR) reject(lost());
          else resolve(answer);
        }, reject);
      });
      stream.once('error', reject);
      giveUp.waiter((reason) => {
        reject(reason);
        stream.close(constants.NGHTTP2_CANCEL);
      });
      stream.once('close', () => {
        if (!answered) reject(lost());
        if (--session.streams > 0) return;
        session.h2.unref();
        if (session.retired) session.h2.close();
      });
    }).catch((error: unknown) => {
      // one that is too slow may be a connection that died in silence: the others must not wait for it, too
      if (giveUp.reason !== undefined) this.#retire(session);
      throw error;
    });
  }
}
