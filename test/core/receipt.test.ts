/** Receipts: what they prove, and that nothing else passes for one. */

import t from 'tap';
import { planTiles } from '../../src/core/plan.js';
import { makeReceipt, openReceipt, proveRecordIn, type Receipt } from '../../src/core/receipt.js';
import { concatBytes, decodeUtf8, encodeUtf8 } from '../../src/core/text.js';
import { madeUpBytes, TestLog } from '../../src/testing/index.js';

const small = new TestLog();
for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) small.addText(`example.com/${name} v1.0.0 h1:${name}\n`);

/** Makes a receipt as the client does: plan, authenticate, prove, make. */
function receiptOf(log: TestLog, ids: readonly number[], size: number = log.size): Uint8Array {
  const head = log.signedHead(size);
  const plan = planTiles(head, { records: ids });
  const tree = plan.authenticate(plan.tiles.map((tile) => log.tileBytes(tile)));
  const records = ids.map((id) => proveRecordIn(tree, head, { id, text: log.text(id) }));
  return makeReceipt(tree, head, records, []).bytes;
}

t.test('the form of a receipt', (t) => {
  const golden = `gosumcheck/receipt@v1
note 178
go.sum database tree
3
po1Vd74aMHf8Dv50AwL6K4e/Hs3i2LXHx8LY1yHFCY8=

— log.example gOxBh3Q4y0UlAn4QJDmT2rCyWQsIK/raOvuPbh093gR4nBWbH/ztBk85GykSGphu79Bn5EPp5smu1RbHD7hECCvlYQw=
records 2
0 26
example.com/a v1.0.0 h1:a
2 26
example.com/c v1.0.0 h1:c
hashes 1
`;
  const bytes = receiptOf(small, [2, 0, 2], 3);
  t.equal(decodeUtf8(bytes.subarray(0, -32)), golden);
  t.same(bytes.subarray(-32), small.read(0, 1), 'the hash of record 1');
  t.same(openReceipt(bytes, small.key).head, small.signedHead(3));
  t.end();
});

t.test('what it covers is said by the caller', (t) => {
  const head = small.signedHead();
  const plan = planTiles(head, { records: [1] });
  const tree = plan.authenticate(plan.tiles.map((tile) => small.tileBytes(tile)));
  const record = proveRecordIn(tree, head, { id: 1, text: small.text(1) });
  t.same(makeReceipt(tree, head, [record], ['example.com/b@v1.0.0']).covers, ['example.com/b@v1.0.0']);
  t.same(record.proof(), small.proveRecord(1));
  t.throws(() => proveRecordIn(tree, head, { id: 1, text: small.text(2) }), { code: 'RECORD_MISMATCH' });
  t.throws(() => proveRecordIn(tree, head, { id: 2, text: small.text(1) }), { code: 'RECORD_MISMATCH' });
  t.end();
});

t.test('a receipt of any records of a small log', (t) => {
  for (let size = 1; size <= small.size; size++) {
    for (let set = 1; set < 2 ** size; set++) {
      const ids = Array.from({ length: size }, (_, id) => id).filter((id) => Math.floor(set / 2 ** id) % 2 === 1);
      if (!isOf(openReceipt(receiptOf(small, ids, size), small.key), small, ids, size)) t.fail(`${ids.join()} of ${size}`);
    }
  }
  t.pass();
  t.end();
});

t.test('a receipt of some records of a greater log', (t) => {
  const log = new TestLog().fill(70000);
  const cases: [size: number, ids: number[]][] = [
    [70000, [0, 69999]],
    [70000, [65535, 65536]],
    [65536, [0, 1, 255, 256, 65535]],
    [257, [256]],
    [70000, Array.from({ length: 300 }, (_, i) => (i * 7919 * 31) % 70000)],
  ];
  for (const [size, ids] of cases) {
    const bytes = receiptOf(log, ids.toReversed(), size);
    t.ok(isOf(openReceipt(bytes, log.key), log, ids.toSorted((a, b) => a - b), size), `${ids.length} records of ${size}`);
  }
  t.end();
});

t.test('a receipt in a Buffer, which is a view of more', (t) => {
  const bytes = receiptOf(small, [1, 2, 5]);
  for (let offset = 0; offset < 5; offset++) {
    const buffer = Buffer.concat([new Uint8Array(offset), bytes, new Uint8Array(500)]).subarray(offset, offset + bytes.length);
    t.ok(isOf(openReceipt(buffer, small.key), small, [1, 2, 5], 7), `at ${offset}`);
  }
  t.end();
});

t.test('every flipped bit is refused', (t) => {
  const bytes = receiptOf(small, [1, 2, 5]);
  const passed: number[] = [];
  const codes = new Set<string>();
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const copy = bytes.slice();
    copy[Math.floor(bit / 8)]! ^= 1 << (bit % 8);
    const code = codeOf(() => openReceipt(copy, small.key));
    if (code === undefined) passed.push(Math.floor(bit / 8));
    else codes.add(code);
  }
  // two bits of the signature's last digit mean nothing (see note.test.ts)
  const lastDigit = Buffer.from(bytes).indexOf('=\nrecords') - 1;
  t.same(passed.filter((at) => at !== lastDigit), []);
  t.same([...codes].sort(), [
    'NOTE_MALFORMED',
    'PROOF_MISMATCH',
    'RECEIPT_MALFORMED',
    'RECORD_MALFORMED',
    'SIGNATURE_INVALID',
    'SIGNATURE_UNKNOWN',
  ]);
  t.end();
});

t.test('a receipt cut short at any byte, or longer, is refused', (t) => {
  const bytes = receiptOf(small, [1, 2, 5]);
  const opened = Array.from(bytes.keys()).filter((length) => codeOf(() => openReceipt(bytes.subarray(0, length), small.key)) === undefined);
  t.same(opened, []);
  for (const more of [Uint8Array.of(0x0a), new Uint8Array(32), encodeUtf8('hashes 0\n'), bytes]) {
    t.throws(() => openReceipt(concatBytes(bytes, more), small.key), { code: 'RECEIPT_MALFORMED' }, `${more.length} bytes more`);
  }
  t.end();
});

interface Parts {
  first?: string;
  note?: Uint8Array;
  noteLine?: string;
  records?: readonly (readonly [id: number | string, text: Uint8Array, length?: string])[];
  recordsLine?: string;
  hashes?: readonly Uint8Array[];
  hashesLine?: string;
}

/** Writes a receipt of any parts; the rest as a true one of records 1 and 2 of 7. */
function forge(parts: Parts): Uint8Array {
  const note = parts.note ?? small.head();
  const records = parts.records ?? [[1, small.text(1)], [2, small.text(2)]];
  const hashes = parts.hashes ?? [small.read(0, 0), small.read(0, 3), right];
  return concatBytes(
    encodeUtf8(`${parts.first ?? 'gosumcheck/receipt@v1'}\n${parts.noteLine ?? `note ${note.length}`}\n`),
    note,
    encodeUtf8(`${parts.recordsLine ?? `records ${records.length}`}\n`),
    ...records.flatMap(([id, text, length = String(text.length)]) => [encodeUtf8(`${id} ${length}\n`), text]),
    encodeUtf8(`${parts.hashesLine ?? `hashes ${hashes.length}`}\n`),
    ...hashes,
  );
}

// the hash of records 4, 5 and 6: the last of the inclusion proof of record 1
const right = small.proveRecord(1).subarray(-32);

t.test('forged receipts', (t) => {
  t.same(openReceipt(forge({}), small.key).records.map(({ id }) => id), [1, 2], 'the form of the list');
  const fork = new TestLog().fill(7);
  const one = [1, small.text(1)] as const;
  const two = [2, small.text(2)] as const;
  const [h0, h3] = [small.read(0, 0), small.read(0, 3)];
  const forged: Record<string, [Parts, string]> = {
    'another first line': [{ first: 'gosumcheck/receipt@v2' }, 'RECEIPT_MALFORMED'],
    'no note': [{ note: new Uint8Array() }, 'NOTE_MALFORMED'],
    'another word': [{ noteLine: `nope ${small.head().length}` }, 'RECEIPT_MALFORMED'],
    'a note line without count': [{ noteLine: 'note' }, 'RECEIPT_MALFORMED'],
    'a padded count': [{ noteLine: `note 0${small.head().length}` }, 'RECEIPT_MALFORMED'],
    'a note line with two spaces': [{ noteLine: `note  ${small.head().length}` }, 'RECEIPT_MALFORMED'],
    'a note longer than all': [{ noteLine: 'note 99999' }, 'RECEIPT_MALFORMED'],
    'an unsigned note': [{ note: encodeUtf8('go.sum database tree\n') }, 'NOTE_MALFORMED'],
    'a head of a fork': [{ note: fork.head() }, 'PROOF_MISMATCH'],
    'a head of an earlier tree': [{ note: small.head(6) }, 'PROOF_MISMATCH'],
    'a head of so few records': [{ note: small.head(2) }, 'RECEIPT_MALFORMED'],
    'a head of nothing': [{ note: small.head(0) }, 'RECEIPT_MALFORMED'],
    'another key': [{ note: new TestLog('other.example').fill(7).head() }, 'SIGNATURE_UNKNOWN'],
    'a namesake’s key': [{ note: new TestLog('log.example', new TestLog('x').signer).head() }, 'SIGNATURE_UNKNOWN'],
    'no records': [{ records: [], hashes: [small.treeHead().hash] }, 'RECEIPT_MALFORMED'],
    'fewer records than said': [{ recordsLine: 'records 3' }, 'RECEIPT_MALFORMED'],
    'more records than said': [{ recordsLine: 'records 1' }, 'RECEIPT_MALFORMED'],
    'countless records': [{ recordsLine: 'records 9007199254740991' }, 'RECEIPT_MALFORMED'],
    'ids out of order': [{ records: [two, one] }, 'RECEIPT_MALFORMED'],
    'an id twice': [{ records: [one, one, two] }, 'RECEIPT_MALFORMED'],
    'an id of the size': [{ records: [one, [7, small.text(2)]] }, 'RECEIPT_MALFORMED'],
    'an id beyond the size': [{ records: [one, [2 ** 40, small.text(2)]] }, 'RECEIPT_MALFORMED'],
    'a negative id': [{ records: [['-1', small.text(1)], two] }, 'RECEIPT_MALFORMED'],
    'a padded id': [{ records: [['01', small.text(1)], two] }, 'RECEIPT_MALFORMED'],
    'no id': [{ records: [['', small.text(1)], two] }, 'RECEIPT_MALFORMED'],
    'three counts': [{ records: [['1 1', small.text(1)], two] }, 'RECEIPT_MALFORMED'],
    'a long line': [{ records: [['1'.repeat(200), small.text(1)], two] }, 'RECEIPT_MALFORMED'],
    'a text of another length': [{ records: [[1, small.text(1), '27'], two] }, 'RECORD_MALFORMED'],
    'a text that no record can have': [{ records: [[1, encodeUtf8('a\n\n')], two] }, 'RECORD_MALFORMED'],
    'an empty text': [{ records: [[1, new Uint8Array()], two] }, 'RECORD_MALFORMED'],
    'another text': [{ records: [[1, encodeUtf8('a\n')], two] }, 'PROOF_MISMATCH'],
    'texts exchanged': [{ records: [[1, small.text(2)], [2, small.text(1)]] }, 'PROOF_MISMATCH'],
    'ids exchanged for others': [{ records: [[5, small.text(1)], [6, small.text(2)]], hashes: [right, h0] }, 'PROOF_MISMATCH'],
    'the neighbours’ ids': [{ records: [[0, small.text(1)], [3, small.text(2)]] }, 'PROOF_MISMATCH'],
    'a hash less': [{ hashes: [h0, h3] }, 'RECEIPT_MALFORMED'],
    'a hash more': [{ hashes: [h0, h3, right, right] }, 'RECEIPT_MALFORMED'],
    'no hashes': [{ hashes: [] }, 'RECEIPT_MALFORMED'],
    'hashes in another order': [{ hashes: [h3, h0, right] }, 'PROOF_MISMATCH'],
    'another hash': [{ hashes: [h0, h3, madeUpBytes('x', 1)] }, 'PROOF_MISMATCH'],
    'more hashes than are there': [{ hashesLine: 'hashes 4' }, 'RECEIPT_MALFORMED'],
    'fewer hashes than are there': [{ hashesLine: 'hashes 2' }, 'RECEIPT_MALFORMED'],
    'countless hashes': [{ hashesLine: 'hashes 9007199254740991' }, 'RECEIPT_MALFORMED'],
    'half a hash': [{ hashes: [h0, h3, right.subarray(16)], hashesLine: 'hashes 3' }, 'RECEIPT_MALFORMED'],
  };
  for (const [what, [parts, code]] of Object.entries(forged)) t.equal(codeOf(() => openReceipt(forge(parts), small.key)), code, what);
  t.throws(() => openReceipt(concatBytes(Uint8Array.of(0xff), forge({})), small.key), { code: 'RECEIPT_MALFORMED' }, 'no UTF-8');
  t.end();
});

/** Reports whether a receipt is of these records, with the proofs that the log itself makes. */
function isOf({ head, records }: Receipt, log: TestLog, ids: readonly number[], size: number): boolean {
  return (
    head.size === size &&
    records.length === ids.length &&
    records.every(({ id, text, proof }, i) => {
      return id === ids[i] && sameBytes(text, log.text(id)) && sameBytes(proof(), log.proveRecord(id, size));
    })
  );
}

/** The code of the error that a check throws; `undefined` where it passes. A bug's plain error is thrown on. */
function codeOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined) throw error;
    return code;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
