/** The command line. */

import { Command } from 'commander';
import { addExamples, type Define, type Exit } from './define.js';
import { readVariables } from './flags.js';
import { packageVersion, type Host } from './host.js';

/** The widest that help is laid out. */
const HELP_WIDTH = 80;

/**
 * Builds the program.
 *
 * @param commands by name, in the order of help.
 * @param name the first of the arguments: where it names a command, no other is defined.
 */
export function buildProgram(commands: ReadonlyMap<string, Define>, host: Host, exit: Exit, name = ''): Command {
  const width = (columns = HELP_WIDTH): number => Math.max(40, Math.min(columns, HELP_WIDTH));
  const program = new Command('gosumcheck')
    .description("Verifies go.sum against Go's checksum database, with proofs.")
    .version(packageVersion(), '--version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error:/, 'gosumcheck:')),
      getOutHelpWidth: () => width(host.stdout.columns),
      getErrHelpWidth: () => width(host.stderr.columns),
    })
    .exitOverride()
    .showHelpAfterError('(--help shows what can be given)')
    .hook('preAction', (_program, command) => readVariables(command, host.env));
  addExamples(program, [
    ['gosumcheck verify', 'every line of ./go.sum, against the log'],
    ['gosumcheck lookup rsc.io/quote@v1.5.2', 'one record, proved'],
    ['gosumcheck verify --help', 'options, exit codes, more examples'],
  ]);

  // To define a command takes some time; all of them are needed for help, and to say what is misspelt.
  const named = commands.has(name) ? [name] : [...commands.keys()];
  for (const each of named) commands.get(each)?.(program.command(each), host, exit);
  return program;
}
