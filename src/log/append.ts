/**
 * What the log's data become when records are appended: the new tree with its tiles, the packs, and the pages of the index, all
 * of it made before anything is written, and proved as a mirror proves what it is given.
 */

import type { IndexPage, LogChange, PackedTile, Store, TileBytes, TimelineHead } from '../contract.js';
import { leavesOf, provePack } from '../core/leaves.js';
import { HASH_SIZE } from '../core/hash.js';
import { planTiles, type ProvedTree } from '../core/plan.js';
import type { Proved } from '../core/proved.js';
import type { LogRecord } from '../core/record.js';
import { joinBytes } from '../core/text.js';
import { linkedHead } from '../core/timeline.js';
import { TILE_WIDTH, type Tile } from '../core/tile.js';
import type { SignedHead, TreeHead } from '../core/treehead.js';
import { GosumError } from '../errors.js';
import { mergePage, pendingByBucket, pendingByPage, type NewEntries } from '../whole/entry.js';
import { KeyHash, newSalt } from '../whole/key.js';
import { logOf } from '../whole/merge.js';
import { unpackRecords } from '../whole/pack.js';
import { pathTexts } from '../whole/pathbytes.js';
import { workLeaves, type LeavesWork } from '../whole/work.js';
import { grow } from './growth.js';
import { readTiles } from './tiles.js';

/** What is to be published of a batch, but for the head's signature. */
export interface Appended {
  readonly head: TreeHead;
  /** The head before it, linked to it. */
  readonly before: Proved<TimelineHead>;
  /** Hash tiles that are new or wider; without the full ones of level 0, which the packs give. */
  readonly tiles: readonly Proved<TileBytes>[];
  /** Records and index. */
  readonly log: Required<Pick<LogChange, 'salt' | 'expect' | 'packs' | 'pages' | 'modules' | 'indexed'>>;
}

/**
 * Makes what records add to the log that a store keeps.
 *
 * @param head the tree that they are appended to, as the store has it.
 * @param records at least one; their numbers follow that tree.
 * @throws {GosumError} `STORE_FAILED` where what is kept is not whole; `TILE_SIZE`, `TILE_MISMATCH` where it is not what the
 * head was signed for.
 */
export async function append(store: Store, key: string, head: SignedHead, records: readonly LogRecord[]): Promise<Appended> {
  const log = logOf(store);
  const state = await log.state(key);
  const salt = state?.salt ?? newSalt();
  const hash = new KeyHash(salt);
  const edge = await readEdge(store, key, head);
  const works = (await tilesOfRecords(store, key, head.size, records)).map(({ n, texts }) => workLeaves(n, leavesOf(texts), hash));
  const grown = grow(edge, newLeaves(works, head.size));
  const packs = works.map(({ n, width, parts, nodes }): Proved<PackedTile> => provePack(grown.tree, { n, width, parts }, nodes));
  return {
    head: grown.head,
    before: linkedHead(grown.tree, head),
    tiles: grown.tree.tiles.filter(({ tile }) => isKept(tile)),
    log: {
      salt,
      expect: state?.changes ?? 0,
      packs,
      pages: await pagesWith(store, key, works.map(({ entries }) => entries)),
      modules: [...new Set(works.flatMap(({ modules }) => pathTexts(modules.bytes)))].sort(),
      indexed: grown.head.size,
    },
  };
}

/** The proved right edge of a tree that a store keeps. @throws as `append`. */
async function readEdge(store: Store, key: string, head: TreeHead): Promise<ProvedTree> {
  const plan = planTiles(head, {});
  return plan.authenticate(await readTiles(store, key, plan.tiles));
}

function isKept({ level, width }: Tile): boolean {
  return level > 0 || width < TILE_WIDTH;
}

/** The data tiles that have new records, with the records that stand in front of them. */
async function tilesOfRecords(store: Store, key: string, size: number, records: readonly LogRecord[]): Promise<{ n: number; texts: Uint8Array[] }[]> {
  const tiles: { n: number; texts: Uint8Array[] }[] = [];
  const before = size % TILE_WIDTH;
  const first = Math.floor(size / TILE_WIDTH);
  if (before > 0) {
    const [pack] = await logOf(store).packs(key, [first]);
    const texts = pack === undefined ? [] : unpackRecords(pack.parts).slice(0, before);
    if (texts.length !== before) throw new GosumError('STORE_FAILED', `${store.label}: the log's newest records are not there`, { hint: RESTORE });
    tiles.push({ n: first, texts });
  }
  for (const { id, text } of records) {
    const n = Math.floor(id / TILE_WIDTH);
    const last = tiles.at(-1);
    if (last?.n === n) last.texts.push(text);
    else tiles.push({ n, texts: [text] });
  }
  return tiles;
}

const RESTORE = 'the data file is damaged: put a copy of the whole log in its place (docs/log.md)';

/** The hashes of the records from `size` on. */
function newLeaves(works: readonly LeavesWork[], size: number): Uint8Array {
  return joinBytes(works.map(({ leaves }) => leaves)).subarray((size % TILE_WIDTH) * HASH_SIZE);
}

async function pagesWith(store: Store, key: string, entries: readonly NewEntries[]): Promise<IndexPage[]> {
  const added = new Map(pendingByBucket(entries).flatMap(({ bucket, entries: pending }) => [...pendingByPage(bucket, [pending])]));
  const numbers = [...added.keys()];
  const pages = await logOf(store).pages(key, numbers);
  return numbers.map((n, i) => ({ n, entries: mergePage(pages[i]?.entries, added.get(n) ?? new BigUint64Array()) }));
}
