/**
 * `gosumcheck/dirhash`: the h1 of module zips, of extracted folders and of go.mod files, and the rules of module zips. Without
 * a Go tool chain, and equal to it. Not for browsers: it reads files.
 */

export { GosumError, isGosumError, type Code, type Outcome } from './errors.js';
export type { ModuleVersion } from './core/module.js';
export { hashFolder, hashGoModFile } from './dirhash/folder.js';
export { hashZip, hashZipStream } from './dirhash/hashzip.js';
export { openHashPool, type HashPool } from './dirhash/pool.js';
export type { FolderOptions, HashOptions, Rule, TreeHash, Violation, ZipHash, ZipOptions } from './dirhash/result.js';
export { checkZipRules, moduleOfName, type ZipRuleEntry } from './dirhash/rules.js';
export { ZipError } from './dirhash/ziperror.js';
