/**
 * A terminal for one command, made by util-linux `script`: it passes on what is typed at ours and the size of its window,
 * and prints what comes. A command that had our terminal itself could type into it (TIOCSTI): the shell that waits below
 * us would run that as the operator.
 */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { EngineFailed } from './container.ts';
import { DISPATCH_MARK, INSTANCE_MARK, type Mark } from './process-tree.ts';

type Signal = keyof typeof constants.signals;

/**
 * `argv` at a terminal of its own. Its descriptors from 3 on stay as they are. The marks are set inside alone: what carries
 * them is ended with its whole session, and the program that makes the terminal is in the session of the operator's shell.
 */
export function atOwnTerminal(script: string | null, argv: readonly string[], mark: Mark): string[] {
  if (script === null) {
    throw new EngineFailed(
      'No terminal can be made: the program script is not installed.',
      'Install util-linux with it (the package is bsdutils or util-linux-script on some systems).',
    );
  }
  const marks = `export ${INSTANCE_MARK}=${quoted(mark.instance)} ${DISPATCH_MARK}=${quoted(mark.dispatch)}`;
  const command = `${marks}; exec ${argv.map(quoted).join(' ')}`;
  // --return: its exit code is the command's. No file is written.
  return [script, '--quiet', '--return', '--flush', '--command', command, '/dev/null'];
}

/** The environment of what starts `argv`: with the marks, unless they are set inside. */
export function markedEnvironment(
  env: Record<string, string>,
  { instance, dispatch }: Mark,
  atTerminal: boolean,
): Record<string, string> {
  // guard: attach: the operator’s own session, part 1
  if (atTerminal) return env;
  return { ...env, [INSTANCE_MARK]: instance, [DISPATCH_MARK]: dispatch };
}

export async function endOf(child: ChildProcess): Promise<number | null> {
  return await new Promise((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal as Signal]));
  });
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
