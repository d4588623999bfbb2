/**
 * Modules from the proxies of GOPROXY: the zip and the go.mod file of a module version (go.dev/ref/mod#goproxy-protocol).
 *
 * The list is walked as the go command walks it; but version control (`direct`) is not spoken here, and both files of a
 * module version come from one proxy.
 */

import path from 'node:path';
import type { ReadOptions } from '../contract.js';
import type { ProxyEntry } from '../config/goproxy.js';
import { redactUrl, type GoUrl } from '../config/gourl.js';
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
  readonly zip: Uint8Array;
  readonly goMod: Uint8Array;
  /** The proxy that they are from, without credentials. */
  readonly from: string;
}

/** The proxies. */
export interface ModuleProxies {
  /**
   * Reads both files, from the first proxy that has them.
   *
   * @throws {GosumError} `NOT_FOUND` where no proxy has the module version; an unreachable code where one could not be asked, or
   * the list ends in `direct` or `off`; `MODULE_PATH_MALFORMED`, `VERSION_MALFORMED`.
   */
  read(module: ModuleVersion, signal?: AbortSignal): Promise<ModuleFiles>;
  close(): Promise<void>;
}

/** Opens the proxies of a list. Nothing is sent before the first read. */
export function openModuleProxies(entries: readonly ProxyEntry[], options: HttpOptions): ModuleProxies {
  const sources = new Map<GoUrl, HttpSource>();

  const read = async (proxy: GoUrl, file: string, how: ReadOptions): Promise<Uint8Array> => {
    if (proxy.scheme === 'file') return readLocal(proxy, file, how.limit);
    let source = sources.get(proxy);
    if (source === undefined) {
      const { openHttpSource } = await import('./http.js');
      sources.set(proxy, (source = openHttpSource(proxy, options)));
    }
    return source.file(`/${file}`, how);
  };

  return {
    async read({ module, version }, signal) {
      const base = `${escapeModulePath(module)}/@v/${escapeVersion(version)}`;
      let missing: unknown;
      for (const entry of entries) {
        if (entry.kind !== 'url') {
          throw new GosumError('UNREACHABLE', `${formatModuleVersion(module, version)}: no proxy has it, and the list ends in ${entry.kind}`, {
            cause: missing,
            retryable: false,
            hint: 'version control is not asked here: download it with the go command, and add the lines of its go.sum',
          });
        }
        try {
          const goMod = await read(entry.url, `${base}.mod`, { limit: MAX_GO_MOD, signal });
          const zip = await read(entry.url, `${base}.zip`, { limit: MAX_ZIP, signal });
          return { zip, goMod, from: redactUrl(entry.url) };
        } catch (error) {
          if (!isGosumError(error) || signal?.aborted === true || !(entry.fallBackOnError || error.code === 'NOT_FOUND')) throw error;
          missing = error;
        }
      }
      throw missing;
    },
    async close() {
      for (const source of sources.values()) await source.close();
    },
  };
}

function readLocal(proxy: GoUrl, file: string, limit: number): Uint8Array {
  const shown = `${redactUrl(proxy)}/${file}`;
  try {
    return readFileUpTo(path.join(fileUrlToPath(proxy), ...file.split('/')), limit, shown);
  } catch (cause) {
    if (isGosumError(cause)) throw cause;
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw unreachable(shown, cause);
    throw new SourceError('NOT_FOUND', `reading ${shown}: no such file`, { url: shown, cause });
  }
}
