/** Ready-made lies, each by a name, for `serveLog`'s hook. They lie on the wire: the log behind them stays honest. */

import { setTimeout as sleep } from 'node:timers/promises';
import { lookupPath } from '../core/module.js';
import { parseLookup } from '../core/record.js';
import { concatBytes, encodeUtf8 } from '../core/text.js';
import { parseTilePath, TILE_WIDTH } from '../core/tile.js';
import { textAnswer, type Answer } from './answer.js';
import type { Bend } from './serve.js';
import type { TestLog } from './testlog.js';

/** A log that signs heads of itself at any size: a `TestLog`, a `ScaleLog`. */
export interface HeadSigner {
  readonly size: number;
  head(size?: number): Uint8Array;
}

/** Which paths behind the base a lie is for: exactly one, those that match, or all. */
export type Paths = string | RegExp | undefined;

/** Flips one bit of the body; a bit beyond the end counts on from its beginning. */
export function flipBit(paths: Paths, bit = 0): Bend {
  return lie(paths, (answer) => {
    const body = answer.body.slice();
    const at = Math.floor(bit / 8) % body.length;
    body[at] = (body[at] ?? 0) ^ (1 << (bit % 8));
    return { ...answer, body };
  });
}

/** Answers every lookup with the true answer for one other module version: proved by the log, and not what was asked. */
export function foreignRecord(log: TestLog, module: string, version: string): Bend {
  const own = lookupPath(module, version);
  return (request, answer) => {
    const id = log.idOf(module, version);
    if (id === undefined) throw new Error(`${module}@${version} is not in the log`);
    const asked = request.path.startsWith('/lookup/') && request.path !== own;
    return asked ? { ...answer, status: 200, body: log.lookupOf(id) } : answer;
  };
}

/** Puts a text in the place of each record looked up; its number and head stay. */
export function alteredRecord(paths: Paths, alter: (text: Uint8Array) => Uint8Array): Bend {
  return lie(paths ?? /^\/lookup\//, (answer) => {
    const { id, text, note } = parseLookup(answer.body);
    return { ...answer, body: lookupBytes(id, alter(text), note) };
  });
}

/** Shows the log as it was at an earlier size, in `latest` and in every lookup. */
export function olderHead(log: HeadSigner, size: number): Bend {
  return otherHead(() => log.head(size));
}

/** Shows the head of a fork (or of any other log), in `latest` and in every lookup; tiles and records stay the honest log's. */
export function forkedHead(fork: HeadSigner, size?: number): Bend {
  return otherHead(() => fork.head(size ?? fork.size));
}

/** Shows another signed note, in `latest` and in every lookup. */
export function otherHead(note: () => Uint8Array): Bend {
  return (request, answer) => {
    if (answer.status !== 200) return answer;
    if (request.path === '/latest') return { ...answer, body: note() };
    if (!request.path.startsWith('/lookup/')) return answer;
    const { id, text } = parseLookup(answer.body);
    return { ...answer, body: lookupBytes(id, text, note()) };
  };
}

/** An HTML page with status 200: a captive portal, a login page, a proxy's own words. */
export function htmlPage(paths?: Paths): Bend {
  const page = textAnswer(200, '<!DOCTYPE html>\n<html><body><h1>Sign in</h1></body></html>\n', {
    'content-type': 'text/html; charset=utf-8',
  });
  return lie(paths, () => page);
}

/** Promises the whole body, sends only so many bytes of it (by default half), and drops the connection. */
export function cutShort(paths?: Paths, bytes?: number): Bend {
  return lie(paths, (answer) => ({ ...answer, dropAfter: bytes ?? Math.max(1, Math.floor(answer.body.length / 2)) }));
}

/** Sends another body than the true one, with a length that is right. */
export function otherBody(paths: Paths, alter: (body: Uint8Array) => Uint8Array): Bend {
  return lie(paths, (answer) => ({ ...answer, body: alter(answer.body) }));
}

/** Drops the connection without an answer. */
export function reset(paths?: Paths): Bend {
  return lie(paths, (answer) => ({ ...answer, dropAfter: 0 }));
}

/** Answers with a status and a short text. */
export function status(code: number, paths?: Paths, headers: Readonly<Record<string, string>> = {}): Bend {
  return lie(paths, () => textAnswer(code, `status ${code}\n`, headers));
}

/** Redirects to another URL: the same text for every path, or made of the path behind the base. */
export function redirect(to: string | ((path: string) => string), paths?: Paths, code = 302): Bend {
  return (request, answer) =>
    isFor(paths, request.path)
      ? textAnswer(code, '', { location: typeof to === 'string' ? to : to(request.path) })
      : answer;
}

/** Answers truly, but late. */
export function slow(milliseconds: number, paths?: Paths): Bend {
  return async (request, answer) => {
    if (isFor(paths, request.path)) await sleep(milliseconds, undefined, { ref: false });
    return answer;
  };
}

/** 404 for each partial tile whose full one exists, as servers may that throw partial tiles away. */
export function noPartialTiles(log: Pick<TestLog, 'hasTile'>): Bend {
  return (request, answer) => {
    if (answer.status !== 200 || !request.path.startsWith('/tile/')) return answer;
    const tile = parseTilePath(request.path.slice(1));
    const gone = tile.width < TILE_WIDTH && log.hasTile({ ...tile, width: TILE_WIDTH });
    return gone ? textAnswer(404, 'not found\n') : answer;
  };
}

/** Lies to the first `times` requests of each path only, then tells the truth. */
export function firstTimes(times: number, bend: Bend): Bend {
  const seen = new Map<string, number>();
  return (request, answer) => {
    const before = seen.get(request.path) ?? 0;
    seen.set(request.path, before + 1);
    return before < times ? bend(request, answer) : answer;
  };
}

/** Several lies, one after the other. */
export function allOf(...bends: readonly Bend[]): Bend {
  return async (request, answer) => {
    let bent = answer;
    for (const bend of bends) bent = await bend(request, bent);
    return bent;
  };
}

function lie(paths: Paths, bend: (answer: Answer) => Answer): Bend {
  return (request, answer) => (isFor(paths, request.path) ? bend(answer) : answer);
}

function isFor(paths: Paths, path: string): boolean {
  return paths === undefined || (typeof paths === 'string' ? paths === path : paths.test(path));
}

/** An answer to a lookup, of parts that may be no record at all. */
function lookupBytes(id: number, text: Uint8Array, note: Uint8Array): Uint8Array {
  return concatBytes(encodeUtf8(`${id}\n`), text, Uint8Array.of(0x0a), note);
}
