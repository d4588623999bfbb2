/**
 * Which answer a request asks for: the database's own layout at the root, and a module proxy's under `/sumdb/NAME/`
 * (sumdb/server.go; modfetch/sumdb.go). Pure. What comes out is rebuilt from parsed values: of the text that came in,
 * nothing goes any further.
 */

import type { Question } from '../contract.js';
import { unescapeModulePath, unescapeVersion } from '../core/module.js';
import { parseModulePaths, type ModulePaths } from '../core/modulepaths.js';
import { parseTilePath } from '../core/tile.js';
import { isGosumError } from '../errors.js';

/** What is asked of a database. */
export type Asked =
  | { readonly kind: 'supported' }
  /** What is wanted is in the request's body. */
  | { readonly kind: 'bulk' }
  /** The newest records of module paths, as a feed. */
  | { readonly kind: 'feed'; readonly paths: ModulePaths }
  | Question;

/** Where a URL leads. */
export type Route =
  | { readonly kind: 'database'; readonly name: string; readonly asked: Asked }
  | { readonly kind: 'page'; readonly page: Page }
  | { readonly kind: 'refused'; readonly status: 400 | 404; readonly text: string }
  /** `allow`: the methods that there are for this path. */
  | { readonly kind: 'refused'; readonly status: 405; readonly text: string; readonly allow: string };

/** The server's own pages. */
export type Page = 'home' | 'healthz' | 'readyz' | 'metrics' | 'version';

const PAGES: Readonly<Record<string, Page>> = {
  '/': 'home',
  '/healthz': 'healthz',
  '/readyz': 'readyz',
  '/metrics': 'metrics',
  '/version': 'version',
};

/** The most characters of a path. A module path has at most some 500, a version 200. */
const MAX_PATH = 2048;

/** What each path but that of bulk queries is asked by. */
const READING = 'GET, HEAD';

/**
 * Reads path and method of a request.
 *
 * @param url as it came: attacker-controlled. A query is passed over.
 * @param names of the databases that are served; the first one at the root, too.
 * @param method attacker-controlled.
 */
export function routeOf(url: string, names: readonly string[], method = 'GET'): Route {
  const route = routeOfPath(url, names);
  if (route.kind === 'refused') return route;
  const allow = route.kind === 'database' && route.asked.kind === 'bulk' ? 'POST' : READING;
  return allow.split(', ').includes(method) ? route : { kind: 'refused', status: 405, text: `only ${allow}`, allow };
}

function routeOfPath(url: string, names: readonly string[]): Route {
  const [path = ''] = url.split('?', 1);
  if (path.length > MAX_PATH) return refused(400, 'the path is too long');
  const page = PAGES[path];
  if (page !== undefined) return { kind: 'page', page };
  const plain = unescapePercent(path);
  if (plain === undefined || !plain.startsWith('/') || /\/\/|\/\.{1,2}(?:\/|$)/.test(plain)) return refused(400, 'malformed path');
  const name = names.find((each) => plain.startsWith(`/sumdb/${each}/`));
  if (name !== undefined) return askedOf(name, plain.slice(`/sumdb/${name}`.length), true);
  const [first] = names;
  return first === undefined ? refused(404, 'not found') : askedOf(first, plain, false);
}

function askedOf(name: string, path: string, proxied: boolean): Route {
  const found = (asked: Asked): Route => ({ kind: 'database', name, asked });
  if (path === '/latest') return found({ kind: 'latest' });
  if (path === '/bulk/v1') return found({ kind: 'bulk' });
  if (path === '/supported' && proxied) return found({ kind: 'supported' });
  try {
    const lookup = /^\/lookup\/([^@]+)@([^@/]+)$/.exec(path);
    if (lookup !== null) {
      const [, module = '', version = ''] = lookup;
      return found({ kind: 'lookup', module: unescapeModulePath(module), version: unescapeVersion(version) });
    }
    if (path.startsWith('/lookup/')) return refused(400, 'malformed lookup: want lookup/module@version');
    if (path.startsWith('/tile/')) return found({ kind: 'tile', tile: parseTilePath(path.slice(1)) });
    // no protocol of Go's: module paths stand in it as people write them, capitals too
    const feed = /^\/feeds\/(.+)\.atom$/.exec(path)?.[1];
    if (feed !== undefined) return found({ kind: 'feed', paths: parseModulePaths(feed) });
    if (path.startsWith('/feeds/')) return refused(400, 'malformed feed: want feeds/module.atom, or feeds/prefix/....atom');
  } catch (error) {
    if (!isGosumError(error)) throw error;
    return refused(400, error.message);
  }
  return refused(404, 'not found');
}

/** Some clients write `!`, `@` and `+` as `%21`, `%40` and `%2B`. No other character of a path here needs it. */
function unescapePercent(path: string): string | undefined {
  if (!path.includes('%')) return path;
  const plain = path.replaceAll(/%(21|40|2b)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return plain.includes('%') ? undefined : plain;
}

function refused(status: 400 | 404, text: string): Route {
  return { kind: 'refused', status, text };
}
