/** The commands: what each is for, its options, and examples. Its code is loaded when it runs. */

import { Argument, Option, type Command } from 'commander';
import { CHECKS } from './checkcommands.js';
import { addExamples, type Define, type Exit } from './define.js';
import { addDatabaseOptions, amount, cacheOption, durationOption, positive, processes, sizeOption } from './flags.js';
import type { Host } from './host.js';
import { defineLog } from './logcommands.js';
import type { AuditOptions } from './audit.js';
import type { CacheOptions } from './cache.js';
import type { EvidenceOptions } from './evidence.js';
import type { LookupOptions } from './lookup.js';
import type { ServeOptions } from './serveconfig.js';
import type { SyncCommandOptions } from './sync.js';
import { list, watch } from './watchcommands.js';
import type { DatabaseOptions } from './wire.js';

/** All of them by name, in the order of help. */
export const COMMANDS: ReadonlyMap<string, Define> = new Map(
  Object.entries({ ...CHECKS, lookup, head, serve, sync, audit, list, watch, log: defineLog, cache, evidence }),
);

function lookup(command: Command, host: Host, exit: Exit): void {
  command
    .description("show the log's proved record of module versions")
    .argument('<module@version...>', 'such as rsc.io/quote@v1.5.2')
    .addOption(new Option('--proof', 'show the inclusion proof as well'))
    .addOption(new Option('--fresh', "ask for the log's newest tree head even if all is cached"))
    .addOption(new Option('--format <format>', 'of the answer').choices(['text', 'json']).default('text'));
  addExamples(addDatabaseOptions(command), [
    ['gosumcheck lookup rsc.io/quote@v1.5.2', 'for a person'],
    ['gosumcheck lookup --proof --format json rsc.io/quote@v1.5.2', 'for a program'],
  ]);
  command.action(async (names: string[], options: LookupOptions) => {
    exit(await (await import('./lookup.js')).lookupCommand(host, names, options));
  });
}

function head(command: Command, host: Host, exit: Exit): void {
  command.description("print the log's newest tree head, a signed note, proved consistent with all seen before");
  addExamples(addDatabaseOptions(command), [['gosumcheck head > head.txt', 'to keep for --trusted-head']]);
  command.action(async (options: DatabaseOptions) => {
    exit(await (await import('./head.js')).headCommand(host, options));
  });
}

function serve(command: Command, host: Host, exit: Exit): void {
  command
    .description('a mirror of the database that serves nothing unproved')
    .addOption(new Option('--config <file>', 'settings in TOML; what is given here, or by a variable, goes before'))
    .addOption(new Option('--listen <host:port>', 'where; port 0 takes a free one (default: 127.0.0.1:8080)'))
    .addOption(new Option('--data <file>', 'where what was proved is kept'))
    .addOption(new Option('--sumdb <value>', 'the database, as GOSUMDB has it: a name or key, perhaps a URL'))
    .addOption(new Option('--way <way>', 'direct, a URL, proxy URL, or goproxy; more are asked in turn (repeatable)').argParser(parseWay))
    .addOption(durationOption('--timeout <duration>', 'of each request upstream (default: 30s)'))
    .addOption(durationOption('--poll <duration>', 'how often to look for a newer tree head (default: 5m)'))
    .addOption(durationOption('--head-age-alarm <duration>', 'say so if none was verified for so long (default: 1h)'))
    .addOption(new Option('--metrics-listen <host:port>', '/metrics there, and not where clients ask'))
    .addOption(new Option('--log-level <level>', 'of the log on stderr (default: info)').choices(['debug', 'info', 'warn', 'error']))
    .addOption(new Option('--access-log', 'log each request'))
    .addOption(new Option('--tls-cert <file>', 'PEM: serve https; read again on SIGHUP'))
    .addOption(new Option('--tls-key <file>', 'PEM: its key'))
    .addOption(sizeOption('--memory <size>', 'for answers that are ready to be sent (default: 64MiB)'))
    .addOption(new Option('--workers <n>', 'processes on one data file; auto: one a processor (default: 1)').argParser(processes))
    .addOption(new Option('--max-connections <n>', 'open at a time (default: 10000)').argParser(amount))
    .addOption(new Option('--client-rate <n>', 'requests a second and client that cause work upstream; 0: no limit (default: 100)').argParser(amount))
    .addOption(new Option('--client-burst <n>', 'of them at once (default: 1000)').argParser(amount))
    .addOption(new Option('--client-queue <n>', 'of them that wait (default: 500)').argParser(amount));
  addExamples(command, [
    ['gosumcheck serve --data sumdb.db', 'and GOSUMDB="sum.golang.org http://127.0.0.1:8080"'],
    ['gosumcheck serve --data sumdb.db --listen 0.0.0.0:80', 'for other machines'],
    ['gosumcheck serve --data sumdb.db --way direct --way goproxy', 'where the first fails, by the other'],
    ['gosumcheck serve --data sumdb.db --workers auto', 'for many clients'],
    ['gosumcheck serve --config serve.toml', 'several databases, limits, TLS'],
  ]);
  command.action(async (options: ServeOptions) => {
    exit(await (await import('./serve.js')).serveCommand(host, options));
  });
}

function parseWay(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, text];
}

function sync(command: Command, host: Host, exit: Exit): void {
  command
    .description('read, prove and keep the whole log, then follow it')
    .addOption(new Option('--data <file>', 'where it is kept; `serve` may run on the same file'))
    .addOption(new Option('--once', 'end when the newest tree is complete'))
    .addOption(new Option('--check', 'first compare all that is kept with its digests; what is damaged is read or made anew'))
    .addOption(new Option('--sumdb <value>', 'the database, as GOSUMDB has it: a name or key, perhaps a URL'))
    .addOption(new Option('--way <way>', 'direct, a URL, proxy URL, or goproxy; more are asked in turn (repeatable)').argParser(parseWay))
    .addOption(new Option('--concurrency <n>', 'requests under way at most').argParser(positive).default(16))
    .addOption(durationOption('--timeout <duration>', 'of each request').default(30_000, '30s'))
    .addOption(durationOption('--poll <duration>', 'how often to look for a newer tree head').default(300_000, '5m'))
    .addOption(new Option('--threads <n>', 'hash in so many threads (default: by cores)').argParser(positive))
    .addOption(new Option('--format <format>', 'of what is told of each look; JSON is a line each').choices(['text', 'json']).default('text'))
    .addOption(new Option('--quiet', 'no notices, no progress, and no text where all is well'))
    .addOption(new Option('--no-progress', 'show no progress'));
  addExamples(command, [
    ['gosumcheck sync --data sumdb.db --once', 'all of it; run again, it goes on where it was'],
    ['gosumcheck sync --data sumdb.db', 'and what is new, until it is ended'],
    ['gosumcheck sync --data sumdb.db --once --check', 'after an audit found something damaged'],
    ['gosumcheck serve --data sumdb.db', 'answers from it, at the same time'],
  ]);
  command.addHelpText('after', SYNC_EXIT_CODES);
  command.action(async (options: SyncCommandOptions) => {
    exit(await (await import('./sync.js')).syncCommand(host, options));
  });
}

function audit(command: Command, host: Host, exit: Exit): void {
  command
    .description('prove again, offline, everything that a mirror or a cache keeps')
    .requiredOption('--data <file>', "a mirror's data file, or a cache")
    .addOption(new Option('--format <format>', 'of the report on stdout').choices(['text', 'json']).default('text'))
    .addOption(new Option('--quiet', 'no progress, and no text where all is proved'))
    .addOption(new Option('--threads <n>', 'hash the records of a whole log in so many threads (default: one a processor)').argParser(positive))
    .addOption(new Option('--no-progress', 'show no progress'));
  addExamples(command, [
    ['gosumcheck audit --data sumdb.db', "a mirror's, which may be running"],
    ['gosumcheck audit --data "$(gosumcheck cache path)"', 'the cache'],
    ['gosumcheck audit --data sumdb.db --format json', 'for a program, with the proof of what a log did wrong'],
  ]);
  command.addHelpText('after', AUDIT_EXIT_CODES);
  command.action(async (options: AuditOptions) => {
    exit(await (await import('./audit.js')).auditCommand(host, options));
  });
}

function cache(command: Command, host: Host, exit: Exit): void {
  command
    .description('show or clean the cache')
    .addArgument(new Argument('<action>', 'what to do').choices(['path', 'stats', 'clean']))
    .addOption(cacheOption())
    .addOption(new Option('--all', 'clean: all, with the keys of known databases and evidence of forks'))
    .addOption(new Option('--format <format>', 'of the stats').choices(['text', 'json']).default('text'));
  addExamples(command, [
    ['gosumcheck cache stats', 'what is kept, and where'],
    ['gosumcheck cache clean', 'forget what can be fetched again'],
  ]);
  command.action(async (action: string, options: CacheOptions) => {
    exit(await (await import('./cache.js')).cacheCommand(host, action, options));
  });
}

function evidence(command: Command, host: Host, exit: Exit): void {
  command
    .description('show the kept proofs that a log misbehaved')
    .addOption(cacheOption())
    .addOption(new Option('--data <file>', "a mirror's data file instead"))
    .addOption(new Option('--clear', 'forget them, after a person has decided what to do'))
    .addOption(new Option('--format <format>', 'of what is shown').choices(['text', 'json']).default('text'));
  addExamples(command, [
    ['gosumcheck evidence', 'exit 1 where there is any'],
    ['gosumcheck evidence --data sumdb.db', "a mirror's"],
    ['gosumcheck evidence --clear', 'show it once more, and forget it'],
  ]);
  command.action(async (options: EvidenceOptions) => {
    exit(await (await import('./evidence.js')).evidenceCommand(host, options));
  });
}


const SYNC_EXIT_CODES = `
Exit codes:
  0    with --once: the newest tree is kept whole; else: it was ended
  1    something is not proved (all else is kept), or the log misbehaves
  2    bad usage or settings; the data file cannot be used
  3    not everything could be read; run again, it goes on where it was
  130  with --once: interrupted; what was proved is kept`;

const AUDIT_EXIT_CODES = `
Exit codes:
  0    all that is kept is proved
  1    something is false, or proves that a log misbehaved
  2    bad usage; no such file, or one of another program
  3    something could not be proved from the file alone
  130  interrupted`;
