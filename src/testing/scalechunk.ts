/**
 * Chunks of a scale log: a quarter of a million records each, made in one go, by a thread if there are threads. Of each there is kept what
 * takes long to compute, the hash of every tile; and on demand files with all of its data tiles.
 */

import { closeSync, openSync, readFileSync, readSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { HASH_SIZE } from '../core/hash.js';
import { TILE_HEIGHT } from '../core/tile.js';
import { ScaleRecords, type RecordsOptions } from './scalerecords.js';
import { hashTile, nodeOf, readTile } from './scaletile.js';

/** Tiles of a chunk. */
export const CHUNK_TILES = 1024;

/** What is to be made. */
export interface ChunkJob {
  readonly records: RecordsOptions;
  /** Number of the chunk. */
  readonly chunk: number;
  /** How many of its tiles are wanted, at most `CHUNK_TILES`. */
  readonly tiles: number;
  /** How many of these the caller has already: without a folder they are left out. */
  readonly from?: number;
  /** Where files of it are written. */
  readonly folder?: string | undefined;
}

/** The files of a chunk: its data tiles one after the other, where each begins (uint32, little endian), and the tiles' hashes. */
export function chunkFiles(folder: string, chunk: number): { data: string; starts: string; hashes: string } {
  const name = path.join(folder, String(chunk).padStart(4, '0'));
  return { data: `${name}.data`, starts: `${name}.starts`, hashes: `${name}.hashes` };
}

/** Makes a chunk, and gives the hashes of its tiles. */
export function makeChunk(job: ChunkJob): Uint8Array {
  const { tiles, chunk, folder, from = 0 } = job;
  const written = folder === undefined ? undefined : readWhole(chunkFiles(folder, chunk).hashes, tiles * HASH_SIZE);
  if (written !== undefined) return written;
  const writer = folder === undefined ? undefined : new ChunkWriter(folder, chunk, tiles);
  const records = new ScaleRecords(job.records);
  const hashes = new Uint8Array((tiles - from) * HASH_SIZE);
  for (let i = from; i < tiles; i++) {
    const tile = readTile(records, chunk * CHUNK_TILES + i);
    hashes.set(nodeOf(hashTile(tile), TILE_HEIGHT, 0), (i - from) * HASH_SIZE);
    writer?.write(i, tile.data);
  }
  writer?.close(hashes);
  return hashes;
}

/** Reads data tiles from the files of chunks. */
export class ChunkReader {
  readonly #folder: string;
  readonly #chunks = new Map<number, { readonly descriptor: number; readonly starts: DataView }>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The bytes of tile `n`, which is full and was written. The files stay open. */
  read(n: number): Uint8Array {
    const { descriptor, starts } = this.#open(Math.floor(n / CHUNK_TILES));
    const at = (n % CHUNK_TILES) * 4;
    const start = starts.getUint32(at, true);
    const bytes = new Uint8Array(starts.getUint32(at + 4, true) - start);
    if (readSync(descriptor, bytes, 0, bytes.length, start) < bytes.length) throw new Error(`data tile ${n} is cut short`);
    return bytes;
  }

  #open(number: number): { readonly descriptor: number; readonly starts: DataView } {
    let chunk = this.#chunks.get(number);
    if (chunk === undefined) {
      const { data, starts } = chunkFiles(this.#folder, number);
      chunk = { descriptor: openSync(data, 'r'), starts: new DataView(new Uint8Array(readFileSync(starts)).buffer) };
      this.#chunks.set(number, chunk);
    }
    return chunk;
  }
}

class ChunkWriter {
  readonly #files: ReturnType<typeof chunkFiles>;
  readonly #descriptor: number;
  readonly #starts: DataView;
  #size = 0;

  constructor(folder: string, chunk: number, tiles: number) {
    this.#files = chunkFiles(folder, chunk);
    this.#descriptor = openSync(this.#files.data, 'w');
    this.#starts = new DataView(new ArrayBuffer((tiles + 1) * 4));
  }

  write(i: number, data: Uint8Array): void {
    writeSync(this.#descriptor, data);
    this.#size += data.length;
    this.#starts.setUint32((i + 1) * 4, this.#size, true);
  }

  /** The hashes come last, and at once: where they are, the rest is, too. */
  close(hashes: Uint8Array): void {
    closeSync(this.#descriptor);
    writeFileSync(this.#files.starts, new Uint8Array(this.#starts.buffer));
    writeFileSync(`${this.#files.hashes}.new`, hashes);
    renameSync(`${this.#files.hashes}.new`, this.#files.hashes);
  }
}

/** A file's bytes; `undefined` where it is not there, or of another size. */
function readWhole(file: string, size: number): Uint8Array | undefined {
  try {
    const bytes = new Uint8Array(readFileSync(file));
    return bytes.length === size ? bytes : undefined;
  } catch {
    return undefined;
  }
}
