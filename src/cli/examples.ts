/** Examples of a command: below its help, and in docs/commands.md. */
import type { Command } from 'commander';

export interface Example {
  /** as typed, without the program's name */
  call: string;
  does: string;
}

const known = new WeakMap<Command, readonly Example[]>();

export function withExamples(command: Command, examples: readonly Example[]): Command {
  known.set(command, examples);
  return command.addHelpText('after', () => {
    const lines = examples.map(({ call, does }) => `  claude-hooks ${call}\n      ${does}`);
    return `\n${command.createHelp().styleTitle('Examples:')}\n${lines.join('\n')}`;
  });
}

export function examplesOf(command: Command): readonly Example[] {
  return known.get(command) ?? [];
}
