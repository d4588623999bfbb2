/**
 * URLs as Go's net/url reads them (RFC 3986, with its ways). `new URL` follows another standard: it takes what Go
 * refuses and rewrites what Go keeps (`..`, backslashes, hosts), so a setting could mean another place than to Go.
 */

import { encodeUtf8 } from '../core/text.js';
import { GosumError } from '../errors.js';

/** A parsed URL. */
export interface GoUrl {
  /** Lower case; empty where there is none. */
  readonly scheme: string;
  /** What stands behind `scheme:` where that does not begin with a slash. Then there is no host and no path. */
  readonly opaque: string;
  readonly user: { readonly name: string; readonly password: string } | undefined;
  /** The host, and `:port` where one is given; an IPv6 address keeps its brackets. */
  readonly host: string;
  /** The path, decoded. */
  readonly path: string;
  /** The path as it is sent. */
  readonly escapedPath: string;
  /** Whether the path was written in another way than Go itself would write it (Go's RawPath). */
  readonly oddPath: boolean;
  /** What stands behind the first `?`; `undefined` where there is none. */
  readonly query: string | undefined;
  readonly fragment: string;
  /** Whether `//` and an authority, perhaps an empty one, were written. */
  readonly authority: boolean;
}

const PATH_PLAIN = "A-Za-z0-9\\-_.~$&+,/:;=@";
const HOST_PLAIN = /^[A-Za-z0-9\-_.~!"$&'()*+,:;<=>[\]\u0080-\u{10ffff}%]*$/u;
const USER_PLAIN = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;

/**
 * Parses a URL or a relative reference.
 *
 * @throws {GosumError} `CONFIG_INVALID`. The message does not repeat the text, which may hold a password.
 */
export function parseGoUrl(text: string): GoUrl {
  const [beforeFragment, fragment] = cut(text, '#');
  if (hasControl(beforeFragment)) throw malformed('a control character in it');
  if (beforeFragment.startsWith(':')) throw malformed('missing scheme');
  const schemeMatch = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(beforeFragment);
  const scheme = schemeMatch?.[1]?.toLowerCase() ?? '';
  const [hierarchy, query] = cut(beforeFragment.slice(schemeMatch?.[0].length ?? 0), '?');
  const common = { scheme, query, fragment: decodePercent(fragment ?? '') };

  if (!hierarchy.startsWith('/')) {
    if (scheme !== '') return { ...common, ...NO_PATH, opaque: hierarchy };
    if (/^[^/]*:/.test(hierarchy)) throw malformed('a colon in the first element of its path');
  }
  const authority = /^\/\/(?!\/)/.test(hierarchy) || (scheme !== '' && hierarchy.startsWith('//'));
  const [whole = '', userAndHost = ''] = authority ? (/^\/\/([^/]*)/.exec(hierarchy) ?? []) : [];
  const path = hierarchy.slice(whole.length);
  const decoded = decodePercent(path);
  const canonical = escapePath(decoded);
  return {
    ...common,
    ...parseAuthority(scheme, userAndHost),
    opaque: '',
    path: decoded,
    escapedPath: isEscapedPath(path) ? path : canonical,
    oddPath: path !== canonical,
    authority,
  };
}

/** Escapes a path as Go writes it: unreserved characters, `/`, and `$&+,:;=@` stay as they are. */
export function escapePath(path: string): string {
  return path.replace(new RegExp(`[^${PATH_PLAIN}]`, 'gu'), (character) =>
    Array.from(encodeUtf8(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/** The URL for a person's eyes: without user, password and query, which may be secrets. */
export function redactUrl(url: GoUrl): string {
  const scheme = url.scheme === '' ? '' : `${url.scheme}:`;
  return `${scheme}${url.authority ? `//${url.host}` : ''}${url.opaque}${url.escapedPath}`;
}

/** The URL of a path (not escaped) below this one, with one slash between; a query stays, as cmd/go has it. */
export function joinUrl(url: GoUrl, path: string): GoUrl {
  const join = (base: string, end: string): string => `${base.replace(/\/$/, '')}/${end.replace(/^\//, '')}`;
  // `!`, which stands before every capital of a module path, needs no escape (RFC 3986 §3.3); Go writes it either way
  const escaped = escapePath(path).replaceAll('%21', '!');
  return { ...url, path: join(url.path, path), escapedPath: join(url.escapedPath, escaped) };
}

/** Splits `host[:port]` into a host without brackets, and the port, `undefined` where none is given. */
export function splitHost(host: string): { hostname: string; port: number | undefined } {
  const match = /^(.*?)(?::([0-9]*))?$/s.exec(host);
  const hostname = match?.[1] ?? '';
  return {
    hostname: hostname.startsWith('[') && hostname.endsWith(']') ? hostname.slice(1, -1) : hostname,
    port: match?.[2] ? Number(match[2]) : undefined,
  };
}

const NO_PATH = { user: undefined, host: '', path: '', escapedPath: '', oddPath: false, authority: false } as const;

function parseAuthority(scheme: string, text: string): Pick<GoUrl, 'user' | 'host'> {
  const at = text.lastIndexOf('@');
  const host = parseHost(scheme, text.slice(at + 1));
  if (at < 0) return { user: undefined, host };
  const userinfo = text.slice(0, at);
  if (!USER_PLAIN.test(userinfo)) throw malformed('a bad character in its user or password');
  const [name, password = ''] = cut(userinfo, ':');
  return { user: { name: decodePercent(name), password: decodePercent(password) }, host };
}

function parseHost(scheme: string, host: string): string {
  if (!HOST_PLAIN.test(host)) throw malformed('a bad character in its host');
  const bracket = host.lastIndexOf('[');
  if (bracket > 0) throw malformed('a bad IP address');
  if (bracket === 0) {
    const [, address, port = ''] = /^\[([0-9A-Fa-f:.]+)\](.*)$/.exec(host) ?? [];
    // stricter than Go, whose addresses may have a zone: no server of a checksum database is on a link-local address
    if (!address?.includes(':')) throw malformed('a bad IP address');
    if (!isOptionalPort(port)) throw malformed('a bad port');
    return host;
  }
  const strict = scheme === 'http' || scheme === 'https';
  const colon = strict ? host.indexOf(':') : host.lastIndexOf(':');
  if (colon >= 0 && !isOptionalPort(host.slice(colon))) throw malformed('a bad port');
  if (/%(?!25)[0-7]/.test(host)) throw malformed('an escape in its host');
  return decodePercent(host);
}

function isOptionalPort(text: string): boolean {
  return /^(?::[0-9]*)?$/.test(text);
}

/** Reports whether the path can be sent as it is written. */
function isEscapedPath(path: string): boolean {
  return /^(?:[A-Za-z0-9\-_.~$&+,/:;=@!'()*[\]]|%[0-9A-Fa-f]{2})*$/.test(path);
}

function decodePercent(text: string): string {
  if (!text.includes('%')) return text;
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) throw malformed('a bad escape');
  const bytes = encodeUtf8(text);
  const decoded: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === 0x25) {
      decoded.push(Number.parseInt(String.fromCharCode(bytes[i + 1] ?? 0, bytes[i + 2] ?? 0), 16));
      i += 2;
    } else {
      decoded.push(byte);
    }
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(decoded));
}

function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

function malformed(detail: string): GosumError {
  return new GosumError('CONFIG_INVALID', `malformed URL: ${detail}`);
}
