/** The records of a scale log: their texts, in order, written to bytes without an object for each. */

import { mix } from './scalebytes.js';
import { ScaleNames } from './scalenames.js';
import { OrderWalk, recordNumber } from './scaleorder.js';

/** No record is longer. */
export const RECORD_LIMIT = 512;

/** What makes the records of one log. All of it numbers and texts, so that threads can be told. */
export interface RecordsOptions {
  /** Another seed, another log. A whole number of 32 bits. */
  readonly seed: number;
  /** From this record on all hashes are others: a fork of the log that has the same seed and no such number. */
  readonly forkAt?: number | undefined;
  /** Records that stand in place of the log's own, by number. */
  readonly texts?: ReadonlyMap<number, Uint8Array> | undefined;
}

/** The records of a log without end. */
export class ScaleRecords {
  readonly names: ScaleNames;
  readonly #seed: number;
  readonly #forkAt: number;
  readonly #texts: ReadonlyMap<number, Uint8Array>;
  readonly #walk = new OrderWalk();

  constructor({ seed, forkAt = Infinity, texts = new Map() }: RecordsOptions) {
    this.#seed = seed >>> 0;
    this.names = new ScaleNames(this.#seed);
    this.#forkAt = forkAt;
    this.#texts = texts;
  }

  /**
   * Writes the records from `lo` up to `hi` as data tiles have them, each followed by a blank line, and puts where each ends, the
   * blank line not included, into `ends`.
   *
   * @param out has room for `RECORD_LIMIT` bytes a record behind `at`.
   * @returns where all ends.
   */
  write(lo: number, hi: number, out: Uint8Array, at: number, ends: Uint32Array): number {
    this.#walk.each(lo, hi, (m, k, id) => {
      const text = this.#texts.get(id);
      if (text === undefined) {
        at = this.#writeRecord(out, at, m, k, id < this.#forkAt ? 0 : 1);
      } else {
        out.set(text, at);
        at += text.length;
      }
      ends[id - lo] = at;
      out[at++] = NEWLINE;
    });
    return at;
  }

  /** The text of one record; `salt` gives it other hashes. */
  text(id: number, salt = 0): Uint8Array {
    const put = this.#texts.get(id);
    if (put !== undefined && salt === 0) return put;
    const out = new Uint8Array(RECORD_LIMIT);
    let end = 0;
    this.#walk.each(id, id + 1, (m, k) => {
      end = this.#writeRecord(out, 0, m, k, (id < this.#forkAt ? 0 : 1) + salt);
    });
    return out.slice(0, end);
  }

  /** The number of the record that is a module version's by the order alone; `undefined` where it never comes. */
  numberOf(module: string, version: string): number | undefined {
    const m = this.names.moduleOf(module);
    const k = m === undefined ? undefined : this.names.versionOf(m, version);
    // beyond this nobody has a log, and the sums take long
    return m === undefined || k === undefined || m * k > 2 ** 31 ? undefined : recordNumber(m, k);
  }

  #writeRecord(out: Uint8Array, at: number, m: number, k: number, salt: number): number {
    const path = this.names.writePath(out, at, m);
    out[path] = SPACE;
    const version = this.names.writeVersion(out, path + 1, m, k, at, path);
    const random = mix(mix(this.#seed + salt, m), k);
    let end = putHash(out, version, random, m ^ 0x2545f491);
    out.copyWithin(end, at, version);
    end += version - at;
    for (const byte of GO_MOD) out[end++] = byte;
    return putHash(out, end, random, k ^ 0x1b873593);
  }
}

const NEWLINE = 0x0a;
const SPACE = 0x20;
const GO_MOD = new Uint8Array(Buffer.from('/go.mod'));
const H1 = new Uint8Array(Buffer.from(' h1:'));
const BASE64 = new Uint8Array(Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'));

/** Writes ` h1:`, a made-up hash and a newline. The bits are George Marsaglia's xorshift, of 64 bits. */
function putHash(out: Uint8Array, at: number, a: number, b: number): number {
  for (const byte of H1) out[at++] = byte;
  let x = a | 1;
  let y = b;
  for (let left = 42; left > 0; left -= 5) {
    const t = x ^ (x << 10);
    x = y;
    y = y ^ (y >>> 10) ^ (t ^ (t >>> 13));
    let bits = Math.imul(y, 0x9e3779b1) ^ x;
    for (let i = Math.min(left, 5); i > 0; i--, bits >>>= 6) out[at++] = BASE64[bits & 63] ?? 0;
  }
  out[at++] = BASE64[((x + y) & 15) << 2] ?? 0; // the last of 32 bytes has but four bits left
  out[at++] = 0x3d;
  out[at++] = NEWLINE;
  return at;
}
