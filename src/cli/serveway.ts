/** The way to a database that is mirrored. */

import { parseSumdb } from '../config/sumdb.js';
import type { Settings } from '../config/settings.js';
import type { Source } from '../contract.js';
import { formatVerifierKey } from '../core/key.js';
import { openSource } from './wire.js';

/**
 * Opens one way, as a configuration file names it: a URL of the database, `direct` for its own, `proxy` for the first
 * proxy of GOPROXY that passes it on.
 *
 * @param settings of the database, without a URL of its own.
 * @param options.from names the setting where it is malformed.
 * @throws {GosumError} `CONFIG_INVALID` for a text that is no URL.
 */
export function openWay(settings: Settings, text: string, options: { readonly timeout: number; readonly from: string }): Source {
  const { timeout, from } = options;
  if (text === 'proxy') return openSource(settings, { timeout });
  if (text === 'direct') return openSource({ ...settings, proxies: [{ kind: 'direct' }] }, { timeout });
  const sumdb = parseSumdb({ value: `${formatVerifierKey(settings.sumdb.key)} ${text}`, from });
  return openSource({ ...settings, sumdb, proxies: [] }, { timeout });
}
