/** Reading a data tile: the narrow one of the right edge may be gone once the full one exists, and is cut from that then. */

import type { ReadOptions, Source } from '../contract.js';
import { DATA_LEVEL, formatTilePath, fullTile, TILE_WIDTH, tileInTree, type Tile } from '../core/tile.js';
import { GosumError, isGosumError } from '../errors.js';

/** The most bytes of a data tile: a record has most often some 200, and a lookup's answer is taken up to 64 KiB. */
const DATA_LIMIT = 4 * 2 ** 20;

const NEWLINE = 0x0a;

/** The data tile of a number, as a tree of `size` has it. */
export function dataTileAt(n: number, size: number): Tile {
  const tile = tileInTree(DATA_LEVEL, n, size);
  if (tile === undefined) throw new Error(`no data tile ${n} in a tree of ${size}`);
  return tile;
}

/**
 * Reads a data tile. Of what comes nothing is checked.
 *
 * @throws {GosumError} as `Source.read`; where the source refuses data tiles, or says that there are none, `UNREACHABLE`
 * with what can be done.
 */
export async function readDataTile(source: Source, tile: Tile, options: Pick<ReadOptions, 'signal'>): Promise<Uint8Array> {
  const read = async (wanted: Tile): Promise<Uint8Array> => {
    const path = formatTilePath(wanted);
    const bytes = await source.read(`/${path}`, { ...options, limit: DATA_LIMIT });
    if (bytes === undefined) throw new GosumError('UNREACHABLE', `${path}: ${source.label} has no answer`);
    return bytes;
  };
  try {
    return await read(tile);
  } catch (error) {
    if (tile.width === TILE_WIDTH || options.signal?.aborted === true || !isGosumError(error)) throw refusal(error, tile, source);
    // what the full one fails with says less
    const full = await read(fullTile(tile)).catch(() => Promise.reject(refusal(error, tile, source)));
    return firstRecords(full, tile.width);
  }
}

/** A data tile's beginning: so many records, as far as it has them. */
function firstRecords(tile: Uint8Array, width: number): Uint8Array {
  let end = 0;
  for (let i = 0; i < width; i++) {
    do {
      const newline = tile.indexOf(NEWLINE, end);
      if (newline < 0) return tile;
      end = newline + 1;
    } while (end < tile.length && tile[end] !== NEWLINE);
    end++;
  }
  return tile.subarray(0, end);
}

/** The better word for a refusal: a way may serve all else, and no data tiles. */
function refusal(error: unknown, tile: Tile, source: Source): Error {
  if (!isRefusal(error)) return error as Error;
  return new GosumError('UNREACHABLE', `${formatTilePath(tile)}: ${source.label} does not give it: ${error.message}`, {
    cause: error,
    retryable: false,
    hint: 'data tiles hold the records, and not every way to a database serves them: give another by --way',
  });
}

/** Reports whether an answer says that asking again is of no use. */
function isRefusal(error: unknown): error is GosumError {
  return isGosumError(error, 'NOT_FOUND') || (isGosumError(error, 'HTTP_STATUS') && !error.retryable);
}
