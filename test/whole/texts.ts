/** Texts of records for tests: real ones, usual ones made up, and odd ones. */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { checkRecordText, parseLookup } from '../../src/core/record.js';
import { encodeUtf8 } from '../../src/core/text.js';
import { madeUpHash } from '../../src/testing/testlog.js';
import type { Random } from '../differential/random.js';

const LOOKUPS = path.resolve('fixtures/sumdb/sum.golang.org/lookup');

/** Every record that was recorded of sum.golang.org. */
export function realTexts(): Uint8Array[] {
  return readdirSync(LOOKUPS, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => parseLookup(readFileSync(path.join(entry.parentPath, entry.name))).text);
}

/** A record of the usual form. */
export function usualText(module: string, version: string, seed = ''): Uint8Array {
  const hashes = [madeUpHash(`${seed}${module} ${version}`), madeUpHash(`${seed}${module} ${version}/go.mod`)] as const;
  return encodeUtf8(`${module} ${version} ${hashes[0]}\n${module} ${version}/go.mod ${hashes[1]}\n`);
}

const HASH = madeUpHash('odd');

/** Texts that records can have, none of them of the usual form; what is wrong is the name. */
export const ODD_TEXTS: Readonly<Record<string, string>> = {
  'one line': `m v1 ${HASH}\n`,
  'no go.mod line': `m v1 ${HASH}\nm v1 ${HASH}\n`,
  'a third line': `m v1 ${HASH}\nm v1/go.mod ${HASH}\nm v1 ${HASH}\n`,
  'another module': `m v1 ${HASH}\nn v1/go.mod ${HASH}\n`,
  'another version': `m v1 ${HASH}\nm v2/go.mod ${HASH}\n`,
  'the wrong order': `m v1/go.mod ${HASH}\nm v1 ${HASH}\n`,
  'another kind of hash': `m v1 ${HASH.replace('h1', 'h2')}\nm v1/go.mod ${HASH}\n`,
  'another kind of go.mod hash': `m v1 ${HASH}\nm v1/go.mod ${HASH.replace('h1', 'h2')}\n`,
  'stray bits': `m v1 ${HASH.slice(0, -2)}B=\nm v1/go.mod ${HASH}\n`,
  'stray bits of the go.mod': `m v1 ${HASH}\nm v1/go.mod ${HASH.slice(0, -2)}B=\n`,
  'no padding': `m v1 ${HASH.slice(0, -1)}A\nm v1/go.mod ${HASH}\n`,
  'a foreign digit': `m v1 h1:-${HASH.slice(4)}\nm v1/go.mod ${HASH}\n`,
  'a foreign last digit': `m v1 ${HASH.slice(0, -2)}-=\nm v1/go.mod ${HASH}\n`,
  'two spaces': `m  v1 ${HASH}\nm  v1/go.mod ${HASH}\n`,
  'a third word': `m v1 x ${HASH}\nm v1 x/go.mod ${HASH}\n`,
  'no version': `mod ${HASH}\nmod/go.mod ${HASH}\n`,
  'an empty version': `mo  ${HASH}\nmo /go.mod ${HASH}\n`,
  'an empty path': ` v1 ${HASH}\n v1/go.mod ${HASH}\n`,
  'a letter for the newline': `m v1 ${HASH}xm v1/go.mod ${HASH}\n`,
  'a newline in the name': `m\nv 1 ${HASH}\nm\nv 1/go.mod ${HASH}\n`,
  'a letter beyond ASCII': `mé v1 ${HASH}\nmé v1/go.mod ${HASH}\n`,
  'a byte that is no letter': `m\x7f v1 ${HASH}\nm\x7f v1/go.mod ${HASH}\n`,
  'no line of go.sum': 'x\n',
};

/** A text that a record can have: usual ones, odd ones, and usual ones with small changes. */
export function randomText(random: Random): Uint8Array {
  const word = (): string => random.many(1, 30, () => random.pick(['a', 'b', 'Z', '0', '-', '.', '/', '+', '~', '!', '20190308221718-c2843e01d9a2', 'github.com/'])).join('') + (random.chance(0.002) ? random.pick(['é', '漢', '😀']) : '');
  const usual = usualText(word(), `v${word()}`, String(random.next()));
  if (random.chance(0.9)) return usual;
  const text = random.chance(0.3) ? encodeUtf8(random.pick(Object.values(ODD_TEXTS))) : random.mutateBytes(usual, [' ', '\n', '/go.mod', 'h1:', '=']);
  try {
    checkRecordText(text);
    return text;
  } catch {
    return usual;
  }
}
