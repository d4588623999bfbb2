/**
 * The short way: answers that can be had without waiting go out at once, from a URL seen before, in one write, without a
 * promise.
 *
 * What is remembered by a URL is only where it leads, never an answer: that is asked for each time.
 */

import type { Question } from '../contract.js';
import { foundAnswer, type Answer } from './answers.js';
import { linesOf } from './piece.js';
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

/** An answer that is ready to be sent. */
export interface ReadyAnswer extends Answer {
  /** See `linesOf`. */
  readonly lines: string;
}

/** By body: a database gives the same object again and again, always for the same kind of question. */
const ANSWERS = new WeakMap<Uint8Array, ReadyAnswer>();

/** The answer with what the database of this name has ready. */
export function readyAnswer(name: string, question: Question, body: Uint8Array): ReadyAnswer {
  let ready = ANSWERS.get(body);
  if (ready === undefined) {
    const answer = foundAnswer(name, question, body);
    ANSWERS.set(body, (ready = { ...answer, lines: linesOf(answer) }));
  }
  return ready;
}
