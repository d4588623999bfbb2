/** GOPROXY: the list of proxies that may pass the checksum database on (modfetch/proxy.go, proxyList). */

import { fields, quote } from '../core/text.js';
import { GosumError } from '../errors.js';
import { openEnvironment, pathsOf, type Environment } from './environment.js';
import { parseGoUrl, redactUrl, type GoUrl } from './gourl.js';
import type { Setting } from './goenv.js';

/** An entry of the list. */
export type ProxyEntry =
  | {
      readonly kind: 'url';
      readonly url: GoUrl;
      /** Whether any failure leads to the next entry (`|`), not only a 404 or 410 (`,`). */
      readonly fallBackOnError: boolean;
    }
  /** Ask no proxy. Always the last entry. */
  | { readonly kind: 'direct' }
  | { readonly kind: 'off' };

/**
 * Parses a value of GOPROXY. Entries behind `direct` and `off` are not read.
 *
 * @throws {GosumError} `CONFIG_INVALID` for a list without entries, or an entry that is no URL of a proxy.
 */
export function parseGoproxy(setting: Setting, env: Environment = openEnvironment()): ProxyEntry[] {
  const entries: ProxyEntry[] = [];
  for (const [, text = '', separator] of setting.value.matchAll(/([^,|]*)([,|]|$)/g)) {
    const entry = trim(text);
    if (entry === '') continue;
    if (entry === 'off' || entry === 'direct') {
      entries.push({ kind: entry });
      break;
    }
    entries.push({ kind: 'url', url: parseEntry(entry, setting.from, env), fallBackOnError: separator === '|' });
  }
  if (entries.length === 0) throw invalid(setting.from, 'the list has no entries');
  return entries;
}

function parseEntry(text: string, from: string, env: Environment): GoUrl {
  const schemeless =
    /[.:/]/.test(text) && !text.includes(':/') && !text.startsWith('/') && !pathsOf(env).isAbsolute(text);
  let url: GoUrl;
  try {
    url = parseGoUrl(schemeless ? `https://${text}` : text);
  } catch (cause) {
    throw invalid(from, cause instanceof Error ? cause.message : '', cause);
  }
  const shown = quote(redactUrl(url));
  switch (url.scheme) {
    case 'http':
    case 'https':
      return url;
    case 'file': {
      const pathOnly = url.authority && url.host === '' && url.user === undefined;
      if (!pathOnly || url.opaque !== '' || url.query !== undefined || url.fragment !== '') {
        throw invalid(from, `the proxy ${shown} has more than a path, want file:///path`);
      }
      return url;
    }
    case '':
      throw invalid(from, `the proxy ${shown} has no scheme`);
    default:
      throw invalid(from, `the proxy ${shown} has a scheme other than https, http, file`);
  }
}

/** Trims white space as Go's `strings.TrimSpace`. */
function trim(text: string): string {
  const words = fields(text);
  const [first] = words;
  const last = words.at(-1);
  if (first === undefined || last === undefined) return '';
  return text.slice(text.indexOf(first), text.lastIndexOf(last) + last.length);
}

function invalid(from: string, detail: string, cause?: unknown): GosumError {
  return new GosumError('CONFIG_INVALID', `invalid GOPROXY (${from}): ${detail}`, {
    cause,
    hint: 'GOPROXY is a list of URLs, `direct` or `off`, with `,` or `|` between them',
  });
}
