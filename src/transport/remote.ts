/**
 * The way to the database over the network, chosen as the go command chooses it (modfetch/sumdb.go, initBase;
 * modfetch/proxy.go, TryProxies): by its own URL where the setting names one, else by the first proxy of GOPROXY that
 * says that it passes it on, else straight.
 */

import type { BulkOptions, ReadOptions, Source } from '../contract.js';
import type { ProxyEntry } from '../config/goproxy.js';
import { joinUrl, redactUrl, type GoUrl } from '../config/gourl.js';
import type { Sumdb } from '../config/sumdb.js';
import { isGosumError } from '../errors.js';
import { onAbort } from './abort.js';
import { openFileSource } from './file.js';
import type { HttpOptions, HttpSource, HttpStats } from './http.js';
import { News } from './news.js';
import { pathElements } from './readpath.js';
import { interrupted, SourceError } from './sourceerror.js';

/** Which database, by which proxies, and how requests are made. */
export interface RemoteOptions extends HttpOptions {
  readonly sumdb: Pick<Sumdb, 'name' | 'direct' | 'url'>;
  /** The entries of GOPROXY. Not used where the database has a URL of its own. */
  readonly proxies: readonly ProxyEntry[];
  /** No socket is opened: what is not in a folder fails with `OFFLINE`. */
  readonly offline?: boolean;
}

/** The database over the network. */
export interface Remote extends Required<Omit<Source, 'turns'>> {
  /** The URL that was chosen, without credentials; `undefined` before the first read is answered. */
  chosen(): string | undefined;
  stats(): HttpStats;
}

/** The most bytes of a `supported` answer, which should have none. */
const SUPPORTED_LIMIT = 1 << 20;
/** Milliseconds that a failure to choose stands for all reads: those of one run fail together, a server tries anew. */
const FAILURE_STANDS = 10_000;

/** Opens the way. Nothing is sent before the first read; that chooses for good, whatever later reads meet. */
export function openRemote(options: RemoteOptions): Remote {
  return new RemoteReader(options);
}

type AnySource = Source & Partial<Pick<HttpSource, 'stats' | 'expect'>>;

class RemoteReader implements Remote {
  readonly #options: RemoteOptions;
  /** Aborts the choice when the source is closed: no single reader owns it. */
  readonly #closing = new AbortController();
  readonly #opened: AnySource[] = [];
  #choice: Promise<AnySource> | undefined;
  #chosen: AnySource | undefined;
  /** Reads that wait for the choice. */
  #waiting = 0;
  readonly #bulk = new News();
  readonly #wide = new News();

  constructor(options: RemoteOptions) {
    this.#options = options;
  }

  get label(): string {
    return this.#chosen?.label ?? this.#options.sumdb.name;
  }

  async read(path: string, options: ReadOptions): Promise<Uint8Array | undefined> {
    pathElements(path);
    const source = this.#chosen ?? (await this.#wait(options.signal));
    return source.read(path, options);
  }

  async bulk(query: Uint8Array, options: BulkOptions): Promise<Uint8Array | undefined> {
    const source = this.#chosen ?? (await this.#wait(options.signal, options.reads));
    return source.bulk?.(query, options);
  }

  onBulk(heard: () => void): () => void {
    return this.#bulk.next(heard);
  }

  onWide(heard: () => void): () => void {
    return this.#wide.ever(heard);
  }

  chosen(): string | undefined {
    return this.#chosen?.label;
  }

  stats(): HttpStats {
    const sum = { requests: 0, retries: 0, connections: 0, bytes: 0 };
    for (const source of this.#opened) {
      const { requests = 0, retries = 0, connections = 0, bytes = 0 } = source.stats?.() ?? {};
      sum.requests += requests;
      sum.retries += retries;
      sum.connections += connections;
      sum.bytes += bytes;
    }
    return sum;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#opened.map((source) => source.close()));
  }

  /** Waits for the one choice, together with all other reads. */
  async #wait(signal: AbortSignal | undefined, reads = 1): Promise<AnySource> {
    this.#choice ??= this.#choose();
    this.#waiting += reads;
    try {
      return await orInterrupted(this.#choice, this.label, signal);
    } finally {
      this.#waiting -= reads;
    }
  }

  async #choose(): Promise<AnySource> {
    // Reads come together: how many wait decides how many connections are opened at once.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      this.#chosen = await this.#walk();
      return this.#chosen;
    } catch (error) {
      setTimeout(() => (this.#choice = undefined), FAILURE_STANDS).unref();
      throw error;
    }
  }

  async #walk(): Promise<AnySource> {
    const { sumdb, proxies } = this.#options;
    if (sumdb.url !== undefined) return this.#open(sumdb.url);
    let failure: Error | undefined;
    for (const entry of proxies) {
      if (entry.kind === 'direct') return this.#open(sumdb.direct);
      if (entry.kind === 'off') break;
      try {
        return await this.#openProxy(entry.url);
      } catch (error) {
        if (isGosumError(error, 'NOT_FOUND')) continue;
        failure = error instanceof Error ? error : new Error('unknown failure', { cause: error });
        if (!entry.fallBackOnError) break;
      }
    }
    // where all entries said that they do not have it, and only then, it is asked straight
    if (failure !== undefined) throw failure;
    return this.#open(sumdb.direct);
  }

  /** The proxy, if it says that it passes the database on. */
  async #openProxy(proxy: GoUrl): Promise<AnySource> {
    const source = await this.#open(joinUrl(proxy, `sumdb/${this.#options.sumdb.name}`));
    try {
      await source.read('/supported', { limit: SUPPORTED_LIMIT, signal: this.#closing.signal });
      return source;
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  async #open(url: GoUrl): Promise<AnySource> {
    if (url.scheme === 'file') return openFileSource(url);
    if (this.#options.offline) return openNothing(url);
    const { openHttpSource } = await import('./http.js');
    const source = openHttpSource(url, this.#options);
    source.expect(this.#waiting);
    source.onBulk(() => this.#bulk.tell());
    source.onWide(() => this.#wide.tell());
    this.#opened.push(source);
    if (this.#closing.signal.aborted) await source.close();
    return source;
  }
}

/** A place on the network in a run that must not use it. */
function openNothing(url: GoUrl): Source {
  const label = redactUrl(url);
  return {
    label,
    read: (path) => {
      const shown = redactUrl(joinUrl(url, path));
      const hint = 'run once without --offline: what that proves is kept';
      return Promise.reject(new SourceError('OFFLINE', `reading ${shown}: not asked, as --offline is set`, { url: shown, hint }));
    },
    close: () => Promise.resolve(),
  };
}

/** Waits for what all readers wait for, unless this one is given up before. */
function orInterrupted<T>(promise: Promise<T>, label: string, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => reject(interrupted(label, signal)));
    promise.then(resolve, reject).finally(forget);
  });
}
