/** What the commands of a log of one's own stand on: its data file, its keys, and the state of what was signed last. */

import path from 'node:path';
import type { Store } from '../contract.js';
import { flagVariable } from '../config/options.js';
import { GosumError, isGosumError } from '../errors.js';
import { LastSigned } from '../log/lastsigned.js';
import { OwnLog } from '../log/log.js';
import { parseSignerKeys, readSignerKeys, type SignerKeys } from '../log/signerkey.js';
import { openCell } from '../store/cell.js';
import { openStore } from '../store/open.js';
import { givenData } from './files.js';
import { say, type Host } from './host.js';

/** Where the log is kept. */
export interface DataFlags {
  readonly data?: string;
}

/** Options of the commands that sign. */
export interface SignerFlags extends DataFlags {
  /** A file with the signer key. */
  readonly key?: string;
  /** The file that says what was signed last. */
  readonly state?: string;
}

/** The signer key itself, in place of a file. */
const KEY_VARIABLE = flagVariable('log-key');
/** Behind the name of the key file, where no other place is given: whoever takes the key along takes the state along. */
const STATE_END = '.state';

/** An open log. */
export interface OpenedLog {
  readonly log: OwnLog;
  readonly store: Store;
  readonly signers: SignerKeys;
}

/** The file, as the person named it. @throws {GosumError} `CONFIG_INVALID`. */
export function dataFile(host: Host, { data }: DataFlags): string {
  return path.resolve(host.cwd, givenData(data, 'give --data FILE'));
}

/** The key file; `undefined` where none is given. */
export function keyFile(host: Host, { key }: SignerFlags): string | undefined {
  return key === undefined ? undefined : path.resolve(host.cwd, key);
}

/** The keys, of the file or of the environment. @throws {GosumError} `CONFIG_INVALID`, and what `readSignerKeys` throws. */
export function readKeys(host: Host, flags: SignerFlags): SignerKeys {
  const file = keyFile(host, flags);
  if (file !== undefined) return readSignerKeys(file);
  const text = host.env.get(KEY_VARIABLE);
  if (text !== undefined) return parseSignerKeys(text, KEY_VARIABLE);
  throw new GosumError('CONFIG_INVALID', 'no key is given', { hint: `give --key FILE, or the key itself in ${KEY_VARIABLE}` });
}

/** The state's file. @throws {GosumError} `CONFIG_INVALID`. */
export function stateFile(host: Host, flags: SignerFlags): string {
  if (flags.state !== undefined) return path.resolve(host.cwd, flags.state);
  const file = keyFile(host, flags);
  if (file !== undefined) return `${file}${STATE_END}`;
  throw new GosumError('CONFIG_INVALID', 'no state file is given', { hint: 'give --state FILE: it says which tree was signed last, and belongs to the key' });
}

/**
 * Opens the log, has `work` done with it, and closes it.
 *
 * @throws {GosumError} what the parts throw; a damaged data file is `STORE_FAILED`, and is never to be deleted.
 */
export async function withLog<T>(host: Host, flags: SignerFlags, work: (open: OpenedLog) => Promise<T>): Promise<T> {
  const signers = readKeys(host, flags);
  const state = new LastSigned(openCell(stateFile(host, flags)), signers[0].name);
  return withStore(host, flags, (store) => work({ log: new OwnLog({ store, signers, state }), store, signers }));
}

/** Opens the data file, has `work` done with it, and closes it. @throws {GosumError} as `withLog`. */
export async function withStore<T>(host: Host, flags: DataFlags, work: (store: Store) => Promise<T>): Promise<T> {
  const file = dataFile(host, flags);
  try {
    const { store, notice } = await openStore({ file, wal: true, strict: true });
    if (notice !== undefined) await say(host, notice);
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  } catch (error) {
    throw ownAdvice(error, file);
  }
}

/** The name of the one log that a data file has. @throws {GosumError} `CONFIG_INVALID` where there is none, or several. */
export async function nameIn(store: Store): Promise<string> {
  const { databases } = await store.stats();
  const [first, second] = databases.filter(({ log }) => log !== undefined);
  if (first !== undefined && second === undefined) return first.name;
  const found = first === undefined ? 'there is no log in it' : 'there are several logs in it';
  throw new GosumError('CONFIG_INVALID', `${store.label}: ${found}`, { hint: 'a data file of `gosumcheck log init` has one' });
}

/** What helps a cache would here lose the log. */
function ownAdvice(error: unknown, file: string): unknown {
  if (!isGosumError(error, 'STORE_FAILED') || error.hint?.includes('cache') !== true) return error;
  return new GosumError('STORE_FAILED', error.message, {
    cause: error.cause,
    hint: `do not delete it: see the disk and the permissions; gosumcheck audit --data ${file} says what is damaged, and docs/log.md how to restore it`,
  });
}
