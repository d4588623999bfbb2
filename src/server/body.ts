/** The body of a request, within a limit of bytes and of time. */

import type { IncomingMessage } from 'node:http';
import { concatBytes } from '../core/text.js';

/** Milliseconds that a client has to send a body, in which it may be slow, but not for ever. */
const BODY_TIME = 15_000;

/**
 * Reads a body whole.
 *
 * @param limit bytes.
 * @returns the bytes, or the status that says why there are none: 413 too many, 408 too slow, 400 cut short. What is left
 * of the body was not read then, so that the connection is of no more use.
 */
export function readBody(request: IncomingMessage, limit: number, time: number = BODY_TIME): Promise<Uint8Array | 400 | 408 | 413> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return Promise.resolve(413);
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    const done = (result: Uint8Array | 400 | 408 | 413): void => {
      clearTimeout(timer);
      request.off('data', take);
      if (typeof result === 'number') request.pause();
      resolve(result);
    };
    const take = (chunk: Uint8Array): void => {
      length += chunk.length;
      if (length > limit) done(413);
      else chunks.push(chunk);
    };
    const timer = setTimeout(() => done(408), time);
    request.on('data', take);
    request.once('end', () => done(concatBytes(...chunks)));
    request.once('close', () => done(400));
    request.on('error', () => done(400));
  });
}
