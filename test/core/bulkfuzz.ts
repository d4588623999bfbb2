/** Opens mutated bulk answers, and says which of them were believed though they are not the truth. */

import { isGosumError } from '../../src/errors.js';
import { openBulk } from '../../src/core/bulk.js';
import { TestLog } from '../../src/testing/index.js';
import { Random } from '../differential/random.js';
import { flawOf, withheld } from './bulkrig.js';
import { makeSeed, mutate } from './bulkmutation.js';

const SIZES = [1, 2, 3, 5, 7, 8, 9, 64, 100, 257, 1000, 5000];
/** Mutations of one true answer. */
const EACH = 25;

/** What came of a run. */
export interface FuzzResult {
  readonly mutated: number;
  /**
   * How many were opened, and gave the truth: what changed was nobody's truth, such as a status, an unknown signature, or
   * that something is missing.
   */
  readonly harmless: number;
  /** How often which code refused. */
  readonly codes: ReadonlyMap<string, number>;
  /** What was believed, and is not the truth: base64 of the answer, and the flaw. */
  readonly believed: readonly string[];
}

/** Opens so many mutated answers. */
export function fuzzBulk(seed: number, count: number): FuzzResult {
  const random = new Random(seed);
  const log = new TestLog();
  const fork = new TestLog();
  while (log.size < SIZES.at(-1)! + 1) {
    log.add(`example.com/m${log.size}`, 'v1.0.0');
    fork.add(`example.com/m${fork.size}`, 'v1.0.0', fork.size < 3 ? {} : { module: 'h1:other' });
  }
  const codes = new Map<string, number>();
  const believed: string[] = [];
  let mutated = 0;
  let harmless = 0;
  while (mutated < count) {
    const truth = makeSeed(random, log, random.pick(SIZES));
    const { query, known } = truth.asked;
    if (flawOf(truth.asked, openBulk(truth.bytes, log.key, query, known)) !== undefined) throw new Error('a true answer is refused');
    for (let i = 0; i < EACH && mutated < count; i++) {
      const bytes = mutate(random, truth, fork);
      if (Buffer.compare(bytes, truth.bytes) === 0) continue;
      mutated++;
      try {
        const answer = openBulk(bytes, log.key, query, known);
        const flaw = flawOf(withheld(truth.asked, answer), answer);
        if (flaw === undefined) harmless++;
        else believed.push(`${flaw}: ${Buffer.from(bytes).toString('base64')}`);
      } catch (error) {
        if (!isGosumError(error)) throw error;
        codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
      }
    }
  }
  return { mutated, harmless, codes, believed };
}
