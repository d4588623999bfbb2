/**
 * `gosumcheck/tlog`: the transparency log (RFC 6962; research.swtch.com/tlog): tree heads, records, tiles, and the proofs
 * of all that. Runs in a browser too.
 *
 * Nothing here reads: `planTiles` says which tiles prove what is wanted, the caller gets them from wherever it likes, and
 * the plan authenticates them.
 */

export { GosumError, isGosumError, type Code, type Outcome } from './errors.js';
export type { KeptReceipt, TileBytes, TimelineHead } from './contract.js';
export { equalBytes, formatHash, HASH_SIZE, hashAt, parseHash, type Hash } from './core/hash.js';
export type { Proved } from './core/proved.js';

export {
  EMPTY_HASH,
  formatTreeHead,
  openTreeHead,
  parseTreeHead,
  sameTree,
  type SignedHead,
  type TreeHead,
} from './core/treehead.js';
export {
  checkRecordText,
  findHashes,
  formatDataTile,
  formatLookup,
  parseDataTile,
  parseLookup,
  recordHash,
  type LogRecord,
  type LookupAnswer,
  type RecordHashes,
} from './core/record.js';
export {
  DATA_LEVEL,
  formatTilePath,
  fullTile,
  isTile,
  parseTilePath,
  TILE_BYTES,
  TILE_HEIGHT,
  TILE_WIDTH,
  tileInTree,
  type Tile,
} from './core/tile.js';

export {
  checkRecord,
  checkTree,
  nodeHash,
  proveRecord,
  proveTree,
  rangeHash,
  recordProofRanges,
  treeHash,
  treeProofRanges,
  type NodeReader,
  type Range,
} from './core/tree.js';
export { planTiles, TileError, type ProvedTree, type TilePlan, type Wanted } from './core/plan.js';
export { makeReceipt, openReceipt, proveRecordIn, type ProvedRecord, type Receipt } from './core/receipt.js';
export {
  formatBulkQuery,
  MAX_BULK,
  MAX_BULK_ANSWER,
  MAX_BULK_QUERY,
  parseBulkQuery,
  type BulkMissing,
  type BulkQuery,
} from './core/bulkform.js';
export { makeBulk, openBulk, type BulkAnswer } from './core/bulk.js';
export { hashAtSize, liesUnder, linkedHead, newestHead, Timeline } from './core/timeline.js';
export { checkFork, ForkError, forkError, formatFork, type ForkProof } from './core/fork.js';
