/** The leaves of a tile: the fast ways agree with the plain ones of record.ts and tree.ts, and only true records are proved. */

import t from 'tap';
import { dataTileOf, hashLeaves, leafText, leavesOf, provePack, splitDataTile, subtreeHashes, type Leaves } from '../../src/core/leaves.js';
import { planTiles, type ProvedTree } from '../../src/core/plan.js';
import { formatDataTile, parseDataTile, recordHash } from '../../src/core/record.js';
import { concatBytes, encodeUtf8 } from '../../src/core/text.js';
import { TILE_WIDTH, tileInTree } from '../../src/core/tile.js';
import { nodesOf } from '../../src/core/tree.js';
import { isGosumError } from '../../src/errors.js';
import { TestLog } from '../../src/testing/testlog.js';
import { Random } from '../differential/random.js';

const TILE = 'a v1 h1:x\na v1/go.mod h1:y\n\nb v2 h1:é\n\nc v3 h1:z\n';

/** What a way gives: the texts, or the code of its error. */
function outcome(way: () => readonly Uint8Array[]): unknown {
  try {
    return way().map((text) => Buffer.from(text).toString('latin1'));
  } catch (error) {
    if (isGosumError(error)) return error.code;
    throw error;
  }
}

function texts(leaves: Leaves): Uint8Array[] {
  return Array.from({ length: leaves.at.length - 1 }, (_, i) => leafText(leaves, i));
}

t.test('data tiles are split as parseDataTile does', async (t) => {
  const cases: [string, number][] = [
    [TILE, 3],
    [`${TILE}\n`, 3],
    [`${TILE}\n\n`, 3],
    [`\n${TILE}`, 3],
    [TILE.trimEnd(), 3],
    [TILE, 2],
    [TILE, 4],
    ['', 1],
    ['\n', 1],
    ['a\n\n\nb\n', 2],
    ['a\tb\n', 1],
    ['a\rb\n', 1],
    ['a\x7fb\n', 1],
    ['\ufeffa\n', 1],
    ['a', 1],
    ['a\n\nb', 2],
  ];
  for (const [text, width] of cases) {
    const tile = encodeUtf8(text);
    t.strictSame(outcome(() => texts(splitDataTile(tile, width))), outcome(() => parseDataTile(tile, width)), JSON.stringify([text, width]));
  }
  const random = new Random(21);
  let taken = 0;
  for (let run = 0; run < 20000; run++) {
    const tile = random.mutateBytes(encodeUtf8(TILE), ['\n', '\n\n', '\0', '\t', 'é', Uint8Array.of(0xc3), Uint8Array.of(0xff)]);
    const width = random.pick([2, 3, 3, 3, 4]);
    const want = outcome(() => parseDataTile(tile, width));
    if (Array.isArray(want)) taken++;
    const got = outcome(() => texts(splitDataTile(tile, width)));
    if (JSON.stringify(got) !== JSON.stringify(want)) t.strictSame(got, want, JSON.stringify([...tile]));
  }
  t.ok(taken > 1000 && taken < 19000, `${taken} of 20000 are tiles`);
});

t.test('leaves are hashed, and written again, as records are', async (t) => {
  for (const width of [1, 2, 3, 7, 200, 255, 256]) {
    const log = new TestLog().fill(width);
    const records = Array.from({ length: width }, (_, i) => log.text(i));
    const leaves = leavesOf(records);
    t.strictSame(leaves, splitDataTile(formatDataTile(records), width));
    t.strictSame(dataTileOf(leaves), formatDataTile(records));
    const hashes = hashLeaves(leaves);
    t.strictSame(hashes, concatBytes(...records.map(recordHash)));
    const subtrees = nodesOf({ lo: 0, hi: width }).map(({ level, n }) => log.read(level, n));
    t.strictSame(subtreeHashes(hashes), concatBytes(...subtrees), `the subtrees of ${width}`);
  }
});

t.test('only the true records of a tile are proved', async (t) => {
  const size = 2 * 256 + 77;
  const log = new TestLog().fill(size);
  const tree = provedTree(log, size);
  for (const [n, width] of [[0, 256], [1, 256], [2, 77], [2, 64], [2, 1]] as const) {
    const records = Array.from({ length: width }, (_, i) => log.text(n * TILE_WIDTH + i));
    const nodes = subtreeHashes(hashLeaves(leavesOf(records)));
    const pack = { n, width, parts: [Uint8Array.of(1)] };
    t.equal(provePack(tree, pack, nodes), pack, `${width} records of tile ${n}`);
    for (let i = 0; i < nodes.length; i++) {
      const bad = nodes.slice();
      bad[i]! ^= 1;
      t.throws(() => provePack(tree, pack, bad), { code: 'TILE_MISMATCH', path: /^tile\/8\/data\/00/ });
    }
    t.throws(() => provePack(tree, { ...pack, n: n === 0 ? 1 : 0 }, nodes), 'at another place');
    t.throws(() => provePack(tree, pack, nodes.subarray(32)), /bytes of hashes/);
  }
  t.throws(() => provePack(tree, { n: 2, width: 78, parts: [Uint8Array.of(1)] }, new Uint8Array(4 * 32)), Error, 'beyond the tree');
});

function provedTree(log: TestLog, size: number): ProvedTree {
  const wanted = [tileInTree(1, 0, size)!, tileInTree(0, 2, size)!];
  const plan = planTiles(log.treeHead(size), { tiles: wanted });
  return plan.authenticate(plan.tiles.map((tile) => log.tileBytes(tile)));
}
