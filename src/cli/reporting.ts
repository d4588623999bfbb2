/** How a run is reported: to files, on stdout, and by the exit code. */

import { existsSync } from 'node:fs';
import path from 'node:path';
import { isGosumError } from '../errors.js';
import type { PrivateModules } from '../config/private.js';
import { formatReport, type Format } from '../report/report.js';
import type { ReportOptions } from '../report/options.js';
import type { VerifyRun } from '../verify/verdict.js';
import { useColor, type ColorChoice } from './color.js';
import { packageVersion, print, sayError, type Host } from './host.js';
import { writeReports, type ReportFile } from './reportfiles.js';

/** Options of the command line about reports. */
export interface ReportingOptions {
  readonly format: Format;
  readonly report?: readonly ReportFile[];
  readonly color: ColorChoice;
  readonly quiet?: boolean;
}

/**
 * Writes and prints the reports of a run, and gives the exit code: the verdict's, even where a report could not be written;
 * only that of a good run is 2 then.
 */
export async function reportRun(
  host: Host,
  options: ReportingOptions,
  run: VerifyRun,
  privateModules: PrivateModules,
): Promise<number> {
  const forFile = optionsForFile(host, privateModules);
  const failures = await writeReports(host.cwd, options.report ?? [], run, forFile);
  try {
    await printReport(host, options, run, forFile);
  } catch (error) {
    if (!isGosumError(error, 'FILE_FAILED')) throw error;
    failures.push(error);
  }
  for (const failure of failures) await sayError(host, failure);
  return run.exitCode === 0 && failures.length > 0 ? 2 : run.exitCode;
}

async function printReport(host: Host, options: ReportingOptions, run: VerifyRun, forFile: ReportOptions): Promise<void> {
  const { lines, verified } = run.summary;
  // What was skipped is always said: only of a run that verified everything there is nothing to say.
  if (options.quiet === true && options.format === 'text' && run.exitCode === 0 && lines === verified) return;
  const color = useColor(host.stdout, host.env, options.color);
  const width = Math.max(40, Math.min(host.stdout.columns ?? 80, 120));
  await print(host, await formatReport(options.format, run, { ...forFile, color, width }));
}

function optionsForFile({ cwd }: Host, { variable, value }: PrivateModules): ReportOptions {
  return { version: packageVersion(), color: false, width: 80, cwd, root: repositoryRoot(cwd), private: { variable, value } };
}

/** The nearest folder upwards that is a repository; else the working folder. */
function repositoryRoot(cwd: string): string {
  for (let folder = cwd; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, '.git'))) return folder;
    if (path.dirname(folder) === folder) return cwd;
  }
}
