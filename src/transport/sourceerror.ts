/** Failures of reading from a source, with what a caller needs to decide: whether trying again may help, and where it was. */

import { GosumError, isGosumError, type Code } from '../errors.js';

/** The codes that a source's read fails with. */
export type SourceCode = Extract<
  Code,
  'UNREACHABLE' | 'TIMEOUT' | 'HTTP_STATUS' | 'TOO_LARGE' | 'ANSWER_MALFORMED' | 'NOT_FOUND' | 'OFFLINE' | 'INTERRUPTED'
>;

/** What is known beside code and message. */
export interface SourceErrorOptions {
  readonly url: string;
  readonly retryable?: boolean;
  readonly status?: number | undefined;
  readonly detail?: string;
  readonly retryAfter?: number | undefined;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A source gave no answer, or said that there is none. */
export class SourceError extends GosumError<SourceCode> {
  override readonly name = 'SourceError';
  /** Where it was read from, without credentials. */
  readonly url: string;
  /** The HTTP status, where one came. */
  readonly status: number | undefined;
  /** Milliseconds that the server asked to wait. */
  readonly retryAfter: number | undefined;
  /** What the server said, a few printable lines; from outside, and to be shown as such. Empty where it said nothing. */
  readonly detail: string;

  constructor(code: SourceCode, message: string, options: SourceErrorOptions) {
    const { url, retryable = false, status, detail = '', retryAfter, hint, cause } = options;
    super(code, message, { retryable, ...(hint === undefined ? {} : { hint }), ...(cause === undefined ? {} : { cause }) });
    this.url = url;
    this.status = status;
    this.detail = detail;
    this.retryAfter = retryAfter;
  }
}

/** Words for the causes that people meet; each stands behind "reading URL: ". */
const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection lost',
  ECONNABORTED: 'connection lost',
  EPIPE: 'connection lost',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name not found for now',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no network',
  EADDRNOTAVAIL: 'no network',
  ETIMEDOUT: 'connection timed out',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  CERT_HAS_EXPIRED: 'its TLS certificate has expired',
  CERT_NOT_YET_VALID: 'its TLS certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its TLS certificate is for another host',
  EPROTO: 'it does not speak TLS as it should',
};

/** TLS failures that an issuer added to the trusted ones would mend. */
const UNKNOWN_ISSUER: ReadonlySet<string> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

/** Failures that trying again cannot mend. */
const LASTING: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EACCES',
  'EPERM',
  'EISDIR',
  'ENOTDIR',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'EPROTO',
  ...UNKNOWN_ISSUER,
]);

/** Reports whether a TLS handshake failed because the issuer of the server's certificate is not known. */
export function isUnknownIssuer(error: unknown): boolean {
  return UNKNOWN_ISSUER.has(causeCode(error));
}

/** The error of a read whose caller's own signal was aborted: the reason, if that is one of our errors. */
export function interrupted(url: string, signal: AbortSignal): GosumError {
  const reason: unknown = signal.reason;
  if (isGosumError(reason)) return reason;
  const late = reason instanceof DOMException && reason.name === 'TimeoutError';
  return late
    ? new SourceError('TIMEOUT', `reading ${url}: out of time`, { url, retryable: true })
    : new SourceError('INTERRUPTED', `reading ${url}: interrupted`, { url, cause: reason });
}

/**
 * An `UNREACHABLE` error, in words, of what the system or a library threw while `url` was read.
 *
 * @param proxy the HTTP proxy that was in between.
 */
export function unreachable(url: string, cause: unknown, proxy?: string): SourceError {
  const code = causeCode(cause);
  const unknownIssuer = UNKNOWN_ISSUER.has(code);
  const words = unknownIssuer
    ? `its TLS certificate is of an unknown issuer (${code})`
    : (CAUSES[code] ?? (cause instanceof Error ? cause.message : 'unknown failure'));
  return new SourceError('UNREACHABLE', `reading ${url}${proxy === undefined ? '' : ` by the proxy ${proxy}`}: ${printable(words)}`, {
    url,
    cause,
    retryable: !LASTING.has(code),
    ...(unknownIssuer ? { hint: 'set NODE_EXTRA_CA_CERTS or SSL_CERT_FILE to a PEM file with the certificate of your company’s authority' } : {}),
  });
}

/** A text from outside for one line of a terminal: printable characters alone, the others as `?`. */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{C}]|[\p{Zl}\p{Zp}]/gu, '?');
}

/** The system's code of an error, also where several attempts to connect failed at once. */
function causeCode(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code === 'string') return code;
  return error instanceof AggregateError && error.errors.length > 0 ? causeCode(error.errors[0]) : '';
}
