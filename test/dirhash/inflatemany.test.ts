/** Entries inflated together: the same contents as one by one, and no content where somebody shifts the borders between them. */

import { crc32, deflateRawSync } from 'node:zlib';
import t from 'tap';
import { inflateTogether, isNear, TRAILER_SIZE, type LocatedEntry } from '../../src/dirhash/inflatemany.js';
import { encodeUtf8 } from '../../src/core/text.js';

/** Bytes between two entries' data: a local header with a name. */
const GAP = 42;

interface Part {
  readonly data: Uint8Array;
  readonly size: number;
  readonly crc: number;
}

function partOf(content: Uint8Array, level = 6): Part {
  return { data: deflateRawSync(content, { level }), size: content.length, crc: crc32(content) };
}

/** Lays parts out in a window, as in a zip. */
function layOut(parts: readonly Part[]): { window: Buffer; located: LocatedEntry[] } {
  const gap = Buffer.alloc(GAP, 'n');
  const located: LocatedEntry[] = [];
  let start = 0;
  for (const [index, { data, size, crc }] of parts.entries()) {
    start += GAP;
    located.push({ start, entry: { name: 'n', index, flags: 0, method: 8, crc, packedSize: data.length, size, start: 0 } });
    start += data.length;
  }
  return { window: Buffer.concat([...parts.flatMap(({ data }) => [gap, data]), Buffer.alloc(TRAILER_SIZE)]), located };
}

function inflated(parts: readonly Part[]): string | undefined {
  const { window, located } = layOut(parts);
  return inflateTogether(window, located)?.toString('latin1');
}

const A = partOf(encodeUtf8('first content'));
const B = partOf(encodeUtf8('second content '.repeat(100)));

t.test('contents one behind the other', (t) => {
  t.equal(inflated([A]), 'first content');
  t.equal(inflated([A, B, A]), `first content${'second content '.repeat(100)}first content`);
  t.equal(inflated([partOf(encodeUtf8('stored'), 0), A]), 'storedfirst content');
  t.equal(inflated([]), undefined);
  const { window, located } = layOut([A, B]);
  inflateTogether(window, located);
  for (const [i, { data }] of [A, B].entries()) {
    const { start } = located[i]!;
    t.ok(window.subarray(start, start + data.length).equals(data), 'the data itself is left as it was');
  }
  t.end();
});

t.test('nothing where it is not certain', (t) => {
  const flipped = Buffer.from(B.data);
  flipped[flipped.length >> 1]! ^= 0x10;
  const zeros = Buffer.alloc(12);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(A.crc, 0);
  trailer.writeUInt32LE(A.size, 4);
  const nothing = Buffer.from([3, 0]);
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
  // a stored block over all that lies between the two, and in the second one's data its end
  const over = Buffer.from([0, GAP, 0, 255 - GAP, 255]);
  const between = (size: number): Buffer =>
    Buffer.concat([Buffer.from([0, 0, 0, 0, size, 0, 0, 0, 0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, GAP - 20, 0]), Buffer.alloc(GAP - 20, 'n')]);
  const overBorder = (size: number): Part[] => [
    { data: over, size, crc: 0 },
    { data: Buffer.from([1, 0, 0, 255, 255]), size: GAP, crc: crc32(between(size)) },
  ];

  const bad: [string, Part[]][] = [
    ['another CRC', [{ ...A, crc: (A.crc ^ 1) >>> 0 }, B]],
    ['another CRC of the last', [A, { ...B, crc: (B.crc ^ 1) >>> 0 }]],
    ['a size too large', [{ ...A, size: A.size + 1 }, B]],
    ['a size too small', [{ ...A, size: A.size - 1 }, B]],
    ['sizes that make up for each other', [{ ...A, size: A.size + 1 }, { ...B, size: B.size - 1 }]],
    ['damage', [A, { ...B, data: flipped }]],
    ['data cut short', [{ ...A, data: A.data.subarray(0, -1) }, B]],
    ['data cut short in the last', [A, { ...B, data: B.data.subarray(0, -1) }]],
    ['bytes behind the data', [{ ...A, data: Buffer.concat([A.data, zeros]) }, B]],
    ['bytes behind the last data', [B, { ...A, data: Buffer.concat([A.data, zeros]) }]],
    ['the CRC within the data, and zeros', [B, { ...A, data: Buffer.concat([A.data, trailer, zeros]), crc: 1 }]],
    ['a member of nothing within the data', [B, { ...A, data: Buffer.concat([nothing, zeros.subarray(0, 8), header, A.data]) }]],
    ['a member within the data', [B, { ...A, data: Buffer.concat([A.data, trailer, header, A.data]), size: A.size }]],
    ['the beginning of a member, stored', [partOf(header, 0), A]],
    ['a stream over the border', overBorder(1)],
    ['a stream over the border, of an entry without content', overBorder(0)],
    ['much more content than declared', [A, { ...partOf(new Uint8Array(1e6)), size: 10 }]],
    ['no content', [A, { data: nothing, size: 0, crc: 0 }]],
  ];
  for (const [name, parts] of bad) t.equal(inflated(parts), undefined, name);
  t.end();
});

t.test('how far apart entries may lie', (t) => {
  const at = (start: number): LocatedEntry => ({ ...layOut([A]).located[0]!, start });
  const furthest = 1000 + A.data.length + TRAILER_SIZE + 12 + 0xffff;
  t.equal(isNear(at(1000), at(furthest)), true);
  t.equal(isNear(at(1000), at(furthest + 1)), false);
  const window = Buffer.alloc(furthest + A.data.length + TRAILER_SIZE);
  for (const start of [1000, furthest]) window.set(A.data, start);
  t.equal(inflateTogether(window, [at(1000), at(furthest)])?.toString(), 'first contentfirst content');
  t.end();
});
