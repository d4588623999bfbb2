/** Sizes of memory: a number of bytes, or of KiB, MiB or GiB (`64MiB`). The short `KB`, `MB`, `GB` mean the same. */

import { quote } from '../core/text.js';
import { GosumError } from '../errors.js';

const UNITS: readonly string[] = ['b', 'k', 'm', 'g'];

/**
 * Parses a size.
 *
 * @returns whole bytes.
 * @throws {GosumError} `CONFIG_INVALID`.
 */
export function parseSize(text: string): number {
  const [, digits, unit = 'b'] = /^([0-9]{1,15})(?:b|([kmg])i?b)?$/i.exec(text) ?? [];
  const bytes = Number(digits) * 1024 ** UNITS.indexOf(unit.toLowerCase());
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new GosumError('CONFIG_INVALID', `malformed size ${quote(text)}`, { hint: 'write it like 64MiB, 512KiB or 1GiB' });
}
