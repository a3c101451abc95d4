/** The commands. Loaded by `cli.ts` when this is a Node that they can run on. */
import { styleText } from 'node:util';
import { Command, CommanderError } from 'commander';
import { ignoreNodesOwnProxy } from '../network.ts';
import { packageVersion } from '../wiring/version.ts';
import { registerAnswers } from './answers.ts';
import { askAtTerminal } from './ask.ts';
import { registerAttach } from './attach.ts';
import { type Caller, registerCaller } from './caller.ts';
import { failureOf, UsageError } from './failure.ts';
import { registerHealth } from './health.ts';
import { registerHolds } from './holds.ts';
import { registerInit } from './init.ts';
import { registerLayers } from './layers.ts';
import { registerMoney } from './money.ts';
import { registerOperations } from './operations.ts';
import { readWords } from './option-values.ts';
import { registerPackages } from './packages.ts';
import { registerPeople } from './people.ts';
import { registerRehearsal } from './rehearsal.ts';
import { registerSessions } from './sessions.ts';
import { registerSteering } from './steering.ts';
import { endWhenNobodyReads, wasCut } from './stopping.ts';
import { registerViews } from './views.ts';

/** Runs the command that this process was started with. */
export async function start(): Promise<void> {
  // Files that a command writes (archives, exports, state) are for the calling user alone.
  // guard: files: the umask of the service, part 2
  process.umask(0o077);
  endWhenNobodyReads();
  if ((process.env.NODE_USE_ENV_PROXY ?? '') !== '' || startedWith('--use-env-proxy')) ignoreNodesOwnProxy();
  const caller: Caller = {
    env: process.env,
    write: (text) => void process.stdout.write(text),
    complain: (text) => void process.stderr.write(text),
    colour: null,
    exitCode: 0,
    ask: askAtTerminal(),
  };
  const exitCode = await run(process.argv.slice(2), caller);
  // When the command was cut short, the signal handler has set the exit code.
  if (!wasCut()) process.exitCode = exitCode;
}

/** Answers the exit code: 0, or what the command says; 1 where it could not answer. */
export async function run(args: readonly string[], caller: Caller): Promise<number> {
  try {
    await buildProgram(caller).parseAsync([...args], { from: 'user' });
    return caller.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    if (!wasCut()) complain(error, { args, caller });
    return 1;
  }
}

export function buildProgram(caller: Caller): Command {
  const program = new Command('claude-hooks')
    .description('Forge webhooks in, one durable Claude conversation per issue or pull request, work out.')
    .option('-c, --config <file>', 'configuration file', readWords, 'claude-hooks.yaml')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({
      // guard: cli: every help shows the options of all commands
      showGlobalOptions: true,
      styleTitle: (title) => styleText('bold', title, { validateStream: false }),
    })
    .configureOutput({
      writeOut: caller.write,
      writeErr: caller.complain,
      // `complain` writes errors, as one sentence or as JSON.
      outputError: () => {},
      ...(caller.colour === null
        ? {}
        : { getOutHasColors: () => caller.colour === true, getErrHasColors: () => caller.colour === true }),
    });
  registerCaller(program, caller);
  registerInit(program);
  registerOperations(program);
  registerViews(program);
  registerHolds(program);
  registerMoney(program);
  registerSessions(program);
  registerPeople(program);
  registerSteering(program);
  registerAttach(program);
  registerAnswers(program);
  registerLayers(program);
  registerHealth(program);
  registerPackages(program);
  registerRehearsal(program);
  throwRatherThanExit(program, program.name());
  return program;
}

/** Set on each command by itself, because the library does not tell which one refused the call. */
function throwRatherThanExit(command: Command, name: string): void {
  command.exitOverride((error) => {
    const isPrinted = error.exitCode === 0 || error.code === 'commander.help';
    throw isPrinted ? error : new UsageError(error, name);
  });
  for (const sub of command.commands) throwRatherThanExit(sub, `${name} ${sub.name()}`);
}

function complain(error: unknown, { args, caller }: { args: readonly string[]; caller: Caller }): void {
  const failure = failureOf(error);
  // `--json` is looked for by hand: when the call itself is wrong, the library has parsed nothing.
  const end = args.indexOf('--');
  // guard: cli: errors are JSON where answers are
  const isJson = (end === -1 ? args : args.slice(0, end)).includes('--json');
  // guard: cli: an error leaves standard output empty
  caller.complain(`${isJson ? JSON.stringify(failure, null, 2) : failure.error.message}\n`);
  // The stack is printed only with CLAUDE_HOOKS_DEBUG; the sentence above is what helps most people.
  const isAsked = failure.error.kind === 'unexpected' && caller.env.CLAUDE_HOOKS_DEBUG !== undefined;
  if (isAsked && error instanceof Error) caller.complain(`${error.stack}\n`);
}

function startedWith(flag: string): boolean {
  return [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)].includes(flag);
}
