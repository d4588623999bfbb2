/**
 * The whole log of a server's store: as it is in the file, with the care that the server takes of that file.
 *
 * Where the medium fails, what can be asked for elsewhere is answered with nothing; for the rest, of which nothing would be an
 * untruth, the failure is thrown.
 */

import type { IndexPage, IndexPlace, LogState, LogStore, PackedPart, PackedTile, SeenTree } from '../contract.js';

/** Does work with the log in the file. @param otherwise what to answer where the medium fails; without it that is thrown. */
export type UseLog = <T>(work: (log: LogStore) => Promise<T>, otherwise?: () => T) => Promise<T>;

/** The whole log of a server's store. */
export class ServerLog implements LogStore {
  readonly #use: UseLog;

  constructor(use: UseLog) {
    this.#use = use;
  }

  state(key: string): Promise<LogState | undefined> {
    return this.#use((log) => log.state(key), () => undefined);
  }

  packs(key: string, wanted: readonly number[]): Promise<(PackedTile | undefined)[]> {
    return this.#use((log) => log.packs(key, wanted), () => wanted.map(() => undefined));
  }

  parts(key: string, wanted: readonly number[]): Promise<(PackedPart | undefined)[]> {
    return this.#use((log) => log.parts(key, wanted), () => wanted.map(() => undefined));
  }

  entries(key: string, wanted: readonly IndexPlace[]): Promise<(Uint8Array | undefined)[]> {
    return this.#use((log) => log.entries(key, wanted), () => wanted.map(() => undefined));
  }

  pages(key: string, wanted: readonly number[]): Promise<(IndexPage | undefined)[]> {
    return this.#use((log) => log.pages(key, wanted), () => wanted.map(() => undefined));
  }

  pagesToMerge(key: string, wanted: readonly number[]): Promise<(IndexPage | undefined)[] | undefined> {
    return this.#use((log) => log.pagesToMerge(key, wanted));
  }

  pending(key: string, bucket: number): Promise<Uint8Array[] | undefined> {
    return this.#use((log) => log.pending(key, bucket));
  }

  pendingBuckets(key: string): Promise<number[]> {
    return this.#use((log) => log.pendingBuckets(key));
  }

  gaps(key: string, size: number): Promise<{ readonly lo: number; readonly hi: number }[]> {
    return this.#use((log) => log.gaps(key, size));
  }

  damagedTiles(key: string, lo: number, hi: number): Promise<number[]> {
    return this.#use((log) => log.damagedTiles(key, lo, hi));
  }

  damagedPages(key: string, lo: number, hi: number): Promise<number[]> {
    return this.#use((log) => log.damagedPages(key, lo, hi));
  }

  modules(key: string, from: string, after: string, limit: number): Promise<string[]> {
    return this.#use((log) => log.modules(key, from, after, limit));
  }

  seen(key: string, fromSize: number): Promise<SeenTree[]> {
    return this.#use((log) => log.seen(key, fromSize));
  }

  staged(key: string): Promise<Uint8Array | undefined> {
    return this.#use((log) => log.staged(key));
  }

  mark(key: string, name: string): Promise<number | undefined> {
    return this.#use((log) => log.mark(key, name));
  }

  setMark(key: string, name: string, record: number): Promise<void> {
    return this.#use((log) => log.setMark(key, name, record));
  }

  changeKey(from: string, to: string): Promise<void> {
    return this.#use((log) => log.changeKey(from, to));
  }
}
