/** `HOST:PORT`, where a server listens. */

import { GosumError } from '../errors.js';

/** An address to listen at. */
export interface ListenAt {
  /** A name or an address, without brackets. */
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
}

/**
 * Parses `HOST:PORT` or `[IPV6]:PORT`.
 *
 * @param from what is named where it is malformed.
 * @throws {GosumError} `CONFIG_INVALID`.
 */
export function parseListen(text: string, from: string): ListenAt {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new GosumError('CONFIG_INVALID', `${from} ${text}: want HOST:PORT`, { hint: 'such as 127.0.0.1:8080, or 0.0.0.0:8080 for all' });
  }
  return { host: match[1] ?? match[2] ?? '', port };
}
