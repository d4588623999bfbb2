/** Mutated bulk answers: bytes changed anywhere, and parts changed so that the form still holds. */

import { encodeUtf8 } from '../../src/core/text.js';
import type { TestLog } from '../../src/testing/index.js';
import type { Random } from '../differential/random.js';
import { answerTo, askFor, join, partsOf, type Asked, type Parts, type Row } from './bulkrig.js';

/** A question, its true answer, and the answer to another question, whole and in parts. */
export interface Seed {
  readonly asked: Asked;
  readonly bytes: Uint8Array;
  readonly parts: Parts;
  readonly other: Uint8Array;
  readonly otherParts: Parts;
}

/** A question of a log: of any size, old size, few records, and some that are missing. */
export function makeSeed(random: Random, log: TestLog, size: number): Seed {
  const make = (): Asked => {
    const ids = new Set(random.many(0, 7, () => random.below(size)));
    return askFor(log, size, random.pick([0, random.below(size + 1), size]), [...ids], random.below(3) + Number(ids.size === 0));
  };
  const [asked, another] = [make(), make()];
  const [bytes, other] = [answerTo(asked), answerTo(another)];
  return { asked, bytes, parts: partsOf(bytes), other, otherParts: partsOf(other) };
}

/** A seed's answer with some changes. It may come out as it was. */
export function mutate(random: Random, seed: Seed, fork: TestLog): Uint8Array {
  let bytes = seed.bytes;
  if (random.chance(0.6)) {
    let parts = seed.parts;
    for (let times = random.pick([1, 1, 1, 2, 3]); times > 0; times--) parts = changeParts(random, parts, seed, fork);
    bytes = join(parts);
    if (random.chance(0.9)) return bytes;
  }
  for (let times = random.pick([1, 1, 1, 2, 3]); times > 0; times--) bytes = changeBytes(random, bytes, seed);
  return bytes;
}

function changeBytes(random: Random, bytes: Uint8Array, { other }: Seed): Uint8Array {
  const at = random.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + random.pick([1, 1, 2, 32, 64, random.below(bytes.length + 1)]));
  const splice = (piece: Uint8Array, from = at, until = from): Uint8Array =>
    Buffer.concat([bytes.subarray(0, from), piece, bytes.subarray(until)]);
  return random.pick([
    () => splice(Uint8Array.of((bytes[at] ?? 0) ^ (1 << random.below(8))), at, at + 1),
    () => splice(Uint8Array.of((bytes[at] ?? 0) ^ (1 << random.below(8))), at, at + 1),
    () => splice(random.bytes(random.pick([1, 1, 32]))),
    () => splice(encodeUtf8(random.pick(['0', '1', '9', ' ', '\n', '-', '+', '\n\n']))),
    () => splice(new Uint8Array(), at, to),
    () => bytes.subarray(0, at),
    () => splice(bytes.subarray(at, to)),
    () => splice(random.bytes(to - at), at, to),
    () => changeNumber(random, bytes),
    () => Buffer.concat([bytes.subarray(0, at), other.subarray(Math.min(at, other.length))]),
  ])();
}

/** Another number where one stands in the text. */
function changeNumber(random: Random, bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  const numbers = [...text.matchAll(/[0-9]+/g)];
  if (numbers.length === 0) return bytes;
  const { 0: digits, index } = random.pick(numbers);
  return Buffer.from(text.slice(0, index) + otherNumber(random, Number(digits)) + text.slice(index + digits.length), 'latin1');
}

function otherNumber(random: Random, n: number): string {
  return random.pick([`${n + 1}`, `${n - 1}`, `0${n}`, `+${n}`, `${n * 2}`, '0', `${random.below(20)}`, '9007199254740991', '9007199254740992', '']);
}

/** The parts of what a server makes of nearly the same question. */
function remade(random: Random, asked: Asked): Parts {
  const { size, query } = asked;
  const ids = new Set(edit(random, asked.ids, () => random.below(size)));
  const old = random.chance(0.3) ? random.below(size + 1) : query.old;
  return partsOf(answerTo({ ...asked, ids: [...ids], query: { ...query, old } }));
}

function changeParts(random: Random, parts: Parts, { asked, otherParts }: Seed, fork: TestLog): Parts {
  const { log, size, query } = asked;
  const { records, hashes, missing } = parts;
  const anyId = (): number => random.below(size);
  const status = random.pick(['404', '410', '503', '200', '40', '']);
  const key = ({ module, version }: Asked['query']['wanted'][number]): string => `${module} ${version}`;
  const level = random.below(Math.floor(Math.log2(size)) + 1);
  return random.pick<() => Parts>([
    () => ({ ...parts, records: edit(random, records, () => [anyId(), log.text(anyId())]) }),
    () => ({ ...parts, records: withId(records, log.text(anyId()), anyId()) }),
    () => ({ ...parts, records: change(random, records, ([id, text]): Row => [otherNumber(random, Number(id)), text]) }),
    () => ({ ...parts, records: change(random, records, ([id]): Row => [id, log.text(anyId())]) }),
    () => ({ ...parts, records: change(random, records, ([id]): Row => [id, fork.text(Math.min(Number(id), fork.size - 1))]) }),
    () => ({ ...parts, records: change(random, records, ([id, text]): Row => [id, random.mutateBytes(text, ['\n', ' ', 'x', 'h1:'])]) }),
    () => ({ ...parts, records: change(random, records, ([, text]): Row => [anyId(), text]).toSorted(([a], [b]) => Number(a) - Number(b)) }),
    () => ({ ...parts, records: otherParts.records }),
    () => ({ ...parts, hashes: edit(random, hashes, () => log.read(level, random.below(Math.floor(size / 2 ** level)))) }),
    () => ({ ...parts, hashes: edit(random, hashes, () => random.bytes(32)) }),
    () => ({ ...parts, hashes: change(random, hashes, (hash) => random.mutateBytes(hash, [random.bytes(1)])) }),
    () => ({ ...parts, hashes: otherParts.hashes }),
    () => ({ ...parts, missing: edit(random, missing, () => `${key(random.pick(query.wanted))} ${status}`) }),
    () => ({ ...parts, missing: change(random, missing, (line) => random.mutate(line, [' ', '\n', '4', '/'])) }),
    () => ({ ...parts, missing: otherParts.missing }),
    () => ({ ...parts, note: log.head(random.pick([anyId(), Math.max(size - 1, 0), Math.min(size + 1, log.size)])) }),
    () => ({ ...parts, note: fork.head(Math.min(size, fork.size)) }),
    () => ({ ...parts, note: random.mutateBytes(parts.note, ['\n', '\n\n', '0', '=', '— x y\n', Uint8Array.of(0xff)]) }),
    () => ({ ...parts, note: Buffer.concat([parts.note, encodeUtf8('— witness AAAAAAA=\n')]) }),
    () => ({ ...parts, first: random.mutate(parts.first, ['1', '2', ' ']) }),
    () => ({ ...parts, [`${random.pick(['note', 'missing', 'records', 'hashes'])}Line`]: `${random.pick(['note', 'missing', 'records', 'hashes'])} ${random.below(9)}` }),
    () => remade(random, asked),
    () => ({ ...remade(random, asked), missing: parts.missing }),
    () => ({ ...remade(random, asked), records: parts.records }),
    () => ({ ...parts, more: random.bytes(random.pick([1, 32])) }),
  ])();
}

/** Drops, doubles, exchanges or adds. */
function edit<T>(random: Random, list: readonly T[], make: () => T): T[] {
  const at = random.below(list.length + 1);
  const [head, tail] = [list.slice(0, at), list.slice(at)];
  return random.pick([
    () => [...head, ...tail.slice(1)],
    () => [...head, ...tail.slice(0, 1), ...tail],
    () => [...head, ...tail.slice(0, 2).reverse(), ...tail.slice(2)],
    () => [...head, make(), ...tail],
    () => [...head, make(), ...tail.slice(1)],
    () => [...list].reverse(),
  ])();
}

/** Changes one, where there is one. */
function change<T>(random: Random, list: readonly T[], twist: (item: T) => T): T[] {
  const at = random.below(Math.max(list.length, 1));
  return list.map((item, i) => (i === at ? twist(item) : item));
}

/** One more record, in its place. */
function withId(records: readonly Row[], text: Uint8Array, id: number): Row[] {
  return [...records, [id, text] as const].toSorted(([a], [b]) => Number(a) - Number(b));
}
