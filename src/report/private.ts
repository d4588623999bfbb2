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
  const known = new Set(run.results.filter(isKnown).map(({ module }) => module));
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

function patternFor(module: string, known: ReadonlySet<string>): string | undefined {
  if (!PLAIN_PATH.test(module)) return undefined;
  const elements = module.split('/');
  for (let length = SHARED_HOSTS.has(elements[0] ?? '') ? 2 : 1; length <= elements.length; length++) {
    const pattern = elements.slice(0, length).join('/');
    if (![...known].some((path) => path === pattern || path.startsWith(`${pattern}/`))) return pattern;
  }
  return undefined;
}
