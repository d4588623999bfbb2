/** `gosumcheck verify`. */

import { parseGoSum } from '../core/gosum.js';
import { GosumError } from '../errors.js';
import { runChecks } from '../verify/run.js';
import { checkOfLines } from '../verify/verify.js';
import { say, type Host } from './host.js';
import { readInputs } from './inputs.js';
import { cacheFolder, withCacheCheck } from './modcache.js';
import { readProjectFile } from './projectfile.js';
import { checkReportFiles } from './reportfiles.js';
import { reportRun, type ReportingOptions } from './reporting.js';
import type { DatabaseOptions } from './wire.js';

/** Options of the command line. */
export interface VerifyOptions extends DatabaseOptions, ReportingOptions {
  readonly fresh?: boolean;
  readonly allowAllSkipped?: boolean;
  readonly modcache?: boolean;
  readonly quiet?: boolean;
}

/**
 * Verifies the files, and with `--modcache` what the module cache has of their module versions; prints the reports.
 *
 * @param sourceOf where an option's value is from: of what nobody has set, the project's file may set some.
 */
export async function verifyCommand(
  host: Host,
  paths: readonly string[],
  given: VerifyOptions,
  sourceOf: (option: string) => string | undefined,
): Promise<number> {
  await checkReportFiles(host.cwd, given.report ?? []);
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

  const { run, privateModules } = await withCacheCheck(host, options, async (open, begin) => {
    const { db, settings, signal } = open;
    const { privateModules } = settings;
    const { fresh } = options;
    // No line at all comes here only from a go.mod that needs no go.sum: nothing to verify, and nothing wrong.
    const allowAllSkipped = options.allowAllSkipped === true || lines.length === 0;
    const ofLines = checkOfLines(lines, (module) => privateModules.skippedBy(module));
    const ofCache = options.modcache === true ? await begin(cacheFolder(settings), open, lines) : undefined;
    const run = await runChecks(db, ofCache === undefined ? [ofLines] : [ofLines, ofCache], { allowAllSkipped, fresh, signal });
    return { run: { ...run, modcache: ofCache?.counts }, privateModules };
  });
  return reportRun(host, options, run, privateModules);
}
