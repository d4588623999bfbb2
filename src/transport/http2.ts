/**
 * Connections to one server over HTTP/2, by node:http2.
 *
 * Requests wait here, not inside Node, until a connection has room for them: so each goes out on whichever has it first,
 * and one that its server did not take can go out again.
 *
 * (undici was measured first, 522 requests over loopback TLS: 70 ms to import and 340 ms of processor time for the
 * process, against 10 and 150 here.)
 */

import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream, type Settings } from 'node:http2';
import type { Socket } from 'node:net';
import { isGosumError } from '../errors.js';
import { lost, readAnswer, type Connections, type HttpAnswer, type HttpRequest } from './exchange.js';
import { connectionsFor, MAX_HTTP2_CONNECTIONS, USUAL_STREAMS } from './streams.js';
import { originOf, type HttpTarget } from './target.js';

/** Receive windows, in bytes. The default of 64 KiB for a whole connection would let through 8 tiles a round trip. */
const STREAM_WINDOW = 1 << 20;
const CONNECTION_WINDOW = 1 << 24;
/** Megabytes that Node may hold for a connection; its default of 10 refuses streams under load. */
const SESSION_MEMORY = 64;
/** How often a request that its server did not take is sent again at once. */
const RESENDS = 4;

/** How the server is reached. */
export interface Http2Options {
  readonly server: HttpTarget;
  /** Opens a connection on which HTTP/2 was agreed. */
  readonly dial: () => Promise<Socket>;
  /** Such connections, open already or on the way. */
  readonly dialled: readonly Promise<Socket>[];
}

/** A session, and the requests that are under way on it. */
interface Session {
  readonly h2: ClientHttp2Session;
  streams: number;
  /** Requests that the server allows at a time; none before the session stands. */
  limit: number;
  /** The last stream that the server took, once it has said goodbye. */
  lastStream: number;
  /** No more requests: the server said goodbye, or does not answer. */
  retired: boolean;
}

/** A request, and who waits for its answer. */
interface Flight {
  readonly request: HttpRequest;
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: unknown) => void;
  resends: number;
}

/** Connections over HTTP/2. */
export class Http2Connections implements Connections {
  readonly #options: Http2Options;
  /** All that are open. */
  readonly #sessions = new Set<Session>();
  readonly #queue: Flight[] = [];
  #dialling = 0;
  #closed = false;

  constructor(options: Http2Options) {
    this.#options = options;
    for (const socket of options.dialled) this.#await(socket);
  }

  send(request: HttpRequest): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.#enqueue({ request, resolve, reject, resends: 0 });
      this.#pump();
    });
  }

  expect(count: number): void {
    this.#grow(connectionsFor(count, this.#streams()));
  }

  close(): void {
    this.#closed = true;
    for (const { h2 } of this.#sessions) h2.destroy();
    this.#fail(lost());
  }

  #enqueue(flight: Flight): void {
    this.#queue.push(flight);
    flight.request.giveUp.waiter((reason) => {
      const place = this.#queue.indexOf(flight);
      if (place >= 0) this.#queue.splice(place, 1);
      flight.reject(reason);
    });
  }

  /** Sends what can be sent, and has connections opened for the rest. */
  #pump(): void {
    if (this.#queue.length === 0) return;
    if (this.#closed) {
      this.#fail(lost());
      return;
    }
    for (let session = this.#leastBusy(); session !== undefined && this.#queue.length > 0; session = this.#leastBusy()) {
      const flight = this.#queue.shift();
      if (flight !== undefined) this.#start(session, flight);
    }
    if (this.#queue.length === 0) return;
    let requests = this.#queue.length;
    for (const { retired, streams } of this.#sessions) if (!retired) requests += streams;
    this.#grow(Math.ceil(requests / this.#streams()));
  }

  /** How many requests a connection takes at a time. */
  #streams(): number {
    for (const { limit } of this.#sessions) if (limit > 0) return limit;
    return USUAL_STREAMS;
  }

  /** The session with the fewest requests, if it has room. */
  #leastBusy(): Session | undefined {
    let best: Session | undefined;
    for (const session of this.#sessions) {
      const { retired, h2, streams, limit } = session;
      if (retired || h2.closed || h2.destroyed || streams >= limit) continue;
      if (best === undefined || streams < best.streams) best = session;
    }
    return best;
  }

  /** Opens connections in the background, until there are `wanted`, or as many as there may be. */
  #grow(wanted: number): void {
    let open = this.#dialling;
    for (const { retired } of this.#sessions) if (!retired) open++;
    for (; open < Math.min(wanted, MAX_HTTP2_CONNECTIONS); open++) this.#await(this.#options.dial());
  }

  #await(socket: Promise<Socket>): void {
    this.#dialling++;
    socket.then(
      (open) => {
        this.#dialling--;
        this.#adopt(open);
      },
      (error: unknown) => {
        this.#dialling--;
        this.#failIfAlone(error); // otherwise the connections that stand go on
      },
    );
  }

  #adopt(socket: Socket): void {
    if (this.#closed) {
      socket.destroy();
      return;
    }
    const h2 = connect(originOf(this.#options.server), {
      createConnection: () => socket,
      maxSessionMemory: SESSION_MEMORY,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    });
    const session: Session = { h2, streams: 0, limit: 0, lastStream: Infinity, retired: false };
    let failure: Error | undefined;
    this.#sessions.add(session);
    h2.once('connect', () => {
      h2.setLocalWindowSize(CONNECTION_WINDOW);
      session.limit = USUAL_STREAMS;
      this.#pump();
    });
    h2.on('remoteSettings', ({ maxConcurrentStreams = Infinity }: Settings) => {
      session.limit = maxConcurrentStreams;
      this.#pump();
    });
    h2.on('goaway', (_code: number, lastStream: number) => {
      session.lastStream = lastStream;
      this.#retire(session);
    });
    h2.on('error', (error: Error) => (failure = error)); // the requests under way fail by themselves
    h2.once('close', () => {
      this.#sessions.delete(session);
      if (session.limit === 0) this.#failIfAlone(failure ?? lost());
      else this.#pump();
    });
    h2.unref();
  }

  #retire(session: Session): void {
    session.retired = true;
    // later, as a signal gives up many requests, and what is about to be given up needs no connection
    queueMicrotask(() => this.#pump());
  }

  /** Fails what waits, where no connection is left that it could wait for. */
  #failIfAlone(error: unknown): void {
    if (this.#dialling > 0) return;
    for (const { retired } of this.#sessions) if (!retired) return;
    this.#fail(error);
  }

  #fail(error: unknown): void {
    for (const { reject } of this.#queue.splice(0)) reject(error);
  }

  #start(session: Session, flight: Flight): void {
    const { request, resolve, reject } = flight;
    const { target, body, giveUp } = request;
    let stream: ClientHttp2Stream;
    try {
      const method = body === undefined ? 'GET' : 'POST';
      stream = session.h2.request({ ':method': method, ':authority': target.host, ':path': target.path, ...request.headers });
      if (body !== undefined) stream.end(body);
    } catch (error) {
      reject(error); // a header that cannot be sent
      return;
    }
    if (session.streams++ === 0) session.h2.ref();
    let answered = false;
    let failure: unknown;
    stream.once('response', (headers) => {
      answered = true;
      readAnswer(stream, Number(headers[':status']), headers, request).then((answer) => {
        // Node ends a stream also where the server broke it off, which shows by the code alone
        if (answer.status === 200 && stream.rstCode !== constants.NGHTTP2_NO_ERROR) reject(lost());
        else resolve(answer);
      }, reject);
    });
    stream.once('error', (error: Error) => (failure = error));
    giveUp.waiter((reason) => {
      reject(reason);
      stream.close(constants.NGHTTP2_CANCEL);
      // one that is too slow may be a connection that died in silence: the others must not wait for it, too
      if (isGosumError(reason, 'TIMEOUT')) this.#retire(session);
    });
    stream.once('close', () => {
      session.streams--;
      if (!answered && giveUp.reason === undefined) {
        if (flight.resends < RESENDS && notTaken(session, stream)) {
          flight.resends++;
          this.#enqueue(flight);
        } else {
          reject(failure ?? lost());
        }
      }
      if (session.streams === 0) {
        session.h2.unref();
        if (session.retired) session.h2.destroy();
      }
      this.#pump();
    });
  }
}

/**
 * Reports whether the server says that it did nothing of a request, so that it can be sent again without a doubt:
 * it was refused, or came after the last that was taken before goodbye (RFC 9113 §8.7).
 */
function notTaken({ lastStream }: Session, { id, rstCode }: ClientHttp2Stream): boolean {
  return id === undefined || id > lastStream || rstCode === constants.NGHTTP2_REFUSED_STREAM;
}
