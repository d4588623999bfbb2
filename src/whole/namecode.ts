/**
 * The code of names in packs: `path version` in some 20 bytes instead of 45, each name by itself, so that one is read without
 * the others.
 *
 * A byte from 0x20 to 0x7e stands for itself. 0x01 stands for the end of a pseudo-version, 14 digits of a time and 12 of a
 * commit with a hyphen between, and is followed by these digits, two a byte. Every other byte stands for a word of the list
 * below. A deflated name would be as long and take five times as long, both ways: most of it is setting up.
 */

import { encodeUtf8 } from '../core/text.js';
import { GosumError } from '../errors.js';

/**
 * What names are made of, the word of each byte in the order of these: a part of the form, never changed. Chosen by how much
 * they save in real go.sum files, and for the rest syllables.
 */
const WORDS: readonly string[] = [
  'github.com/|golang.org/x/|google.golang.org/|cloud.google.com/go/|k8s.io/|sigs.k8s.io/|gopkg.in/|go.opentelemetry.io/|gitlab.com/',
  'go.uber.org/|bitbucket.org/|gitee.com/|modernc.org/|codeberg.org/|github.com/go-|github.com/aws/aws-sdk-go-v2/',
  'github.com/Azure/azure-sdk-for-go/sdk/|github.com/hashicorp/|github.com/google/|github.com/pulumi/pulumi-',
  'github.com/open-telemetry/opentelemetry-collector-contrib/|terraform-provider-|resourcemanager/|kubernetes|golang|-operator|-sdk-go',
  'service|server|client|cloud|common|config|plugin|proto|tools|utils|docker|http|json|/v2|-go|go-|/go|api|sdk|cli|pkg|com/|org/|.io/|dev/',
  ' v0.0.0-| v0.0.| v0.1.| v0.2.| v0.3.| v0.| v1.0.| v1.1.| v1.2.| v1.| v2.| v3.|/v2 v2.|/v3 v3.|/v4 v4.|/v5 v5.|+incompatible',
  '-rc.|-beta.|-alpha.|-0.|.0|.1|.2|.3|.4|.5|.6|ing|ion|ent|ter|s/|s |t/|r/|e |er|or|in|on|an|at|st|re|le|li|et|en|ar|ro|co|ce|ch|ck|al',
  'te|ti|it|se|de|me|ne|ra|ri|la|lo|ma|ta|to|us|un|el|ed|nd|nt|th|ic|io|ge|ba|be|ca|da|di|do|he|ka|ke|ki|mi|mo|na|ni|pe|po|pr|qu|sh|si|so|tr|ur',
  've|vi|wa|ya',
].flatMap((line) => line.split('|'));

const SPACE = 0x20;
const HYPHEN = 0x2d;
/** Stands for the end of a pseudo-version. */
const COMMIT = 0x01;
const TIME_DIGITS = 14;
const COMMIT_LENGTH: number = TIME_DIGITS + 1 + 12;
/** Bytes that its digits are written in. */
const COMMIT_SIZE = 13;
/** Bytes that stand for themselves: from SPACE up to this. */
const DELETE = 0x7f;

/** The first byte of a word, and what follows when those below SPACE are used up. */
const FIRST_WORD = 0x02;

/** All words one after the other, and for each byte where its word begins; it ends where the next one's does. */
const TEXT: Uint8Array = encodeUtf8(WORDS.join(''));
const STARTS = new Uint16Array(257);
/** The tree of all words by their bytes: for each node and byte the next node, 0 where no word goes on so. */
const NEXT = new Uint16Array(128 * (TEXT.length + 1));
/** The byte of the word that ends at a node; 0 where none does. */
const WORD_AT = new Uint8Array(TEXT.length + 1);
/** The digit that a character is, and 0xff where it is none; and the other way. */
const DIGITS: Uint8Array = encodeUtf8('0123456789abcdef');
const VALUES: Uint8Array = new Uint8Array(256).fill(0xff);
DIGITS.forEach((digit, value) => (VALUES[digit] = value));
plant();

function plant(): void {
  let byte = FIRST_WORD;
  let nodes = 1;
  let start = 0;
  for (const word of WORDS) {
    let node = 0;
    for (const letter of encodeUtf8(word)) {
      const at = 128 * node + letter;
      if (NEXT[at] === 0) NEXT[at] = nodes++;
      node = NEXT[at] ?? 0;
    }
    WORD_AT[node] = byte;
    STARTS[byte] = start;
    start += word.length;
    STARTS[byte + 1] = start;
    byte = byte === SPACE - 1 ? DELETE : byte + 1;
    STARTS[byte] = start;
  }
}

/** Reports whether a byte may stand in a name: the code has room for no others. */
export function isNameByte(byte: number): boolean {
  return byte >= SPACE && byte < DELETE;
}

/**
 * Writes the code of the name that stands in `bytes`, at `at`: at most as many bytes as the name has.
 *
 * @param bytes of which each is a name's (`isNameByte`).
 * @returns where the code ends.
 */
export function encodeName(bytes: Uint8Array, from: number, to: number, into: Uint8Array, at: number): number {
  let out = at;
  for (let i = from; i < to; ) {
    let word = 0;
    let end = i;
    for (let next = i, node = 0; next < to; ) {
      node = NEXT[128 * node + (bytes[next++] ?? 0)] ?? 0;
      if (node === 0) break;
      const ended = WORD_AT[node] ?? 0;
      if (ended === 0) continue;
      word = ended;
      end = next;
    }
    if (word !== 0) {
      into[out++] = word;
      i = end;
    } else if (isCommit(bytes, i, to)) {
      into[out++] = COMMIT;
      for (let digit = 0; digit < 2 * COMMIT_SIZE; digit += 2, i += 2) {
        if (digit === TIME_DIGITS) i++;
        into[out++] = ((VALUES[bytes[i] ?? 0] ?? 0) << 4) | (VALUES[bytes[i + 1] ?? 0] ?? 0);
      }
    } else {
      into[out++] = bytes[i++] ?? 0;
    }
  }
  return out;
}

/** How long the name of a code is. @throws {GosumError} `RECORD_MALFORMED` where it is the code of none. */
export function nameLength(code: Uint8Array, from: number, to: number): number {
  let length = 0;
  for (let i = from; i < to; i++) {
    const byte = code[i] ?? 0;
    if (byte >= SPACE && byte < DELETE) {
      length++;
    } else if (byte === COMMIT) {
      length += COMMIT_LENGTH;
      i += COMMIT_SIZE;
      if (i >= to) throw malformed('a commit is cut short');
    } else {
      const word = (STARTS[byte + 1] ?? 0) - (STARTS[byte] ?? 0);
      if (word <= 0) throw malformed(`no word has the byte ${byte}`);
      length += word;
    }
  }
  return length;
}

/** Writes the name of a code at `at`. @param code of which `nameLength` has said how long the name is. @returns where it ends. */
export function decodeName(code: Uint8Array, from: number, to: number, into: Uint8Array, at: number): number {
  let out = at;
  for (let i = from; i < to; i++) {
    const byte = code[i] ?? 0;
    if (byte >= SPACE && byte < DELETE) {
      into[out++] = byte;
    } else if (byte === COMMIT) {
      for (let digit = 0; digit < 2 * COMMIT_SIZE; digit += 2) {
        if (digit === TIME_DIGITS) into[out++] = HYPHEN;
        const two = code[++i] ?? 0;
        into[out++] = DIGITS[two >>> 4] ?? 0;
        into[out++] = DIGITS[two & 15] ?? 0;
      }
    } else {
      for (let letter = STARTS[byte] ?? 0, end = STARTS[byte + 1] ?? 0; letter < end; letter++) into[out++] = TEXT[letter] ?? 0;
    }
  }
  return out;
}

/** Whether the end of a pseudo-version stands at `at`. */
function isCommit(bytes: Uint8Array, at: number, to: number): boolean {
  if (at + COMMIT_LENGTH > to || bytes[at + TIME_DIGITS] !== HYPHEN) return false;
  for (let i = 0; i < COMMIT_LENGTH; i++) if (i !== TIME_DIGITS && (VALUES[bytes[at + i] ?? 0] ?? 0xff) > 15) return false;
  return true;
}

function malformed(detail: string): GosumError {
  return new GosumError('RECORD_MALFORMED', `malformed name in a pack: ${detail}`);
}
