/** Packs: byte for byte what was packed comes out of them, and nothing of what only looks like a pack. */

import t, { type Test } from 'tap';
import { leavesOf } from '../../src/core/leaves.js';
import { encodeUtf8 } from '../../src/core/text.js';
import { PART_WIDTH } from '../../src/core/tile.js';
import { isGosumError } from '../../src/errors.js';
import { decodeH1, encodeH1 } from '../../src/whole/h1.js';
import { countPart, packedNames, packRecords, partWith, unpackLeaves, unpackRecord, unpackRecords } from '../../src/whole/pack.js';
import { isOf, namesOf, usualRecords } from '../../src/whole/usual.js';
import { formatBase64 } from '../../src/core/base64.js';
import { Random } from '../differential/random.js';
import { ODD_TEXTS, randomText, realTexts, usualText } from './texts.js';

const USUAL = 1;
const WHOLE = 2;

/** Whether all ways out of a pack give the texts. */
function comesOut(t: Test, texts: readonly Uint8Array[], parts: readonly Uint8Array[]): void {
  const strings = texts.map((text) => Buffer.from(text).toString('latin1'));
  const out = unpackRecords(parts).map((text) => Buffer.from(text).toString('latin1'));
  t.strictSame(out, strings, 'all records');
  t.strictSame(unpackLeaves(parts), leavesOf(texts), 'the leaves');
  for (let i = 0; i < texts.length; i += texts.length > 70 ? 13 : 1) {
    t.equal(Buffer.from(recordAt(parts, i)).toString('latin1'), strings[i], `record ${i}`);
  }
  t.strictSame(parts.map(countPart), parts.map((_, i) => Math.min(PART_WIDTH, texts.length - PART_WIDTH * i)));
  const names = texts.flatMap((text, i) => namesOf(text).map((name) => ({ i, ...name })));
  t.strictSame(packedNames(parts), names, 'the names');
}

function recordAt(parts: readonly Uint8Array[], i: number): Uint8Array {
  return unpackRecord(partWith({ n: 0, width: 0, parts }, i), i % PART_WIDTH);
}

/** The forms of parts. */
function formsOf(parts: readonly Uint8Array[]): (number | undefined)[] {
  return parts.map(([form]) => form);
}

t.test('real records', async (t) => {
  const texts = realTexts();
  t.ok(texts.length > 300, `${texts.length} records`);
  for (let from = 0; from < texts.length; from += 256) {
    const tile = texts.slice(from, from + 256);
    const parts = packRecords(tile);
    t.strictSame(new Set(formsOf(parts)), new Set([USUAL]));
    comesOut(t, tile, parts);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    t.ok(length < 95 * tile.length, `${(length / tile.length).toFixed(1)} bytes a record`);
  }
});

for (const width of [1, 2, 15, 16, 17, 128, 129, 255, 256]) {
  t.test(`${width} records`, async (t) => {
    const texts = Array.from({ length: width }, (_, i) => usualText(`example.com/m${i}`, `v1.${i}.0`));
    const parts = packRecords(texts);
    t.strictSame(formsOf(parts), Array(Math.ceil(width / PART_WIDTH)).fill(USUAL));
    comesOut(t, texts, parts);
    t.throws(() => recordAt(parts, width), { code: 'RECORD_MALFORMED' });
  });
}

for (const [what, odd] of Object.entries(ODD_TEXTS)) {
  t.test(`an odd record: ${what}`, async (t) => {
    const texts = [usualText('m', 'v1'), encodeUtf8(odd), usualText('m', 'v2')];
    const parts = packRecords(texts);
    t.strictSame(formsOf(parts), [WHOLE]);
    comesOut(t, texts, parts);
    t.strictSame(texts.map((text) => usualRecords(leavesOf([text])) === undefined), [false, true, false]);
  });
}

t.test('an odd record makes its own part unusual', async (t) => {
  const texts = Array.from({ length: 50 }, (_, i) => (i === 17 ? encodeUtf8('x\n') : usualText(`example.com/m${i}`, `v1.${i}.0`)));
  const parts = packRecords(texts);
  t.strictSame(formsOf(parts), [USUAL, WHOLE, USUAL, USUAL]);
  comesOut(t, texts, parts);
});

t.test('a name whose code is too long for its length makes its own part unusual', async (t) => {
  for (const [letters, form] of [[253, USUAL], [254, WHOLE]] as const) {
    const texts = Array.from({ length: 20 }, (_, i) => usualText(i === 19 ? 'q'.repeat(letters) : `example.com/m${i}`, 'v1.0'));
    const parts = packRecords(texts);
    t.strictSame(formsOf(parts), [USUAL, form]);
    comesOut(t, texts, parts);
  }
});

t.test('parts that are not full in front of others', async (t) => {
  const texts = Array.from({ length: 18 }, (_, i) => usualText(`example.com/m${i}`, 'v1.0.0'));
  const parts = packRecords(texts).toReversed();
  for (const read of [unpackLeaves, unpackRecords, packedNames]) t.throws(() => read(parts), { code: 'RECORD_MALFORMED' });
});

t.test('random records', async (t) => {
  const random = new Random(11);
  const forms = [0, 0, 0];
  for (let run = 0; run < 60; run++) {
    const texts = random.many(1, random.pick([3, 20, 256]), () => randomText(random));
    const parts = packRecords(texts);
    for (const form of formsOf(parts)) forms[form!]!++;
    const out = unpackRecords(parts);
    if (out.length !== texts.length || out.some((text, i) => Buffer.compare(text, texts[i]!) !== 0)) t.fail(`run ${run}`);
    const i = random.below(texts.length);
    if (Buffer.compare(recordAt(parts, i), texts[i]!) !== 0) t.fail(`run ${run}, record ${i}`);
  }
  t.ok(forms[USUAL]! > 5 && forms[WHOLE]! > 5, forms.join(' '));
});

t.test('what is no pack', async (t) => {
  const random = new Random(12);
  const texts = Array.from({ length: 15 }, (_, i) => usualText(`example.com/m${i}`, 'v1.0.0'));
  for (const [part = new Uint8Array()] of [packRecords(texts), packRecords([...texts, encodeUtf8('x\n')])]) {
    for (let length = 0; length < part.length; length += 7) {
      t.throws(() => unpackLeaves([part.subarray(0, length)]), { code: 'RECORD_MALFORMED' }, `${length} bytes of it`);
    }
    t.throws(() => unpackLeaves([Uint8Array.of(3, ...part.subarray(1))]), { code: 'RECORD_MALFORMED' }, 'another form');
    let refused = 0;
    for (let run = 0; run < 2000; run++) {
      const bad = part.slice();
      bad[random.below(part.length)]! ^= 1 << random.below(8);
      try {
        const leaves = unpackLeaves([bad]);
        if (leaves.at.length !== countPart(bad) + 1) t.fail('another count');
      } catch (error) {
        if (!isGosumError(error, 'RECORD_MALFORMED')) throw error;
        refused++;
      }
    }
    t.ok(refused > 30, `${refused} of 2000 refused; the others have other records, which their hashes show`);
  }
  t.throws(() => packRecords([]), Error);
  t.throws(() => packRecords(Array.from({ length: 257 }, () => encodeUtf8('x\n'))), Error);
});

t.test('whether a record is of a module version, as its names say', async (t) => {
  const texts = [...Object.values(ODD_TEXTS).map(encodeUtf8), usualText('a', 'v1'), encodeUtf8('a v1 \n'), encodeUtf8('a v1\n'), encodeUtf8('a  v1 x\n'), encodeUtf8('é v1 x\n'), encodeUtf8(' v1 x\n')];
  const names = [...texts.flatMap(namesOf), ...['', 'a', 'a v1', 'a\nb', 'é', 'a '].flatMap((module) => ['', 'v1', 'v', 'v1 h1:x', ' v1', 'v1/go.mod'].map((version) => ({ module, version })))];
  let same = 0;
  for (const text of texts) {
    for (const { module, version } of names) {
      const want = namesOf(text).some((name) => name.module === module && name.version === version);
      if (want) same++;
      if (isOf(text, { module, version }) !== want) t.fail(`${module}@${version} in ${Buffer.from(text).toString()}`);
    }
  }
  t.ok(same > 5, `${same}`);
});

t.test('hashes in base64, as the core has them', async (t) => {
  const random = new Random(13);
  for (let run = 0; run < 300; run++) {
    const hash = random.bytes(32);
    const text = new Uint8Array(50);
    encodeH1(hash, 0, text, 3);
    t.equal(Buffer.from(text.subarray(3, 47)).toString(), formatBase64(hash));
    const back = new Uint8Array(40);
    t.ok(decodeH1(text, 3, back, 5));
    t.strictSame(back.subarray(5, 37), hash);
    for (const [at, digit] of [[random.below(43), '-'], [random.below(43), '='], [43, 'A'], [random.below(44), '\xe9']] as const) {
      const bad = text.slice();
      bad[3 + at] = digit.charCodeAt(0);
      t.notOk(decodeH1(bad, 3, back, 5), `${digit} at ${at}`);
    }
  }
});
