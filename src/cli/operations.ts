/** Commands that do something: serve, demo, migrate, replay, config check. */
import { type Command, Option } from 'commander';
import { migrate, openDatabase, pendingMigrations } from '../database/database.ts';
import { requireUsable } from '../database/opening.ts';
import { armFault, parseFault } from '../faults.ts';
import { replay } from '../replay.ts';
import type { EngineName } from '../vocabulary.ts';
import type { ServicePart } from '../wiring/service-parts.ts';
import { startService } from '../wiring.ts';
import { requireGit } from '../workdir/installed.ts';
import { callerOf } from './caller.ts';
import { withExamples } from './examples.ts';
import { readParts, readWords } from './option-values.ts';
import { answer, configFile, configOf } from './shared.ts';
import { onStopRequest, stopSignal } from './stopping.ts';

export function registerOperations(program: Command): void {
  const service = program
    .command('serve')
    .description('run the service: webhooks, routing and workers')
    .option(
      '--only <parts>',
      'start these parts alone, with commas between: web takes webhooks, router decides them, worker runs agents',
      readParts,
    )
    .action(async ({ only }: { only?: ServicePart[] }, command: Command) => serve(only, command));
  withExamples(service, [
    { call: 'serve -c /etc/claude-hooks/claude-hooks.yaml', does: 'until it is stopped' },
    { call: 'serve --only web,router', does: 'on PostgreSQL, beside a process with `--only worker`' },
  ]);
  registerDemo(program);
  const migration = program
    .command('migrate')
    .description('bring the database to this release')
    .option('--json', 'print JSON')
    .action(async (_options: unknown, command: Command) => runMigrate(command));
  withExamples(migration, [{ call: 'migrate', does: 'what `serve` does at its start, without starting' }]);
  registerReplay(program);
  const check = program
    .command('config')
    .description('questions about the configuration')
    .command('check')
    .description('read the configuration and name every problem')
    .option('--json', 'print JSON')
    .action((_options: unknown, command: Command) => checkConfig(command));
  withExamples(check, [{ call: 'config check -c try.yaml', does: 'reads it, its agents, flows and skills' }]);
}

function registerDemo(program: Command): void {
  const play = program
    .command('demo')
    .description('play the main job on real parts, without a forge, a key or a network')
    .option('--json', 'print one JSON object instead of the story')
    .option('--team', 'three agents carry an issue to a merged pull request')
    .option('--live', 'use the real model with ANTHROPIC_API_KEY')
    .option('--model <name>', 'model for --live', readWords)
    .addOption(
      new Option('--engine <name>', 'where the agent runs')
        .choices(['auto', 'docker', 'podman', 'bubblewrap', 'process'])
        .default('auto'),
    )
    .option('--image <name>', 'image for docker and podman', readWords)
    .option('--keep', 'keep the folder to look at')
    .action(demo);
  withExamples(play, [
    { call: 'demo', does: 'about ten seconds, on the first container engine that works' },
    { call: 'demo --team', does: 'an issue, red CI, a review, changes, an approval and the merge' },
    {
      call: 'demo --engine podman --image ghcr.io/you/agent:1',
      does: 'the same in a container of that image',
    },
  ]);
}

function registerReplay(program: Command): void {
  const again = program
    .command('replay')
    .description('route a stored delivery again, or a payload from a file')
    .argument(
      '<delivery-or-file>',
      'delivery id (ours or the forge’s, or the beginning of it), or a file of JSON',
    )
    .option('--forge <name>', 'for a file: the configured forge it comes from', readWords)
    .option(
      '--event <name>',
      'for a file: what the forge calls the event, as its webhook’s headers do',
      readWords,
    )
    .option('--json', 'print JSON')
    .action(async (what: string, options: ReplayOptions, command: Command) => {
      const result = await replay(configFile(command), callerOf(command).env, { what, ...options });
      answer(
        command,
        result,
        (r) =>
          `Delivery ${r.delivery} is stored; a running service routes it now. \`claude-hooks explain ${r.delivery.slice(0, 8)}\` tells what came of it.`,
      );
    });
  withExamples(again, [
    { call: 'replay 0f3b6c1e', does: 'a stored delivery, as it was' },
    {
      call: 'replay payload.json --forge home --event issue_assign',
      does: 'a payload that was saved to a file',
    },
  ]);
}

interface ReplayOptions {
  forge?: string;
  event?: string;
}

async function serve(only: ServicePart[] | undefined, command: Command): Promise<void> {
  const { env, write } = callerOf(command);
  await requireGit(env.PATH);
  const fault = env.CLAUDE_HOOKS_FAULT;
  if (fault !== undefined) armFault(parseFault(fault));
  const service = await startService({
    file: configFile(command),
    env,
    write,
    terminal: process.stdout.isTTY === true,
    ...(only === undefined ? {} : { only }),
  });
  await new Promise<void>((resolve) => {
    let asked = false;
    onStopRequest(({ kind, exitCode }) => {
      // A second signal ends the process at once. `nobody-reads` does not: it comes again with each line of the log.
      if (asked && kind === 'nobody-reads') return;
      if (asked) process.exit(130);
      asked = true;
      // A dispatch that still waits for a silent forge is put back at the next start. After `nobody-reads` the exit code
      // is a failure, so that a supervisor starts the service again.
      void service.stop().then(() => process.exit(kind === 'signal' ? 0 : exitCode), resolve);
    });
  });
}

interface DemoChoices {
  json?: boolean;
  team?: boolean;
  live?: boolean;
  model?: string;
  engine: 'auto' | EngineName;
  image?: string;
  keep?: boolean;
}

async function demo(options: DemoChoices, command: Command): Promise<void> {
  const caller = callerOf(command);
  const say = (line: string) => (options.json ? caller.complain : caller.write)(`${line}\n`);
  await requireGit(caller.env.PATH);
  // Loaded here and not above, because `serve` shares this file and would keep the demo's forge and model in memory.
  const { runDemo } = await import('../demo/demo.ts');
  const { runTeamDemo } = await import('../demo/team.ts');
  const common = {
    env: caller.env,
    engine: options.engine,
    image: options.image ?? null,
    keep: options.keep ?? false,
    say,
    signal: stopSignal(),
  };
  if (options.team === true && options.live === true) {
    throw new Error('--team plays with the rehearsal model alone. Leave --live out.');
  }
  const report =
    options.team === true
      ? await runTeamDemo(common)
      : await runDemo({ ...common, live: options.live ?? false, liveModel: options.model ?? null });
  if (options.json) caller.write(`${JSON.stringify(report, null, 2)}\n`);
  else say(`\n${report.seconds.toFixed(1)} s`);
  const { proof } = report;
  const isProved =
    'merged' in proof ? Object.values(proof).every(Boolean) : proof.sameSession && proof.recalledFact;
  if (!isProved) caller.exitCode = 1;
}

async function runMigrate(command: Command): Promise<void> {
  const config = configOf(command);
  const database = openDatabase({ url: config.database.url });
  try {
    await requireUsable(database, config.database.url);
    const pending = await pendingMigrations(database);
    const report = await migrate(database);
    answer(command, { pending, ...report }, (r) =>
      r.applied.length === 0
        ? `The database is up to date (${r.version}).`
        : `Applied: ${r.applied.join(', ')}.`,
    );
  } finally {
    await database.close();
  }
}

function checkConfig(command: Command): void {
  const config = configOf(command);
  const summary = {
    file: config.file,
    state: config.state,
    forges: Object.keys(config.forges),
    agents: [...config.agents.keys()],
    flows: config.flows.filter((f) => f.enabled).map((f) => f.name),
    skills: [...config.skills.keys()],
    warnings: config.warnings,
  };
  answer(command, summary, (s) =>
    [
      `${s.file} is right.`,
      `forges: ${s.forges.join(', ')}`,
      `agents: ${s.agents.join(', ')}`,
      `flows:  ${s.flows.join(', ')}`,
      ...s.warnings.map((w) => `warning: ${w}`),
    ].join('\n'),
  );
}
