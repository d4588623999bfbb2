/**
 * Modules from the proxies of GOPROXY: the zip and the go.mod file of a module version (go.dev/ref/mod#goproxy-protocol).
 *
 * The list is walked as the go command walks it; but version control (`direct`) is not spoken here, and both files of a
 * module version come from one proxy. A zip goes to a temporary file: it may have 500 MiB.
 */

import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ProxyEntry } from '../config/goproxy.js';
import { redactUrl, type GoUrl } from '../config/gourl.js';
import { fileFailure } from '../core/fileerror.js';
import { escapeModulePath, escapeVersion, formatModuleVersion, type ModuleVersion } from '../core/module.js';
import { GosumError, isGosumError } from '../errors.js';
import { fileUrlToPath, readFileUpTo } from './file.js';
import type { HttpOptions, HttpSource } from './http.js';
import { SourceError, unreachable } from './sourceerror.js';

/** The most bytes of a module zip, and of a go.mod file, that the go command takes (x/mod's zip.MaxZipFile, MaxGoMod). */
const MAX_ZIP = 500 * 2 ** 20;
const MAX_GO_MOD = 16 * 2 ** 20;

/** The files of a module version. Nothing in them is trusted. */
export interface ModuleFiles {
  /** Path of the zip. */
  readonly zip: string;
  readonly goMod: Uint8Array;
  /** The proxy that they are from, without credentials. */
  readonly from: string;
}

/** The proxies. */
export interface ModuleProxies {
  /**
   * Reads both files from the first proxy that has them, and has `work` done with them. The zip is gone after that.
   *
   * @throws {GosumError} `NOT_FOUND` where no proxy has the module version; an unreachable code where one could not be asked, or
   * the list ends in `direct` or `off`; `MODULE_PATH_MALFORMED`, `VERSION_MALFORMED`; `FILE_FAILED`; what `work` throws.
   */
  with<T>(module: ModuleVersion, work: (files: ModuleFiles) => Promise<T>, signal?: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

/** Opens the proxies of a list. Nothing is sent before the first read. */
export function openModuleProxies(entries: readonly ProxyEntry[], options: HttpOptions): ModuleProxies {
  const sources = new Map<GoUrl, HttpSource>();
  const sourceOf = async (proxy: GoUrl): Promise<HttpSource> => {
    let source = sources.get(proxy);
    if (source === undefined) {
      const { openHttpSource } = await import('./http.js');
      sources.set(proxy, (source = openHttpSource(proxy, options)));
    }
    return source;
  };

  /** @param temporary where the zip goes, if it does not lie in a folder already. */
  const read = async (proxy: GoUrl, base: string, temporary: string, signal: AbortSignal | undefined): Promise<ModuleFiles> => {
    const from = redactUrl(proxy);
    if (proxy.scheme === 'file') return readLocal(proxy, base, from);
    const source = await sourceOf(proxy);
    const goMod = await source.file(`/${base}.mod`, { limit: MAX_GO_MOD, signal });
    await store(temporary, (into) => source.file(`/${base}.zip`, { limit: MAX_ZIP, signal }, into));
    return { zip: temporary, goMod, from };
  };

  return {
    async with({ module, version }, work, signal) {
      const base = `${escapeModulePath(module)}/@v/${escapeVersion(version)}`;
      const folder = temporaryFolder();
      try {
        const zip = path.join(folder, 'module.zip');
        return await work(await firstOf(entries, formatModuleVersion(module, version), signal, (proxy) => read(proxy, base, zip, signal)));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    async close() {
      for (const source of sources.values()) await source.close();
    },
  };
}

/** Walks the list: on after a 404 or 410, and after any failure where `|` stands behind the entry. */
async function firstOf<T>(entries: readonly ProxyEntry[], name: string, signal: AbortSignal | undefined, read: (proxy: GoUrl) => Promise<T>): Promise<T> {
  let missing: unknown;
  for (const entry of entries) {
    if (entry.kind !== 'url') {
      throw new GosumError('UNREACHABLE', `${name}: no proxy has it, and the list ends in ${entry.kind}`, {
        cause: missing,
        retryable: false,
        hint: 'version control is not asked here: download it with the go command, and add the lines of its go.sum',
      });
    }
    try {
      return await read(entry.url);
    } catch (error) {
      if (!isGosumError(error) || signal?.aborted === true || !(entry.fallBackOnError || error.code === 'NOT_FOUND')) throw error;
      missing = error;
    }
  }
  throw missing;
}

/** Writes what comes to a file, from its beginning for each try. */
async function store(file: string, read: (into: () => (part: Uint8Array) => void) => Promise<unknown>): Promise<void> {
  const descriptor = openSync(file, 'w', 0o600);
  try {
    await read(() => {
      ftruncateSync(descriptor);
      let at = 0;
      return (part) => {
        try {
          for (let done = 0; done < part.length; ) done += writeSync(descriptor, part, done, part.length - done, at + done);
          at += part.length;
        } catch (cause) {
          throw fileFailure(file, cause);
        }
      };
    });
  } finally {
    closeSync(descriptor);
  }
}

function temporaryFolder(): string {
  try {
    return mkdtempSync(path.join(tmpdir(), 'gosumcheck-'));
  } catch (cause) {
    throw fileFailure(tmpdir(), cause);
  }
}

function readLocal(proxy: GoUrl, base: string, from: string): ModuleFiles {
  const file = path.join(fileUrlToPath(proxy), ...base.split('/'));
  const shown = `${from}/${base}`;
  try {
    const goMod = readFileUpTo(`${file}.mod`, MAX_GO_MOD, `${shown}.mod`);
    const { size } = statSync(`${file}.zip`);
    if (size > MAX_ZIP) throw new SourceError('TOO_LARGE', `reading ${shown}.zip: more than ${MAX_ZIP} bytes`, { url: `${shown}.zip` });
    return { zip: `${file}.zip`, goMod, from };
  } catch (cause) {
    if (isGosumError(cause)) throw cause;
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw unreachable(shown, cause);
    throw new SourceError('NOT_FOUND', `reading ${shown}: no such file`, { url: shown, cause });
  }
}
