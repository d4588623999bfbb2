/** Rows of a whole log, read strictly. */

import type { IndexPage, LogState, PackedTile, PendingEntries, SeenTree } from '../contract.js';
import { bytesIn, countIn, textIn } from './row.js';

/** @throws {RowError} as all here. */
export function stateIn(row: unknown): LogState {
  return { salt: bytesIn(row, 'salt'), indexed: countIn(row, 'indexed'), changes: countIn(row, 'changes') };
}

export function packIn(row: unknown): PackedTile {
  return { n: countIn(row, 'n'), width: countIn(row, 'width'), bytes: bytesIn(row, 'data') };
}

export function pageIn(row: unknown): IndexPage {
  return { n: countIn(row, 'page'), entries: bytesIn(row, 'data') };
}

export function pendingIn(row: unknown): PendingEntries {
  return { bucket: countIn(row, 'bucket'), entries: bytesIn(row, 'data') };
}

export function seenIn(row: unknown): SeenTree {
  return { size: countIn(row, 'size'), at: countIn(row, 'at') };
}

export function markIn(row: unknown): { name: string; record: number } {
  return { name: textIn(row, 'name'), record: countIn(row, 'record') };
}
