/**
 * The house's inner borders, as types only: where suspect bytes come from (`Source`), where proved things are kept
 * (`Store`), and what a checksum database answers (`Database`).
 *
 * Everything here speaks in batches and promises, so that a database server or an object store can stand behind
 * a contract that SQLite, itself synchronous, stands behind today.
 */

import type { BulkQuery } from './core/bulkform.js';
import type { Hash } from './core/hash.js';
import type { ModulePaths } from './core/modulepaths.js';
import type { Proved } from './core/proved.js';
import type { LogRecord } from './core/record.js';
import type { Tile } from './core/tile.js';

/** Options of one read. */
export interface ReadOptions {
  /** The most bytes that the answer may have. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
  /** A failure is not tried again: the caller has another place to ask. */
  readonly once?: boolean;
}

/** Options of a bulk query. */
export interface BulkOptions extends ReadOptions {
  /** How many reads it stands for: so many will come where bulk is not announced. */
  readonly reads: number;
}

/**
 * A place that suspect bytes are read from: a server, a folder, the go command's cache. Nothing it gives is believed.
 */
export interface Source {
  /** Names the place to a person; without credentials. */
  readonly label: string;
  /**
   * Reads `path`: `/latest`, `/lookup/<escaped module version>` or `/tile/8/…`.
   *
   * Gives `undefined` where this place lacks the answer but has no authority to say that there is none (a cache).
   *
   * @throws {GosumError} `NOT_FOUND` for a 404 or 410 of the database itself; an `unreachable` code for everything else.
   */
  read(path: string, options: ReadOptions): Promise<Uint8Array | undefined>;
  /**
   * Asks for many module versions at once (docs/bulk.md), where this way has announced that it takes that: a module
   * proxy does with its answer to `supported`, a database at a URL of its own with the answer to `/latest`, which is not
   * asked for here. Where it has not, `undefined`, and the query is not sent.
   *
   * @param query of the form that `formatBulkQuery` makes.
   * @throws {GosumError} as `read`.
   */
  bulk?(query: Uint8Array, options: BulkOptions): Promise<Uint8Array | undefined>;
  /**
   * Has `heard` called when this way announces bulk, before the answer that does so is given to its reader. Not called
   * for what was announced earlier.
   *
   * @returns undoes it.
   */
  onBulk?(heard: () => void): () => void;
  /**
   * Has `heard` called when it turns out that this way takes very many reads at a time, as HTTP/2 does; at once, where that
   * is known. Over HTTP/1.1 it never does.
   *
   * @returns undoes it.
   */
  onWide?(heard: () => void): () => void;
  /**
   * Only of a source that has several ways to the database: turns to read and prove something, one after the other, the
   * later ones for where the earlier failed. What comes of each is told to it: only who proves can say which way is good.
   */
  turns?(): Iterable<Turn>;
  /** Lets go of connections. Reads after that may fail. */
  close(): Promise<void>;
}

/** Who asks a database. */
export interface Caller {
  /**
   * Asked for leave before anything is read upstream for the caller's sake: what is kept is for everybody. May wait.
   *
   * @throws {GosumError} where it is refused.
   */
  admit(): Promise<void>;
}

/** One turn to read and prove something. */
export interface Turn {
  /** Reads for this turn. */
  readonly source: Source;
  /**
   * Ends the turn. Called once, whatever came of it.
   *
   * @param failure what could not be read or proved, or whatever else was thrown; `undefined` where nothing failed.
   */
  end(failure: unknown): void;
}

/** A question to a checksum database. */
export type Question =
  | { readonly kind: 'latest' }
  | { readonly kind: 'lookup'; readonly module: string; readonly version: string }
  | { readonly kind: 'tile'; readonly tile: Tile };

/** What a checksum database answers, as proved bytes ready to be sent. The test log, a log of one's own and the mirror are such. */
export interface Database {
  readonly name: string;
  /** The signed note of the newest tree head. */
  latest(): Promise<Uint8Array>;
  /** The answer to `/lookup/`: id, record text, blank line, signed note. @throws {GosumError} `NOT_FOUND`. */
  lookup(module: string, version: string, caller?: Caller): Promise<Uint8Array>;
  /** The bytes of a hash or data tile. @throws {GosumError} `NOT_FOUND`. */
  tile(tile: Tile, caller?: Caller): Promise<Uint8Array>;
  /** The answer to a bulk query: one head, and all records proved under it together. Absent where it is not offered. */
  bulk?(query: BulkQuery, caller?: Caller): Promise<Uint8Array>;
  /**
   * At most `limit` newest records of module paths, newest first. Absent where it is not offered.
   *
   * @param caller asked for leave before more is looked through than a lookup does.
   * @throws {GosumError} `NOT_FOUND` where the whole log is not kept, or the paths are private.
   */
  recent?(paths: ModulePaths, limit: number, caller?: Caller): Promise<RecentRecords>;
  /**
   * The answer that the methods above would give, where it lies ready in memory: the same object each time, which nobody
   * changes. `undefined` where they have to be asked.
   */
  ready?(question: Question): Uint8Array | undefined;
  /** As `ready`, of what is not in memory and can be had without waiting. */
  now?(question: Question): Uint8Array | undefined;
}

/** The newest records of module paths. */
export interface RecentRecords {
  /** Newest first. */
  readonly records: readonly RecentRecord[];
  /** Where not all records were looked through, as there are too many paths: so many newest ones were. */
  readonly among: number | undefined;
  /** When a tree was first seen at all, milliseconds since 1970; `undefined` where nobody noted it. */
  readonly begun: number | undefined;
}

/** A record among the newest. */
export interface RecentRecord extends LogRecord {
  readonly module: string;
  readonly version: string;
  /** When a tree that has it was first seen, milliseconds since 1970; `undefined` where nobody noted it. */
  readonly seenAt: number | undefined;
  /** Numbers of other records of the same module version. */
  readonly repeats: readonly number[];
}

/**
 * A tree head that lies on the timeline: its signed note, and the greater head under which it was proved to lie.
 * Only the newest head has no `next`.
 */
export interface TimelineHead {
  /** Number of records. */
  readonly size: number;
  readonly hash: Hash;
  /** The signed note, with the verified signature alone. */
  readonly note: Uint8Array;
  readonly next?: {
    /** Size of the greater head. */
    readonly size: number;
    /** The consistency proof from this head to that one: hashes of 32 bytes, one after the other (RFC 6962 §2.1.2). */
    readonly proof: Uint8Array;
  };
}

/** Bytes of a hash tile that were authenticated. `tile.width * 32` bytes. */
export interface TileBytes {
  readonly tile: Tile;
  readonly bytes: Uint8Array;
}

/** A receipt kept whole: note, records and hashes (see core/receipt.ts), and the module versions that it covers. */
export interface KeptReceipt {
  readonly bytes: Uint8Array;
  /** `path@version`, unescaped, one for each record. */
  readonly covers: readonly string[];
}

/** A record kept by itself, by a server: what ties it to the newest head are the tiles that are kept beside it. */
export interface KeptRecord {
  /** Number in the log. */
  readonly id: number;
  readonly text: Uint8Array;
  /** `path@version`, unescaped. */
  readonly covers: string;
}

/** What one commit adds to a database's timeline. All of it happens, or none of it. */
export interface Change {
  /** The name that remembers the key. */
  readonly name: string;
  /** Size of the newest head that the change was proved against; `undefined` for first contact. */
  readonly expect: number | undefined;
  /** Heads to add, or to give a `next`; after the change exactly one head of the timeline has no `next`. */
  readonly heads: readonly Proved<TimelineHead>[];
  readonly tiles: readonly Proved<TileBytes>[];
  readonly receipts: readonly Proved<KeptReceipt>[];
  readonly records?: readonly Proved<KeptRecord>[];
  /** Forget all heads but the newest: nothing that is kept was proved under another alone. */
  readonly newestOnly?: boolean;
  /** What it adds to the whole log. */
  readonly log?: LogChange;
}

/** The records of one data tile, packed (whole/pack.ts), each proved to be in the log at its place. */
export interface PackedTile {
  /** Number of the data tile: its first record is `256 * n`. */
  readonly n: number;
  /** Records in it, 1 to 256. */
  readonly width: number;
  /** Of 64 records each, but the last, which has the rest. */
  readonly parts: readonly Uint8Array[];
}

/** A part of a packed data tile, which is read by itself: a lookup wants one record. */
export interface PackedPart {
  /** Number of the data tile. */
  readonly n: number;
  /** 0 to 3: its first record is `256 * n + 64 * part`. */
  readonly part: number;
  /** Records in the whole tile. */
  readonly width: number;
  readonly bytes: Uint8Array;
}

/** A page of the index of a whole log: all entries whose keys begin with its number (whole/entry.ts). */
export interface IndexPage {
  /** 0 to 65535. */
  readonly n: number;
  /** Of 8 bytes each, in order. */
  readonly entries: Uint8Array;
}

/** Where the entries of a key stand: its page, and its other 32 bits. */
export interface IndexPlace {
  readonly page: number;
  readonly rest: number;
}

/** Entries that stand in no page of the index yet. */
export interface PendingEntries {
  /** The first 8 bits of their keys. */
  readonly bucket: number;
  /** Of 9 bytes each, in no order (whole/entry.ts). */
  readonly entries: Uint8Array;
}

/** When a tree was first seen. */
export interface SeenTree {
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What one commit adds to the whole log that a store keeps. */
export interface LogChange {
  /** The secret that the index's keys are made with, 16 bytes. A store keeps the first one; under another nothing is committed. */
  readonly salt: Uint8Array;
  /**
   * The state's `changes` that this was made from; 0 where there was no state. Under another nothing is committed. Whoever
   * gives pages, merged buckets or something staged gives it: the newest head does not move while a first sync goes on, and
   * of two who write at once one would undo what the other did.
   */
  readonly expect?: number;
  /** In place of narrower ones of the same number. */
  readonly packs?: readonly Proved<PackedTile>[];
  /** Entries of records that are kept, but stand in no page yet. */
  readonly pending?: readonly PendingEntries[];
  /** In place of those of the same number. */
  readonly pages?: readonly IndexPage[];
  /** Buckets whose pending entries are in the pages now, and go. */
  readonly merged?: readonly number[];
  /** Module paths of records; known ones may be among them. */
  readonly modules?: readonly string[];
  /** All records below this are kept, and in the pages. */
  readonly indexed?: number;
  /** A tree that was seen. The first time of a size stands. */
  readonly seen?: SeenTree;
  /** Records that are to be appended, of a log of one's own (log/); `null`: none any more. */
  readonly staged?: Uint8Array | null;
}

/** A kept proof that a log misbehaved, as `gosumcheck evidence` shows it. */
export interface Evidence {
  /** Verifier key of the log, in its canonical spelling. */
  readonly key: string;
  /** When it was found, RFC 3339 in UTC. */
  readonly foundAt: string;
  /** Both signed notes, and the hashes that prove that they differ; see client/fork.ts. */
  readonly older: Uint8Array;
  readonly newer: Uint8Array;
  /** The hash that the newer head's tree has at the older head's size, then its consistency proof: 32 bytes each. */
  readonly proof: Uint8Array;
}

/** What a store holds, in numbers. */
export interface StoreStats {
  /** A row for each database. */
  readonly databases: readonly {
    readonly name: string;
    readonly key: string;
    readonly heads: number;
    readonly newest: number | undefined;
    readonly tiles: number;
    readonly receipts: number;
    /** Module versions covered by receipts. */
    readonly records: number;
    /** The whole log, where any of it is kept: how many of its records, and how many from its beginning on can be looked up. */
    readonly log?: { readonly records: number; readonly indexed: number };
  }[];
  readonly evidence: number;
  /** Bytes on disk; 0 in memory. */
  readonly bytes: number;
}

/**
 * Where proved things are kept. State belongs to a verifier key (canonical spelling, see `formatVerifierKey`);
 * each name remembers its key.
 *
 * A store believes its caller and nobody believes a store: what comes out of it is proved again from signed notes.
 * Every method rejects with `STORE_FAILED` (with the file's name) where the medium fails.
 */
export interface Store {
  /** Names the place to a person: a file, or `memory`. */
  readonly label: string;
  /** The key that this name was first met with; `undefined` if never. */
  keyOf(name: string): Promise<string | undefined>;
  /** The heads of the timeline with at least `fromSize` records, ascending by size. */
  timeline(key: string, fromSize: number): Promise<TimelineHead[]>;
  /** The newest head: the one without `next`; `undefined` before first contact. */
  newest(key: string): Promise<TimelineHead | undefined>;
  /** The least set of receipts that covers all of `wanted` (`path@version`) that is covered at all. */
  receipts(key: string, wanted: readonly string[]): Promise<Uint8Array[]>;
  /** For each wanted tile its bytes, cut to the wanted width; `undefined` where no tile as wide is kept as it was written. */
  tiles(key: string, wanted: readonly Tile[]): Promise<(Uint8Array | undefined)[]>;
  /** For each `path@version` its record kept by itself; `undefined` where there is none, or not as it was written. */
  records(key: string, wanted: readonly string[]): Promise<(KeptRecord | undefined)[]>;
  /**
   * Makes the change in one transaction, or nothing and `false` where the newest head is not the expected one any more.
   *
   * @throws {GosumError} `KEY_CHANGED` where the name remembers another key.
   */
  commit(key: string, change: Change): Promise<boolean>;
  evidence(): Promise<Evidence[]>;
  /** Keeps it; the same two notes of one key are kept once. */
  addEvidence(evidence: Evidence): Promise<void>;
  /** Forgets all evidence and says how much there was. A person's decision, never ours. */
  clearEvidence(): Promise<number>;
  stats(): Promise<StoreStats>;
  /** Forgets everything but evidence and the keys that names remember. */
  clean(): Promise<void>;
  /** The whole log, as far as it is kept. Absent where a store has no room for it, as memory. */
  readonly log?: LogStore;
  /** What can be had without waiting. Absent where nothing can. */
  readonly now?: StoreNow;
  close(): Promise<void>;
}

/**
 * Small reads of a store that need no waiting, for who answers thousands a second: a promise and a transaction of its own cost
 * more than the read.
 *
 * `undefined` where there is no such thing, it is not as it was written, or the medium fails: then the method that waits is
 * asked, which says what is the matter and does something about it.
 */
export interface StoreNow {
  /** As `Store.tiles`. */
  tile(key: string, tile: Tile): Uint8Array | undefined;
  /** As `Store.records`. */
  record(key: string, covers: string): KeptRecord | undefined;
  /** As `LogStore.entries`. */
  entries(key: string, place: IndexPlace): Uint8Array | undefined;
  /** As `LogStore.parts`. */
  part(key: string, n: number): PackedPart | undefined;
}

/** What a store knows of a whole log that it keeps. */
export interface LogState {
  /** See `LogChange`. */
  readonly salt: Uint8Array;
  /** See `LogChange`. */
  readonly indexed: number;
  /** How often the whole log was changed: each commit that adds to it makes it one more. */
  readonly changes: number;
}

/**
 * The whole log as a store keeps it: its records, packed by data tiles, and the index over them. It is written by
 * `Store.commit`. A row that is not as it was written counts for none, but the state, which everything hangs on: then all
 * rejects as `Store` does; and what a merge builds on, since an entry of the index that is passed over there is lost.
 */
export interface LogStore {
  /** `undefined` where nothing of the log was ever kept. */
  state(key: string): Promise<LogState | undefined>;
  /** For each number its packed data tile as wide as it is kept; `undefined` where there is none. */
  packs(key: string, wanted: readonly number[]): Promise<(PackedTile | undefined)[]>;
  /** For each number, that of its first record through 64, a part of a packed data tile; `undefined` where there is none. */
  parts(key: string, wanted: readonly number[]): Promise<(PackedPart | undefined)[]>;
  /**
   * The data tiles, as ranges [lo, hi) of numbers, that a tree of `size` has and that are not kept, or not as wide. Ascending.
   * Whether what is kept is as it was written is not looked at: see `damagedTiles`.
   */
  gaps(key: string, size: number): Promise<{ readonly lo: number; readonly hi: number }[]>;
  /** The data tiles that are kept, and not as they were written, with numbers from `lo` up to `hi`. Ascending. */
  damagedTiles(key: string, lo: number, hi: number): Promise<number[]>;
  /** As `damagedTiles`, pages of the index. */
  damagedPages(key: string, lo: number, hi: number): Promise<number[]>;
  /**
   * For each key some entries of its page, in order, and all of the key's own among them; `undefined` where that page has none
   * for such keys. A page may be long.
   */
  entries(key: string, wanted: readonly IndexPlace[]): Promise<(Uint8Array | undefined)[]>;
  /** For each number its page of the index; `undefined` where there is none. */
  pages(key: string, wanted: readonly number[]): Promise<(IndexPage | undefined)[]>;
  /** As `pages`, for who writes them anew; `undefined` in place of them all where one is there and is not as it was written. */
  pagesToMerge(key: string, wanted: readonly number[]): Promise<(IndexPage | undefined)[] | undefined>;
  /** The pending entries of a bucket, in no order; `undefined` where some of them are not as they were written. */
  pending(key: string, bucket: number): Promise<Uint8Array[] | undefined>;
  /** Buckets that have pending entries, ascending. */
  pendingBuckets(key: string): Promise<number[]>;
  /** At most `limit` known module paths, in the order of their bytes: `from` or what begins with it, behind `after`. */
  modules(key: string, from: string, after: string, limit: number): Promise<string[]>;
  /** When trees of at least this size were first seen, ascending by size. */
  seen(key: string, fromSize: number): Promise<SeenTree[]>;
  /** Rejects where they are not as they were written: records that are to be appended are never let go by mistake. */
  staged(key: string): Promise<Uint8Array | undefined>;
  /** The number of a record that somebody has come to, by a name of theirs. */
  mark(key: string, name: string): Promise<number | undefined>;
  /** The key's timeline has begun. */
  setMark(key: string, name: string, record: number): Promise<void>;
  /** Keeps all that is kept under a key under another one from now on: the log has changed its key. */
  changeKey(from: string, to: string): Promise<void>;
}

/** A row as it stands in a store. Of what it says nothing was proved. */
export interface StoredRow<T> {
  /** The row's own key, for a person: `tile/8/0/005`, `example.com/a@v1.0.0`. */
  readonly row: string;
  /** The verifier key that it is kept under; `undefined` where the store has no such key (any more). */
  readonly key: string | undefined;
  /** `undefined` where it is no value at all. */
  readonly value: T | undefined;
  /** What the store itself sees: a column of another kind, or a digest that does not fit. */
  readonly problem?: string;
}

/** Rows in pages of bounded size. */
export type StoredPages<T> = AsyncIterable<readonly StoredRow<T>[]>;

/**
 * Everything that a store keeps, row by row, for an audit: one state of it, read and never written, in bounded memory.
 * Everything rejects with `STORE_FAILED` where the medium fails; what else is kept can still be read then.
 */
export interface StoreRows extends Pick<Store, 'label' | 'tiles' | 'close'> {
  /** The same state's whole log, for what is wanted out of turn. */
  readonly log: LogStore;
  /** The names, and the key that each remembers. */
  databases(): Promise<readonly { readonly name: string; readonly key: string }[]>;
  heads(): StoredPages<TimelineHead>;
  /** Hash tiles, each as wide as it is kept. */
  hashTiles(): StoredPages<TileBytes>;
  records(): StoredPages<KeptRecord>;
  receipts(): StoredPages<KeptReceipt>;
  evidence(): StoredPages<Evidence>;
  /** A row for each database of which something of the whole log was kept. */
  logStates(): StoredPages<LogState>;
  /** Packed data tiles, each as wide as it is kept, in the order of their numbers. A page has few: each has some 25 KB. */
  packs(): StoredPages<PackedTile>;
  /** Pages of the index. A page of rows has few: each may have some 10 KB. */
  indexPages(): StoredPages<IndexPage>;
  pending(): StoredPages<PendingEntries>;
  /** Known module paths, in the order of their bytes. These rows have no digest. */
  modules(): StoredPages<string>;
  seen(): StoredPages<SeenTree>;
  /** What is staged. */
  staged(): StoredPages<Uint8Array>;
  /** The records that somebody has come to, by their names. */
  marks(): StoredPages<{ readonly name: string; readonly record: number }>;
  /** How many rows all of these have but the index's pages and the module paths; of `base` those that are not of a whole log. */
  count(part?: 'base'): Promise<number>;
  /** What the medium's own check finds wrong, in its words. It may take long, while all else can be read; ended by `close`. */
  defects(): Promise<readonly string[]>;
}

/**
 * A place for one value, apart from a store: which tree was signed last stands in one (log/lastsigned.ts). Everything
 * rejects with `STORE_FAILED` where the medium fails.
 */
export interface Cell {
  /** Names the place to a person. */
  readonly label: string;
  /**
   * Has `work` done by this process alone: others, and other machines on the same medium, wait for their turn. A process
   * that dies gives its turn up.
   */
  hold<T>(work: (held: HeldCell) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** A cell that no other process can read or write for now. */
export interface HeldCell {
  /** `undefined` where nothing was ever written. */
  readonly value: Uint8Array | undefined;
  /** Replaces the value. When it resolves, the new one outlives a crash of the machine. */
  swap(next: Uint8Array): Promise<void>;
}
