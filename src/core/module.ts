/**
 * Module paths and versions, and their escaped forms in URLs (x/mod/module; go.dev/ref/mod#module-path).
 *
 * Stricter than Go, on purpose: a version must be a canonical semantic version. Go's escaping takes any file name,
 * `v1.0.0#x%2f` too, which a URL reads otherwise.
 */

import { GosumError } from '../errors.js';
import { isCanonicalVersion } from './semver.js';
import { isPlainPath, isPlainVersion } from './plainname.js';
import { encodeUtf8Into, quote } from './text.js';

/** A module at a version, unescaped. */
export interface ModuleVersion {
  readonly module: string;
  readonly version: string;
}

/** Where a name stands while it is looked at. */
const NAME = new Uint8Array(512);

/**
 * Checks that `path` is a module path that the go command could download.
 *
 * @throws {GosumError} `MODULE_PATH_MALFORMED`.
 */
export function checkModulePath(path: string): void {
  const length = encodeUtf8Into(path, NAME);
  if (length > 0 && isPlainPath(NAME, 0, length)) return;
  const flaw = pathFlaw(path);
  if (flaw !== undefined) {
    throw new GosumError('MODULE_PATH_MALFORMED', `malformed module path ${quote(path)}: ${flaw}`);
  }
}

/**
 * Checks that `version` is a canonical semantic version, such as `v1.2.3`, `v0.0.0-20190101000000-0123456789ab` or
 * `v2.0.0+incompatible`. Whether it fits the path's major version is not asked: a lookup does not ask it either.
 *
 * @throws {GosumError} `VERSION_MALFORMED`.
 */
export function checkVersion(version: string): void {
  const length = encodeUtf8Into(version, NAME);
  if (length > 0 && isPlainVersion(NAME, 0, length)) return;
  if (!isCanonicalVersion(version)) {
    throw new GosumError('VERSION_MALFORMED', `malformed version ${quote(version)}`, {
      hint: 'give a whole canonical version, such as v1.2.3',
    });
  }
}

/**
 * The path for a URL or a file system that ignores case: each capital becomes `!` and its small letter.
 *
 * @throws {GosumError} `MODULE_PATH_MALFORMED`.
 */
export function escapeModulePath(path: string): string {
  checkModulePath(path);
  return escape(path);
}

/**
 * The inverse of `escapeModulePath`.
 *
 * @throws {GosumError} `MODULE_PATH_MALFORMED` for a wrong escape, or a path that is malformed unescaped.
 */
export function unescapeModulePath(escaped: string): string {
  const path = unescape(escaped);
  if (path === undefined) {
    throw new GosumError('MODULE_PATH_MALFORMED', `malformed escaped module path ${quote(escaped)}`);
  }
  checkModulePath(path);
  return path;
}

/** The version, escaped as paths are. @throws {GosumError} `VERSION_MALFORMED`. */
export function escapeVersion(version: string): string {
  checkVersion(version);
  return escape(version);
}

/** The inverse of `escapeVersion`. @throws {GosumError} `VERSION_MALFORMED`. */
export function unescapeVersion(escaped: string): string {
  const version = unescape(escaped);
  if (version === undefined) {
    throw new GosumError('VERSION_MALFORMED', `malformed escaped version ${quote(escaped)}`);
  }
  checkVersion(version);
  return version;
}

/** `path@version`, unescaped. */
export function formatModuleVersion(path: string, version: string): string {
  return `${path}@${version}`;
}

/**
 * Parses `path@version`, unescaped, as a person writes it on a command line.
 *
 * @throws {GosumError} `MODULE_PATH_MALFORMED`, `VERSION_MALFORMED` (also where there is no `@`).
 */
export function parseModuleVersion(text: string): ModuleVersion {
  const at = text.indexOf('@');
  if (at < 0) {
    throw new GosumError('VERSION_MALFORMED', `${quote(text)} has no version`, {
      hint: 'write module@version, such as example.com/module@v1.2.3',
    });
  }
  const module = text.slice(0, at);
  const version = text.slice(at + 1);
  checkModulePath(module);
  checkVersion(version);
  return { module, version };
}

/**
 * The path that asks a checksum database for a module version: `/lookup/<escaped path>@<escaped version>`.
 *
 * @throws {GosumError} `MODULE_PATH_MALFORMED`, `VERSION_MALFORMED`.
 */
export function lookupPath(path: string, version: string): string {
  return `/lookup/${escapeModulePath(path)}@${escapeVersion(version)}`;
}

/** Says what is wrong with a module path, by the rules of x/mod's module.CheckPath. */
function pathFlaw(path: string): string | undefined {
  const foreign = /[^-._~0-9A-Za-z/]/u.exec(path);
  if (foreign !== null) return `it has the character ${quote(foreign[0])}`;
  const elements = path.split('/');
  for (const element of elements) {
    const flaw = elementFlaw(element);
    if (flaw !== undefined) return flaw;
  }
  const [host = ''] = elements;
  if (!host.includes('.')) return 'its first element has no dot';
  if (host.startsWith('-')) return 'it begins with a dash';
  if (/[^-.0-9a-z]/.test(host)) return 'its first element is not a host name in small letters';
  if (!hasFitSuffix(path)) return 'its last element is no major version that the go command takes';
  return undefined;
}

// Names of devices, and of short file names, on Windows.
const DEVICE = /^(?:con|prn|aux|nul|com[1-9]|lpt[1-9])$/i;
const SHORT_NAME = /~[0-9]+$/;

function elementFlaw(element: string): string | undefined {
  if (element === '') return 'it has an empty element';
  if (element.startsWith('.')) return `element ${quote(element)} begins with a dot`;
  if (element.endsWith('.')) return `element ${quote(element)} ends with a dot`;
  const [stem = ''] = element.split('.', 1);
  if (DEVICE.test(stem)) return `element ${quote(element)} is the name of a device on Windows`;
  if (SHORT_NAME.test(stem)) return `element ${quote(element)} looks like a short file name of Windows`;
  return undefined;
}

/**
 * Reports whether a major version at the path's end is one of `/v2`, `/v3` and so on, or there is none.
 * gopkg.in has a rule of its own: there a `.v0`, `.v1`, `.v2-unstable`… must end the path (`.v-unstable` passes in Go too).
 */
function hasFitSuffix(path: string): boolean {
  if (path.startsWith('gopkg.in/')) return /\.v(?:0|[1-9][0-9]*|(?:[1-9][0-9]*)?-unstable)$/.test(path);
  const major = /\/v([0-9.]+)$/.exec(path)?.[1];
  return major === undefined || (/^[1-9][0-9]*$/.test(major) && major !== '1');
}

function escape(text: string): string {
  return text.replaceAll(/[A-Z]/g, (capital) => `!${capital.toLowerCase()}`);
}

/** `undefined` for a bare capital. What is left of any other wrong escape, a `!`, is refused by the checks behind this. */
function unescape(escaped: string): string | undefined {
  if (/[A-Z]/.test(escaped)) return undefined;
  return escaped.replaceAll(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
