import t from 'tap';
import { sha256 } from '#crypto';
import { formatH1, h1OfFiles, h1OfGoMod, isH1, parseH1 } from '../../src/core/h1.js';
import { encodeUtf8 } from '../../src/core/text.js';

// of no file, and of one empty go.mod (the constant that cmd/go drops)
const OF_NOTHING = 'h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
const OF_EMPTY_GO_MOD = 'h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=';

t.test('form', (t) => {
  for (const text of [OF_NOTHING, OF_EMPTY_GO_MOD]) {
    t.equal(isH1(text), true);
    t.equal(formatH1(parseH1(text)), text);
  }
  const bad = [
    '',
    'h1:',
    'h2:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    'H1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    'h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU',
    'h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=', // stray bits
    'h1:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=', // URL alphabet
    'h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n',
    'h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUA',
    'h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==',
  ];
  for (const text of bad) {
    t.equal(isH1(text), false, text);
    t.throws(() => parseH1(text), { code: 'H1_MALFORMED' }, text);
  }
  t.end();
});

t.test('isH1 and parseH1 agree on every last digit', (t) => {
  for (const digit of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/') {
    const text = `h1:${'A'.repeat(42)}${digit}=`;
    let parsed = true;
    try {
      parseH1(text);
    } catch {
      parsed = false;
    }
    t.equal(isH1(text), parsed, text);
  }
  t.end();
});

t.test('arithmetic', (t) => {
  const empty = sha256(new Uint8Array(0));
  t.equal(h1OfFiles([]), OF_NOTHING);
  t.equal(h1OfGoMod(new Uint8Array(0)), OF_EMPTY_GO_MOD);
  // golang.org/x/text@v0.3.0/go.mod in many a go.sum: its go.mod is this one line
  t.equal(h1OfGoMod(encodeUtf8('module golang.org/x/text\n')), 'h1:NqM8EUOU14njkJ3fqMW+pc6Ldnwhi/IjpwHt7yyuwOQ=');

  const summary = (...lines: string[]): string => formatH1(sha256(encodeUtf8(lines.join(''))));
  const hex = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  t.equal(
    h1OfFiles(['\u{10000}', '\uffff', 'b', 'a/b', 'a', 'B'].map((name) => ({ name, sha256: empty }))),
    summary(...['B', 'a', 'a/b', 'b', '\uffff', '\u{10000}'].map((name) => `${hex}  ${name}\n`)),
    'sorted by the bytes of UTF-8, not by UTF-16 units',
  );
  t.equal(h1OfFiles([{ name: encodeUtf8('a'), sha256: empty }]), h1OfFiles([{ name: 'a', sha256: empty }]));
  t.equal(h1OfFiles([{ name: encodeUtf8('\u00e9\u4e00'), sha256: empty }]), summary(`${hex}  \u00e9\u4e00\n`));
  t.equal(h1OfFiles([{ name: encodeUtf8('\ufeffa'), sha256: empty }]), summary(`${hex}  \ufeffa\n`));
  t.not(
    h1OfFiles([{ name: Uint8Array.of(0xff), sha256: empty }]),
    h1OfFiles([{ name: Uint8Array.of(0xfe), sha256: empty }]),
    'names that are not UTF-8 stay apart',
  );
  // more lines than are hashed together, and one that is longer than these
  const many = Array.from({ length: 3000 }, (_, i) => `file ${String(i).padStart(4, '0')}`);
  const names = ['a', 'b'.repeat(100_000), 'c', ...many];
  t.equal(h1OfFiles(names.map((name) => ({ name, sha256: empty }))), summary(...names.map((name) => `${hex}  ${name}\n`)));
  for (const name of ['a\nb', '\n', encodeUtf8('a\n')]) {
    t.throws(() => h1OfFiles([{ name, sha256: empty }]), { code: 'H1_MALFORMED' });
  }
  t.end();
});
