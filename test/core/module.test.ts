import t from 'tap';
import {
  checkModulePath,
  checkVersion,
  escapeModulePath,
  escapeVersion,
  formatModuleVersion,
  lookupPath,
  parseModuleVersion,
  unescapeModulePath,
  unescapeVersion,
} from '../../src/core/module.js';
import { canonicalVersion, compareVersions, isCanonicalVersion, isValidVersion } from '../../src/core/semver.js';

t.test('versions: valid and canonical', (t) => {
  // [version, canonical spelling]; the table follows x/mod/semver's own tests in kind
  const cases: [string, string | undefined][] = [
    ['v0.0.0', 'v0.0.0'],
    ['v1', 'v1.0.0'],
    ['v1.2', 'v1.2.0'],
    ['v1.2.3', 'v1.2.3'],
    ['v1.2.3-pre', 'v1.2.3-pre'],
    ['v1.2.3--', 'v1.2.3--'],
    ['v1.2.3-0.a.0b', 'v1.2.3-0.a.0b'],
    ['v1.2.3-00a', 'v1.2.3-00a'],
    ['v1.2.3-rc.1+meta', 'v1.2.3-rc.1'],
    ['v1.2.3+meta', 'v1.2.3'],
    ['v1.2.3+00.01', 'v1.2.3'],
    ['v2.0.0+incompatible', 'v2.0.0+incompatible'],
    ['v2.0.0-pre+incompatible', 'v2.0.0-pre+incompatible'],
    ['v2.0.0+incompatible.1', 'v2.0.0'],
    ['v0.0.0-20190101000000-0123456789ab', 'v0.0.0-20190101000000-0123456789ab'],
    ['v123456789012345678901234567890.0.0', 'v123456789012345678901234567890.0.0'],
    ['', undefined],
    ['v', undefined],
    ['1.2.3', undefined],
    ['V1.2.3', undefined],
    ['v01.2.3', undefined],
    ['v1.02.3', undefined],
    ['v1.2.03', undefined],
    ['v1.', undefined],
    ['v1.2.', undefined],
    ['v1.2.3.4', undefined],
    ['v1-pre', undefined],
    ['v1.2+meta', undefined],
    ['v1.2.3-', undefined],
    ['v1.2.3+', undefined],
    ['v1.2.3-+meta', undefined],
    ['v1.2.3-a..b', undefined],
    ['v1.2.3-.a', undefined],
    ['v1.2.3-a.', undefined],
    ['v1.2.3-01', undefined],
    ['v1.2.3-a.00', undefined],
    ['v1.2.3+a..b', undefined],
    ['v1.2.3+a.', undefined],
    ['v1.2.3+a+b', undefined],
    ['v1.2.3-a_b', undefined],
    ['v1.2.3-é', undefined],
    ['v1.2.3 ', undefined],
    ['v1.2.3\n', undefined],
    ['v1.2.3/go.mod', undefined],
    ['v１.0.0', undefined],
  ];
  for (const [version, canonical] of cases) {
    t.equal(isValidVersion(version), canonical !== undefined, `${JSON.stringify(version)} valid`);
    t.equal(canonicalVersion(version), canonical, `${JSON.stringify(version)} canonical`);
    t.equal(isCanonicalVersion(version), version === canonical, `${JSON.stringify(version)} is canonical`);
  }
  t.equal(isValidVersion(`v1.0.0-${'a.'.repeat(2_000_000)}a`), true, 'a very long one costs no stack');
  t.end();
});

t.test('versions: order', (t) => {
  // ascending; spellings in one row are equal
  const rows = [
    ['', 'bad', 'v1.2.3.4'],
    ['v0.0.0-0'],
    ['v0.0.0'],
    ['v0.9.9'],
    ['v1.0.0-0'],
    ['v1.0.0-2'],
    ['v1.0.0-11'],
    ['v1.0.0-20000000000000000000'],
    ['v1.0.0--'],
    ['v1.0.0-1a'],
    ['v1.0.0-B'],
    ['v1.0.0-alpha'],
    ['v1.0.0-alpha.1'],
    ['v1.0.0-alpha.1.0'],
    ['v1.0.0-alpha.beta'],
    ['v1', 'v1.0', 'v1.0.0', 'v1.0.0+meta', 'v1.0.0+incompatible'],
    ['v1.0.1'],
    ['v1.2.0'],
    ['v1.10.0'],
    ['v2.0.0'],
    ['v10.0.0'],
    ['v20000000000000000000.0.0'],
  ];
  const places = rows.flatMap((row, place) => row.map((version) => ({ version, place })));
  const wrong = places.flatMap((a) =>
    places
      .filter((b) => Math.sign(compareVersions(a.version, b.version)) !== Math.sign(a.place - b.place))
      .map((b) => [a.version, b.version]),
  );
  t.same(wrong, []);
  t.end();
});

const GOOD_PATHS: [path: string, escaped: string][] = [
  ['example.com/a', 'example.com/a'],
  ['example.com', 'example.com'],
  ['x.y', 'x.y'],
  ['1.2/a', '1.2/a'],
  ['a-.b/c', 'a-.b/c'],
  ['github.com/Azure/go-ABC', 'github.com/!azure/go-!a!b!c'],
  ['example.com/a_b~c-d.e', 'example.com/a_b~c-d.e'],
  ['example.com/a/v2', 'example.com/a/v2'],
  ['example.com/a/v10', 'example.com/a/v10'],
  ['example.com/a/v', 'example.com/a/v'],
  ['example.com/av1', 'example.com/av1'],
  ['example.com/v1a', 'example.com/v1a'],
  ['example.com/a/v1/b', 'example.com/a/v1/b'],
  ['example.com/a~1b', 'example.com/a~1b'],
  ['example.com/a~', 'example.com/a~'],
  ['example.com/a.b~1', 'example.com/a.b~1'],
  ['example.com/con1/com0/xcon', 'example.com/con1/com0/xcon'],
  ['gopkg.in/yaml.v2', 'gopkg.in/yaml.v2'],
  ['gopkg.in/yaml.v0', 'gopkg.in/yaml.v0'],
  ['gopkg.in/user/pkg.v1', 'gopkg.in/user/pkg.v1'],
  ['gopkg.in/yaml.v2-unstable', 'gopkg.in/yaml.v2-unstable'],
  ['gopkg.in/yaml.v-unstable', 'gopkg.in/yaml.v-unstable'],
  ['gopkg.in', 'gopkg.in'],
];

const BAD_PATHS = [
  '',
  '/',
  '/example.com',
  'example.com/',
  'example.com//a',
  'example',
  'example/a.b',
  '-example.com/a',
  'Example.com/a',
  'example_x.com/a',
  'ex~ample.com/a',
  'example.com/a b',
  'example.com/a\n',
  'example.com/a+b',
  'example.com/a!b',
  'example.com/a@b',
  'example.com/a%20b',
  'example.com/a\\b',
  'example.com/é',
  'example.com/\u212a',
  'example.com/\ud800',
  '\ufeffexample.com/a',
  'example.com/.a',
  'example.com/a.',
  'example.com/..',
  'example.com/a/../b',
  'example.com/con',
  'example.com/CoN.txt/a',
  'example.com/lpt9',
  'example.com/COM1.a.b',
  'nul.com/a',
  'example.com/a~1',
  'example.com/a~b~123.c',
  'example.com/a/v1',
  'example.com/a/v0',
  'example.com/a/v02',
  'example.com/a/v1.2',
  'example.com/a/v2.0',
  'gopkg.in/yaml',
  'gopkg.in/yaml.v',
  'gopkg.in/yaml.v02',
  'gopkg.in/yaml.v0-unstable',
  'gopkg.in/yaml/v2',
];

t.test('module paths', (t) => {
  for (const [path, escaped] of GOOD_PATHS) {
    t.equal(escapeModulePath(path), escaped, path);
    t.equal(unescapeModulePath(escaped), path, escaped);
  }
  for (const path of BAD_PATHS) {
    t.throws(() => checkModulePath(path), { code: 'MODULE_PATH_MALFORMED' }, JSON.stringify(path));
    t.throws(() => escapeModulePath(path), { code: 'MODULE_PATH_MALFORMED' }, `escape ${JSON.stringify(path)}`);
  }
  for (const escaped of [
    'example.com/A',
    'example.com/!',
    'example.com/!A',
    'example.com/!!a',
    'example.com/!1',
    'example.com/!é',
    '!example.com/a',
    '',
  ]) {
    t.throws(() => unescapeModulePath(escaped), { code: 'MODULE_PATH_MALFORMED' }, `unescape ${escaped}`);
  }
  t.end();
});

t.test('versions in URLs', (t) => {
  const good: [string, string][] = [
    ['v1.2.3', 'v1.2.3'],
    ['v1.2.3-RC1.x', 'v1.2.3-!r!c1.x'],
    ['v2.0.0+incompatible', 'v2.0.0+incompatible'],
    ['v0.0.1-go1.22.0.linux-amd64', 'v0.0.1-go1.22.0.linux-amd64'],
  ];
  for (const [version, escaped] of good) {
    t.equal(escapeVersion(version), escaped, version);
    t.equal(unescapeVersion(escaped), version, escaped);
  }
  for (const version of [
    '',
    'v1',
    'v1.0.0+meta',
    'v1.0.0#x%2f',
    'v1.0.0?x',
    'latest',
    'master',
    '../v1.0.0',
    'v1.0.0/go.mod',
    'v1.0.0 ',
  ]) {
    t.throws(() => checkVersion(version), { code: 'VERSION_MALFORMED' }, version);
    t.throws(() => escapeVersion(version), { code: 'VERSION_MALFORMED' }, `escape ${version}`);
    t.throws(() => unescapeVersion(version), { code: 'VERSION_MALFORMED' }, `unescape ${version}`);
  }
  for (const escaped of ['v1.0.0-RC', 'v1.0.0-!', 'v1.0.0-!1']) {
    t.throws(() => unescapeVersion(escaped), { code: 'VERSION_MALFORMED' }, `unescape ${escaped}`);
  }
  t.end();
});

t.test('module@version', (t) => {
  t.equal(formatModuleVersion('example.com/A', 'v1.0.0'), 'example.com/A@v1.0.0');
  t.same(parseModuleVersion('example.com/A@v1.0.0'), { module: 'example.com/A', version: 'v1.0.0' });
  t.equal(lookupPath('example.com/A', 'v1.0.0-B'), '/lookup/example.com/!a@v1.0.0-!b');
  t.equal(
    lookupPath('example.com/a/v3', 'v1.0.0+incompatible'),
    '/lookup/example.com/a/v3@v1.0.0+incompatible',
    'the major version is not compared',
  );
  const bad: [string, string][] = [
    ['example.com/a', 'VERSION_MALFORMED'],
    ['example.com/a@', 'VERSION_MALFORMED'],
    ['example.com/a@latest', 'VERSION_MALFORMED'],
    ['example.com/a@v1.0.0@v1.0.0', 'VERSION_MALFORMED'],
    ['@v1.0.0', 'MODULE_PATH_MALFORMED'],
    ['example@v1.0.0', 'MODULE_PATH_MALFORMED'],
  ];
  for (const [text, code] of bad) t.throws(() => parseModuleVersion(text), { code }, text);
  t.throws(() => lookupPath('example.com/a', 'v1.0.0#x%2f'), { code: 'VERSION_MALFORMED' });
  t.throws(() => lookupPath('example.com/a?', 'v1.0.0'), { code: 'MODULE_PATH_MALFORMED' });
  t.end();
});

t.test('names that are longer than any that is looked at in one go', (t) => {
  const long = 'a'.repeat(600);
  for (const path of [long, `example.com/${long}!`, `-example.com/${long}`, `example.com//${long}`, `${long}.com/é`, `example.com/${long}.`]) {
    // whatever name stood in its place before
    checkModulePath('example.com/good');
    t.throws(() => checkModulePath(path), { code: 'MODULE_PATH_MALFORMED' }, path.slice(0, 20));
    t.throws(() => unescapeModulePath(path), { code: 'MODULE_PATH_MALFORMED' });
  }
  checkVersion('v1.0.0');
  for (const version of [long, `v1.0.0-${long}!`, `v1.0.0-${long}..1`]) t.throws(() => checkVersion(version), { code: 'VERSION_MALFORMED' });
  checkModulePath(`example.com/${long}`);
  checkVersion(`v1.0.0-${long}`);
  t.end();
});
