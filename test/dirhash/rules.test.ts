/** The rules of module zips, rule by rule. That they are Go's, test/differential.test.ts shows. */

import t from 'tap';
import { fileNameFlaw, foldCase } from '../../src/dirhash/filename.js';
import { checkZipRules, moduleOfName, type ZipRuleEntry } from '../../src/dirhash/rules.js';

const MODULE = { module: 'example.com/m', version: 'v1.2.3' };
const MIB = 2 ** 20;

/** Entries of one byte, or of the size behind the name, under the prefix. */
function entries(...names: (string | [string, number])[]): ZipRuleEntry[] {
  return names.map((named) => {
    const [name, size] = typeof named === 'string' ? [named, 1] : named;
    return { name: `example.com/m@v1.2.3/${name}`, nameIsUtf8: true, size };
  });
}

/** `RULE name` of each violation, without the prefix. */
function broken(zip: readonly ZipRuleEntry[], zipSize = 1000, module: typeof MODULE | undefined = MODULE): string[] {
  return checkZipRules(zip, zipSize, module).map(({ rule, name }) => `${rule} ${name?.replace('example.com/m@v1.2.3/', '') ?? '-'}`);
}

t.test('what Go takes', (t) => {
  const good: [string, ZipRuleEntry[]][] = [
    ['nothing', []],
    ['files', entries('go.mod', 'LICENSE', 'a.go', 'a/b.go', 'A.md')],
    ['in any order', entries('b', 'a/x', 'a/', 'a/y', '')],
    ['folders, named several times', entries('', 'a/', 'a/', 'a/b/', 'a/b/c', '')],
    ['letters of all kinds, and spaces', entries('straße/été.go', 'ЯЩИК', '日本 語', '[x]{y}~1')],
    ['go.mod in the name of a folder', entries('go.mod/x.go')],
    ['a dash first', entries('-a/-b')],
    ['a device only in part', entries('con1', 'xcon', 'a.con', 'com0')],
    ['the largest sizes', entries(['go.mod', 16 * MIB], ['LICENSE', 16 * MIB], ['a', 468 * MIB], ['b/', 9000 * MIB])],
    ['LICENSE elsewhere', entries(['a/LICENSE', 17 * MIB], ['License', 17 * MIB])],
    ['letters that are near one in case, and none', entries('i', 'ı', 'ß', 'ss', 'ŉ')],
  ];
  for (const [name, zip] of good) t.same(broken(zip), [], name);
  t.same(broken(entries('a'), 500 * MIB), []);
  t.end();
});

t.test('each rule', (t) => {
  const bad: [string, ZipRuleEntry[], string[]][] = [
    ['PREFIX: foreign', [...entries('a'), { name: 'example.com/m@v1.2.4/b', nameIsUtf8: true, size: 1 }], ['PREFIX example.com/m@v1.2.4/b']],
    ['PREFIX: absolute', [{ name: '/example.com/m@v1.2.3/b', nameIsUtf8: true, size: 1 }], ['PREFIX /b']],
    ['PREFIX: without its slash', [{ name: 'example.com/m@v1.2.3', nameIsUtf8: true, size: 1 }], ['PREFIX example.com/m@v1.2.3']],
    ['PREFIX: empty', [{ name: '', nameIsUtf8: true, size: 1 }], ['PREFIX ']],
    ['NAME: upwards', entries('../a', 'a/../b', 'b/..'), ['NAME ../a', 'NAME a/../b', 'NAME b/..']],
    ['NAME: empty elements', entries('/', '/a', 'a//b', 'a//'), ['NAME /', 'NAME /a', 'NAME a//b', 'NAME a//']],
    ['NAME: dots', entries('./a', 'a.', 'b./b', '...'), ['NAME ./a', 'NAME a.', 'NAME b./b', 'NAME ...']],
    ['NAME: characters', entries('a\\b', 'a:b', 'a\nb', '☻', 'a`', "a'"), ['NAME a\\b', 'NAME a:b', 'NAME a\nb', 'NAME ☻', 'NAME a`', "NAME a'"]],
    ['NAME: NUL, which is like no slash', entries('a\0b', 'a/b', 'x', 'x'), ['NAME a\0b', 'DUPLICATE x']],
    ['NAME: letters too new for Go', entries('\u{2ebf0}', '\u1c8a'), ['NAME \u{2ebf0}', 'NAME \u1c8a']],
    ['NAME: devices', entries('NUL', 'con.txt', 'a/Com1/b'), ['NAME NUL', 'NAME con.txt', 'NAME a/Com1/b']],
    ['NAME: not UTF-8', entries('a\ufffd', 'a\ufffd').map((entry) => ({ ...entry, nameIsUtf8: false })), ['NAME a\ufffd', 'NAME a\ufffd']],
    ['DUPLICATE', entries('a', 'b', 'a', 'a'), ['DUPLICATE a', 'DUPLICATE a']],
    ['DUPLICATE: of a bad name too', entries('../a', '../a'), ['NAME ../a', 'NAME ../a', 'DUPLICATE ../a']],
    ['DUPLICATE: with another case between', entries('a', 'A', 'a'), ['DUPLICATE a', 'CASE_COLLISION A']],
    ['CASE_COLLISION', entries('a/B', 'x', 'a/b'), ['CASE_COLLISION a/b']],
    ['CASE_COLLISION: of folders', entries('a/x', 'A/y', 'z'), ['CASE_COLLISION A/y']],
    ['CASE_COLLISION: far apart in the alphabet', entries('Kelvin', '\u212aelvin', 'ſ', 's', 'σς', 'ΣΣ'), ['CASE_COLLISION \u212aelvin', 'CASE_COLLISION s', 'CASE_COLLISION ΣΣ']],
    ['CASE_COLLISION: with characters that sort before the slash', entries('a/x', 'a b', 'a!', 'A/y'), ['CASE_COLLISION A/y']],
    ['FILE_AND_FOLDER', entries('a', 'a/b'), ['FILE_AND_FOLDER a/b']],
    ['FILE_AND_FOLDER: the file last', entries('a/b/c', 'a b', 'a/b'), ['FILE_AND_FOLDER a/b']],
    ['FILE_AND_FOLDER: an entry of the folder', entries('a/', 'a'), ['FILE_AND_FOLDER a']],
    ['GO_MOD_PLACE', entries('a/go.mod', 'a/b/GO.mod'), ['GO_MOD_PLACE a/go.mod', 'GO_MOD_PLACE a/b/GO.mod']],
    ['GO_MOD_CASE', entries('Go.mod'), ['GO_MOD_CASE Go.mod']],
    ['GO_MOD_SIZE', entries(['go.mod', 16 * MIB + 1]), ['GO_MOD_SIZE go.mod']],
    ['LICENSE_SIZE', entries(['LICENSE', 16 * MIB + 1]), ['LICENSE_SIZE LICENSE']],
    ['CONTENT_SIZE', entries(['a', 400 * MIB], ['b', 100 * MIB], ['c', 1]), ['CONTENT_SIZE -']],
    ['several of one entry', entries('x', 'Go.mod', 'go.mod.', 'X', 'X'), ['GO_MOD_CASE Go.mod', 'NAME go.mod.', 'DUPLICATE X', 'CASE_COLLISION X']],
  ];
  for (const [name, zip, want] of bad) t.same(broken(zip).sort(), want.sort(), name);
  t.same(broken(entries('a'), 500 * MIB + 1), ['ZIP_SIZE -']);
  t.end();
});

t.test('messages say with what', (t) => {
  const [violation] = checkZipRules(entries('a/b', 'A/c'), 1, MODULE);
  t.match(violation, { rule: 'CASE_COLLISION', name: 'example.com/m@v1.2.3/A/c', message: /"example\.com\/m@v1\.2\.3\/a\/b"$/ });
  const [first, second] = checkZipRules(entries('zz', 'go.sum', 'zz', '..'), 1, MODULE);
  t.match(checkZipRules([{ name: 'example.com/m@v1.2.3/\ufffd', nameIsUtf8: false, size: 1 }], 1, MODULE), [{ message: 'the name is not UTF-8' }]);
  t.match([first, second], [{ rule: 'DUPLICATE' }, { rule: 'NAME', message: /"\.\."/ }], 'in the order of the entries');
  t.end();
});

t.test('modules', (t) => {
  const of = (module: string, version: string): string[] => broken([], 0, { module, version });
  t.same(of('example.com/m', 'v2.0.0+incompatible'), []);
  t.same(of('example.com/m/v2', 'v2.0.0'), []);
  t.same(of('gopkg.in/check.v1', 'v0.0.0-20161208181325-20d25e280405'), []);
  t.same(of('example.com/m', 'v2.0.0'), ['PREFIX -']);
  t.same(of('example.com/m/v2', 'v3.0.0'), ['PREFIX -']);
  t.same(of('gopkg.in/yaml.v2', 'v1.0.0'), ['PREFIX -']);
  t.throws(() => of('example', 'v1.0.0'), { code: 'MODULE_PATH_MALFORMED' });
  t.throws(() => of('example.com/m', 'v1'), { code: 'VERSION_MALFORMED' });

  t.same(checkZipRules([], 22, undefined), []);
  t.same(checkZipRules(entries('..', 'a', 'a'), 22, undefined).map(({ rule }) => rule), ['PREFIX', 'DUPLICATE'], 'no module');

  t.same(moduleOfName('example.com/M/v2@v2.0.0/a@b/c'), { module: 'example.com/M/v2', version: 'v2.0.0' });
  t.same(moduleOfName('example.com/m@v1.2.3/'), MODULE);
  const none = ['', 'a', 'a/b', 'example.com/m@v1.2.3', 'example/m@v1.2.3/a', 'example.com/m@v1/a', 'example.com/m@v1.2.3@x/a', '/example.com/m@v1.2.3/a', '@v1.2.3/a', '@'];
  for (const name of none) t.equal(moduleOfName(name), undefined, name);
  t.end();
});

t.test('names', (t) => {
  t.equal(fileNameFlaw('a/b'), undefined);
  t.match(fileNameFlaw('a/\u0007'), /"\\u0007"$/, 'safe on a terminal');
  for (const [a, b] of [['K', '\u212a'], ['ß', 'ẞ'], ['ǅ', 'ǆ'], ['\u0345', 'ι'], ['Ꭰ', 'ꭰ'], ['\u{10400}', '\u{10428}'], ['µ', 'Μ']] as const) {
    t.equal(foldCase(a), foldCase(b), a + b);
  }
  for (const [a, b] of [['i', 'ı'], ['I', 'İ'], ['ß', 'ss'], ['ﬅ', 'ﬆ'], ['é', 'e\u0301']] as const) t.not(foldCase(a), foldCase(b), a + b);
  t.end();
});

t.test('many names that collide take no long time', (t) => {
  const deep = 'a/'.repeat(20_000);
  const names = Array.from({ length: 100 }, (_, i) => `${i % 2 === 0 ? deep : deep.toUpperCase()}${i}`);
  const same = Array.from({ length: 60_000 }, (_, i) => (i % 2 === 0 ? 'same' : 'SAME'));
  const since = process.cpuUsage();
  t.equal(broken(entries(...names)).length > 0, true);
  t.equal(broken(entries(...same)).length, 59_999);
  const { user, system } = process.cpuUsage(since);
  t.comment(`${(user + system) / 1000} ms`);
  t.ok(user + system < 8e6, 'of the processor, whatever else it does');
  t.end();
});
