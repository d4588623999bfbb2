/**
 * The records of a whole log, audited: each pack is unpacked and hashed again in a thread, and its hashes are compared with the
 * tiles of level 1, which are proved under the newest signed head. Packs come in any order.
 */

import type { PackedTile } from '../contract.js';
import { equalBytes, HASH_SIZE, hashAt } from '../core/hash.js';
import { joinBytes } from '../core/text.js';
import { DATA_LEVEL, formatTilePath, TILE_HEIGHT, TILE_WIDTH, tileInTree } from '../core/tile.js';
import { nodesOf } from '../core/tree.js';
import { GosumError } from '../errors.js';
import { checkJob, type CheckedPack, type CheckedPacks } from '../whole/check.js';
import { MOST_RECORDS } from '../whole/entry.js';
import type { TilePool } from '../whole/pool.js';
import { Unjudged, type AuditTree } from './audittree.js';
import type { Findings } from './finding.js';
import { AuditFlights } from './auditflights.js';

/** A row of the table. */
export interface PackRow {
  readonly row: string;
  readonly value: PackedTile;
}

/** The entries of a pack, from `from` up to `to` of those that were checked together. */
export interface PackNames {
  readonly checked: CheckedPacks;
  readonly from: number;
  readonly to: number;
  readonly records: number;
}

/** What packs are checked by. */
export interface PackAuditOptions {
  /** Name of the database. */
  readonly database: string;
  /** The newest head's tree, and its size; `undefined` where there is no such head. */
  readonly tree: AuditTree | undefined;
  readonly size: number;
  readonly pool: TilePool;
  /** Of the paths' prints; see `CheckJob`. */
  readonly printSalt: Uint8Array;
  readonly findings: Findings;
}

/** Packs that go to a thread together: some 400 KB, and 10 ms of work. */
const TOGETHER = 16;
/** Jobs that are under way at once beside those that threads have: what comes of them is looked at here. */
const AHEAD = 1;

/** The packs of one database. */
export class PackAudit {
  readonly #options: PackAuditOptions;
  readonly #flights: AuditFlights;
  /** Of each data tile how many of its records stand in a pack that is not false; 0 where there is none. */
  readonly #widths: Uint16Array;
  /** Numbers of packs that are kept, and false. */
  readonly #spoiled = new Set<number>();
  /** A pack was lost of which not even the number is known. */
  #isLost = false;
  /** The hashes of level 1, by tile: proved, or why not. */
  readonly #parents = new Map<number, Promise<Uint8Array>>();
  /** Records of packs that are proved. */
  proved = 0;

  constructor(options: PackAuditOptions, threads: number) {
    this.#options = options;
    this.#flights = new AuditFlights(2 * threads + AHEAD);
    this.#widths = new Uint16Array(Math.ceil(Math.min(options.size, MOST_RECORDS) / TILE_WIDTH));
  }

  /** Begins to check packs; returns when there is room for more. @param known told of what a pack has that is not false. */
  async take(page: readonly PackRow[], known: (names: PackNames) => void): Promise<void> {
    const good = page.filter(({ row, value }) => this.#isInTree(row, value));
    await this.#inThreads(good, async (rows, checked) => {
      for (const [i, { row, value }] of rows.entries()) {
        const own = packAt(checked, i);
        if (await this.#judge(row, value, checked, own)) known({ checked, ...own.entries, records: value.width });
      }
    });
  }

  /** A row that cannot be read, or is not as it was written. @param row its name: the number of the data tile. */
  spoil(row: string): void {
    const n = Number(row);
    if (Number.isSafeInteger(n)) this.#spoiled.add(n);
    else this.#isLost = true;
  }

  /** Waits for what is under way. */
  end(): Promise<void> {
    return this.#flights.end();
  }

  /** Looks for packs that are not kept, though all records below a number are said to be. */
  findMissing(said: number): void {
    const { database, findings } = this.#options;
    const indexed = Math.min(said, MOST_RECORDS);
    for (let n = 0; n * TILE_WIDTH < indexed; n++) {
      const from = n;
      while (n * TILE_WIDTH < indexed && this.#isMissing(n, indexed)) n++;
      if (n === from) continue;
      for (let missing = from; missing < n; missing++) this.#spoiled.add(missing);
      const path = formatTilePath({ level: DATA_LEVEL, n: from, width: TILE_WIDTH });
      const what = n === from + 1 ? path : `${path} and the ${n - from - 1} behind it`;
      findings.add('false', 'pack', database, String(from), new GosumError('STORE_FAILED', `the records of ${what} are not kept, though all below ${indexed} should be`), { rows: n - from });
    }
  }

  /** Begins to look at packs a second time: at those alone that were not false. */
  async takeAgain(page: readonly PackRow[], known: (names: PackNames) => void): Promise<void> {
    const good = page.filter(({ value: { n } }) => this.has(n * TILE_WIDTH));
    await this.#inThreads(good, (rows, checked) => {
      for (const [i, { value }] of rows.entries()) known({ checked, ...packAt(checked, i).entries, records: value.width });
    });
  }

  /** Reports whether a record is kept, and not false. */
  has(id: number): boolean {
    return id % TILE_WIDTH < (this.#widths[Math.floor(id / TILE_WIDTH)] ?? 0);
  }

  /** Reports whether a record was, or may have been, in a pack that is false or missing: what leads to it cannot be judged. */
  isSpoiled(id: number): boolean {
    return this.#isLost || this.#spoiled.has(Math.floor(id / TILE_WIDTH));
  }

  /** Reports whether any pack is false or missing. */
  get anySpoiled(): boolean {
    return this.#isLost || this.#spoiled.size > 0;
  }

  #isMissing(n: number, indexed: number): boolean {
    return !this.#spoiled.has(n) && (this.#widths[n] ?? 0) < Math.min(TILE_WIDTH, indexed - n * TILE_WIDTH);
  }

  async #inThreads(page: readonly PackRow[], then: (rows: readonly PackRow[], checked: CheckedPacks) => Promise<void> | void): Promise<void> {
    const { pool, printSalt } = this.#options;
    for (let from = 0; from < page.length; from += TOGETHER) {
      const rows = page.slice(from, from + TOGETHER);
      await this.#flights.begin(async () => then(rows, await pool.check(checkJob(rows.map(({ value }) => value), printSalt))));
    }
  }

  /** Whether a tree has such a tile at all. */
  #isInTree(row: string, { n, width }: PackedTile): boolean {
    const { database, findings, size, tree } = this.#options;
    const isInTree = findings.judge('pack', database, row, () => {
      if (tree === undefined) throw new Unjudged('there is no newest tree head, signed by the key, to prove it under');
      if (!(width >= 1 && width <= TILE_WIDTH)) throw new GosumError('STORE_FAILED', `${width} records`);
      if (n * TILE_WIDTH + width > size) throw new GosumError('RECORD_BEYOND_HEAD', `its records are beyond the newest tree, of ${size}`);
    }, false);
    if (!isInTree) this.#spoiled.add(n);
    return isInTree;
  }

  /** Judges a pack that was hashed. `false` where it is false. */
  async #judge(row: string, { n, width }: PackedTile, { packs }: CheckedPacks, { i, nodes }: PackAt): Promise<boolean> {
    const { database, findings } = this.#options;
    const { failure, flaws }: Omit<CheckedPack, 'entriesEnd' | 'nodesEnd'> = packs[i] ?? { flaws: [] };
    try {
      if (failure !== undefined) throw new GosumError(failure.code, failure.message);
      await this.#prove(n, width, nodes);
      findings.proved.pack++;
      this.proved += width;
      for (const flaw of flaws) findings.add('malformed', 'pack', database, `record ${flaw.id}`, flaw);
    } catch (error) {
      findings.caught(error, 'pack', database, row);
      if (!(error instanceof Unjudged)) {
        this.#spoiled.add(n);
        return false;
      }
    }
    this.#widths[n] = width;
    return true;
  }

  /** @throws {GosumError} `TILE_MISMATCH`; {Unjudged} where what it hangs on is not proved. */
  async #prove(n: number, width: number, nodes: Uint8Array): Promise<void> {
    const { tree, size } = this.#options;
    if (tree === undefined) throw new Error('a pack of no tree');
    const isTrue = width === TILE_WIDTH ? await this.#isFullTrue(tree, n, nodes) : await isPartTrue(tree, n, width, nodes);
    if (isTrue) return;
    throw new GosumError('TILE_MISMATCH', `its records are not those of ${formatTilePath({ level: DATA_LEVEL, n, width })} in the tree of ${size}`);
  }

  async #isFullTrue(tree: AuditTree, n: number, node: Uint8Array): Promise<boolean> {
    const parent = Math.floor(n / TILE_WIDTH);
    let hashes = this.#parents.get(parent);
    if (hashes === undefined) this.#parents.set(parent, (hashes = parentHashes(tree, parent, this.#options.size)));
    return equalBytes(node, hashAt(await hashes, n % TILE_WIDTH));
  }
}

/** Where a pack's own stands in what was checked together. */
interface PackAt {
  readonly i: number;
  readonly nodes: Uint8Array;
  readonly entries: { readonly from: number; readonly to: number };
}

function packAt({ packs, nodes }: CheckedPacks, i: number): PackAt {
  const [before, own] = [packs[i - 1], packs[i]];
  return { i, nodes: nodes.subarray(before?.nodesEnd ?? 0, own?.nodesEnd), entries: { from: before?.entriesEnd ?? 0, to: own?.entriesEnd ?? 0 } };
}

/** The hashes of a tile of level 1, each that of a full data tile: 8 KiB for 65,536 records. */
async function parentHashes(tree: AuditTree, n: number, size: number): Promise<Uint8Array> {
  const tile = tileInTree(1, n, size);
  if (tile === undefined) throw new Error(`no tile ${n} of level 1 in a tree of ${size}`);
  const proved = await tree.prove([], [], { tiles: [tile] });
  return joinBytes(Array.from({ length: tile.width }, (_, i) => proved.node(TILE_HEIGHT, n * TILE_WIDTH + i)));
}

/** Whether the complete subtrees that a partial tile is made of are those of the tree. */
async function isPartTrue(tree: AuditTree, n: number, width: number, nodes: Uint8Array): Promise<boolean> {
  const proved = await tree.prove([], [], { tiles: [{ level: 0, n, width }] });
  const subtrees = nodesOf({ lo: n * TILE_WIDTH, hi: n * TILE_WIDTH + width });
  return nodes.length === subtrees.length * HASH_SIZE && subtrees.every(({ level, n: at }, i) => equalBytes(hashAt(nodes, i), proved.node(level, at)));
}
