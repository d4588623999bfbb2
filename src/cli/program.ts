/**
 * The command line: commands, options, help. Each command's code is loaded when it runs.
 *
 * One rule for the environment: an option `--foo-bar` is also GOSUMCHECK_FOO_BAR.
 */

import { Command, InvalidArgumentError, Option } from 'commander';
import { isGosumError } from '../errors.js';
import { parseDuration } from '../config/duration.js';
import { flagVariable } from '../config/options.js';
import { FORMATS, isFormat } from '../report/report.js';
import { packageVersion, type Host } from './host.js';
import type { CacheOptions } from './cache.js';
import type { EvidenceOptions } from './evidence.js';
import type { LookupOptions } from './lookup.js';
import type { ReportFile, VerifyOptions } from './verify.js';
import type { DatabaseOptions } from './wire.js';

/** Builds the program; `exit` is told the exit code of the command that ran. */
export function buildProgram(host: Host, exit: (code: number) => void): Command {
  const program = new Command('gosumcheck')
    .description("Verifies go.sum against Go's checksum database, with proofs.")
    .version(packageVersion(), '--version')
    .helpOption('--help', 'show help')
    .helpCommand(false)
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      getOutHelpWidth: () => host.stdout.columns ?? 80,
      getErrHelpWidth: () => host.stderr.columns ?? 80,
    })
    .exitOverride()
    .showHelpAfterError('(--help shows what can be given)');
  examples(program, [
    ['gosumcheck verify', 'every line of ./go.sum, against the log'],
    ['gosumcheck lookup rsc.io/quote@v1.5.2', 'one record, proved'],
  ]);

  const verify = addDatabaseOptions(program.command('verify'))
    .description('verify go.sum and go.work.sum files: is every line in the log?')
    .argument('[path...]', 'files, folders (searched for both files), or - for standard input; default: ./go.sum')
    .addOption(option('--format <format>', 'format of the report on stdout').choices(FORMATS).default('text'))
    .addOption(option('--report <format=file>', 'write a report to a file as well (repeatable)').argParser(reportFile))
    .addOption(option('--fresh', "ask for the log's newest tree head even if all is cached"))
    .addOption(option('--allow-all-skipped', 'exit 0 even if every line is of a private module'))
    .addOption(option('--quiet', 'print nothing on stderr, and no text report without a finding'));
  examples(verify, [
    ['gosumcheck verify', 'in a module, or a workspace'],
    ['gosumcheck verify --report sarif=sums.sarif', 'for a code scanner as well'],
    ['gosumcheck verify --trusted-head head.txt .', 'in CI, with a head kept in the repository'],
    ['git show HEAD~1:go.sum | gosumcheck verify -', 'standard input'],
  ]);
  verify.addHelpText('after', EXIT_CODES);
  verify.action(async (paths: string[], options: VerifyOptions) => {
    const command = await import('./verify.js');
    exit(await command.verifyCommand(host, paths, options, verify.getOptionValueSource.bind(verify)));
  });

  const lookup = addDatabaseOptions(program.command('lookup'))
    .description("show the log's proved record of module versions")
    .argument('<module@version...>', 'such as rsc.io/quote@v1.5.2')
    .addOption(option('--proof', 'show the inclusion proof as well'))
    .addOption(option('--fresh', "ask for the log's newest tree head even if all is cached"))
    .addOption(option('--format <format>', 'format of the answer').choices(['text', 'json']).default('text'));
  examples(lookup, [['gosumcheck lookup --proof --format json rsc.io/quote@v1.5.2', 'for a program']]);
  lookup.action(async (names: string[], options: LookupOptions) => {
    exit(await (await import('./lookup.js')).lookupCommand(host, names, options));
  });

  const head = addDatabaseOptions(program.command('head'))
    .description("print the log's newest tree head, a signed note, proved consistent with all seen before");
  examples(head, [['gosumcheck head > head.txt', 'to keep for --trusted-head']]);
  head.action(async (options: DatabaseOptions) => {
    exit(await (await import('./head.js')).headCommand(host, options));
  });

  const cache = program
    .command('cache')
    .description('show or clean the cache')
    .addArgument(program.createArgument('<action>', 'what to do').choices(['path', 'stats', 'clean']))
    .addOption(cacheOption())
    .addOption(option('--all', 'clean: the whole file, with the keys of known databases and the evidence of forks'))
    .addOption(option('--format <format>', 'format of the stats').choices(['text', 'json']).default('text'));
  examples(cache, [['gosumcheck cache stats', 'what is kept, and where']]);
  cache.action(async (action: string, options: CacheOptions) => {
    exit(await (await import('./cache.js')).cacheCommand(host, action, options));
  });

  const evidence = program
    .command('evidence')
    .description('show the kept proofs that a log misbehaved')
    .addOption(cacheOption())
    .addOption(option('--clear', 'forget them, after a person has decided what to do'))
    .addOption(option('--format <format>', 'format').choices(['text', 'json']).default('text'));
  examples(evidence, [['gosumcheck evidence', 'exit 1 where there is any']]);
  evidence.action(async (options: EvidenceOptions) => {
    exit(await (await import('./evidence.js')).evidenceCommand(host, options));
  });
  return program;
}

const EXIT_CODES = `
Exit codes:
  0  every line is verified, or skipped as private
  1  a hash differs, lines conflict, an answer is not proved, or the log misbehaves
  2  bad usage, settings or file; nothing to check; every line skipped
  3  incomplete: not everything could be asked; trying again may help
  4  the log does not know a module version
  130  interrupted
`;

function addDatabaseOptions(command: Command): Command {
  return command
    .addOption(option('--sumdb <value>', 'the database, as GOSUMDB has it: a name or key, and perhaps a URL'))
    .addOption(cacheOption())
    .addOption(option('--no-cache', 'read and keep no cache'))
    .addOption(option('--trusted-head <file>', 'a tree head that the log must be consistent with'))
    .addOption(option('--offline', 'open no connection: the cache, and what the go command has cached'))
    .addOption(option('--concurrency <n>', 'requests under way at most').argParser(positive).default(256))
    .addOption(option('--timeout <duration>', 'of each request').argParser(duration).default(30_000, '30s'))
    .addOption(option('--deadline <duration>', 'of the whole run').argParser(duration))
    .addOption(option('--color <when>', 'colour').choices(['auto', 'always', 'never']).default('auto'))
    .addOption(option('--no-progress', 'show no progress'));
}

function cacheOption(): Option {
  return option('--cache <file>', "the cache (default: gosumcheck/cache.db in the user's cache folder)");
}

/** An option that its variable in the environment sets as well. */
function option(flags: string, description: string): Option {
  const made = new Option(flags, description);
  return made.long === undefined ? made : made.env(flagVariable(made.long));
}

function examples(command: Command, lines: readonly (readonly [string, string])[]): void {
  const width = Math.max(...lines.map(([line]) => line.length));
  command.addHelpText('after', `\nExamples:\n${lines.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`).join('\n')}`);
}

function reportFile(text: string, earlier: ReportFile[] = []): ReportFile[] {
  const [format = '', ...rest] = text.split('=');
  const file = rest.join('=');
  if (!isFormat(format) || file === '') throw new InvalidArgumentError(`Want FORMAT=FILE, the format of ${FORMATS.join(', ')}.`);
  return [...earlier, { format, file }];
}

function positive(text: string): number {
  const value = /^[1-9][0-9]{0,3}$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(value)) throw new InvalidArgumentError('Want a number from 1 to 9999.');
  return value;
}

function duration(text: string): number {
  try {
    const milliseconds = parseDuration(text);
    if (milliseconds > 0) return milliseconds;
  } catch (error) {
    if (!isGosumError(error)) throw error;
  }
  throw new InvalidArgumentError('Want a duration like 30s, 1m30s or 500ms.');
}

