/** `init`: sets a forge up for this service, or undoes it. What is not given as an option is asked for at a terminal. */
import { readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { packageFolder } from '../config/package-folder.ts';
import { SET_UP_KINDS } from '../forges/registry.ts';
import { InitRefused } from '../init/refusal.ts';
import type { HookLevel } from '../init/wish.ts';
import { type Prepared, prepareInit, prepareRemoval } from '../init.ts';
import { callerOf } from './caller.ts';
import { withExamples } from './examples.ts';
import { administratorToken, type InitOptions, wishOf } from './init-wish.ts';
import { readMoreWords, readWords } from './option-values.ts';
import { type InitReport, renderInit, renderPlan, renderRemoval } from './print/init.ts';
import { answer, configFile } from './shared.ts';

const LEVELS: readonly HookLevel[] = ['repository', 'owner', 'system', 'none'];

export function registerInit(program: Command): void {
  const command = program
    .command('init')
    .description(
      'set a forge up for this service: accounts, tokens, members, labels, hook, configuration; or undo it',
    )
    .option('--url <address>', 'the forge, as people open it', readWords)
    .option('--kind <kind>', `${SET_UP_KINDS.join(' or ')} (default: as the forge says)`, readWords)
    .option('--name <name>', 'its name in the configuration', readWords, 'home')
    .option('--admin-token-file <file>', 'file with an administrator’s token', readWords)
    .option('--repositories <names...>', 'owner/name or owner/*; several', readMoreWords)
    .option(
      '--agents <agents...>',
      'agents, each with its login where that is not <agent>-bot: dev reviewer=review-bot (default: all that are shipped)',
      readMoreWords,
    )
    .option(
      '--token-file <agent=file...>',
      'token of an account that is there already; several',
      readMoreWords,
    )
    .option('--mail-domain <domain>', 'of new accounts (default: noreply.<host of the forge>)', readWords)
    .addOption(
      new Option('--hook <whose>', 'whose deliveries are sent').choices(LEVELS).default('repository'),
    )
    .option('--public-url <address>', 'where the forge reaches this service', readWords)
    .option('--model-key-file <file>', 'file with the model’s key (default: $ANTHROPIC_API_KEY)', readWords)
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--yes', 'do it without asking')
    .option('--no-doctor', 'do not look at the installation afterwards')
    .option('--remove', 'take away what init made, and nothing else')
    .option('--json', 'print JSON')
    .action(runInit);
  withExamples(command, [
    {
      call: 'init',
      does: 'at a terminal: asks for the address, the token and the rest, says what it will do, and asks again',
    },
    {
      call: 'init --url https://forge.example.org --repositories ada/greeter --public-url https://hooks.example.org --admin-token-file token --yes',
      does: 'in a script; the token may also be in $CLAUDE_HOOKS_ADMIN_TOKEN, and is never an argument',
    },
    { call: 'init --remove --dry-run', does: 'what would be taken away' },
  ]);
}

async function runInit(options: InitOptions, command: Command): Promise<void> {
  const report = options.remove === true ? await undo(options, command) : await setUp(options, command);
  const isWell = report.refusals.length === 0 && report.stopped === null;
  if (!isWell) callerOf(command).exitCode = 1;
  answer(command, report, options.remove === true ? renderRemoval : renderInit);
}

const NOTHING: InitReport = {
  forge: null,
  administrator: null,
  planned: [],
  already: [],
  done: [],
  leaves: [],
  difference: [],
  warnings: [],
  refusals: [],
  stopped: null,
  next: [],
};

async function setUp(options: InitOptions, command: Command): Promise<InitReport> {
  const caller = callerOf(command);
  const file = resolve(configFile(command));
  try {
    const wish = await wishOf(options, { file, caller, shippedAgents: shippedAgents() });
    const token = await administratorToken(options, caller);
    const prepared = await prepareInit(wish, { env: caller.env, administratorToken: token });
    const report = planned(prepared);
    if (report.refusals.length > 0 || options.dryRun === true) return report;
    if (report.planned.length > 0) {
      const stopped = await agreed(options, command, () => renderPlan(report));
      if (stopped !== null) return { ...report, stopped };
      try {
        await prepared.carryOut((says) => report.done.push(says));
      } catch (error) {
        if (!(error instanceof InitRefused)) throw error;
        return { ...report, refusals: [error.refusal] };
      }
    }
    return { ...report, next: options.doctor ? await next(command, file) : [] };
  } catch (error) {
    if (!(error instanceof InitRefused)) throw error;
    return { ...NOTHING, refusals: [error.refusal] };
  }
}

function planned({ plan, found, says, difference, warnings }: Prepared): InitReport {
  return {
    ...NOTHING,
    forge: found.forge,
    administrator: found.administrator.login,
    planned: says,
    already: plan.already,
    done: [],
    difference,
    warnings,
    refusals: plan.refusals,
  };
}

async function undo(options: InitOptions, command: Command): Promise<InitReport> {
  const caller = callerOf(command);
  const file = resolve(configFile(command));
  const at = { file, forge: options.name };
  try {
    const known = prepareRemoval(at, { env: caller.env, administratorToken: '' });
    if (known === null) return { ...NOTHING, already: [`init made nothing for the forge ${options.name}`] };
    const report = { ...NOTHING, planned: known.removal.takes, leaves: known.removal.leaves };
    if (options.dryRun === true) return report;
    const token = await administratorToken(options, caller);
    const stopped = await agreed(options, command, () => renderRemoval(report));
    if (stopped !== null) return { ...report, stopped };
    await prepareRemoval(at, { env: caller.env, administratorToken: token })?.carryOut();
    return { ...report, done: report.planned };
  } catch (error) {
    if (!(error instanceof InitRefused)) throw error;
    return { ...NOTHING, refusals: [error.refusal] };
  }
}

/** null: go on; else why nothing was done */
async function agreed(options: InitOptions, command: Command, plan: () => string): Promise<string | null> {
  if (options.yes === true) return null;
  const { ask, complain } = callerOf(command);
  if (ask == null) {
    return 'Nothing was done, because nobody can be asked here. Give --yes to do it, or --dry-run to see the plan alone.';
  }
  complain(`${plan()}\n`);
  const said = await ask.text('Do it? (yes or no)', 'no');
  return /^y(es)?$/i.test(said) ? null : 'Nothing was done.';
}

/** Of the shipped ones all that have an agent's file. */
function shippedAgents(): string[] {
  const files = readdirSync(join(packageFolder(), 'defaults', 'agents'));
  return files.filter((name) => name.endsWith('.md')).map((name) => basename(name, '.md'));
}

/** What doctor says about the new installation, and what is left to a person. */
async function next(command: Command, file: string): Promise<string[]> {
  const { env } = callerOf(command);
  const [{ readConfig }, { runDoctor }, { doctorContext }] = await Promise.all([
    import('../config/load.ts'),
    import('../checks/doctor.ts'),
    import('../wiring/health.ts'),
  ]);
  const { outcome } = readConfig({ file, env });
  if (outcome.kind === 'rejected') {
    const [first] = outcome.error.problems;
    return [
      `${first?.path}: ${first?.problem}. ${first?.remedy} Then run \`claude-hooks doctor\` and \`serve\`.`,
    ];
  }
  const report = await runDoctor(doctorContext(outcome.config, { env, testDeliveries: false }));
  const found = report.findings.map(
    ({ severity, subject, problem, remedy }) => `doctor, ${severity}: ${subject}: ${problem}. ${remedy}`,
  );
  return [
    ...(found.length === 0 ? ['doctor: nothing is wrong.'] : found),
    'Start it with `claude-hooks serve`.',
  ];
}
