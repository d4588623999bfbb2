/**
 * The short way: answers that lie ready in memory go out at once, from a URL seen before, with headers put together before,
 * without a promise.
 *
 * What is remembered by a URL is only where it leads, never an answer: that is asked for each time.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Question } from '../contract.js';
import { CORS, foundAnswer, matches } from './answers.js';
import { routeOf, type Route } from './routes.js';

/** Routes by URL. Of at most so many URLs of at most so many characters; those that were not seen lately are forgotten. */
export class RouteMemory {
  readonly #names: readonly string[];
  #young = new Map<string, Route>();
  #old = new Map<string, Route>();

  /** @param names of the databases, as `routeOf` takes them. */
  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** As `routeOf`, of GET and HEAD. */
  routeOf(url: string): Route {
    const young = this.#young.get(url);
    if (young !== undefined) return young;
    const route = this.#old.get(url) ?? routeOf(url, this.#names, 'GET');
    if (route.kind === 'database' && url.length <= MAX_URL) {
      if (this.#young.size >= GENERATION) {
        this.#old = this.#young;
        this.#young = new Map();
      }
      this.#young.set(url, route);
    }
    return route;
  }
}

const GENERATION = 16_384;
const MAX_URL = 256;

/** An answer, as node:http takes it with the least work. */
interface Prepared {
  readonly etag: string;
  /** Names and values by turns: of the answer, and of a 304. */
  readonly headers: string[];
  readonly unchanged: string[];
  /** See `textOf`. */
  readonly text: string | undefined;
}

/** By body: a database gives the same object again and again, always for the same kind of question. */
const PREPARED = new WeakMap<Uint8Array, Prepared>();
/** Bytes up to which a body is sent as text. */
const SHORT = 2048;

/** What was sent. */
export interface Sent {
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
}

/**
 * Sends what a database has ready.
 *
 * @param name of the database.
 * @param id the request's name, where it has one.
 */
export function sendReady(
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
  question: Question,
  body: Uint8Array,
  id: string | undefined,
): Sent {
  let prepared = PREPARED.get(body);
  if (prepared === undefined) PREPARED.set(body, (prepared = prepare(name, question, body)));
  const condition = request.headers['if-none-match'];
  if (condition !== undefined && matches(condition, prepared.etag)) {
    response.writeHead(304, withId(prepared.unchanged, id)).end();
    return { status: 304, bytes: 0 };
  }
  response.writeHead(200, withId(prepared.headers, id));
  if (request.method === 'HEAD') {
    response.end();
    return { status: 200, bytes: 0 };
  }
  if (prepared.text === undefined) response.end(body);
  else response.end(prepared.text, 'latin1');
  return { status: 200, bytes: body.length };
}

/** Sends a body. */
export function endWith(response: ServerResponse, body: Uint8Array): void {
  const text = textOf(body);
  if (text === undefined) response.end(body);
  else response.end(text, 'latin1');
}

/** A short body as text of a character a byte: it goes out in one piece with the headers. */
function textOf(body: Uint8Array): string | undefined {
  return body.length <= SHORT ? Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1') : undefined;
}

function withId(headers: string[], id: string | undefined): string[] {
  return id === undefined ? headers : [...headers, 'x-request-id', id];
}

function prepare(name: string, question: Question, body: Uint8Array): Prepared {
  const { headers } = foundAnswer(name, question, body);
  const unchanged = Object.entries({ ...CORS, ...headers }).flat();
  return {
    etag: headers.etag ?? '',
    headers: [...unchanged, 'content-length', String(body.length)],
    unchanged,
    text: textOf(body),
  };
}
