import t from 'tap';
import { matchGlob, matchingPattern, patternMatcher, patternWarnings } from '../../src/core/pattern.js';

t.test('globs, as path.Match', (t) => {
  const cases: [glob: string, name: string, matches: boolean][] = [
    ['', '', true],
    ['', 'a', false],
    ['abc', 'abc', true],
    ['abc', 'abcd', false],
    ['bc', 'abc', false],
    ['*', '', true],
    ['*', 'abc', true],
    ['*', 'a/b', false],
    ['**', 'abc', true],
    ['**c', 'abc', true],
    ['**c', 'abd', false],
    ['*c', 'abc', true],
    ['*c', 'abcc', true],
    ['a*', 'a', true],
    ['a*', 'ab/c', false],
    ['a*/b', 'abc/b', true],
    ['a*/b', 'a/c/b', false],
    ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
    ['a*b*c*d*e*/f', 'axbxcxdxexxx/fff', false],
    ['a*b?c*x', 'abxbbxdbxebxczzx', true],
    ['a*b?c*x', 'abxbbxdbxebxczzy', false],
    ['?', 'a', true],
    ['?', '/', false],
    ['?', '', false],
    ['a?b', 'a☺b', true],
    ['a??b', 'a☺b', false],
    ['ab[c]', 'abc', true],
    ['ab[b-d]', 'abc', true],
    ['ab[e-g]', 'abc', false],
    ['ab[^c]', 'abc', false],
    ['ab[^e-g]', 'abc', true],
    ['a[^a]b', 'a/b', true], // Go's class may match a slash
    ['[^a]', '', false],
    ['[ab-]', 'a', false],
    ['[\\]a]', ']', true],
    ['[\\-]', '-', true],
    ['[x\\-]', '-', true],
    ['[\\--a]', '/', true],
    ['[*]', '*', true],
    ['a[x*]b', 'a*b', true],
    ['a]b', 'a]b', true],
    ['[[]*', '[x', true],
    ['[☺-☻]', '☻', true],
    ['[ -é]', 'é', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['\\é', 'é', true],
    ['😀', '😀', true],
    ['[😀]', '😀', true],
    ['[^a]', '😀', true],
    // byte by byte: a star may stop inside a character
    ['*??', '€', true],
    ['*?', 'é', true],
    ['*[�]', 'é', true],
    // malformed, whatever the name
    ['[', 'a', false],
    ['[]', '', false],
    ['[]a]', ']', false],
    ['[a', 'a', false],
    ['[^', 'a', false],
    ['[^bc', 'a', false],
    ['[-]', '-', false],
    ['[-x]', '-', false],
    ['[x-]', 'x', false],
    ['[a-b-c]', 'a', false],
    ['a[', 'a', false],
    ['a\\', 'a', false],
    ['*a[', 'b', false],
  ];
  for (const [glob, name, matches] of cases) t.equal(matchGlob(glob, name), matches, `${glob} : ${name}`);
  t.end();
});

t.test('the pattern that keeps a module private', (t) => {
  const cases: [globs: string, target: string, found: string | undefined][] = [
    ['', '', undefined],
    [',', '/x', undefined],
    ['', 'rsc.io/x', undefined],
    ['a[x/]b', 'axb', undefined], // a slash counts, even in a class
    ['rsc.io', 'rsc.io/x', 'rsc.io'],
    ['rsc.io', 'rsc.io', 'rsc.io'],
    ['rsc', 'rsc.io/x', undefined],
    ['rsc.io/x', 'rsc.io', undefined],
    ['rsc.io/x', 'rsc.io/xy', undefined],
    ['none', 'rsc.io/x', undefined],
    ['*', 'rsc.io/x/y', '*'],
    ['*/x', 'rsc.io/x/y', '*/x'],
    ['*.corp.example,rsc.io/private', 'git.corp.example/a', '*.corp.example'],
    ['*.corp.example,rsc.io/private', 'rsc.io/private/b', 'rsc.io/private'],
    ['*.corp.example', 'corp.example/a', undefined],
    [',,rsc.io/,', 'rsc.io/x', 'rsc.io'],
    ['rsc.io//', 'rsc.io/x', undefined],
    ['/', 'rsc.io/x', undefined],
    ['a.com, b.com', 'b.com/x', undefined],
    ['[,rsc.io', 'rsc.io/x', 'rsc.io'],
    ['rsc.io/[x,rsc.io', 'rsc.io/x', 'rsc.io'],
  ];
  for (const [globs, target, found] of cases) t.equal(matchingPattern(globs, target), found, `${globs} : ${target}`);
  t.end();
});

t.test('patterns that never match are named', (t) => {
  const quiet = ['', 'none', 'a.com,*.b.com/x', 'a.com,', 'a.com, ', 'a.com/', '[ab].com/?', 'a.com/\\x'];
  for (const globs of quiet) t.same(patternWarnings(globs), [], globs);
  const loud: [globs: string, quoted: string][] = [
    ['a.com, b.com', '" b.com"'],
    ['a.com ,b.com', '"a.com "'],
    ['a.com b.com', '"a.com b.com"'],
    ['a.com,\u00a0b.com/', '"\\u00a0b.com"'],
    ['https://git.example', '"https://git.example"'],
    ['a.com,[b', '"[b"'],
  ];
  for (const [globs, quoted] of loud) {
    const warnings = patternWarnings(globs);
    t.equal(warnings.length, 1, globs);
    t.match(warnings[0], `the pattern ${quoted} never matches: `, globs);
  }
  t.end();
});

t.test('one matcher for many names gives what a new one gives for each', (t) => {
  const globs = '*.example.com,example.org/[ab]*,example.net/team,*/x/y';
  const one = patternMatcher(globs);
  const names = Array.from({ length: 10_000 }, (_, i) => {
    const host = ['a.example.com', 'example.com', `h${i}.example.com`, 'example.org', 'example.net'][i % 5]!;
    return `${host}${['', '/a', '/b/c', '/team', '/teams', '/x/y', '/x/yy'][i % 7]!}`;
  });
  const differ = names.filter((name) => one(name) !== matchingPattern(globs, name));
  t.strictSame(differ, []);
  t.ok(new Set(names.map(one)).size === 5, 'each glob, and none');
  t.end();
});
