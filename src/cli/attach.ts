/** `attach`: a person at a conversation's own session. */
import { isatty } from 'node:tty';
import type { Command } from 'commander';
import { callerName, callerOf } from './caller.ts';
import { withExamples } from './examples.ts';
import { readWords } from './option-values.ts';
import { loadAsServe } from './serve-environment.ts';
import { answer, configFile } from './shared.ts';
import { stopSignal } from './stopping.ts';

export function registerAttach(program: Command): void {
  const command = program
    .command('attach')
    .description(
      'open an agent’s own session in its own container on this terminal; what arrives on the forge waits until you leave',
    )
    .argument('<conversation>', 'conversation id, or item as [forge:]owner/name#12 or its address')
    .option('--by <name>', 'who attaches; the agent and the audit are told (default: the user)', readWords)
    .option('--json', 'print JSON, after you have left')
    .action(attachOne);
  withExamples(command, [
    { call: 'attach ada/greeter#1', does: 'talk to the agent where it works; /exit hands the session back' },
  ]);
}

async function attachOne(reference: string, { by }: { by?: string }, command: Command): Promise<void> {
  const caller = callerOf(command);
  const file = configFile(command);
  loadAsServe(file, caller.env);
  if (!isatty(0) || !isatty(1)) {
    command.error('There is no terminal here. Run it in one; over ssh, with `ssh -t`.');
  }
  const signal = stopSignal({ andHangUp: true });
  const { attachHere } = await import('../wiring/attaching.ts');
  const attached = await attachHere({
    file,
    env: caller.env,
    reference,
    by: by ?? callerName(command),
    terminal: terminalOf(caller.env),
    signal,
    say: (line) => caller.complain(`${line}\n`),
  }).finally(restoreTerminal);
  answer(command, attached, ({ sentences }) => sentences.join('\n'));
  caller.exitCode = attached.exitCode;
}

const TELLING = ['TERM', 'COLORTERM', 'TERM_PROGRAM', 'TERM_PROGRAM_VERSION', 'NO_COLOR', 'FORCE_COLOR'];

function terminalOf(env: Record<string, string | undefined>): Record<string, string> {
  const known = TELLING.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  return { TERM: 'xterm', ...Object.fromEntries(known) };
}

/**
 * Modes that a CLI which was killed leaves on: the other screen, the mouse, pastes in brackets, reports of the focus, a
 * hidden cursor, colours.
 */
const PLAIN =
  '\u001b[?1049l\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1006l\u001b[?2004l\u001b[?1004l\u001b[?25h\u001b[0m';

function restoreTerminal(): void {
  if (!isatty(1)) return;
  process.stdout.write(PLAIN);
}
