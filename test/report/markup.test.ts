/** The formats that others read as markup: GitHub's runner, JUnit's XML, Markdown; and that no input can be markup in them. */

import t from 'tap';

import { visible, visibleClip, visibleJson, visibleLines } from '../../src/report/escape.js';
import { formatGithub } from '../../src/report/github.js';
import { formatJunit } from '../../src/report/junit.js';
import { formatMarkdown } from '../../src/report/markdown.js';
import { h1, OPTIONS, runOf, SAMPLES, TREE_HASH, verdict } from './samples.js';

t.test('visible', async (t) => {
  const cases: [text: string, want: string][] = [
    ['golang.org/x/text v0.3.0', 'golang.org/x/text v0.3.0'],
    ['grün 日本 a\\b', 'grün 日本 a\\b'],
    ['\u001b[2J\r\n\t\u007f', '\\u001b[2J\\u000d\\u000a\\u0009\\u007f'],
    ['\u009b31m\u202e\u200b\ufeff\u2028', '\\u009b31m\\u202e\\u200b\\ufeff\\u2028'],
    ['\ud800\u{e0001}\ufffe', '\\ud800\\u{e0001}\\ufffe'],
    ['::error::x', '\\u003a:error::x'],
    ['a ::error::x', 'a \\u003a:error::x'],
    ['http://[::1]:80', 'http://[::1]:80'],
    ['a##[error]b', 'a##\\u005berror]b'],
  ];
  for (const [text, want] of cases) t.equal(visible(text), want);
  t.same(visibleLines('a\tb\n\t::c\r'), ['a\tb', '\t\\u003a:c\\u000d']);
  t.equal(visibleClip('abcdef', 6), 'abcdef');
  t.equal(visibleClip('abcdefg', 6), 'abcde…');
  t.equal(visibleClip('😀😀😀', 3), '😀😀😀');
  t.equal(visibleClip('😀😀😀', 2), '😀…');
  t.equal(visibleJson({ a: '\u009b\u{e0001}##[x' }), '{\n  "a": "\\u009b\\udb40\\udc01##\\u005bx"\n}\n');
});

interface Command {
  name: string;
  properties: Record<string, string>;
  message: string;
}

/** The workflow commands that GitHub's runner finds in a log: written from the description of its grammar. */
function commandsIn(log: string): Command[] {
  return log.split('\n').flatMap((line) => {
    if (/##\[[^\]]*\]/.test(line)) return [{ name: '##[', properties: {}, message: line }];
    const [, name, list = '', message = ''] = (/^\s*::(\S+?)(?: (.*?))?::(.*)$/.exec(line) ?? []) as (string | undefined)[];
    if (name === undefined) return [];
    const decode = (text: string): string =>
      text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%25', '%');
    const pairs = list.split(',').map((pair): [string, string] => [pair.slice(0, pair.indexOf('=')), decode(pair.slice(pair.indexOf('=') + 1))]);
    const properties = Object.fromEntries(pairs);
    return [{ name, properties, message: decode(message) }];
  });
}

t.test('github: a mismatch', async (t) => {
  const run = runOf([{ ...SAMPLES.mismatch!.results[1]!, file: 'a,b:c%/go.sum' }], 1);
  const log = formatGithub(run, OPTIONS);
  t.equal(
    log.split('\n')[0],
    '::error file=a%2Cb%3Ac%25/go.sum,line=2,title=gosumcheck%3A the hash is not the one that the checksum database has::' +
      `a,b:c%25/go.sum:2: golang.org/x/text v0.3.0/go.mod: the file has ${h1('B')}, the log has ${h1('C')} (record 3)%0A` +
      'The log holds the hash that everybody else is given. Either this line was changed (by hand, by a bad merge, or by an ' +
      'attacker), or the module was changed at its origin after it was published.',
  );
  t.match(log, '\nresult    FAILED, exit 1: 1 line mismatched\n');
  const [command] = commandsIn(log);
  t.same(command?.properties, {
    file: 'a,b:c%/go.sum',
    line: '2',
    title: 'gosumcheck: the hash is not the one that the checksum database has',
  });
});

t.test('github: the commands are ours alone', async (t) => {
  for (const [name, run] of Object.entries(SAMPLES)) {
    const problems = run.results.filter(({ status }) => status !== 'verified' && status !== 'skipped').length + (run.fork === undefined && run.problem === undefined ? 0 : 1);
    const commands = commandsIn(formatGithub(run, OPTIONS));
    t.equal(commands.length, problems > 10 ? 11 : problems, name);
    for (const { name, properties } of commands) {
      t.ok(['error', 'warning', 'notice'].includes(name));
      t.match(properties.title, /^gosumcheck: /);
    }
    t.notOk(/[^\P{C}\n\t]|\p{Zl}|\p{Zp}/u.test(formatGithub(run, OPTIONS)), `${name}: nothing in it acts on a terminal`);
  }
});

t.test('github: ten annotations, the gravest first, and nothing is lost', async (t) => {
  const many = SAMPLES.many!.results;
  const bad = { ...SAMPLES.mismatch!.results[1]!, line: 500 };
  const exactly = commandsIn(formatGithub(runOf([...many.slice(0, 9), bad], 1), OPTIONS));
  t.equal(exactly.length, 10);
  t.same([exactly[0]?.name, exactly[0]?.properties.line], ['error', '500']);
  t.equal(exactly.filter(({ name }) => name === 'notice').length, 0);

  const log = formatGithub(runOf([...many.slice(0, 12), bad], 1), OPTIONS);
  const commands = commandsIn(log);
  t.same(commands.map(({ name }) => name), ['error', ...Array.from({ length: 9 }, () => 'warning'), 'notice']);
  t.equal(commands.at(-1)?.message, '3 more problems: see the log of this step');
  t.match(
    log,
    '\n3 more problems:\n' +
      '- go.sum:10: example.com/m9 v1.0.0: not found: m9\n' +
      '- go.sum:11: example.com/m10 v1.0.0: not found: m10\n' +
      '- go.sum:12: example.com/m11 v1.0.0: not found: m11\n',
  );
});

t.test('a problem of the run alone is said where there is no line to say it of', async (t) => {
  const run = SAMPLES['a problem of the run alone']!;
  const message = 'the log shows a tree of 5, the trusted head is of 9';
  t.same(commandsIn(formatGithub(run, OPTIONS)).map((command) => [command.name, command.message]), [['warning', message]]);
  const failed = elementsOf(formatJunit(run, OPTIONS)).filter(({ name }) => name === 'error');
  t.same(failed.map(({ attributes }) => attributes), [{ type: 'HEAD_TOO_OLD', message }]);
  t.match(formatMarkdown(run, OPTIONS), `\nproblem   ${message}; try again later\n`);
  // where a line or the fork itself says it, it is not said again
  for (const [name, code] of [['tiles that are gone', 'UNREACHABLE'], ['fork', 'FORK']] as const) {
    const told = { ...SAMPLES[name]!, problem: { code, message } };
    for (const report of [formatMarkdown(told, OPTIONS), formatJunit(told, OPTIONS), formatGithub(told, OPTIONS)]) t.notMatch(report, message, name);
  }
});

t.test('github: no file where there is none to show', async (t) => {
  const commands = commandsIn(formatGithub(SAMPLES['stdin and files outside']!, OPTIONS));
  t.same(commands.map(({ properties }) => properties.file), [undefined, undefined]);
  t.match(commands[0]?.message, /^<stdin>:2: /);
});

/** Checks that a document is well-formed XML 1.0, of the few forms that we write, and gives its elements with their attributes. */
function elementsOf(xml: string): { name: string; attributes: Record<string, string> }[] {
  if (!/^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u.test(xml)) throw new Error('a character that XML cannot hold');
  const open: string[] = [];
  const elements: { name: string; attributes: Record<string, string> }[] = [];
  const value = '(?:[^<&"]|&(?:amp|lt|gt|quot|apos);)*';
  const token = new RegExp(`<\\?xml [^?]*\\?>|<(/?)([a-z]+)((?: [a-z]+="${value}")*)(/?)>|(?:[^<&]|&(?:amp|lt|gt|quot|apos);)+`, 'uy');
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex;
    const [text = '', close, name, list = '', empty] = token.exec(xml) ?? [];
    if (text === '' || text.includes(']]>')) throw new Error(`not well formed at ${at}: ${xml.slice(at, at + 80)}`);
    if (name === undefined) continue;
    if (close === '/') {
      if (open.pop() !== name) throw new Error(`</${name}> closes another element`);
      continue;
    }
    const attributes = [...list.matchAll(new RegExp(` ([a-z]+)="(${value})"`, 'gu'))].map(([, key = '', text = '']) => [key, text] as const);
    if (new Set(attributes.map(([key]) => key)).size < attributes.length) throw new Error('an attribute twice');
    elements.push({ name, attributes: Object.fromEntries(attributes) });
    if (empty !== '/') open.push(name);
  }
  if (open.length > 0) throw new Error(`<${open.join('> <')}> is not closed`);
  return elements;
}

t.test('junit: well formed, and the counts are right', async (t) => {
  t.throws(() => elementsOf('<a b="<"></a>'));
  t.throws(() => elementsOf('<a></b>'));
  t.throws(() => elementsOf('<a>\u0001</a>'));
  t.throws(() => elementsOf('<a>&nbsp;</a>'));
  for (const [name, run] of Object.entries(SAMPLES)) {
    const elements = elementsOf(formatJunit(run, OPTIONS));
    const count = (name: string): string => `${elements.filter((element) => element.name === name).length}`;
    const { attributes } = elements.find((element) => element.name === 'testsuites')!;
    t.same(
      attributes,
      { name: 'gosumcheck', tests: count('testcase'), failures: count('failure'), errors: count('error'), skipped: count('skipped') },
      name,
    );
    const aboutLog = run.fork !== undefined || name === 'a problem of the run alone' ? 1 : 0;
    t.equal(count('testcase'), `${run.results.length + aboutLog}`, name);
  }
});

t.test('junit: a whole report', async (t) => {
  const run = runOf(
    [
      verdict(1, 'golang.org/x/text v0.3.0'),
      SAMPLES.mismatch!.results[1]!,
      verdict(3, 'corp.example/a v1.0.0', { status: 'skipped', code: 'SKIPPED_PRIVATE', message: 'matches GOPRIVATE pattern "corp.example"' }),
      verdict(4, 'rsc.io/quote v1.5.2', { status: 'error', code: 'TIMEOUT', message: 'no answer in 30s', retryable: true }),
    ],
    1,
  );
  t.equal(
    formatJunit(run, OPTIONS),
    [
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<testsuites name="gosumcheck" tests="4" failures="1" errors="1" skipped="1">',
      '  <testsuite name="go.sum" tests="4" failures="1" errors="1" skipped="1">',
      '    <properties>',
      '      <property name="gosumcheck.version" value="0.1.0"/>',
      '      <property name="database.name" value="sum.golang.org"/>',
      '      <property name="database.url" value="https://proxy.example/sumdb/sum.golang.org"/>',
      '      <property name="database.timeline" value="consistent"/>',
      '      <property name="database.tree.size" value="38123456"/>',
      `      <property name="database.tree.hash" value="${TREE_HASH}"/>`,
      '    </properties>',
      '    <testcase classname="golang.org/x/text" name="v0.3.0" file="go.sum" line="1"/>',
      '    <testcase classname="golang.org/x/text" name="v0.3.0/go.mod" file="go.sum" line="2">',
      `      <failure type="HASH_MISMATCH" message="the file has ${h1('B')}, the log has ${h1('C')} (record 3)">` +
        'go.sum:2: golang.org/x/text v0.3.0/go.mod: The log holds the hash that everybody else is given. Either this line was changed ' +
        '(by hand, by a bad merge, or by an attacker), or the module was changed at its origin after it was published.</failure>',
      '    </testcase>',
      '    <testcase classname="corp.example/a" name="v1.0.0" file="go.sum" line="3">',
      '      <skipped message="matches GOPRIVATE pattern &quot;corp.example&quot;"/>',
      '    </testcase>',
      '    <testcase classname="rsc.io/quote" name="v1.5.2" file="go.sum" line="4">',
      '      <error type="TIMEOUT" message="no answer in 30s">go.sum:4: rsc.io/quote v1.5.2: ' +
        'No answer came, or none of the right form. This says nothing about them: they remain unchecked.</error>',
      '    </testcase>',
      '  </testsuite>',
      '</testsuites>',
      '',
    ].join('\n'),
  );
});

t.test('markdown: a whole report', async (t) => {
  t.equal(
    formatMarkdown(runOf(SAMPLES.missing!.results.slice(0, 1), 4), OPTIONS),
    [
      '### gosumcheck: MISSING, exit 4: 1 line not in the log',
      '',
      '| Finding | Place | Module version | Details |',
      '| --- | --- | --- | --- |',
      '| NOT IN THE LOG | `go.sum:1` | `github.com/acme/api v1.2.0` | `not found` |',
      '',
      '**NOT IN THE LOG** The log was asked by name and answered that it has no such module version. Asking again will not help.',
      '',
      '- For a private module that is normal. Keep such names on this machine (the log was just asked for them), and out of the ' +
        'check; in CI set the same variable in the environment of the job. Mind what GOPRIVATE has already: this replaces it.',
      '  - `go env -w GOPRIVATE=github.com/acme`',
      '- For a public module it is not normal: the version was gone from its origin, or never there, when the log was first ' +
        'asked. Look at the path and the version letter by letter before you build with it.',
      '',
      '```text',
      'log       sum.golang.org, by https://proxy.example/sumdb/sum.golang.org',
      `tree      38123456 records, hash ${TREE_HASH}`,
      'history   consistent with the tree seen before',
      'verified  0 of 1 line of go.sum; 1 module version, none from the cache',
      'result    MISSING, exit 4: 1 line not in the log',
      '```',
      '',
    ].join('\n'),
  );
  t.match(formatMarkdown(SAMPLES.verified!, OPTIONS), /^### gosumcheck: verified\n\n```text\nlog /);
});

/** The cells of a table's row: a `|` ends one unless a backslash stands before it, which itself is not escaped. */
function cellsOf(row: string): string[] {
  return [...row.matchAll(/(?:\\.|[^|\\])+/g)].map(([cell]) => cell.trim()).filter((cell) => cell !== '');
}

t.test('markdown: what is not ours is code, and stays in its cell', async (t) => {
  for (const [name, run] of Object.entries(SAMPLES)) {
    const report = formatMarkdown(run, OPTIONS);
    const rows = report.split('\n').filter((line) => /^\| [A-Z ]+ \|/.test(line));
    for (const row of rows) {
      const cells = cellsOf(row);
      t.equal(cells.length, 4, `${name}: ${row}`);
      // A code span: fences of one length, and no run of as many backticks between them.
      for (const cell of cells.slice(1)) {
        const [, fence = '', inner = ''] = /^(`+)(.*[^`])\1$/.exec(cell) ?? [];
        t.ok(fence !== '' && ![...inner.matchAll(/`+/g)].some(([run]) => run.length === fence.length), cell);
      }
    }
    // Outside code there is nothing of the samples' tricks.
    const outside = report.replace(/^(`{3,})text\n[^]*?\n\1$/gm, '').replace(/(`+)(?!`)[^]*?[^`]\1(?!`)/g, '');
    t.notMatch(outside, /<b>|@everyone|\[c\]|tick/, name);
  }
  t.match(formatMarkdown(runOf([verdict(1, 'rsc.io/quote v1.5.2', { status: 'mismatch', code: 'HASH_UNKNOWN', hash: '`x|y\\|z`' })], 1), OPTIONS),
    'knows: `x\\|y\\\\\\|z` ``');
});

t.test('markdown: long runs keep to the size of a comment', async (t) => {
  const long = 'x/'.repeat(400);
  const run = runOf(
    Array.from({ length: 400 }, (_, i) => verdict(i + 1, `example.com/${long}${i} v1.0.0`, { file: `${long}go.sum`, status: 'missing', message: long })),
    4,
    { fork: `${long}\n`.repeat(5000) },
  );
  const report = formatMarkdown(run, OPTIONS);
  t.ok(report.length < 65_536, `${report.length} characters`);
  t.match(report, '\nand 350 more problems: the other formats have them all\n');
  t.match(report, '\nthe rest: gosumcheck evidence\n');
});
