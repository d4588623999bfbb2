/** The Go program of test/go, with which ours is compared. */

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** How the go command is run in test/go; this file runs as dist/test/goprogram.js. */
export const GO_OPTIONS: { readonly cwd: string; readonly encoding: 'utf8'; readonly env: NodeJS.ProcessEnv } = {
  cwd: fileURLToPath(new URL('../../test/go', import.meta.url)),
  encoding: 'utf8',
  env: { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off', GO111MODULE: 'on', GOTOOLCHAIN: 'local' },
};

/** Milliseconds that a test may take which builds the program: the first build of Go's standard library takes a minute on a slow machine. */
export const GO_TIMEOUT = 300_000;

/** Builds the program into a folder: its path, or why there is none. */
export function buildGoProgram(folder: string): { readonly program: string } | { readonly program?: never; readonly why: string } {
  const program = path.join(folder, process.platform === 'win32' ? 'program.exe' : 'program');
  const { status, error, stderr } = spawnSync('go', ['build', '-o', program, '.'], GO_OPTIONS);
  return status === 0 ? { program } : { why: error?.message ?? stderr };
}
