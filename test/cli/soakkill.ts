/** `npm run soak:kill`: thirty kills, or as many as are said. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { soak } from './soak.js';

const folder = mkdtempSync(path.join(tmpdir(), 'gosumcheck-soak-'));
const { served, failures } = await soak(folder, Number(process.argv[2] ?? 30), (text) => console.log(text));
for (const failure of failures) console.error(failure);
console.log(failures.length === 0 ? `${served} records served, and served again: nothing is wrong` : `its files are in ${folder}`);
if (failures.length === 0) rmSync(folder, { recursive: true });
process.exit(failures.length === 0 ? 0 : 1);
