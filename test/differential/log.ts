/** Tile paths, keys, notes, tree heads and records. */

import { equalBytes } from '../../src/core/hash.js';
import {
  formatKeyHash,
  formatVerifierKey,
  newSignerKey,
  newVerifierKey,
  parseSignerKey,
  parseVerifierKey,
  verifierKeyOf,
  formatSignerKey,
} from '../../src/core/key.js';
import { openNote, signNote } from '../../src/core/note.js';
import { checkRecordText, formatLookup, parseLookup, recordHash } from '../../src/core/record.js';
import { DATA_LEVEL, formatTilePath, parseTilePath } from '../../src/core/tile.js';
import { parseTreeHead } from '../../src/core/treehead.js';
import { Random } from './random.js';
import { base64Of, bytesOf, sha256, textOf, type Input, type Subject } from './subject.js';

const MAX_COUNT = BigInt(Number.MAX_SAFE_INTEGER);

function isUtf8(bytes: Uint8Array): boolean {
  return Buffer.from(Buffer.from(bytes).toString()).equals(bytes);
}

// ---- tile paths

const TILE_PIECES = [
  ...Array.from('/x0189-+. '),
  '.p',
  '.p/',
  '.p/1',
  '.p/255',
  '.p/256',
  '/x',
  '/000',
  'x000/',
  'data',
  'tile/',
  '8/',
  '٣',
];

function makeTilePath(random: Random): string {
  // numbers of Go's 64 bits, which formatTilePath cannot write
  if (random.chance(0.1)) return `tile/8/0/${random.many(5, 6, () => `x${100 + random.below(900)}/`).join('')}000`;
  const level = random.chance(0.2) ? DATA_LEVEL : random.below(8);
  const n = random.below(random.pick([10, 1000, 1_000_000, 2 ** 40, Number.MAX_SAFE_INTEGER]));
  const path = formatTilePath({ level, n, width: random.chance(0.5) ? 256 : 1 + random.below(256) });
  const changed = random.chance(0.2) ? path.replace('tile/8', `tile/${random.below(32)}`) : path;
  return random.chance(0.5) ? changed : random.mutate(changed, TILE_PIECES);
}

const TILE_PATHS: Subject = {
  op: 'tilePath',
  fixed: [
    'tile/8/0/x001/x234/067',
    'tile/7/0/000',
    'tile/8/7/000',
    'tile/8/0/x009/x007/x199/x254/x740/x992',
    'tile/8/0/x009/x007/x199/x254/x740/991.p/1',
    'tile/8/0/000.p/256',
    'tile/8/0/000.p/0',
    'tile/8/data/000',
  ].map((path) => [path]),
  make: (random) => [makeTilePath(random)],
  ours: (path) => {
    const { level, n, width } = parseTilePath(textOf(path));
    return ['8', String(level), String(n), String(width)];
  },
  stricter: {
    'a height other than 8': ([height]) => height !== '8',
    'a level above 6': ([, level]) => Number(level) > 6,
    'a number beyond 2^53 - 1': ([, , n]) => BigInt(n!) > MAX_COUNT,
  },
};

// ---- keys

const NAMES = ['example.com/log', 'PeterNeumann', 'witness.example', 'ключ'];

/** A key by hand: right in most parts, so that what is wrong is found out by itself. */
function makeKeyText(random: Random, prefix: string): string {
  const name = random.chance(0.7)
    ? random.pick(NAMES)
    : random.mutate(random.pick(NAMES), [...Array.from(' +/\u0085\u00a0\ufeff\u3000\n'), '']);
  const data = Buffer.concat([
    Uint8Array.of(random.chance(0.9) ? 1 : random.below(4)),
    random.bytes(random.pick([32, 32, 32, 32, 32, 32, 31, 33, 0])),
  ]);
  const hash = sha256(`${name}\n`, data).toString('hex').slice(0, 8);
  const base64 = base64Of(data);
  const text = `${prefix}${name}+${random.chance(0.2) ? hash.toUpperCase() : hash}+${base64}`;
  return random.chance(0.6) ? text : random.mutate(text, [...Array.from('+=AZa0 _-\n\r'), '\r\n', '++', '0']);
}

const VERIFIER_KEYS: Subject = {
  op: 'verifierKey',
  fixed: [
    ['sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8'],
    ['sum.golang.org+033DE0AE+Ac4zctda0e5eza+HJyk9\nSxEdh+s3Ux18htTTAD8OuAn8\r'],
  ],
  make: (random) => [makeKeyText(random, '')],
  ours: (text) => {
    const key = parseVerifierKey(textOf(text));
    const again = parseVerifierKey(formatVerifierKey(key));
    if (!equalBytes(again.publicKey, key.publicKey)) throw new Error('its canonical spelling is another key');
    return [key.name, formatKeyHash(key.hash)];
  },
  stricter: {},
};

// ---- notes

const keys = new Random(25_530);
const SIGNERS = NAMES.map((name) => newSignerKey(name, keys.bytes(32)));
const VERIFIERS = [
  ...SIGNERS.map(verifierKeyOf),
  newVerifierKey('no.point.example', keys.bytes(32)),
  newVerifierKey('weak.example', Uint8Array.of(1, ...new Array<number>(31).fill(0))),
];
const NOTE_PIECES = [
  '\n',
  '\n\n',
  '— ',
  ' ',
  '=',
  '+',
  'A',
  '\r',
  '\t',
  '\u0000',
  '\u001f',
  '\u0085',
  '\ufeff',
  '\u007f',
  Uint8Array.of(0xff),
  Uint8Array.of(0xe2, 0x80),
  '— x AAAAAAA=\n',
  'go.sum database tree\n',
];

/** A signature line of a key with random bytes in place of a signature. */
function falseLine(random: Random, { name, hash }: { name: string; hash: number }): string {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(hash);
  return `— ${name} ${base64Of(Buffer.concat([head, random.bytes(random.pick([0, 1, 63, 64, 64, 65]))]))}\n`;
}

function makeText(random: Random): string {
  return (
    random.many(0, 4, () => random.pick(['a line', '', 'go.sum database tree', '42', '— x y', 'é\ufeff'])).join('\n') +
    '\n'
  );
}

function makeNote(random: Random): Uint8Array {
  const text = makeText(random);
  const note = Buffer.from(signNoteOf(text, random.chance(0.9) ? random.some(SIGNERS) : [])).toString();
  const [split, lines] = [note.slice(0, text.length + 1), note.slice(text.length + 1).split(/(?<=\n)/)];
  const stranger = { name: random.pick(['stranger', 'PeterNeumann']), hash: 7 };
  for (const key of [random.pick(VERIFIERS), stranger]) {
    if (random.chance(0.2)) lines.splice(random.below(lines.length + 1), 0, falseLine(random, key));
  }
  if (random.chance(0.2)) lines.push(random.pick(lines));
  const bytes = Buffer.from(split + lines.join(''));
  return random.chance(0.6) ? bytes : random.mutateBytes(bytes, NOTE_PIECES);
}

/** A note of signers; with none, the text and a blank line. */
function signNoteOf(text: string, signers: typeof SIGNERS): Uint8Array {
  return signers.length === 0 ? Buffer.from(`${text}\n`) : signNote(Buffer.from(text), signers);
}

const MANY = (count: number): Input => {
  const lines = Array.from({ length: count - 1 }, (_, i) => `— stranger${i} AAAAAAA=\n`);
  return Buffer.concat([signNoteOf('text\n', SIGNERS.slice(0, 1)), Buffer.from(lines.join(''))]);
};

const NOTES: Subject = {
  op: 'note',
  slow: true,
  fixed: [
    [MANY(100), formatVerifierKey(VERIFIERS[0]!)],
    [MANY(101), formatVerifierKey(VERIFIERS[0]!)],
    [signNoteOf('text\n', SIGNERS.slice(0, 1)), formatVerifierKey(VERIFIERS[0]!), formatVerifierKey(VERIFIERS[0]!)],
    ...VERIFIERS.map((key) => [Buffer.from(`text\n\n${falseLine(keys, key)}`), formatVerifierKey(key)]),
  ],
  make: (random) => {
    const known = random.chance(0.1)
      ? random.some(VERIFIERS)
      : random.chance(0.05)
        ? [VERIFIERS[1]!, VERIFIERS[1]!]
        : VERIFIERS;
    return [makeNote(random), ...known.map(formatVerifierKey)];
  },
  ours: (note, ...known) => {
    const opened = openNote(
      bytesOf(note),
      known.map((key) => parseVerifierKey(textOf(key))),
    );
    const line = (state: string) => (sig: { name: string; hash: number; base64: string }) =>
      `${state} ${sig.name} ${formatKeyHash(sig.hash)} ${sig.base64}`;
    return [
      base64Of(opened.text),
      ...opened.verified.map(line('verified')),
      ...opened.unverified.map(line('unverified')),
    ];
  },
  stricter: {},
};

const SIGNING: Subject = {
  op: 'sign',
  slow: true,
  fixed: [
    [formatSignerKey(SIGNERS[0]!), 'text\n'],
    [formatSignerKey(SIGNERS[0]!), 'no newline'],
    [formatSignerKey(SIGNERS[0]!), 'a tab\t\n'],
    [formatSignerKey(SIGNERS[0]!), Uint8Array.of(0xff, 0x0a)],
  ],
  make: (random) => {
    const key = formatSignerKey(random.pick(SIGNERS));
    const text = Buffer.from(makeText(random));
    return [
      random.chance(0.7)
        ? key
        : random.chance(0.5)
          ? random.mutate(key, [...Array.from('+=Aa0 \n'), 'PRIVATE+'])
          : makeKeyText(random, 'PRIVATE+KEY+'),
      random.chance(0.7) ? text : random.mutateBytes(text, NOTE_PIECES),
    ];
  },
  ours: (key, text) => [base64Of(signNote(bytesOf(text), [parseSignerKey(textOf(key))])), 'true'],
  stricter: { 'a text that cannot be opened again': ([, openable]) => openable === 'false' },
};

// ---- tree heads and records

const EMPTY_TREE = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
const HEAD = `go.sum database tree\n2\nnND/nri/U0xuHUrYSy0HtMeal2vzD9V4k/BO79C+QeI=\n`;

function makeTreeHead(random: Random): Uint8Array {
  const size = random.pick([
    '0',
    '1',
    '42',
    '007',
    '+5',
    '-1',
    String(Number.MAX_SAFE_INTEGER),
    '9007199254740992',
    '9223372036854775807',
    '9223372036854775808',
    String(random.below(2 ** 53)),
  ]);
  const base64 = random.chance(0.1) ? EMPTY_TREE : base64Of(random.bytes(random.chance(0.95) ? 32 : random.below(40)));
  const hash = random.chance(0.9) ? base64 : base64.replace(/.=$/, 'B=');
  const text = Buffer.from(
    `go.sum database tree\n${size}\n${hash}\n${random.pick(['', '', 'more\n', 'more', '\n\n'])}`,
  );
  return random.chance(0.6)
    ? text
    : random.mutateBytes(text, ['\n', ' ', '\r', '0', '=', 'B', Uint8Array.of(0xff), ' v2']);
}

const TREE_HEADS: Subject = {
  op: 'treeHead',
  fixed: [
    [HEAD],
    [HEAD.slice(0, -1)],
    [HEAD.replace('2', '9007199254740992')],
    [HEAD.replace('eI=', 'eJ=')],
    [HEAD.replace('nND', 'n\rND')],
    [HEAD.replace('2', '0')],
    [Buffer.concat([Buffer.from(HEAD), Uint8Array.of(0xff)])],
    [HEAD + 'x'.repeat(1e6 - HEAD.length)],
    [HEAD + 'x'.repeat(1e6 - HEAD.length + 1)],
  ],
  make: (random) => [makeTreeHead(random)],
  ours: (text) => {
    const { size, hash } = parseTreeHead(bytesOf(text));
    return [String(size), base64Of(hash)];
  },
  stricter: {
    'a size beyond 2^53 - 1': ([size]) => BigInt(size!) > MAX_COUNT,
    'base64 that is not canonical': ([, hash], text) =>
      Buffer.from(bytesOf(text)).toString('latin1').split('\n')[2] !== hash,
    'an empty tree with a foreign hash': ([size, hash]) => size === '0' && hash !== EMPTY_TREE,
    'invalid UTF-8 in lines that Go ignores': (_go, text) => !isUtf8(bytesOf(text)),
  },
};

const LINES = ['example.com/a v1.0.0 h1:x', 'example.com/a v1.0.0/go.mod h1:y', 'é 😀', 'x'];
const RECORD_PIECES = [
  '\n',
  '\n\n',
  '\t',
  '\u0000',
  '\u001f',
  '\u007f',
  '\u0085',
  Uint8Array.of(0xff),
  Uint8Array.of(0xed, 0xa0, 0x80),
  'x',
];

function makeRecordText(random: Random): Uint8Array {
  const text = Buffer.from(random.many(1, 3, () => `${random.pick(LINES)}\n`).join(''));
  return random.chance(0.6) ? text : random.mutateBytes(text, RECORD_PIECES);
}

function makeLookup(random: Random): Uint8Array {
  const id = random.pick([
    '0',
    '5',
    '12345',
    '+5',
    '-1',
    '-0',
    '007',
    '',
    ' 5',
    '9007199254740991',
    '9007199254740992',
    '9223372036854775808',
  ]);
  const bytes = Buffer.concat([
    Buffer.from(`${id}\n`),
    makeRecordText(random),
    Buffer.from(`\n${random.pick(['', 'note\n', '\n\n'])}`),
  ]);
  return random.chance(0.6) ? bytes : random.mutateBytes(bytes, [...RECORD_PIECES, '0', '+', '-']);
}

const LEADING_BLANK = 'a blank line in front';

const LOOKUPS: Subject = {
  op: 'lookup',
  fixed: [
    '5\nx\n\nnote\n',
    '+5\nx\n\n',
    '-1\nx\n\n',
    '007\nx\n\n',
    '9007199254740992\nx\n\n',
    '5\n\nx\n\n',
    '5\n\n\n',
  ].map((text) => [text]),
  make: (random) => [makeLookup(random)],
  ours: (bytes) => {
    const { id, text, note } = parseLookup(bytesOf(bytes));
    return [String(id), base64Of(text), base64Of(note)];
  },
  stricter: {
    'a record number that is not canonical': ([id], bytes) =>
      !Buffer.from(bytesOf(bytes)).toString().startsWith(`${id}\n`),
    'a negative record number': ([id]) => id!.startsWith('-'),
    'a record number beyond 2^53 - 1': ([id]) => BigInt(id!) > MAX_COUNT,
    [LEADING_BLANK]: ([, text]) => Buffer.from(text!, 'base64')[0] === 0x0a,
  },
};

const RECORDS: Subject = {
  op: 'record',
  fixed: [
    ['5', 'x\n'],
    ['5', 'x\u001f\n'],
    ['5', '\nx\n'],
    ['5', ''],
  ],
  make: (random) => [String(random.below(2 ** 53)), makeRecordText(random)],
  ours: (id, text) => {
    checkRecordText(bytesOf(text));
    return [base64Of(formatLookup({ id: Number(id), text: bytesOf(text), note: new Uint8Array(0) }))];
  },
  stricter: { [LEADING_BLANK]: (_go, _id, text) => bytesOf(text)[0] === 0x0a },
};

const RECORD_HASHES: Subject = {
  op: 'recordHash',
  fixed: [['']],
  make: (random) => [random.bytes(random.below(300))],
  ours: (text) => [base64Of(recordHash(bytesOf(text)))],
  stricter: {},
  total: true,
};

export const LOG_SUBJECTS: readonly Subject[] = [
  TILE_PATHS,
  VERIFIER_KEYS,
  NOTES,
  SIGNING,
  TREE_HEADS,
  LOOKUPS,
  RECORDS,
  RECORD_HASHES,
];
