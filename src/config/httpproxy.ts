/**
 * HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as Go reads them (golang.org/x/net/http/httpproxy).
 *
 * There are many dialects. In Go's the capital names come first, HTTPS_PROXY does not default to HTTP_PROXY, NO_PROXY
 * knows address ranges and is split at commas alone, and this machine itself is never asked through a proxy. (undici's
 * EnvHttpProxyAgent differs in all of these.)
 */

import { BlockList, isIP, isIPv6 } from 'node:net';
import { GosumError } from '../errors.js';
import type { Environment } from './environment.js';
import { parseGoUrl, redactUrl, splitHost, type GoUrl } from './gourl.js';

/** Where a request goes. */
export interface ProxyTarget {
  readonly secure: boolean;
  /** Without brackets, in ASCII. */
  readonly hostname: string;
  readonly port: number;
}

/** Chooses the HTTP proxy for a request; `undefined` is none. @throws {GosumError} `CONFIG_INVALID`, see `httpProxies`. */
export type ProxyChoice = (target: ProxyTarget) => GoUrl | undefined;

/** One entry of NO_PROXY. */
type Exception = (hostname: string, port: number) => boolean;

/**
 * Reads the proxy variables. A value that is no URL is passed over, as in Go.
 *
 * The choice throws `CONFIG_INVALID` for a proxy of a kind that is not supported (SOCKS), and for a plain http request
 * where HTTP_PROXY may be a header that some client of a CGI server sent (golang.org/s/cgihttpproxy).
 */
export function httpProxies(env: Environment): ProxyChoice {
  const any = (name: string): string | undefined => env.get(name) ?? env.get(name.toLowerCase());
  const forHttp = parseProxy(any('HTTP_PROXY'));
  const forHttps = parseProxy(any('HTTPS_PROXY'));
  const exceptions = (any('NO_PROXY') ?? '').split(',').flatMap((entry) => parseException(entry.trim().toLowerCase()) ?? []);
  const inCgi = env.get('REQUEST_METHOD') !== undefined;

  return ({ secure, hostname, port }) => {
    const proxy = secure ? forHttps : forHttp;
    if (proxy === undefined) return undefined;
    if (!secure && inCgi) {
      throw new GosumError('CONFIG_INVALID', 'HTTP_PROXY is not used where REQUEST_METHOD is set: a client may have sent it');
    }
    const host = hostname.toLowerCase();
    if (isThisMachine(host) || exceptions.some((matches) => matches(host, port))) return undefined;
    if (proxy.scheme !== 'http' && proxy.scheme !== 'https') {
      throw new GosumError('CONFIG_INVALID', `the proxy ${redactUrl(proxy)} is of a kind that is not supported`, {
        hint: 'give an http:// or https:// proxy in HTTPS_PROXY, or name the host in NO_PROXY',
      });
    }
    return proxy;
  };
}

/** A URL, or `host[:port]`, which means an http one. */
function parseProxy(text: string | undefined): GoUrl | undefined {
  if (text === undefined) return undefined;
  const url = tryUrl(text);
  if (url !== undefined && url.scheme !== '' && url.host !== '') return url;
  return tryUrl(`http://${text}`) ?? url;
}

function tryUrl(text: string): GoUrl | undefined {
  try {
    return parseGoUrl(text);
  } catch {
    return undefined;
  }
}

function parseException(entry: string): Exception | undefined {
  // as in Go, an address in brackets needs a port behind them
  if (entry === '' || /^\[.*\]$/.test(entry)) return undefined;
  if (entry === '*') return () => true;
  const range = parseRange(entry);
  if (range !== undefined) return range;

  // an IPv6 address without brackets has colons, and none of them stands before a port
  const { hostname, port } = isIPv6(entry) ? { hostname: entry, port: undefined } : splitHost(entry);
  const portMatches = (other: number): boolean => port === undefined || port === other;
  if (hostname === '') return undefined;
  if (isIP(hostname) !== 0) {
    const list = new BlockList();
    list.addAddress(hostname, family(hostname));
    return (host, other) => isIP(host) !== 0 && list.check(host, family(host)) && portMatches(other);
  }
  const domain = hostname.replace(/^\*(?=\.)/, '');
  const [suffix, exact] = domain.startsWith('.') ? [domain, undefined] : [`.${domain}`, domain];
  return (host, other) => isIP(host) === 0 && (host.endsWith(suffix) || host === exact) && portMatches(other);
}

/** `10.0.0.0/8` or `fd00::/8`. */
function parseRange(entry: string): Exception | undefined {
  const [, address = '', bits = ''] = /^([^/]+)\/([0-9]{1,9})$/.exec(entry) ?? [];
  if (isIP(address) === 0 || Number(bits) > (isIPv6(address) ? 128 : 32)) return undefined;
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family(address));
  return (host) => isIP(host) !== 0 && list.check(host, family(host));
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isThisMachine(host: string): boolean {
  return host === 'localhost' || (isIP(host) !== 0 && loopback.check(host, family(host)));
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
