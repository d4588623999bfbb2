/** A hostile log for tests, and the contract of stores: what our tests stand on, for others to use. */

export { answerOf, textAnswer, type Answer, type Request } from './answer.js';
export { newCertificate, type Certificate } from './certificate.js';
export * from './lies.js';
export { serveLog, type Bend, type ServedLog, type ServeOptions } from './serve.js';
export { STORE_LOG_CASES } from './storelogcontract.js';
export { STORE_CASES, type OpenPlace, type StoreCase } from './storecontract.js';
export { madeUpBytes, madeUpHash, TestLog, type NewHashes } from './testlog.js';
export { tilesOf, writeLog, type WriteOptions } from './writelog.js';
