/** Rows of a whole log, read strictly. */

import type { IndexPage, LogState, PackedPart, PackedTile, PendingEntries, SeenTree } from '../contract.js';
import { PART_WIDTH } from '../core/tile.js';
import { bytesIn, countIn, textIn } from './row.js';

/** @throws {RowError} as all here. */
export function stateIn(row: unknown): LogState {
  return { salt: bytesIn(row, 'salt'), indexed: countIn(row, 'indexed'), changes: countIn(row, 'changes') };
}

export function partIn(row: unknown): PackedPart {
  return { n: countIn(row, 'n'), part: countIn(row, 'part'), width: countIn(row, 'width'), bytes: bytesIn(row, 'data') };
}

/** The packed data tile whose parts these are, in order; `undefined` where they are not all of one. */
export function packOf(parts: readonly PackedPart[]): PackedTile | undefined {
  const [{ n, width } = { n: 0, width: 0 }] = parts;
  const isOne = parts.every((each, i) => each.n === n && each.part === i && each.width === width);
  return isOne && width > 0 && parts.length === Math.ceil(width / PART_WIDTH) ? { n, width, parts: parts.map(({ bytes }) => bytes) } : undefined;
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
