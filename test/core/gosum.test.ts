import t from 'tap';
import { conflicts, GoSumError, parseGoSum, type GoSumLine } from '../../src/core/gosum.js';
import { encodeUtf8 } from '../../src/core/text.js';

const A = 'h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
const B = 'h1:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=';
const EMPTY_GO_MOD = 'h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=';

function parse(text: string): GoSumLine[] {
  return parseGoSum(encodeUtf8(text), 'go.sum');
}

/** The hint of a malformed file's error. */
function hintOf(text: string): string | undefined {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof GoSumError) return error.hint;
  }
  throw new Error('not refused');
}

t.test('lines', (t) => {
  t.same(parse(`example.com/a v1.0.0 ${A}\nexample.com/a v1.0.0/go.mod ${B}\n`), [
    { file: 'go.sum', line: 1, module: 'example.com/a', version: 'v1.0.0', kind: 'module', hash: A, dropped: false },
    { file: 'go.sum', line: 2, module: 'example.com/a', version: 'v1.0.0', kind: 'go.mod', hash: B, dropped: false },
  ]);
  t.same(parse(''), []);
  t.same(parse('\n \t\r\n\u0085\u00a0\u3000\n'), [], 'white space alone');

  const key = (line: GoSumLine): string => `${line.line} ${line.module} ${line.version} ${line.hash}`;
  const forms: [name: string, text: string][] = [
    ['no last newline', 'example.com/a v1.0.0 h1:x'],
    ['CRLF', 'example.com/a v1.0.0 h1:x\r\n'],
    ['tabs and runs', '\t example.com/a\t\tv1.0.0   h1:x \n'],
    ['Unicode white space', 'example.com/a\u00a0v1.0.0\u2028h1:x\u0085\n'],
  ];
  for (const [name, text] of forms) t.same(parse(text).map(key), ['1 example.com/a v1.0.0 h1:x'], name);
  t.same(parse('\n\nexample.com/a v1.0.0 h1:x\n\nexample.com/b v1.0.0 h1:x').map(key), [
    '3 example.com/a v1.0.0 h1:x',
    '5 example.com/b v1.0.0 h1:x',
  ]);
  t.same(
    parse('example.com/a v1.0.0 h2:strange\u202e').map((line) => line.hash),
    ['h2:strange\u202e'],
    'any hash is kept',
  );
  t.end();
});

t.test('the hash of an empty go.mod: the line is dropped before its path and version are looked at', (t) => {
  const lines = parse(
    `example.com/a v1.0.0/go.mod ${EMPTY_GO_MOD}\nexample.com/a v1.0.0 ${EMPTY_GO_MOD}\nany thing/go.mod ${EMPTY_GO_MOD}\n`,
  );
  t.same(
    lines.map(({ module, version, kind, dropped }) => [module, version, kind, dropped]),
    [
      ['example.com/a', 'v1.0.0', 'go.mod', true],
      ['example.com/a', 'v1.0.0', 'module', true],
      ['any', 'thing', 'go.mod', true],
    ],
  );
  t.throws(
    () => parse(`example.com/a ${EMPTY_GO_MOD}`),
    { code: 'GOSUM_MALFORMED' },
    'but not before its fields are counted',
  );
  t.end();
});

t.test('malformed files', (t) => {
  const good = 'example.com/a v1.0.0 h1:x\n';
  const cases: [name: string, bytes: Uint8Array | string, line: number | undefined][] = [
    ['two fields', `${good}\nexample.com/a v1.0.0\n`, 3],
    ['four fields', `${good}example.com/a v1.0.0 h1:x h1:x`, 2],
    ['one field', 'x', 1],
    ['U+FEFF is no white space', `example.com/a v1.0.0\ufeffh1:x`, 1],
    ['byte order mark', `\ufeff${good}`, 1],
    ['merge conflict', `${good}<<<<<<< HEAD\n`, 2],
    ['bad path', 'example v1.0.0 h1:x', 1],
    ['bad version', 'example.com/a v1.0 h1:x', 1],
    ['version with build metadata', 'example.com/a v1.0.0+meta h1:x', 1],
    ['version for a URL', 'example.com/a v1.0.0#x%2f h1:x', 1],
    ['other file', 'example.com/a v1.0.0/go.sum h1:x', 1],
    ['twice go.mod', 'example.com/a v1.0.0/go.mod/go.mod h1:x', 1],
    ['invalid UTF-8', Uint8Array.from([...encodeUtf8(good + good), 0xff]), 3],
    ['a character cut by a newline', Uint8Array.from([...encodeUtf8(good), 0xc3, 0x0a, 0xa9]), 2],
    ['a line of 16385 characters', `${good}example.com/a v1.0.0 ${'h'.repeat(16_364)}\n`, 2],
    ['too many lines', '\n'.repeat(1_000_001), 1_000_001],
    ['too many bytes', new Uint8Array(64 * 1024 * 1024 + 1).fill(0x0a), undefined],
  ];
  for (const [name, input, line] of cases) {
    const bytes = typeof input === 'string' ? encodeUtf8(input) : input;
    t.throws(
      () => parseGoSum(bytes, 'dir/go.sum'),
      { name: 'GoSumError', code: 'GOSUM_MALFORMED', file: 'dir/go.sum', line },
      name,
    );
  }
  t.equal(parse(`example.com/a v1.0.0 ${'h'.repeat(16_363)}`).length, 1, 'a line of 16384 characters');
  t.same(parse('\n'.repeat(1_000_000)), [], 'a million lines');

  t.throws(() => parse('\n\nexample.com/a v1.0.0'), { message: 'go.sum:3: 2 fields, want 3: module version hash' });
  for (const marker of ['<<<<<<< HEAD', '||||||| 0123abc', '=======', '>>>>>>> topic branch']) {
    t.match(hintOf(marker), /merge conflict/, marker);
  }
  t.notMatch(hintOf('example.com/a v1.0.0 h1:x ======='), /merge conflict/);
  t.end();
});

t.test('lines that contradict each other', (t) => {
  const first = parse(
    `example.com/a v1.0.0 ${A}\nexample.com/a v1.0.0/go.mod ${B}\nexample.com/a v1.0.1 ${B}\nexample.com/a v1.0.0 ${A}\n`,
  );
  const numbers = (lines: GoSumLine[]): number[] => [...conflicts(lines)].map((line) => line.line);
  t.same(numbers(first), [], 'kinds, versions and repeats are no conflict');
  const other = parseGoSum(encodeUtf8(`\n\n\n\nexample.com/a v1.0.0 ${B}\n`), 'go.work.sum');
  t.same(numbers([...first, ...other]), [1, 4, 5], 'across files, and all sides');
  t.same(
    numbers(parse(`example.com/a v1.0.0 ${A}\nexample.com/a v1.0.0 h2:x\n`)),
    [],
    'an unknown hash contradicts nothing',
  );
  t.same(
    numbers(parse(`example.com/a v1.0.0 ${A}\nexample.com/a v1.0.0 h1:x\n`)),
    [1, 2],
    'an h1 that is malformed does',
  );
  t.same(
    numbers(parse(`example.com/a v1.0.0/go.mod ${A}\nexample.com/a v1.0.0/go.mod ${EMPTY_GO_MOD}\n`)),
    [],
    'a dropped line does not',
  );
  t.end();
});
