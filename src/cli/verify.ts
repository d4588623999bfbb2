/** `gosumcheck verify`. */

import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseGoSum } from '../core/gosum.js';
import { GosumError, isGosumError } from '../errors.js';
import type { PrivateModules } from '../config/private.js';
import { formatReport, type Format } from '../report/report.js';
import type { ReportOptions } from '../report/options.js';
import { verifyLines } from '../verify/verify.js';
import type { VerifyRun } from '../verify/verdict.js';
import { useColor, type ColorChoice } from './color.js';
import { packageVersion, print, say, sayError, type Host } from './host.js';
import { readInputs } from './inputs.js';
import { readProjectFile } from './projectfile.js';
import { checkReportFiles, writeReports, type ReportFile } from './reportfiles.js';
import { withDatabase, type DatabaseOptions } from './wire.js';

/** Options of the command line. */
export interface VerifyOptions extends DatabaseOptions {
  readonly format: Format;
  readonly report?: readonly ReportFile[];
  readonly fresh?: boolean;
  readonly allowAllSkipped?: boolean;
  readonly color: ColorChoice;
}

/**
 * Verifies the files and prints the reports.
 *
 * The exit code is the verdict's, even where a report could not be written; only that of a good run is 2 then.
 *
 * @param sourceOf where an option's value is from: of what nobody has set, the project's file may set some.
 */
export async function verifyCommand(
  host: Host,
  paths: readonly string[],
  given: VerifyOptions,
  sourceOf: (option: string) => string | undefined,
): Promise<number> {
  const { report: reports = [] } = given;
  await checkReportFiles(host.cwd, reports);
  const { inputs, bare, folder } = await readInputs(host, paths);
  // All files are parsed before anything is asked: a malformed one is exit 2, whatever the log would say of the others.
  const lines = inputs.flatMap(({ file, bytes }) => parseGoSum(bytes, file));
  if (lines.length === 0 && bare.length === 0) {
    throw new GosumError('NOTHING_TO_CHECK', `${inputs.map(({ file }) => file).join(', ')}: no line to check`, {
      hint: 'is it the right file?',
    });
  }
  const project = Object.entries(await readProjectFile(folder, host.interrupted));
  const unset = project.filter(([name]) => [undefined, 'default'].includes(sourceOf(name)));
  const options: VerifyOptions = { ...given, ...Object.fromEntries(unset) };
  if (options.quiet !== true) for (const file of bare) await say(host, `${file}: no sums beside it, so there is nothing to check`);

  const { run, privateModules } = await withDatabase(host, options, async ({ db, settings, signal }) => {
    const { privateModules } = settings;
    const { fresh } = options;
    // No line at all comes here only from a go.mod that needs no go.sum: nothing to verify, and nothing wrong.
    const allowAllSkipped = options.allowAllSkipped === true || lines.length === 0;
    const skippedBy = (module: string): string | undefined => privateModules.skippedBy(module);
    return { run: await verifyLines(db, lines, { skippedBy, allowAllSkipped, fresh, signal }), privateModules };
  });

  const forFile = optionsForFile(host, privateModules);
  const failures = await writeReports(host.cwd, reports, run, forFile);
  try {
    await printReport(host, options, run, forFile);
  } catch (error) {
    if (!isGosumError(error, 'FILE_FAILED')) throw error;
    failures.push(error);
  }
  for (const failure of failures) await sayError(host, failure);
  return run.exitCode === 0 && failures.length > 0 ? 2 : run.exitCode;
}

async function printReport(host: Host, options: VerifyOptions, run: VerifyRun, forFile: ReportOptions): Promise<void> {
  const { lines, verified } = run.summary;
  // What was skipped is always said: only of a run that verified every line there is nothing to say.
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
