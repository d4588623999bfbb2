/**
 * Bulk queries: many module versions asked for at once, where the way to the database takes that (docs/bulk.md).
 *
 * They save round trips and tiles, and are believed no more than any other answer: what is not proved by one is asked for
 * the ordinary way.
 */

import { openBulk, type BulkAnswer } from '../core/bulk.js';
import { bulkKey, formatBulkQuery, MAX_BULK, MAX_BULK_QUERY } from '../core/bulkform.js';
import { ForkError } from '../core/fork.js';
import type { VerifierKey } from '../core/key.js';
import type { ModuleVersion } from '../core/module.js';
import type { SignedHead } from '../core/treehead.js';
import { GosumError } from '../errors.js';
import type { Reader } from './reader.js';

/** From so many module versions on it is worth it; with fewer, the tiles that they need may well be kept already. */
export const LEAST_BULK = 8;
/** The most bytes of a query's first line. */
const FIRST_LINE = 32;

/** Cuts what is wanted into pieces that one query holds each. */
export function bulkPieces(wanted: readonly ModuleVersion[]): ModuleVersion[][] {
  const pieces: ModuleVersion[][] = [];
  let piece: ModuleVersion[] = [];
  let bytes = FIRST_LINE;
  for (const each of wanted) {
    const length = bulkKey(each).length + 1; // module paths and versions are ASCII
    if (piece.length === 0 || piece.length === MAX_BULK || bytes + length > MAX_BULK_QUERY) {
      pieces.push((piece = []));
      bytes = FIRST_LINE;
    }
    piece.push(each);
    bytes += length;
  }
  return pieces;
}

/**
 * Asks for one piece, and proves the answer.
 *
 * @param known the newest head of the timeline, or the one that is trusted; of at least one record.
 * @param reads how many reads the query stands for.
 * @returns `undefined` where the way does not announce bulk queries; why nothing is proved, where that accuses nobody.
 * @throws {ForkError}; {GosumError} of the outcome `local`.
 */
export async function askBulk(
  reader: Reader,
  key: VerifierKey,
  wanted: readonly ModuleVersion[],
  known: SignedHead | undefined,
  reads: number,
): Promise<BulkAnswer | GosumError | undefined> {
  const query = { old: known?.size ?? 0, wanted };
  try {
    const bytes = await reader.bulk(formatBulkQuery(query), reads);
    return bytes && openBulk(bytes, key, query, known);
  } catch (error) {
    if (!(error instanceof GosumError) || error instanceof ForkError || error.outcome === 'local') throw error;
    return error;
  }
}
