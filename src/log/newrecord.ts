/**
 * Module versions that are to be recorded: both hashes of each, and how they are gathered from go.sum lines.
 *
 * Stricter than what the form of a record allows: a record of a log of our own is of one module version, with its module line
 * and its go.mod line, in this order, and `h1:` hashes in their one spelling.
 */

import { findHashes } from '../core/record.js';
import type { GoSumLine } from '../core/gosum.js';
import { parseH1 } from '../core/h1.js';
import { checkModulePath, checkVersion, formatModuleVersion, type ModuleVersion } from '../core/module.js';
import { encodeUtf8 } from '../core/text.js';
import { GosumError } from '../errors.js';

/** A module version to record. */
export interface NewRecord extends ModuleVersion {
  /** `h1:` of the module's content. */
  readonly h1: string;
  /** `h1:` of its go.mod file. */
  readonly goMod: string;
}

/**
 * Checks that a module version can be recorded.
 *
 * @throws {GosumError} `MODULE_PATH_MALFORMED`, `VERSION_MALFORMED`, `H1_MALFORMED`.
 */
export function checkNewRecord({ module, version, h1, goMod }: NewRecord): void {
  checkModulePath(module);
  checkVersion(version);
  parseH1(h1);
  parseH1(goMod);
}

/** The record's text: two go.sum lines. */
export function formatNewRecord({ module, version, h1, goMod }: NewRecord): Uint8Array {
  return encodeUtf8(`${module} ${version} ${h1}\n${module} ${version}/go.mod ${goMod}\n`);
}

/**
 * Reports whether a record of the log says the same of the module version. Both hashes have to be the same.
 *
 * @param text of a record of this module version.
 */
export function saysTheSame(text: Uint8Array, { module, version, h1, goMod }: NewRecord): boolean {
  const known = findHashes(text, module, version);
  return known.module === h1 && known.goMod === goMod;
}

/** What go.sum lines make. */
export interface Gathered {
  /** In the order of their first lines, each module version once. */
  readonly records: readonly NewRecord[];
  /** Module versions of which only one line was given, `path@version`: nothing can be recorded of them. */
  readonly halves: readonly string[];
}

/**
 * Gathers both lines of each module version. Lines that the go command drops are passed over.
 *
 * @param lines attacker-controlled, but their paths and versions were checked.
 * @throws {GosumError} `LINES_CONFLICT` for two hashes of one thing; `H1_MALFORMED`.
 */
export function gatherLines(lines: readonly GoSumLine[]): Gathered {
  const found = new Map<string, ModuleVersion & { readonly hashes: Map<GoSumLine['kind'], GoSumLine> }>();
  for (const line of lines) {
    if (line.dropped) continue;
    const { module, version, kind } = line;
    const name = formatModuleVersion(module, version);
    let each = found.get(name);
    if (each === undefined) found.set(name, (each = { module, version, hashes: new Map() }));
    const before = each.hashes.get(kind);
    if (before !== undefined && before.hash !== line.hash) {
      throw new GosumError('LINES_CONFLICT', `${line.file}:${line.line}: another hash of ${name} stands in ${before.file}:${before.line}`, {
        hint: 'find out which one is right; nothing was recorded',
      });
    }
    checkHash(line);
    each.hashes.set(kind, line);
  }
  const records: NewRecord[] = [];
  const halves: string[] = [];
  for (const [name, { module, version, hashes }] of found) {
    const h1 = hashes.get('module')?.hash;
    const goMod = hashes.get('go.mod')?.hash;
    if (h1 === undefined || goMod === undefined) halves.push(name);
    else records.push({ module, version, h1, goMod });
  }
  return { records, halves };
}

function checkHash({ file, line, hash }: GoSumLine): void {
  try {
    parseH1(hash);
  } catch (cause) {
    if (!(cause instanceof GosumError)) throw cause;
    throw new GosumError('H1_MALFORMED', `${file}:${line}: ${cause.message}`, { cause, hint: 'only h1: hashes are recorded' });
  }
}
