/** One request and its answer, as both versions of HTTP have it here: a body that is read whole, up to a limit. */

import type { Readable } from 'node:stream';
import { SourceError } from './sourceerror.js';
import type { HttpTarget } from './target.js';

/** A GET request; with a body, a POST. */
export interface HttpRequest {
  readonly target: HttpTarget;
  readonly body?: Uint8Array | undefined;
  /** Lower-case names; Host is not among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** The most bytes that the body of a 200 may have. */
  readonly limit: number;
  /** Takes the body of a 200 as it comes; then the answer has none. */
  readonly sink?: Sink | undefined;
  readonly giveUp: GiveUp;
}

/** Takes parts of a body. */
export type Sink = (part: Uint8Array) => void;

/**
 * Lets one request be given up, for one that waits on it. An AbortSignal does the same for many, and costs more:
 * 250 ms of processor time instead of 200 for a run of 522 requests.
 */
export class GiveUp {
  #reason: Error | undefined;
  #reject: ((reason: Error) => void) | undefined;
  #waiter: ((reason: Error) => void) | undefined;

  /** Why the request was given up; `undefined` while it was not. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  /** Gives up, unless that is done already. */
  now(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#reject?.(reason);
    this.#waiter?.(reason);
  }

  /** Waits for `work`, the whole of the request, and for no longer than it is given up: whatever hangs in there. */
  orElse<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      work.then(resolve, reject);
    });
  }

  /** Has `waiter`, in place of the one before, let go of what the request holds when it is given up; at once if it is. */
  waiter(waiter: (reason: Error) => void): void {
    if (this.#reason === undefined) this.#waiter = waiter;
    else waiter(this.#reason);
  }
}

/** An answer. Nothing of it is believed. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** All of it for a 200; at most the first `OTHER_BODY` bytes for any other status. */
  readonly body: Uint8Array;
}

/** Open connections to one server. */
export interface Connections {
  /** Sends a request. Rejects with the system's error, or the signal's reason. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Says how many requests are about to come at once. */
  expect(count: number): void;
  close(): void;
}

/** Bytes that are read of the body of a redirect or a failure: enough for what cmd/go would show of it. */
const OTHER_BODY = 2048;

/**
 * Reads an answer's body from `stream`.
 *
 * @throws {SourceError} `TOO_LARGE` as soon as a 200 is known to be over the limit.
 */
export function readAnswer(
  stream: Readable,
  status: number,
  headers: HttpAnswer['headers'],
  request: Pick<HttpRequest, 'target' | 'limit' | 'sink'>,
): Promise<HttpAnswer> {
  const ok = status === 200;
  const limit = ok ? request.limit : OTHER_BODY;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const overLimit = (): void => {
      if (ok) reject(tooLarge(request));
      else done(chunks, limit);
      stream.destroy();
    };
    const done = (parts: Buffer[], most: number): void => {
      const [first] = parts;
      const whole = first !== undefined && parts.length === 1 ? first : Buffer.concat(parts);
      const size = Math.min(whole.length, most);
      resolve({ status, headers, body: new Uint8Array(whole.buffer, whole.byteOffset, size) });
    };
    const pour = (chunk: Buffer): void => {
      try {
        request.sink?.(chunk);
      } catch (cause) {
        reject(cause instanceof Error ? cause : new Error('the body was not taken', { cause }));
        stream.destroy();
      }
    };
    const declared = ok ? headers['content-length'] : undefined;
    if (Number(declared ?? 0) > limit) {
      overLimit();
      return;
    }
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (!ok || request.sink === undefined) chunks.push(chunk);
      if (length > limit) overLimit();
      else if (ok) pour(chunk);
    });
    stream.once('end', () => {
      if (declared !== undefined && Number(declared) !== length) reject(lost());
      else done(chunks, limit);
    });
    stream.on('error', reject);
    // a body cut short ends without `end`
    stream.once('close', () => {
      if (!stream.readableEnded) reject(lost());
    });
  });
}

/** The connection went away in the middle of an answer. */
export function lost(): Error {
  return Object.assign(new Error('connection lost'), { code: 'ECONNRESET' });
}

function tooLarge({ limit, target }: Pick<HttpRequest, 'target' | 'limit'>): SourceError {
  return new SourceError('TOO_LARGE', `reading ${target.shown}: more than ${limit} bytes`, { url: target.shown });
}
