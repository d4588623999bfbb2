/** What a database answers to a path, before anybody bends it. */

import type { Database } from '../contract.js';
import { unescapeModulePath, unescapeVersion } from '../core/module.js';
import { encodeUtf8 } from '../core/text.js';
import { DATA_LEVEL, parseTilePath } from '../core/tile.js';
import { isGosumError } from '../errors.js';

/** A request to a server for tests. */
export interface Request {
  readonly method: string;
  /** Behind the base: `/latest`, `/lookup/…`, `/tile/8/…`, `/supported`; any other path as it came. */
  readonly path: string;
  /** The URL as it came: path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** An answer of a server for tests. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Drops the connection (of HTTP/2: the stream) after so many bytes of the body; 0 drops it without any answer. */
  readonly dropAfter?: number;
}

const TEXT = 'text/plain; charset=UTF-8';

/** An answer of text. */
export function textAnswer(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': TEXT, ...headers }, body: encodeUtf8(text) };
}

/** The true answer to a path behind the base. 404 for what the database has not, 400 for a malformed path. */
export async function answerOf(database: Database, path: string): Promise<Answer> {
  try {
    if (path === '/supported') return textAnswer(200, '');
    if (path === '/latest') return bytesAnswer(TEXT, await database.latest());
    if (path.startsWith('/lookup/')) {
      const [module = '', version = ''] = path.slice('/lookup/'.length).split('@');
      return bytesAnswer(TEXT, await database.lookup(unescapeModulePath(module), unescapeVersion(version)));
    }
    if (path.startsWith('/tile/')) {
      const tile = parseTilePath(path.slice(1));
      return bytesAnswer(tile.level === DATA_LEVEL ? TEXT : 'application/octet-stream', await database.tile(tile));
    }
    return textAnswer(404, 'not found\n');
  } catch (error) {
    if (!isGosumError(error)) throw error;
    if (error.outcome === 'missing') return textAnswer(404, `not found: ${error.message}\n`);
    if (error.outcome === 'malformed') return textAnswer(400, `${error.message}\n`);
    return textAnswer(500, `${error.message}\n`);
  }
}

function bytesAnswer(type: string, body: Uint8Array): Answer {
  return { status: 200, headers: { 'content-type': type }, body };
}
