/**
 * The check of packs that are kept, for an audit: their records are hashed again, and what the index and the list of modules must
 * have of them is told, and which of them are no records as a log should have them.
 *
 * Packs come and go by the dozen: a message between threads takes as long as the work on a pack.
 */

import type { PackedTile } from '../contract.js';
import { countLeaves, hashLeaves, leafText, subtreeHashes, type Leaves } from '../core/leaves.js';
import { checkModulePath, checkVersion } from '../core/module.js';
import { isPlainPath, isPlainVersion } from '../core/plainname.js';
import { checkRecordForm } from '../core/recordform.js';
import { decodeUtf8, encodeUtf8, joinBytes } from '../core/text.js';
import { PART_WIDTH, TILE_WIDTH } from '../core/tile.js';
import { GosumError, isGosumError, type Code } from '../errors.js';
import { checkRecordNumber } from './entry.js';
import { KeyHash, restOf } from './key.js';
import { checkParts, isUsualPart, unpackPart, unpackUsual } from './pack.js';
import { namesOf, usualRecords, type UsualRecords } from './usual.js';

const SPACE = 0x20;

/** Packs to be checked. */
export interface CheckJob {
  readonly kind: 'check';
  /** Of each the number of the data tile, the records that it should have, and the bytes of its parts in `bytes`. */
  readonly packs: readonly { readonly n: number; readonly width: number; readonly lengths: readonly number[] }[];
  /** All packs, one after the other. Not believed. */
  readonly bytes: Uint8Array;
  /** The salt of the paths' prints, 16 bytes: of one audit alone, so that no list of modules can be made up to pass for another. */
  readonly printSalt: Uint8Array;
}

/** What a check gives. Nothing of it is proved: the `nodes` decide that. Each array has what the packs have, one after the other. */
export interface CheckedPacks {
  readonly packs: readonly CheckedPack[];
  /** The hashes of the complete subtrees, as `subtreeHashes` gives them. */
  readonly nodes: Uint8Array;
  /** The entries that the index must have: the page; number and rest of the key; and the print of the path, two words. */
  readonly pages: Uint16Array;
  readonly words: Uint32Array;
  readonly prints: Uint32Array;
}

/** One pack of a check. */
export interface CheckedPack {
  /** The ends of what it has in `nodes`, and of its entries; each begins where the one before ends. */
  readonly nodesEnd: number;
  readonly entriesEnd: number;
  /** Records that have not the form that a log's should have. */
  readonly flaws: readonly RecordFlaw[];
  /** Why it could not be read: no pack of so many records, or no index has room for them. Then it has nothing. */
  readonly failure?: { readonly code: Code; readonly message: string };
}

/** What is wrong with the form of a record. */
export interface RecordFlaw {
  /** Number of the record. */
  readonly id: number;
  readonly code: Code;
  readonly message: string;
}

/** Makes a job of packs. */
export function checkJob(packs: readonly PackedTile[], printSalt: Uint8Array): CheckJob {
  return {
    kind: 'check',
    packs: packs.map(({ n, width, parts }) => ({ n, width, lengths: parts.map(({ length }) => length) })),
    bytes: joinBytes(packs.flatMap(({ parts }) => parts)),
    printSalt,
  };
}

/** Checks packs. @param hash of the index. */
export function checkPacks({ packs, bytes, printSalt }: CheckJob, hash: KeyHash): CheckedPacks {
  const names = new Names(hash, printSalt, packs.reduce((sum, { width }) => sum + width, 0));
  const nodes: Uint8Array[] = [];
  const checked: CheckedPack[] = [];
  let at = 0;
  let nodesEnd = 0;
  for (const { n, width, lengths } of packs) {
    const parts = lengths.map((length) => bytes.subarray(at, (at += length)));
    const before = names.count;
    try {
      checkRecordNumber(n * TILE_WIDTH + width - 1);
      const own = subtreeHashes(readPack(parts, width, names.begin(n)));
      nodes.push(own);
      nodesEnd += own.length;
      checked.push({ nodesEnd, entriesEnd: names.count, flaws: names.flaws });
    } catch (error) {
      if (!isGosumError(error)) throw error;
      names.count = before;
      checked.push({ nodesEnd, entriesEnd: before, flaws: [], failure: { code: error.code, message: error.message } });
    }
  }
  return { packs: checked, nodes: joinBytes(nodes), ...names.all() };
}

/** Reads the names in a pack, and gives its leaves' hashes. @throws {GosumError} `RECORD_MALFORMED` where it is no pack of so many records. */
function readPack(parts: readonly Uint8Array[], width: number, names: Names): Uint8Array {
  checkParts(parts);
  const all = parts.map((part, i) => readPart(part, i * PART_WIDTH, names));
  const count = all.reduce((sum, leaves) => sum + countLeaves(leaves), 0);
  if (count !== width) throw new GosumError('RECORD_MALFORMED', `a pack of ${count} records, want ${width}`);
  return joinBytes(all.map(hashLeaves));
}

/** @param first place of the part's first record in the tile. */
function readPart(part: Uint8Array, first: number, names: Names): Leaves {
  if (isUsualPart(part)) {
    const usual = unpackUsual(part);
    if (names.readUsual(usual, first)) return usual.leaves;
  }
  const leaves = unpackPart(part);
  const usual = usualRecords(leaves);
  if (usual === undefined || !names.readUsual(usual, first)) names.readOdd(leaves, first);
  return leaves;
}

/** Collects what is known of the names in packs. */
class Names {
  /** Entries. */
  count = 0;
  /** Of the pack that was begun last. */
  flaws: RecordFlaw[] = [];
  readonly #hash: KeyHash;
  readonly #printer: KeyHash;
  /** Number of the pack's first record. */
  #first = 0;
  #pages: Uint16Array;
  #words: Uint32Array;
  #prints: Uint32Array;

  constructor(hash: KeyHash, printSalt: Uint8Array, records: number) {
    this.#hash = hash;
    this.#printer = new KeyHash(printSalt);
    this.#pages = new Uint16Array(records);
    this.#words = new Uint32Array(2 * records);
    this.#prints = new Uint32Array(2 * records);
  }

  /** Begins the pack of a data tile. */
  begin(n: number): this {
    this.#first = n * TILE_WIDTH;
    this.flaws = [];
    return this;
  }

  /** Reads records of the usual form; `false`, and nothing is read, where a name has a space in it. */
  readUsual({ leaves, spaces, ends }: Omit<UsualRecords, 'hashes'>, first: number): boolean {
    const { bytes, at } = leaves;
    const [before, flawsBefore] = [this.count, this.flaws.length];
    for (let i = 0; i < ends.length; i++) {
      const from = (at[i] ?? 0) + 1;
      const space = spaces[i] ?? 0;
      const end = ends[i] ?? 0;
      this.#add(first + i, bytes, from, space, end);
      if (isPlainPath(bytes, from, space) && isPlainVersion(bytes, space + 1, end)) continue;
      if (bytes.subarray(from, space).includes(SPACE) || bytes.subarray(space + 1, end).includes(SPACE)) {
        this.count = before;
        this.flaws.length = flawsBefore;
        return false;
      }
      this.#check(first + i, () => checkNames(bytes.subarray(from, space), bytes.subarray(space + 1, end)));
    }
    return true;
  }

  /** Reads records of any form. */
  readOdd(leaves: Leaves, first: number): void {
    for (let i = 0; i < countLeaves(leaves); i++) {
      const text = leafText(leaves, i);
      this.#check(first + i, () => checkRecordForm(text));
      for (const { module, version } of namesIn(text)) {
        const path = encodeUtf8(module);
        const bytes = joinBytes([path, Uint8Array.of(SPACE), encodeUtf8(version)]);
        this.#add(first + i, bytes, 0, path.length, bytes.length);
      }
    }
  }

  all(): Pick<CheckedPacks, 'pages' | 'words' | 'prints'> {
    const two = 2 * this.count;
    return { pages: this.#pages.slice(0, this.count), words: this.#words.slice(0, two), prints: this.#prints.slice(0, two) };
  }

  /** A record has this path, which stands at `from` up to `space`, and this version, behind it. */
  #add(i: number, bytes: Uint8Array, from: number, space: number, end: number): void {
    if (this.count === this.#pages.length) this.#grow();
    const at = this.count++;
    const module = this.#hash.module(bytes, from, space);
    this.#pages[at] = module >>> 8;
    this.#words[2 * at] = this.#first + i;
    this.#words[2 * at + 1] = restOf(module, this.#hash.version(bytes, space + 1, end));
    this.#printer.print(bytes, from, space, this.#prints, 2 * at);
  }

  #check(i: number, check: () => unknown): void {
    try {
      check();
    } catch (error) {
      if (!isGosumError(error)) throw error;
      this.flaws.push({ id: this.#first + i, code: error.code, message: error.message });
    }
  }

  /** Records of several module versions are rare. */
  #grow(): void {
    const size = 2 * this.#pages.length + 1;
    const [pages, words, prints] = [this.#pages, this.#words, this.#prints];
    this.#pages = new Uint16Array(size);
    this.#pages.set(pages);
    this.#words = new Uint32Array(2 * size);
    this.#words.set(words);
    this.#prints = new Uint32Array(2 * size);
    this.#prints.set(prints);
  }
}

/** @throws {GosumError} `UTF8_MALFORMED`, `MODULE_PATH_MALFORMED`, `VERSION_MALFORMED`. */
function checkNames(path: Uint8Array, version: Uint8Array): void {
  checkModulePath(decodeUtf8(path));
  checkVersion(decodeUtf8(version));
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
