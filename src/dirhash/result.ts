/** What hashing gives: the h1, and beside it, never mixed with it, the module zip rules that are broken. */

import type { ModuleVersion } from '../core/module.js';

/** A rule of module zips (go.dev/ref/mod#zip-path-size-constraints; x/mod's zip.CheckZip). */
export type Rule =
  | 'PREFIX'
  | 'NAME'
  | 'DUPLICATE'
  | 'CASE_COLLISION'
  | 'FILE_AND_FOLDER'
  | 'GO_MOD_PLACE'
  | 'GO_MOD_CASE'
  | 'GO_MOD_SIZE'
  | 'LICENSE_SIZE'
  | 'ZIP_SIZE'
  | 'CONTENT_SIZE';

/** A broken rule. */
export interface Violation {
  readonly rule: Rule;
  /** The entry's whole name; `undefined` where the rule is of the zip as a whole. */
  readonly name: string | undefined;
  /** Lower case, without the name. */
  readonly message: string;
}

/** What was hashed. */
export interface TreeHash {
  /** `h1:` and base64, equal to Go's. */
  readonly h1: string;
  /** Entries or files that are in it. */
  readonly files: number;
  /** Bytes of their contents. */
  readonly bytes: number;
}

/** The h1 of a zip, and what Go's tools would hold against it. */
export interface ZipHash extends TreeHash {
  /** The module version that the rules were checked for: the given one, else that of the first entry's name. */
  readonly module: ModuleVersion | undefined;
  /** The h1 that its root go.mod has as a go.mod file (`h1OfGoMod`); `undefined` where it has none. */
  readonly goMod: string | undefined;
  /** Empty: Go's own tools would accept the zip. */
  readonly violations: readonly Violation[];
}

/** Options of hashing. */
export interface HashOptions {
  /** Ends the work; its `reason` is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Told how many more bytes of contents are hashed. */
  readonly progress?: ((bytes: number) => void) | undefined;
}

/** Options of hashing a folder. */
export interface FolderOptions extends HashOptions {
  /** Files to leave out: paths from the folder on, with slashes. The go command adds files to a toolchain's folder. */
  readonly without?: readonly string[] | undefined;
}

/** Options of hashing a zip. */
export interface ZipOptions extends HashOptions {
  /** The module version whose zip it should be. Without it, the one that the first entry's name says. */
  readonly module?: ModuleVersion | undefined;
}
