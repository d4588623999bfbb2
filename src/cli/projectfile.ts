/**
 * A project's gosumcheck.toml, beside its go.sum: formats and limits.
 *
 * Never the database, its key, private patterns or exceptions: whoever can edit go.sum can edit this file too, and must not
 * be able to choose who vouches for the edit.
 */

import path from 'node:path';
import { GosumError } from '../errors.js';
import { MAX_TIMER, parseDuration } from '../config/duration.js';
import { FORMATS } from '../report/report.js';
import { fileFailure, readUpTo } from './files.js';

/** The most bytes of the file. */
const LIMIT = 64 * 1024;

/** The file's name. */
export const PROJECT_FILE = 'gosumcheck.toml';

/** What the file can set, as the options of `verify` have it. */
export interface ProjectSettings {
  readonly format?: (typeof FORMATS)[number] | undefined;
  readonly concurrency?: number | undefined;
  /** Milliseconds. */
  readonly timeout?: number | undefined;
  /** Milliseconds. */
  readonly deadline?: number | undefined;
}

/**
 * Reads the file of a folder; no file sets nothing.
 *
 * @throws {GosumError} `CONFIG_INVALID` for a key that it cannot have or a value that is not of its form; `FILE_FAILED`.
 */
export async function readProjectFile(folder: string, interrupted: AbortSignal): Promise<ProjectSettings> {
  let text: string;
  try {
    text = new TextDecoder().decode(await readUpTo(path.join(folder, PROJECT_FILE), LIMIT, interrupted));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw fileFailure(PROJECT_FILE, cause);
  }
  const [{ parse }, v] = await Promise.all([import('smol-toml'), import('valibot')]);
  const duration = v.pipe(v.string(), v.transform(parseDuration), v.number(), v.gtValue(0), v.maxValue(MAX_TIMER));
  const schema = v.strictObject({
    format: v.optional(v.picklist(FORMATS)),
    concurrency: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(9999))),
    timeout: v.optional(duration),
    deadline: v.optional(duration),
  });
  try {
    return v.parse(schema, parse(text));
  } catch (cause) {
    throw new GosumError('CONFIG_INVALID', `${PROJECT_FILE}: ${flawOf(cause)}`, {
      cause,
      hint: 'it can set format, concurrency, timeout and deadline; never the database, its key or private patterns',
    });
  }

  function flawOf(cause: unknown): string {
    if (!v.isValiError(cause)) return cause instanceof Error ? (cause.message.split('\n', 1)[0] ?? '') : '';
    const [issue] = cause.issues;
    const key = v.getDotPath(issue) ?? '';
    return issue.type === 'strict_object' ? `${key} cannot be set here` : `${key}: ${issue.message}`;
  }
}
