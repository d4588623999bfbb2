/**
 * The house's inner borders, as types only: where suspect bytes come from (`Source`), where proved things are kept
 * (`Store`), and what a checksum database answers (`Database`).
 *
 * Everything here speaks in batches and promises, so that a database server or an object store can stand behind
 * a contract that SQLite, itself synchronous, stands behind today.
 */

import type { Hash } from './core/hash.js';
import type { Proved } from './core/proved.js';
import type { Tile } from './core/tile.js';

/** Options of one read. */
export interface ReadOptions {
  /** The most bytes that the answer may have. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
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
  /** Lets go of connections. Reads after that may fail. */
  close(): Promise<void>;
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
  lookup(module: string, version: string): Promise<Uint8Array>;
  /** The bytes of a hash or data tile. @throws {GosumError} `NOT_FOUND`. */
  tile(tile: Tile): Promise<Uint8Array>;
  /**
   * The answer that the methods above would give, where it lies ready in memory: the same object each time, which nobody
   * changes. `undefined` where they have to be asked.
   */
  ready?(question: Question): Uint8Array | undefined;
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
  close(): Promise<void>;
}
