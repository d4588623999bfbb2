import t from 'tap';
import { checkModulePath, checkVersion } from '../../src/core/module.js';
import { isPlainPath, isPlainVersion } from '../../src/core/plainname.js';
import { checkRecordForm } from '../../src/core/recordform.js';
import { encodeUtf8 } from '../../src/core/text.js';

const A = 'h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
const B = 'h1:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=';

t.test('a record has the two lines of one module version', (t) => {
  const lines = [`example.com/a v1.0.0 ${A}\n`, `example.com/a v1.0.0/go.mod ${B}\n`];
  for (const text of [lines.join(''), lines.toReversed().join('')]) {
    t.strictSame(checkRecordForm(encodeUtf8(text)), { module: 'example.com/a', version: 'v1.0.0' });
  }
  const bad: readonly (readonly [text: string, code: string])[] = [
    ['', 'RECORD_MALFORMED'],
    [lines.join('').trimEnd(), 'RECORD_MALFORMED'],
    [lines.join('\n'), 'RECORD_MALFORMED'],
    [lines[0]!, 'RECORD_MALFORMED'],
    [lines[1]!, 'RECORD_MALFORMED'],
    [lines.join('') + lines[0]!, 'RECORD_MALFORMED'],
    [lines.join('').replace(' v1', '  v1'), 'RECORD_MALFORMED'],
    [lines.join('').replaceAll(' v1', '\tv1'), 'RECORD_MALFORMED'],
    [lines.join('').replace('1.0.0/', '1.0.1/'), 'RECORD_FOREIGN'],
    [lines.join('').replace('com/a v1.0.0/', 'com/b v1.0.0/'), 'RECORD_FOREIGN'],
    [lines.join('') + lines[0]!.replace(A, B), 'RECORD_CONFLICT'],
    [lines.join('').replace(B, B.slice(0, -2) + '9='), 'HASH_UNKNOWN'],
    [lines.join('').replace(A, 'h1:'), 'HASH_UNKNOWN'],
    [lines.join('').replaceAll('v1.0.0', 'v1.0'), 'VERSION_MALFORMED'],
    [lines.join('').replaceAll('example.com/a', 'example'), 'MODULE_PATH_MALFORMED'],
  ];
  for (const [text, code] of bad) t.throws(() => checkRecordForm(encodeUtf8(text)), { code }, JSON.stringify(text));
  t.throws(() => checkRecordForm(Uint8Array.of(0xff, 0x0a)), { code: 'RECORD_MALFORMED' });
  t.end();
});

t.test('what is plainly good is good', (t) => {
  const paths = [
    'github.com/a/b', 'golang.org/x/mod', 'example.com', 'k8s.io/api', 'github.com/Azure/azure-sdk-for-go/sdk/v2', 'x.y/a.b/c_d/v9', 'rsc.io/quote/v3',
    'example.com/cli/auth/comx',
  ];
  for (const path of paths) t.ok(plainPath(path) && passes(() => checkModulePath(path)), path);
  const doubtful = [
    'example', 'Example.com/a', '-x.com/a', 'example.com/', '/a', 'example.com//a', 'example.com/.a', 'example.com/a.', 'example.com/a..b', 'example.com/a~1', 'example.com/a b',
    'example.com/con', 'example.com/a/com', 'example.com/CON', 'example.com/aux.go', 'example.com/com1', 'example.com/Lpt9.x', 'nul.com/a', 'example.com/a/v1', 'example.com/a/v0', 'example.com/a/v1.2',
    'example.com/a/v02', 'gopkg.in/a', 'gopkg.in/yaml.v2', 'example.com/ü', 'example.com/a/v10', '', '.', 'exam_ple.com/a',
  ];
  for (const path of doubtful) t.notOk(plainPath(path), path);
  const versions = ['v0.0.0', 'v1.2.3', 'v10.20.30', 'v2.0.0+incompatible', 'v0.0.0-20190101000000-0123456789ab', 'v1.2.3-0.20190101000000-0123456789ab', 'v1.0.0-rc.1', 'v1.0.0-pre2', 'v3.0.0-20190101000000-0123456789ab+incompatible'];
  for (const version of versions) t.ok(plainVersion(version) && passes(() => checkVersion(version)), version);
  const others = ['', 'v', 'v1', 'v1.2', '1.2.3', 'v01.2.3', 'v1.02.3', 'v1.2.03', 'v1.2.3-', 'v1.2.3-rc.', 'v1.2.3-rc.01', 'v1.2.3+meta', 'v1.2.3+incompatible2', 'v1.2.3-2019', 'v1.2.3 ', 'v1.2.3.4', 'v1.2.3-rc..1', 'v1.2.3-RC'];
  for (const version of others) t.notOk(plainVersion(version), version);
  // what stands around it does not matter
  for (const [around, version] of [['v1.2.3-rc.1', 'v1.2.3'], ['v1.2.34', 'v1.2.3'], ['v1.2.3', 'v1.2.']] as const) {
    t.equal(isPlainVersion(encodeUtf8(around), 0, version.length), plainVersion(version));
  }
  t.end();
});

t.test('made of the pieces that names are made of, by chance', (t) => {
  let state = 1;
  const pick = (pieces: readonly string[]): string => pieces[(state = (state * 48271) % 2147483647) % pieces.length] ?? '';
  const pathPieces = ['a', 'B', '1', '.', '/', '-', '_', '~', 'con', 'com1', 'v2', 'v1', '/v', 'x.y', 'gopkg.in/', 'ü', ' ', 'aux'];
  const versionPieces = ['v', '1', '0', '.', '-', '+', 'incompatible', '20190101000000', '0123456789ab', 'rc', 'v1.2.3', '-0.', 'A'];
  let [paths, versions] = [0, 0];
  for (let i = 0; i < 60_000; i++) {
    const path = `${pick(['x.y', 'x.y/', 'X.y/', ''])}${Array.from({ length: i % 5 }, () => pick(pathPieces)).join('')}`;
    const version = `${pick(['v1.2.3', 'v0.0.0-', 'v1', ''])}${Array.from({ length: i % 4 }, () => pick(versionPieces)).join('')}`;
    if (plainPath(path) && ++paths > 0 && !passes(() => checkModulePath(path))) t.fail(path);
    if (plainVersion(version) && ++versions > 0 && !passes(() => checkVersion(version))) t.fail(version);
  }
  t.ok(paths > 1000 && versions > 1000, `${paths} paths, ${versions} versions`);
  t.end();
});

function plainPath(path: string): boolean {
  const bytes = encodeUtf8(`/${path}.`);
  return isPlainPath(bytes, 1, bytes.length - 1);
}

function plainVersion(version: string): boolean {
  const bytes = encodeUtf8(`0${version}0`);
  return isPlainVersion(bytes, 1, bytes.length - 1);
}

function passes(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}
