/** GOSUMDB: which checksum database is asked, under which key, and by which URL (modfetch/sumdb.go, dbDial). */

import { parseVerifierKey, type VerifierKey } from '../core/key.js';
import { fields, quote } from '../core/text.js';
import { GosumError, isGosumError } from '../errors.js';
import { parseGoUrl, redactUrl, type GoUrl } from './gourl.js';
import type { Setting } from './goenv.js';

/** The key of the public database, as the go command has it built in. */
export const SUM_GOLANG_ORG = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';

const KNOWN_KEYS = new Map([['sum.golang.org', SUM_GOLANG_ORG]]);

/** The public database's other name, for where its own cannot be reached: the same key under another URL. */
const ALIASES = new Map([['sum.golang.google.cn', 'sum.golang.org https://sum.golang.google.cn']]);

/** A checksum database. */
export interface Sumdb {
  readonly key: VerifierKey;
  /** The key's name. It also makes the URL where the database is asked directly. */
  readonly name: string;
  /** `https://name`. */
  readonly direct: GoUrl;
  /** A URL that the setting itself names. Then no proxy is asked. */
  readonly url: GoUrl | undefined;
  /** Where the setting was found. */
  readonly source: string;
}

/**
 * Parses a value of GOSUMDB: a known name or a full verifier key, and perhaps a URL.
 *
 * Stricter than Go in one thing: a URL that no request could ever be sent to is refused here, not at the first request.
 *
 * @throws {GosumError} `SUMDB_OFF` for `off`; `CONFIG_INVALID` for everything else.
 */
export function parseSumdb(setting: Setting): Sumdb {
  const { from } = setting;
  if (setting.value === 'off') {
    throw new GosumError('SUMDB_OFF', `the checksum database is switched off: GOSUMDB=off (${from})`, {
      hint: 'set GOSUMDB, or give --sumdb, to the database that these sums shall be checked against, such as sum.golang.org',
    });
  }
  const [nameOrKey, urlText, ...more] = fields(ALIASES.get(setting.value) ?? setting.value);
  if (nameOrKey === undefined) throw invalid(from, 'it is empty');
  if (more.length > 0) throw invalid(from, 'more than two fields, want a name or a key, and perhaps a URL');

  const key = parseKey(KNOWN_KEYS.get(nameOrKey) ?? nameOrKey, from);
  return {
    key,
    name: key.name,
    direct: directUrl(key.name, from),
    url: urlText === undefined ? undefined : parseUrl(urlText, from),
    source: from,
  };
}

function parseKey(text: string, from: string): VerifierKey {
  try {
    return parseVerifierKey(text);
  } catch (cause) {
    if (!isGosumError(cause)) throw cause;
    const detail = text.includes('+') ? cause.message : `${quote(text)} is no known name, and no verifier key`;
    throw invalid(from, detail, cause);
  }
}

/** The name has to be host[/path], and nothing more: it decides what URL is asked. */
function directUrl(name: string, from: string): GoUrl {
  const wrong = `the name ${quote(name)} in its key is not of the form host[/path]`;
  let url: GoUrl;
  try {
    url = parseGoUrl(`https://${name}`);
  } catch (cause) {
    throw invalid(from, wrong, cause);
  }
  const plain = url.user === undefined && url.query === undefined && url.fragment === '' && !url.oddPath;
  if (!plain || url.host === '' || name.endsWith('/')) throw invalid(from, wrong);
  return url;
}

function parseUrl(text: string, from: string): GoUrl {
  let url: GoUrl;
  try {
    url = parseGoUrl(text);
  } catch (cause) {
    throw invalid(from, cause instanceof Error ? cause.message : '', cause);
  }
  const web = ['', 'http', 'https'].includes(url.scheme);
  if (!web && url.scheme !== 'file') throw invalid(from, `the URL ${quote(redactUrl(url))} has a scheme other than https, http, file`);
  if (web && url.host === '') throw invalid(from, `the URL ${quote(redactUrl(url))} has no host`);
  return url;
}

function invalid(from: string, detail: string, cause?: unknown): GosumError {
  return new GosumError('CONFIG_INVALID', `invalid GOSUMDB (${from}): ${detail}`, {
    cause,
    hint: 'GOSUMDB is `off`, or a known name or a whole verifier key, and perhaps a URL behind it',
  });
}
