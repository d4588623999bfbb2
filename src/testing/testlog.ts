/**
 * A log for tests: in memory, it signs its own heads, answers with true bytes, and grows.
 *
 * It is honest by itself. How it lies is said outside: by `clone` (a fork: same key, another future), by `headSizeOf`
 * (old heads, as real servers give), by `signHead` (a head of nothing), and by the lies of lies.ts on the wire.
 */

import type { Database } from '../contract.js';
import { formatHash, type Hash } from '../core/hash.js';
import { formatVerifierKey, newSignerKey, verifierKeyOf, type SignerKey, type VerifierKey } from '../core/key.js';
import { formatModuleVersion } from '../core/module.js';
import { signNote } from '../core/note.js';
import { checkRecordText, formatDataTile, formatLookup, recordHash, type RecordHashes } from '../core/record.js';
import { concatBytes, encodeUtf8 } from '../core/text.js';
import { DATA_LEVEL, formatTilePath, isTile, TILE_HEIGHT, TILE_WIDTH, type Tile } from '../core/tile.js';
import { proveRecord, proveTree, treeHash, type NodeReader } from '../core/tree.js';
import { formatTreeHead, type SignedHead, type TreeHead } from '../core/treehead.js';
import { GosumError } from '../errors.js';
import { sha256 } from '#crypto';
import { NodeStack } from './nodestack.js';

/** The hashes of a new record; those that are not given are made up, the same for the same module version. */
export type NewHashes = Partial<RecordHashes>;

/** A checksum database in memory. */
export class TestLog implements Database {
  readonly name: string;
  readonly signer: SignerKey;
  readonly key: VerifierKey;
  /** The verifier key, as GOSUMDB has it. */
  readonly vkey: string;
  /** The size of the head that a lookup of record `id` comes with. By default the log's own size. */
  headSizeOf: (id: number) => number = () => this.size;

  readonly #texts: Uint8Array[] = [];
  readonly #ids = new Map<string, number>();
  readonly #nodes = new NodeStack();
  readonly #notes = new Map<number, Uint8Array>();

  /** @param signer by default a key that is the same for the same name. No secret. */
  constructor(name = 'log.example', signer: SignerKey = newSignerKey(name, sha256(encodeUtf8(`test log ${name}`)))) {
    this.name = name;
    this.signer = signer;
    this.key = verifierKeyOf(signer);
    this.vkey = formatVerifierKey(this.key);
  }

  /** Number of records. */
  get size(): number {
    return this.#texts.length;
  }

  /** Gives the hash of a node of the whole tree. */
  get read(): NodeReader {
    return (level, n) => this.#nodes.hash(level, n);
  }

  /** Module versions in the log, `path@version`. */
  get modules(): string[] {
    return [...this.#ids.keys()];
  }

  /** Adds a module version and gives its record's number. A repeat makes a second record, which lookups find from then on. */
  add(module: string, version: string, hashes: NewHashes = {}): number {
    const h1 = hashes.module ?? madeUpHash(`${module} ${version}`);
    const goMod = hashes.goMod ?? madeUpHash(`${module} ${version}/go.mod`);
    return this.#append(module, version, encodeUtf8(`${module} ${version} ${h1}\n${module} ${version}/go.mod ${goMod}\n`));
  }

  /** Adds a record of this very text; lookups find it by the module version of its first line. */
  addText(text: string): number {
    const [module = '', version = ''] = (text.split('\n', 1)[0] ?? '').split(' ');
    return this.#append(module, version.replace(/\/go\.mod$/, ''), encodeUtf8(text));
  }

  /** Adds short records, of `example.com/fill/<id>` at v1.0.0, until the log has `size`. */
  fill(size: number): this {
    while (this.size < size) this.addText(`example.com/fill/${this.size} v1.0.0 h1:${FILL_HASH}\n`);
    return this;
  }

  /** The number of a module version's record; `undefined` where there is none. */
  idOf(module: string, version: string): number | undefined {
    return this.#ids.get(formatModuleVersion(module, version));
  }

  /** The text of a record. */
  text(id: number): Uint8Array {
    const text = this.#texts[id];
    if (text === undefined) throw new Error(`no record ${id} in a log of ${this.size}`);
    return text;
  }

  /** The size and root hash that the log has, or had when it was of that size. */
  treeHead(size: number = this.size): TreeHead {
    if (!(size >= 0 && size <= this.size)) throw new Error(`no tree of ${size} in a log of ${this.size}`);
    return { size, hash: treeHash(size, this.read) };
  }

  /** The signed note of the tree of `size`. */
  head(size: number = this.size): Uint8Array {
    let note = this.#notes.get(size);
    if (note === undefined) this.#notes.set(size, (note = this.signHead(this.treeHead(size))));
    return note;
  }

  /** The head with its note, as the core has it once its signature was verified. */
  signedHead(size: number = this.size): SignedHead {
    return { ...this.treeHead(size), note: this.head(size) };
  }

  /** Signs any tree head, true or not. */
  signHead(head: TreeHead): Uint8Array {
    return signNote(formatTreeHead(head), [this.signer]);
  }

  /** The inclusion proof of record `id` in the tree of `size`. */
  proveRecord(id: number, size: number = this.size): Uint8Array {
    return proveRecord(size, id, this.read);
  }

  /** The consistency proof from the tree of `oldSize` to that of `size`. */
  proveTree(oldSize: number, size: number = this.size): Uint8Array {
    return proveTree(size, oldSize, this.read);
  }

  latest(): Promise<Uint8Array> {
    return Promise.resolve(this.head());
  }

  /** Answers with the record and a signed head: the newest, or the one that `headSizeOf` says. */
  lookup(module: string, version: string): Promise<Uint8Array> {
    const id = this.idOf(module, version);
    return id === undefined
      ? Promise.reject(new GosumError('NOT_FOUND', `${formatModuleVersion(module, version)}: not in the log`))
      : Promise.resolve(this.lookupOf(id));
  }

  /** The answer to a lookup that finds record `id`. */
  lookupOf(id: number): Uint8Array {
    return formatLookup({ id, text: this.text(id), note: this.head(this.headSizeOf(id)) });
  }

  /** The bytes of any tile that the log has, full or partial, of hashes or of records. */
  tile(tile: Tile): Promise<Uint8Array> {
    return this.hasTile(tile)
      ? Promise.resolve(this.tileBytes(tile))
      : Promise.reject(new GosumError('NOT_FOUND', `${formatTilePath(tile)}: not in a log of ${this.size}`));
  }

  /** Reports whether the log has as many hashes or records as the tile holds. */
  hasTile(tile: Tile): boolean {
    const hashes = Math.floor(this.size / 2 ** (TILE_HEIGHT * Math.max(tile.level, 0)));
    return isTile(tile) && tile.n * TILE_WIDTH + tile.width <= hashes;
  }

  /** The bytes of a tile that the log has. */
  tileBytes({ level, n, width }: Tile): Uint8Array {
    const from = n * TILE_WIDTH;
    return level === DATA_LEVEL
      ? formatDataTile(this.#texts.slice(from, from + width))
      : this.#nodes.hashes(level * TILE_HEIGHT, from, width);
  }

  /** A log with the same key and the same past: what is added to one is not in the other. */
  clone(): TestLog {
    const twin = new TestLog(this.name, this.signer);
    for (const text of this.#texts) twin.#texts.push(text);
    for (const [module, id] of this.#ids) twin.#ids.set(module, id);
    twin.#nodes.push(this.#nodes.hashes(0, 0, this.size));
    return twin;
  }

  #append(module: string, version: string, text: Uint8Array): number {
    checkRecordText(text);
    const id = this.#texts.push(text) - 1;
    this.#ids.set(formatModuleVersion(module, version), id);
    this.#nodes.push(recordHash(text));
    return id;
  }
}

const FILL_HASH = 'ZmlsbCBmaWxsIGZpbGwgZmlsbCBmaWxsIGZpbGwgMTI=';

/** An `h1:` hash made up of a seed. */
export function madeUpHash(seed: string): string {
  return `h1:${formatHash(madeUpBytes(seed, 1))}`;
}

/** `hashes * 32` bytes made up of a seed: the same for the same seed. */
export function madeUpBytes(seed: string, hashes: number): Hash {
  return concatBytes(...Array.from({ length: hashes }, (_, i) => sha256(encodeUtf8(`made up ${seed} ${i}`))));
}
