/** The commands. Loaded by `cli.ts` when this is a Node that they can run on. */
import { Command } from 'commander';
import { AlreadyRunning, ConfigError, DatabaseUnusable, MissingProgram, NotFound } from '../errors.ts';
import { ignoreNodesOwnProxy } from '../network.ts';
import { packageVersion } from '../wiring/version.ts';
import { registerAnswers } from './answers.ts';
import { registerHealth } from './health.ts';
import { registerInspection } from './inspection.ts';
import { registerOperations } from './operations.ts';
import { refusedFile } from './refused-files.ts';
import { registerRehearsal } from './rehearsal.ts';
import { endWhenNobodyReads, wasCut } from './stopping.ts';

// What a command writes is for whoever called it: archives, exports, state.
process.umask(0o077);
endWhenNobodyReads();

if ((process.env.NODE_USE_ENV_PROXY ?? '') !== '' || startedWith('--use-env-proxy')) ignoreNodesOwnProxy();

const program = new Command('claude-hooks')
  .description('Forge webhooks in, one durable Claude conversation per issue or pull request, work out.')
  .option('-c, --config <file>', 'configuration file', 'claude-hooks.yaml')
  .version(packageVersion())
  .showHelpAfterError();

registerOperations(program);
registerInspection(program);
registerAnswers(program);
registerHealth(program);
registerRehearsal(program);

const KNOWN = [ConfigError, AlreadyRunning, NotFound, MissingProgram, DatabaseUnusable];

try {
  await program.parseAsync();
} catch (error) {
  if (!wasCut()) sayWhatFailed(error);
}

function sayWhatFailed(error: unknown): void {
  const sentence = refusedFile(error);
  process.stderr.write(`${sentence ?? (error as Error).message}\n`);
  const known = sentence !== null || KNOWN.some((one) => error instanceof one);
  // Node's own stack only where a person asked for it: the sentence is what helps.
  if (!known && process.env.CLAUDE_HOOKS_DEBUG !== undefined && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
  }
  process.exitCode = 1;
}

function startedWith(flag: string): boolean {
  return [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)].includes(flag);
}
