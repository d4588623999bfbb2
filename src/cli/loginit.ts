/** `gosumcheck log init`, `log state` and `log rekey`: a log's beginning, and its key. */

import { existsSync } from 'node:fs';
import { parseSumdb } from '../config/sumdb.js';
import { formatHash } from '../core/hash.js';
import { formatVerifierKey, verifierKeyOf } from '../core/key.js';
import type { TreeHead } from '../core/treehead.js';
import { GosumError } from '../errors.js';
import { createKeyFile, newLogKey, replaceKeyFile } from '../log/signerkey.js';
import { logOf } from '../whole/merge.js';
import { visibleJson } from '../report/escape.js';
import { print, say, type Host } from './host.js';
import { dataFile, keyFile, readKeys, stateFile, withLog, type OpenedLog, type SignerFlags } from './logopen.js';

/** Options of `log init`. */
export interface LogInitOptions extends SignerFlags {
  readonly name?: string;
  readonly format: 'text' | 'json';
}

/** Options of `log state`. */
export interface LogStateOptions extends SignerFlags {
  readonly takeData?: boolean;
  readonly format: 'text' | 'json';
}

/** Options of `log rekey`. */
export interface LogRekeyOptions extends SignerFlags {
  readonly dropOld?: boolean;
  readonly format: 'text' | 'json';
}

/** Begins a log: makes a key where none is there, and publishes the empty tree. May be run again where it was cut off. */
export async function logInitCommand(host: Host, options: LogInitOptions): Promise<number> {
  dataFile(host, options);
  const file = keyFile(host, options);
  if (file !== undefined && !existsSync(file)) {
    const { name } = options;
    if (name === undefined) throw new GosumError('CONFIG_INVALID', 'no name is given', { hint: 'give --name, such as sum.corp.example: the log’s host name, perhaps with a path' });
    const key = newLogKey(name);
    parseSumdb({ value: formatVerifierKey(verifierKeyOf(key)), from: '--name' }); // as the go command would read it
    createKeyFile(file, key);
  }
  const [key] = readKeys(host, options);
  if (options.name !== undefined && key.name !== options.name) {
    throw new GosumError('CONFIG_INVALID', `the key is of ${key.name}, not of ${options.name}`, { hint: 'name another key file, or leave out --name' });
  }
  await withLog(host, options, async (open) => {
    await tell(host, options, open, await open.log.begin());
  });
  if (file !== undefined) await say(host, `the secret key is in ${file}; ${stateFile(host, options)} says what was signed last, and is never to be restored from a backup`);
  return 0;
}

/** Shows the log and its last signed tree; refused where data and state are not of one mind. */
export async function logStateCommand(host: Host, options: LogStateOptions): Promise<number> {
  await withLog(host, options, async (open) => {
    await tell(host, options, open, await (options.takeData === true ? open.log.takeData() : open.log.recover()));
  });
  return 0;
}

/** Begins the change of a log's key, or ends it. */
export async function logRekeyCommand(host: Host, options: LogRekeyOptions): Promise<number> {
  const file = keyFile(host, options);
  if (file === undefined) throw new GosumError('CONFIG_INVALID', 'a key is changed in its file', { hint: 'give --key FILE' });
  const [first, second] = readKeys(host, options);
  if (options.dropOld !== true) {
    // one change at a time; where that was cut off, it is gone on with
    if (second === undefined) replaceKeyFile(file, [first, newLogKey(first.name)]);
    await withLog(host, options, async (open) => tell(host, options, open, await open.log.sign()));
    await say(host, 'heads are signed by both keys now: give the clients the second one, and then run: gosumcheck log rekey --drop-old');
    return 0;
  }
  if (second === undefined) throw new GosumError('CONFIG_INVALID', `${file}: the key is not being changed`, { hint: 'begin with: gosumcheck log rekey' });
  await withLog(host, options, async ({ log, store }) => {
    await log.sign(); // by both: so the head opens with either while the data pass from one to the other
    const [from, to] = [formatVerifierKey(verifierKeyOf(first)), formatVerifierKey(verifierKeyOf(second))];
    if ((await store.keyOf(first.name)) === from) await logOf(store).changeKey(from, to);
  });
  replaceKeyFile(file, [second]);
  await withLog(host, options, async (open) => tell(host, options, open, await open.log.sign()));
  return 0;
}

async function tell(host: Host, { format }: { readonly format: 'text' | 'json' }, { log, signers }: OpenedLog, head: TreeHead): Promise<void> {
  const keys = signers.map((signer) => formatVerifierKey(verifierKeyOf(signer)));
  if (format === 'json') await print(host, visibleJson({ name: log.name, keys, tree: { size: head.size, hash: formatHash(head.hash) } }));
  else await print(host, `${[...keys, `tree of ${head.size}, ${formatHash(head.hash)}`].join('\n')}\n`);
}
