/**
 * The check of a pack that is kept, for an audit: its records are hashed again, and what the index and the list of modules must
 * have of them is told, and which of them are no records as a log should have them.
 */

import { countLeaves, hashLeaves, leafText, subtreeHashes, type Leaves } from '../core/leaves.js';
import { isPlainPath, isPlainVersion } from '../core/plainname.js';
import { checkRecordForm } from '../core/recordform.js';
import { TILE_WIDTH } from '../core/tile.js';
import { encodeUtf8 } from '../core/text.js';
import { GosumError, isGosumError, type Code } from '../errors.js';
import { checkRecordNumber, type NewEntries } from './entry.js';
import { KeyHash, restOf } from './key.js';
import { unpackLeaves } from './pack.js';
import { namesOf, usualRecords, type UsualRecords } from './usual.js';

/** A pack to be checked. */
export interface CheckJob {
  readonly kind: 'check';
  /** Number of the data tile. */
  readonly n: number;
  /** Records that it should have, 1 to 256. */
  readonly width: number;
  /** Not believed. */
  readonly bytes: Uint8Array;
  /** The salt of the paths' prints, 16 bytes: of one audit alone, so that no list of modules can be made up to pass for another. */
  readonly printSalt: Uint8Array;
}

/** What a check gives. Nothing of it is proved: `nodes` decide that. */
export interface CheckedPack {
  readonly n: number;
  readonly width: number;
  /** The hashes of the complete subtrees, as `subtreeHashes` gives them. */
  readonly nodes: Uint8Array;
  /** The entries that the index must have. */
  readonly entries: NewEntries;
  /** Prints of the module paths, two words each; repeats among them. */
  readonly prints: Uint32Array;
  /** Records that have not the form that a log's should have. */
  readonly flaws: readonly RecordFlaw[];
}

/** What is wrong with the form of a record. */
export interface RecordFlaw {
  /** Number of the record. */
  readonly id: number;
  readonly code: Code;
  readonly message: string;
}

/**
 * Checks a pack.
 *
 * @param hash of the index.
 * @throws {GosumError} `RECORD_MALFORMED` where it is no pack of so many records; `STORE_FAILED` where no index has room for them.
 */
export function checkPack({ n, width, bytes, printSalt }: CheckJob, hash: KeyHash): CheckedPack {
  const leaves = unpackLeaves(bytes);
  if (countLeaves(leaves) !== width) throw new GosumError('RECORD_MALFORMED', `a pack of ${countLeaves(leaves)} records, want ${width}`);
  checkRecordNumber(n * TILE_WIDTH + width - 1);
  const usual = usualRecords(leaves);
  const found = new Names(n, width, hash, printSalt);
  if (usual === undefined) readOdd(leaves, found);
  else readUsual(usual, found);
  return { n, width, nodes: subtreeHashes(hashLeaves(leaves)), ...found.all() };
}

/** Makes 64-bit prints of module paths: 48 bits by a salt of an audit's own, 16 by that of the index. */
export class PathPrinter {
  readonly #index: KeyHash;
  readonly #own: KeyHash;

  /** @param index the index's hash. @param salt 16 bytes. */
  constructor(index: KeyHash, salt: Uint8Array) {
    this.#index = index;
    this.#own = new KeyHash(salt);
  }

  /** The print of a path, two words. */
  print(path: string): Uint32Array {
    const bytes = encodeUtf8(path);
    const words = new Uint32Array(2);
    this.write(words, 0, bytes, 0, bytes.length, this.#index.module(bytes, 0, bytes.length));
    return words;
  }

  /** Writes the print of the path that stands in `bytes`. @param module what the index's hash gives of it. */
  write(into: Uint32Array, at: number, bytes: Uint8Array, from: number, to: number, module: number): void {
    into[at] = (this.#own.module(bytes, from, to) << 8) | (module & 0xff);
    into[at + 1] = (this.#own.version(bytes, from, to) << 8) | ((module >>> 8) & 0xff);
  }
}

/** Collects what is known of the names in a tile. */
class Names {
  readonly flaws: RecordFlaw[] = [];
  readonly #n: number;
  readonly #hash: KeyHash;
  readonly #printer: PathPrinter;
  #pages: Uint16Array;
  #words: Uint32Array;
  #prints: Uint32Array;
  #count = 0;

  constructor(n: number, width: number, hash: KeyHash, printSalt: Uint8Array) {
    this.#n = n;
    this.#hash = hash;
    this.#printer = new PathPrinter(hash, printSalt);
    this.#pages = new Uint16Array(width);
    this.#words = new Uint32Array(2 * width);
    this.#prints = new Uint32Array(2 * width);
  }

  /** A record has this path, which stands at `from` up to `space`, and this version, behind it. */
  add(i: number, bytes: Uint8Array, from: number, space: number, end: number): void {
    if (this.#count === this.#pages.length) this.#grow();
    const at = this.#count++;
    const module = this.#hash.module(bytes, from, space);
    this.#pages[at] = module >>> 8;
    this.#words[2 * at] = this.#n * TILE_WIDTH + i;
    this.#words[2 * at + 1] = restOf(module, this.#hash.version(bytes, space + 1, end));
    this.#printer.write(this.#prints, 2 * at, bytes, from, space, module);
  }

  /** Has the form of a record checked. */
  check(i: number, check: () => unknown): void {
    try {
      check();
    } catch (error) {
      if (!isGosumError(error)) throw error;
      this.flaws.push({ id: this.#n * TILE_WIDTH + i, code: error.code, message: error.message });
    }
  }

  all(): Pick<CheckedPack, 'entries' | 'prints' | 'flaws'> {
    const entries = { pages: this.#pages.slice(0, this.#count), words: this.#words.slice(0, 2 * this.#count) };
    return { entries, prints: this.#prints.slice(0, 2 * this.#count), flaws: this.flaws };
  }

  /** Records of several module versions are rare. */
  #grow(): void {
    const [pages, words, prints] = [this.#pages, this.#words, this.#prints];
    this.#pages = new Uint16Array(2 * pages.length);
    this.#pages.set(pages);
    this.#words = new Uint32Array(2 * words.length);
    this.#words.set(words);
    this.#prints = new Uint32Array(2 * prints.length);
    this.#prints.set(prints);
  }
}

function readUsual({ leaves, spaces, ends }: UsualRecords, names: Names): void {
  const { bytes, at } = leaves;
  for (let i = 0; i < ends.length; i++) {
    const from = (at[i] ?? 0) + 1;
    const space = spaces[i] ?? 0;
    const end = ends[i] ?? 0;
    names.add(i, bytes, from, space, end);
    if (isPlainPath(bytes, from, space) && isPlainVersion(bytes, space + 1, end)) continue;
    names.check(i, () => checkRecordForm(leafText(leaves, i)));
  }
}

function readOdd(leaves: Leaves, names: Names): void {
  for (let i = 0; i < countLeaves(leaves); i++) {
    const text = leafText(leaves, i);
    names.check(i, () => checkRecordForm(text));
    for (const { module, version } of namesIn(text)) {
      const bytes = encodeUtf8(`${module} ${version}`);
      const space = bytes.length - encodeUtf8(version).length - 1;
      names.add(i, bytes, 0, space, bytes.length);
    }
  }
}

/** As `namesOf`; of a text that is not even UTF-8 none. */
function namesIn(text: Uint8Array): ReturnType<typeof namesOf> {
  try {
    return namesOf(text);
  } catch (error) {
    if (isGosumError(error)) return [];
    throw error;
  }
}
