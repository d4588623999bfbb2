/** The zips that are hashed: real modules, fetched by the go command, and one that is made, with a single large entry. */

import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createDeflateRaw } from 'node:zlib';
import { downloadModules } from './download.js';
import type { Workshop } from './workshop.js';

/** A zip to be hashed. */
export interface BenchZip {
  /** What a table calls it: its size inflated. */
  readonly what: string;
  /** Inflated, in MB: 20, 80, 300 or 400. */
  readonly size: number;
  readonly file: string;
  /** A real module, and not made for this. */
  readonly isReal: boolean;
}

/** Real modules of about so many MB inflated; 6, 21 and 34 MB to download. */
const MODULES = [
  { size: 20, module: 'github.com/docker/docker@v26.1.4+incompatible' }, // 20 MB in 2384 files
  { size: 80, module: 'k8s.io/kubernetes@v1.34.0' }, // 92 MB in 8370 files
  { size: 300, module: 'google.golang.org/api@v0.122.0' }, // 285 MB in 1276 files
] as const;

/** Downloads the modules whose size is at most `largest`, in MB. */
export async function realZips(workshop: Workshop, largest: number): Promise<BenchZip[]> {
  const { folder, signal } = workshop;
  const wanted = MODULES.filter(({ size }) => size <= largest);
  const versions = wanted.map(({ module }) => module);
  const { modules, errors } = await downloadModules(versions, folder, path.join(folder, 'modcache'), signal);
  const [error] = errors;
  if (error !== undefined) throw new Error(`the modules cannot be downloaded: ${error}`);
  return wanted.map(({ size, module }) => {
    const { Zip: file } = modules.find(({ Path, Version }) => `${Path}@${Version}` === module)!;
    return { what: `${size} MB`, size, file, isReal: true };
  });
}

/** A piece of the large entry, and how many there are: 400 MB. */
const PIECE = 1_000_000;
const PIECES = 400;
const NAME = Buffer.from('example.com/large@v1.0.0/data.txt');
const LOCAL_SIZE = 30;
const CENTRAL_SIZE = 46;
const END_SIZE = 22;
const NEEDED = 20;
const DEFLATED = 8;

/** Makes a zip of one deflated entry of 400 MB, which has no end of different lines, and compresses as text does. */
export async function largeZip({ folder, signal }: Workshop): Promise<BenchZip> {
  const file = path.join(folder, 'large.zip');
  let crc = 0;
  let size = 0;
  const deflate = createDeflateRaw({ level: 1 });
  deflate.on('data', (bytes: Uint8Array) => (size += bytes.length));
  const content = function* (): Generator<Uint8Array> {
    for (let i = 0; i < PIECES; i++) {
      const piece = linesOf(i);
      crc = crc32(piece, crc);
      yield piece;
    }
  };
  const start = LOCAL_SIZE + NAME.length;
  await pipeline(Readable.from(content()), deflate, createWriteStream(file, { start }), { signal });

  // both headers have the same fields, from the version that is needed on
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(NEEDED, 0);
  fields.writeUInt16LE(DEFLATED, 4);
  fields.writeUInt32LE(crc, 10);
  fields.writeUInt32LE(size, 14);
  fields.writeUInt32LE(PIECE * PIECES, 18);
  fields.writeUInt16LE(NAME.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, NAME]);
  const central = Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([NEEDED, 0]), fields, Buffer.alloc(14), NAME]);
  const end = Buffer.alloc(END_SIZE);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(CENTRAL_SIZE + NAME.length, 12);
  end.writeUInt32LE(start + size, 16);
  const handle = await open(file, 'r+');
  try {
    await handle.write(local, 0, local.length, 0);
    await handle.write(Buffer.concat([central, end]), 0, central.length + end.length, start + size);
  } finally {
    await handle.close();
  }
  return { what: 'one entry of 400 MB', size: 400, file, isReal: false };
}

/** A piece of lines of words: the same for the same seed. */
function linesOf(seed: number): Uint8Array {
  const piece = Buffer.alloc(PIECE, '\n');
  let state = seed + 1;
  for (let at = 0; at < PIECE - 24; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    at += piece.write(`func word${state >>> 20} of ${(state >>> 8) & 15};\n`, at, 'latin1');
  }
  return piece;
}
