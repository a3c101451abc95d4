/** Commands that do something: serve, demo, migrate, replay, config check. */
import { type Command, Option } from 'commander';
import { loadConfig } from '../config/load.ts';
import { migrate, openDatabase, pendingMigrations } from '../database/database.ts';
import { requireUsable } from '../database/opening.ts';
import { armFault, parseFault } from '../faults.ts';
import { replay } from '../replay.ts';
import type { EngineName } from '../vocabulary.ts';
import { startService } from '../wiring.ts';
import { requireGit } from '../workdir/installed.ts';
import { answer, configFile } from './shared.ts';
import { onStopRequest, stopSignal } from './stopping.ts';

export function registerOperations(program: Command): void {
  program
    .command('serve')
    .description('run the service: webhooks, routing and workers')
    .action(async (_options: unknown, command: Command) => serve(configFile(command)));
  program
    .command('demo')
    .description('play the main job on real parts, without a forge, a key or a network')
    .option('--json', 'print one JSON object instead of the story')
    .option('--live', 'use the real model with ANTHROPIC_API_KEY')
    .option('--model <name>', 'model for --live')
    .addOption(
      new Option('--engine <name>', 'where the agent runs')
        .choices(['auto', 'docker', 'podman', 'bubblewrap', 'process'])
        .default('auto'),
    )
    .option('--image <name>', 'image for docker and podman')
    .option('--keep', 'keep the folder to look at')
    .action(demo);
  program
    .command('migrate')
    .description('bring the database to this release')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }, command: Command) =>
      runMigrate(configFile(command), options),
    );
  program
    .command('replay <delivery-or-file>')
    .description('route a stored delivery again, or a payload from a file')
    .option('--forge <name>', 'for a file: the configured forge it comes from')
    .option('--event <name>', 'for a file: the value of X-Forgejo-Event-Type')
    .option('--json', 'print JSON')
    .action(async (what: string, options: ReplayOptions, command: Command) => {
      const result = await replay(configFile(command), process.env, { what, ...options });
      answer(
        result,
        options,
        (r) =>
          `Delivery ${r.delivery} is stored; a running service routes it now. \`claude-hooks explain ${r.delivery.slice(0, 8)}\` tells what came of it.`,
      );
    });
  program
    .command('config')
    .description('questions about the configuration')
    .command('check')
    .description('read the configuration and name every problem')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }, command: Command) => checkConfig(configFile(command), options));
}

interface ReplayOptions {
  forge?: string;
  event?: string;
  json?: boolean;
}

async function serve(file: string): Promise<void> {
  await requireGit(process.env.PATH);
  const fault = process.env.CLAUDE_HOOKS_FAULT;
  if (fault !== undefined) armFault(parseFault(fault));
  const service = await startService({
    file,
    env: process.env,
    write: (line) => void process.stdout.write(line),
    terminal: process.stdout.isTTY === true,
  });
  await new Promise<void>((resolve) => {
    let asked = false;
    onStopRequest(({ kind, exitCode }) => {
      // A second signal does not wait for the drain. A log that nobody reads is heard of at each line.
      if (asked && kind === 'nobody-reads') return;
      if (asked) process.exit(130);
      asked = true;
      // Whatever still hangs on a silent forge is rescued at the next start. Nobody asked for an end without a reader: a
      // supervisor that restarts after failures starts it again.
      void service.stop().then(() => process.exit(kind === 'signal' ? 0 : exitCode), resolve);
    });
  });
}

async function demo(options: {
  json?: boolean;
  live?: boolean;
  model?: string;
  engine: 'auto' | EngineName;
  image?: string;
  keep?: boolean;
}): Promise<void> {
  const say = (line: string) => void (options.json ? process.stderr : process.stdout).write(`${line}\n`);
  await requireGit(process.env.PATH);
  // Loaded here and not above: `serve` shares this file, and would keep forge and model of the demo in its memory.
  const { runDemo } = await import('../demo/demo.ts');
  const signal = stopSignal();
  const report = await runDemo({
    env: process.env,
    live: options.live ?? false,
    liveModel: options.model ?? null,
    engine: options.engine,
    image: options.image ?? null,
    keep: options.keep ?? false,
    say,
    signal,
  });
  if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else say(`\n${report.seconds.toFixed(1)} s`);
  if (!report.proof.sameSession || !report.proof.recalledFact) process.exitCode = 1;
}

async function runMigrate(file: string, options: { json?: boolean }): Promise<void> {
  const config = loadConfig({ file, env: process.env });
  const database = openDatabase({ url: config.database.url });
  try {
    await requireUsable(database, config.database.url);
    const pending = await pendingMigrations(database);
    const report = await migrate(database);
    answer({ pending, ...report }, options, (r) =>
      r.applied.length === 0
        ? `The database is up to date (${r.version}).`
        : `Applied: ${r.applied.join(', ')}.`,
    );
  } finally {
    await database.close();
  }
}

function checkConfig(file: string, options: { json?: boolean }): void {
  const config = loadConfig({ file, env: process.env });
  const summary = {
    file: config.file,
    state: config.state,
    forges: Object.keys(config.forges),
    agents: [...config.agents.keys()],
    flows: config.flows.filter((f) => f.enabled).map((f) => f.name),
    skills: [...config.skills.keys()],
    warnings: config.warnings,
  };
  answer(summary, options, (s) =>
    [
      `${s.file} is right.`,
      `forges: ${s.forges.join(', ')}`,
      `agents: ${s.agents.join(', ')}`,
      `flows:  ${s.flows.join(', ')}`,
      ...s.warnings.map((w) => `warning: ${w}`),
    ].join('\n'),
  );
}
