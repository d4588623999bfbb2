/** The long run of mutated bulk answers: `npm run fuzz:bulk`. A count and a seed may stand behind `--`. */

import t from 'tap';
import { fuzzBulk } from './core/bulkfuzz.js';

t.setTimeout(600_000);
const [count = 100_000, seed = 1] = process.argv.slice(2).map(Number);
const { mutated, harmless, codes, believed } = fuzzBulk(seed, count);
t.comment(`seed ${seed}: ${mutated} mutated answers, ${harmless} of them still the truth`);
t.comment([...codes].map(([code, times]) => `${code} ${times}`).join(', '));
t.equal(mutated, count);
t.same(believed, []);
