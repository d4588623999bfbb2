/** The reports that `verify` writes to files, beside the one on stdout. */

import { constants, promises } from 'node:fs';
import path from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { GosumError } from '../errors.js';
import type { ReportOptions } from '../report/options.js';
import { FORMATS, formatReport, isFormat, type Format } from '../report/report.js';
import type { VerifyRun } from '../verify/verdict.js';
import { fileFailure } from './files.js';

/** A format, and the file to write it to, as the user named it. */
export interface ReportFile {
  readonly format: Format;
  readonly file: string;
}

/** Parses `FORMAT=FILE` and adds it to the earlier ones. @throws {InvalidArgumentError}. */
export function parseReportFile(text: string, earlier: readonly ReportFile[] = []): readonly ReportFile[] {
  const equals = text.indexOf('=');
  const format = text.slice(0, equals);
  const file = text.slice(equals + 1);
  if (equals < 0 || !isFormat(format) || file === '') {
    throw new InvalidArgumentError(`Want FORMAT=FILE, the format one of ${FORMATS.join(', ')}.`);
  }
  if (file === '-') throw new InvalidArgumentError('For a report on stdout there is --format.');
  return [...earlier, { format, file }];
}

/**
 * Looks whether the files can be written, so that a mistyped path is said before a long run and not after it.
 *
 * @throws {GosumError} `FILE_FAILED`.
 */
export async function checkReportFiles(cwd: string, reports: readonly ReportFile[]): Promise<void> {
  for (const { file } of reports) {
    const absolute = path.resolve(cwd, file);
    try {
      if (await isThere(absolute)) await promises.access(absolute, constants.W_OK);
      else await promises.access(path.dirname(absolute), constants.W_OK);
    } catch (cause) {
      throw fileFailure(`--report ${file}`, cause);
    }
  }
}

/** Writes the reports, each of them whatever becomes of the others, and gives what failed. */
export async function writeReports(
  cwd: string,
  reports: readonly ReportFile[],
  run: VerifyRun,
  options: ReportOptions,
): Promise<GosumError[]> {
  const failures: GosumError[] = [];
  for (const { format, file } of reports) {
    const text = await formatReport(format, run, options);
    try {
      await promises.writeFile(path.resolve(cwd, file), text);
    } catch (cause) {
      failures.push(fileFailure(`--report ${file}`, cause));
    }
  }
  return failures;
}

/** Reports whether there is such a file. @throws the system's error, also for a folder. */
async function isThere(absolute: string): Promise<boolean> {
  try {
    if ((await promises.stat(absolute)).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
