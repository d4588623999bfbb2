/**
 * Keys of signed notes (c2sp.org/signed-note; note/note.go).
 *
 * A verifier key is written `name+hash+base64(algorithm ‖ key)`, a signer key `PRIVATE+KEY+name+hash+base64(algorithm ‖ seed)`.
 * As Go's base64 is lenient and its hex takes capitals, one key has several spellings: state is kept by the canonical one,
 * which `formatVerifierKey` gives.
 */

import { ed25519PublicKey, ed25519Sign, ed25519Verifier, randomBytes, sha256 } from '#crypto';
import { GosumError } from '../errors.js';
import { formatBase64, parseBase64AsGo } from './base64.js';
import { concatBytes, encodeUtf8, hasSpace, quote } from './text.js';

/** The one algorithm of the checksum database: Ed25519, with a key (or a seed) of 32 bytes. */
const ED25519 = 0x01;
const KEY_SIZE = 32;

/** A key that checks signatures. */
export interface VerifierKey {
  readonly name: string;
  /** The first four bytes, big endian, of SHA-256(name ‖ "\n" ‖ algorithm ‖ key). */
  readonly hash: number;
  /** The raw Ed25519 public key: 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Checks a raw signature over the bytes of a note's text. */
  readonly verify: (text: Uint8Array, signature: Uint8Array) => boolean;
}

/** A key that makes signatures. */
export interface SignerKey {
  readonly name: string;
  /** The hash of the verifier key that belongs to it. */
  readonly hash: number;
  /** The Ed25519 seed: 32 bytes. A secret. */
  readonly seed: Uint8Array;
  /** Signs the bytes of a note's text: 64 bytes. */
  readonly sign: (text: Uint8Array) => Uint8Array;
}

/**
 * Parses a verifier key, in any spelling that Go takes.
 *
 * @throws {GosumError} `KEY_MALFORMED` for a wrong form, an unknown algorithm, or a hash that is not the key's.
 */
export function parseVerifierKey(text: string): VerifierKey {
  const [name, hash, data] = splitKey(text, 'verifier key');
  const key = newVerifierKey(name, keyOfData(data, 'verifier key'));
  if (key.hash !== hash) throw malformed('verifier key', `its hash is ${formatKeyHash(key.hash)}, not ${formatKeyHash(hash)}`);
  return key;
}

/** The canonical spelling of a verifier key; state is kept by it. */
export function formatVerifierKey(key: VerifierKey): string {
  return `${key.name}+${formatKeyHash(key.hash)}+${formatBase64(concatBytes(Uint8Array.of(ED25519), key.publicKey))}`;
}

/**
 * Makes a verifier key of a name and a raw Ed25519 public key.
 *
 * @throws {GosumError} `KEY_MALFORMED` for a name that no key can have, or a key that is not of 32 bytes.
 */
export function newVerifierKey(name: string, publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name)) throw malformed('verifier key', `bad name ${quote(name)}`);
  if (publicKey.length !== KEY_SIZE) throw malformed('verifier key', `${publicKey.length} bytes, want ${KEY_SIZE}`);
  const data = concatBytes(encodeUtf8(`${name}\n`), Uint8Array.of(ED25519), publicKey);
  return { name, hash: readUint32(sha256(data)), publicKey, verify: ed25519Verifier(publicKey) };
}

/**
 * Parses a signer key.
 *
 * @throws {GosumError} `KEY_MALFORMED`; the message never holds any part of the key.
 */
export function parseSignerKey(text: string): SignerKey {
  const prefix = 'PRIVATE+KEY+';
  if (!text.startsWith(prefix)) throw malformed('signer key', `it does not begin with ${prefix}`);
  const [name, hash, data] = splitKey(text.slice(prefix.length), 'signer key');
  const key = newSignerKey(name, keyOfData(data, 'signer key'));
  if (key.hash !== hash) throw malformed('signer key', 'its hash is not the key’s');
  return key;
}

/** Writes a signer key. The text is a secret. */
export function formatSignerKey(key: SignerKey): string {
  return `PRIVATE+KEY+${key.name}+${formatKeyHash(key.hash)}+${formatBase64(concatBytes(Uint8Array.of(ED25519), key.seed))}`;
}

/** Makes a signer key of a name and an Ed25519 seed of 32 bytes; by default a new, random one. */
export function newSignerKey(name: string, seed: Uint8Array = randomBytes(KEY_SIZE)): SignerKey {
  const { hash } = newVerifierKey(name, ed25519PublicKey(seed));
  return { name, hash, seed, sign: (text) => ed25519Sign(seed, text) };
}

/** The verifier key that belongs to a signer key. */
export function verifierKeyOf(signer: SignerKey): VerifierKey {
  return newVerifierKey(signer.name, ed25519PublicKey(signer.seed));
}

/** Reports whether `name` can be a key's: not empty, no Unicode white space (by Go's table), no `+`. */
export function isKeyName(name: string): boolean {
  return name !== '' && !hasSpace(name) && !name.includes('+');
}

/** A key hash as it is printed: exactly 8 hex digits. */
export function formatKeyHash(hash: number): string {
  return hash.toString(16).padStart(8, '0');
}

/** The four bytes at `offset`, big endian: of a key hash in a key's digest, and in front of a signature. */
export function readUint32(bytes: Uint8Array, offset = 0): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset);
}

function splitKey(text: string, what: string): [name: string, hash: number, data: Uint8Array] {
  const match = /^([^+]*)\+([0-9a-fA-F]{8})\+(.*)$/s.exec(text);
  if (match === null) throw malformed(what, 'want name+hash+base64, the hash of 8 hex digits');
  const [, name = '', hash = '', base64 = ''] = match;
  if (!isKeyName(name)) throw malformed(what, `bad name ${quote(name)}`);
  try {
    return [name, Number.parseInt(hash, 16), parseBase64AsGo(base64)];
  } catch (cause) {
    throw malformed(what, 'its last part is not base64', cause);
  }
}

function keyOfData(data: Uint8Array, what: string): Uint8Array {
  const [algorithm] = data;
  if (algorithm !== ED25519) throw malformed(what, `unknown algorithm ${algorithm ?? 'none'}`);
  if (data.length !== 1 + KEY_SIZE) throw malformed(what, `a key of ${data.length - 1} bytes, want ${KEY_SIZE}`);
  return data.subarray(1);
}

function malformed(what: string, detail: string, cause?: unknown): GosumError {
  return new GosumError('KEY_MALFORMED', `malformed ${what}: ${detail}`, { cause });
}
