/** Numbers of 64 bits in a zip. */

/**
 * The 8-byte little-endian number at an offset. One beyond 2^53 comes out rounded, and is never less than 2^53: larger than
 * any offset or size that a check could hold it against.
 */
export function readUint64(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset + 4) * 2 ** 32 + bytes.readUInt32LE(offset);
}
