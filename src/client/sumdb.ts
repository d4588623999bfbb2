/**
 * The verifying client of a checksum database: many lookups at once, one timeline, one plan.
 *
 * Nothing is returned as a record, and nothing is stored, before it was proved under a signed tree head that is consistent
 * with every head ever taken.
 */

import type { Source, Store, TileBytes } from '../contract.js';
import { isGosumError, type GosumError } from '../errors.js';
import { parseVerifierKey, type VerifierKey } from '../core/key.js';
import { formatModuleVersion, type ModuleVersion } from '../core/module.js';
import type { ProvedTree, Wanted } from '../core/plan.js';
import type { RecordHashes } from '../core/record.js';
import type { ProvedRecord } from '../core/receipt.js';
import { formatTilePath, fullTile, type Tile } from '../core/tile.js';
import { openTreeHead, type SignedHead } from '../core/treehead.js';
import { Batch } from './batch.js';
import { inTurns, mayBeBetterElsewhere } from './turns.js';

/** Told how long work goes on. */
export interface Progress {
  /** A new phase of `total` steps begins. */
  phase(name: string, total: number): void;
  /** A step is done. */
  tick(): void;
}

/** What a client stands on. */
export interface SumDBOptions {
  /** The log's verifier key, or its text. The name of the database is in it. */
  readonly key: VerifierKey | string;
  /** The way to the database; it bounds how many requests are under way. Without it nothing is asked, and what is not cached is `OFFLINE`. */
  readonly source?: Source | undefined;
  /** Places that may have an answer and are asked first, such as the go command's cache. Believed no more than the source. */
  readonly caches?: readonly Source[];
  /** Where proved things are kept. */
  readonly store: Store;
  /** A signed note that the log must be consistent with, and at least as long as. */
  readonly trustedHead?: Uint8Array | undefined;
  /**
   * Told what a person should know and what is no failure: a cache that could not be believed or written. What is urgent
   * should be heard even by who wants no notices: evidence that will be lost.
   */
  readonly notice?: (text: string, urgent: boolean) => void;
  readonly progress?: Progress | undefined;
  /**
   * What is kept of what was proved. `receipts`, the default: the records of a batch as one receipt, and the tiles that
   * later batches may need; least to keep and to prove again. `all`: each record by itself, every tile, and the newest
   * head alone, for a server, which passes all of that on: every record is then tied to the newest head by kept tiles.
   */
  readonly keep?: 'receipts' | 'all';
}

/** Options of one batch. */
export interface LookupOptions {
  /** Ask for the newest head, and prove it consistent, even where all is cached. */
  readonly fresh?: boolean | undefined;
  /** Ask for the newest head beside the lookups (the default), or make do with the heads in their answers. */
  readonly latest?: boolean | undefined;
  /** Ends the batch; its `reason` is thrown where it is a `GosumError`. */
  readonly signal?: AbortSignal | undefined;
}

/** A proved record of a module version. */
export interface Found {
  readonly record: ProvedRecord;
  readonly hashes: RecordHashes;
  /** Whether it was proved from the store alone. */
  readonly cached: boolean;
}

/** What came of a batch. */
export interface Lookups {
  /** By `path@version`: the proved record, or why there is none. */
  readonly results: ReadonlyMap<string, Found | GosumError>;
  /** The newest head of the timeline after the batch; `undefined` where there never was one. */
  readonly head: SignedHead | undefined;
  /** `consistent`: with a head seen before, or the trusted one. */
  readonly timeline: 'first-contact' | 'consistent' | 'fork' | 'none';
  /** The way that was taken to the database, as `Source.label` names it; `cache` where nothing was asked. */
  readonly way: string;
  /** What went wrong with the batch as a whole: no newest head though one was asked for, a head too old, or a fork. */
  readonly problem: GosumError | undefined;
}

/** A client of one checksum database. */
export class SumDB {
  readonly key: VerifierKey;
  readonly #options: SumDBOptions;
  readonly #trusted: SignedHead | undefined;

  /**
   * @throws {GosumError} `KEY_MALFORMED` for a bad key; `NOTE_MALFORMED`, `TREE_HEAD_MALFORMED`, `SIGNATURE_UNKNOWN` or
   * `SIGNATURE_INVALID` for a bad trusted head.
   */
  constructor(options: SumDBOptions) {
    this.#options = options;
    this.key = typeof options.key === 'string' ? parseVerifierKey(options.key) : options.key;
    this.#trusted = options.trustedHead && openTreeHead(options.trustedHead, this.key);
  }

  /**
   * Looks up module versions: from the store what it can prove, the rest from the database, all of it together.
   *
   * @throws {GosumError} `KEY_CHANGED`, `STORE_FAILED` where the store cannot be read; `MODULE_PATH_MALFORMED`,
   * `VERSION_MALFORMED`; the signal's reason. What fails for one module version alone is in the results.
   */
  async lookup(wanted: readonly ModuleVersion[], options: LookupOptions = {}): Promise<Lookups> {
    const modules = new Map(wanted.map((each) => [formatModuleVersion(each.module, each.version), each]));
    const results = new Map<string, Found | GosumError>();
    let timeline: Lookups['timeline'] = 'none';
    const last = await inTurns(
      this.#options.source,
      async (source) => {
        const left = new Map([...modules].filter(([name]) => !results.has(name) || mayBeBetterElsewhere(results.get(name))));
        const batch = new Batch(this.key, { ...this.#options, source }, this.#trusted, left, options.signal);
        await batch.recall();
        const fresh = options.fresh === true || batch.trustedIsNew;
        if (fresh || batch.missing.length > 0) await batch.update(fresh, options.latest);
        for (const [name, result] of batch.results) results.set(name, result);
        if (timeline !== 'first-contact' || batch.timeline === 'fork') timeline = batch.timeline;
        return batch;
      },
      (batch) => batch.problem ?? worst([...batch.results.values()].filter((result) => isGosumError(result))),
    );
    const { head, way, problem } = last;
    return { results, head, timeline, way, problem };
  }

  /**
   * Hash tiles, proved under the newest head that was ever taken, and kept.
   *
   * @param wanted of any width that the head's tree reaches; each comes as wide as that tree has it.
   * @throws {GosumError} `HEAD_TOO_OLD` where no head was taken yet; `KEY_CHANGED`, `STORE_FAILED`; what a read of the
   * source throws; `TILE_SIZE`, `TILE_MISMATCH` where a tile does not authenticate.
   */
  async tiles(wanted: readonly Tile[], options: Pick<LookupOptions, 'signal'> = {}): Promise<TileBytes[]> {
    const tree = await this.tree({ tiles: wanted }, options);
    const proved = new Map(tree.tiles.map((each) => [formatTilePath(fullTile(each.tile)), each]));
    return wanted.map((tile) => {
      const found = proved.get(formatTilePath(fullTile(tile)));
      if (found === undefined) throw new Error('a tile that was not planned');
      return found;
    });
  }

  /**
   * The tree of the newest head that was ever taken, proved as far as it is wanted. Its tiles are read from the store, and
   * where it lacks them from the database; they are kept, also where others fail.
   *
   * @param wanted in that tree, which may be greater than the one that the caller knows. Of several uses: arrays, no generators.
   * @throws {GosumError} `HEAD_TOO_OLD` where no head was taken yet; `KEY_CHANGED`, `STORE_FAILED`; what a read of the
   * source throws; `TILE_SIZE`, `TILE_MISMATCH` where a tile does not authenticate.
   */
  tree(wanted: Wanted, options: Pick<LookupOptions, 'signal'> = {}): Promise<ProvedTree> {
    const prove = async (source: Source | undefined): Promise<ProvedTree> => {
      const batch = new Batch(this.key, { ...this.#options, source }, this.#trusted, new Map(), options.signal);
      await batch.recall();
      return batch.tree(wanted);
    };
    return inTurns(this.#options.source, prove, () => undefined);
  }
}

/** Of several failures one that another way may do better, if there is any. */
function worst(failures: readonly GosumError[]): GosumError | undefined {
  return failures.find(mayBeBetterElsewhere) ?? failures[0];
}
