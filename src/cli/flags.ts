/**
 * Options of the command line, and their variables in the environment. One rule: `--foo-bar` is also GOSUMCHECK_FOO_BAR.
 *
 * The variables are read here and not by commander: that would take any value of a switch, `0` too, for "on", and looks at
 * the process instead of the environment it is given.
 */

import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Environment } from '../config/environment.js';
import { MAX_TIMER, parseDuration } from '../config/duration.js';
import { parseSize } from '../config/size.js';
import { flagFromEnv, flagVariable } from '../config/options.js';
import { quote } from '../core/text.js';
import { GosumError, isGosumError } from '../errors.js';
import { isFormat } from '../report/report.js';

/** Options that may be given several times; their variable has a value a line. */
const REPEATABLE: ReadonlySet<string> = new Set(['--report', '--way']);

/**
 * Gives a command's options the values of their variables, where the command line has none.
 *
 * @throws {GosumError} `CONFIG_INVALID`, naming the variable.
 */
export function readVariables(command: Command, env: Environment): void {
  for (const option of command.options) {
    const { long } = option;
    const text = long ? flagFromEnv(env, long) : undefined;
    const key = option.attributeName();
    if (!long || text === undefined || command.getOptionValueSource(key) === 'cli') continue;
    // verify has more formats than the others; one of those alone is not meant for them
    if (option.argChoices?.includes(text) === false && isFormat(text)) continue;
    if (option.required) command.setOptionValueWithSource(key, parseValue(option, long, text), 'env');
    else if (isOn(flagVariable(long), text)) command.setOptionValueWithSource(key, !option.negate, 'env');
  }
}

/** The option of the cache's file, which most commands have. */
export function cacheOption(): Option {
  return new Option('--cache <file>', "the cache (default: gosumcheck/cache.db in the user's cache folder)");
}

/** Adds the options that every command has which asks a database. */
export function addDatabaseOptions(command: Command): Command {
  return command
    .addOption(new Option('--sumdb <value>', 'the database, as GOSUMDB has it: a name or key, perhaps a URL'))
    .addOption(cacheOption())
    .addOption(new Option('--no-cache', 'read and keep no cache'))
    .addOption(new Option('--trusted-head <file>', 'a signed tree head that the log must be consistent with'))
    .addOption(new Option('--offline', "open no connection: the cache, the go command's cache, folders"))
    .addOption(new Option('--concurrency <n>', 'requests under way at most').argParser(positive))
    .addOption(durationOption('--timeout <duration>', 'of each request').default(30_000, '30s'))
    .addOption(durationOption('--deadline <duration>', 'of the whole run'))
    .addOption(new Option('--no-progress', 'show no progress'));
}

/** An option whose value is a duration; its value is in milliseconds. */
export function durationOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(duration);
}

/** An option whose value is a size; its value is in bytes. */
export function sizeOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(size);
}

function parseValue(option: Option, long: string, text: string): unknown {
  const { parseArg } = option;
  if (parseArg === undefined) return text;
  try {
    const values = REPEATABLE.has(long) ? text.split('\n').filter((line) => line.trim() !== '') : [text];
    return values.reduce<unknown>((earlier, value) => parseArg(value, earlier), undefined);
  } catch (cause) {
    if (!(cause instanceof InvalidArgumentError)) throw cause;
    throw new GosumError('CONFIG_INVALID', `${flagVariable(long)}=${quote(text)} is invalid`, { cause, hint: cause.message });
  }
}

/** The value of a switch. */
function isOn(variable: string, text: string): boolean {
  const value = text.toLowerCase();
  if (['1', 'true', 'yes', 'on'].includes(value)) return true;
  if (['0', 'false', 'no', 'off'].includes(value)) return false;
  throw new GosumError('CONFIG_INVALID', `${variable}=${quote(text)} is invalid`, { hint: 'Want 1 or 0, true or false.' });
}

/** Parses a number of things. @throws {InvalidArgumentError}. */
export function positive(text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw new InvalidArgumentError('Want a number from 1 to 9999.');
  return Number(text);
}

/** The most processes of one command: each has a memory of its own. */
export const MOST_PROCESSES = 128;

/** Parses a number of processes; `auto` is one for each processor. @throws {InvalidArgumentError}. */
export function processes(text: string): number | 'auto' {
  if (text === 'auto') return text;
  if (!/^[1-9][0-9]{0,2}$/.test(text) || Number(text) > MOST_PROCESSES) throw new InvalidArgumentError(`Want auto, or a number from 1 to ${MOST_PROCESSES}.`);
  return Number(text);
}

/** Parses a number of things that may be none, or many. @throws {InvalidArgumentError}. */
export function amount(text: string): number {
  if (!/^(?:0|[1-9][0-9]{0,6})$/.test(text)) throw new InvalidArgumentError('Want a number from 0 to 9999999.');
  return Number(text);
}

function duration(text: string): number {
  try {
    const milliseconds = parseDuration(text);
    if (milliseconds > 0 && milliseconds <= MAX_TIMER) return milliseconds;
  } catch (error) {
    if (!isGosumError(error)) throw error;
  }
  throw new InvalidArgumentError('Want a duration like 30s, 1m30s or 500ms, at most 596h.');
}

function size(text: string): number {
  try {
    return parseSize(text);
  } catch (error) {
    if (!isGosumError(error)) throw error;
    throw new InvalidArgumentError('Want a size like 64MiB, 512KiB or 1GiB.');
  }
}
