/**
 * A log for tests: in memory, it signs its own heads, answers with true bytes, and grows.
 *
 * It is honest by itself. How it lies is said outside: by `clone` (a fork: same key, another future), by `headSizeOf`
 * (old heads, as real servers give), by `signHead` (a head of nothing), and by the lies of lies.ts on the wire.
 */

import { formatHash, type Hash } from '../core/hash.js';
import { formatModuleVersion } from '../core/module.js';
import { checkRecordText, formatDataTile, recordHash, type RecordHashes } from '../core/record.js';
import { concatBytes, encodeUtf8 } from '../core/text.js';
import { DATA_LEVEL, TILE_HEIGHT, TILE_WIDTH, type Tile } from '../core/tile.js';
import type { NodeReader } from '../core/tree.js';
import { sha256 } from '#crypto';
import { NodeStack } from './nodestack.js';
import { SigningLog } from './signinglog.js';

/** The hashes of a new record; those that are not given are made up, the same for the same module version. */
export type NewHashes = Partial<RecordHashes>;

/** A checksum database in memory. */
export class TestLog extends SigningLog {
  readonly #texts: Uint8Array[] = [];
  readonly #ids = new Map<string, number>();
  readonly #nodes = new NodeStack();

  /** Number of records. */
  override get size(): number {
    return this.#texts.length;
  }

  protected override get most(): number {
    return this.size;
  }

  /** Gives the hash of a node of the whole tree. */
  override get read(): NodeReader {
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
  override idOf(module: string, version: string): number | undefined {
    return this.#ids.get(formatModuleVersion(module, version));
  }

  /** The text of a record. */
  override text(id: number): Uint8Array {
    const text = this.#texts[id];
    if (text === undefined) throw new Error(`no record ${id} in a log of ${this.size}`);
    return text;
  }

  /** The bytes of a tile that the log has. */
  override tileBytes({ level, n, width }: Tile): Uint8Array {
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
