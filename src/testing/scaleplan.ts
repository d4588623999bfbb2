/** Has all chunks of a scale log made, in threads. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { CHUNK_TILES, makeChunk, type ChunkJob } from './scalechunk.js';

/** How chunks are made. */
export interface MakeOptions {
  /** Threads beside the calling one; 0 has the calling one do it, which is busy until the end. By default 2. */
  readonly threads?: number | undefined;
  /** Where data tiles are written (scalechunk.ts), and read from afterwards. A chunk that is there is not made again. */
  readonly folder?: string | undefined;
  /** Told how many tiles are made, after each chunk. */
  readonly progress?: ((tiles: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The hashes of the first `tiles` tiles, chunk by chunk.
 *
 * @throws where the folder is another log's.
 */
export async function makeChunks(
  records: ChunkJob['records'],
  tiles: number,
  { threads = 2, folder, progress, signal }: MakeOptions,
): Promise<Uint8Array[]> {
  if (folder !== undefined) claim(folder, records);
  const jobs = Array.from({ length: Math.ceil(tiles / CHUNK_TILES) }, (_, chunk): ChunkJob => {
    return { records, chunk, folder, tiles: Math.min(tiles - chunk * CHUNK_TILES, CHUNK_TILES) };
  });
  const made: Uint8Array[] = [];
  let done = 0;
  const take = (job: ChunkJob, hashes: Uint8Array): void => {
    made[job.chunk] = hashes;
    progress?.((done += job.tiles));
  };
  const left = jobs.values();
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./scaleworker.js', import.meta.url));
    try {
      for (const job of left) {
        signal?.throwIfAborted();
        take(job, await answerOf(worker, job));
      }
    } finally {
      await worker.terminate();
    }
  };
  if (threads === 0) {
    for (const job of left) {
      signal?.throwIfAborted();
      take(job, makeChunk(job));
    }
  } else {
    await Promise.all(Array.from({ length: Math.min(threads, jobs.length) }, work));
  }
  return made;
}

function answerOf(worker: Worker, job: ChunkJob): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    worker.once('message', (hashes: Uint8Array) => {
      worker.off('error', reject);
      resolve(hashes);
    });
    worker.once('error', reject);
    worker.postMessage(job);
  });
}

/** Makes a folder this log's own; it may be so already. */
function claim(folder: string, { seed, forkAt, texts = new Map<number, Uint8Array>() }: ChunkJob['records']): void {
  const others = [...texts].map(([id, text]) => [id, Buffer.from(text).toString()]);
  const own = `${JSON.stringify({ seed, forkAt: forkAt ?? null, texts: others })}\n`;
  const file = path.join(folder, 'log.json');
  mkdirSync(folder, { recursive: true });
  if (!existsSync(file)) writeFileSync(file, own);
  if (readFileSync(file, 'utf8') !== own) throw new Error(`${folder} has the data tiles of another log`);
}
