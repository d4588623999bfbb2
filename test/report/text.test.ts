/** What a person reads: whole texts at 80 columns, and what holds of every text whatever a go.sum has in it. */

import t from 'tap';
import { stripVTControlCharacters } from 'node:util';

import { columns, wrap } from '../../src/report/layout.js';
import { privatePatterns } from '../../src/report/private.js';
import { formatText } from '../../src/report/text.js';
import { h1, OPTIONS, runOf, SAMPLES, verdict } from './samples.js';

/** Whole reports, line by line. */
const GOLDEN: Readonly<Record<string, readonly string[]>> = {
  "verified": [
    'log       sum.golang.org, proved anew from the cache; nothing was asked',
    'tree      38123456 records, hash paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=',
    'history   consistent with the tree seen before',
    'verified  all 3 lines of go.sum; 2 module versions, all from the cache',
    '',
  ],
  "first contact, two files": [
    'log       sum.golang.org, by https://sum.golang.org',
    'tree      38123456 records, hash paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=',
    'history   first contact: no earlier tree to compare with (see --trusted-head)',
    'verified  all 4 lines in 2 files; 3 module versions, none from the cache',
    '',
  ],
  "a problem of the run alone": [
    'log       sum.golang.org, by https://proxy.example/sumdb/sum.golang.org',
    'tree      38123456 records, hash paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=',
    'history   consistent with the tree seen before',
    'verified  all 3 lines of go.sum; 2 module versions, none from the cache',
    'problem   the log shows a tree of 5, the trusted head is of 9; try again later',
    'result    INCOMPLETE, exit 3',
    '',
  ],
  "tiles that are gone": [
    'NO ANSWER  2 lines: the checksum database could not be asked',
    '',
    '  reading https://x.example/tile/8/…: 404 Not Found (UNREACHABLE)',
    '    rsc.io/quote v1.5.2    go.sum:1',
    '    rsc.io/sampler v1.3.0  go.sum:2',
    '',
    '  No answer came, or none of the right form. This says nothing about them: they',
    '  remain unchecked.',
    '  - Ask again.',
    '  - Look at the network and at the way that is set:',
    '      go env GOPROXY GOSUMDB',
    '  - Trying again may help. With a cache only the rest is asked for.',
    '',
    'log       sum.golang.org, by https://proxy.example/sumdb/sum.golang.org',
    'tree      38123456 records, hash paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=',
    'history   consistent with the tree seen before',
    'verified  0 of 2 lines of go.sum; 2 module versions, none from the cache',
    'result    INCOMPLETE, exit 3: 2 lines without an answer',
    '',
  ],
  "mismatch": [
    'MISMATCH  1 line: the hash is not the one that the checksum database has',
    '',
    '  golang.org/x/text v0.3.0/go.mod',
    '    go.sum:2       h1:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB=',
    '    log, record 3  h1:CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC=',
    '',
    '  The log holds the hash that everybody else is given. Either this line was',
    '  changed (by hand, by a bad merge, or by an attacker), or the module was',
    '  changed at its origin after it was published.',
    '  - Do not build or release from this file. See who changed the line, and why:',
    '      git blame -L2,2 -- go.sum',
    '  - If the change cannot be explained, take it for an attack: restore the file',
    '    from a revision that you trust.',
    '  - If it was a mistake, or the line never changed, delete it and have it made',
    '    anew; the go command then asks the log itself:',
    '      go clean -modcache',
    '      go mod tidy',
    '  - If that ends in a checksum mismatch, the origin no longer serves what was',
    '    published: tell its authors, and use another version.',
    '',
    'log       sum.golang.org, by https://proxy.example/sumdb/sum.golang.org',
    'tree      38123456 records, hash paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=',
    'history   consistent with the tree seen before',
    'verified  2 of 3 lines of go.sum; 2 module versions, none from the cache',
    'result    FAILED, exit 1: 1 line mismatched',
    '',
  ],
  "conflict": [
    'CONFLICT  4 lines: the same module version has different hashes',
    '',
    '  golang.org/x/text v0.3.0',
    '    go.sum:1       h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
    '    go.sum:2       h1:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB=',
    '    log, record 3  h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
    '  rsc.io/quote v1.5.2',
    '    go.sum:9',
    '      h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
    '    a/path/that/is/long/enough/to/leave/no/room/for/a/hash/beside/it/go.sum:7',
    '      h1:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB=',
    '',
    '  Which of the lines the go command believes depends on their order. At most one',
    '  of them can be right.',
    '  - Keep the line that the log has, and delete the other. See where that one',
    '    came from:',
    '      git blame -L2,2 -L9,9 -- go.sum',
    '',
    'UNKNOWN HASH  1 line: the hash is of no kind that the go command knows',
    '',
    '  rsc.io/sampler v1.3.0',
    '    go.sum:12  h2:whatever',
    '',
    '  The go command knows only hashes that begin with h1:. Such a line holds the',
    '  module to nothing.',
    '  - See who put it there, and why:',
    '      git blame -L12,12 -- go.sum',
    '  - Delete the line and have it made anew:',
    '      go mod tidy',
    '',
    'log       sum.golang.org, by https://proxy.example/sumdb/sum.golang.org',
    'tree      38123456 records, hash paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=',
    'history   consistent with the tree seen before',
    'verified  0 of 5 lines in 2 files; 3 module versions, none from the cache',
    'result    FAILED, exit 1: 4 lines in conflict, 1 line with an unknown hash',
    '',
  ],
  "missing": [
    'NOT IN THE LOG  5 lines: the checksum database does not know this module version',
    '',
    '  not found (NOT_FOUND)',
    '    github.com/acme/api v1.2.0          go.sum:1-2',
    '    git.corp.example/team/tools v0.1.0  go.sum:3',
    '    example.com/closed/x v1.0.0         go.sum:6',
    '    example.com/open v1.9.9             go.sum:7',
    '',
    '  The log was asked by name and answered that it has no such module version.',
    '  Asking again will not help.',
    '  - For a private module that is normal. Keep such names on this machine (the',
    '    log was just asked for them), and out of the check; in CI set the same',
    '    variable in the environment of the job. Mind what GOPRIVATE has already:',
    '    this replaces it.',
    '      go env -w GOPRIVATE=example.com/closed,git.corp.example,github.com/acme',
    '  - For a public module it is not normal: the version was gone from its origin,',
    '    or never there, when the log was first asked. Look at the path and the',
    '    version letter by letter before you build with it.',
    '',
    'log       sum.golang.org, by https://proxy.example/sumdb/sum.golang.org',
    'tree      38123456 records, hash paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=',
    'history   consistent with the tree seen before',
    'verified  2 of 7 lines of go.sum; 6 module versions, none from the cache',
    'result    MISSING, exit 4: 5 lines not in the log',
    '',
  ],
  "skipped": [
    'SKIPPED  4 lines: not checked, on purpose',
    '',
    '  matches GOPRIVATE pattern corp.example (SKIPPED_PRIVATE)',
    '    2 module versions  go.sum:2-4',
    '  the go command drops this line: the hash of an empty go.mod',
    '  (SKIPPED_EMPTY_GOMOD)',
    '    1 module version  go.sum:9',
    '',
    'log       sum.golang.org, by https://proxy.example/sumdb/sum.golang.org',
    'tree      38123456 records, hash paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=',
    'history   consistent with the tree seen before',
    'verified  1 of 5 lines of go.sum; 1 module version, none from the cache',
    'skipped   4 lines, on purpose: nothing is known of them',
    '',
  ],
  "all skipped": [
    'SKIPPED  1 line: not checked, on purpose',
    '',
    '  matches GOPRIVATE pattern corp.example (SKIPPED_PRIVATE)',
    '    1 module version  go.sum:2',
    '',
    'log       sum.golang.org, not asked',
    'tree      none: no signed tree head was had',
    'history   the log was not asked',
    'verified  0 of 1 line of go.sum; 0 module versions, none from the cache',
    'skipped   1 line, on purpose: nothing is known of them',
    'result    NOTHING CHECKED, exit 2',
    '',
  ],
  "incomplete": [
    'NO ANSWER  16 lines: the checksum database could not be asked',
    '',
    '  https://proxy.example: connection refused (UNREACHABLE)',
    '    example.com/m0 v1.0.0       go.sum:2',
    '    example.com/m1 v1.0.0       go.sum:3',
    '    example.com/m2 v1.0.0       go.sum:4',
    '    example.com/m3 v1.0.0       go.sum:5',
    '    example.com/m4 v1.0.0       go.sum:6',
    '    example.com/m5 v1.0.0       go.sum:7',
    '    example.com/m6 v1.0.0       go.sum:8',
    '    example.com/m7 v1.0.0       go.sum:9',
    '    example.com/m8 v1.0.0       go.sum:10',
    '    example.com/m9 v1.0.0       go.sum:11',
    '    and 4 module versions more  go.sum:12-15',
    '  not in the cache, and the run is offline (OFFLINE)',
    '    example.com/z v1.0.0  go.sum:20-21',
    '',
    '  No answer came, or none of the right form. This says nothing about them: they',
    '  remain unchecked.',
    '  - Look at the network and at the way that is set:',
    '      go env GOPROXY GOSUMDB',
    '  - What is not in the cache needs the network: run once without --offline.',
    '  - Trying again may help for 14 lines of 16.',
    '',
    'NOT CHECKED  1 line: the check could not be made',
    '',
    '  interrupted (INTERRUPTED)',
    '    example.com/y v1.0.0  go.sum:22',
    '',
    '  The check did not get as far as an answer. This says nothing about them: they',
    '  remain unchecked.',
    '  - Trying again may help. With a cache only the rest is asked for.',
    '',
    'log       sum.golang.org, by https://proxy.example/sumdb/sum.golang.org',
    'tree      38123456 records, hash paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=',
    'history   consistent with the tree seen before',
    'verified  1 of 18 lines of go.sum; 17 module versions, none from the cache',
    'result    INCOMPLETE, exit 3: 16 lines without an answer, 1 line not checked',
    '',
  ],
  "unproved": [
    'NOT PROVED  1 line: the answer does not authenticate',
    '',
    '  tile/8/0/005: its hash is not the one in its parent (TILE_MISMATCH)',
    '    example.com/z v1.0.0  go.sum:2',
    '',
    '  An answer came, and its signature, tile or record is not what the signed tree',
    '  demands. That accuses nobody: any proxy on the way can cause it.',
    '  - Do not build with these versions. Go past the proxy: run again with',
    '    GOPROXY=direct in the environment.',
    '  - If that helps, tell those who run the proxy.',
    '',
    'log       sum.golang.org, by https://proxy.example/sumdb/sum.golang.org',
    'tree      38123456 records, hash paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=',
    'history   consistent with the tree seen before',
    'verified  1 of 2 lines of go.sum; 2 module versions, none from the cache',
    'result    FAILED, exit 1: 1 line unproved',
    '',
  ],
  "fork": [
    'FORK  1 line: the checksum database has signed two trees that cannot both be',
    '      true',
    '',
    '  the log misbehaves (FORK)',
    '    rsc.io/quote v1.5.2  go.sum:1',
    '',
    'old database:',
    '	go.sum database tree',
    '	5',
    '\\u003a:error::not a command',
    '\\u001b[2Jnew database:',
    '	\\u003a:<6> ```',
    '',
    '  The log contradicts what it signed before. That is proof against the log, or',
    '  against whoever has its key, and not against your go.sum. Nothing that this',
    '  log says can be believed until it is explained.',
    '  - Do not build. The evidence is kept on this machine until a person clears it:',
    '      gosumcheck evidence',
    '  - Send it to those who run the log (for sum.golang.org: security@golang.org).',
    '    Anybody can check it offline.',
    '',
    'log       sum.golang.org, by https://sum.golang.org',
    'tree      38123456 records, hash paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=',
    'history   FORK: the log contradicts a tree that it signed before',
    'verified  0 of 1 line of go.sum; 1 module version, none from the cache',
    'result    FAILED, exit 1: 1 line under a log that contradicts itself',
    '',
  ],
  "no lines": [
    'log       sum.golang.org, not asked',
    'tree      none: no signed tree head was had',
    'history   the log was not asked',
    'verified  no lines: there was nothing to check',
    '',
  ],
};

for (const [name, lines] of Object.entries(GOLDEN)) {
  t.test(`text: ${name}`, async (t) => {
    t.equal(formatText(SAMPLES[name]!, OPTIONS), lines.join('\n'));
  });
}

/** A line of one or two words (a place; a module and its version), or a command: none of them may be broken. */
function mayBeLong(line: string): boolean {
  return /^ *(- )?\S+( \S+)?$/.test(line) || /^ {6}(git|go|gosumcheck) /.test(line);
}

t.test('every sample, at 40, 80 and 120 columns', async (t) => {
  for (const [name, run] of Object.entries(SAMPLES)) {
    for (const width of [40, 80, 120]) {
      const text = formatText(run, { ...OPTIONS, width });
      t.notOk(/[^\P{C}\n\t]|\p{Zl}|\p{Zp}/u.test(text), `${name}: nothing in it acts on a terminal`);
      t.notOk(/^\s*::|##\[/m.test(text), `${name}: no command to GitHub's runner`);
      t.ok(text.endsWith('\n') && !text.endsWith('\n\n'), `${name}: ends with one newline`);
      const tooLong = text.split('\n').filter((line) => line.length > width && !mayBeLong(line));
      if (name !== 'hostile') t.same(tooLong, [], `${name} keeps to ${width} columns`);
      t.equal(stripVTControlCharacters(formatText(run, { ...OPTIONS, width, color: true })), text, `${name}: colour changes no text`);
    }
  }
});

t.test('colour', async (t) => {
  const text = formatText(SAMPLES.mismatch!, { ...OPTIONS, color: true });
  t.match(text, `\u001b[31m${h1('B')}\u001b[39m`, 'the file’s hash is red');
  t.match(text, `\u001b[32m${h1('C')}\u001b[39m`, 'the log’s is green');
  t.match(text, '\u001b[1m\u001b[31mMISMATCH\u001b[39m\u001b[22m');
  process.env.NO_COLOR = '1';
  t.equal(formatText(SAMPLES.mismatch!, { ...OPTIONS, color: true }), text, 'the caller has decided');
  delete process.env.NO_COLOR;
});

t.test('what a large run that failed whole leaves out by name is there by line', async (t) => {
  const text = formatText(SAMPLES.many!, OPTIONS);
  t.ok(text.split('\n').length < 60);
  t.match(text, '  and 110 messages more\n    110 module versions  go.sum:11-120\n');
});

t.test('a fork without a line that has it, and a hash that no record is compared with', async (t) => {
  t.match(formatText(runOf([], 1, { fork: 'evidence' }), OPTIONS), /^FORK {2}the checksum .*\n\nevidence\n\n {2}The log contradicts/);
  const unknown = verdict(7, 'rsc.io/quote v1.5.2', { status: 'mismatch', code: 'HASH_UNKNOWN', hash: 'h2:x', record: 9 });
  t.notMatch(formatText(runOf([unknown], 1), OPTIONS), 'log, record');
});

t.test('long things are cut', async (t) => {
  const long = 'x/'.repeat(5000);
  const text = formatText(
    runOf(
      [
        verdict(1, 'rsc.io/quote v1.5.2', { status: 'mismatch', code: 'HASH_UNKNOWN', hash: long }),
        verdict(2, 'rsc.io/quote v1.5.2', { status: 'error', code: 'TIMEOUT', message: long }),
        verdict(3, `${long} v1.5.2`, { status: 'missing', code: 'NOT_FOUND', message: 'not found' }),
      ],
      1,
    ),
    OPTIONS,
  );
  t.same(text.match(/[x/]{20,}…/g)?.map((cut) => cut.length), [64, 200, 300]);
  const many = Array.from({ length: 20 }, (_, i) => ({ ...SAMPLES.mismatch!.results[1]!, line: i + 1 }));
  t.match(formatText(runOf(many, 1), OPTIONS), '      git blame -L1,1 -L2,2 -L3,3 -L4,4 -L5,5 -L6,6 -L7,7 -L8,8 -- go.sum\n');
});

t.test('the GOPRIVATE line', async (t) => {
  const gone = { status: 'missing', code: 'NOT_FOUND', record: undefined } as const;
  const patterns = (missing: string[], ...known: string[]): string[] =>
    privatePatterns(runOf([...missing.map((path, i) => verdict(i + 1, `${path} v1.0.0`, gone)), ...known.map((path, i) => verdict(i + 50, `${path} v1.0.0`))], 4));
  const cases: [name: string, missing: string[], known: string[], want: string[]][] = [
    ['a host', ['git.corp.example/a/b', 'git.corp.example/c'], [], ['git.corp.example']],
    ['an owner of a shared host', ['github.com/acme/a', 'github.com/acme/b/v2', 'gitlab.com/x/y'], [], ['github.com/acme', 'gitlab.com/x']],
    ['grows past what the log knows', ['example.com/a/x', 'example.com/a/y'], ['example.com/b'], ['example.com/a']],
    ['grows to the whole path', ['example.com/a/x'], ['example.com/a/y'], ['example.com/a/x']],
    ['one covers all that it may', ['example.com/a', 'example.com/a/b/c', 'example.com/d/e'], ['example.com/d/f'], ['example.com/a', 'example.com/d/e']],
    ['a module that the log knows is public', ['example.com/a'], ['example.com/a'], []],
    ['not by part of an element', ['example.com/ab/x'], ['example.com/abc'], ['example.com/ab']],
    ['nothing that a shell or a glob reads', ['example.com/$(id)', 'a.example/*', '-x.example/a', 'b.example/a,b'], [], []],
  ];
  for (const [name, missing, known, want] of cases) t.same(patterns(missing, ...known), want, name);

  const edited = verdict(9, 'git.corp.example/open v1.0.0', { status: 'mismatch', expected: h1('C'), record: 3 });
  t.same(privatePatterns(runOf([verdict(1, 'git.corp.example/x v1.0.0', gone), edited], 1)), ['git.corp.example/x'], 'a wrong line is of a known module');

  const text = (settings: typeof OPTIONS.private): string => formatText(SAMPLES.missing!, { ...OPTIONS, private: settings });
  t.match(text({ variable: 'GOPRIVATE', value: 'a.example' }), '      go env -w GOPRIVATE=a.example,example.com/closed,git.corp.example,github.com/acme\n');
  t.match(text({ variable: 'GONOSUMDB', value: 'b.example' }), '      go env -w GONOSUMDB=b.example,example.com/closed,git.corp.example,github.com/acme\n');
  t.notMatch(text({ variable: 'GOPRIVATE', value: '' }), /replaces it/);
  t.match(text({ variable: 'GOPRIVATE', value: 'a\u001b[2J' }), 'GOPRIVATE=a\\u001b[2J,');
});

t.test('layout', async (t) => {
  t.same(wrap('aa bb cc dd', 8, '- ', '  '), ['- aa bb', '  cc dd']);
  t.same(wrap('aa bbbbbbbbbb c', 6, '  '), ['  aa', '  bbbbbbbbbb', '  c'], 'a long word is not broken');
  t.same(wrap('bbbbbbbbbb c', 6, '  '), ['  bbbbbbbbbb', '  c']);
  t.same(wrap('', 6, '  '), ['  ']);
  const rows = [{ label: 'a', value: '1234' }, { label: 'bbb', value: '5' }];
  t.same(columns(rows, 10, ' '), [' a    1234', ' bbb  5']);
  t.same(columns(rows, 9, ' '), [' a', '   1234', ' bbb', '   5'], 'a table that does not fit');
});

t.test('git blame names only files that a shell takes as they are', async (t) => {
  const run = (file: string): string => formatText(runOf([{ ...SAMPLES.mismatch!.results[1]!, file }], 1), OPTIONS);
  t.match(run('a/go.sum'), '      git blame -L2,2 -- a/go.sum\n');
  for (const file of ['-', '-rf', 'a b/go.sum', '$(id)/go.sum', 'a;b', 'a\nb']) t.notMatch(run(file), 'git blame', file);
});
