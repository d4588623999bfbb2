/** Module caches made by tests, as the go command lays them out; and the poisonings that they are to be found by. */

import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { h1OfFiles, h1OfGoMod } from '../../src/core/h1.js';
import { escapeModulePath, escapeVersion } from '../../src/core/module.js';
import { encodeUtf8 } from '../../src/core/text.js';
import type { TestLog } from '../../src/testing/index.js';

/** A module version, with its files by their names in it. */
export interface MadeModule {
  readonly module: string;
  readonly version: string;
  readonly files: Readonly<Record<string, string>>;
}

/** A module with a go.mod and two files, one of them in a folder. */
export function madeModule(module: string, version = 'v1.0.0', more: Readonly<Record<string, string>> = {}): MadeModule {
  return { module, version, files: { 'go.mod': `module ${module}\n`, 'a.go': 'package a\n', 'b/b.go': 'package b\n', ...more } };
}

/** A zip of stored entries, in the order given. */
export function storedZip(entries: readonly (readonly [name: string, content: string])[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of entries) {
    const bytes = Buffer.from(content);
    const fields = Buffer.alloc(26); // version, flags, method, time, date, CRC, sizes, lengths: what both headers have
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(bytes.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, rest, Buffer.from(name));
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name), bytes]);
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

/** The zip of a module version. */
export function zipOf({ module, version, files }: MadeModule): Buffer {
  return storedZip(Object.entries(files).map(([name, content]) => [`${module}@${version}/${name}`, content]));
}

/** The h1 of a module version. */
export function h1Of({ module, version, files }: MadeModule): string {
  const hashed = Object.entries(files).map(([name, content]) => ({
    name: `${module}@${version}/${name}`,
    sha256: new Uint8Array(createHash('sha256').update(content).digest()),
  }));
  return h1OfFiles(hashed);
}

/** The go.mod file beside the zip: the module's own, or a module line alone. */
export function goModOf({ module, files }: MadeModule): string {
  return files['go.mod'] ?? `module ${module}\n`;
}

/** The two lines of a go.sum. */
export function linesOf(made: MadeModule): string {
  const { module, version } = made;
  return `${module} ${version} ${h1Of(made)}\n${module} ${version}/go.mod ${h1OfGoMod(encodeUtf8(goModOf(made)))}\n`;
}

/** Adds the module version to the log as it is. */
export function record(log: TestLog, made: MadeModule): void {
  log.addText(linesOf(made));
}

/** What `layOut` makes. */
export type Parts = readonly ('zip' | 'ziphash' | 'mod' | 'info' | 'folder' | 'lock' | 'partial')[];
const ALL: Parts = ['zip', 'ziphash', 'mod', 'info', 'folder', 'lock'];

/** Paths of a module version in a cache, from the cache's folder on. */
export function pathsOf({ module, version }: MadeModule): Record<Parts[number], string> {
  const name = `${escapeModulePath(module)}@${escapeVersion(version)}`;
  const base = `cache/download/${escapeModulePath(module)}/@v/${escapeVersion(version)}`;
  return {
    zip: `${base}.zip`,
    ziphash: `${base}.ziphash`,
    mod: `${base}.mod`,
    info: `${base}.info`,
    lock: `${base}.lock`,
    partial: `${base}.partial`,
    folder: name,
  };
}

/** Writes a file of a cache, with its folders. */
export function put(cache: string, relative: string, content: string | Uint8Array): void {
  const file = path.join(cache, ...relative.split('/'));
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** Deletes a file or folder of a cache. */
export function drop(cache: string, relative: string): void {
  rmSync(path.join(cache, ...relative.split('/')), { recursive: true });
}

/** Lays a module version out in a cache, all of it or some parts. */
export function layOut(cache: string, made: MadeModule, parts: Parts = ALL): void {
  const paths = pathsOf(made);
  const contents = {
    zip: () => zipOf(made),
    ziphash: () => h1Of(made),
    mod: () => goModOf(made),
    info: () => JSON.stringify({ Version: made.version, Time: '2020-01-02T03:04:05Z' }),
    lock: () => '',
    partial: () => '',
  };
  for (const part of parts) {
    if (part !== 'folder') put(cache, paths[part], contents[part]());
    else for (const [name, content] of Object.entries(made.files)) put(cache, `${paths.folder}/${name}`, content);
  }
}
