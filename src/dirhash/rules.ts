/**
 * The rules that a module zip must keep for the go command to take it (x/mod's zip.CheckZip; go.dev/ref/mod#zip-files).
 *
 * Go stops at the first rule that an entry breaks; here each one is listed. The list is empty exactly where Go is content.
 */

import { checkModulePath, checkVersion, formatModuleVersion, parseModuleVersion, type ModuleVersion } from '../core/module.js';
import { quote } from '../core/text.js';
import { isGosumError } from '../errors.js';
import { fileNameFlaw, foldCase } from './filename.js';
import type { Rule, Violation } from './result.js';

/** The most bytes of a module zip, and of all files in it: 500 MiB. */
export const MAX_ZIP_BYTES: number = 500 * 2 ** 20;
/** The most bytes of a go.mod, and of a LICENSE in the module's root: 16 MiB. */
export const MAX_GO_MOD_BYTES: number = 16 * 2 ** 20;

/** An entry of a zip, as the rules see it. */
export interface ZipRuleEntry {
  /** The whole name, with slashes; one of a folder ends with a slash. Attacker-controlled. */
  readonly name: string;
  /** Whether the stored bytes are UTF-8; where not, `name` stands for them in a message alone. */
  readonly nameIsUtf8: boolean;
  /** Bytes of the content. */
  readonly size: number;
}

/**
 * The rules that a zip breaks: those of the zip as a whole first, then those of its entries, in their order.
 *
 * @param zipSize bytes of the zip file.
 * @param module whose zip it should be; `undefined` where no name says it, which only a zip without entries may do.
 * @throws {GosumError} `MODULE_PATH_MALFORMED`, `VERSION_MALFORMED`: no zip can be that module's.
 */
export function checkZipRules(
  entries: Iterable<ZipRuleEntry>,
  zipSize: number,
  module: ModuleVersion | undefined,
): Violation[] {
  const prefix = module === undefined ? undefined : checkedPrefix(module);
  const whole: Violation[] = [];
  const found: { at: number; violation: Violation }[] = [];
  const comparable: { readonly name: string; readonly at: number }[] = [];
  let bytes = 0;
  let at = 0;
  for (const { name, nameIsUtf8, size } of entries) {
    const isFolder = name.endsWith('/');
    if (!isFolder) bytes += size;
    const broken = prefix === undefined ? [] : entryFlaws(name, nameIsUtf8, size, prefix);
    for (const [rule, message] of broken) found.push({ at, violation: { rule, name, message } });
    if (nameIsUtf8 && !name.includes('\0')) comparable.push({ name, at });
    at++;
  }
  if (prefix === undefined && at > 0) whole.push(ofWhole('PREFIX', 'the first name does not begin with a module@version/'));
  if (module !== undefined) whole.push(...majorFlaw(module));
  if (zipSize > MAX_ZIP_BYTES) whole.push(ofWhole('ZIP_SIZE', `the zip has ${zipSize} bytes, at most ${MAX_ZIP_BYTES}`));
  if (bytes > MAX_ZIP_BYTES) whole.push(ofWhole('CONTENT_SIZE', `the files have ${bytes} bytes, at most ${MAX_ZIP_BYTES}`));
  if (mayCollide(comparable)) found.push(...collisions(comparable.map(({ name, at }) => namedEntry(name, at))));
  found.sort((a, b) => a.at - b.at);
  return [...whole, ...found.map(({ violation }) => violation)];
}

/**
 * The module version that the name of a zip's entry begins with, as in `example.com/module@v1.2.3/go.mod`; `undefined` where
 * there is none that a module can have.
 */
export function moduleOfName(name: string): ModuleVersion | undefined {
  const end = name.indexOf('/', name.indexOf('@'));
  if (end < 0) return undefined;
  try {
    return parseModuleVersion(name.slice(0, end));
  } catch (error) {
    if (isGosumError(error, 'MODULE_PATH_MALFORMED', 'VERSION_MALFORMED')) return undefined;
    throw error;
  }
}

function checkedPrefix({ module, version }: ModuleVersion): string {
  checkModulePath(module);
  checkVersion(version);
  return `${formatModuleVersion(module, version)}/`;
}

function ofWhole(rule: Rule, message: string): Violation {
  return { rule, name: undefined, message };
}

/** What is wrong with an entry alone. */
function entryFlaws(whole: string, nameIsUtf8: boolean, size: number, prefix: string): [Rule, string][] {
  if (!whole.startsWith(prefix)) return [['PREFIX', `the name does not begin with ${prefix}`]];
  if (!nameIsUtf8) return [['NAME', 'the name is not UTF-8']];
  // The folder of all, which some zips have an entry for, is allowed.
  if (whole === prefix) return [];
  const isFolder = whole.endsWith('/');
  const name = isFolder ? whole.slice(prefix.length, -1) : whole.slice(prefix.length);
  const flaws: [Rule, string][] = [];
  const flaw = fileNameFlaw(name);
  if (flaw !== undefined) flaws.push(['NAME', flaw]);
  if (isFolder) return flaws;
  const base = name.slice(name.lastIndexOf('/') + 1);
  if (base.toLowerCase() === 'go.mod') {
    if (base !== name) flaws.push(['GO_MOD_PLACE', "a go.mod file that is not in the module's root"]);
    else if (base !== 'go.mod') flaws.push(['GO_MOD_CASE', 'a go.mod file must have its name in small letters']);
  }
  if (size > MAX_GO_MOD_BYTES) {
    const message = `${size} bytes, at most ${MAX_GO_MOD_BYTES}`;
    if (name === 'go.mod') flaws.push(['GO_MOD_SIZE', message]);
    if (name === 'LICENSE') flaws.push(['LICENSE_SIZE', message]);
  }
  return flaws;
}

/**
 * Reports `false` only where no two names collide: a quick look, which spares nearly every zip the sorting. All names are of
 * files, no two of them are one when case is folded, each folder is written in one way, and no file has the name of one.
 */
function mayCollide(entries: readonly { readonly name: string }[]): boolean {
  const files = new Set<string>();
  const folders = new Map<string, string>();
  let last = '';
  for (const { name } of entries) {
    if (name === '' || name.endsWith('/')) return true;
    const folded = foldCase(name);
    if (files.has(folded)) return true;
    files.add(folded);
    let end = name.lastIndexOf('/');
    if (end === last.length && name.startsWith(last)) continue;
    last = name.slice(0, Math.max(end, 0));
    for (; end >= 0; end = end === 0 ? -1 : name.lastIndexOf('/', end - 1)) {
      const folder = name.slice(0, end);
      const known = folders.get(folded.slice(0, end));
      if (known === folder) break; // and so are all above it
      if (known !== undefined) return true;
      folders.set(folded.slice(0, end), folder);
    }
  }
  for (const folder of folders.keys()) if (files.has(folder)) return true;
  return false;
}

/** A name to be compared with the others. */
interface NamedEntry {
  /** Without a last slash. */
  readonly name: string;
  readonly isFolder: boolean;
  /** `name` with case folded, and U+0000 for each slash: so a folder stands just before all that is in it. Same length. */
  readonly key: string;
  /** The entry's place in the zip. */
  readonly at: number;
}

function namedEntry(whole: string, at: number): NamedEntry {
  const isFolder = whole.endsWith('/');
  const name = isFolder ? whole.slice(0, -1) : whole;
  return { name, isFolder, key: foldCase(name).replaceAll('/', '\0'), at };
}

/**
 * Names that are there twice, or differ in case alone, and files that other names take for a folder. Sorted by key, names of one
 * folder stand together, so neighbours tell all of it, however many names a hostile zip has.
 */
function collisions(entries: NamedEntry[]): { at: number; violation: Violation }[] {
  entries.sort((a, b) => compare(a.key, b.key) || compare(a.name, b.name) || Number(b.isFolder) - Number(a.isFolder) || a.at - b.at);
  return entries.flatMap((b, i) => {
    const a = entries[i - 1];
    if (a === undefined) return [];
    const collision = collisionOf(a, b);
    if (collision === undefined) return [];
    const [rule, message] = collision;
    const [first, second] = a.at < b.at ? [a, b] as const : [b, a] as const;
    const name = second.isFolder ? `${second.name}/` : second.name;
    return [{ at: second.at, violation: { rule, name, message: `${message} ${quote(first.name)}` } }];
  });
}

function collisionOf(a: NamedEntry, b: NamedEntry): [Rule, string] | undefined {
  const shared = sharedFolder(a.key, b.key);
  if (a.name.slice(0, shared) !== b.name.slice(0, shared)) {
    return ['CASE_COLLISION', a.key === b.key ? 'the name differs in case alone from' : 'a folder in it differs in case alone from one of'];
  }
  const isSame = a.key === b.key;
  if (isSame ? a.isFolder !== b.isFolder : shared === a.key.length && !a.isFolder) {
    return ['FILE_AND_FOLDER', 'one name is of a file and of a folder: see'];
  }
  return isSame && !a.isFolder ? ['DUPLICATE', 'another entry has the same name:'] : undefined;
}

/** How much of two names is the same folder: whole elements alone; all of them where the names are the same. */
function sharedFolder(a: string, b: string): number {
  if (a === b) return a.length;
  let i = 0;
  let shared = 0;
  while (i < a.length && a[i] === b[i]) {
    if (a[i] === '\0') shared = i;
    i++;
  }
  return i === a.length && b[i] === '\0' ? i : shared;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** The version's major number must be the one that the path ends with (x/mod's module.CheckPathMajor). */
function majorFlaw({ module, version }: ModuleVersion): Violation[] {
  const major = version.slice(0, version.indexOf('.'));
  const inPath = module.startsWith('gopkg.in/')
    ? /\.(v[0-9]*)(?:-unstable)?$/.exec(module)?.[1]
    : /\/(v[0-9]+)$/.exec(module)?.[1];
  if (inPath === undefined) {
    if (major === 'v0' || major === 'v1' || version.endsWith('+incompatible')) return [];
  } else if (major === inPath || (inPath === 'v1' && module.startsWith('gopkg.in/') && version.startsWith('v0.0.0-'))) {
    // Go once made pseudo-versions of v0 for gopkg.in's .v1
    return [];
  }
  return [ofWhole('PREFIX', `${module} cannot have the version ${version}, but one of ${inPath ?? 'v0 or v1'}`)];
}
