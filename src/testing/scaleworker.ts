/** The thread that makes chunks of a scale log: one message in, the chunk's job; one out, the hashes of its tiles. */

import { parentPort } from 'node:worker_threads';
import { makeChunk, type ChunkJob } from './scalechunk.js';

parentPort?.on('message', (job: ChunkJob) => {
  const hashes = makeChunk(job);
  parentPort?.postMessage(hashes, [hashes.buffer as ArrayBuffer]);
});
