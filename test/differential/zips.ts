/** The rules of module zips, and the tables of characters that they stand on. */

import { foldCase } from '../../src/dirhash/filename.js';
import { isLetter } from '../../src/dirhash/letters.js';
import { checkZipRules } from '../../src/dirhash/rules.js';
import type { Random } from './random.js';
import { bytesOf, textOf, type Input, type Subject } from './subject.js';

const MODULES: readonly (readonly [string, string])[] = [
  ['example.com/m', 'v1.2.3'],
  ['example.com/M/v2', 'v2.0.0'],
  ['example.com/m', 'v2.0.0+incompatible'],
  ['gopkg.in/yaml.v2', 'v2.1.0'],
  ['gopkg.in/check.v1', 'v0.0.0-20161208181325-20d25e280405'],
  ['gopkg.in/c.v1-unstable', 'v1.0.0'],
];
const BAD_MODULES: readonly (readonly [string, string])[] = [
  ['example.com/m', 'v2.0.0'],
  ['example.com/m/v2', 'v1.0.0'],
  ['example.com/m/v2', 'v3.0.0+incompatible'],
  ['gopkg.in/yaml.v2', 'v0.0.0-20161208181325-20d25e280405'],
  ['gopkg.in/yaml.v-unstable', 'v1.0.0'],
  ['example.com/m', 'v1.2'],
  ['example.com/m', 'v1.2.3+meta'],
  ['example', 'v1.2.3'],
];
const NAMES = ['go.mod', 'LICENSE', 'a.go', 'a/b.go', 'a/b/c.txt', 'B/d e.md', 'straße/σ.go', '.github/x', 'a/go.mod.txt', 'sub/', '', 'x~1/[y]'];
const PIECES = [
  ...Array.from('/.-_~!@+%\\:\'"*<>?|`;#$&(){}[]^=, AaKkSsZz019'),
  ...['..', './', '//', '/../', 'con', 'NUL.', '/com1', 'Lpt9.x', '/go.mod', 'Go.mod', 'GO.MOD/', 'LICENSE', 'a/', 'A/', 'a', 'v1.2.3/'],
  ...['é', '☻', '😀', '\u212a', 'ſ', 'ς', 'Σ', 'ß', 'ẞ', 'ı', 'İ', 'i', 'I', 'ǅ', 'Ǆ', 'ᾳ', 'ᾼ', 'Ꭰ', 'ꭰ', '\u{10400}', '\u{10428}', '\ufb05', '\ufb06'],
  ...['\u0000', '\n', '\ufeff', '\u0345', '\u{2ebf0}', '\u1c8a', 'ⅷ', '一', '\u00a0'],
];
const MAX = 500 * 2 ** 20;
const SIZES = [0, 1, 1000, 2 ** 24, 2 ** 24 + 1, MAX - 5, MAX, MAX + 1, 2 ** 32, 2 ** 40];

function makeZip(random: Random): Input[] {
  const [module, version] = random.pick(random.chance(0.9) ? MODULES : BAD_MODULES);
  const prefix = `${module}@${version}/`;
  const names: string[] = [];
  for (let count = random.below(5); count > 0; count--) {
    // often made of an earlier one, so that they collide
    const earlier = random.chance(0.3) && names.length > 0 ? random.pick(names) : undefined;
    if (earlier === undefined) names.push(prefix + random.pick(NAMES));
    else names.push(random.chance(0.3) ? `${earlier}/x` : random.mutate(earlier, PIECES));
  }
  const changed = names.map((name) => (random.chance(0.15) ? random.mutate(name, PIECES) : name));
  const sizes = changed.map(() => String(random.chance(0.8) ? random.below(5000) : random.pick(SIZES)));
  return [module, version, ...changed.flatMap((name, i) => [changedBytes(random, name), sizes[i]!])];
}

/** Some names are not UTF-8. */
function changedBytes(random: Random, name: string): Input {
  return random.chance(0.02) ? random.mutateBytes(bytesOf(name), [Uint8Array.of(0xff), Uint8Array.of(0xc3)]) : name;
}

function oursOfZip(module: Input, version: Input, ...entries: Input[]): string[] | undefined {
  const seen = entries.flatMap((name, i) => {
    if (i % 2 === 1) return [];
    const bytes = Buffer.from(bytesOf(name));
    const text = bytes.toString();
    return [{ name: text, nameIsUtf8: Buffer.from(text).equals(bytes), size: Number(textOf(entries[i + 1])) }];
  });
  const violations = checkZipRules(seen, 1000, { module: textOf(module), version: textOf(version) });
  return violations.length === 0 ? [] : undefined;
}

const UNICODE = '15.0.0';
const RUN = 0x4000;
/** The least letter of each that differs in case alone. */
const leastOf = new Map<string, number>();

/** As the Go program describes characters. */
function oursOfCharacters(unicode: Input, first: Input, last: Input): string[] | undefined {
  if (unicode !== UNICODE) return undefined;
  let out = '';
  for (let code = Number(textOf(first)); code <= Number(textOf(last)); code++) {
    const character = String.fromCodePoint(code);
    const key = foldCase(character);
    if (key.length !== character.length) throw new Error(`U+${code.toString(16)} folded has another length`);
    if (!isLetter(character)) continue;
    if (!leastOf.has(key)) leastOf.set(key, code);
    out += `${code}:${leastOf.get(key)} `;
  }
  return [out];
}

export const ZIP_SUBJECTS: readonly Subject[] = [
  {
    op: 'checkZip',
    fixed: [
      ['example.com/m', 'v1.2.3'],
      ...[...MODULES, ...BAD_MODULES].map(([module, version]) => [module, version, `${module}@${version}/a.go`, '1']),
      ...SIZES.flatMap((size) => ['go.mod', 'LICENSE', 'a', 'a/', 'a/LICENSE', 'license'].map((name) => ['example.com/m', 'v1.2.3', `example.com/m@v1.2.3/${name}`, String(size)])),
    ],
    make: makeZip,
    ours: oursOfZip,
    stricter: {},
  },
  {
    op: 'characters',
    // in their order, as the least of each is remembered
    fixed: Array.from({ length: 0x110000 / RUN }, (_, i) => [UNICODE, String(i * RUN), String((i + 1) * RUN - 1)]),
    make: () => ['0.0.0', '0', '0'],
    ours: oursOfCharacters,
    stricter: {},
    slow: true,
  },
];
