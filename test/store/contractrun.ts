/**
 * A process that opens a store as the command does, for tests: `node contractrun.js FOLDER [contract]`.
 * Prints a line of JSON: what it got, and with `contract` the cases that failed. Then it warns, to see that one still can.
 */

import { join } from 'node:path';
import { openStore } from '../../src/store/open.js';
import { STORE_CASES } from '../../src/testing/storecontract.js';

const [folder = '', contract] = process.argv.slice(2);

// eslint-disable-next-line @typescript-eslint/unbound-method -- compared, not called
const { emitWarning } = process;
const { store, notice } = await openStore({ file: join(folder, 'cache.db') });
const failed: string[] = [];
for (const [i, { name, run }] of (contract === undefined ? [] : STORE_CASES).entries()) {
  const inMemory = store.label === 'memory' ? (await openStore({ file: '' })).store : undefined;
  try {
    await run(async () => inMemory ?? (await openStore({ file: join(folder, `${i}.db`) })).store);
  } catch (error) {
    failed.push(`${name}: ${String(error)}`);
  }
}
await store.close();
if (process.emitWarning !== emitWarning) failed.push('process.emitWarning is as it was');
process.stdout.write(`${JSON.stringify({ memory: store.label === 'memory', notice, failed })}\n`);
process.emitWarning('of ours', 'ExperimentalWarning');
