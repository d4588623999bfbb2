/** How a database that is served is, for pages and metrics. */

import type { GosumError } from '../errors.js';

/** How a database is. Times are in milliseconds since 1970. */
export interface DatabaseStatus {
  readonly name: string;
  /** What GOSUMDB calls it: a name that the go command knows, or its whole key. */
  readonly gosumdb: string;
  /** The tree that is served; `undefined` before the first verified head. */
  readonly head: { readonly size: number; readonly hash: Uint8Array } | undefined;
  /** When upstream last showed a head that verified; `undefined` where this process has seen none. */
  readonly verifiedAt: number | undefined;
  readonly grownAt: number | undefined;
  /** What the last contact with upstream came to, where it came to nothing. */
  readonly failure: GosumError | undefined;
  readonly forked: boolean;
  readonly ways: readonly WayStatus[];
}

/** How a way to a database is. */
export interface WayStatus {
  /** Names it to a person; without credentials. */
  readonly label: string;
  readonly inService: boolean;
  /** What the last failure was, in words. */
  readonly failure: string | undefined;
}

/** How what is kept is, counted since the process began. */
export interface StoreStatus {
  /** Rows that were not as they were written. */
  readonly refused: number;
  /** Damaged files that were set aside. */
  readonly setAside: number;
  /** Changes that could not be kept when they were made. */
  readonly unkept: number;
  /** Why what was proved last could not be kept; `undefined` where all is kept. */
  readonly failure: GosumError | undefined;
}
