/**
 * Semantic versions as Go writes them (x/mod/semver): with a leading `v`; `v1` and `v1.2` are short for `v1.0.0` and
 * `v1.2.0`. Numbers may be of any length, so they stay text.
 */

/** A version taken apart. */
interface Parts {
  readonly major: string;
  readonly minor: string;
  readonly patch: string;
  /** Identifiers behind `-`; empty for a release. */
  readonly prerelease: readonly string[];
  /** With its `+`; empty where there is none. */
  readonly build: string;
}

/** Reports whether `version` is a semantic version in Go's syntax, short forms included. */
export function isValidVersion(version: string): boolean {
  return parse(version) !== undefined;
}

/**
 * The canonical spelling: all three numbers, and no build metadata but `+incompatible` (x/mod's module.CanonicalVersion).
 * `undefined` for an invalid version.
 */
export function canonicalVersion(version: string): string | undefined {
  const parts = parse(version);
  if (parts === undefined) return undefined;
  const prerelease = parts.prerelease.length === 0 ? '' : `-${parts.prerelease.join('.')}`;
  const build = parts.build === '+incompatible' ? parts.build : '';
  return `v${parts.major}.${parts.minor}.${parts.patch}${prerelease}${build}`;
}

/** Reports whether `version` is valid and spelt canonically. Only such versions stand in the log. */
export function isCanonicalVersion(version: string): boolean {
  return version === canonicalVersion(version);
}

/**
 * Orders versions by precedence (semver.org §11; x/mod's semver.Compare): negative, 0 or positive.
 * Build metadata does not count; an invalid version comes before every valid one, and is equal to other invalid ones.
 */
export function compareVersions(a: string, b: string): number {
  const x = parse(a);
  const y = parse(b);
  if (x === undefined || y === undefined) return Number(x !== undefined) - Number(y !== undefined);
  return (
    compareNumbers(x.major, y.major) ||
    compareNumbers(x.minor, y.minor) ||
    compareNumbers(x.patch, y.patch) ||
    comparePrereleases(x.prerelease, y.prerelease)
  );
}

const NUMBER = '(0|[1-9][0-9]*)';
const VERSION = new RegExp(
  `^v${NUMBER}(?:\\.${NUMBER}(?:\\.${NUMBER}(?:-([0-9A-Za-z.-]+))?(?:\\+([0-9A-Za-z.-]+))?)?)?$`,
);
const DIGITS = /^[0-9]+$/;

function parse(version: string): Parts | undefined {
  const match = VERSION.exec(version);
  if (match === null) return undefined;
  const [, major = '', minor = '0', patch = '0', prerelease, build] = match;
  // Identifiers are checked one by one: nested repeats in the pattern would cost stack on hostile input.
  const identifiers = prerelease?.split('.') ?? [];
  if (identifiers.some((id) => id === '' || (id.length > 1 && id.startsWith('0') && DIGITS.test(id)))) return undefined;
  if (build?.split('.').includes('')) return undefined;
  return { major, minor, patch, prerelease: identifiers, build: build === undefined ? '' : `+${build}` };
}

/** Orders decimal numbers without leading zeros. */
function compareNumbers(a: string, b: string): number {
  return a.length - b.length || compareAscii(a, b);
}

function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  // a release comes after its prereleases
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (const [i, x] of a.entries()) {
    const y = b[i];
    if (y === undefined) return 1;
    if (x === y) continue;
    const xNumeric = DIGITS.test(x);
    if (xNumeric !== DIGITS.test(y)) return xNumeric ? -1 : 1;
    return xNumeric ? compareNumbers(x, y) : compareAscii(x, y);
  }
  return a.length - b.length;
}

function compareAscii(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
