/**
 * Signed notes (c2sp.org/signed-note; note/note.go): a text that ends in a newline, a blank line, and signature lines
 * `— name base64(key hash ‖ signature)`.
 */

import { GosumError } from '../errors.js';
import { formatBase64, parseBase64AsGo } from './base64.js';
import { formatKeyHash, isKeyName, readUint32, type SignerKey, type VerifierKey } from './key.js';
import { concatBytes, decodeUtf8, encodeUtf8 } from './text.js';

/** The most signature lines that a note may have. */
const MAX_SIGNATURES = 100;
const PREFIX = '— ';
const NEWLINE = 0x0a;

/** One signature line. */
export interface NoteSignature {
  readonly name: string;
  /** The key's hash. */
  readonly hash: number;
  /** The line's base64, as written: key hash and signature. */
  readonly base64: string;
}

/** An opened note. */
export interface Note {
  /** The signed bytes, final newline included. */
  readonly text: Uint8Array;
  /** Signatures that were verified; never empty. */
  readonly verified: readonly NoteSignature[];
  /** Signatures by keys that were not among the known ones. Nobody looked at them. */
  readonly unverified: readonly NoteSignature[];
}

/**
 * Opens a note: finds the signatures of known keys and verifies them over the very bytes received.
 *
 * As Go has it: of each known key only the first signature is looked at, and one that is wrong fails the whole note;
 * unknown keys are kept apart; repeated lines are dropped.
 *
 * @param bytes attacker-controlled.
 * @throws {GosumError} `NOTE_MALFORMED`; `SIGNATURE_INVALID` for a wrong signature of a known key; `SIGNATURE_UNKNOWN` where
 * no known key signed.
 */
export function openNote(bytes: Uint8Array, known: readonly VerifierKey[]): Note {
  const { text, lines } = splitNote(bytes);
  const verified: NoteSignature[] = [];
  const unverified = new Map<string, NoteSignature>();
  const seen = new Set<VerifierKey>();
  for (const { line, name, hash, base64, signature } of lines) {
    const [key, other] = known.filter((candidate) => candidate.name === name && candidate.hash === hash);
    if (key === undefined) {
      unverified.set(line, { name, hash, base64 });
      continue;
    }
    if (other !== undefined) throw malformed(`ambiguous key ${name}+${formatKeyHash(hash)}`);
    if (seen.has(key)) continue;
    seen.add(key);
    if (!key.verify(text, signature)) {
      throw new GosumError('SIGNATURE_INVALID', `invalid signature for key ${name}+${formatKeyHash(hash)}`);
    }
    verified.push({ name, hash, base64 });
  }
  if (verified.length === 0) throw new GosumError('SIGNATURE_UNKNOWN', 'note has no signature by a known key');
  return { text, verified, unverified: [...unverified.values()] };
}

/**
 * Signs a text, keeping signatures that it has already; one by the same key is replaced.
 *
 * @throws {GosumError} `NOTE_MALFORMED` where the text does not end in a newline, or could not be opened again.
 */
export function signNote(text: Uint8Array, signers: readonly SignerKey[], existing: readonly NoteSignature[] = []): Uint8Array {
  if (text.at(-1) !== NEWLINE) throw malformed('the text does not end in a newline');
  const made = signers.map((signer): NoteSignature => {
    const hash = new Uint8Array(4);
    new DataView(hash.buffer).setUint32(0, signer.hash);
    return { name: signer.name, hash: signer.hash, base64: formatBase64(concatBytes(hash, signer.sign(text))) };
  });
  const kept = existing.filter((old) => !made.some((sig) => sig.name === old.name && sig.hash === old.hash));
  const lines = [...kept, ...made].map((sig) => `${PREFIX}${sig.name} ${sig.base64}\n`);
  const note = concatBytes(text, encodeUtf8(`\n${lines.join('')}`));
  splitNote(note);
  return note;
}

/** A note's bytes with nothing but what was verified: the text, and the signatures of known keys. */
export function verifiedBytes(note: Note): Uint8Array {
  return signNote(note.text, [], note.verified);
}

interface SignatureLine extends NoteSignature {
  /** The line behind its prefix; equal lines are one. */
  readonly line: string;
  readonly signature: Uint8Array;
}

/** Splits a note at its LAST blank line: the text itself may hold others. */
function splitNote(bytes: Uint8Array): { text: Uint8Array; lines: SignatureLine[] } {
  if (bytes.some((byte) => byte < 0x20 && byte !== NEWLINE)) throw malformed('control character');
  let end = bytes.length - 2;
  while (end >= 0 && !(bytes[end] === NEWLINE && bytes[end + 1] === NEWLINE)) end--;
  if (end < 0) throw malformed('no blank line in front of the signatures');
  const text = bytes.subarray(0, end + 1);
  let signatures: string;
  try {
    decodeUtf8(text);
    signatures = decodeUtf8(bytes.subarray(end + 2));
  } catch (cause) {
    throw malformed('invalid UTF-8', cause);
  }
  const lines = signatures.split('\n');
  if (lines.pop() !== '') throw malformed('the last line has no newline');
  if (lines.length === 0) throw malformed('no signature');
  if (lines.length > MAX_SIGNATURES) throw malformed(`more than ${MAX_SIGNATURES} signatures`);
  return { text, lines: lines.map(parseSignature) };
}

function parseSignature(line: string): SignatureLine {
  if (!line.startsWith(PREFIX)) throw malformed('a signature line does not begin with an em dash and a space');
  const rest = line.slice(PREFIX.length);
  const space = rest.indexOf(' ');
  const name = space < 0 ? rest : rest.slice(0, space);
  const base64 = space < 0 ? '' : rest.slice(space + 1);
  if (!isKeyName(name)) throw malformed('bad name of a signature');
  let data: Uint8Array;
  try {
    data = parseBase64AsGo(base64);
  } catch (cause) {
    throw malformed(`signature of ${name} is not base64`, cause);
  }
  if (data.length < 5) throw malformed(`signature of ${name} is too short`);
  return { line: rest, name, hash: readUint32(data), base64, signature: data.subarray(4) };
}

function malformed(detail: string, cause?: unknown): GosumError {
  return new GosumError('NOTE_MALFORMED', `malformed note: ${detail}`, { cause });
}
