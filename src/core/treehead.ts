/**
 * Tree heads: the size and the root hash of the log, as the text of a signed note (tlog/note.go).
 */

import { sha256 } from '#crypto';
import { GosumError } from '../errors.js';
import { equalBytes, formatHash, parseHash, type Hash } from './hash.js';
import { parseCount } from './integer.js';
import type { VerifierKey } from './key.js';
import { openNote, verifiedBytes } from './note.js';
import { decodeUtf8, encodeUtf8 } from './text.js';

const FIRST_LINE = 'go.sum database tree';
const MAX_BYTES = 1e6;

/** The hash of the empty tree: SHA-256 of nothing. */
export const EMPTY_HASH: Hash = /* @__PURE__ */ sha256(new Uint8Array(0));

/** The size and root hash of a tree. Who vouches for it is not said. */
export interface TreeHead {
  /** Number of records. */
  readonly size: number;
  readonly hash: Hash;
}

/** A tree head whose signature by the log's key was verified. */
export interface SignedHead extends TreeHead {
  /** The signed note, with the verified signature alone: anybody on the way can add lines that nobody verifies. */
  readonly note: Uint8Array;
}

/** The text of a tree head: `go.sum database tree`, the size, the hash in base64, a line each. */
export function formatTreeHead(head: TreeHead): Uint8Array {
  return encodeUtf8(`${FIRST_LINE}\n${head.size}\n${formatHash(head.hash)}\n`);
}

/**
 * Parses the text of a tree head. Lines behind the third are ignored, so that the form can grow.
 * Stricter than Go: the size is at most 2^53 - 1, the base64 is canonical, an empty tree has the empty tree's hash.
 *
 * @throws {GosumError} `TREE_HEAD_MALFORMED`.
 */
export function parseTreeHead(text: Uint8Array): TreeHead {
  if (text.length > MAX_BYTES) throw malformed(`${text.length} bytes, at most ${MAX_BYTES} allowed`);
  try {
    const lines = decodeUtf8(text).split('\n');
    const [first, size = '', hash = ''] = lines;
    if (first !== FIRST_LINE || lines.length < 4) throw malformed(`want "${FIRST_LINE}", a size and a hash, a line each`);
    const head = { size: parseCount(size), hash: parseHash(hash) };
    if (head.size === 0 && !equalBytes(head.hash, EMPTY_HASH)) throw malformed('an empty tree with a foreign hash');
    return head;
  } catch (cause) {
    throw cause instanceof GosumError && cause.code === 'TREE_HEAD_MALFORMED' ? cause : malformed('bad size or hash', cause);
  }
}

/**
 * Opens a signed tree head.
 *
 * @param note attacker-controlled.
 * @throws {GosumError} what `openNote` and `parseTreeHead` throw.
 */
export function openTreeHead(note: Uint8Array, key: VerifierKey): SignedHead {
  const opened = openNote(note, [key]);
  return { ...parseTreeHead(opened.text), note: verifiedBytes(opened) };
}

/** Reports whether two heads are the same tree. */
export function sameTree(a: TreeHead, b: TreeHead): boolean {
  return a.size === b.size && equalBytes(a.hash, b.hash);
}

function malformed(detail: string, cause?: unknown): GosumError {
  return new GosumError('TREE_HEAD_MALFORMED', `malformed tree head: ${detail}`, { cause });
}
