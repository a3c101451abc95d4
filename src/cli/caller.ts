/** Who called: the environment, where an answer and an error go, and how the call ends. */
import type { Command } from 'commander';
import type { Ask } from './ask.ts';

export interface Caller {
  env: Record<string, string | undefined>;
  /** standard output: the answer, and nothing else */
  write: (text: string) => void;
  /** standard error */
  complain: (text: string) => void;
  /** null = as the terminal, NO_COLOR and FORCE_COLOR say */
  colour: boolean | null;
  exitCode: number;
  /** questions to a person; left out or null where nobody can answer */
  ask?: Ask | null;
}

const callers = new WeakMap<Command, Caller>();

export function registerCaller(program: Command, caller: Caller): void {
  callers.set(program, caller);
}

/** Who acts, where no name was given. */
export function callerName(command: Command): string {
  const { env } = callerOf(command);
  return env.USER ?? env.LOGNAME ?? 'somebody on the command line';
}

export function callerOf(command: Command): Caller {
  let top = command;
  while (top.parent !== null) top = top.parent;
  const caller = callers.get(top);
  if (caller === undefined) throw new Error('The program was built without a caller. Use buildProgram.');
  return caller;
}
