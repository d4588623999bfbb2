/** `gosumcheck lookup`. */

import { GosumError, isGosumError } from '../errors.js';
import { formatHash, HASH_SIZE, hashAt } from '../core/hash.js';
import { formatModuleVersion, parseModuleVersion } from '../core/module.js';
import { decodeUtf8 } from '../core/text.js';
import type { Found, Lookups } from '../client/sumdb.js';
import { exitCodeOf } from './exitcode.js';
import { write, type Host } from './host.js';
import { withDatabase, type DatabaseOptions } from './wire.js';

/** Options of the command line. */
export interface LookupOptions extends DatabaseOptions {
  readonly proof?: boolean;
  readonly fresh?: boolean;
  readonly format: 'text' | 'json';
}

/** Looks module versions up and prints their proved records. The exit code is that of the worst answer. */
export async function lookupCommand(host: Host, names: readonly string[], options: LookupOptions): Promise<number> {
  const wanted = names.map((name) => parseModuleVersion(name));
  const lookups = await withDatabase(host, options, ({ db, settings, signal }) => {
    for (const { module } of wanted) {
      const pattern = settings.privateModules.skippedBy(module);
      if (pattern !== undefined) {
        throw new GosumError('SKIPPED_PRIVATE', `${module} is private by the pattern ${pattern}: it is not asked for`);
      }
    }
    return db.lookup(wanted, { fresh: options.fresh, signal });
  });
  const answers = wanted.map(({ module, version }) => {
    const name = formatModuleVersion(module, version);
    const result = lookups.results.get(name);
    if (result === undefined) throw new Error(`${name} was not asked for`);
    return { name, result };
  });
  const lines =
    options.format === 'json'
      ? [JSON.stringify(answers.map(({ name, result }) => jsonOf(name, result, lookups, options)), undefined, 2)]
      : answers.flatMap(({ name, result }) => textOf(name, result, options));
  await write(host.stdout, `${lines.join('\n')}\n`);

  const problems = [lookups.problem, ...answers.map(({ result }) => result)].filter((result) => isGosumError(result));
  for (const { message } of new Set(problems)) await write(host.stderr, `gosumcheck: ${message}\n`);
  // As verify has it: 1 goes before 4, and that before 3.
  const codes = new Set(problems.map(exitCodeOf));
  return [1, 4, 3, 2].find((code) => codes.has(code)) ?? 0;
}

function textOf(name: string, result: Found | GosumError, { proof }: LookupOptions): string[] {
  if (isGosumError(result)) return [`${name}: ${result.message}`];
  const { id, text, head } = result.record;
  const lines = [
    decodeUtf8(text).trimEnd(),
    `record ${id}, proved under the tree of ${head.size}, ${formatHash(head.hash)}${result.cached ? ' (from the cache)' : ''}`,
  ];
  if (proof === true) lines.push(`proof of ${id} in ${head.size}:`, ...proofOf(result).map((hash) => `  ${hash}`));
  return lines;
}

function jsonOf(name: string, result: Found | GosumError, lookups: Lookups, { proof }: LookupOptions): object {
  if (isGosumError(result)) return { name, code: result.code, message: result.message };
  const { id, text, head } = result.record;
  return {
    name,
    record: id,
    text: decodeUtf8(text),
    hashes: { module: result.hashes.module ?? null, goMod: result.hashes.goMod ?? null },
    tree: { size: head.size, hash: formatHash(head.hash), note: decodeUtf8(head.note) },
    timeline: lookups.timeline,
    cached: result.cached,
    ...(proof === true ? { proof: proofOf(result) } : {}),
  };
}

/** The inclusion proof, a hash a line, the leaf's sibling first. */
function proofOf({ record }: Found): string[] {
  const proof = record.proof();
  return Array.from({ length: proof.length / HASH_SIZE }, (_, i) => formatHash(hashAt(proof, i)));
}
