/**
 * Patterns for GOPRIVATE that would cover modules which the log does not know.
 *
 * A pattern switches checking off, so it must not be wider than it has to be: it starts at the host (at the owner, on
 * hosts that many share) and grows by an element as long as it would cover a module that this very run found in the log.
 */

import type { Verdict, VerifyRun } from '../verify/verdict.js';

/** Hosts where the first element of the path says whose the module is. */
const SHARED_HOSTS: ReadonlySet<string> = new Set([
  'bitbucket.org',
  'codeberg.org',
  'dev.azure.com',
  'gitea.com',
  'gitee.com',
  'github.com',
  'gitlab.com',
  'gopkg.in',
  'git.sr.ht',
  'ssh.dev.azure.com',
  'vs-ssh.visualstudio.com',
]);

/** Module paths as x/mod's `CheckPath` has them: nothing in it is special to a glob or a shell. */
const PLAIN_PATH = /^[A-Za-z0-9][A-Za-z0-9._~/-]*$/;

/**
 * The patterns that cover the run's `missing` modules and none that the log knows, sorted. None of them covers another:
 * it is the shortest that may be, for all modules alike.
 *
 * A module that no such pattern covers (the log knows another version of it) is public by all appearance: it gets none.
 */
export function privatePatterns(run: VerifyRun): string[] {
  const known = new Set(run.results.filter(isKnown).flatMap(({ module }) => prefixes(module)));
  const patterns = new Set<string>();
  for (const { module, status } of run.results) {
    if (status !== 'missing') continue;
    const pattern = patternFor(module, known);
    if (pattern !== undefined) patterns.add(pattern);
  }
  return [...patterns].sort();
}

/** Whether the log has a record of the module. */
function isKnown({ status, record }: Verdict): boolean {
  return status === 'verified' || record !== undefined;
}

/** @param known what would cover a module that the log knows. */
function patternFor(module: string, known: ReadonlySet<string>): string | undefined {
  if (!PLAIN_PATH.test(module)) return undefined;
  return prefixes(module).find((prefix) => !SHARED_HOSTS.has(prefix) && !known.has(prefix));
}

/** `a`, `a/b` and `a/b/c` for `a/b/c`: the patterns, without wildcards, that cover a path. */
function prefixes(path: string): string[] {
  const elements = path.split('/');
  return elements.map((_, i) => elements.slice(0, i + 1).join('/'));
}
