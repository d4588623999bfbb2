/**
 * `gosumcheck/gosum`: go.sum lines and what stands on them: module paths and versions, patterns of private modules, and
 * the arithmetic of `h1:` hashes. Runs in a browser too.
 */

export { GosumError, isGosumError, type Code, type Outcome } from './errors.js';
export { conflicts, GoSumError, parseGoSum, type GoSumLine, type LineKind } from './core/gosum.js';
export { formatH1, h1OfFiles, h1OfGoMod, isH1, parseH1, type HashedFile } from './core/h1.js';
export {
  checkModulePath,
  checkVersion,
  escapeModulePath,
  escapeVersion,
  formatModuleVersion,
  lookupPath,
  parseModuleVersion,
  unescapeModulePath,
  unescapeVersion,
  type ModuleVersion,
} from './core/module.js';
export { canonicalVersion, compareVersions, isCanonicalVersion, isValidVersion } from './core/semver.js';
export { matchGlob, matchingPattern, patternWarnings } from './core/pattern.js';
