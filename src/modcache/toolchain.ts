/**
 * Extracted Go toolchains, the one kind of folder that the go command changes: no module zip may have a go.mod below its root,
 * so a toolchain's has `_go.mod` files, and the go command copies each to `go.mod` before it runs the toolchain (cmd/go's
 * internal/toolchain/select.go).
 */

import { promises } from 'node:fs';
import path from 'node:path';
import type { ModuleVersion } from '../core/module.js';

const TOOLCHAIN = 'golang.org/toolchain';

/**
 * The copies in a toolchain's folder: each `go.mod` that is byte for byte the `_go.mod` beside it. For any other module none.
 *
 * @returns paths from the folder on, with slashes.
 * @throws the system's error where the folder cannot be read.
 */
export async function toolchainCopies(folder: string, { module }: ModuleVersion): Promise<string[]> {
  if (module !== TOOLCHAIN) return [];
  const copies: string[] = [];
  const walk = async (elements: readonly string[]): Promise<void> => {
    const absolute = path.join(folder, ...elements);
    const entries = await promises.readdir(absolute, { withFileTypes: true });
    const files = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name));
    if (files.has('_go.mod') && files.has('go.mod')) {
      const [original, copy] = await Promise.all(['_go.mod', 'go.mod'].map((name) => promises.readFile(path.join(absolute, name))));
      if (original !== undefined && copy?.equals(original) === true) copies.push([...elements, 'go.mod'].join('/'));
    }
    for (const entry of entries) if (entry.isDirectory()) await walk([...elements, entry.name]);
  };
  await walk([]);
  return copies;
}
