/**
 * gosumcheck: a verifying client of Go's checksum database.
 *
 * The client and what it stands on; the pure parts have entries of their own: `gosumcheck/note`, `gosumcheck/tlog`,
 * `gosumcheck/gosum`, which run in a browser too.
 */

export { CODES, GosumError, isGosumError, outcomeOf, type Code, type Outcome } from './errors.js';
export type { Change, Database, Evidence, KeptReceipt, ReadOptions, Source, Store, StoreStats, TileBytes, TimelineHead } from './contract.js';
export {
  SumDB,
  type Found,
  type LookupOptions,
  type Lookups,
  type ModuleVersion,
  type Progress,
  type SumDBOptions,
} from './client/sumdb.js';
export { verifyGoSum, verifyLines, type VerifyOptions } from './verify/verify.js';
export type { Status, Timeline, Verdict, VerifyRun } from './verify/verdict.js';
export { readSettings, type Settings } from './config/settings.js';
export { SUM_GOLANG_ORG } from './config/sumdb.js';
export { openRemote } from './transport/remote.js';
export { openFileSource } from './transport/file.js';
export { openGoCache } from './transport/gocache.js';
export { openMemoryStore } from './store/memory.js';
export { openStore, type OpenedStore } from './store/open.js';
