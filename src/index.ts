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
  type Progress,
  type SumDBOptions,
} from './client/sumdb.js';
export type { ModuleVersion } from './core/module.js';
export { verifyGoSum, verifyLines, type VerifyOptions } from './verify/verify.js';
export type { Status, Timeline, Verdict, VerifyRun } from './verify/verdict.js';
export { FORMATS, formatReport, type Format } from './report/report.js';
export type { ReportOptions } from './report/options.js';
export { openEnvironment, type Environment, type Variables } from './config/environment.js';
export { parseGoUrl, type GoUrl } from './config/gourl.js';
export { readSettings, type Settings } from './config/settings.js';
export { parseSumdb, SUM_GOLANG_ORG, type Sumdb } from './config/sumdb.js';
export type { HttpOptions, HttpStats } from './transport/http.js';
export { openRemote, type Remote, type RemoteOptions } from './transport/remote.js';
export { openFileSource } from './transport/file.js';
export { openGoCache, type GoFolders } from './transport/gocache.js';
export { openMemoryStore } from './store/memory.js';
export { openStore, type OpenedStore } from './store/open.js';
