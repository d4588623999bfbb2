/** The commands of `gosumcheck log`: what each is for, its options, and examples. Its code is loaded when it runs. */

import { Option, type Command } from 'commander';
import { addExamples, type Exit } from './define.js';
import { amount, durationOption } from './flags.js';
import type { Host } from './host.js';
import type { LogAddOptions } from './logadd.js';
import type { LogInitOptions, LogRekeyOptions, LogStateOptions } from './loginit.js';
import type { LogExportOptions, LogServeOptions } from './logserve.js';

/** Gives `log` its commands. */
export function defineLog(command: Command, host: Host, exit: Exit): void {
  command.description('a checksum database of your own, for private modules: append, sign, serve').helpCommand(false);
  init(command.command('init'), host, exit);
  add(command.command('add'), host, exit);
  serve(command.command('serve'), host, exit);
  exportFiles(command.command('export'), host, exit);
  state(command.command('state'), host, exit);
  rekey(command.command('rekey'), host, exit);
  addExamples(command, [
    ['gosumcheck log init --name sum.corp.example --data log.db --key log.key', 'begin'],
    ['gosumcheck log add --data log.db --key log.key corp.example/m@v1.0.0', 'record a version'],
    ['gosumcheck log serve --data log.db', 'for the go command'],
    ['gosumcheck log add --help', 'options, more examples'],
  ]);
}

function init(command: Command, host: Host, exit: Exit): void {
  addSigner(command.description('begin a log: make its key, and sign the empty tree'))
    .addOption(new Option('--name <name>', "the log's, such as sum.corp.example; it is part of the key"))
    .addOption(formatOption());
  addExamples(command, [
    ['gosumcheck log init --name sum.corp.example --data log.db --key log.key', 'prints what GOSUMDB takes'],
    ['gosumcheck log init --data log.db --key log.key --state /var/state/log', 'with the state apart'],
  ]);
  command.action(async (options: LogInitOptions) => {
    exit(await (await import('./loginit.js')).logInitCommand(host, options));
  });
}

function add(command: Command, host: Host, exit: Exit): void {
  addSigner(command.description('record module versions: of go.sum lines, or fetched through GOPROXY and hashed here'))
    .argument('<what...>', 'MODULE@VERSION; a go.sum file, or a folder with such; - for standard input')
    .addOption(new Option('--only <globs>', 'of files, the lines of these modules alone, as GOPRIVATE has them'))
    .addOption(new Option('--skip-halves', 'pass over module versions of which a file has one line alone'))
    .addOption(new Option('--proxy <value>', 'fetch from there, whatever GOPROXY, GONOPROXY and GOPRIVATE say'))
    .addOption(durationOption('--timeout <duration>', 'of each request').default(300_000, '5m'))
    .addOption(new Option('--quiet', 'no notices, no progress'))
    .addOption(new Option('--no-progress', 'show no progress'))
    .addOption(formatOption());
  addExamples(command, [
    ['gosumcheck log add --data log.db --key log.key --proxy https://proxy.corp.example corp.example/m@v1.0.0', ''],
    ['gosumcheck log add --data log.db --key log.key --only corp.example --skip-halves go.sum', ''],
  ]);
  command.addHelpText('after', EXIT_CODES);
  command.action(async (names: string[], options: LogAddOptions) => {
    exit(await (await import('./logadd.js')).logAddCommand(host, names, options));
  });
}

function serve(command: Command, host: Host, exit: Exit): void {
  command
    .description('serve the log; needs no key, and shows what is added meanwhile')
    .addOption(dataOption())
    .addOption(new Option('--listen <host:port>', 'where; port 0 takes a free one (default: 127.0.0.1:8080)'))
    .addOption(new Option('--metrics-listen <host:port>', '/metrics there, and not where clients ask'))
    .addOption(new Option('--log-level <level>', 'of the log on stderr (default: info)').choices(['debug', 'info', 'warn', 'error']))
    .addOption(new Option('--access-log', 'log each request'))
    .addOption(new Option('--tls-cert <file>', 'PEM: serve https; read again on SIGHUP'))
    .addOption(new Option('--tls-key <file>', 'PEM: its key'))
    .addOption(new Option('--max-connections <n>', 'open at a time (default: 10000)').argParser(amount));
  addExamples(command, [
    ['gosumcheck log serve --data log.db', 'and GOSUMDB="KEY http://127.0.0.1:8080"'],
    ['gosumcheck log serve --data log.db --listen 0.0.0.0:443 --tls-cert c.pem --tls-key k.pem', 'for all'],
  ]);
  command.action(async (options: LogServeOptions) => {
    exit(await (await import('./logserve.js')).logServeCommand(host, options));
  });
}

function exportFiles(command: Command, host: Host, exit: Exit): void {
  command
    .description('write the log out as files, for any web server, or file://; again, only what has changed')
    .argument('<dir>', 'a folder: the database is below its sumdb/NAME')
    .addOption(dataOption())
    .addOption(new Option('--quiet', 'no progress'))
    .addOption(new Option('--no-progress', 'show no progress'))
    .addOption(formatOption());
  addExamples(command, [['gosumcheck log export --data log.db /srv/www', 'prints what GOSUMDB takes on this machine']]);
  command.action(async (folder: string, options: LogExportOptions) => {
    exit(await (await import('./logserve.js')).logExportCommand(host, folder, options));
  });
}

function state(command: Command, host: Host, exit: Exit): void {
  addSigner(command.description('show keys and newest tree; refused where the data are not what was signed last'))
    .addOption(new Option('--take-data', 'the state is lost: note the tree of the data as signed. Only where no newer copy exists'))
    .addOption(formatOption());
  addExamples(command, [['gosumcheck log state --data log.db --key log.key', 'after a restart, in a check']]);
  command.action(async (options: LogStateOptions) => {
    exit(await (await import('./loginit.js')).logStateCommand(host, options));
  });
}

function rekey(command: Command, host: Host, exit: Exit): void {
  addSigner(command.description('change the key: first heads are signed by both, at last by the new one alone'))
    .addOption(new Option('--drop-old', 'all clients have the new key: sign by it alone'))
    .addOption(formatOption());
  addExamples(command, [
    ['gosumcheck log rekey --data log.db --key log.key', 'prints both keys, the new one second'],
    ['gosumcheck log rekey --data log.db --key log.key --drop-old', 'when all clients have the new one'],
  ]);
  command.action(async (options: LogRekeyOptions) => {
    exit(await (await import('./loginit.js')).logRekeyCommand(host, options));
  });
}

function addSigner(command: Command): Command {
  return command
    .addOption(dataOption())
    .addOption(new Option('--key <file>', 'with the secret key; or the key itself in GOSUMCHECK_LOG_KEY'))
    .addOption(new Option('--state <file>', 'says what was signed last (default: beside the key file, FILE.state)'));
}

function dataOption(): Option {
  return new Option('--data <file>', 'where the log is kept');
}

function formatOption(): Option {
  return new Option('--format <format>', 'of what goes to stdout').choices(['text', 'json']).default('text');
}

const EXIT_CODES = `
Exit codes:
  0    all of them are in the log now
  1    the log has another hash of one; a zip breaks the rules; nothing is recorded
  2    bad usage, settings or file; signing is refused: data and state disagree
  3    a proxy could not be asked; trying again may help
  4    no proxy has a module version
  130  interrupted`;
