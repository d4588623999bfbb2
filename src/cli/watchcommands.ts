/** The commands that show what a whole log has: their options and examples. Their code is loaded when they run. */

import { InvalidArgumentError, Option, type Command } from 'commander';
import { addExamples, type Exit } from './define.js';
import { durationOption } from './flags.js';
import type { Host } from './host.js';
import type { ListOptions } from './list.js';
import type { WatchOptions } from './watch.js';

/** Defines `list`. */
export function list(command: Command, host: Host, exit: Exit): void {
  command
    .description('show what a whole log has: versions of modules, modules below a prefix')
    .argument('<module|prefix...>', 'a module path; or golang.org/x/ or golang.org/x/... for all below; ... for all there are');
  addFileOptions(command)
    .addOption(new Option('--log-order', 'versions by their number in the log, not as versions'))
    .addOption(new Option('--hashes', 'with the h1 lines of each version'))
    .addOption(new Option('--limit <n>', 'the most lines').argParser(limit));
  addExamples(command, [
    ['gosumcheck list golang.org/x/text --data sumdb.db', 'versions, in order'],
    ['gosumcheck list golang.org/x/ --data sumdb.db', 'modules, with counts'],
    ['gosumcheck list rsc.io/quote --hashes --data sumdb.db', 'with the h1 lines'],
  ]);
  command.addHelpText('after', LIST_EXIT_CODES);
  command.action(async (names: string[], options: ListOptions) => {
    exit(await (await import('./list.js')).listCommand(host, names, options));
  });
}

/** Defines `watch`. */
export function watch(command: Command, host: Host, exit: Exit): void {
  command
    .description('show new records of matching modules since the last run, or as they come')
    .argument('<pattern...>', 'globs of leading path elements, as in GOPRIVATE: example.com/team, *.example.com');
  addFileOptions(command)
    .addOption(new Option('--expect <file>', 'known versions, as go.sum lines or module@version: all others are alarms'))
    .addOption(new Option('--since <record>', 'begin there: a number, all, or now (default: where the last run ended)').argParser(since))
    .addOption(new Option('--name <name>', 'of the mark that says where the last run ended (default: the patterns)'))
    .addOption(new Option('--peek', 'leave the mark where it is, and write nothing'))
    .addOption(new Option('--follow', 'go on as the file grows, until it is ended'))
    .addOption(durationOption('--poll <duration>', 'with --follow: between two looks at the file').default(2000, '2s'))
    .addOption(new Option('--hashes', 'with the h1 lines of each record'))
    .addOption(new Option('--quiet', 'no notices, no progress; with --expect, alarms alone'))
    .addOption(new Option('--no-progress', 'show no progress'));
  addExamples(command, [
    ['gosumcheck watch example.com/team --data sumdb.db', 'what is new'],
    ['gosumcheck watch "*.example.com" --follow --data sumdb.db', 'as it comes'],
    ['gosumcheck watch example.com --expect known --data sumdb.db', 'alarms'],
    ['gosumcheck watch rsc.io --since all --peek --data sumdb.db', 'all there is'],
  ]);
  command.addHelpText('after', WATCH_EXIT_CODES);
  command.action(async (patterns: string[], options: WatchOptions) => {
    exit(await (await import('./watch.js')).watchCommand(host, patterns, options));
  });
}

function addFileOptions(command: Command): Command {
  return command
    .requiredOption('--data <file>', 'the file of `gosumcheck sync`, which may be running')
    .addOption(new Option('--sumdb <name>', 'which database, where the file has several'))
    .addOption(new Option('--format <format>', 'of the answer; json: a line each').choices(['text', 'json']).default('text'));
}

function limit(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError('Want a number from 1 to 999999999.');
  return Number(text);
}

function since(text: string): number | 'all' | 'now' {
  if (text === 'all' || text === 'now') return text;
  if (!/^(?:0|[1-9][0-9]{0,14})$/.test(text)) throw new InvalidArgumentError('Want the number of a record, all, or now.');
  return Number(text);
}

const LIST_EXIT_CODES = `
Exit codes:
  0    found
  2    bad usage; no such file, or none with a whole log
  4    the log has nothing of one of them, as far as it is kept
  130  interrupted`;

const WATCH_EXIT_CODES = `
Exit codes:
  0    nothing, or nothing that is an alarm
  1    an alarm: a record is not as --expect has it, or the log has other
       hashes for the same version, or was seen to misbehave
  2    bad usage; no such file, or none with a whole log
  130  interrupted`;
