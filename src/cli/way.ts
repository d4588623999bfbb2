/** The text of a way to the database, as a person writes it: `direct`, a URL, `proxy URL`, or `goproxy`. */

import type { Source } from '../contract.js';
import { GosumError } from '../errors.js';
import { parseGoproxy } from '../config/goproxy.js';
import { joinUrl, redactUrl, type GoUrl } from '../config/gourl.js';
import type { Settings } from '../config/settings.js';
import { parseSumdb } from '../config/sumdb.js';
import { formatVerifierKey } from '../core/key.js';
import { fields, quote } from '../core/text.js';
import { openWays, type Ways, type WaysOptions } from '../mirror/ways.js';
import { openSource } from './wire.js';

/** How requests are made. */
export type WayOptions = Parameters<typeof openSource>[1];

/** How several ways are used. */
export interface AllWaysOptions extends WayOptions, WaysOptions {
  /** Put around each way. */
  readonly around?: (way: Source) => Source;
}

/**
 * Opens a way to the database of the settings. Nothing is sent before the first read.
 *
 * @param text `direct`: `https://NAME`. A URL: the database itself, as the second field of GOSUMDB. `proxy URL`: below
 * `URL/sumdb/NAME/`, as a module proxy has it; it is not asked whether it does. `goproxy`: as the go command chooses, by
 * GOSUMDB and GOPROXY.
 * @param from where the text was found, such as `--way`.
 * @throws {GosumError} `CONFIG_INVALID`.
 */
export function openWay(text: string, from: string, settings: Settings, options: WayOptions): Source {
  const url = urlOf(text, from, settings);
  if (url === undefined) return openSource(settings, options);
  const source = openSource({ ...settings, sumdb: { ...settings.sumdb, url }, proxies: [] }, options);
  // known from the beginning, and another for each way
  return { label: redactUrl(url), read: (path, how) => source.read(path, how), close: () => source.close() };
}

/**
 * Opens several ways, in order of preference; of none, the one that the go command would choose.
 *
 * @throws {GosumError} `CONFIG_INVALID`.
 */
export function openWaysOf(texts: readonly string[], from: string, settings: Settings, options: AllWaysOptions): Ways {
  const wanted = texts.length === 0 ? ['goproxy'] : texts;
  if (new Set(wanted).size !== wanted.length) throw invalid(from, wanted.join(', '), 'a way stands there twice');
  const { around = (way) => way } = options;
  return openWays(wanted.map((text) => around(openWay(text, from, settings, options))), options);
}

/** `undefined` where the go command's own settings choose. */
function urlOf(text: string, from: string, { sumdb, env }: Settings): GoUrl | undefined {
  const [first = '', second, ...more] = fields(text);
  if (first === 'proxy' && second !== undefined && more.length === 0) {
    const [entry, ...others] = parseGoproxy({ value: second, from }, env);
    if (entry?.kind !== 'url' || others.length > 0) throw invalid(from, text, 'want one URL behind `proxy`');
    return joinUrl(entry.url, `sumdb/${sumdb.name}`);
  }
  if (second !== undefined) throw invalid(from, text, 'too many words');
  if (first === 'direct') return sumdb.direct;
  if (first === 'goproxy') return undefined;
  if (!first.includes(':')) throw invalid(from, text, 'it is no URL');
  return parseSumdb({ value: `${formatVerifierKey(sumdb.key)} ${first}`, from }).url;
}

/** The text is shown without what may be a password. */
function invalid(from: string, text: string, detail: string): GosumError {
  return new GosumError('CONFIG_INVALID', `${from} ${quote(text.replaceAll(/\S*@/g, '…@'))}: ${detail}`, {
    hint: 'a way is `direct`, the URL of the database, `proxy` and the URL of a module proxy, or `goproxy`',
  });
}
