/** The verdicts on what a module cache has of a module version: by the log where it was asked, else of the files by each other. */

import type { GosumError } from '../errors.js';
import type { Lookups } from '../client/sumdb.js';
import { judgeHash } from '../verify/verify.js';
import type { Status, Verdict } from '../verify/verdict.js';
import type { CachedFile, HashedModule } from './hash.js';
import { isFromGoroot } from './layout.js';

/** What the files are held against. */
export interface Reference {
  /** The pattern by which the module is private; then the log was not asked. */
  readonly pattern: string | undefined;
  /** The hashes that go.sum files have for the module version, by kind; several where their lines are in conflict. */
  readonly sums: Readonly<Record<Verdict['kind'], ReadonlySet<string>>>;
}

/** The verdicts, one for each file, in the order of the files; then what is missing, and what contradicts its name. */
export function judgeModule(hashed: HashedModule, reference: Reference, lookups: Lookups): Verdict[] {
  const { cached, files } = hashed;
  const { module, version } = cached;
  if (isFromGoroot(cached)) return fromGoroot(hashed);
  const trees = files.filter(({ part, failure }) => part !== 'mod' && failure === undefined);
  const agree = new Set(trees.map(({ hash }) => hash)).size <= 1;

  const judgeFile = (file: CachedFile): Verdict => {
    const kind = file.part === 'mod' ? 'go.mod' : 'module';
    const subject = { file: file.file, module, version, kind, hash: file.hash } as const;
    const verdict = (status: Status, rest: Partial<Verdict>): Verdict => ({ ...subject, status, ...rest });
    if (file.failure !== undefined) return withoutHash(verdict, file, file.failure);
    const byLog = reference.pattern === undefined ? judgeHash(subject, lookups) : undefined;
    if (byLog?.status === 'mismatch') return byLog;
    const broken = file.violations?.[0];
    if (broken !== undefined) {
      const more = (file.violations?.length ?? 1) - 1;
      const name = broken.name === undefined ? '' : `${broken.name}: `;
      const message = `${name}${broken.message}${more === 0 ? '' : ` (and ${more} more)`}`;
      return verdict('mismatch', { code: 'ZIP_RULES', record: byLog?.record, message });
    }
    if (byLog?.status === 'verified') return byLog;
    const clash = clashOf(file, agree, hashed.otherGoMod, reference.sums[kind]);
    if (clash !== undefined) return verdict('conflict', { code: 'FILES_CONFLICT', message: clash });
    if (byLog !== undefined) return byLog;
    return verdict('skipped', { code: 'SKIPPED_PRIVATE', message: `matches the private pattern ${reference.pattern ?? ''}` });
  };
  const verdicts = files.map(judgeFile).map((verdict) => withAdvice(verdict, hashed));
  return [...verdicts, ...aboutNames(hashed)];
}

/** Why a file that no record speaks for cannot be right together with the others; `undefined` where it can. */
function clashOf({ part, hash }: CachedFile, agree: boolean, otherGoMod: string | undefined, sums: ReadonlySet<string>): string | undefined {
  const [sum, ...others] = sums;
  // Lines that contradict each other are a finding of their own, and say nothing about the files.
  if (sum !== undefined && others.length === 0) return hash === sum ? undefined : `go.sum has ${sum}`;
  if (part === 'mod') return otherGoMod;
  return agree ? undefined : 'the zip, its .ziphash and the extracted folder do not agree';
}

/** The verdict on a file that has no hash. A zip or folder that no hash can be made of is a finding, and not a failure of ours. */
function withoutHash(
  verdict: (status: Status, rest: Partial<Verdict>) => Verdict,
  { odd }: CachedFile,
  failure: GosumError,
): Verdict {
  const { code, message, hint, retryable } = failure;
  if (odd !== undefined) return verdict('conflict', { code: 'FILES_CONFLICT', message: `${odd}, and no extracted zip has any` });
  if (failure.outcome === 'malformed') return verdict('mismatch', { code, message });
  return verdict('error', { code, message, hint, retryable });
}

/** What goes with a finding: which paths to delete. A go.mod that differs from the zip's may be the right one of the two. */
function withAdvice(verdict: Verdict, { files, otherGoMod }: HashedModule): Verdict {
  if (verdict.status !== 'mismatch' && verdict.status !== 'conflict') return verdict;
  const both = verdict.kind === 'go.mod' && verdict.status === 'conflict' && verdict.message === otherGoMod;
  const remove = both ? files.map(({ file }) => file) : [verdict.file];
  return { ...verdict, remove, hint: `delete ${remove.join(', ')}; the go command downloads again what it needs` };
}

/** A hash that should be written down and is not, and a version that is not that of the file's name. */
function aboutNames({ cached, files, otherVersion }: HashedModule): Verdict[] {
  const { module, version, base } = cached;
  const verdict = (suffix: string, rest: Partial<Verdict>): Verdict => ({
    file: `${base}.${suffix}`,
    module,
    version,
    kind: 'module',
    status: 'conflict',
    hash: '',
    code: 'FILES_CONFLICT',
    ...rest,
  });
  const verdicts: Verdict[] = [];
  const parts = new Set(files.map(({ part }) => part));
  if (!parts.has('ziphash') && (parts.has('zip') || parts.has('folder'))) {
    const message = 'there is no such file, and there should be one beside a zip or an extracted folder';
    verdicts.push(verdict('ziphash', { message, hint: 'go mod download makes it anew' }));
  }
  if (otherVersion !== undefined) {
    const file = `${base}.info`;
    verdicts.push(verdict('info', { message: `it says version ${otherVersion}`, remove: [file], hint: `delete ${file}` }));
  }
  return verdicts;
}

function fromGoroot({ cached: { module, version }, files }: HashedModule): Verdict[] {
  const message = 'unpacked from GOROOT, so neither the log nor the cache has a hash for it';
  return files.map(({ file, hash }) => ({ file, module, version, kind: 'module', status: 'skipped', hash, code: 'SKIPPED_GOROOT', message }));
}
