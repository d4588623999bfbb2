/** Answers that go out in one piece: the first lines and the body in one write. */

import type { ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { CORS, type Answer } from './answers.js';

/** Milliseconds that a connection on which nothing is asked stays open. */
export const KEEP_ALIVE = 75_000;

/** Bytes that a piece has at most: a hash tile has 8 KB. */
const MOST = 16 * 1024;
/** Characters of its first lines. */
const MOST_LINES = 1024;

const BEGINNING = `HTTP/1.1 200 OK\r\n${Object.entries(CORS).map(([name, value]) => `${name}: ${value}\r\n`).join('')}`;

/** Where pieces are put together. When a write is done the system has the bytes, and the next one takes their place. */
let piece = Buffer.allocUnsafeSlow(MOST);

/** The first lines of an answer of status 200, without those that each answer has its own of. */
export function linesOf({ headers, body }: Answer): string {
  let lines = BEGINNING;
  for (const name of Object.keys(headers)) lines += `${name}: ${headers[name] ?? ''}\r\n`;
  return `${lines}content-length: ${body.length}\r\n`;
}

/**
 * Sends an answer in one write, where nothing waits to be sent on the connection and it stays open. Says whether it did.
 *
 * node:http puts the headers together anew each time, and hands them over with the body as a list of a text and bytes: of the
 * time that a tile takes in all, a fifth. It hears of this answer as of its own: by `finish`, on which it does all that follows.
 *
 * @param lines see `linesOf`.
 * @param id the request's name, where it has one.
 */
export function sendPiece(response: ServerResponse, lines: string, body: Uint8Array, id: string | undefined): boolean {
  const { socket } = response; // null while an answer in front of this one is not sent yet
  if (socket === null || socket.writableLength > 0 || !response.shouldKeepAlive || (socket as Partial<TLSSocket>).encrypted === true) return false;
  if (lines.length > MOST_LINES - 256 || body.length > MOST - MOST_LINES) return false;
  const named = id === undefined ? '' : `x-request-id: ${id}\r\n`;
  const ending = `Date: ${dateNow()}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE / 1000}\r\n\r\n`;
  const from = piece.write(lines + named + ending, 'latin1');
  piece.set(body, from);
  socket.write(piece.subarray(0, from + body.length));
  if (socket.writableLength > 0) piece = Buffer.allocUnsafeSlow(MOST); // this one is needed until it is sent
  response.emit('finish');
  return true;
}

let second = 0;
let date = '';

/** The time as HTTP has it (RFC 9110 §5.6.7), made once a second. */
function dateNow(): string {
  const now = Date.now();
  if (Math.floor(now / 1000) !== second) {
    second = Math.floor(now / 1000);
    date = new Date(now).toUTCString();
  }
  return date;
}
