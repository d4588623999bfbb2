/** Bulk proofs: what they prove, and that nothing else passes for one. */

import t from 'tap';
import { bulkHashCount, makeBulk, openBulk } from '../../src/core/bulk.js';
import { formatBulkQuery, MAX_BULK, MAX_BULK_ANSWER, MAX_BULK_QUERY, parseBulkQuery } from '../../src/core/bulkform.js';
import { checkFork, ForkError } from '../../src/core/fork.js';
import { planTiles } from '../../src/core/plan.js';
import { decodeUtf8, encodeUtf8 } from '../../src/core/text.js';
import { GosumError } from '../../src/errors.js';
import { madeUpBytes, TestLog } from '../../src/testing/index.js';
import { Random } from '../differential/random.js';
import { fuzzBulk } from './bulkfuzz.js';
import { answerTo, askFor, flawOf, join, keyOf, partsOf, type Asked, type Parts } from './bulkrig.js';

const small = new TestLog();
for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']) small.add(`example.com/${name}`, 'v1.0.0');

t.test('an answer for any records of a small log, from any known head', (t) => {
  let cases = 0;
  for (let size = 1; size <= small.size; size++) {
    for (let old = 0; old <= size; old++) {
      for (let set = 0; set < 2 ** size; set++, cases++) {
        if (size > 5 && (set * 7 + old) % (size * size) !== 0) continue;
        const ids = Array.from({ length: size }, (_, id) => id).filter((id) => Math.floor(set / 2 ** id) % 2 === 1);
        const asked = askFor(small, size, old, ids, ids.length === 0 ? 1 : set % 2);
        const flaw = flawOf(asked, openBulk(answerTo(asked), small.key, asked.query, asked.known));
        if (flaw !== undefined) t.fail(`${flaw}: ${ids.join()} of ${size}, from ${old}`);
      }
    }
  }
  t.pass(`${cases} answers`);
  t.end();
});

t.test('the form of question and answer', (t) => {
  const asked = askFor(small, 5, 3, [4, 0], 1);
  const question = 'old 3\nexample.com/e v1.0.0\nexample.com/a v1.0.0\nexample.com/unknown/0 v1.0.0\n';
  t.equal(decodeUtf8(formatBulkQuery(asked.query)), question);
  t.same(parseBulkQuery(encodeUtf8(question)), asked.query);
  const golden = `gosumcheck/bulk@v1
note 178
go.sum database tree
5
${Buffer.from(small.treeHead(5).hash).toString('base64')}

${decodeUtf8(small.head(5)).split('\n\n')[1]}missing 1
example.com/unknown/0 v1.0.0 404
records 2
0 ${small.text(0).length}
${decodeUtf8(small.text(0))}4 ${small.text(4).length}
${decodeUtf8(small.text(4))}hashes 3
`;
  const bytes = answerTo(asked);
  t.equal(decodeUtf8(bytes.subarray(0, -96)), golden);
  t.same(bytes.subarray(-96), Buffer.concat([small.read(0, 1), small.read(0, 2), small.read(0, 3)]), 'the hashes of records 1, 2 and 3');
  t.end();
});

t.test('answers of a greater log', (t) => {
  const log = new TestLog().fill(70000);
  const random = new Random(5);
  const cases: [size: number, old: number, ids: number[]][] = [
    [70000, 0, [0, 69999]],
    [70000, 65536, [65535, 65536]],
    [65536, 1, [0, 1, 255, 256, 65535]],
    [257, 256, [256]],
    [70000, 69999, []],
    [70000, 33333, Array.from({ length: 300 }, (_, i) => (i * 7919 * 31) % 70000)],
    ...Array.from({ length: 60 }, (): [number, number, number[]] => {
      const size = 1 + random.below(random.pick([300, 70000]));
      const ids = new Set(random.many(0, 12, () => random.below(size)));
      return [size, random.below(size + 1), [...ids]];
    }),
  ];
  for (const [size, old, ids] of cases) {
    const asked = askFor(log, size, old, ids, 2);
    const flaw = flawOf(asked, openBulk(answerTo(asked), log.key, asked.query, asked.known));
    if (flaw !== undefined) t.fail(`${flaw}: ${ids.join()} of ${size}, from ${old}`);
  }
  t.pass(`${cases.length} answers`);
  t.end();
});

t.test('what the server makes', (t) => {
  const head = small.signedHead();
  const plan = planTiles(head, { records: [1, 2] });
  const tree = plan.authenticate(plan.tiles.map((tile) => small.tileBytes(tile)));
  const [one, two] = [1, 2].map((id) => ({ id, text: small.text(id) })) as [{ id: number; text: Uint8Array }, { id: number; text: Uint8Array }];
  t.same(makeBulk(tree, head, 0, [two, one, two], []), makeBulk(tree, head, 0, [one, two], []), 'any order, and repeats');
  t.same(makeBulk(tree, head, 10, [one], []), makeBulk(tree, head, 0, [one], []), 'an old size beyond the head is as none');
  t.throws(() => makeBulk(tree, head, 0, [{ id: 1, text: two.text }], []), { code: 'RECORD_MISMATCH' });
  t.throws(() => makeBulk(tree, small.signedHead(8), 0, [one], []), { message: /not the head/ }, 'another head');
  t.end();
});

t.test('a record of several module versions', (t) => {
  const log = new TestLog().fill(3);
  const lines = ['example.com/x v1.0.0 h1:a', 'example.com/x v1.0.0/go.mod h1:b', 'example.com/y v1.0.0/go.mod h1:c', 'example.com/z v1.0.0 h2:d'];
  log.addText(`${lines.join('\n')}\n`);
  const ask = (...modules: string[]): Asked => ({ ...askFor(log, 4, 0, [3]), query: { old: 0, wanted: modules.map((name) => ({ module: `example.com/${name}`, version: 'v1.0.0' })) } });
  for (const modules of [['x'], ['y'], ['x', 'y']]) {
    const asked = ask(...modules);
    const { records, receipt } = openBulk(answerTo(asked), log.key, asked.query, undefined);
    const names = modules.map((name) => `example.com/${name}@v1.0.0`);
    t.same([...records.keys()], names);
    t.same(receipt?.covers, names);
    for (const record of records.values()) t.equal(record.id, 3);
  }
  t.equal(codeOf(ask('x', 'z')), 'BULK_COVERAGE', 'a hash of another kind is none');
  t.equal(codeOf(ask('z')), 'RECORD_FOREIGN');
  t.equal(codeOf(ask('x', 'w')), 'BULK_COVERAGE');
  t.end();
});

t.test('an empty log', (t) => {
  const empty = new TestLog();
  const asked = askFor(empty, 0, 0, [], 1);
  const parts = partsOf(answerTo(asked));
  t.same([parts.records, parts.hashes], [[], []]);
  t.equal(flawOf(asked, openBulk(join(parts), empty.key, asked.query, undefined)), undefined);
  t.same(openBulk(join(parts), empty.key, asked.query, empty.signedHead()).heads, [], 'the same empty tree');
  t.equal(codeOf(asked, join({ ...parts, hashes: [empty.signedHead().hash] })), 'BULK_MALFORMED');
  t.equal(codeOf(asked, join({ ...parts, records: [[0, small.text(0)]] })), 'RECORD_BEYOND_HEAD');
  const { heads } = openBulk(answerTo(askFor(small, 9, 0, [1])), small.key, { old: 0, wanted: [keyOf(small, 1)] }, small.signedHead(0));
  t.same(heads.map(({ size, next }) => [size, next]), [[0, { size: 9, proof: new Uint8Array() }], [9, undefined]], 'an empty head is linked');
  t.end();
});

// the hashes of the answer below: those of 0, 3, 4, 5, 7 and 8
const asked = askFor(small, 9, 5, [1, 2, 6], 1);
const truth = partsOf(answerTo(asked));

t.test('an answer in a Buffer, which is a view of more', (t) => {
  const bytes = answerTo(asked);
  for (let offset = 0; offset < 5; offset++) {
    const buffer = Buffer.concat([new Uint8Array(offset), bytes, new Uint8Array(500)]).subarray(offset, offset + bytes.length);
    t.equal(flawOf(asked, openBulk(buffer, small.key, asked.query, asked.known)), undefined, `at ${offset}`);
  }
  t.end();
});

t.test('bad answers', (t) => {
  t.equal(codeOf(asked, join(truth)), undefined, 'the form of the list');
  const rows = truth.records as [[number, Uint8Array], [number, Uint8Array], [number, Uint8Array]];
  const [one, two, six] = rows;
  const hashes = truth.hashes;
  const [h0, h3, h4, h5, h7, h8] = hashes as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const row = (id: number): [number, Uint8Array] => [id, small.text(id)];
  const key = (id: number): string => `${keyOf(small, id).module} v1.0.0`;
  const unknown = 'example.com/unknown/0 v1.0.0 404';
  const fork = new TestLog().fill(9);
  const noteLength = truth.note.length;
  const bad: Record<string, [Partial<Parts>, string]> = {
    'another first line': [{ first: 'gosumcheck/bulk@v2' }, 'BULK_MALFORMED'],
    'a receipt’s first line': [{ first: 'gosumcheck/receipt@v1' }, 'BULK_MALFORMED'],
    'no note': [{ note: new Uint8Array() }, 'NOTE_MALFORMED'],
    'another word': [{ noteLine: `nope ${noteLength}` }, 'BULK_MALFORMED'],
    'a padded count': [{ noteLine: `note 0${noteLength}` }, 'BULK_MALFORMED'],
    'a signed count': [{ noteLine: `note +${noteLength}` }, 'BULK_MALFORMED'],
    'a note longer than all': [{ noteLine: 'note 99999' }, 'BULK_MALFORMED'],
    'an unsigned note': [{ note: encodeUtf8('go.sum database tree\n') }, 'NOTE_MALFORMED'],
    'another key': [{ note: new TestLog('other.example').fill(9).head() }, 'SIGNATURE_UNKNOWN'],
    'a namesake’s key': [{ note: new TestLog('log.example', new TestLog('x').signer).fill(9).head() }, 'SIGNATURE_UNKNOWN'],
    'a signature of another head': [{ note: encodeUtf8(decodeUtf8(truth.note).replace('\n9\n', '\n8\n')) }, 'SIGNATURE_INVALID'],
    'a head of a fork, and true hashes': [{ note: fork.head() }, 'PROOF_MISMATCH'],
    'a head of an earlier tree': [{ note: small.head(8) }, 'BULK_MALFORMED'],
    'a head older than the known one': [{ note: small.head(4) }, 'BULK_OLDER'],
    'a head of nothing': [{ note: small.head(0) }, 'BULK_OLDER'],

    'fewer missing than said': [{ missingLine: 'missing 2' }, 'BULK_MALFORMED'],
    'more missing than said': [{ missingLine: 'missing 0' }, 'BULK_MALFORMED'],
    'countless missing': [{ missingLine: 'missing 9007199254740991' }, 'BULK_MALFORMED'],
    'missing without a status': [{ missing: ['example.com/unknown/0 v1.0.0'] }, 'BULK_MALFORMED'],
    'missing with a status of success': [{ missing: ['example.com/unknown/0 v1.0.0 200'] }, 'BULK_MALFORMED'],
    'missing with a status of two digits': [{ missing: ['example.com/unknown/0 v1.0.0 40'] }, 'BULK_MALFORMED'],
    'missing with a status of four digits': [{ missing: [`${unknown}4`] }, 'BULK_MALFORMED'],
    'missing with more behind it': [{ missing: [`${unknown} x`] }, 'BULK_MALFORMED'],
    'missing with more in front of it': [{ missing: [`x ${unknown}`] }, 'BULK_MALFORMED'],
    'missing with two spaces': [{ missing: [unknown.replace(' ', '  ')] }, 'BULK_MALFORMED'],
    'missing twice': [{ missing: [unknown, unknown] }, 'BULK_COVERAGE'],
    'missing, though not asked for': [{ missing: [unknown, 'example.com/x v1.0.0 404'] }, 'BULK_COVERAGE'],
    'missing, of another version': [{ missing: [unknown.replace('v1.0.0', 'v1.0.1')] }, 'BULK_COVERAGE'],
    'missing, and its record is there': [{ missing: [unknown, `${key(1)} 404`] }, 'BULK_COVERAGE'],
    'neither missing nor there': [{ missing: [] }, 'BULK_COVERAGE'],
    'a true record left out': [{ records: [one, two], hashes: [h0, h3, h4, h5, small.read(1, 3), h8] }, 'BULK_COVERAGE'],
    'a true record that nobody asked for': [{ records: [...rows, row(8)], hashes: hashes.slice(0, -1) }, 'RECORD_FOREIGN'],

    'no records': [{ records: [] }, 'BULK_MALFORMED'],
    'fewer records than said': [{ recordsLine: 'records 4' }, 'BULK_MALFORMED'],
    'more records than said': [{ recordsLine: 'records 2' }, 'BULK_MALFORMED'],
    'countless records': [{ recordsLine: 'records 9007199254740991' }, 'BULK_MALFORMED'],
    'ids out of order': [{ records: [two, one, six] }, 'BULK_MALFORMED'],
    'an id twice': [{ records: [one, one, two, six] }, 'BULK_MALFORMED'],
    'an id twice, with a text of its own': [{ records: [one, [1, small.text(7)], two, six] }, 'BULK_MALFORMED'],
    'an id of the size, with the last text': [{ records: [one, two, six, [9, small.text(8)]], hashes: hashes.slice(0, -1) }, 'RECORD_BEYOND_HEAD'],
    'an id of the size behind the last': [{ records: [one, two, six, row(8), [9, small.text(7)]], hashes: hashes.slice(0, -1) }, 'RECORD_BEYOND_HEAD'],
    'an id beyond the size': [{ records: [one, two, [2 ** 40, six[1]]] }, 'RECORD_BEYOND_HEAD'],
    'an id beyond all counts': [{ records: [one, two, ['9007199254740992', six[1]]] }, 'BULK_MALFORMED'],
    'a negative id': [{ records: [['-1', one[1]], two, six] }, 'BULK_MALFORMED'],
    'a padded id': [{ records: [['01', one[1]], two, six] }, 'BULK_MALFORMED'],
    'a signed id': [{ records: [['+1', one[1]], two, six] }, 'BULK_MALFORMED'],
    'no id': [{ records: [['', one[1]], two, six] }, 'BULK_MALFORMED'],
    'three counts': [{ records: [['1 1', one[1]], two, six] }, 'BULK_MALFORMED'],
    'a text of another length': [{ records: [[1, one[1], '27'], two, six] }, 'RECORD_MALFORMED'],
    'a text that no record can have': [{ records: [[1, encodeUtf8('a\n\n')], two, six] }, 'RECORD_MALFORMED'],
    'an empty text': [{ records: [[1, new Uint8Array()], two, six] }, 'RECORD_MALFORMED'],
    'another text': [{ records: [[1, encodeUtf8(`${key(1)} h1:x\n`)], two, six] }, 'PROOF_MISMATCH'],
    'texts exchanged': [{ records: [[1, two[1]], [2, one[1]], six] }, 'PROOF_MISMATCH'],
    'a neighbour’s id': [{ records: [[0, one[1]], two, six] }, 'PROOF_MISMATCH'],

    'a hash less': [{ hashes: hashes.slice(1) }, 'BULK_MALFORMED'],
    'a hash more': [{ hashes: [...hashes, h8] }, 'BULK_MALFORMED'],
    'no hashes': [{ hashes: [] }, 'BULK_MALFORMED'],
    'hashes in another order': [{ hashes: [h3, h0, h4, h5, h7, h8] }, 'PROOF_MISMATCH'],
    'another hash': [{ hashes: [h0, h3, h4, h5, h7, madeUpBytes('x', 1)] }, 'PROOF_MISMATCH'],
    'hashes of an answer without old': [{ hashes: [h0, h3, small.read(1, 2), h7, h8] }, 'BULK_MALFORMED'],
    'more hashes than are there': [{ hashesLine: 'hashes 7' }, 'BULK_MALFORMED'],
    'fewer hashes than are there': [{ hashesLine: 'hashes 5' }, 'BULK_MALFORMED'],
    'countless hashes': [{ hashesLine: 'hashes 9007199254740991' }, 'BULK_MALFORMED'],
    'half a hash': [{ hashes: [h0, h3, h4, h5, h7, h8.subarray(16)], hashesLine: 'hashes 6' }, 'BULK_MALFORMED'],
    'a newline behind it': [{ more: encodeUtf8('\n') }, 'BULK_MALFORMED'],
    'another answer behind it': [{ more: join(truth) }, 'BULK_MALFORMED'],
  };
  for (const [what, [parts, code]] of Object.entries(bad)) t.equal(codeOf(asked, join({ ...truth, ...parts })), code, what);
  t.end();
});

t.test('module versions are told apart by whole lines', (t) => {
  const log = new TestLog();
  const wanted = [{ module: 'example.com/a', version: 'v1.0.0' }];
  for (const text of ['x example.com/a v1.0.0 h1:x', 'example.com/a v1.0.0-rc h1:x', 'example.com/a v1.0.00 h1:x', 'xexample.com/a v1.0.0 h1:x', 'example.com/a v1.0.0/go.sum h1:x', 'example.com/a  v1.0.0 h1:x', 'example.com/a v1.0.0  h1:x', 'example.com/a v1.0.0 x h1:x']) {
    const id = log.addText(`${text}\n`);
    t.equal(codeOf({ ...askFor(log, id + 1, 0, [id]), query: { old: 0, wanted } }), 'RECORD_FOREIGN', text);
  }
  t.end();
});

t.test('a module version with two records', (t) => {
  const log = new TestLog().fill(3);
  const ids = [log.add('example.com/a', 'v1.0.0'), log.add('example.com/a', 'v1.0.0', { module: 'h1:x' })];
  const wanted = [{ module: 'example.com/a', version: 'v1.0.0' }];
  for (const id of ids) t.equal(codeOf({ ...askFor(log, 5, 0, [id]), query: { old: 0, wanted } }), undefined, 'either by itself');
  t.equal(codeOf({ ...askFor(log, 5, 0, ids), query: { old: 0, wanted } }), 'BULK_COVERAGE', 'both');
  t.end();
});

t.test('what is left out as missing is asked again', (t) => {
  const less = { ...asked, ids: [1, 2], missing: [...asked.missing, { ...keyOf(small, 6), status: 503 }] };
  const { records, missing, receipt } = openBulk(answerTo(less), small.key, asked.query, asked.known);
  t.same([...records.keys()], ['example.com/b@v1.0.0', 'example.com/c@v1.0.0']);
  t.same(receipt?.covers, [...records.keys()]);
  t.same(missing, less.missing);
  t.end();
});

t.test('a log that contradicts itself', (t) => {
  for (const [size, old] of [[9, 5], [9, 8], [8, 8], [9, 1], [2, 1], [1, 1], [9, 9]] as const) {
    for (const ids of [[0], [], [size - 1]]) {
      const fork = new TestLog();
      for (let id = 0; id < 9; id++) fork.add(`example.com/${id}`, 'v1.0.0', { module: `h1:fork${id}` });
      const lie = askFor(fork, size, old, ids, 1);
      const error = errorOf(() => openBulk(answerTo(lie), small.key, lie.query, small.signedHead(old)));
      if (!(error instanceof ForkError)) throw new Error(`no fork of ${old} and ${size}`);
      t.doesNotThrow(() => checkFork(error.evidence, small.key), `evidence of ${old} and ${size}, with ${ids.length} records`);
      t.same([error.evidence.older, error.evidence.newer], [small.head(old), fork.head(size)]);
      // an answer that does not prove its own head accuses nobody
      const parts = partsOf(answerTo(lie));
      const broken = join({ ...parts, hashes: parts.hashes.map((hash) => hash.map((byte) => byte ^ 1)) });
      if (parts.hashes.length > 0) t.equal(codeOf({ ...lie, known: small.signedHead(old) }, broken), 'PROOF_MISMATCH');
    }
  }
  const later = small.clone();
  later.add('example.com/later', 'v1.0.0');
  const grown = askFor(later, 10, 9, [9]);
  t.equal(flawOf(grown, openBulk(answerTo(grown), small.key, grown.query, small.signedHead(9))), undefined, 'what only grows is no fork');
  t.end();
});

t.test('a question with another head than the known one is a bug of the caller', (t) => {
  t.throws(() => openBulk(answerTo(asked), small.key, asked.query, undefined), { code: undefined });
  t.throws(() => openBulk(answerTo(asked), small.key, asked.query, small.signedHead(4)), { code: undefined });
  t.end();
});

t.test('bad questions', (t) => {
  const good = 'old 0\nexample.com/a v1.0.0\n';
  const wanted = [{ module: 'example.com/a', version: 'v1.0.0' }];
  t.same(parseBulkQuery(encodeUtf8(good)), { old: 0, wanted });
  t.same(parseBulkQuery(encodeUtf8('old 9007199254740991\nexample.com/A/v2 v2.0.0+incompatible\n')).old, 2 ** 53 - 1);
  const many = (count: number): string => `old 0\n${Array.from({ length: count }, (_, i) => `example.com/${i} v1.0.0\n`).join('')}`;
  t.equal(parseBulkQuery(encodeUtf8(many(MAX_BULK))).wanted.length, MAX_BULK);
  const wide = (bytes: number): string => `old 0\nexample.com/${'a'.repeat(bytes - 26)} v1.0.0\n`;
  t.equal(wide(MAX_BULK_QUERY).length, MAX_BULK_QUERY);
  t.equal(parseBulkQuery(encodeUtf8(wide(MAX_BULK_QUERY))).wanted.length, 1);
  const bad: Record<string, string | Uint8Array> = {
    'nothing': '',
    'no module versions': 'old 0\n',
    'no old': 'example.com/a v1.0.0\n',
    'old twice': `old 0\n${good}`,
    'old alone on its line': 'old\nexample.com/a v1.0.0\n',
    'a padded count': good.replace('0', '00'),
    'a negative count': good.replace('0', '-1'),
    'a count beyond all counts': good.replace('0', '9007199254740992'),
    'no newline at the end': good.slice(0, -1),
    'no newline at the end of the second': `${good}example.com/b v1.0.0`,
    'another word': good.replace('old', 'new'),
    'a blank line': `${good}\n`,
    'a carriage return': good.replaceAll('\n', '\r\n'),
    'a byte order mark': `\ufeff${good}`,
    'invalid UTF-8': Uint8Array.of(...encodeUtf8(good).subarray(0, -1), 0xff, 0x0a),
    'one twice': `${good}example.com/a v1.0.0\n`,
    'no version': 'old 0\nexample.com/a\n',
    'no path': 'old 0\n v1.0.0\n',
    'two spaces': 'old 0\nexample.com/a  v1.0.0\n',
    'a third field': 'old 0\nexample.com/a v1.0.0 h1:x\n',
    'a version that is not canonical': 'old 0\nexample.com/a v1.0\n',
    'a go.mod': 'old 0\nexample.com/a v1.0.0/go.mod\n',
    'an escaped path': 'old 0\nexample.com/!a v1.0.0\n',
    'too many': many(MAX_BULK + 1),
    'too wide': wide(MAX_BULK_QUERY + 1),
  };
  for (const [what, text] of Object.entries(bad)) {
    const bytes = typeof text === 'string' ? encodeUtf8(text) : text;
    t.throws(() => parseBulkQuery(bytes), { code: 'BULK_MALFORMED' }, what);
  }
  const writes = (...modules: string[]) => () => formatBulkQuery({ old: 0, wanted: modules.map((module) => ({ module, version: 'v1.0.0' })) });
  t.throws(writes(), { code: 'BULK_MALFORMED' }, 'nothing to write');
  t.throws(writes('example.com/a', 'example.com/a'), { code: 'BULK_MALFORMED' }, 'one twice to write');
  t.throws(writes(`example.com/${'a'.repeat(MAX_BULK_QUERY)}`), { code: 'BULK_MALFORMED' }, 'too much to write');
  t.throws(writes('a b'), { code: 'MODULE_PATH_MALFORMED' });
  t.throws(() => formatBulkQuery({ old: 0, wanted: [{ module: 'example.com/a', version: 'v1' }] }), { code: 'VERSION_MALFORMED' });
  t.end();
});

t.test('how many hashes an answer has', (t) => {
  // the figures of the issue, in KB of 1024 bytes: random records of the log as it was in November 2026
  const size = 71_769_961;
  for (const [records, kilobytes] of [[197, 109], [1000, 475], [2000, 893]] as const) {
    const random = new Random(records);
    const ids = new Set<number>();
    while (ids.size < records) ids.add(random.below(size));
    const bytes = bulkHashCount(size, [...ids]) * 32;
    t.ok(Math.abs(bytes / 1024 / kilobytes - 1) < 0.05, `${records} records: ${bytes} bytes, about ${kilobytes} KB`);
    t.ok(bulkHashCount(size, [...ids], size - 1000) - bulkHashCount(size, [...ids]) <= 26, 'an old size costs a way to the root at most');
  }
  t.equal(bulkHashCount(9, [6, 2, 1], 5), truth.hashes.length);
  t.same([bulkHashCount(0, []), bulkHashCount(9, []), bulkHashCount(9, [], 5), bulkHashCount(9, [], 9)], [0, 1, 5, 1]);
  t.ok(bulkHashCount(2 ** 53 - 1, Array.from({ length: MAX_BULK }, (_, i) => i * 2 ** 40 + 5), 3) * 32 < MAX_BULK_ANSWER / 2);
  t.end();
});

t.test('mutated answers are not believed', (t) => {
  // `npm run fuzz:bulk` makes 100,000
  const { mutated, harmless, codes, believed } = fuzzBulk(7, 5000);
  t.same(believed, [], `${mutated} mutated answers, ${harmless} of them still the truth`);
  t.ok(harmless < mutated / 10, 'most are not harmless');
  for (const code of ['BULK_MALFORMED', 'BULK_COVERAGE', 'BULK_OLDER', 'PROOF_MISMATCH', 'RECORD_BEYOND_HEAD', 'RECORD_FOREIGN']) {
    t.ok((codes.get(code) ?? 0) > 0, `${code}: ${codes.get(code)}`);
  }
  t.end();
});

/** The code of the error that opening an answer throws, by default the true one; `undefined` where it is opened. */
function codeOf(asked: Asked, bytes: Uint8Array = answerTo(asked)): string | undefined {
  return errorOf(() => openBulk(bytes, asked.log.key, asked.query, asked.known))?.code;
}

/** The error that is thrown. A bug's plain error is thrown on. */
function errorOf(check: () => unknown): { code: string } | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof GosumError)) throw error;
    return error;
  }
}
