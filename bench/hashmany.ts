/**
 * Our side of the hash benchmark within one process, as bench/go/hash is theirs: prints the h1 of a zip, and then how long
 * each of N more takes, in milliseconds. `node dist/bench/hashmany.js N FILE`
 */

import { hashZip } from '../src/dirhash/hashzip.js';

const [, , repeat = '', file = ''] = process.argv;
const { h1 } = await hashZip(file);
const lines = [`${h1}  ${file}`];
for (let left = Number(repeat); left > 0; left--) {
  const start = performance.now();
  if ((await hashZip(file)).h1 !== h1) throw new Error('another h1 than before');
  lines.push((performance.now() - start).toFixed(3));
}
process.stdout.write(`${lines.join('\n')}\n`);
