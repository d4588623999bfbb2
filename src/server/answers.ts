/** What is answered: status, headers and bytes, ready to be sent. */

import { hash } from 'node:crypto';
import type { Caller, Database, Question, RecentRecords } from '../contract.js';
import { parseBulkQuery } from '../core/bulkform.js';
import type { ModulePaths } from '../core/modulepaths.js';
import { encodeUtf8 } from '../core/text.js';
import { DATA_LEVEL, TILE_WIDTH } from '../core/tile.js';
import { httpStatusOf, isGosumError } from '../errors.js';
import { LimitError } from './limits.js';
import { FEED_LENGTH, FEED_TYPE, formatFeed } from './atom.js';
import type { Asked } from './routes.js';

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Headers of every answer: reading is for everybody, all of it is public. */
export const CORS = { 'access-control-allow-origin': '*', 'x-content-type-options': 'nosniff' } as const;

const TEXT = 'text/plain; charset=utf-8';
const BYTES = 'application/octet-stream';

/** What may be kept how long. A tile of one width never changes; an answer with a head in it may soon have a newer one. */
const FOR_EVER = 'public, max-age=31536000, immutable';
const PARTIAL = 'public, max-age=3600';
const LOOKUP = 'public, max-age=300';
const FEED = 'public, max-age=300';
const HEAD = 'no-cache';
const NEVER = 'no-store';

/** An answer of text. Errors are not to be kept by anybody on the way. */
export function textAnswer(status: number, text: string, cache: string = NEVER): Answer {
  return { status, headers: { 'content-type': TEXT, 'cache-control': cache }, body: encodeUtf8(text) };
}

/** Announces bulk queries, in the two answers of which a client has one first (docs/bulk.md). */
const BULK = { 'gosumcheck-bulk': 'v1' };

/**
 * The database's answer. Errors of its are answers as well.
 *
 * @param body of the request; attacker-controlled.
 */
export async function answerOf(
  database: Database,
  asked: Asked,
  caller?: Caller,
  body: Uint8Array = new Uint8Array(),
): Promise<Answer> {
  try {
    switch (asked.kind) {
      case 'supported':
        return announcing(database, textAnswer(200, '', HEAD));
      case 'latest':
        return announcing(database, foundAnswer(database.name, asked, await database.latest()));
      case 'lookup':
        return foundAnswer(database.name, asked, await database.lookup(asked.module, asked.version, caller));
      case 'tile':
        return foundAnswer(database.name, asked, await database.tile(asked.tile, caller));
      case 'feed':
        return feedAnswer(database.name, asked.paths, await database.recent?.(asked.paths, FEED_LENGTH, caller));
      case 'bulk': {
        if (database.bulk === undefined) return textAnswer(404, 'not found\n');
        const answer = await database.bulk(parseBulkQuery(body), caller);
        return { status: 200, headers: { 'content-type': BYTES, 'cache-control': NEVER }, body: answer };
      }
    }
  } catch (error) {
    if (!isGosumError(error)) throw error;
    if (error instanceof LimitError) return tooMany(error);
    return textAnswer(httpStatusOf(error), `${error.message}\n`);
  }
}

function announcing(database: Database, answer: Answer): Answer {
  return database.bulk === undefined ? answer : { ...answer, headers: { ...answer.headers, ...BULK } };
}

function tooMany(error: LimitError): Answer {
  const { headers, ...rest } = textAnswer(429, `${error.message}\n`);
  return { ...rest, headers: { ...headers, 'retry-after': String(error.retryAfter) } };
}

/** The answer with what the database of this name has found. */
export function foundAnswer(name: string, question: Question, body: Uint8Array): Answer {
  const type = question.kind === 'tile' && question.tile.level !== DATA_LEVEL ? BYTES : TEXT;
  const etag = question.kind === 'tile' ? tileTagOf(name) : tagOf(body);
  return { status: 200, headers: { 'content-type': type, 'cache-control': keepingOf(question), etag }, body };
}

/** A strong validator (RFC 9110 §8.8.3) of a body, or of what gives it. */
function tagOf(of: Uint8Array | string): string {
  return `"${hash('sha256', of, 'base64url').slice(0, 22)}"`;
}

/** The validator of all tiles of a database: what stands at a tile's URL never changes, but where another database is served there. */
function tileTagOf(name: string): string {
  let tag = TILE_TAGS.get(name);
  if (tag === undefined) TILE_TAGS.set(name, (tag = tagOf(name)));
  return tag;
}

/** By name, of the few that are served. */
const TILE_TAGS = new Map<string, string>();

function feedAnswer(database: string, paths: ModulePaths, recent: RecentRecords | undefined): Answer {
  if (recent === undefined) return textAnswer(404, 'not found\n');
  const body = encodeUtf8(formatFeed(database, paths, recent));
  return { status: 200, headers: { 'content-type': FEED_TYPE, 'cache-control': FEED, etag: tagOf(body) }, body };
}

function keepingOf(question: Question): string {
  switch (question.kind) {
    case 'latest':
      return HEAD;
    case 'lookup':
      return LOOKUP;
    case 'tile':
      return question.tile.width === TILE_WIDTH ? FOR_EVER : PARTIAL;
  }
}

/** Reports whether the client has what the tag stands for (If-None-Match, RFC 9110 §13.1.2). */
export function matches(header: string | undefined, etag: string): boolean {
  return header?.split(',').some((each) => [etag, `W/${etag}`, '*'].includes(each.trim())) === true;
}
