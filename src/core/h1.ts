/**
 * `h1:` hashes, the arithmetic of them (x/mod's dirhash.Hash1): SHA-256 over a line for each file, sorted by name.
 * Which files a module has, and by what names, is asked elsewhere.
 */

import { sha256, sha256Digest } from '#crypto';
import { GosumError } from '../errors.js';
import { formatHash, HASH_SIZE, parseHash, type Hash } from './hash.js';
import { encodeUtf8, quote } from './text.js';

const PREFIX = 'h1:';
const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const ASCII = /^[\0-\x7f]*$/;
// ignoreBOM: with it dropped, bytes that are not ASCII could seem to be
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** Characters of lines that are hashed together. */
const BATCH = 2 ** 16;

/** A file as an h1 sees it. */
export interface HashedFile {
  /** The whole name with slashes, `module@version/` in front; as bytes where it may not be UTF-8. */
  readonly name: string | Uint8Array;
  /** SHA-256 of the content: 32 bytes. */
  readonly sha256: Hash;
}

/**
 * Parses `h1:` and the base64 of 32 bytes, strictly.
 *
 * @throws {GosumError} `H1_MALFORMED`.
 */
export function parseH1(text: string): Hash {
  if (!text.startsWith(PREFIX)) throw malformed(`malformed h1 ${quote(text)}: it does not begin with ${PREFIX}`);
  try {
    return parseHash(text.slice(PREFIX.length));
  } catch (cause) {
    throw malformed(`malformed h1 ${quote(text)}: want the base64 of ${HASH_SIZE} bytes`, cause);
  }
}

/** The `h1:` form of a hash. */
export function formatH1(hash: Hash): string {
  return PREFIX + formatHash(hash);
}

/** Reports whether `text` is an h1, strictly: `h1:` and the canonical base64 of 32 bytes. */
export function isH1(text: string): boolean {
  // 43 digits and padding; the last digit has two bits too many, which are zero
  return /^h1:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(text);
}

/**
 * The h1 of a set of files: SHA-256 of a line `<hex of sha256>  <name>` for each, sorted by the names' bytes.
 * Files of one name keep their order; no module should have two.
 *
 * @throws {GosumError} `H1_MALFORMED` for a name with a newline, which could pass for two files.
 */
export function h1OfFiles(files: readonly HashedFile[]): string {
  return h1OfByteNames(files.map(({ name, sha256 }) => ({ name: byteString(name), sha256 })));
}

/**
 * As `h1OfFiles`, with names as byte strings: a character U+0000 to U+00FF for each byte, so that texts sort as bytes do.
 *
 * @throws {GosumError} `H1_MALFORMED`.
 */
export function h1OfByteNames(files: readonly { readonly name: string; readonly sha256: Hash }[]): string {
  const digest = sha256Digest();
  let lines = '';
  for (const { name, sha256 } of files.toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))) {
    if (name.includes('\n')) throw malformed(`file name ${quote(name)} has a newline`);
    lines += `${formatHex(sha256)}  ${name}\n`;
    if (lines.length > BATCH) {
      digest.update(bytesOf(lines));
      lines = '';
    }
  }
  digest.update(bytesOf(lines));
  return formatH1(digest.digest());
}

/** The h1 of a go.mod file's content: as of one file by the name `go.mod`. */
export function h1OfGoMod(content: Uint8Array): string {
  return h1OfFiles([{ name: 'go.mod', sha256: sha256(content) }]);
}

/** Of most names it is the name itself. */
function byteString(name: string | Uint8Array): string {
  const text = typeof name === 'string' ? name : decoder.decode(name);
  if (ASCII.test(text)) return text;
  const bytes = typeof name === 'string' ? encodeUtf8(name) : name;
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}

/** The inverse of `byteString`. */
function bytesOf(text: string): Uint8Array {
  return ASCII.test(text) ? encodeUtf8(text) : Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function formatHex(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += HEX[byte] ?? '';
  return hex;
}

function malformed(message: string, cause?: unknown): GosumError {
  return new GosumError('H1_MALFORMED', message, { cause });
}
