/**
 * A log of any size for tests and benchmarks of whole copies: a hundred million records need no more memory than the hashes of
 * their tiles and of what is above them, 25 MB, for every record is computed from its number (scaleorder.ts, scalenames.ts, scalerecords.ts).
 *
 * It is deterministic: the same seed gives the same records, and a longer log begins as a shorter one. It is honest by itself;
 * it has findings on request: records that repeat a module version, records of any other text, a fork. How an answer is
 * falsified on its way is said as ever, by the lies of lies.ts.
 */

import { HASH_SIZE, type Hash } from '../core/hash.js';
import type { SignerKey } from '../core/key.js';
import { formatModuleVersion } from '../core/module.js';
import { checkRecordText } from '../core/record.js';
import { decodeUtf8, encodeUtf8 } from '../core/text.js';
import { TILE_HEIGHT, TILE_WIDTH, type Tile } from '../core/tile.js';
import type { NodeReader } from '../core/tree.js';
import { NodeStack } from './nodestack.js';
import { CHUNK_TILES, ChunkReader, makeChunk } from './scalechunk.js';
import { makeChunks, type MakeOptions } from './scaleplan.js';
import { RECORD_LIMIT, ScaleRecords } from './scalerecords.js';
import { hashTile, nodeOf, readTile } from './scaletile.js';
import { SigningLog } from './signinglog.js';

/** What a scale log is. */
export interface ScaleOptions {
  /** Records that it has at most. It shows all of them until `size` is set. Up to 2^30. */
  readonly records: number;
  /** Another seed, another log. A whole number of 32 bits; by default 1. */
  readonly seed?: number;
  /** The key's name; by default `log.example`. */
  readonly name?: string;
  /** By default a key that is the same for the same name. No secret. */
  readonly signer?: SignerKey;
  /** Records [at, of]: in place of record `at` stands one of record `of`'s module version, with other hashes. */
  readonly repeats?: readonly (readonly [at: number, of: number])[];
  /** Records of any other text of less than 512 bytes, by number: malformed ones, say. Lookups find one by the module version of its first line. */
  readonly texts?: ReadonlyMap<number, string>;
  /** From this record on all hashes are others than those of the log without this number: a fork, under the same key. */
  readonly forkAt?: number;
}

/** A checksum database of computed records. */
export class ScaleLog extends SigningLog {
  /** Records that it has at most. */
  readonly records: number;

  readonly #options: ScaleOptions;
  readonly #records: ScaleRecords;
  readonly #texts = new Map<number, Uint8Array>();
  /** The records in `#texts`, by module version; of several the last. */
  readonly #ids = new Map<string, number[]>();
  /** The tiles' hashes, and the tree above them: level 0 here is level 8 of the log. */
  readonly #above = new NodeStack();
  /** Tiles whose hashes are in there. */
  #tiles = 0;
  readonly #recent = new Map<number, Uint8Array>();
  /** Where data tiles lie ready. */
  #files: ChunkReader | undefined;
  #size: number;

  /** Takes no time: what has to be computed is computed when it is asked for, or by `make`, which is faster. */
  constructor(options: ScaleOptions) {
    const { records, seed = 1, name, signer, repeats = [], texts = new Map<number, string>(), forkAt } = options;
    if (!(Number.isInteger(records) && records >= 0 && records <= 2 ** 30)) throw new Error(`no log of ${records} records`);
    super(name, signer);
    this.#options = options;
    this.records = this.#size = records;
    const plain = new ScaleRecords({ seed, forkAt });
    for (const [at, of] of repeats) this.#put(at, plain.text(of, 2));
    for (const [at, text] of texts) this.#put(at, encodeUtf8(text));
    this.#records = new ScaleRecords({ seed, forkAt, texts: this.#texts });
  }

  /** A log whose tiles are hashed beforehand, by threads. 5 million records take some seconds. */
  static async make(options: ScaleOptions, how: MakeOptions = {}): Promise<ScaleLog> {
    const log = new ScaleLog(options);
    const records = { seed: options.seed ?? 1, forkAt: options.forkAt, texts: log.#texts };
    const tiles = Math.floor(log.records / TILE_WIDTH);
    for (const hashes of await makeChunks(records, tiles, how)) log.#above.push(hashes);
    log.#tiles = tiles;
    if (how.folder !== undefined) log.#files = new ChunkReader(how.folder);
    return log;
  }

  /** A log with the same key that is the same up to record `at`, and another from there on. */
  fork(at: number): ScaleLog {
    return new ScaleLog({ ...this.#options, signer: this.signer, forkAt: at });
  }

  /** Number of records that are shown. Can be set, to anything up to `records`: the log grows. */
  override get size(): number {
    return this.#size;
  }

  override set size(size: number) {
    if (!(Number.isInteger(size) && size >= 0 && size <= this.records)) throw new Error(`no size ${size} of a log of ${this.records}`);
    this.#size = size;
  }

  protected override get most(): number {
    return this.records;
  }

  /** Gives the hash of a node of the whole tree. */
  override get read(): NodeReader {
    return (level, n) => this.#node(level, n);
  }

  /** The module version of record `id`. Of a text of another form: its first two words. */
  moduleOf(id: number): { module: string; version: string } {
    return nameOf(this.text(id));
  }

  /** The number of a module version's record, the last one where it was repeated; `undefined` where there is none. */
  override idOf(module: string, version: string): number | undefined {
    const put = this.#ids.get(formatModuleVersion(module, version))?.findLast((id) => id < this.#size);
    if (put !== undefined) return put;
    const id = this.#records.numberOf(module, version);
    return id === undefined || id >= this.#size || this.#texts.has(id) ? undefined : id;
  }

  /** The text of a record. */
  override text(id: number): Uint8Array {
    if (!(Number.isInteger(id) && id >= 0 && id < this.records)) throw new Error(`no record ${id} in a log of ${this.records}`);
    return this.#records.text(id);
  }

  /** The bytes of a tile that the log has. */
  override tileBytes({ level, n, width }: Tile): Uint8Array {
    if (level === 0) return this.#hashes(n).slice(0, width * HASH_SIZE);
    if (level > 0) {
      this.#reach(n * TILE_WIDTH + width, (level - 1) * TILE_HEIGHT);
      return this.#above.hashes((level - 1) * TILE_HEIGHT, n * TILE_WIDTH, width);
    }
    if (this.#files !== undefined && width === TILE_WIDTH) return this.#files.read(n);
    const { data, ends } = readTile(this.#records, n);
    return data.slice(0, (ends[width - 1] ?? 0) + 1);
  }

  #put(at: number, text: Uint8Array): void {
    checkRecordText(text);
    if (text.length >= RECORD_LIMIT) throw new Error(`record ${at}: ${text.length} bytes, want less than ${RECORD_LIMIT}`);
    this.#texts.set(at, text);
    const { module, version } = nameOf(text);
    const name = formatModuleVersion(module, version);
    this.#ids.set(name, [...(this.#ids.get(name) ?? []), at].sort((a, b) => a - b));
  }

  #node(level: number, n: number): Hash {
    if (level < TILE_HEIGHT) {
      const inTile = 2 ** (TILE_HEIGHT - level);
      return nodeOf(this.#hashes(Math.floor(n / inTile)), level, n % inTile);
    }
    this.#reach(n + 1, level - TILE_HEIGHT);
    return this.#above.hash(level - TILE_HEIGHT, n);
  }

  /** Has at least so many hashes at a level above the tiles. */
  #reach(count: number, level: number): void {
    for (const tiles = count * 2 ** level; this.#tiles < tiles; ) {
      const chunk = Math.floor(this.#tiles / CHUNK_TILES);
      const upTo = Math.min(tiles - chunk * CHUNK_TILES, CHUNK_TILES);
      const done = this.#tiles - chunk * CHUNK_TILES;
      const { seed = 1, forkAt } = this.#options;
      const hashes = makeChunk({ records: { seed, forkAt, texts: this.#texts }, chunk, tiles: upTo, from: done });
      this.#above.push(hashes);
      this.#tiles += upTo - done;
    }
  }

  /** The hashes of a tile's records, and those above. The last few are kept. */
  #hashes(n: number): Uint8Array {
    let hashes = this.#recent.get(n);
    if (hashes === undefined) {
      hashes = hashTile(readTile(this.#records, n));
      if (this.#recent.size >= RECENT) this.#recent.clear();
      this.#recent.set(n, hashes);
    }
    return hashes;
  }
}

/** Tiles whose hashes are kept: 16 KB each. */
const RECENT = 64;

function nameOf(text: Uint8Array): { module: string; version: string } {
  const [module = '', version = ''] = (decodeUtf8(text).split('\n', 1)[0] ?? '').split(' ');
  return { module, version: version.replace(/\/go\.mod$/, '') };
}
