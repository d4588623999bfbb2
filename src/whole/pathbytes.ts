/**
 * Module paths as bytes: between threads and in a batch no text is made of a path that is kept already.
 *
 * A tile has some 200 of them, and most were in tiles before it.
 */

import { decodeUtf8, encodeUtf8, joinBytes } from '../core/text.js';

/** Module paths. */
export interface PathBytes {
  /** One after the other, a zero byte behind each: none has one itself. */
  readonly bytes: Uint8Array;
  /** Of each 24 bits that hang on it alone: the index's hash. */
  readonly hashes: Uint32Array;
}

const END: Uint8Array = Uint8Array.of(0);

/** The paths as texts. @param bytes as `PathBytes.bytes`. */
export function pathTexts(bytes: Uint8Array): string[] {
  // all as one text: to make one of each takes longer
  return bytes.length === 0 ? [] : decodeUtf8(bytes.subarray(0, -1)).split('\0');
}

/** Makes them of texts, for few. @param hashOf the index's hash of a path. */
export function pathBytes(paths: readonly string[], hashOf: (bytes: Uint8Array) => number): PathBytes {
  const texts = paths.map((path) => encodeUtf8(path));
  return { bytes: joinBytes(texts.flatMap((text) => [text, END])), hashes: Uint32Array.from(texts, hashOf) };
}

/** Paths that are remembered, by their hashes: of two at one place the later one. */
const PLACES = 2 ** 17;
/** Bytes of a place: a path's length, and the path. */
const PLACE_SIZE = 64;

/** Remembers paths that came lately: not all, in 8 MB, but those that it remembers exactly. */
export class RecentPaths {
  readonly #places = new Uint8Array(PLACES * PLACE_SIZE);

  /** Of these paths those that are not remembered, as `PathBytes.bytes`; they are from now on. */
  add({ bytes, hashes }: PathBytes): Uint8Array {
    const fresh = new Uint8Array(bytes.length);
    let to = 0;
    let from = 0;
    for (const hash of hashes) {
      const end = bytes.indexOf(0, from);
      if (!this.#has(hash, bytes, from, end)) {
        for (let i = from; i <= end; i++) fresh[to++] = bytes[i] ?? 0;
      }
      from = end + 1;
    }
    return fresh.slice(0, to);
  }

  /** Remembers none any more. */
  clear(): void {
    this.#places.fill(0);
  }

  /** Reports whether a path is remembered; it is from now on, unless it is too long. */
  #has(hash: number, bytes: Uint8Array, from: number, end: number): boolean {
    const places = this.#places;
    const length = end - from;
    if (length >= PLACE_SIZE) return false;
    const place = (hash % PLACES) * PLACE_SIZE;
    let same = places[place] === length;
    for (let i = 0; same && i < length; i++) same = places[place + 1 + i] === bytes[from + i];
    if (same) return true;
    places[place] = length;
    for (let i = 0; i < length; i++) places[place + 1 + i] = bytes[from + i] ?? 0;
    return false;
  }
}
