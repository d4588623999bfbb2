/**
 * Proving: one plan of all that is wanted under one head, its tiles read together, and authenticated.
 *
 * A tile from a cache that does not authenticate is read again, once, from the database; one from the database that does
 * not is the end of what hangs on it.
 */

import { isGosumError, type GosumError } from '../errors.js';
import { planTiles, TileError, type ProvedTree, type Wanted } from '../core/plan.js';
import { formatTilePath, type Tile } from '../core/tile.js';
import type { SignedHead } from '../core/treehead.js';
import type { Answer, Reader } from './reader.js';
import type { Progress } from './sumdb.js';

/** A proved tree, and why tiles of it could not be had. */
export interface Proof {
  readonly tree: ProvedTree;
  /** Why tiles could not be read, by path: it tells "unreachable" from "not authentic". */
  readonly unread: ReadonlyMap<string, GosumError>;
}

/**
 * Reads and authenticates what is wanted under a head.
 *
 * @throws {GosumError} why a tile of the right edge could not be read; `TILE_SIZE`, `TILE_MISMATCH` where the edge does
 * not authenticate. Then nothing is proved.
 */
export async function prove(reader: Reader, head: SignedHead, wanted: Wanted, progress?: Progress): Promise<Proof> {
  const plan = planTiles(head, wanted);
  progress?.phase('proving', plan.tiles.length);
  await reader.fetchKept(plan.tiles);
  const unread = new Map<string, GosumError>();
  const read = async (tile: Tile): Promise<Answer | undefined> => {
    try {
      return await reader.tile(tile);
    } catch (error) {
      if (!isGosumError(error) || error.outcome === 'local') throw error;
      unread.set(formatTilePath(tile), error);
      return undefined;
    } finally {
      progress?.tick();
    }
  };
  let answers = await Promise.all(plan.tiles.map(read));
  const attempt = (): ProvedTree => plan.authenticate(answers.map((answer) => answer?.bytes));
  const distrustCached = (suspect: (path: string) => boolean): boolean => {
    const paths = plan.tiles.map(formatTilePath).filter((path, i) => answers[i]?.fromCache === true && suspect(path));
    for (const path of paths) reader.distrust(`/${path}`);
    return paths.length > 0;
  };
  try {
    try {
      const tree = attempt();
      const failed = new Set(tree.failures.map((failure) => failure.path));
      if (!distrustCached((path) => failed.has(path))) return { tree, unread };
    } catch (error) {
      if (!(error instanceof TileError) || !distrustCached(() => true)) throw error;
    }
    answers = await Promise.all(plan.tiles.map(read));
    return { tree: attempt(), unread };
  } catch (error) {
    throw error instanceof TileError ? whyUnproved(error, unread) : error;
  }
}

/** The better reason: where the tile could not even be read, why not. */
export function whyUnproved(error: GosumError, unread: ReadonlyMap<string, GosumError>): GosumError {
  return (error instanceof TileError && error.path !== undefined ? unread.get(error.path) : undefined) ?? error;
}

/** The error as one of ours, to be reported; a bug, an interruption, a broken store or a changed key is thrown on. */
export function notLocal(error: unknown): GosumError {
  if (!isGosumError(error) || error.outcome === 'local' || error.code === 'KEY_CHANGED') throw error;
  return error;
}
