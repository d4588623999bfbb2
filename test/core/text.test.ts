import t from 'tap';
import { formatBase64, parseBase64, parseBase64AsGo } from '../../src/core/base64.js';
import { equalBytes, formatHash, hashAt, parseHash } from '../../src/core/hash.js';
import { isCount, levelOf, parseCount, splitPoint } from '../../src/core/integer.js';
import { compareUtf8, concatBytes, decodeUtf8, encodeUtf8, fields, hasSpace, quote } from '../../src/core/text.js';

t.test('base64', (t) => {
  // RFC 4648 §10
  const vectors: [string, string][] = [
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'],
  ];
  for (const [text, base64] of vectors) {
    t.equal(formatBase64(encodeUtf8(text)), base64);
    t.same(parseBase64(base64), encodeUtf8(text));
  }
  const all = Uint8Array.from({ length: 768 }, (_, i) => (i * 7 + Math.floor(i / 256)) % 256);
  t.equal(formatBase64(all), Buffer.from(all).toString('base64'));
  t.ok(equalBytes(parseBase64(formatBase64(all)), all));
  const bad = [
    'Z',
    'Zg',
    'Zg=',
    'Zg===',
    '=',
    '====',
    'Z===',
    '=Zg=',
    'Zg==Zg==',
    'Z*==',
    'Zm9-',
    'Zm9_',
    'Zm9é',
    ' Zg==',
    'Zg== ',
    'Zm9v\u0000AAA',
  ];
  for (const text of bad) {
    t.throws(() => parseBase64(text), { code: 'BASE64_MALFORMED' }, JSON.stringify(text));
    t.throws(() => parseBase64AsGo(text), { code: 'BASE64_MALFORMED' }, `${JSON.stringify(text)}, as Go`);
  }
  for (const text of ['Zh==', 'Zm9=', 'Zm\n8=', 'Zm8=\r\n', '\nZm8=']) {
    t.throws(() => parseBase64(text), { code: 'BASE64_MALFORMED' }, `${JSON.stringify(text)}, strictly`);
    t.equal(decodeUtf8(parseBase64AsGo(text)).slice(0, 1), 'f', `${JSON.stringify(text)}, as Go`);
  }
  t.end();
});

t.test('hashes', (t) => {
  const text = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
  t.equal(formatHash(parseHash(text)), text);
  t.throws(() => parseHash('Zm9v'), { code: 'BASE64_MALFORMED' }, 'too short');
  t.throws(() => parseHash(formatBase64(new Uint8Array(33))), { code: 'BASE64_MALFORMED' }, 'too long');
  t.throws(() => parseHash('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV='), { code: 'BASE64_MALFORMED' }, 'stray bits');
  t.equal(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)), true);
  t.equal(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3)), false);
  t.equal(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 2)), false);
  t.equal(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1)), false);
  const hashes = Uint8Array.from({ length: 96 }, (_, i) => Math.floor(i / 32));
  t.same(hashAt(hashes, 1), new Uint8Array(32).fill(1));
  t.end();
});

t.test('counts', (t) => {
  for (const n of [0, 1, 10, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) t.equal(parseCount(String(n)), n);
  const bad = [
    '',
    ' ',
    '-0',
    '-1',
    '+5',
    '007',
    '00',
    '1.0',
    '1e3',
    '0x10',
    '1_000',
    ' 1',
    '1 ',
    '1\n',
    '١',
    '9007199254740992',
    '99999999999999999999',
  ];
  for (const text of bad) t.throws(() => parseCount(text), { code: 'INTEGER_MALFORMED' }, JSON.stringify(text));
  t.same([0, 1, 2 ** 53 - 1].map(isCount), [true, true, true]);
  t.same([-1, 0.5, 2 ** 53, NaN, Infinity].map(isCount), [false, false, false, false, false]);
  t.same([2, 3, 4, 5, 8, 9, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1].map(splitPoint), [
    1,
    2,
    2,
    4,
    4,
    8,
    2 ** 31,
    2 ** 32,
    2 ** 52,
  ]);
  t.same([1, 2, 4, 2 ** 31, 2 ** 40].map(levelOf), [0, 1, 2, 31, 40]);
  t.end();
});

t.test('UTF-8', (t) => {
  t.equal(decodeUtf8(encodeUtf8('\ufeffaé€😀')), '\ufeffaé€😀', 'a byte order mark stays');
  const bad: [string, number[]][] = [
    ['lone continuation', [0x80]],
    ['cut short', [0x61, 0xc3]],
    ['overlong', [0xc0, 0xaf]],
    ['surrogate', [0xed, 0xa0, 0x80]],
    ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['0xff', [0xff]],
  ];
  for (const [name, bytes] of bad) t.throws(() => decodeUtf8(Uint8Array.from(bytes)), { code: 'UTF8_MALFORMED' }, name);
  t.same(concatBytes(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)), Uint8Array.of(1, 2, 3));
  t.same(concatBytes(), new Uint8Array(0));
  t.end();
});

t.test('white space is what Go says', (t) => {
  const go = [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000];
  for (let c = 0x2000; c <= 0x200a; c++) go.push(c);
  const found: number[] = [];
  for (let c = 0; c <= 0x10ffff; c++) if (hasSpace(String.fromCodePoint(c))) found.push(c);
  t.same(
    found,
    go.sort((a, b) => a - b),
  );
  t.same(fields(' a\t\u0085b\ufeff \u3000c '), ['a', 'b\ufeff', 'c']);
  t.same(fields(' '), []);
  t.same(fields(''), []);
  t.end();
});

t.test('order by UTF-8 bytes', (t) => {
  const texts = [
    '',
    'a',
    'a\u0000',
    'aa',
    'b',
    'é',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
    '\u{10000}a',
    '\u{10ffff}',
  ];
  t.same(
    [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    texts,
    'the table itself',
  );
  const wrong = texts.flatMap((a, i) =>
    texts.filter((b, j) => Math.sign(compareUtf8(a, b)) !== Math.sign(i - j)).map((b) => [a, b]),
  );
  t.same(wrong, []);
  t.end();
});

t.test('quoted for a terminal', (t) => {
  t.equal(quote('a "b"\\'), '"a \\"b\\"\\\\"');
  t.equal(
    quote('\u001b[31m\u009b\u202e\u007f\ufeff😀\n'),
    '"\\u001b[31m\\u009b\\u202e\\u007f\\ufeff\\ud83d\\ude00\\n"',
  );
  t.equal(quote('x'.repeat(100)), `"${'x'.repeat(100)}"`);
  t.equal(quote('x'.repeat(101)), `"${'x'.repeat(100)}"...`);
  t.end();
});
