/** What the definitions of commands have in common. */

import type { Command } from 'commander';
import type { Host } from './host.js';

/** Told the exit code of the command that ran. */
export type Exit = (code: number) => void;

/** Gives a command its options, and what it does. */
export type Define = (command: Command, host: Host, exit: Exit) => void;

/** Adds examples to a command's help: command lines, and what each is for. */
export function addExamples(command: Command, lines: readonly (readonly [string, string])[]): void {
  const width = Math.max(...lines.map(([line]) => line.length));
  command.addHelpText('after', `\nExamples:\n${lines.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`).join('\n')}`);
  if (command.parent !== null) {
    command.addHelpText('after', '\nAn option --foo-bar can be set by GOSUMCHECK_FOO_BAR, too; a switch by 1.');
  }
}
