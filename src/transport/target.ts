/** Where an HTTP request goes, made of a setting's URL or of a redirect. */

import { domainToASCII } from 'node:url';
import { redactUrl, splitHost, type GoUrl } from '../config/gourl.js';
import { GosumError } from '../errors.js';

/** A place to send a request to. */
export interface HttpTarget {
  /** https. */
  readonly secure: boolean;
  /** In ASCII, an IPv6 address without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Host, and port unless it is the scheme's own: the Host header. */
  readonly host: string;
  /** The path and query to send. */
  readonly path: string;
  /** User and password that were written in the setting's URL; never those of a redirect. */
  readonly user: { readonly name: string; readonly password: string } | undefined;
  /** The URL for a person, without credentials. */
  readonly shown: string;
}

/**
 * The target of a URL; one without a scheme is https.
 *
 * @throws {GosumError} `CONFIG_INVALID` where credentials would go over plain http.
 */
export function targetOf(url: GoUrl): HttpTarget {
  const shown = redactUrl(url);
  const secure = url.scheme !== 'http';
  if (!secure && url.user !== undefined) {
    throw new GosumError('CONFIG_INVALID', `${shown}: credentials are not sent over plain http`, { hint: 'use https' });
  }
  const { hostname, port } = splitHost(url.host);
  const query = url.query === undefined ? '' : `?${url.query}`;
  return target(secure, asciiHost(hostname), port, `${url.escapedPath || '/'}${query}`, url.user, shown);
}

/**
 * The target of a redirect's Location. Another host is fine; the user of the setting's URL goes along only to the same.
 *
 * @returns `undefined` where there is no way there: another scheme, or from https to http.
 */
export function redirectTarget(from: HttpTarget, location: string): HttpTarget | undefined {
  const base = `${from.secure ? 'https' : 'http'}://${from.host}${from.path}`;
  if (!URL.canParse(location, base)) return undefined;
  const url = new URL(location, base);
  const secure = url.protocol === 'https:';
  if (!secure && (url.protocol !== 'http:' || from.secure)) return undefined;
  const hostname = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const port = url.port === '' ? undefined : Number(url.port);
  const shown = `${url.protocol}//${url.host}${url.pathname}`;
  const to = target(secure, hostname, port, url.pathname + url.search, undefined, shown);
  return originOf(to) === originOf(from) ? { ...to, user: from.user } : to;
}

/** Names a target's server: connections are shared by it. */
export function originOf({ secure, hostname, port }: HttpTarget): string {
  return `${secure ? 'https' : 'http'}://${bracket(hostname)}:${port}`;
}

/** An address as it stands before a port. */
export function bracket(hostname: string): string {
  return hostname.includes(':') ? `[${hostname}]` : hostname;
}

function target(
  secure: boolean,
  hostname: string,
  port: number | undefined,
  path: string,
  user: HttpTarget['user'],
  shown: string,
): HttpTarget {
  const ownPort = secure ? 443 : 80;
  const host = port === undefined || port === ownPort ? bracket(hostname) : `${bracket(hostname)}:${port}`;
  return { secure, hostname, port: port ?? ownPort, host, path, user, shown };
}

function asciiHost(hostname: string): string {
  return /^[ -~]*$/.test(hostname) ? hostname : domainToASCII(hostname);
}
