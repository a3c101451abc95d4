#!/usr/bin/env -S node --max-semi-space-size=2
/**
 * The command line: words for people. Every command that answers has --json.
 *
 * The flag above keeps the young part of V8's heap small: while the modules load it grows to 3 × 16 MB, and a service at
 * rest never gives them back (34 MB of its 149).
 */
import { Command } from 'commander';
import { registerAnswers } from './cli/answers.ts';
import { registerHealth } from './cli/health.ts';
import { registerInspection } from './cli/inspection.ts';
import { registerOperations } from './cli/operations.ts';
import { registerRehearsal } from './cli/rehearsal.ts';
import { AlreadyRunning, ConfigError, NotFound } from './errors.ts';

// What a command writes is for whoever called it: archives, exports, state.
process.umask(0o077);

const program = new Command('claude-hooks')
  .description('Forge webhooks in, one durable Claude conversation per issue or pull request, work out.')
  .option('-c, --config <file>', 'configuration file', 'claude-hooks.yaml')
  .showHelpAfterError();

registerOperations(program);
registerInspection(program);
registerAnswers(program);
registerHealth(program);
registerRehearsal(program);

try {
  await program.parseAsync();
} catch (error) {
  const known = error instanceof ConfigError || error instanceof AlreadyRunning || error instanceof NotFound;
  process.stderr.write(
    `${known || !(error instanceof Error) ? String((error as Error).message) : error.message}\n`,
  );
  // Node's own stack only where a person asked for it: the sentence is what helps.
  if (!known && process.env.CLAUDE_HOOKS_DEBUG !== undefined && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
  }
  process.exitCode = 1;
}
