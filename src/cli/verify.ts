/** `gosumcheck verify`. */

import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseGoSum } from '../core/gosum.js';
import { GosumError } from '../errors.js';
import type { PrivateModules } from '../config/private.js';
import { formatReport, type Format } from '../report/report.js';
import type { ReportOptions } from '../report/options.js';
import { verifyLines } from '../verify/verify.js';
import type { VerifyRun } from '../verify/verdict.js';
import { packageVersion, write, type Host } from './host.js';
import { failed, readInputs } from './inputs.js';
import { readProjectFile } from './projectfile.js';
import { useColor, withDatabase, type DatabaseOptions } from './wire.js';

/** A report beside the one on stdout. */
export interface ReportFile {
  readonly format: Format;
  readonly file: string;
}

/** Options of the command line. */
export interface VerifyOptions extends DatabaseOptions {
  readonly format: Format;
  readonly report?: readonly ReportFile[];
  readonly fresh?: boolean;
  readonly allowAllSkipped?: boolean;
}

/** Verifies the files and prints the reports. */
export async function verifyCommand(
  host: Host,
  paths: readonly string[],
  given: VerifyOptions,
  sourceOf: (option: string) => string | undefined,
): Promise<number> {
  const { inputs, bare, folder } = await readInputs(host.cwd, host.stdin, paths);
  // All files are parsed before anything is asked: a malformed one is exit 2, whatever the log would say of the others.
  const lines = inputs.flatMap(({ file, bytes }) => parseGoSum(bytes, file));
  const project = Object.entries(await readProjectFile(folder)).filter(([name]) => sourceOf(name) === 'default' || sourceOf(name) === undefined);
  const options: VerifyOptions = { ...given, ...Object.fromEntries(project) };

  for (const file of bare) await say(host, options, `${file}: no go.sum beside it, so nothing to check`);
  if (lines.length === 0) {
    if (bare.length > 0) return 0;
    throw new GosumError('NOTHING_TO_CHECK', `${inputs.map(({ file }) => file).join(', ')}: no line to check`);
  }

  const { run, privateModules } = await withDatabase(host, options, async ({ db, settings, signal }) => {
    const { privateModules } = settings;
    const { allowAllSkipped, fresh } = options;
    const skippedBy = (module: string): string | undefined => privateModules.skippedBy(module);
    return { run: await verifyLines(db, lines, { skippedBy, allowAllSkipped, fresh, signal }), privateModules };
  });
  await report(host, options, run, privateModules);
  return run.exitCode;
}

async function report(
  host: Host,
  options: VerifyOptions,
  run: VerifyRun,
  { variable, value }: PrivateModules,
): Promise<void> {
  const forFile: ReportOptions = {
    version: packageVersion(),
    color: false,
    width: 80,
    cwd: host.cwd,
    root: repositoryRoot(host.cwd),
    private: { variable, value },
  };
  for (const { format, file } of options.report ?? []) {
    try {
      await writeFile(path.resolve(host.cwd, file), await formatReport(format, run, forFile));
    } catch (cause) {
      throw failed(file, cause);
    }
  }
  if (options.quiet === true && options.format === 'text' && run.exitCode === 0) return;
  const color = useColor(host.stdout, host.env, options.color);
  const width = Math.max(40, Math.min(host.stdout.columns ?? 80, 120));
  await write(host.stdout, await formatReport(options.format, run, { ...forFile, color, width }));
}

/** The nearest folder upwards that is a repository; else the working folder. */
function repositoryRoot(cwd: string): string {
  for (let folder = cwd; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, '.git'))) return folder;
    if (path.dirname(folder) === folder) return cwd;
  }
}

async function say(host: Host, options: VerifyOptions, text: string): Promise<void> {
  if (options.quiet !== true) await write(host.stderr, `gosumcheck: ${text}\n`);
}
