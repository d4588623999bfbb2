/**
 * The commands that check what a build uses: `verify`, `modcache` and `hash`. Apart from the others, as they are run again and
 * again, and so have a bundle of their own, which Node reads in less time (checkmain.ts).
 */

import { Option, type Command } from 'commander';
import { FORMATS } from '../report/report.js';
import { addExamples, type Define, type Exit } from './define.js';
import { addDatabaseOptions, positive } from './flags.js';
import type { HashCommandOptions } from './hash.js';
import type { Host } from './host.js';
import type { ModcacheOptions } from './modcache.js';
import { parseReportFile } from './reportfiles.js';
import type { VerifyOptions } from './verify.js';

/** By name, in the order of help. */
export const CHECKS: Readonly<Record<string, Define>> = { verify, modcache, hash };

function verify(command: Command, host: Host, exit: Exit): void {
  command
    .description('verify go.sum and go.work.sum files: is every line in the log?')
    .argument('[path...]', 'files, folders (searched for both files), or - for standard input; default: ./go.sum, ./go.work.sum')
    .addOption(new Option('--modcache', 'check what the module cache has of these module versions, too'));
  addExamples(addDatabaseOptions(addReportOptions(command)), [
    ['gosumcheck verify', 'in a module, or a workspace'],
    ['gosumcheck verify --modcache', 'and a restored module cache'],
    ['gosumcheck verify --report sarif=sum.sarif', 'for a code scanner as well'],
    ['gosumcheck verify --trusted-head head.txt', 'in CI, with a head that was kept'],
    ['git show HEAD~1:go.sum | gosumcheck verify -', 'an older file'],
  ]);
  command.addHelpText('after', EXIT_CODES);
  command.action(async (paths: string[], options: VerifyOptions) => {
    const own = await import('./verify.js');
    exit(await own.verifyCommand(host, paths, options, (option) => command.getOptionValueSource(option)));
  });
}

function modcache(command: Command, host: Host, exit: Exit): void {
  command
    .description('verify a module cache: is every zip, go.mod and extracted folder what the log has?')
    .argument('[dir]', "the cache's folder; default: GOMODCACHE");
  addExamples(addDatabaseOptions(addReportOptions(command)), [
    ['gosumcheck modcache', 'all of GOMODCACHE'],
    ['gosumcheck modcache --format json /mnt/cache/mod', 'another one, for a program'],
  ]);
  command.addHelpText('after', EXIT_CODES);
  command.action(async (folder: string | undefined, options: ModcacheOptions) => {
    exit(await (await import('./modcache.js')).modcacheCommand(host, folder, options));
  });
}

function hash(command: Command, host: Host, exit: Exit): void {
  command
    .description('print the h1 of module zips, extracted folders and go.mod files')
    .argument('[path...]', 'module zips, go.mod files (or VERSION.mod), folders; - for a zip on standard input')
    .addOption(new Option('--module <module@version>', 'whose folder, or zip, it is; folders need it'))
    .addOption(new Option('--check <file>', 'read hashes and paths from a file, and check them'))
    .addOption(new Option('--format <format>', 'of what goes to stdout').choices(['text', 'json']).default('text'))
    .addOption(new Option('--quiet', 'no progress; with --check, only what fails'))
    .addOption(new Option('--status', 'with --check: print nothing, the exit code says it'))
    .addOption(new Option('--threads <n>', 'hash in so many threads (default: by cores and work)').argParser(positive))
    .addOption(new Option('--no-progress', 'show no progress'));
  addExamples(command, [
    ['gosumcheck hash v1.5.2.zip v1.5.2.mod', 'a line for each'],
    ['gosumcheck hash --module rsc.io/quote@v1.5.2 .', 'an extracted module'],
    ['gosumcheck hash *.zip > sums', 'to keep'],
    ['gosumcheck hash --check sums', 'are they still the same?'],
  ]);
  command.addHelpText('after', HASH_EXIT_CODES);
  command.action(async (paths: string[], options: HashCommandOptions) => {
    exit(await (await import('./hash.js')).hashCommand(host, paths, options));
  });
}

/** Adds the options of the commands that report verdicts. */
function addReportOptions(command: Command): Command {
  return command
    .addOption(new Option('--format <format>', 'of the report on stdout').choices(FORMATS).default('text'))
    .addOption(new Option('--report <format=file>', 'write a report to a file, too (repeatable)').argParser(parseReportFile))
    .addOption(new Option('--fresh', "ask for the log's newest tree head even if all is cached"))
    .addOption(new Option('--allow-all-skipped', 'exit 0 even if everything is of private modules'))
    .addOption(new Option('--quiet', 'no notices, no progress, and no text where all is verified'))
    .addOption(new Option('--color <when>', 'colour the text').choices(['auto', 'always', 'never']).default('auto'));
}

const EXIT_CODES = `
Exit codes:
  0    everything is verified, or skipped as private
  1    a hash differs, lines or cached files conflict, a cached zip is bad,
       an answer is not proved, a log misbehaves
  2    bad usage, settings or file; nothing to check; everything skipped;
       a report that could not be written, where there is nothing worse
  3    incomplete: not everything could be asked; trying again may help
  4    the log does not know a module version
  130  interrupted`;

const HASH_EXIT_CODES = `
Exit codes:
  0    all are hashed, and Go's own tools would accept each zip
  1    a zip breaks the rules of module zips; with --check, a path fails
  2    bad usage; a path of which there is no h1, where there is nothing worse
  130  interrupted`;
