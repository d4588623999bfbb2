/**
 * The keys that a log signs with: new ones, and those of a file that only its owner can read, or of an environment variable.
 *
 * A key file has a signer key a line (core/key.ts). Most often it is one; while a key is being changed there are two of one
 * name, the old one first, and every tree head is signed by both.
 */

import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileFailure } from '../core/fileerror.js';
import { formatSignerKey, newSignerKey, parseSignerKey, type SignerKey } from '../core/key.js';
import { GosumError, isGosumError } from '../errors.js';

/** Keys that a log signs with: one, or the old one and the new one. All of one name. */
export type SignerKeys = readonly [SignerKey, ...SignerKey[]];

/** The most keys: to change a key that is being changed would leave clients behind. */
const MOST_KEYS = 2;
/** The most bytes of a key file. */
const MAX_BYTES = 16_384;

/**
 * Makes a new key.
 *
 * @throws {GosumError} `KEY_MALFORMED` for a name that no key can have.
 */
export function newLogKey(name: string): SignerKey {
  return newSignerKey(name);
}

/**
 * Parses keys, a line each.
 *
 * @param from where they were found, for messages, which never hold any part of a key.
 * @throws {GosumError} `KEY_MALFORMED`; `CONFIG_INVALID` where there are none or too many, of several names, or one twice.
 */
export function parseSignerKeys(text: string, from: string): SignerKeys {
  const keys = text.split(/[\r\n]+/).flatMap((line) => (line.trim() === '' ? [] : [parseKey(line.trim(), from)]));
  const [first, second] = keys;
  if (first === undefined) throw invalid(from, 'there is no key in it');
  if (keys.length > MOST_KEYS) throw invalid(from, `${keys.length} keys, at most ${MOST_KEYS}`);
  if (second !== undefined && second.name !== first.name) throw invalid(from, 'its keys are of two names');
  if (second?.hash === first.hash) throw invalid(from, 'it has one key twice');
  return [first, ...keys.slice(1)];
}

/**
 * Reads a key file.
 *
 * @throws {GosumError} `FILE_FAILED`; `CONFIG_INVALID` where others than its owner may read it (Windows has other means, and is
 * not asked); what `parseSignerKeys` throws.
 */
export function readSignerKeys(file: string): SignerKeys {
  return parseSignerKeys(readSecret(file), file);
}

/**
 * Writes a key to a file that is not there yet, for its owner alone.
 *
 * @throws {GosumError} `FILE_FAILED`, also where the file is there: a key is never overwritten.
 */
export function createKeyFile(file: string, key: SignerKey): void {
  try {
    writeNew(file, [key]);
  } catch (cause) {
    const there = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw there ? new GosumError('FILE_FAILED', `${file}: it is there already, and a key is never overwritten`, { cause, hint: 'name another file' }) : fileFailure(file, cause);
  }
}

/** Replaces the keys of a file, all at once. @throws {GosumError} `FILE_FAILED`. */
export function replaceKeyFile(file: string, keys: SignerKeys): void {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    writeNew(temporary, keys);
    renameSync(temporary, file);
    syncFolder(path.dirname(file));
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw fileFailure(file, cause);
  }
}

/** Writes a file that is not there yet, durably. */
function writeNew(file: string, keys: SignerKeys): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeFileSync(descriptor, keys.map((key) => `${formatSignerKey(key)}\n`).join(''));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  syncFolder(path.dirname(file));
}

/** Makes a name durable. Windows cannot open a folder, and needs no such thing. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function readSecret(file: string): string {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const { mode, size } = fstatSync(descriptor);
      // the permissions of group and others: the last six bits
      if (process.platform !== 'win32' && mode % 0o100 !== 0) {
        throw new GosumError('CONFIG_INVALID', `${file}: others than its owner may read or write it`, { hint: `chmod 600 ${file}; if others have read it, change the key: docs/log.md` });
      }
      if (size > MAX_BYTES) throw invalid(file, `${size} bytes, at most ${MAX_BYTES}`);
      return readFileSync(descriptor, 'utf8');
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw fileFailure(file, cause);
  }
}

function parseKey(line: string, from: string): SignerKey {
  try {
    return parseSignerKey(line);
  } catch (cause) {
    if (!isGosumError(cause)) throw cause;
    throw new GosumError('KEY_MALFORMED', `${from}: ${cause.message}`, { cause });
  }
}

function invalid(from: string, detail: string): GosumError {
  return new GosumError('CONFIG_INVALID', `${from}: ${detail}`, { hint: 'want a signer key a line, as `gosumcheck log init` writes it' });
}
