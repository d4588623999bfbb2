import { createHash } from 'node:crypto';
import t from 'tap';
import { formatBase64, parseBase64, parseBase64AsGo } from '../../src/core/base64.js';
import { formatHash, parseHash } from '../../src/core/hash.js';
import { parseCount } from '../../src/core/integer.js';
import {
  formatKeyHash,
  formatSignerKey,
  formatVerifierKey,
  newSignerKey,
  newVerifierKey,
  parseSignerKey,
  parseVerifierKey,
  verifierKeyOf,
} from '../../src/core/key.js';
import { openNote, signNote } from '../../src/core/note.js';
import { checkRecordText, findHashes, formatDataTile, formatLookup, parseDataTile, parseLookup, recordHash } from '../../src/core/record.js';
import { concatBytes, decodeUtf8, encodeUtf8 } from '../../src/core/text.js';
import { EMPTY_HASH, formatTreeHead, openTreeHead, parseTreeHead, sameTree } from '../../src/core/treehead.js';

const SUMDB_KEY = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';
// what the real log answered to /latest on 2026-11-21
const SUMDB_HEAD = `go.sum database tree
71848828
KknkYm4hx0y71VQ4E6FoF3fdumxzXU5QwTwo+kVX+2I=

— sum.golang.org Az3grmKW8+LoW5bY5ihjzgt5Sd07aM7qJWz+4sVUNugEROoYXrHoTxqWhSAEUaEh/w1GoBxXuq1GTToTtgsitxYzMgE=
`;

// the keys and the note of the example in the documentation of x/mod/sumdb/note
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const PETER_SIGNS = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const PETER_TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETER_LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';

const ENOCH_SIGNER = newSignerKey('EnochRoot', new Uint8Array(32).fill(7));
const peter = parseVerifierKey(PETER);
const enoch = verifierKeyOf(ENOCH_SIGNER);

t.test('counts: canonical decimals up to 2^53 - 1', (t) => {
  for (const [text, value] of [
    ['0', 0],
    ['7', 7],
    ['71848828', 71848828],
    ['9007199254740991', 2 ** 53 - 1],
  ] as const) {
    t.equal(parseCount(text), value, text);
  }
  const bad = ['', '-1', '+5', '007', '00', '1.0', '1e3', ' 1', '1 ', '1\n', '0x10', '1_000', '١', 'NaN'];
  for (const text of [...bad, '9007199254740992', '9223372036854775807', '99999999999999999']) {
    t.throws(() => parseCount(text), { code: 'INTEGER_MALFORMED' }, JSON.stringify(text));
  }
  t.end();
});

t.test('base64: strict, and as lenient as Go', (t) => {
  // [text, hex of what Go decodes, whether it is the canonical spelling]
  const good: [string, string, boolean][] = [
    ['', '', true],
    ['Zg==', '66', true],
    ['Zm8=', '666f', true],
    ['Zm9v', '666f6f', true],
    ['+/+/', 'fbffbf', true],
    ['AAAA', '000000', true],
    ['////', 'ffffff', true],
    ['Zh==', '66', false],
    ['Zm9=', '666f', false],
    ['Z\ng=\r\n=', '66', false],
    ['\r\nZm9v\n', '666f6f', false],
    ['\n', '', false],
  ];
  for (const [text, want, canonical] of good) {
    t.equal(hex(parseBase64AsGo(text)), want, JSON.stringify(text));
    if (canonical) {
      t.equal(hex(parseBase64(text)), want);
      t.equal(formatBase64(bytesOf(want)), text);
    } else {
      t.throws(() => parseBase64(text), { code: 'BASE64_MALFORMED' }, `strict: ${JSON.stringify(text)}`);
    }
  }
  const bad = ['Z', 'Zg', 'Zg=', 'Zm9', '=', '==', '====', 'Z===', 'Zg==Zg==', 'Zg==\n=', 'Z=g=', '=Zg=', 'Zm9v=', 'Zm9v===='];
  for (const text of [...bad, 'Zm-_', 'Zm 9', ' Zm9v', 'Zm9v ', 'Zm9\t', 'Zm9é', 'Zm9\u0100', 'Zm9\u{1f600}', 'Zm9\0']) {
    t.throws(() => parseBase64AsGo(text), { code: 'BASE64_MALFORMED' }, JSON.stringify(text));
    t.throws(() => parseBase64(text), { code: 'BASE64_MALFORMED' }, `strict: ${JSON.stringify(text)}`);
  }
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 89 + length * 31) % 256);
    t.equal(formatBase64(bytes), Buffer.from(bytes).toString('base64'), `${length} bytes`);
    t.same(parseBase64(formatBase64(bytes)), bytes);
  }
  t.end();
});

t.test('hashes: 44 characters, no stray bits', (t) => {
  const text = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
  t.same(parseHash(text), EMPTY_HASH);
  t.equal(formatHash(EMPTY_HASH), text);
  for (const bad of ['', text.slice(1), text.replace('FU=', 'FV='), text.replace('=', 'A'), `${text}AAAA`, `${text}\n`]) {
    t.throws(() => parseHash(bad), { code: 'BASE64_MALFORMED' }, JSON.stringify(bad));
  }
  t.end();
});

t.test('verifier keys', (t) => {
  const key = parseVerifierKey(SUMDB_KEY);
  t.equal(key.name, 'sum.golang.org');
  t.equal(formatKeyHash(key.hash), '033de0ae', 'leading zeros are kept');
  t.equal(hex(key.publicKey), 'ce3372d75ad1ee5ecdaf8727293d4b111d87eb37531d7c86d4d3003f0eb809fc');
  t.equal(formatVerifierKey(key), SUMDB_KEY);
  t.equal(formatVerifierKey(newVerifierKey('sum.golang.org', key.publicKey)), SUMDB_KEY);

  const spellings = {
    'capitals in the hash': SUMDB_KEY.replace('033de0ae', '033DE0AE'),
    'a newline in the base64': SUMDB_KEY.replace('Ac4z', 'Ac\n4z'),
    'a newline behind it': `${SUMDB_KEY}\r\n`,
  };
  for (const [what, text] of Object.entries(spellings)) t.equal(formatVerifierKey(parseVerifierKey(text)), SUMDB_KEY, what);

  t.equal(parseVerifierKey(formatVerifierKey(newVerifierKey('a.example/日本', key.publicKey))).name, 'a.example/日本');
  t.equal(newVerifierKey('a\ufeffb', key.publicKey).name, 'a\ufeffb', 'U+FEFF is no white space to Go');
  const bad = {
    'nothing': '',
    'a name alone': 'sum.golang.org',
    'no key': 'sum.golang.org+033de0ae',
    'an empty key': 'sum.golang.org+033de0ae+',
    'another hash': SUMDB_KEY.replace('033de0ae', '033de0af'),
    'another name': SUMDB_KEY.replace('sum.', 'num.'),
    'another key': SUMDB_KEY.replace('Ac4z', 'Ac5z'),
    'a hash without its zero': SUMDB_KEY.replace('033de0ae', '33de0ae'),
    'a hash with one more zero': SUMDB_KEY.replace('033de0ae', '0033de0ae'),
    'a hash with a sign': SUMDB_KEY.replace('033de0ae', '+33de0ae'),
    'a hash that is not hex': SUMDB_KEY.replace('033de0ae', '033de0ag'),
    'not base64': SUMDB_KEY.replace('Ac4z', 'Ac-_'),
    'white space in front': ` ${SUMDB_KEY}`,
    'a space behind': `${SUMDB_KEY} `,
    'a newline in front': `\n${SUMDB_KEY}`,
    'a signer key': PETER_SIGNS,
    // each with the hash that would be right, so that nothing else is at fault
    'algorithm 2': keyText('a', Uint8Array.of(2, ...key.publicKey)),
    'a key of 31 bytes': keyText('a', Uint8Array.of(1, ...key.publicKey.subarray(1))),
    'a key of 33 bytes': keyText('a', Uint8Array.of(1, ...key.publicKey, 0)),
    'an algorithm alone': keyText('a', Uint8Array.of(1)),
    'an empty name': keyText('', Uint8Array.of(1, ...key.publicKey)),
    'a name with a space': keyText('a b', Uint8Array.of(1, ...key.publicKey)),
    'a name with U+0085': keyText('a\u0085b', Uint8Array.of(1, ...key.publicKey)),
    'a name with U+3000': keyText('a\u3000b', Uint8Array.of(1, ...key.publicKey)),
  };
  t.equal(parseVerifierKey(keyText('a', Uint8Array.of(1, ...key.publicKey))).name, 'a', 'the form of the list');
  for (const [what, text] of Object.entries(bad)) t.throws(() => parseVerifierKey(text), { code: 'KEY_MALFORMED' }, what);
  for (const name of ['', 'a b', 'a+b', 'a\n', 'a\u0085b']) {
    t.throws(() => newVerifierKey(name, key.publicKey), { code: 'KEY_MALFORMED' }, `name ${JSON.stringify(name)}`);
  }
  t.throws(() => newVerifierKey('a', key.publicKey.subarray(1)), { code: 'KEY_MALFORMED' });
  t.end();
});

t.test('signer keys', (t) => {
  const key = parseSignerKey(PETER_SIGNS);
  t.equal(formatSignerKey(key), PETER_SIGNS);
  t.equal(formatVerifierKey(verifierKeyOf(key)), PETER);
  t.notSame(newSignerKey('a').seed, newSignerKey('a').seed, 'new keys differ');
  const bad = {
    'nothing': '',
    'a verifier key': PETER,
    'another word': PETER_SIGNS.replace('PRIVATE', 'PUBLIC'),
    'another beginning of that length': PETER_SIGNS.replace('PRIVATE+', 'PRIVATE-'),
    'another hash': PETER_SIGNS.replace('c74f20a3', 'c74f20a4'),
    'another name': PETER_SIGNS.replace('Peter', 'Retep'),
    'algorithm 2': PETER_SIGNS.replace('+AY', '+Ag'),
    'cut short': PETER_SIGNS.slice(0, -4),
    'not base64': `${PETER_SIGNS}!`,
  };
  for (const [what, text] of Object.entries(bad)) {
    try {
      parseSignerKey(text);
      t.fail(what);
    } catch (error) {
      t.match(error, { code: 'KEY_MALFORMED' }, what);
      t.notMatch((error as Error).message, 'KFALVFGyNhPJEMzD1', 'it tells nothing of the secret');
    }
  }
  t.throws(() => newSignerKey('a b'), { code: 'KEY_MALFORMED' });
  t.end();
});

t.test('notes: the example of x/mod, opened and signed', (t) => {
  const bytes = encodeUtf8(`${PETER_TEXT}\n${PETER_LINE}`);
  const note = openNote(bytes, [enoch, peter]);
  t.equal(decodeUtf8(note.text), PETER_TEXT);
  t.match(note.verified, [{ name: 'PeterNeumann', hash: 0xc74f20a3 }]);
  t.same(note.unverified, []);
  t.equal(decodeUtf8(signNote(encodeUtf8(PETER_TEXT), [parseSignerKey(PETER_SIGNS)])), `${PETER_TEXT}\n${PETER_LINE}`);

  const both = signNote(note.text, [ENOCH_SIGNER], note.verified);
  t.ok(decodeUtf8(both).startsWith(`${PETER_TEXT}\n${PETER_LINE}— EnochRoot `), 'kept ones first');
  t.same(names(openNote(both, [peter, enoch]).verified), ['PeterNeumann', 'EnochRoot']);
  const again = openNote(both, [peter, enoch]);
  t.same(
    names(openNote(signNote(again.text, [parseSignerKey(PETER_SIGNS)], again.verified), [peter, enoch]).verified),
    ['EnochRoot', 'PeterNeumann'],
    'an own old signature is replaced',
  );
  t.throws(() => signNote(encodeUtf8('no newline'), [ENOCH_SIGNER]), { code: 'NOTE_MALFORMED' });
  t.throws(() => signNote(encodeUtf8('a\n\n— x AAAAAAA='), [ENOCH_SIGNER]), { code: 'NOTE_MALFORMED' }, 'though it would open');
  t.throws(() => signNote(new Uint8Array(), [ENOCH_SIGNER]), { code: 'NOTE_MALFORMED' });
  t.throws(() => signNote(encodeUtf8('a\tb\n'), [ENOCH_SIGNER]), { code: 'NOTE_MALFORMED' }, 'what could not be opened');
  t.throws(() => signNote(encodeUtf8('text\n'), []), { code: 'NOTE_MALFORMED' }, 'no signature');
  t.end();
});

t.test('notes: they are split at the last blank line, and nothing is repaired', (t) => {
  const texts = ['\n', 'a\n\nb\n', 'a\n\n\n', '\n\n\n', '\ufeffa\n', 'é\u0085\u2028\ufffd\n', '\x7f\n', 'a\n\n— x AAAAAAA=\n'];
  for (const [i, text] of texts.entries()) {
    const note = signNote(encodeUtf8(text), [ENOCH_SIGNER]);
    t.same(openNote(note, [enoch]).text, encodeUtf8(text), `text ${i}`);
  }
  t.end();
});

t.test('notes: bad ones', (t) => {
  const line = decodeUtf8(signNote(encodeUtf8('text\n'), [ENOCH_SIGNER])).split('\n')[2]!;
  const [, base64] = line.slice(2).split(' ') as [string, string];
  t.equal(openNote(encodeUtf8(`text\n\n${line}\n`), [enoch]).verified.length, 1, 'the form of the list');
  const bad: Record<string, string | Uint8Array> = {
    'nothing': '',
    'a newline': '\n',
    'two newlines': '\n\n',
    'no text': `${line}\n`,
    'a blank line and a signature': `\n${line}\n`,
    'text alone': 'text\n',
    'no signature': 'text\n\n',
    'no blank line': `text\n${line}\n`,
    'no last newline': `text\n\n${line}`,
    'no last newline behind a second signature': `text\n\n${line}\n${line}`,
    'a blank line behind': `text\n\n${line}\n\n`,
    'a blank line between': `text\n\n${line}\n\n${line}`,
    'a word behind': `text\n\n${line}\nx\n`,
    'a tab in the text': `te\txt\n\n${line}\n`,
    'CRLF': `text\r\n\r\n${line}\r\n`,
    'CR in the signature': `text\n\n${line.slice(0, -3)}\r${line.slice(-3)}\n`,
    'NUL': `te\0xt\n\n${line}\n`,
    'ESC': `te\x1bxt\n\n${line}\n`,
    'a hyphen': `text\n\n${line.replace('—', '-')}\n`,
    'an en dash': `text\n\n${line.replace('—', '–')}\n`,
    'no space behind the dash': `text\n\n${line.replace('— ', '—')}\n`,
    'two spaces behind the dash': `text\n\n${line.replace('— ', '—  ')}\n`,
    'two spaces behind the name': `text\n\n${line.replace('Root ', 'Root  ')}\n`,
    'a space behind': `text\n\n${line} \n`,
    'no name': `text\n\n— ${base64}\n`,
    'an empty name': `text\n\n—  ${base64}\n`,
    'a plus in the name': `text\n\n— a+b ${base64}\n`,
    'white space in the name': `text\n\n— a\u00a0b ${base64}\n`,
    'U+0085 in the name': `text\n\n— a\u0085b ${base64}\n`,
    'a byte order mark': `\n\ufeff${line}\n`,
    'no base64': `text\n\n— EnochRoot\n`,
    'empty base64': `text\n\n— EnochRoot \n`,
    'bad base64': `text\n\n— EnochRoot ${base64.replace('=', '')}\n`,
    'base64 for URLs': `text\n\n— EnochRoot ${base64.slice(0, -4)}-_A=\n`,
    'a key hash alone': `text\n\n— EnochRoot ${formatBase64(parseBase64(base64).subarray(0, 4))}\n`,
    'a bad line of an unknown key beside a good one': `text\n\n${line}\n— other AAAA\n`,
    'no UTF-8 in the text': Uint8Array.of(0xff, ...encodeUtf8(`\n\n${line}\n`)),
    'a surrogate in the text': Uint8Array.of(0xed, 0xa0, 0x80, ...encodeUtf8(`\n\n${line}\n`)),
    'an overlong newline': Uint8Array.of(0xc0, 0x8a, ...encodeUtf8(`\n\n${line}\n`)),
    'no UTF-8 in a name': concatBytes(encodeUtf8('text\n\n— a'), Uint8Array.of(0x80), encodeUtf8(` ${base64}\n`)),
  };
  for (const [what, note] of Object.entries(bad)) {
    t.throws(() => openNote(typeof note === 'string' ? encodeUtf8(note) : note, [enoch]), { code: 'NOTE_MALFORMED' }, what);
  }
  t.end();
});

t.test('notes: which signatures are looked at', (t) => {
  const text = encodeUtf8('text\n');
  const lines = (signer = ENOCH_SIGNER, of = 'text\n'): string => {
    return decodeUtf8(signNote(encodeUtf8(of), [signer])).split('\n\n')[1]!;
  };
  const good = lines();
  const bad = lines(ENOCH_SIGNER, 'other text\n');
  const peters = lines(parseSignerKey(PETER_SIGNS));
  // same name, another key; and same key hash in the line, another name: both unknown
  const namesake = lines(newSignerKey('EnochRoot', new Uint8Array(32).fill(8)));
  const renamed = good.replace('EnochRoot', 'Enoch');
  const note = (...parts: string[]): Uint8Array => concatBytes(text, encodeUtf8(`\n${parts.join('')}`));
  const open = (known = [enoch], ...parts: string[]): [string[], string[]] => {
    const { verified, unverified } = openNote(note(...parts), known);
    return [names(verified), names(unverified)];
  };

  t.same(open([enoch], good), [['EnochRoot'], []]);
  t.same(open([enoch], good, bad), [['EnochRoot'], []], 'good, then bad');
  t.throws(() => open([enoch], bad, good), { code: 'SIGNATURE_INVALID' }, 'bad, then good');
  t.throws(() => open([enoch, peter], peters, bad), { code: 'SIGNATURE_INVALID' }, 'one known good, one known bad');
  t.same(open([enoch], good, good), [['EnochRoot'], []], 'a repeat');
  t.same(open([enoch], peters, good, namesake, renamed), [['EnochRoot'], ['PeterNeumann', 'EnochRoot', 'Enoch']], 'unknown ones');
  t.same(open([enoch], peters, good, peters), [['EnochRoot'], ['PeterNeumann']], 'a repeated unknown one');
  t.same(open([enoch], good, peters, lines(parseSignerKey(PETER_SIGNS), 'x\n')), [['EnochRoot'], ['PeterNeumann', 'PeterNeumann']]);
  t.same(open([peter, enoch], good, peters), [['EnochRoot', 'PeterNeumann'], []], 'in the order of the note');
  for (const known of [[], [peter]]) t.throws(() => open(known, good), { code: 'SIGNATURE_UNKNOWN' });
  t.throws(() => open([enoch], namesake), { code: 'SIGNATURE_UNKNOWN' }, 'a namesake');
  t.throws(() => open([enoch], renamed), { code: 'SIGNATURE_UNKNOWN' }, 'another name');
  t.throws(() => open([enoch, verifierKeyOf(ENOCH_SIGNER)], good), { code: 'NOTE_MALFORMED' }, 'a key known twice');

  t.same(open([enoch], peters.repeat(99), good), [['EnochRoot'], ['PeterNeumann']], '100 signatures');
  t.throws(() => open([enoch], peters.repeat(100), good), { code: 'NOTE_MALFORMED' }, '101 signatures');
  t.throws(() => open([enoch], good.repeat(101)), { code: 'NOTE_MALFORMED' }, '101 repeats');
  t.end();
});

t.test('the real log: its head opens, and every flipped bit of it is refused', (t) => {
  const key = parseVerifierKey(SUMDB_KEY);
  const head = openTreeHead(encodeUtf8(SUMDB_HEAD), key);
  t.equal(head.size, 71848828);
  t.equal(formatHash(head.hash), 'KknkYm4hx0y71VQ4E6FoF3fdumxzXU5QwTwo+kVX+2I=');
  t.equal(decodeUtf8(head.note), SUMDB_HEAD);

  const passed: string[] = [];
  const codes = new Set<string>();
  const bytes = encodeUtf8(SUMDB_HEAD);
  for (let i = 0; i < bytes.length; i++) {
    for (let bit = 0; bit < 8; bit++) {
      const copy = bytes.slice();
      copy[i]! ^= 1 << bit;
      try {
        openTreeHead(copy, key);
        passed.push(decodeUtf8(copy.subarray(-6)));
      } catch (error) {
        codes.add((error as { code: string }).code);
      }
    }
  }
  // The last digit has two bits that mean nothing, and Go's base64 does not look at them: E and G are the same signature.
  t.same(passed, ['zMgG=\n'], 'but for the stray bits of the base64');
  t.same([...codes].sort(), ['NOTE_MALFORMED', 'SIGNATURE_INVALID', 'SIGNATURE_UNKNOWN']);
  for (let length = 0; length < bytes.length; length++) {
    if (opens(() => openTreeHead(bytes.subarray(0, length), key))) t.fail(`cut to ${length} bytes`);
  }
  t.end();
});

t.test('tree heads', (t) => {
  const golden = 'go.sum database tree\n2\nnND/nri/U0xuHUrYSy0HtMeal2vzD9V4k/BO79C+QeI=\n';
  const head = parseTreeHead(encodeUtf8(golden));
  t.equal(head.size, 2);
  t.equal(decodeUtf8(formatTreeHead(head)), golden);
  t.equal(decodeUtf8(formatTreeHead({ size: 0, hash: EMPTY_HASH })), `go.sum database tree\n0\n${formatHash(EMPTY_HASH)}\n`);
  t.same(parseTreeHead(encodeUtf8(`${golden}more\nlines`)), head, 'further lines are ignored');
  t.same(parseTreeHead(encodeUtf8(`${golden}${'x'.repeat(1e6 - golden.length)}`)), head, 'as many bytes as are allowed');
  t.equal(parseTreeHead(encodeUtf8(golden.replace('\n2\n', '\n9007199254740991\n'))).size, 2 ** 53 - 1);
  t.ok(sameTree(head, { ...head }));
  t.notOk(sameTree(head, { ...head, size: 3 }));
  t.notOk(sameTree(head, { ...head, hash: EMPTY_HASH }));

  const bad: Record<string, string> = {
    'nothing': '',
    'no last newline': golden.slice(0, -1),
    'no hash': 'go.sum database tree\n2\n',
    'no hash, but lines': 'go.sum database tree\n2\n\n\n',
    'another first line': golden.replace('tree', 'tree v2'),
    'a space in front': ` ${golden}`,
    'a byte order mark': `\ufeff${golden}`,
    'a signed size': golden.replace('\n2\n', '\n+2\n'),
    'a negative size': golden.replace('\n2\n', '\n-2\n'),
    'a padded size': golden.replace('\n2\n', '\n02\n'),
    'an empty size': golden.replace('\n2\n', '\n\n'),
    'a size of 2^53': golden.replace('\n2\n', '\n9007199254740992\n'),
    'a size in hex': golden.replace('\n2\n', '\n0x2\n'),
    'an empty tree with a foreign hash': golden.replace('\n2\n', '\n0\n'),
    'a hash of 31 bytes': golden.replace('QeI=', 'QQ=='),
    'a hash of 33 bytes': golden.replace('QeI=', 'QeIA'),
    'stray bits': golden.replace('QeI=', 'QeJ='),
    'a space behind the hash': golden.replace('QeI=', 'QeI= '),
    'CRLF': golden.replaceAll('\n', '\r\n'),
    'too long': `${golden}${'x'.repeat(1e6 - golden.length + 1)}`,
  };
  for (const [what, text] of Object.entries(bad)) {
    t.throws(() => parseTreeHead(encodeUtf8(text)), { code: 'TREE_HEAD_MALFORMED' }, what);
  }
  t.throws(() => parseTreeHead(concatBytes(encodeUtf8(golden), Uint8Array.of(0xff))), { code: 'TREE_HEAD_MALFORMED' }, 'no UTF-8');
  t.throws(() => openTreeHead(signNote(encodeUtf8('text\n'), [ENOCH_SIGNER]), enoch), { code: 'TREE_HEAD_MALFORMED' });
  t.end();
});

const RECORD = 'example.com/a v1.0.0 h1:aaaa\nexample.com/a v1.0.0/go.mod h1:bbbb\n';

t.test('records and lookups', (t) => {
  // sha256sum of a NUL and the text
  t.equal(hex(recordHash(encodeUtf8(RECORD))), 'c4f6efa903bc5fee130e42c383381ee6d3a7ba9a3316bf8d92608199f65c47d8');
  const answer = { id: 42, text: encodeUtf8(RECORD), note: encodeUtf8(SUMDB_HEAD) };
  t.equal(decodeUtf8(formatLookup(answer)), `42\n${RECORD}\n${SUMDB_HEAD}`);
  t.same(parseLookup(encodeUtf8(`42\n${RECORD}\n${SUMDB_HEAD}`)), answer);
  t.equal(parseLookup(encodeUtf8(`9007199254740991\n${RECORD}\n`)).id, 2 ** 53 - 1);
  t.equal(parseLookup(encodeUtf8(`0\na\n\n`)).note.length, 0, 'the note is not opened');

  const bad: Record<string, string | Uint8Array> = {
    'nothing': '',
    'an id alone': '42',
    'an id line alone': '42\n',
    'no blank line': `42\n${RECORD}`,
    'no blank line but a note': `42\n${RECORD}${SUMDB_HEAD}`.replaceAll('\n\n', '\n'),
    'no blank line, and a part of a line': '42\na\nb',
    'no text': `42\n\n${SUMDB_HEAD}`,
    'an empty text': '42\n\n\n',
    'a leading blank line': `42\n\n${RECORD}\n${SUMDB_HEAD}`,
    'no id': `${RECORD}\n${SUMDB_HEAD}`,
    'an empty id': `\n${RECORD}\n${SUMDB_HEAD}`,
    'a tab': `42\n${RECORD.replace(' ', '\t')}\n`,
    'CRLF': `42\r\n${RECORD.replaceAll('\n', '\r\n')}\r\n`,
    'NUL': `42\n${RECORD.replace('a', '\0')}\n`,
    'no UTF-8': concatBytes(encodeUtf8('42\na'), Uint8Array.of(0x80), encodeUtf8('\n\n')),
    'no UTF-8 in the id': concatBytes(Uint8Array.of(0xff), encodeUtf8('\na\n\n')),
    'an HTML page': '<!DOCTYPE html>\n<html>\n\n</html>\n',
  };
  for (const id of ['+5', '-1', '007', ' 5', '5 ', '5.0', '0x5', '9007199254740992', '5\r']) {
    bad[`id ${JSON.stringify(id)}`] = `${id}\n${RECORD}\n${SUMDB_HEAD}`;
  }
  for (const [what, text] of Object.entries(bad)) {
    const bytes = typeof text === 'string' ? encodeUtf8(text) : text;
    t.throws(() => parseLookup(bytes), { code: 'RECORD_MALFORMED' }, what);
  }
  for (const text of ['', 'a', '\n', 'a\n\n', 'a\n\nb\n', '\na\n', 'a\tb\n']) {
    t.throws(() => checkRecordText(encodeUtf8(text)), { code: 'RECORD_MALFORMED' }, JSON.stringify(text));
    t.throws(() => formatLookup({ ...answer, text: encodeUtf8(text) }), { code: 'RECORD_MALFORMED' });
  }
  t.end();
});

t.test('data tiles: with and without the last blank line', (t) => {
  const texts = [RECORD, 'b\n', 'c é\n'].map(encodeUtf8);
  const golden = `${RECORD}\nb\n\nc é\n\n`;
  t.equal(decodeUtf8(formatDataTile(texts)), golden);
  t.same(parseDataTile(encodeUtf8(golden), 3), texts);
  t.same(parseDataTile(encodeUtf8(golden.slice(0, -1)), 3), texts, 'as sum.golang.org has it');
  t.same(parseDataTile(encodeUtf8('a\n'), 1), [encodeUtf8('a\n')]);
  const bad: Record<string, [string, number]> = {
    'nothing': ['', 1],
    'too few': [golden, 4],
    'too many': [golden, 2],
    'no newline': [golden.slice(0, -2), 3],
    'two blank lines at the end': [`${golden}\n`, 3],
    'two blank lines at the end, counted': [`${golden}\n`, 4],
    'two blank lines between': ['a\n\n\nb\n\n', 2],
    'two blank lines between, counted': ['a\n\n\nb\n\n', 3],
    'a leading blank line': ['\na\n\n', 1],
    'a leading blank line, counted': ['\na\n\n', 2],
    'a tab': ['a\tb\n\n', 1],
  };
  for (const [what, [text, width]] of Object.entries(bad)) {
    t.throws(() => parseDataTile(encodeUtf8(text), width), { code: 'RECORD_MALFORMED' }, what);
  }
  t.end();
});

t.test('the hashes of a module version in a record', (t) => {
  const find = (text: string): unknown => findHashes(encodeUtf8(text), 'example.com/a', 'v1.0.0');
  t.same(find(RECORD), { module: 'h1:aaaa', goMod: 'h1:bbbb' });
  t.same(find('example.com/a v1.0.0/go.mod h1:bbbb\n'), { module: undefined, goMod: 'h1:bbbb' });
  t.same(find('example.com/a v1.0.0 h1:aaaa\n'), { module: 'h1:aaaa', goMod: undefined });
  t.same(find(`example.com/b v1.0.0 h1:cccc\n${RECORD}`), { module: 'h1:aaaa', goMod: 'h1:bbbb' }, 'among others');
  t.same(find(`${RECORD}${RECORD}`), { module: 'h1:aaaa', goMod: 'h1:bbbb' }, 'the same line twice');
  t.same(find(`${RECORD}example.com/a v1.0.0 h2:zzzz\n`), { module: 'h1:aaaa', goMod: 'h1:bbbb' }, 'hashes of the future');
  const foreign: Record<string, string> = {
    'another module': RECORD.replaceAll('/a ', '/b '),
    'a longer path': RECORD.replaceAll('/a ', '/a/b '),
    'a path with ours at its end': RECORD.replaceAll('example.com', 'evil.example.com'),
    'another version': RECORD.replaceAll('v1.0.0', 'v1.0.1'),
    'a longer version': RECORD.replaceAll('v1.0.0', 'v1.0.0-pre'),
    'another spelling of it': RECORD.replaceAll('example', 'Example'),
    'two spaces': RECORD.replaceAll(' v1', '  v1'),
    'no hash': 'example.com/a v1.0.0\n',
    'hashes of the future alone': RECORD.replaceAll('h1:', 'h2:'),
    'ours in the midst of a line': 'x example.com/a v1.0.0 h1:aaaa\n',
  };
  for (const [what, text] of Object.entries(foreign)) t.throws(() => find(text), { code: 'RECORD_FOREIGN' }, what);
  t.throws(() => find(`${RECORD}example.com/a v1.0.0 h1:cccc\n`), { code: 'RECORD_CONFLICT' });
  t.throws(() => find(`${RECORD}example.com/a v1.0.0/go.mod h1:cccc\n`), { code: 'RECORD_CONFLICT' });
  t.end();
});

/** A key's text with the hash that belongs to it, whatever it is. */
function keyText(name: string, data: Uint8Array): string {
  const digest = createHash('sha256').update(`${name}\n`).update(data).digest('hex');
  return `${name}+${digest.slice(0, 8)}+${formatBase64(data)}`;
}

function names(signatures: readonly { name: string }[]): string[] {
  return signatures.map(({ name }) => name);
}

function opens(open: () => unknown): boolean {
  try {
    open();
    return true;
  } catch {
    return false;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}
