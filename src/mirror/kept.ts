/**
 * What a mirror keeps: the records and tiles that were asked for, and the whole log as far as `gosumcheck sync` has it.
 */

import { setImmediate as turn } from 'node:timers/promises';
import type { Store } from '../contract.js';
import { equalBytes } from '../core/hash.js';
import { formatModuleVersion, type ModuleVersion } from '../core/module.js';
import type { LogRecord } from '../core/record.js';
import { DATA_LEVEL, tileInTree, type Tile } from '../core/tile.js';
import { isGosumError } from '../errors.js';
import { WholeLog } from '../whole/reader.js';

/** Records that are found in the whole log before others get a turn: each takes some 50 µs. */
const AT_ONCE = 32;

/** What is kept of one database. */
export class Kept {
  readonly #store: Store;
  readonly #vkey: string;
  #whole: { readonly salt: Uint8Array; readonly log: WholeLog } | undefined;

  constructor(store: Store, vkey: string) {
    this.#store = store;
    this.#vkey = vkey;
  }

  /** Whether the log is kept whole, or is begun to be. */
  get isWhole(): boolean {
    return this.#whole !== undefined;
  }

  /** Looks whether the whole log is kept by now: another process may have begun with it, or have begun anew. */
  async look(): Promise<void> {
    const state = await this.#store.log?.state(this.#vkey);
    if (state === undefined) {
      this.#whole = undefined;
    } else if (this.#whole === undefined || !equalBytes(this.#whole.salt, state.salt)) {
      this.#whole = { salt: state.salt, log: new WholeLog(this.#store, this.#vkey) };
    }
  }

  /** The record of a module version, where it can be had without waiting; `undefined`: `records` has to be asked. */
  recordNow({ module, version }: ModuleVersion, name: string): LogRecord | undefined {
    return this.#whole?.log.findNow(module, version) ?? this.#store.now?.record(this.#vkey, name);
  }

  /** As `tile`, where it can be had without waiting; `undefined`: `tile` has to be asked. */
  tileNow(tile: Tile, size: number): Uint8Array | undefined {
    if (tile.level === DATA_LEVEL) return undefined;
    for (const each of widthsOf(tile, size)) {
      const kept = this.#store.now?.tile(this.#vkey, each);
      if (kept !== undefined) return kept;
    }
    return undefined;
  }

  /** For each module version its record; where the log repeats itself the first, as the log's own server has it. */
  async records(wanted: readonly ModuleVersion[]): Promise<(LogRecord | undefined)[]> {
    const whole = this.#whole;
    if (whole === undefined) return this.#store.records(this.#vkey, wanted.map(nameOf));
    const found = await findAll(whole.log, wanted);
    const lacking = wanted.filter((_, i) => found[i] === undefined);
    if (lacking.length === 0) return found;
    const kept = await this.#store.records(this.#vkey, lacking.map(nameOf));
    let next = 0;
    return found.map((record) => record ?? kept[next++]);
  }

  /**
   * A tile, as wide as the tree of `size` has it, or at least as wide as it is wanted. Hash tiles of records that are not
   * kept themselves are computed from the records.
   */
  async tile(tile: Tile, size: number): Promise<Uint8Array | undefined> {
    if (tile.level === DATA_LEVEL) return this.#whole?.log.dataTile(tile.n, tile.width);
    const widths = widthsOf(tile, size);
    for (const each of widths) {
      const [kept] = await this.#store.tiles(this.#vkey, [each]);
      if (kept !== undefined) return kept;
    }
    for (const each of widths) {
      const computed = await this.#computed(each);
      if (computed !== undefined) return computed;
    }
    return undefined;
  }

  /** For each hash tile its bytes. */
  async tiles(wanted: readonly Tile[]): Promise<(Uint8Array | undefined)[]> {
    const kept = [...(await this.#store.tiles(this.#vkey, wanted))];
    for (const [i, tile] of wanted.entries()) {
      if (kept[i] !== undefined || tile.level !== 0 || this.#whole === undefined) continue;
      if (i % AT_ONCE === AT_ONCE - 1) await turn();
      kept[i] = await this.#computed(tile);
    }
    return kept;
  }

  async #computed(tile: Tile): Promise<Uint8Array | undefined> {
    return tile.level === 0 ? this.#whole?.log.hashTile(tile.n, tile.width) : undefined;
  }
}

/** A tile as the tree of `size` has it, and where that is another width as it is wanted: which may be all that is kept. */
function widthsOf(tile: Tile, size: number): Tile[] {
  const own = tileInTree(tile.level, tile.n, size) ?? tile;
  return own.width === tile.width ? [own] : [own, tile];
}

/** For each module version its first record in the whole log, so many at a time. */
async function findAll(whole: WholeLog, wanted: readonly ModuleVersion[]): Promise<(LogRecord | undefined)[]> {
  const found: (LogRecord | undefined)[] = [];
  while (found.length < wanted.length) {
    if (found.length > 0) await turn();
    const some = wanted.slice(found.length, found.length + AT_ONCE);
    const records = await whole.findMany(some).catch((error: unknown) => some.map(() => error));
    for (const each of records) {
      if (!Array.isArray(each)) checkLost(each);
      found.push(Array.isArray(each) ? (each as LogRecord[])[0] : undefined);
    }
  }
  return found;
}

/** What is not as it was written counts for none: it is asked for again. */
function checkLost(error: unknown): void {
  if (!isGosumError(error, 'STORE_FAILED', 'RECORD_MALFORMED')) throw error;
}

function nameOf({ module, version }: ModuleVersion): string {
  return formatModuleVersion(module, version);
}
