/**
 * Databases and proxies over HTTP: requests with limits on bytes, time and number, redirects, credentials, retries.
 *
 * Only remote.ts loads this file, and only for its first request: a run from the cache is done before Node's HTTP is loaded.
 */

import type { BulkOptions, ReadOptions, Source } from '../contract.js';
import { openEnvironment, type Environment } from '../config/environment.js';
import { joinUrl, redactUrl, type GoUrl } from '../config/gourl.js';
import { httpProxies, type ProxyChoice } from '../config/httpproxy.js';
import { loginFor, type Login } from '../config/netrc.js';
import { isGosumError } from '../errors.js';
import { onAbort } from './abort.js';
import { failureOf, header } from './answer.js';
import { basicAuth, Dialer } from './dial.js';
import { GiveUp, type Sink } from './exchange.js';
import { Limiter } from './limiter.js';
import { News } from './news.js';
import { Origin } from './origin.js';
import { pathElements } from './readpath.js';
import { pause, retryDelay } from './retry.js';
import { TrustedRoots } from './roots.js';
import { interrupted, SourceError, unreachable } from './sourceerror.js';
import { originOf, redirectTarget, targetOf, type HttpTarget } from './target.js';

/** How requests are made. */
export interface HttpOptions {
  /** For certificates (SSL_CERT_FILE), and where `httpProxy` is not given for HTTPS_PROXY and its like. */
  readonly env?: Environment;
  readonly httpProxy?: ProxyChoice;
  /** Credentials to choose from, for https. */
  readonly logins?: readonly Login[];
  /** `gosumcheck/<version>`. */
  readonly userAgent?: string;
  /** Milliseconds that each request may take, with connecting and all of the body. */
  readonly timeout?: number;
  /** Requests in flight at a time. */
  readonly concurrency?: number;
  /** When the whole run has to be done, in milliseconds as of `Date.now`: no pause goes beyond it. */
  readonly deadline?: number | undefined;
}

/** Counts of a source, for `--verbose` and benchmarks. */
export interface HttpStats {
  /** Requests sent, with redirects and retries. */
  readonly requests: number;
  readonly retries: number;
  readonly connections: number;
  /** Bytes of bodies. */
  readonly bytes: number;
}

/** A source over HTTP. */
export interface HttpSource extends Required<Omit<Source, 'turns'>> {
  stats(): HttpStats;
  /** Says how many reads are about to come at once, so that there are connections for them in time. */
  expect(count: number): void;
  /**
   * As `read`, of a path of another protocol than the database's, escaped as URLs are, which the caller has made of checked values.
   *
   * @param into called for each try: what it gives takes the bytes as they come, and nothing is returned.
   */
  file(path: string, options: ReadOptions, into?: () => Sink): Promise<Uint8Array>;
}

const DEFAULT_TIMEOUT = 30_000;
/** As many as a go.sum of 350 modules needs tiles: HTTP/2 takes them at once. Over HTTP/1.1 the connections are the bound. */
const DEFAULT_CONCURRENCY = 512;
const MAX_HTTP1_CONNECTIONS = 64;
const MAX_REDIRECTS = 10;
/** Servers that redirects may lead to, in all. */
const MAX_ORIGINS = 16;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Opens a source below an http or https URL. Nothing is sent before the first read. */
export function openHttpSource(url: GoUrl, options: HttpOptions = {}): HttpSource {
  return new HttpReader(url, options);
}

/** The header that announces bulk queries, and the paths whose answers may have it. */
const BULK_HEADER = 'gosumcheck-bulk';
const ANNOUNCING: ReadonlySet<string> = new Set(['/supported', '/latest']);
/** Where bulk queries go, and the version of them that is spoken here. */
const BULK_PATH = '/bulk/v1';
const BULK_VERSION = 'v1';

/** What is sent, and what is taken for an answer. */
interface Wanted {
  readonly limit: number;
  /** Of a 200 the status alone counts. */
  readonly anyBody?: boolean;
  /** The answer may announce bulk queries. */
  readonly announcing?: boolean;
  /** What is sent, by POST. */
  readonly body?: Uint8Array;
  /** A failure is not tried again. */
  readonly once?: boolean;
  /** For each try, what takes the body. */
  readonly into?: (() => Sink) | undefined;
}

class HttpReader implements HttpSource {
  readonly label: string;
  readonly #url: GoUrl;
  readonly #options: HttpOptions;
  readonly #timeout: number;
  readonly #dialer: Dialer;
  readonly #limiter: Limiter;
  readonly #origins = new Map<string, Origin>();
  #expected = 0;
  #closed = false;
  /** That it takes bulk queries, and very many reads at a time. */
  readonly #bulk = new News();
  readonly #wide = new News();
  /** A server that asked one request to wait has them all wait till then. */
  #notBefore = 0;
  #requests = 0;
  #retries = 0;
  #bytes = 0;

  constructor(url: GoUrl, options: HttpOptions) {
    const { env = openEnvironment(), timeout = DEFAULT_TIMEOUT } = options;
    this.label = redactUrl(url);
    this.#url = url;
    this.#options = options;
    this.#timeout = timeout;
    // what waits here does not use up its time yet
    this.#limiter = new Limiter(Math.min(options.concurrency ?? DEFAULT_CONCURRENCY, MAX_HTTP1_CONNECTIONS));
    this.#dialer = new Dialer({ roots: new TrustedRoots(env), proxyFor: options.httpProxy ?? httpProxies(env), timeout });
  }

  async read(path: string, { limit, signal, once = false }: ReadOptions): Promise<Uint8Array> {
    pathElements(path);
    // of `supported` the status alone counts, and to the go command nothing else does
    return this.#ask(path, { limit, anyBody: path === '/supported', announcing: ANNOUNCING.has(path), once }, signal);
  }

  file(path: string, { limit, signal, once = false }: ReadOptions, into?: () => Sink): Promise<Uint8Array> {
    return this.#ask(path, { limit, once, into }, signal);
  }

  /** As reads are, but for redirects, which are refused, and for one that takes too long: that is not tried again, as there is another way to the same. */
  bulk(query: Uint8Array, { limit, signal }: BulkOptions): Promise<Uint8Array | undefined> {
    return this.#bulk.isKnown ? this.#ask(BULK_PATH, { limit, body: query }, signal) : Promise.resolve(undefined);
  }

  onBulk(heard: () => void): () => void {
    return this.#bulk.next(heard);
  }

  onWide(heard: () => void): () => void {
    return this.#wide.ever(heard);
  }

  async #ask(path: string, wanted: Wanted, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const target = targetOf(joinUrl(this.#url, path));
    try {
      for (let next = 2; ; next++) {
        try {
          return await this.#limiter.run(() => this.#attempt(target, wanted, signal), signal);
        } catch (error) {
          const isFinal = wanted.once === true || (wanted.body !== undefined && isGosumError(error, 'TIMEOUT'));
          const delay = isFinal ? undefined : this.#delayAfter(error, next);
          if (delay === undefined || signal?.aborted) throw error;
          await pause(delay, signal);
          this.#retries++;
        }
      }
    } catch (error) {
      throw signal?.aborted ? interrupted(target.shown, signal) : error;
    }
  }

  stats(): HttpStats {
    return { requests: this.#requests, retries: this.#retries, connections: this.#dialer.connections, bytes: this.#bytes };
  }

  expect(count: number): void {
    this.#expected = count;
    for (const origin of this.#origins.values()) origin.expect(count);
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const origin of this.#origins.values()) origin.close();
    this.#dialer.close();
    return Promise.resolve();
  }

  /** The pause before try number `next`; `undefined` where the error is final. */
  #delayAfter(error: unknown, next: number): number | undefined {
    if (this.#closed || !(error instanceof SourceError) || !error.retryable) return undefined;
    const { deadline } = this.#options;
    const delay = retryDelay(next, error.retryAfter, deadline === undefined ? undefined : deadline - Date.now());
    if (delay !== undefined && error.retryAfter !== undefined) {
      this.#notBefore = Math.max(this.#notBefore, Date.now() + error.retryAfter);
    }
    return delay;
  }

  /** One try: a request, and those that redirects lead to, within the time of one. */
  async #attempt(target: HttpTarget, wanted: Wanted, signal: AbortSignal | undefined): Promise<Uint8Array> {
    if (Date.now() < this.#notBefore) await pause(this.#notBefore - Date.now(), signal);
    const giveUp = new GiveUp();
    const { shown } = target;
    const timer = setTimeout(() => giveUp.now(timeout(shown, this.#timeout)), this.#timeout);
    const forget = onAbort(signal, () => giveUp.now(signal?.reason as Error));
    try {
      return await giveUp.orElse(this.#follow(target, wanted, giveUp));
    } catch (error) {
      if (giveUp.reason !== undefined) throw giveUp.reason;
      if (isGosumError(error)) throw error;
      throw unreachable(shown, error, this.#proxyOf(target));
    } finally {
      clearTimeout(timer);
      forget();
    }
  }

  async #follow(start: HttpTarget, { limit, anyBody, announcing, body, into }: Wanted, giveUp: GiveUp): Promise<Uint8Array> {
    let target = start;
    const sink = into?.();
    for (let redirects = 0; ; redirects++) {
      this.#requests++;
      const answer = await this.#origin(target).send({ target, headers: this.#headers(target, body), body, limit, sink, giveUp });
      this.#bytes += answer.body.length;
      const location = header(answer.headers, 'location');
      if (!REDIRECTS.has(answer.status) || location === '') {
        const failure = failureOf(answer, target, anyBody);
        if (failure !== undefined) throw failure;
        // what a redirect led to speaks for itself alone: a query goes to the URL of the setting
        if (announcing === true && redirects === 0) this.#hear(header(answer.headers, BULK_HEADER));
        return answer.body;
      }
      if (body !== undefined) {
        throw new SourceError('ANSWER_MALFORMED', `reading ${start.shown}: a redirect of a bulk query`, { url: start.shown, status: answer.status });
      }
      const next = redirectTarget(target, location);
      if (next === undefined || redirects === MAX_REDIRECTS) {
        const reason = next === undefined ? 'a redirect to what is no https URL' : `more than ${MAX_REDIRECTS} redirects`;
        throw new SourceError('ANSWER_MALFORMED', `reading ${start.shown}: ${reason}`, { url: start.shown, status: answer.status });
      }
      target = next;
    }
  }

  #hear(announced: string): void {
    if (announced.split(',').some((version) => version.trim() === BULK_VERSION)) this.#bulk.tell();
  }

  #origin(target: HttpTarget): Origin {
    const name = originOf(target);
    let origin = this.#origins.get(name);
    if (origin === undefined) {
      if (this.#origins.size >= MAX_ORIGINS) {
        throw new SourceError('ANSWER_MALFORMED', `reading ${target.shown}: redirects to too many servers`, { url: target.shown });
      }
      origin = new Origin(target, this.#dialer, {
        maxConnections: MAX_HTTP1_CONNECTIONS,
        onHttp2: () => {
          this.#limiter.raise(this.#options.concurrency ?? DEFAULT_CONCURRENCY);
          this.#wide.tell();
        },
      });
      origin.expect(this.#expected);
      this.#origins.set(name, origin);
    }
    return origin;
  }

  /** The headers of a request. Credentials are chosen anew for each target, and go over https alone. */
  #headers(target: HttpTarget, body: Uint8Array | undefined): Record<string, string> {
    // without accept-encoding a server might compress (RFC 9110 §12.5.3), and a small body could be a great one
    const asking = { 'user-agent': this.#options.userAgent ?? 'gosumcheck', 'accept-encoding': 'identity' };
    const headers = body === undefined ? asking : { ...asking, 'content-type': 'application/octet-stream', 'content-length': String(body.length) };
    const login = this.#login(target);
    return login === undefined ? headers : { ...headers, authorization: basicAuth(login.user, login.password) };
  }

  #login({ secure, user, host, path }: HttpTarget): Pick<Login, 'user' | 'password'> | undefined {
    if (!secure) return undefined;
    if (user !== undefined) return { user: user.name, password: user.password };
    return loginFor(this.#options.logins ?? [], host + path);
  }

  /** The proxy that a request goes through, for messages. */
  #proxyOf(target: HttpTarget): string | undefined {
    const proxy = this.#dialer.proxyOf(target);
    return proxy === undefined ? undefined : redactUrl(proxy);
  }
}

function timeout(url: string, milliseconds: number): SourceError {
  return new SourceError('TIMEOUT', `reading ${url}: no answer within ${milliseconds / 1000} s`, { url, retryable: true });
}
