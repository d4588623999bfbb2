/**
 * The parts of the forms that are lines and counted bytes (receipt.ts, bulkform.ts), and their strict reading, one after
 * the other.
 */

import type { GosumError } from '../errors.js';
import { HASH_SIZE, type Hash } from './hash.js';
import { parseCount } from './integer.js';
import { checkRecordText, type LogRecord } from './record.js';
import { decodeUtf8, encodeUtf8 } from './text.js';

const NEWLINE = 0x0a;
/** The most bytes of a line that holds a word and counts. */
const MAX_LINE = 100;

/** Makes the error of a form: what is wrong with it, and why. */
export type Malformed = (detail: string, cause?: unknown) => GosumError;

/** A place in bytes, which moves on with every read. What is read is a view of the bytes, not a copy. */
export class Parts {
  readonly #bytes: Uint8Array;
  readonly #malformed: Malformed;
  #offset = 0;

  /**
   * @param bytes attacker-controlled.
   * @param malformed makes what every read throws where the bytes have not the form.
   */
  constructor(bytes: Uint8Array, malformed: Malformed) {
    this.#bytes = bytes;
    this.#malformed = malformed;
  }

  get atEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** A line without its newline, of at most so many bytes. */
  line(most: number = MAX_LINE): string {
    const end = this.#bytes.indexOf(NEWLINE, this.#offset);
    if (end < 0 || end - this.#offset > most) throw this.#malformed('no line where one is due');
    const line = this.#bytes.subarray(this.#offset, end);
    this.#offset = end + 1;
    try {
      return decodeUtf8(line);
    } catch (cause) {
      throw this.#malformed('invalid UTF-8', cause);
    }
  }

  /** A line of the word and a count. */
  count(word: string): number {
    const line = this.line();
    if (!line.startsWith(`${word} `)) throw this.#malformed(`no line of ${word}`);
    return this.#countOf(line.slice(word.length + 1));
  }

  /** A line of two counts. */
  counts(): [number, number] {
    const line = this.line();
    const space = line.indexOf(' ');
    return [this.#countOf(line.slice(0, Math.max(space, 0))), this.#countOf(line.slice(space + 1))];
  }

  /** So many bytes. */
  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#offset) throw this.#malformed('it is cut short');
    return this.#bytes.subarray(this.#offset, (this.#offset += length));
  }

  #countOf(text: string): number {
    try {
      return parseCount(text);
    } catch (cause) {
      throw this.#malformed('bad count', cause);
    }
  }
}

/** Records in the order of their ids, each once. */
export function sortRecords<T extends LogRecord>(records: readonly T[]): T[] {
  return [...new Map(records.map((record) => [record.id, record])).values()].sort((a, b) => a.id - b.id);
}

/** A line `records K`, and K times a line `ID LEN` and the text. */
export function formatRecords(records: readonly LogRecord[]): Uint8Array[] {
  return [
    encodeUtf8(`records ${records.length}\n`),
    ...records.flatMap(({ id, text }) => [encodeUtf8(`${id} ${text.length}\n`), text]),
  ];
}

/** Reads what `formatRecords` writes: ids strictly ascending, texts that a record can have (`RECORD_MALFORMED` else). */
export function readRecords(parts: Parts, malformed: Malformed): LogRecord[] {
  const records: LogRecord[] = [];
  for (let left = parts.count('records'); left > 0; left--) {
    const [id, length] = parts.counts();
    const text = parts.take(length);
    checkRecordText(text);
    if (id <= (records.at(-1)?.id ?? -1)) throw malformed(`record ${id} is out of order`);
    records.push({ id, text });
  }
  return records;
}

/** A line `hashes H`, and H hashes. */
export function formatHashes(hashes: readonly Hash[]): Uint8Array[] {
  return [encodeUtf8(`hashes ${hashes.length}\n`), ...hashes];
}

/** Reads what `formatHashes` writes, with nothing behind it: the hashes one after the other. */
export function readHashes(parts: Parts, malformed: Malformed): Uint8Array {
  const hashes = parts.take(parts.count('hashes') * HASH_SIZE);
  if (!parts.atEnd) throw malformed('bytes behind the hashes');
  return hashes;
}
