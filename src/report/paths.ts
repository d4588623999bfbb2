/** Paths as services that show a repository have them: relative to its root, with forward slashes. */

import { isAbsolute, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { ReportOptions } from './options.js';

type Folders = Pick<ReportOptions, 'cwd' | 'root'>;

/** The path of a run's file from the repository's root; `undefined` for standard input and for files outside. */
export function repositoryPath(file: string, { cwd, root }: Folders): string | undefined {
  if (file === '-') return undefined;
  const path = relative(root, resolve(cwd, file));
  const elements = path.split(sep);
  return path === '' || elements[0] === '..' || isAbsolute(path) ? undefined : elements.join('/');
}

/** The same as a relative URI reference (RFC 3986): every element percent-encoded, so that no `:` makes a scheme of it. */
export function repositoryUri(file: string, folders: Folders): string | undefined {
  const path = repositoryPath(file, folders);
  return path === undefined ? undefined : relativeUri(path);
}

/** A path with slashes as a relative URI reference. */
export function relativeUri(path: string): string {
  // A lone surrogate has no UTF-8, so no percent-encoding; a file name that node decoded has none.
  return path.replace(/\p{Cs}/gu, '\ufffd').split('/').map(encodeURIComponent).join('/');
}

/** The absolute `file:` URI of a run's file. */
export function fileUri(file: string, { cwd }: Folders): string {
  return pathToFileURL(resolve(cwd, file)).href;
}
