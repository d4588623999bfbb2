/** Module paths, versions, patterns, go.sum files and h1 hashes. */

import { parseGoSum } from '../../src/core/gosum.js';
import { h1OfFiles, type HashedFile } from '../../src/core/h1.js';
import { escapeModulePath, escapeVersion, unescapeModulePath, unescapeVersion } from '../../src/core/module.js';
import { matchGlob, matchingPattern } from '../../src/core/pattern.js';
import { canonicalVersion, compareVersions, isValidVersion } from '../../src/core/semver.js';
import type { Random } from './random.js';
import { bytesOf, sha256, textOf, type Input, type Subject } from './subject.js';

const PATHS = [
  'example.com/a',
  'github.com/Azure/go-autorest',
  'golang.org/x/mod',
  'rsc.io',
  'gopkg.in/yaml.v2',
  'gopkg.in/a/b.v0',
  'gopkg.in/c.v1-unstable',
  'example.com/m/v2',
  'a-b.example/x_y~z/v10',
];
const PATH_PIECES = [
  ...Array.from('/.-_~!@+%\\: AZaz019vé'),
  '/v1',
  '/v2',
  '/v0',
  'v2.1',
  '/V2',
  '..',
  './',
  '//',
  '~1',
  '~12.x',
  'con',
  'NuL.',
  '/com1',
  'LPT9',
  '.v2',
  '.v',
  '-unstable',
  '.v0-unstable',
  'gopkg.in/',
  '\u212a',
  '\ufeff',
  '\u0000',
  '😀',
  'ſ',
  '!a',
];

const VERSIONS = [
  'v1.2.3',
  'v0.0.0',
  'v1',
  'v2.3',
  'v1.2.3-pre',
  'v1.0.0-rc.1',
  'v1.0.0-0.a.0b.11',
  'v2.0.0+incompatible',
  'v2.0.0-beta+incompatible',
  'v1.0.0+meta.5',
  'v0.0.0-20190101000000-0123456789ab',
  'v0.0.1-go1.22.0.linux-amd64',
  'v10.20.30-Alpha',
];
const VERSION_PIECES = [
  ...Array.from('v.-+0123456789aZ!#?/% _~é'),
  '.0',
  '01',
  '00',
  '-0',
  '-01',
  '.1.',
  '..',
  '-rc',
  '+incompatible',
  '+x',
  '--',
  '/go.mod',
  '\n',
  '！',
  '99999999999999999999',
];

const H1 = 'h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
const EMPTY_GO_MOD = 'h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=';

function makePath(random: Random): string {
  const path = random.pick(PATHS);
  return random.chance(0.25) ? path : random.mutate(path, PATH_PIECES);
}

function makeVersion(random: Random): string {
  const version = random.pick(VERSIONS);
  return random.chance(0.25) ? version : random.mutate(version, VERSION_PIECES);
}

/** Two versions, often nearly the same. */
function makeTwoVersions(random: Random): Input[] {
  const version = makeVersion(random);
  return [version, random.chance(0.5) ? makeVersion(random) : random.mutate(version, VERSION_PIECES)];
}

function oursOfVersion(version: Input): string[] | undefined {
  const canonical = canonicalVersion(textOf(version));
  if (isValidVersion(textOf(version)) !== (canonical !== undefined)) throw new Error('valid, or not?');
  return canonical === undefined ? undefined : [canonical];
}

function oursOfEscapedVersion(escaped: Input): string[] {
  const version = unescapeVersion(textOf(escaped));
  return [version, version];
}

/** The escape by the rule's bare words, so that inputs of `unescape` are not made by what is tested. */
function bang(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}

/** A version is only ever asked for in its canonical spelling; Go's escaping takes any file name. */
const NOT_CANONICAL = 'a version that is not canonical';

const GLOBS = [
  'example.com',
  '*.example.com/x',
  'a?c',
  '[a-c]x',
  '[^a-c]*',
  'a\\*b',
  '*',
  'github.com/*/b',
  '[é-☻]',
  '*a*b*',
  '',
];
const GLOB_PIECES = [
  ...Array.from('*?[]^-\\/,abc. é☻😀'),
  '**',
  '[a',
  'a-b',
  '[^',
  '[]',
  '\\]',
  '\\-',
  '*?',
  '??',
  '[^a]',
  '\ufffd',
  ', ',
];
const NAMES = [
  'example.com',
  'git.example.com/x',
  'abc',
  'bx',
  'github.com/a/b',
  'a*b',
  'aéb',
  '☻',
  '€',
  '',
  'axbyb',
  'a/b/c',
];

function makeGlob(random: Random): string {
  const glob = random.pick(GLOBS);
  return random.chance(0.3) ? glob : random.mutate(glob, GLOB_PIECES);
}

function makeName(random: Random): string {
  const name = random.pick(NAMES);
  return random.chance(0.5) ? name : random.mutate(name, Array.from('abcxy/.*-[]é€😀'));
}

/** What a glob matches if its signs are left out, and other names. */
function makeGlobAndName(random: Random): Input[] {
  const glob = makeGlob(random);
  const plain = glob.replace(/[*?\\[\]^]/g, '');
  return [
    glob,
    random.chance(0.4) ? plain : random.chance(0.3) ? random.mutate(plain, Array.from('abc/é')) : makeName(random),
  ];
}

function makeGlobsAndTarget(random: Random): Input[] {
  const globs = random.many(0, 4, () => makeGlob(random)).join(random.pick([',', ',', '/,', ', ']));
  const name = random.chance(0.4) ? random.pick(globs.split(',')).replace(/[*?\\[\]^]/g, '') : makeName(random);
  return [globs, name + random.pick(['', '/sub', '/a/b'])];
}

const SPACES = [' ', ' ', ' ', ' ', '\t', '  ', '\r', '\u0085', '\u00a0', '\u2003', '\u3000'];
const GOSUM_PIECES = [
  ' ',
  '\n',
  '\n\n',
  '\r\n',
  '\ufeff',
  '\u200b',
  '/go.mod',
  ' x',
  Uint8Array.of(0xff),
  Uint8Array.of(0xc3),
  '\u0000',
];

function makeGoSum(random: Random): Uint8Array {
  const lines = random.many(0, 5, () => {
    if (random.chance(0.05)) return random.pick(['', ' ', '\t\u00a0']);
    const path = random.chance(0.95) ? random.pick(PATHS) : makePath(random);
    const version = random.chance(0.95) ? random.pick(['v1.2.3', 'v2.0.0+incompatible']) : makeVersion(random);
    const hash = random.pick([H1, H1, 'h2:x', 'h1:short', EMPTY_GO_MOD]);
    return [path, version + random.pick(['', '/go.mod']), hash].join(random.pick(SPACES));
  });
  const text = lines.join(random.pick(['\n', '\n', '\r\n', ' \n\n'])) + random.pick(['\n', '']);
  return random.chance(0.5) ? Buffer.from(text) : random.mutateBytes(Buffer.from(text), GOSUM_PIECES);
}

function oursOfGoSum(input: Input): string[] {
  return parseGoSum(bytesOf(input), 'go.sum').map((line) =>
    line.dropped
      ? `${line.line} dropped`
      : `${line.line} ${line.module} ${line.version}${line.kind === 'go.mod' ? '/go.mod' : ''} ${line.hash} true true`,
  );
}

/** Names and contents in turn; no name twice. */
function makeFiles(random: Random): Input[] {
  const names = new Set(
    random.many(0, 6, () =>
      random.mutate('m@v1.0.0/a', [
        ...Array.from('/aAbé-'),
        '\ufffd',
        '😀',
        '\uffff',
        '\ue000',
        ...(random.chance(0.5) ? ['\n'] : []),
      ]),
    ),
  );
  return [...names].flatMap((name) => [name, random.bytes(random.below(9))]);
}

function oursOfFiles(...input: Input[]): string[] {
  const files: HashedFile[] = [];
  for (let i = 0; i < input.length; i += 2) {
    files.push({
      name: input[i]!,
      sha256: sha256(bytesOf(input[i + 1])),
    });
  }
  return [h1OfFiles(files)];
}

export const MODULE_SUBJECTS: readonly Subject[] = [
  {
    op: 'path',
    fixed: [...PATHS, '', 'example', 'example.com/a~1', 'gopkg.in/a.v-unstable', 'gopkg.in/a.v0-unstable'].map(
      (path) => [path],
    ),
    make: (random) => [makePath(random)],
    ours: (path) => [escapeModulePath(textOf(path))],
    stricter: {},
  },
  {
    op: 'unescapePath',
    fixed: [['example.com/!a'], ['example.com/A'], ['example.com/!']],
    make: (random) => [
      random.chance(0.5) ? bang(makePath(random)) : random.mutate(bang(random.pick(PATHS)), PATH_PIECES),
    ],
    ours: (escaped) => [unescapeModulePath(textOf(escaped))],
    stricter: {},
  },
  {
    op: 'version',
    fixed: VERSIONS.map((version) => [version]),
    make: (random) => [makeVersion(random)],
    ours: oursOfVersion,
    stricter: {},
  },
  {
    op: 'escapeVersion',
    fixed: [['v1.0.0#x%2f'], ['master'], ['v1.0.0+meta'], ['v1']],
    make: (random) => [makeVersion(random)],
    ours: (version) => [escapeVersion(textOf(version)), textOf(version)],
    stricter: { [NOT_CANONICAL]: ([, canonical], version) => version !== canonical },
  },
  {
    op: 'unescapeVersion',
    fixed: [['v1.0.0#x%2f'], ['v1.0.0-!r!c'], ['v1.0.0-RC'], ['v1.0.0-!']],
    make: (random) => [
      random.chance(0.5) ? bang(makeVersion(random)) : random.mutate(bang(random.pick(VERSIONS)), VERSION_PIECES),
    ],
    ours: oursOfEscapedVersion,
    stricter: { [NOT_CANONICAL]: ([version, canonical]) => version !== canonical },
  },
  {
    op: 'compare',
    fixed: VERSIONS.flatMap((a) => VERSIONS.map((b) => [a, b])),
    make: makeTwoVersions,
    ours: (a, b) => [String(Math.sign(compareVersions(textOf(a), textOf(b))))],
    stricter: {},
    total: true,
  },
  {
    op: 'glob',
    fixed: [
      ['[a', 'a'],
      ['*??', '€'],
      ['[^a]b', '/b'],
    ],
    make: makeGlobAndName,
    ours: (glob, name) => (matchGlob(textOf(glob), textOf(name)) ? [] : undefined),
    stricter: {},
  },
  {
    op: 'patterns',
    fixed: [
      ['a.com, b.com', 'b.com'],
      ['rsc.io/', 'rsc.io/x'],
      ['[,rsc.io', 'rsc.io'],
    ],
    make: makeGlobsAndTarget,
    ours: (globs, target) => (matchingPattern(textOf(globs), textOf(target)) === undefined ? undefined : []),
    stricter: {},
  },
  {
    op: 'gosum',
    fixed: [
      [`example v1.0.0 ${H1}`],
      [`example.com/a v1.0 ${H1}`],
      [`example.com/a v1.0.0#x%2f/go.mod ${H1}`],
      [`no path at/all ${H1}`],
      [`nothing real/go.mod ${EMPTY_GO_MOD}`],
      [`example.com/a v1.0.0 h1:${'x'.repeat(17_000)}`],
      [Buffer.concat([Buffer.from(`example.com/a v1.0.0 h1:`), Uint8Array.of(0xff)])],
    ],
    make: (random) => [makeGoSum(random)],
    ours: oursOfGoSum,
    stricter: {
      'a module path that no module has': (go) => go.some((line) => / false (?:true|false)$/.test(line)),
      [NOT_CANONICAL]: (go) => go.some((line) => line.endsWith(' false')),
      'a line is longer than 16384 characters': (_go, input) =>
        Buffer.from(bytesOf(input))
          .toString()
          .split('\n')
          .some((line) => line.length > 16_384),
      'invalid UTF-8': (_go, input) => !Buffer.from(Buffer.from(bytesOf(input)).toString()).equals(bytesOf(input)),
    },
  },
  {
    op: 'h1',
    fixed: [[], ['a\nb', '']],
    make: makeFiles,
    ours: oursOfFiles,
    stricter: {},
  },
];
