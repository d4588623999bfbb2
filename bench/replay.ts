/** The replay server of bench/go/replay: a process of its own, and the counts that it gives. */

import { withCounting } from './counting.js';
import { RECORDING, type Workshop } from './workshop.js';

/** How the recording is served. */
export interface ReplayOptions {
  readonly protocol: 'h2' | 'http/1.1';
  /** Round trip, in milliseconds. */
  readonly rtt: number;
}

/** What a server was asked since the last count. */
export interface Counts {
  readonly requests: number;
  readonly lookups: number;
  readonly latest: number;
  readonly connections: number;
  /** Paths that the recording does not have. */
  readonly unanswered: readonly string[];
}

/** A recording that is being served. */
export interface Replay {
  readonly url: string;
  /** Waits until all connections are closed, and gives the counts since the last call. */
  readonly take: () => Promise<Counts>;
}

/** Serves the recording while `work` is done. */
export function withReplay<T>(
  workshop: Workshop,
  { protocol, rtt }: ReplayOptions,
  work: (replay: Replay) => Promise<T>,
): Promise<T> {
  const { cert, key } = workshop;
  const args = ['-recording', RECORDING, '-cert', cert, '-key', key, '-protocol', protocol, '-rtt', `${rtt}ms`];
  return withCounting<Counts, T>(workshop, 'replay', args, ({ at, take }) => work({ url: at, take }));
}
