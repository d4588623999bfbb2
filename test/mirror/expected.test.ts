import t from 'tap';
import { encodeUtf8 } from '../../src/core/text.js';
import { parseExpected, unexpectedIn } from '../../src/mirror/expected.js';
import { madeUpHash } from '../../src/testing/index.js';

const [A, B, C] = ['a', 'b', 'c'].map(madeUpHash) as [string, string, string];

t.test('lines of go.sum, and module versions alone', (t) => {
  const known = parseExpected(
    encodeUtf8(`# known
example.com/a v1.0.0 ${A}\r
example.com/a v1.0.0/go.mod ${B}
\texample.com/a@v1.1.0

example.com/b v1.0.0/go.mod ${B}
example.com/b@v1.0.0
example.com/old v1.0.0/go.mod h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=`),
    'known',
  );
  t.strictSame([...known], [
    ['example.com/a@v1.1.0', { module: undefined, goMod: undefined }],
    ['example.com/b@v1.0.0', { module: undefined, goMod: B }],
    ['example.com/a@v1.0.0', { module: A, goMod: B }],
  ]);
  const judge = (module: string, version: string, whole: string, goMod: string): unknown =>
    unexpectedIn(known, module, version, encodeUtf8(`${module} ${version} ${whole}\n${module} ${version}/go.mod ${goMod}\n`))?.kind;
  const cases: [module: string, version: string, whole: string, goMod: string, kind: string | undefined][] = [
    ['example.com/a', 'v1.0.0', A, B, undefined],
    ['example.com/a', 'v1.0.0', C, B, 'hashes'],
    ['example.com/a', 'v1.0.0', A, C, 'hashes'],
    ['example.com/a', 'v1.1.0', C, C, undefined],
    ['example.com/b', 'v1.0.0', C, B, undefined],
    ['example.com/b', 'v1.0.0', C, C, 'hashes'],
    ['example.com/a', 'v1.2.0', A, B, 'version'],
    ['example.com/c', 'v1.0.0', A, B, 'version'],
  ];
  for (const [module, version, whole, goMod, kind] of cases) t.equal(judge(module, version, whole, goMod), kind, `${module} ${version} ${whole} ${goMod}`);
  t.equal(unexpectedIn(known, 'example.com/b', 'v1.0.0', encodeUtf8(`example.com/b v1.0.0 ${C}\n`))?.kind, 'hashes', 'the line is not there');
  t.equal(unexpectedIn(known, 'example.com/b', 'v1.0.0', encodeUtf8(`example.com/b v1.0.0/go.mod ${B}\nexample.com/b v1.0.0/go.mod ${C}\n`))?.kind, 'hashes', 'it contradicts itself');
  t.end();
});

t.test('what is malformed is named by file and line', (t) => {
  const cases: [text: string, line: number][] = [
    ['\nexample.com/a v1.0.0', 2],
    ['example.com/a', 1],
    ['example.com/a@v1', 1],
    ['#\nexample.com/a@v1.0.0@v1.0.0', 2],
    ['nodot@v1.0.0', 1],
    ['example.com/a@v1.0.0 # why', 1],
    [`example.com/a v1 ${A}`, 1],
    ['example.com/a v1.0.0 h1:x', 1],
    [`example.com/a v1.0.0 h2:${A.slice(3)}`, 1],
    [`example.com/a v1.0.0 ${A}\n\nexample.com/a v1.0.0 ${B}`, 1],
  ];
  for (const [text, line] of cases) t.throws(() => parseExpected(encodeUtf8(text), 'known'), { code: 'GOSUM_MALFORMED', line, message: new RegExp(`^known:${line}: `) }, text);
  t.throws(() => parseExpected(Uint8Array.of(0xff), 'known'), { code: 'GOSUM_MALFORMED' });
  t.end();
});
