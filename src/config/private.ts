/** GONOSUMDB and GOPRIVATE: the modules whose names never leave this machine (modfetch/sumdb.go, useSumDB). */

import { patternMatcher, patternWarnings } from '../core/pattern.js';
import type { GoEnv } from './goenv.js';

/** Which modules are not asked about. */
export interface PrivateModules {
  /** The pattern by which the module is not asked about, as written; `undefined` where it is. */
  skippedBy(path: string): string | undefined;
  /** The variable that the patterns are from, for messages. */
  readonly variable: 'GONOSUMDB' | 'GOPRIVATE';
  /** Its value: patterns, between commas. */
  readonly value: string;
  /** Where its value was found. */
  readonly source: string;
  /** Patterns that can never match: a private name would leak. A sentence each. */
  readonly warnings: readonly string[];
}

/** Toolchains are no lines of a go.sum, so the go command asks about them whatever the patterns say. */
const TOOLCHAIN = 'golang.org/toolchain';

/**
 * The modules that GONOSUMDB names, or GOPRIVATE where it is empty.
 *
 * Toolchains are always asked about, unless the one proxy is a folder. (The go command makes another exception, for
 * the servers of the public proxy themselves; it is not made here.)
 */
export function privateModules(go: GoEnv): PrivateModules {
  const variable = go.get('GONOSUMDB').value === '' ? 'GOPRIVATE' : 'GONOSUMDB';
  const { value, from } = go.get(variable);
  const goproxy = go.get('GOPROXY').value;
  const loneFolder = goproxy.startsWith('file://') && !/[,|]/.test(goproxy);
  const matching = patternMatcher(value);
  return {
    variable,
    value,
    source: from,
    warnings: patternWarnings(value).map((warning) => `${variable} (${from}): ${warning}`),
    skippedBy: (path) => (path === TOOLCHAIN && !loneFolder ? undefined : matching(path)),
  };
}
