/**
 * What the logs for tests have in common, however they come by their records: a key, signed heads, proofs, and the answers of a
 * checksum database.
 */

import type { Database } from '../contract.js';
import { formatVerifierKey, newSignerKey, verifierKeyOf, type SignerKey, type VerifierKey } from '../core/key.js';
import { formatModuleVersion } from '../core/module.js';
import { signNote } from '../core/note.js';
import { formatLookup } from '../core/record.js';
import { encodeUtf8 } from '../core/text.js';
import { formatTilePath, isTile, isTileInTree, type Tile } from '../core/tile.js';
import { proveRecord, proveTree, treeHash, type NodeReader } from '../core/tree.js';
import { formatTreeHead, type SignedHead, type TreeHead } from '../core/treehead.js';
import { GosumError } from '../errors.js';
import { sha256 } from '#crypto';

/** A checksum database that signs its own heads; what its records are, the classes below it say. */
export abstract class SigningLog implements Database {
  readonly name: string;
  readonly signer: SignerKey;
  readonly key: VerifierKey;
  /** The verifier key, as GOSUMDB has it. */
  readonly vkey: string;
  /** The size of the head that a lookup of record `id` comes with. By default the log's own size. */
  headSizeOf: (id: number) => number = () => this.size;

  readonly #notes = new Map<number, Uint8Array>();

  /** @param signer by default a key that is the same for the same name. No secret. */
  constructor(name = 'log.example', signer: SignerKey = newSignerKey(name, sha256(encodeUtf8(`test log ${name}`)))) {
    this.name = name;
    this.signer = signer;
    this.key = verifierKeyOf(signer);
    this.vkey = formatVerifierKey(this.key);
  }

  /** Number of records that it shows. */
  abstract get size(): number;

  /** Number of records that it can sign a tree of. */
  protected abstract get most(): number;

  /** Gives the hash of a node of the whole tree. */
  abstract get read(): NodeReader;

  /** The number of a module version's record; `undefined` where there is none. */
  abstract idOf(module: string, version: string): number | undefined;

  /** The text of a record. */
  abstract text(id: number): Uint8Array;

  /** The bytes of a tile that the log has. */
  abstract tileBytes(tile: Tile): Uint8Array;

  /** The size and root hash that the log has, or has when it is of that size. */
  treeHead(size: number = this.size): TreeHead {
    if (!(size >= 0 && size <= this.most)) throw new Error(`no tree of ${size} in a log of ${this.most}`);
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
    return isTile(tile) && isTileInTree(tile, this.size);
  }
}
