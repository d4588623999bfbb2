/**
 * The usual form of a record, which all but a few have: of one module version the hash of the module and that of its go.mod,
 * `path version h1:A\npath version/go.mod h1:B\n` in ASCII; and the names that a record of any form has.
 */

import { countLeaves, leafText, type Leaves } from '../core/leaves.js';
import type { ModuleVersion } from '../core/module.js';
import { decodeUtf8 } from '../core/text.js';
import { decodeH1, encodeH1, H1_LENGTH } from './h1.js';
import { isNameByte } from './namecode.js';

const SPACE = 0x20;
const NEWLINE = 0x0a;
const HASH_SIZE = 32;
const H1: Uint8Array = Uint8Array.from(' h1:', (character) => character.charCodeAt(0));
const GO_MOD: Uint8Array = Uint8Array.from('/go.mod h1:', (character) => character.charCodeAt(0));
/** Bytes of a usual record without its two times `path version`. */
const FRAME: number = H1.length + GO_MOD.length + 2 * (H1_LENGTH + 1);

/** Bytes of the two hashes of a usual record. */
export const PAIR_SIZE: number = 2 * HASH_SIZE;

/** Records of the usual form, taken apart. Where things stand is in the `bytes` of the leaves. */
export interface UsualRecords {
  readonly leaves: Leaves;
  /** For each the space behind its path; the path begins behind the zero byte. */
  readonly spaces: Uint32Array;
  /** For each the end of its version. */
  readonly ends: Uint32Array;
  /** For each the hashes of its module and its go.mod. */
  readonly hashes: Uint8Array;
}

/** Takes records apart; `undefined` where any has another form. What is taken apart, `writeUsual` writes byte for byte. */
export function usualRecords(leaves: Leaves): UsualRecords | undefined {
  const count = countLeaves(leaves);
  const { bytes, at } = leaves;
  const spaces = new Uint32Array(count);
  const ends = new Uint32Array(count);
  const hashes = new Uint8Array(count * PAIR_SIZE);
  for (let i = 0; i < count; i++) {
    const start = (at[i] ?? 0) + 1;
    const length = ((at[i + 1] ?? 0) - start - FRAME) / 2;
    if (length < 3 || !Number.isInteger(length)) return undefined;
    const end = start + length;
    const second = end + H1.length + H1_LENGTH + 1;
    let space = 0;
    for (let from = start, to = second; from < end; from++, to++) {
      const byte = bytes[from] ?? 0;
      if (byte === SPACE) {
        if (space > 0) return undefined;
        space = from;
      }
      if (!isNameByte(byte) || byte !== bytes[to]) return undefined;
    }
    if (space <= start || space === end - 1) return undefined;
    if (!stands(H1, bytes, end) || !decodeH1(bytes, end + H1.length, hashes, i * PAIR_SIZE) || bytes[second - 1] !== NEWLINE) return undefined;
    const behind = second + length;
    if (!stands(GO_MOD, bytes, behind) || !decodeH1(bytes, behind + GO_MOD.length, hashes, i * PAIR_SIZE + HASH_SIZE)) return undefined;
    if (bytes[(at[i + 1] ?? 0) - 1] !== NEWLINE) return undefined;
    spaces[i] = space;
    ends[i] = end;
  }
  return { leaves, spaces, ends, hashes };
}

/** The `path version` of each record of the usual form; of others each that one of its lines has. */
export interface NamedRecord extends ModuleVersion {
  /** Which record of the tile. */
  readonly i: number;
}

/** The module versions that a record of any form has lines of, each once. */
export function namesOf(text: Uint8Array): ModuleVersion[] {
  const names = new Map<string, ModuleVersion>();
  for (const line of decodeUtf8(text).split('\n')) {
    const [module = '', name = '', hash] = line.split(' ');
    const version = name.endsWith('/go.mod') ? name.slice(0, -'/go.mod'.length) : name;
    if (module !== '' && version !== '' && hash !== undefined) names.set(`${module} ${version}`, { module, version });
  }
  return [...names.values()];
}

/** Whether a record's text has a line of the module version. */
export function isOf(text: Uint8Array, { module, version }: ModuleVersion): boolean {
  // of nearly every record the first line tells it; nothing is made for that
  return beginsWith(text, module, version) || namesOf(text).some((name) => name.module === module && name.version === version);
}

/** The text of a leaf, for whoever wants each by itself. */
export function textsOf(leaves: Leaves): Uint8Array[] {
  return Array.from({ length: countLeaves(leaves) }, (_, i) => leafText(leaves, i));
}

/** Bytes of a record of the usual form whose `path version` has so many. */
export function usualLength(name: number): number {
  return 2 * name + FRAME;
}

/**
 * Writes a record of the usual form at `to`, where its `path version` already stands, `name` bytes long.
 *
 * @param hashes at `at` those of the module and the go.mod.
 * @returns the end of it.
 */
export function writeUsual(into: Uint8Array, to: number, name: number, hashes: Uint8Array, at: number): number {
  let out = to + name;
  out = put(H1, into, out);
  out = putHash(hashes, at, into, out);
  for (let i = 0; i < name; i++) into[out + i] = into[to + i] ?? 0;
  out = put(GO_MOD, into, out + name);
  return putHash(hashes, at + HASH_SIZE, into, out);
}

/** Whether a text begins with `path version `, both not empty and of ASCII. */
function beginsWith(text: Uint8Array, module: string, version: string): boolean {
  const second = module.length + 1;
  return module !== '' && version !== '' && has(text, 0, module) && has(text, second, version) && text[second - 1] === SPACE && text[second + version.length] === SPACE;
}

function has(text: Uint8Array, at: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    const code = word.charCodeAt(i);
    if (code >= 0x80 || code === NEWLINE || code === SPACE || text[at + i] !== code) return false;
  }
  return true;
}

function stands(word: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}

function put(word: Uint8Array, into: Uint8Array, to: number): number {
  for (let i = 0; i < word.length; i++) into[to + i] = word[i] ?? 0;
  return to + word.length;
}

function putHash(hashes: Uint8Array, at: number, into: Uint8Array, to: number): number {
  encodeH1(hashes, at, into, to);
  into[to + H1_LENGTH] = NEWLINE;
  return to + H1_LENGTH + 1;
}
