/** What the real go command needs of a test: a module proxy whose modules are in a log, and clients with homes of their own. */

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { sha256 } from '#crypto';
import { h1OfFiles, h1OfGoMod } from '../../src/core/h1.js';
import { encodeUtf8 } from '../../src/core/text.js';
import type { TestLog } from '../../src/testing/index.js';
import { buildZip } from '../dirhash/zipbuilder.js';
import { goHome } from '../quietgo.js';

/** A module proxy on loopback. It passes no checksum database on. */
export interface ModuleProxy {
  readonly url: string;
  /** The requests so far: paths as they came. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Serves `example.com/<name>` at v1.0.0 for each name, and adds each to the log, with other records in between. */
export async function serveModules(log: TestLog, names: readonly string[]): Promise<ModuleProxy> {
  const files = new Map<string, string | Buffer>();
  for (const name of names) {
    const module = `example.com/${name}`;
    const content = { 'go.mod': `module ${module}\n`, [`${name}.go`]: `package ${name}\n` };
    const entries = Object.entries(content).map(([file, text]) => ({ name: `${module}@v1.0.0/${file}`, content: text }));
    const hash = h1OfFiles(entries.map((entry) => ({ name: entry.name, sha256: sha256(encodeUtf8(entry.content)) })));
    log.add(module, 'v1.0.0', { module: hash, goMod: h1OfGoMod(encodeUtf8(content['go.mod'])) });
    log.fill(log.size + 300);
    files.set(`/${module}/@v/list`, 'v1.0.0\n');
    files.set(`/${module}/@v/v1.0.0.info`, '{"Version":"v1.0.0"}');
    files.set(`/${module}/@v/v1.0.0.mod`, content['go.mod']);
    files.set(`/${module}/@v/v1.0.0.zip`, buildZip({ entries }));
  }
  const requests: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    requests.push(url);
    const file = files.get(url);
    response.writeHead(file === undefined ? 404 : 200).end(file ?? 'not found\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * Puts the go.mod file of `example.com/<name>` at v1.0.0 for each name into a folder, which is a module proxy for `go list -m`,
 * and adds each to the log, `more` records after each.
 *
 * @param fill has the log grow to a size.
 * @returns the folder, as GOPROXY has it.
 */
export function publishGoMods(folder: string, log: TestLog, names: readonly string[], more: number, fill: (log: TestLog, size: number) => unknown): string {
  for (const name of names) {
    const goMod = `module example.com/${name}\n`;
    const at = path.join(folder, 'example.com', name, '@v');
    mkdirSync(at, { recursive: true });
    writeFileSync(path.join(at, 'v1.0.0.info'), '{"Version":"v1.0.0"}');
    writeFileSync(path.join(at, 'v1.0.0.mod'), goMod);
    log.add(`example.com/${name}`, 'v1.0.0', { goMod: h1OfGoMod(encodeUtf8(goMod)) });
    fill(log, log.size + more);
  }
  return pathToFileURL(folder).href;
}

/** What came of a go command. */
export interface GoRan {
  /** What it said, where it failed; else empty. */
  readonly error: string;
  readonly goSum: string;
  /** Whether the module cache has the zip of `example.com/<name>`. */
  has(name: string): boolean;
}

/**
 * Runs the go command in a main module that requires `example.com/<name>` for each name.
 *
 * @param home of this client; one that is not there yet has empty caches.
 */
export async function runGo(
  home: string,
  args: readonly string[],
  names: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<GoRan> {
  const cwd = path.join(home, 'main');
  mkdirSync(cwd, { recursive: true });
  writeFileSync(path.join(cwd, 'go.mod'), `module example.com/main\n\ngo 1.20\n${names.map((name) => `\nrequire example.com/${name} v1.0.0`).join('')}\n`);
  const env = goHome(home, settings);
  let error = '';
  try {
    await promisify(execFile)('go', [...args], { cwd, env });
  } catch (failure) {
    error = (failure as { stderr: string }).stderr || String(failure);
  }
  const goSum = path.join(cwd, 'go.sum');
  return {
    error,
    goSum: existsSync(goSum) ? readFileSync(goSum, 'utf8') : '',
    has: (name) => existsSync(path.join(home, 'go', 'pkg', 'mod', 'cache', 'download', 'example.com', name, '@v', 'v1.0.0.zip')),
  };
}

/** Why tests with the go command cannot run here; `false` where they can. */
export const NO_GO: string | false = await promisify(execFile)('go', ['version']).then(
  () => false as const,
  () => 'there is no go command',
);
