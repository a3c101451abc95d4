/** docs/commands.md, written from the commands as the command line registers them. */
import type { Argument, Command, Option } from 'commander';
import type { Caller } from '../src/cli/caller.ts';
import { examplesOf } from '../src/cli/examples.ts';
import { FAILURE_KINDS } from '../src/cli/failure.ts';
import { buildProgram } from '../src/cli/program.ts';

export function commandsPage(): string {
  const nobody: Caller = { env: {}, write: () => {}, complain: () => {}, colour: false, exitCode: 0 };
  const program = buildProgram(nobody);
  const commands = leavesOf(program, []);
  return `${[
    '# Commands',
    '',
    '<!-- Generated from the commands in src/cli by `npm run docs`. Edit those, or scripts/commands-page.ts. -->',
    '',
    '`claude-hooks` is `node src/cli.ts` in a checkout, with Node 24. `<command> --help` prints what stands here.',
    '',
    '| command | does |',
    '|---|---|',
    ...commands.map(
      ({ name, command }) =>
        `| [\`${name}\`](#${name.replaceAll(' ', '-')}) | ${cell(command.description())} |`,
    ),
    '',
    ...GENERAL,
    '',
    '## Options of every command',
    '',
    ...optionTable(program.createHelp().visibleOptions(program)),
    ...commands.flatMap(section),
  ].join('\n')}\n`;
}

const GENERAL = [
  '## What you may write for a thing',
  '',
  '| thing | forms |',
  '|---|---|',
  '| item | `owner/name#12`, `forge:owner/name#12` as the lists print it, `owner/name/issues/12` or `owner/name/pulls/12` where the repository has both, or the address of the issue or pull request, of a comment on it or a tab of it |',
  '| conversation | an item it is about, its id, or the id of one of its dispatches or sessions |',
  '| delivery | our id, or the one the forge shows in the history of its webhook |',
  '',
  'Of an id the first 6 characters are enough while nothing else begins so; where several do, the error names them. An item',
  'has one conversation for each agent that worked on it: `conversations` shows all of them, and a command that needs one',
  'names them and asks for an id.',
  '',
  '## Answers and errors',
  '',
  '- Standard output has the answer and nothing else. Errors go to standard error, in a sentence that ends with what to do.',
  '- `--json` prints the answer as JSON. An error is then JSON too, on standard error, and standard output stays empty:',
  '',
  '```json',
  '{ "error": { "kind": "not-found", "message": "No conversation is named by ada/greeter#9. …" } }',
  '```',
  '',
  `  \`kind\` is one of ${FAILURE_KINDS.map((kind) => `\`${kind}\``).join(', ')}. \`configuration\` has`,
  '  `problems`, `ambiguous` has `candidates`, each with the `id` to ask with. Where a command tells how it goes on standard',
  '  error (`demo --json`), the error is the last thing there.',
  '- Exit code 0: answered, and all is well. 1: it could not answer, or `doctor`, `smoke` or `demo` found something wrong. 2:',
  '  `sessions diagnose` answered that the session cannot be resumed.',
  '- Times are UTC: `2026-01-31 13:05:09Z`, in JSON RFC 3339. `--since` takes both, and how long ago (`90s`, `30m`, `2h`, `7d`,',
  '  `1w`).',
  '- Colours appear on a terminal only. `NO_COLOR=1` switches them off there, `FORCE_COLOR=1` on in a pipe.',
  '- `CLAUDE_HOOKS_DEBUG=1` adds where in the source an unexpected error happened.',
];

interface Leaf {
  name: string;
  command: Command;
}

function leavesOf(command: Command, path: string[]): Leaf[] {
  return command.commands.flatMap((sub) => {
    const name = [...path, sub.name()];
    return sub.commands.length === 0 ? [{ name: name.join(' '), command: sub }] : leavesOf(sub, name);
  });
}

function section({ name, command }: Leaf): string[] {
  const usage = command.usage().replace('[options] ', '').replace('[options]', '').trim();
  const examples = examplesOf(command);
  const options = command.options.filter((option) => !option.hidden);
  return [
    '',
    `## ${name}`,
    '',
    `${upper(command.description())}.`,
    '',
    '```sh',
    `claude-hooks ${name}${usage === '' ? '' : ` ${usage}`}`,
    ...examples.map(({ call, does }) => `claude-hooks ${call}    # ${does}`),
    '```',
    ...(command.registeredArguments.length === 0 ? [] : ['', ...command.registeredArguments.map(argument)]),
    ...(options.length === 0 ? [] : ['', ...optionTable(options)]),
  ];
}

function argument(given: Argument): string {
  return `- \`${given.name()}\`: ${given.description}${given.required ? '' : ' (may be left out)'}`;
}

function optionTable(options: readonly Option[]): string[] {
  return [
    '| option | value | default | meaning |',
    '|---|---|---|---|',
    ...options.map((option) => {
      const value = option.argChoices?.map((choice) => `\`${choice}\``).join(', ') ?? '';
      const preset = option.mandatory
        ? '**required**'
        : option.defaultValue === undefined || typeof option.defaultValue === 'boolean'
          ? ''
          : `\`${option.defaultValue}\``;
      return `| \`${option.flags}\` | ${value} | ${preset} | ${cell(option.description)} |`;
    }),
  ];
}

function cell(text: string): string {
  return text.replaceAll('<', '&lt;').replaceAll('|', '\\|');
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
