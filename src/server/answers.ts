/** What is answered: status, headers and bytes, ready to be sent. */

import { createHash } from 'node:crypto';
import type { Caller, Database } from '../contract.js';
import { parseBulkQuery } from '../core/bulkform.js';
import { encodeUtf8 } from '../core/text.js';
import { DATA_LEVEL, TILE_WIDTH } from '../core/tile.js';
import { isGosumError, type GosumError } from '../errors.js';
import { LimitError } from './limits.js';
import type { Asked } from './routes.js';

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const TEXT = 'text/plain; charset=utf-8';
const BYTES = 'application/octet-stream';

/** What may be kept how long. A tile of one width never changes; an answer with a head in it may soon have a newer one. */
const FOR_EVER = 'public, max-age=31536000, immutable';
const PARTIAL = 'public, max-age=3600';
const LOOKUP = 'public, max-age=300';
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
        return announcing(database, tagged(TEXT, HEAD, await database.latest()));
      case 'lookup':
        return tagged(TEXT, LOOKUP, await database.lookup(asked.module, asked.version, caller));
      case 'tile': {
        const { tile } = asked;
        const cache = tile.width === TILE_WIDTH ? FOR_EVER : PARTIAL;
        return tagged(tile.level === DATA_LEVEL ? TEXT : BYTES, cache, await database.tile(tile, caller));
      }
      case 'bulk': {
        if (database.bulk === undefined) return textAnswer(404, 'not found\n');
        const answer = await database.bulk(parseBulkQuery(body), caller);
        return { status: 200, headers: { 'content-type': BYTES, 'cache-control': NEVER }, body: answer };
      }
    }
  } catch (error) {
    if (!isGosumError(error)) throw error;
    if (error instanceof LimitError) return tooMany(error);
    return textAnswer(statusOf(error), `${error.message}\n`);
  }
}

function announcing(database: Database, answer: Answer): Answer {
  return database.bulk === undefined ? answer : { ...answer, headers: { ...answer.headers, ...BULK } };
}

/** Never 403 or 401 to a go command that asks rightly: it takes those for its own fault. */
function statusOf(error: GosumError): number {
  switch (error.outcome) {
    case 'malformed':
      return 400;
    case 'missing':
      return 404;
    case 'unreachable':
      return error.code === 'TIMEOUT' ? 504 : 502;
    case 'unproved':
    case 'mismatch':
    case 'fork':
      return 502;
    default:
      return 500;
  }
}

function tooMany(error: LimitError): Answer {
  const { headers, ...rest } = textAnswer(429, `${error.message}\n`);
  return { ...rest, headers: { ...headers, 'retry-after': String(error.retryAfter) } };
}

/** The answers with bodies that stay in memory: a mirror gives the same bytes, as the same object, again and again. */
const READY = new WeakMap<Uint8Array, Answer>();

function tagged(type: string, cache: string, body: Uint8Array): Answer {
  let ready = READY.get(body);
  // the same bytes may be asked for as a partial tile and as a full one, which are kept for different times
  if (ready?.headers['cache-control'] !== cache) {
    const etag = ready?.headers.etag ?? `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    ready = { status: 200, headers: { 'content-type': type, 'cache-control': cache, etag }, body };
    READY.set(body, ready);
  }
  return ready;
}
