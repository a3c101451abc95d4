/** `hold`, `resume` and `holds`. */
import type { Command } from 'commander';
import { type Hold, type Lifted, liftHold, placeHold } from '../mailbox/holds.ts';
import { holdsCalled, readHoldScopes, WHAT } from '../views/hold-scopes.ts';
import { listHolds, viewHold } from '../views/holds.ts';
import { callerOf } from './caller.ts';
import { withExamples } from './examples.ts';
import { readUntil, readWords } from './option-values.ts';
import { renderHolds, renderLifted, renderPlaced } from './print/holds.ts';
import { answer, type Opened, reading, writing } from './shared.ts';

export function registerHolds(program: Command): void {
  registerHold(program);
  const resume = program
    .command('resume')
    .description('lift holds, whoever set them: what waited is run at once')
    .argument('<what>', `the id of a hold, or ${WHAT}`)
    .option('--by <name>', 'who lifts it; without this your user name', readWords)
    .option('--json', 'print JSON')
    .action(resumeOne);
  withExamples(resume, [
    { call: 'resume ada/greeter#12', does: 'lifts the holds of the conversations of that item' },
    { call: 'resume 0f3b6c1e', does: 'lifts one hold, as `holds` lists it' },
  ]);
  const list = program
    .command('holds')
    .description('what is held now: by whom, why and until when')
    .option('--json', 'print JSON')
    .action(holds);
  withExamples(list, [{ call: 'holds', does: 'all holds in force, oldest first' }]);
}

function registerHold(program: Command): void {
  const hold = program
    .command('hold')
    .description('start no more runs of something until it is resumed; what runs now goes on')
    .argument('<what>', WHAT)
    .requiredOption('--because <text>', 'the reason, shown to whoever asks why it waits', readWords)
    .option('--until <time>', 'when it ends by itself, as 2h, 3d or 2026-12-31 18:00Z', (text: string) =>
      readUntil(text),
    )
    .option('--by <name>', 'who holds it; without this your user name', readWords)
    .option('--json', 'print JSON')
    .action(holdOne);
  withExamples(hold, [
    { call: 'hold ada/greeter --because "release week" --until 3d', does: 'one repository for three days' },
    { call: 'hold all --because "looking at the bill"', does: 'everything, until `resume all`' },
  ]);
}

interface HoldOptions {
  because: string;
  until?: number;
  by?: string;
}

async function holdOne(text: string, options: HoldOptions, command: Command): Promise<void> {
  const by = { kind: 'person', name: nameOf(command, options.by) } as const;
  const placed = await writing(command, async ({ database, config }) => {
    const scopes = await readHoldScopes(database.rows, text, config);
    const { because: reason, until = null } = options;
    return await database.transaction(async (tx) => {
      const placed: Hold[] = [];
      for (const scope of scopes)
        placed.push(await placeHold(tx, { scope, reason, until, by, now: Date.now() }));
      return placed;
    });
  });
  answer(command, placed.map(viewHold), renderPlaced);
}

async function resumeOne(text: string, options: { by?: string }, command: Command): Promise<void> {
  const by = nameOf(command, options.by);
  const lifted = await writing(command, (opened) => lift(opened, text, by));
  answer(command, { lifted: lifted.lifted.map(viewHold) }, (r) => renderLifted(r.lifted, text));
}

async function lift({ database, config }: Opened, text: string, name: string): Promise<Lifted> {
  const by = { kind: 'person', name } as const;
  const ids = await holdsCalled(database.rows, text);
  const whose =
    ids.length > 0
      ? ids.map((id) => ({ id }))
      : (await readHoldScopes(database.rows, text, config)).map((scope) => ({ scope }));
  return await database.transaction(async (tx) => {
    const all: Lifted = { lifted: [], kept: [] };
    for (const one of whose) {
      const { lifted, kept } = await liftHold(tx, { ...one, by, now: Date.now() });
      all.lifted.push(...lifted);
      all.kept.push(...kept);
    }
    return all;
  });
}

async function holds(_options: unknown, command: Command): Promise<void> {
  const list = await reading(command, ({ database: { rows } }) => listHolds(rows, Date.now()));
  answer(command, list, renderHolds);
}

function nameOf(command: Command, given: string | undefined): string {
  const { env } = callerOf(command);
  return given ?? env.USER ?? env.LOGNAME ?? 'somebody on the command line';
}
