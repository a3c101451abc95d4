/** The command line in this process: what a call wrote, where, and how it ended. A process of its own costs half a second. */
import type { Caller } from '../../src/cli/caller.ts';
import { run } from '../../src/cli/program.ts';

export interface Called {
  code: number;
  out: string;
  err: string;
}

export async function call(
  args: readonly string[],
  {
    env = {},
    colour = false,
    ask = null,
  }: { env?: Readonly<Record<string, string>>; colour?: boolean; ask?: Caller['ask'] } = {},
): Promise<Called> {
  const called = { out: '', err: '' };
  const caller: Caller = {
    env,
    write: (text) => {
      called.out += text;
    },
    complain: (text) => {
      called.err += text;
    },
    colour,
    exitCode: 0,
    ask,
  };
  return { code: await run(args, caller), ...called };
}
