/**
 * The whole log of a store for many who ask at once: what each of them wants is read together. A lookup reads a page of
 * the index and a part of a pack: a transaction for each of these costs as much again.
 */

import type { IndexPage, LogStore, PackedPart, PackedTile } from '../contract.js';
import { Gathered } from './gathered.js';

/** The log of one key; reads of one number, as lookups make them, are gathered. */
export function gatherLog(log: LogStore, key: string): LogStore {
  const pages = new Gathered<number, IndexPage | undefined>((wanted) => log.pages(key, wanted));
  const packs = new Gathered<number, PackedTile | undefined>((wanted) => log.packs(key, wanted));
  const parts = new Gathered<number, PackedPart | undefined>((wanted) => log.parts(key, wanted));
  return {
    state: () => log.state(key),
    pages: (_, wanted) => gatherOne(pages, wanted, () => log.pages(key, wanted)),
    packs: (_, wanted) => gatherOne(packs, wanted, () => log.packs(key, wanted)),
    parts: (_, wanted) => gatherOne(parts, wanted, () => log.parts(key, wanted)),
    gaps: (_, size) => log.gaps(key, size),
    pending: (_, bucket) => log.pending(key, bucket),
    pendingBuckets: () => log.pendingBuckets(key),
    modules: (_, from, after, limit) => log.modules(key, from, after, limit),
    seen: (_, fromSize) => log.seen(key, fromSize),
    staged: () => log.staged(key),
    mark: (_, name) => log.mark(key, name),
    setMark: (_, name, record) => log.setMark(key, name, record),
    changeKey: (from, to) => log.changeKey(from, to),
  };
}

async function gatherOne<T>(gathered: Gathered<number, T>, wanted: readonly number[], readAll: () => Promise<T[]>): Promise<T[]> {
  const [only] = wanted;
  return wanted.length === 1 && only !== undefined ? [await gathered.get(only)] : readAll();
}
