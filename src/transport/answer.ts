/** What an HTTP answer means: the bytes that were asked for, or which failure. */

import type { HttpAnswer } from './exchange.js';
import { parseRetryAfter } from './retry.js';
import { printable, SourceError } from './sourceerror.js';
import type { HttpTarget } from './target.js';

/** Of what a server says about a failure, as much as cmd/go would show. */
const DETAIL_LINES = 8;
const DETAIL_WIDTH = 80;

/** Statuses that a busy or broken server gives for now. */
const TEMPORARY: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * The failure that an answer means; `undefined` for a 200 of the protocol's form.
 *
 * - 404 and 410 are `NOT_FOUND`: the database's own word.
 * - Any other status is `HTTP_STATUS`; 429 and 5xx may pass.
 * - An HTML page with status 200 is `ANSWER_MALFORMED`: a login page, most likely. So is a compressed body, as none was
 *   asked for.
 *
 * @param anyBody takes a 200 with whatever body.
 */
export function failureOf(answer: HttpAnswer, target: HttpTarget, anyBody = false): SourceError | undefined {
  const { status, headers, body } = answer;
  const url = target.shown;
  if (status === 200) {
    if (anyBody) return undefined;
    const encoding = header(headers, 'content-encoding');
    if (encoding !== '' && encoding !== 'identity') return malformed(url, 'a compressed body, which was not asked for');
    if (mediaType(headers) === 'text/html' && body.length > 0) return malformed(url, 'an HTML page');
    return undefined;
  }
  const detail = detailOf(answer);
  // Node's HTTP is loaded by then, and not before it is needed
  const name = process.getBuiltinModule('node:http').STATUS_CODES[status];
  const words = `reading ${url}: ${status}${name === undefined ? '' : ` ${name}`}`;
  const [line] = detail.split('\n');
  const message = line === '' || line === undefined ? words : `${words}: ${line}`;
  if (status === 404 || status === 410) return new SourceError('NOT_FOUND', message, { url, status, detail });
  const hint = HINTS.get(status);
  const retryable = TEMPORARY.has(status) || status > 504;
  const retryAfter = parseRetryAfter(header(headers, 'retry-after'));
  return new SourceError('HTTP_STATUS', message, { url, status, detail, retryable, retryAfter, ...(hint === undefined ? {} : { hint }) });
}

const HINTS: ReadonlyMap<number, string> = new Map([
  [401, 'the server wants credentials: put them into ~/.netrc'],
  [403, 'the server refuses to answer: check GOPROXY and your credentials in ~/.netrc'],
  [407, 'the HTTP proxy wants credentials: put them into HTTPS_PROXY'],
]);

/** The first lines of a plain text, as cmd/go takes them: up to a blank one. Printable characters alone. */
function detailOf({ headers, body }: HttpAnswer): string {
  const charset = /;\s*charset="?([^";\s]+)/i.exec(header(headers, 'content-type'))?.[1]?.toLowerCase() ?? 'utf-8';
  if (mediaType(headers) !== 'text/plain' || !['utf-8', 'us-ascii'].includes(charset)) return '';
  const lines = new TextDecoder().decode(body).split(/\r?\n/);
  const blank = lines.findIndex((line) => line.trim() === '');
  return lines
    .slice(0, blank < 0 ? DETAIL_LINES : Math.min(blank, DETAIL_LINES))
    .map((line) => printable(line).slice(0, DETAIL_WIDTH))
    .join('\n');
}

function mediaType(headers: HttpAnswer['headers']): string {
  return header(headers, 'content-type').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** A header's value; of a repeated one the first, of a missing one the empty text. */
export function header(headers: HttpAnswer['headers'], name: string): string {
  const value = headers[name];
  return (typeof value === 'string' ? value : value?.[0]) ?? '';
}

function malformed(url: string, what: string): SourceError {
  return new SourceError('ANSWER_MALFORMED', `reading ${url}: ${what}`, {
    url,
    status: 200,
    hint: 'something between here and the database may answer in its place: open the URL in a browser',
  });
}
