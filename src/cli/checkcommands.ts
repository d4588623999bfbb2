/**
 * The commands that check what a build uses: `verify` and `modcache`. Apart from the others, as they are run again and again,
 * and so have a bundle of their own, which Node reads in less time (checkmain.ts).
 */

import { Option, type Command } from 'commander';
import { FORMATS } from '../report/report.js';
import { addExamples, type Exit } from './define.js';
import { addDatabaseOptions } from './flags.js';
import type { Host } from './host.js';
import type { ModcacheOptions } from './modcache.js';
import { parseReportFile } from './reportfiles.js';
import type { VerifyOptions } from './verify.js';

export function verify(command: Command, host: Host, exit: Exit): void {
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

export function modcache(command: Command, host: Host, exit: Exit): void {
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
