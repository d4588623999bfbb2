/**
 * Module paths as bytes: between threads and in a batch no text is made of a path that is kept already.
 *
 * A tile has some 200 of them, and most were in tiles before it.
 */

import { decodeUtf8, encodeUtf8, joinBytes } from '../core/text.js';
import type { KeyHash } from './key.js';

/** Module paths. */
export interface PathBytes {
  /** One after the other, a zero byte behind each: none has one itself. */
  readonly bytes: Uint8Array;
  /** Where each ends, behind its zero. */
  readonly ends: Uint32Array;
  /** Of each its print, two words (`KeyHash.print`). */
  readonly prints: Uint32Array;
}

const END: Uint8Array = Uint8Array.of(0);

/** The paths as texts. @param bytes as `PathBytes.bytes`. */
export function pathTexts(bytes: Uint8Array): string[] {
  // all as one text: to make one of each takes longer
  return bytes.length === 0 ? [] : decodeUtf8(bytes.subarray(0, -1)).split('\0');
}

/** Makes them of texts, for few. */
export function pathBytes(paths: readonly string[], hash: KeyHash): PathBytes {
  const texts = paths.map((path) => encodeUtf8(path));
  const ends = new Uint32Array(texts.length);
  const prints = new Uint32Array(2 * texts.length);
  let end = 0;
  texts.forEach((text, i) => {
    hash.print(text, 0, text.length, prints, 2 * i);
    ends[i] = end += text.length + 1;
  });
  return { bytes: joinBytes(texts.flatMap((text) => [text, END])), ends, prints };
}

/** Prints that are remembered, each at a place of its own: of two at one place the later one. 8 MB. */
const PLACES = 2 ** 20;

/**
 * Remembers paths that came lately, by their prints: 63 bits under a secret of the file. That of a million paths two have the
 * same, and one would be missing in lists of modules, has a chance of one in ten million; an audit would name it.
 */
export class RecentPaths {
  readonly #prints = new Uint32Array(2 * PLACES);

  /** Of these paths those that are not remembered, as `PathBytes.bytes`; they are from now on. */
  add({ bytes, ends, prints }: PathBytes): Uint8Array {
    const fresh = new Uint8Array(bytes.length);
    let [from, to] = [0, 0];
    for (let i = 0; i < ends.length; i++) {
      const end = ends[i] ?? 0;
      // byte by byte: a call costs as much as fifty of them
      if (!this.#has(prints[2 * i] ?? 0, prints[2 * i + 1] ?? 0)) while (from < end) fresh[to++] = bytes[from++] ?? 0;
      from = end;
    }
    return fresh.slice(0, to);
  }

  /** Remembers none any more. */
  clear(): void {
    this.#prints.fill(0);
  }

  /** Reports whether a print is remembered; it is from now on. */
  #has(first: number, second: number): boolean {
    const prints = this.#prints;
    const place = 2 * (first & (PLACES - 1));
    const filled = (second | 1) >>> 0; // an empty place is the print of none
    if (prints[place] === first && prints[place + 1] === filled) return true;
    prints[place] = first;
    prints[place + 1] = filled;
    return false;
  }
}
