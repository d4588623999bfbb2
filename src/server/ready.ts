/**
 * The short way: answers that can be had without waiting go out at once, from a URL seen before, in one write, without a
 * promise.
 *
 * What is remembered by a URL is only where it leads, never an answer: that is asked for each time.
 */

import type { Question } from '../contract.js';
import { HASH_SIZE } from '../core/hash.js';
import { DATA_LEVEL } from '../core/tile.js';
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
/** By database, and by width: what all hash tiles of one width have in common. */
const OF_TILES = new Map<string, Omit<ReadyAnswer, 'body'>[]>();

/**
 * The answer with what the database of this name gives at once.
 *
 * @param isKept whether it lies ready in memory: the same object each time.
 */
export function answerAtOnce(name: string, question: Question, body: Uint8Array, isKept: boolean): Answer & Partial<ReadyAnswer> {
  if (question.kind === 'tile' && question.tile.level !== DATA_LEVEL && body.length === question.tile.width * HASH_SIZE) return tileAnswer(name, question, body);
  if (!isKept) return foundAnswer(name, question, body);
  let ready = ANSWERS.get(body);
  if (ready === undefined) ANSWERS.set(body, (ready = withLines(foundAnswer(name, question, body))));
  return ready;
}

function tileAnswer(name: string, question: Question & { readonly kind: 'tile' }, body: Uint8Array): ReadyAnswer {
  const { width } = question.tile;
  let answers = OF_TILES.get(name);
  if (answers === undefined) OF_TILES.set(name, (answers = []));
  let common = answers[width];
  if (common === undefined) {
    const { status, headers, lines } = withLines(foundAnswer(name, question, body));
    answers[width] = common = { status, headers, lines };
  }
  return { ...common, body };
}

function withLines(answer: Answer): ReadyAnswer {
  return { ...answer, lines: linesOf(answer) };
}
