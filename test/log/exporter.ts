/**
 * A process that writes files of a log of one's own, for tests, and kills itself at one of its steps:
 *
 *     node exporter.js export FOLDER ROOT STEP
 *     node exporter.js keys FILE STEP
 *
 * A step is each call that makes, writes, forces or renames a file; of what is written in it, half is. Where there are fewer
 * steps it ends as usual.
 */

import fs, { type PathOrFileDescriptor } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [what = '', first = '', ...rest] = process.argv.slice(2);
let left = Number(rest.at(-1));

function step(last = (): void => undefined): void {
  if (left <= 0 || --left > 0) return; // it dies, or goes on
  last();
  process.kill(process.pid, 'SIGKILL');
}

/** What it does, as a step. */
function counted<A extends unknown[], R>(work: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    step();
    return work(...args);
  };
}

const { mkdirSync, writeFileSync, renameSync, fsyncSync, openSync } = fs;
Object.assign(fs, {
  mkdirSync: counted(mkdirSync),
  openSync: counted(openSync),
  fsyncSync: counted(fsyncSync),
  renameSync: counted(renameSync),
  writeFileSync: (file: PathOrFileDescriptor, bytes: string | Uint8Array) => {
    step(() => {
      writeFileSync(file, bytes.slice(0, bytes.length / 2));
    });
    writeFileSync(file, bytes);
  },
});

if (what === 'export') {
  const { openLog, NAME } = await import('./rig.js');
  const { exportLog } = await import('../../src/log/export.js');
  const { store } = openLog({ teardown: () => undefined }, first);
  syncBuiltinESMExports();
  await exportLog(store, NAME, rest[0] ?? '');
  await store.close();
} else {
  const { KEYS } = await import('./rig.js');
  const { newLogKey, replaceKeyFile } = await import('../../src/log/signerkey.js');
  syncBuiltinESMExports();
  replaceKeyFile(first, [...KEYS, newLogKey(KEYS[0].name)]);
}
