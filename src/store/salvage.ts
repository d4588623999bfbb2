/**
 * What can still be had of a damaged file: signed tree heads, found in its bytes without SQLite.
 *
 * A row of the table of heads has the tree's hash right before the signed note (schema.ts), and a head is small enough to
 * stand in one page. So a note with its own hash in front of it was kept as a head of the timeline; one that is part of
 * evidence has something else there. Rows that SQLite has given up stay in a file for some time: these are older heads of
 * the same timeline, and the greatest is the one to go on from.
 */

import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { TimelineHead } from '../contract.js';
import { equalBytes, HASH_SIZE } from '../core/hash.js';
import type { VerifierKey } from '../core/key.js';
import type { Proved } from '../core/proved.js';
import { encodeUtf8 } from '../core/text.js';
import { carriedHead } from '../core/timeline.js';
import { isGosumError } from '../errors.js';

const MARK = encodeUtf8('go.sum database tree\n');
/** Bytes that are searched at a time; each time some of the last are searched again. */
const CHUNK = 1 << 20;
/** The most bytes of a row with a head. */
const ROW = 4096;

/** The ends of the names of a file and of what SQLite keeps beside it. */
export const FILE_ENDS: readonly string[] = ['', '-wal', '-journal', '-shm'];

/** The names of a file and of what SQLite keeps beside it. */
export function namesOf(file: string): string[] {
  return FILE_ENDS.map((end) => file + end);
}

/** What a damaged file is called when it was set aside: behind its name, and before a time. */
const SET_ASIDE = '.damaged-';

/** A name, not taken yet, under which `file` is set aside at a time. */
export function asideName(file: string, at: Date): string {
  const name = `${file}${SET_ASIDE}${at.toISOString().replaceAll(/[:.]/g, '-')}`;
  return FILE_ENDS.some((end) => existsSync(name + end)) ? asideName(file, new Date(at.getTime() + 1)) : name;
}

/** The files that were set aside of `file`, with all that stands beside them. */
export function filesSetAside(file: string): string[] {
  const folder = dirname(resolve(file));
  try {
    return readdirSync(folder).filter((name) => name.startsWith(`${basename(file)}${SET_ASIDE}`)).map((name) => join(folder, name));
  } catch {
    return []; // no folder yet
  }
}

/** The greatest head in files that was signed by a key; `undefined` where there is none. What cannot be read is passed over. */
export function salvageHead(files: readonly string[], key: VerifierKey): Proved<TimelineHead> | undefined {
  let best: Proved<TimelineHead> | undefined;
  for (const file of files) {
    try {
      for (const bytes of chunksOf(file)) {
        for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + 1)) {
          const head = headAt(bytes, at, key);
          if (head !== undefined && head.size > (best?.size ?? -1)) best = head;
        }
      }
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error;
    }
  }
  return best;
}

function headAt(bytes: Buffer, at: number, key: VerifierKey): Proved<TimelineHead> | undefined {
  const text = bytes.indexOf('\n\n', at);
  const end = bytes.indexOf('\n', text + 2);
  if (text < 0 || end < 0 || at < HASH_SIZE) return undefined;
  try {
    const head = carriedHead(new Uint8Array(bytes.subarray(at, end + 1)), key);
    return equalBytes(head.hash, bytes.subarray(at - HASH_SIZE, at)) ? head : undefined;
  } catch (error) {
    if (isGosumError(error)) return undefined;
    throw error;
  }
}

/** The bytes of a file, in pieces that overlap by the length of a row. */
function* chunksOf(file: string): Generator<Buffer> {
  const fd = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(CHUNK + ROW);
    for (let kept = 0; ; ) {
      const read = readSync(fd, buffer, kept, CHUNK, null);
      if (read === 0) return;
      yield buffer.subarray(0, kept + read);
      const from = Math.max(0, kept + read - ROW);
      kept = buffer.copy(buffer, 0, from, kept + read);
    }
  } finally {
    closeSync(fd);
  }
}
