/**
 * Answers that go out in one piece, the first lines and the body in one write; and the pieces of many connections one after
 * the other, when what they ask for is read.
 *
 * node:http puts the headers together anew each time, hands them over with the body as a list of a text and bytes, and writes
 * before it reads the next connection's request: that takes a fifth of an answer's time, and as much again where clients wake
 * up on the same processors.
 */

import type { ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { CORS, type Answer } from './answers.js';

/** Milliseconds that a connection on which nothing is asked stays open. */
export const KEEP_ALIVE = 75_000;

/** Bytes that a piece has at most: a hash tile has 8 KB. */
const MOST = 16 * 1024;
/** Characters of its first lines. */
const MOST_LINES = 1024;
/** Pieces that wait at a time. */
const MOST_PIECES = 16;

const BEGINNING = `HTTP/1.1 200 OK\r\n${Object.entries(CORS).map(([name, value]) => `${name}: ${value}\r\n`).join('')}`;

/** The first lines of an answer of status 200, without those that each answer has its own of. */
export function linesOf({ headers, body }: Answer): string {
  let lines = BEGINNING;
  for (const name of Object.keys(headers)) lines += `${name}: ${headers[name] ?? ''}\r\n`;
  return `${lines}content-length: ${body.length}\r\n`;
}

/** The pieces of one server. */
export class Pieces {
  readonly #waiting: { readonly response: ServerResponse; readonly bytes: Uint8Array }[] = [];
  /** Where they are put together, each in its own. When a write is done the system has the bytes, and the next piece takes their place. */
  readonly #places: (Buffer | undefined)[] = [];
  readonly #ending: Ending = new Ending();

  /**
   * Takes an answer, to be sent when the process has read what all its connections ask for now. Says whether it did: not where
   * something waits to be sent on the connection, or it is to be closed.
   *
   * @param lines see `linesOf`.
   * @param id the request's name, where it has one.
   */
  send(response: ServerResponse, lines: string, body: Uint8Array, id: string | undefined): boolean {
    const { socket } = response; // null while an answer in front of this one is not sent yet
    if (socket === null || socket.writableLength > 0 || !response.shouldKeepAlive || (socket as Partial<TLSSocket>).encrypted === true) return false;
    if (lines.length > MOST_LINES - 256 || body.length > MOST - MOST_LINES) return false;
    if (this.#waiting.length === MOST_PIECES) this.flush();
    const place = (this.#places[this.#waiting.length] ??= Buffer.allocUnsafeSlow(MOST));
    const named = id === undefined ? '' : `x-request-id: ${id}\r\n`;
    const from = place.write(lines + named + this.#ending.text(), 'latin1');
    place.set(body, from);
    if (this.#waiting.push({ response, bytes: place.subarray(0, from + body.length) }) === 1) setImmediate(() => this.flush());
    return true;
  }

  /** Sends what waits. node:http hears of each as of its own answers: by `finish`, on which it does all that follows. */
  flush(): void {
    for (const [i, { response, bytes }] of this.#waiting.splice(0).entries()) {
      const { socket } = response;
      if (socket === null || socket.destroyed) continue; // the client has gone
      socket.write(bytes);
      if (socket.writableLength > 0) this.#places[i] = undefined; // it is needed until it is sent
      response.emit('finish');
    }
  }
}

/** The last lines of the headers of an answer on a connection that stays open, made once a second. */
class Ending {
  #second = 0;
  #text = '';

  text(): string {
    const now = Date.now();
    if (Math.floor(now / 1000) !== this.#second) {
      this.#second = Math.floor(now / 1000);
      // the time as HTTP has it (RFC 9110 §5.6.7)
      this.#text = `Date: ${new Date(now).toUTCString()}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE / 1000}\r\n\r\n`;
    }
    return this.#text;
  }
}
