/** `gosumcheck lookup`. */

import { GosumError, isGosumError } from '../errors.js';
import { formatHash, HASH_SIZE, hashAt } from '../core/hash.js';
import { formatModuleVersion, parseModuleVersion } from '../core/module.js';
import { decodeUtf8 } from '../core/text.js';
import type { Found, Lookups } from '../client/sumdb.js';
import { visibleJson, visibleLines } from '../report/escape.js';
import { exitCodeOf } from './exitcode.js';
import { print, sayError, type Host } from './host.js';
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
    const { privateModules } = settings;
    for (const { module } of wanted) {
      const pattern = privateModules.skippedBy(module);
      if (pattern === undefined) continue;
      throw new GosumError('SKIPPED_PRIVATE', `${module} is private by the pattern ${pattern}: nobody is asked about it`, {
        hint: `the pattern is in ${privateModules.variable}`,
      });
    }
    return db.lookup(wanted, { fresh: options.fresh, signal });
  });
  const answers = [...new Set(wanted.map(({ module, version }) => formatModuleVersion(module, version)))].map((name) => {
    const result = lookups.results.get(name);
    if (result === undefined) throw new Error(`${name} was not asked for`);
    return { name, result };
  });
  if (options.format === 'json') {
    await print(host, visibleJson(answers.map(({ name, result }) => jsonOf(name, result, lookups, options))));
  } else {
    const found = answers.flatMap(({ result }) => (isGosumError(result) ? [] : [textOf(result, options)]));
    if (found.length > 0) await print(host, `${visibleLines(found.join('\n\n')).join('\n')}\n`);
  }
  const problems = new Set([lookups.problem, ...answers.map(({ result }) => result)].filter((result) => isGosumError(result)));
  for (const problem of problems) await sayError(host, problem);
  // As verify has it: 1 goes before 4, and that before 3.
  const codes = new Set([...problems].map(exitCodeOf));
  return [1, 4, 3, 2].find((code) => codes.has(code)) ?? 0;
}

function textOf(found: Found, { proof }: LookupOptions): string {
  const { id, text, head } = found.record;
  const lines = [
    decodeUtf8(text).trimEnd(),
    `record ${id}, proved under the tree of ${head.size}, ${formatHash(head.hash)}${found.cached ? ' (from the cache)' : ''}`,
  ];
  if (proof === true) lines.push(`proof of ${id} in ${head.size}:`, ...proofOf(found).map((hash) => `  ${hash}`));
  return lines.join('\n');
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
