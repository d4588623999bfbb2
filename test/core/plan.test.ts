/** Tiles: their paths, the plan of which to read, and the proof of what was read. */

import t from 'tap';
import { concatBytes } from '../../src/core/text.js';
import { hashNodes } from '../../src/core/crypto/node.js';
import { hashAt, type Hash } from '../../src/core/hash.js';
import { planTiles, TileError, type ProvedTree, type TilePlan } from '../../src/core/plan.js';
import { DATA_LEVEL, formatTilePath, parseTilePath, type Tile } from '../../src/core/tile.js';
import { proveRecord, proveTree, treeHash, type NodeReader } from '../../src/core/tree.js';
import { madeUpBytes, TestLog } from '../../src/testing/index.js';

const log = new TestLog().fill(70000);

t.test('tile paths', (t) => {
  const good: [string, Tile][] = [
    ['tile/8/0/000', { level: 0, n: 0, width: 256 }],
    ['tile/8/0/000.p/1', { level: 0, n: 0, width: 1 }],
    ['tile/8/0/005.p/255', { level: 0, n: 5, width: 255 }],
    ['tile/8/1/999', { level: 1, n: 999, width: 256 }],
    ['tile/8/1/x001/000', { level: 1, n: 1000, width: 256 }],
    ['tile/8/6/x001/x234/067', { level: 6, n: 1234067, width: 256 }],
    ['tile/8/0/x001/x234/067.p/45', { level: 0, n: 1234067, width: 45 }],
    ['tile/8/data/x281/023.p/7', { level: DATA_LEVEL, n: 281023, width: 7 }],
    ['tile/8/0/x009/x007/x199/x254/x740/991', { level: 0, n: 2 ** 53 - 1, width: 256 }],
  ];
  for (const [path, tile] of good) {
    t.equal(formatTilePath(tile), path);
    t.same(parseTilePath(path), tile, path);
  }
  const bad = [
    '',
    'tile',
    'tile/8/0',
    'tile/8/0/',
    'tile/8/0/0',
    'tile/8/0/00',
    'tile/8/0/0000',
    'tile/8/0/001/',
    'tile/8/0/-01',
    'tile/8/0/00a',
    'tile/8/0/x001',
    'tile/8/0/001/002',
    'tile/8/0/x000/001',
    'tile/8/0/x01/001',
    'tile/8/0/X001/001',
    'tile/8/0/x001/x002',
    'tile/8/0/x009/x007/x199/x254/x740/992',
    'tile/8/0/x001/x000/x000/x000/x000/x000/000',
    'tile/8/7/000',
    'tile/8/00/000',
    'tile/8/-1/000',
    'tile/8/Data/000',
    'tile/8//000',
    'tile/7/0/000',
    'tile/08/0/000',
    'tile/0/000',
    'tile/8/0/000.p/0',
    'tile/8/0/000.p/256',
    'tile/8/0/000.p/257',
    'tile/8/0/000.p/01',
    'tile/8/0/000.p/',
    'tile/8/0/000.p',
    'tile/8/0/000.P/1',
    'tile/8/0/000.p/1/',
    '/tile/8/0/000',
    ' tile/8/0/000',
    'tile/8/0/000\n',
    'tile/8/0/000?',
    'tile/8/0/٠٠٠',
    'tile/8/0/../0/000',
  ];
  for (const path of bad) t.throws(() => parseTilePath(path), { code: 'TILE_PATH_MALFORMED' }, JSON.stringify(path));
  t.end();
});

// where tiles begin to be full, where levels begin, and where several subtree roots share a tile
const SIZES = [1, 2, 7, 255, 256, 257, 511, 512, 513, 65535, 65536, 65537, 65536 + 255, 65536 + 256 + 5, 70000];

t.test('a plan has the tiles that are needed, and no other', (t) => {
  for (const size of SIZES) {
    const ids = edgeIds(size);
    const plan = planTiles(log.treeHead(size), { records: ids });
    t.same(paths(plan).sort(), asGoAsks(size, ids).sort(), `tiles for ${ids.length} records of ${size}`);
    const tree = plan.authenticate(tilesFor(plan));
    t.same(tree.failures, []);
    t.same(paths({ tiles: tree.tiles.map(({ tile }) => tile) }).sort(), paths(plan).sort(), 'all are believed');
    t.ok(tree.tiles.every(({ tile, bytes }) => same(bytes, log.tileBytes(tile))));
    t.ok(ids.every((id) => same(tree.read(0, id), log.read(0, id))));
    t.ok(ids.every((id) => same(proveRecord(size, id, tree.read), log.proveRecord(id, size))), 'proofs are made of them');
    t.same(
      paths(plan).filter((_, i) => readsAll(plan, ids, tilesFor(plan).with(i, undefined))),
      [],
      `each of the ${plan.tiles.length} is needed`,
    );
  }
  t.end();
});

t.test('a plan for earlier trees and for proofs from them has what is needed, and no other', (t) => {
  for (const size of SIZES) {
    for (const old of new Set([0, 1, 5, 255, 256, 257, 65535, 65536, 65537, size - 1, size])) {
      if (old > size) continue;
      const reads = {
        trees: (tree: ProvedTree): boolean => same(treeHash(old, tree.read), log.treeHead(old).hash),
        links: (tree: ProvedTree): boolean =>
          same(treeHash(old, tree.read), log.treeHead(old).hash) &&
          same(proveTree(size, old, tree.read), log.proveTree(old, size)),
      };
      for (const [kind, reads_] of Object.entries(reads)) {
        const plan = planTiles(log.treeHead(size), { [kind]: [old] });
        const tiles = tilesFor(plan);
        if (!reads_(plan.authenticate(tiles))) t.fail(`${kind} from ${old} to ${size}`);
        const needless = paths(plan).filter((_, i) => proves(() => reads_(plan.authenticate(tiles.with(i, undefined)))));
        if (needless.length > 0) t.fail(`${kind} from ${old} to ${size}: ${needless.join(', ')}`);
      }
    }
    t.pass(`size ${size}`);
  }
  t.end();
});

t.test('parents come before their children, and each tile once', (t) => {
  const random = generator(1);
  for (let round = 0; round < 200; round++) {
    const size = 1 + Math.floor(random() * 70000);
    const ids = Array.from({ length: 1 + (round % 40) }, () => Math.floor(random() * size));
    const plan = planTiles({ size, hash: new Uint8Array(32) }, { records: ids, trees: ids, links: [ids[0]! + 1] });
    const seen = new Set<string>();
    for (const tile of plan.tiles) {
      const parent = `${tile.level + 1}/${Math.floor(tile.n / 256)}`;
      const isEdge = tile.width < 256;
      if (!isEdge && !seen.has(parent)) t.fail(`${formatTilePath(tile)} of ${size} before its parent`);
      if (seen.has(`${tile.level}/${tile.n}`)) t.fail(`${formatTilePath(tile)} of ${size} twice`);
      seen.add(`${tile.level}/${tile.n}`);
    }
    const own = planTiles({ size, hash: new Uint8Array(32) }, { records: ids });
    if (!same(paths(own).sort(), asGoAsks(size, ids).sort())) t.fail(`other tiles than Go asks for, of ${size}`);
  }
  t.pass();
  t.end();
});

t.test('a flipped bit in any tile: that tile is refused, and only what hangs on it', (t) => {
  for (const size of [7, 257, 513, 65536 + 255, 65536 + 256 + 5, 70000]) {
    const ids = edgeIds(size);
    const plan = planTiles(log.treeHead(size), { records: ids });
    const tiles = tilesFor(plan);
    const wrong: string[] = [];
    for (const [i, tile] of plan.tiles.entries()) {
      const path = formatTilePath(tile);
      const bits = tile.width * 256;
      for (const bit of new Set([0, 7, 255, Math.floor(bits / 2) + 3, bits - 256, bits - 1])) {
        const lied = tiles.with(i, flip(tiles[i]!, bit));
        if (tile.width < 256) {
          // the right edge gives the root together: nothing is proved
          const error = thrownBy(() => plan.authenticate(lied));
          if (!(error instanceof TileError && error.code === 'TILE_MISMATCH')) wrong.push(`${path} bit ${bit}`);
          continue;
        }
        const tree = plan.authenticate(lied);
        const below = plan.tiles.filter((other) => isBelow(other, tile)).map(formatTilePath);
        const believed = new Set(tree.tiles.map((proved) => formatTilePath(proved.tile)));
        if (!same([...believed].sort(), paths(plan).filter((other) => !below.includes(other)).sort())) wrong.push(`${path} believed`);
        if (tree.failures.length !== below.length) wrong.push(`${path} failures`);
        if (!tree.failures.every((error) => error.code === 'TILE_MISMATCH' && error.path === path)) wrong.push(`${path} named`);
        for (const id of ids) {
          const hangs = isBelow({ level: 0, n: Math.floor(id / 256), width: 256 }, tile);
          const read = thrownBy(() => tree.read(0, id));
          const isRefused = read instanceof TileError && read.code === 'TILE_MISMATCH' && read.path === path;
          if (hangs ? !isRefused : !(read instanceof Uint8Array && same(read, log.read(0, id)))) wrong.push(`${path}: record ${id}`);
        }
      }
    }
    t.same(wrong, [], `${plan.tiles.length} tiles of ${size}`);
  }
  t.end();
});

t.test('CVE-2026-56865: where several subtree roots share a tile, no tile goes unchecked', (t) => {
  // nine subtree roots in two tiles: whoever begins to check behind the ninth tile leaves seven out
  const size = 65536 + 255;
  const ids = Array.from({ length: 9 }, (_, i) => i * 256 + 3);
  const plan = planTiles(log.treeHead(size), { records: ids });
  const tiles = tilesFor(plan);
  t.same(paths(plan).slice(0, 4), ['tile/8/2/000.p/1', 'tile/8/0/256.p/255', 'tile/8/1/000', 'tile/8/0/000']);
  for (let i = 3; i < plan.tiles.length; i++) {
    const tree = plan.authenticate(tiles.with(i, madeUpBytes('foreign', 256)));
    t.match(tree.failures, [{ code: 'TILE_MISMATCH', path: paths(plan)[i] }]);
    t.throws(() => tree.read(0, ids[i - 3]!), { code: 'TILE_MISMATCH' }, paths(plan)[i]!);
  }
  t.end();
});

t.test('a tile and its parents forged together fall at the first true tile above them', (t) => {
  const size = 70000;
  const plan = planTiles(log.treeHead(size), { records: [300, 66000] });
  const tiles = tilesFor(plan);
  const at = (path: string): number => paths(plan).indexOf(path);
  t.ok(at('tile/8/0/001') > 0 && at('tile/8/1/000') > 0 && at('tile/8/2/000.p/1') === 0);

  const forged = flip(tiles[at('tile/8/0/001')]!, 0);
  const parent = withHash(tiles[at('tile/8/1/000')]!, 1, rootOf(forged));
  const both = tiles.with(at('tile/8/0/001'), forged).with(at('tile/8/1/000'), parent);
  const tree = plan.authenticate(both);
  t.same(tree.failures.map(({ path }) => path), ['tile/8/1/000', 'tile/8/1/000'], 'the child fails by its parent');
  t.throws(() => tree.read(0, 300), { code: 'TILE_MISMATCH', path: 'tile/8/1/000' });
  t.same(tree.read(0, 66000), log.read(0, 66000), 'the rest stands');
  const edge = withHash(tiles[0]!, 0, rootOf(parent));
  t.throws(() => plan.authenticate(both.with(0, edge)), { code: 'TILE_MISMATCH', path: undefined }, 'with the edge, all');
  t.end();
});

t.test('absent tiles, wrong lengths, swapped tiles', (t) => {
  const plan = planTiles(log.treeHead(70000), { records: [0, 300, 66000] });
  const tiles = tilesFor(plan);
  const edge = plan.tiles.filter(({ width }) => width < 256).length;
  const first = tiles[0]!;
  const inner = tiles[edge]!;
  const lengths = (bytes: Uint8Array): (Uint8Array | undefined)[] => {
    return [undefined, new Uint8Array(), bytes.subarray(1), bytes.subarray(32), concatBytes(bytes, bytes.subarray(0, 1))];
  };
  for (const bytes of lengths(first)) {
    t.throws(() => plan.authenticate(tiles.with(0, bytes)), { code: 'TILE_SIZE', path: formatTilePath(plan.tiles[0]!) });
  }
  for (const bytes of lengths(inner)) {
    const tree = plan.authenticate(tiles.with(edge, bytes));
    t.match(tree.failures[0], { code: 'TILE_SIZE', path: formatTilePath(plan.tiles[edge]!) });
  }
  t.throws(() => plan.authenticate([]), { code: 'TILE_SIZE' });
  t.equal(plan.authenticate(tiles.slice(0, edge)).tiles.length, edge, 'what is not there is not proved');

  const [a, b] = [paths(plan).indexOf('tile/8/0/000'), paths(plan).indexOf('tile/8/0/001')];
  const swapped = plan.authenticate(tiles.with(a, tiles[b]).with(b, tiles[a]));
  t.same(swapped.failures.map(({ path }) => path).sort(), ['tile/8/0/000', 'tile/8/0/001']);
  // tiles of the same width in the right edge
  const two = planTiles(log.treeHead(257), {});
  t.same(paths(two), ['tile/8/1/000.p/1', 'tile/8/0/001.p/1']);
  t.throws(() => two.authenticate(tilesFor(two).reverse()), { code: 'TILE_MISMATCH' });
  t.end();
});

t.test('another head: true tiles do not prove it', (t) => {
  for (const size of [0, 1, 300, 65536]) {
    const { hash } = log.treeHead(size);
    const plan = planTiles({ size, hash: flip(hash, size % 256) }, { records: [] });
    t.throws(() => plan.authenticate(tilesFor(plan)), { code: 'TILE_MISMATCH', path: undefined }, `size ${size}`);
  }
  const empty = planTiles(log.treeHead(0), { trees: [0], links: [0] });
  t.same(empty.tiles, []);
  t.same(empty.authenticate([]).failures, [], 'the empty tree needs none');
  t.end();
});

t.test('what cannot be asked is a bug of the caller', (t) => {
  const head = log.treeHead(300);
  const isBug = (run: () => unknown): boolean => {
    const error = thrownBy(run);
    return error instanceof Error && !('code' in error);
  };
  t.ok(isBug(() => planTiles(head, { records: [300] })));
  t.ok(isBug(() => planTiles(head, { records: [-1] })));
  t.ok(isBug(() => planTiles(head, { trees: [301] })));
  t.ok(isBug(() => planTiles(head, { trees: [-1] })));
  t.ok(isBug(() => planTiles(head, { links: [301] })));
  t.ok(isBug(() => planTiles(head, { links: [-1] })));
  const plan = planTiles(head, { records: [299] });
  const tree = plan.authenticate(tilesFor(plan));
  t.ok(isBug(() => tree.read(0, 5)), 'a hash that was not planned');
  t.ok(isBug(() => tree.read(0, 300)), 'a hash beyond the tree, in a tile that was');
  t.end();
});

t.test('a tree beyond 2^33', (t) => {
  const size = 2 ** 33 + 2 ** 20 + 77;
  const id = 2 ** 32 + 12345;
  const leaf = madeUpBytes('leaf', 1);
  const read = equalTree(id, leaf);
  const plan = planTiles({ size, hash: treeHash(size, read) }, { records: [id, size - 1] });
  const tiles = plan.tiles.map(({ level, n, width }) =>
    concatBytes(...Array.from({ length: width }, (_, i) => read(8 * level, n * 256 + i))),
  );
  t.same(paths(plan), asGoAsks(size, [id, size - 1]));
  t.same(paths(plan), [
    'tile/8/4/000.p/2',
    'tile/8/2/512.p/16',
    'tile/8/0/x033/x558/528.p/77',
    'tile/8/3/001',
    'tile/8/2/256',
    'tile/8/1/x065/536',
    'tile/8/0/x016/x777/264',
  ]);
  const tree = plan.authenticate(tiles);
  t.same(tree.failures, []);
  t.same(tree.read(0, id), leaf);
  t.throws(() => plan.authenticate(tiles.with(6, flip(tiles[6]!, 5))).read(0, id), { code: 'TILE_MISMATCH' });
  t.end();
});

/** Numbers of records at the edges of tiles and of the tree. */
function edgeIds(size: number): number[] {
  const ids = [0, 1, 127, 128, 255, 256, 257, 511, 65279, 65280, 65535, 65536, 65537, Math.floor(size / 2), size - 2, size - 1];
  return [...new Set(ids.filter((id) => id >= 0 && id < size))];
}

/** The tiles that cmd/go asks for (x/mod/sumdb/tlog, TileHashReader): those of the subtree roots, and each record's way up to them. */
function asGoAsks(size: number, ids: readonly number[]): string[] {
  const tiles = new Set<string>();
  const add = (level: number, n: bigint): boolean => {
    const hashes = BigInt(size) >> BigInt(8 * level);
    const left = hashes - n * 256n;
    const path = formatTilePath({ level, n: Number(n), width: left > 256n ? 256 : Number(left) });
    if (tiles.has(path)) return false;
    tiles.add(path);
    return true;
  };
  let at = 0n;
  for (let level = 53; level >= 0; level--) {
    const width = 1n << BigInt(level);
    if ((BigInt(size) & width) === 0n) continue;
    add(Math.floor(level / 8), (at >> BigInt(8 * Math.floor(level / 8))) / 256n);
    at += width;
  }
  const edge = [...tiles];
  for (const id of ids) for (let level = 0, n = BigInt(id) / 256n; add(level, n); level++, n /= 256n);
  const levelOf = (path: string): number => Number(path.split('/')[2]);
  return [...edge, ...[...tiles].slice(edge.length).sort((a, b) => levelOf(b) - levelOf(a))];
}

function tilesFor(plan: Pick<TilePlan, 'tiles'>): (Uint8Array | undefined)[] {
  return plan.tiles.map((tile) => log.tileBytes(tile));
}

function paths(plan: { tiles: readonly Tile[] }): string[] {
  return plan.tiles.map(formatTilePath);
}

function readsAll(plan: TilePlan, ids: readonly number[], tiles: (Uint8Array | undefined)[]): boolean {
  return proves(() => {
    const tree = plan.authenticate(tiles);
    ids.forEach((id) => tree.read(0, id));
    return true;
  });
}

/** Reports whether a proof comes about; anything but a `TileError` is thrown on. */
function proves(run: () => boolean): boolean {
  try {
    return run();
  } catch (error) {
    if (error instanceof TileError) return false;
    throw error;
  }
}

/** What a function throws, or gives. */
function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

/** Reports whether a tile is another one or hangs below it. */
function isBelow(tile: Tile, above: Tile): boolean {
  return tile.level <= above.level && Math.floor(tile.n / 256 ** (above.level - tile.level)) === above.n;
}

function rootOf(tile: Uint8Array): Hash {
  let hashes = tile;
  while (hashes.length > 32) hashes = hashNodes(hashes);
  return hashes;
}

function withHash(tile: Uint8Array, i: number, hash: Hash): Uint8Array {
  const copy = tile.slice();
  hashAt(copy, i).set(hash);
  return copy;
}

/** A tree of any size whose leaves are all equal, but for one. */
function equalTree(id: number, leaf: Hash): NodeReader {
  const equal = [madeUpBytes('equal', 1)];
  for (let level = 1; level < 54; level++) equal.push(hashNodes(concatBytes(equal[level - 1]!, equal[level - 1]!)));
  const read: NodeReader = (level, n) => {
    if (Math.floor(id / 2 ** level) !== n) return equal[level]!;
    return level === 0 ? leaf : hashNodes(concatBytes(read(level - 1, 2 * n), read(level - 1, 2 * n + 1)));
  };
  return read;
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[Math.floor(bit / 8)]! ^= 1 << (bit % 8);
  return copy;
}

function same<T>(a: ArrayLike<T>, b: ArrayLike<T>): boolean {
  return a.length === b.length && Array.from(a).every((one, i) => one === b[i]);
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
