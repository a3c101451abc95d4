/** `costs` and `budget raise`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { raiseBudget } from '../budgets/raises.ts';
import { type BudgetView, budgetsNow } from '../budgets/status.ts';
import { NotFound } from '../errors.ts';
import { oneLine } from '../terminal-text.ts';
import { COSTS_BY, type CostList, type CostsBy, listCosts } from '../views/costs.ts';
import { readHoldScopes } from '../views/hold-scopes.ts';
import { callerName } from './caller.ts';
import { withExamples } from './examples.ts';
import { readLimit, readSince, readUntil, readWords } from './option-values.ts';
import { renderCosts, renderRaised } from './print/costs.ts';
import { answer, reading, writing } from './shared.ts';

const DAY_MS = 86_400_000;

export function registerMoney(program: Command): void {
  const costs = program
    .command('costs')
    .description('what the model has cost, at list prices, and how much of each budget is spent')
    .addOption(
      new Option('--by <what>', 'one line for each of these').choices(COSTS_BY).default('repository'),
    )
    .option(
      '--since <time>',
      'only since then, as 24h, 7d or 2026-01-31; without it 30 days',
      (text: string) => readSince(text),
    )
    .option('--limit <number>', 'most lines to list', readLimit, 50)
    .option('--json', 'print JSON')
    .action(costsOne);
  withExamples(costs, [
    { call: 'costs --by day --since 7d', does: 'a line for each day of UTC' },
    { call: 'costs --by conversation', does: 'the dearest conversations of the last 30 days' },
  ]);
  const raise = program
    .command('budget')
    .description('budgets: see `costs` for what is spent of them')
    .command('raise')
    .description('allow more for one budget, until its period ends or until another time')
    .argument(
      '<what>',
      'day, month, agent:<name>, owner/name, an item as owner/name#12 or the id of a conversation',
    )
    .argument('<amount>', 'as $5 or 200000tokens', readAmount)
    .option(
      '--until <time>',
      'when it ends, as 2h, 3d or 2026-12-31; without it with the budget’s period',
      (text: string) => readUntil(text),
    )
    .option('--by <name>', 'who raises it; without this your user name', readWords)
    .option('--json', 'print JSON')
    .action(raiseOne);
  withExamples(raise, [
    { call: 'budget raise ada/greeter#12 $5', does: 'five dollars more for that conversation, for good' },
    { call: 'budget raise day 500000tokens', does: 'more for all agents, today' },
  ]);
}

interface Amount {
  usd: number;
  tokens: number;
}

function readAmount(text: string): Amount {
  const [, dollars, usd, tokens] =
    /^(?:\$(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)usd|(\d{1,12})tokens)$/i.exec(text.trim()) ?? [];
  const amount = { usd: Number(dollars ?? usd ?? 0), tokens: Number(tokens ?? 0) };
  if (amount.usd > 0 || amount.tokens > 0) return amount;
  throw new InvalidArgumentError('Give dollars as $5 or 5usd, or tokens as 200000tokens.');
}

async function costsOne(
  { by, since, limit }: { by: CostsBy; since?: number; limit: number },
  command: Command,
): Promise<void> {
  const now = Date.now();
  const found = await reading(command, async ({ database: { rows }, config }): Promise<CostsAnswer> => {
    const costs = await listCosts(rows, { by, since: since ?? now - 30 * DAY_MS, limit });
    return { ...costs, budgets: await budgetsNow(rows, config.budgets, now) };
  });
  answer(command, found, renderCosts);
}

export type CostsAnswer = CostList & { budgets: BudgetView[] };

async function raiseOne(
  what: string,
  amount: Amount,
  options: { until?: number; by?: string },
  command: Command,
): Promise<void> {
  const by = options.by ?? callerName(command);
  const raised = await writing(command, async ({ database, config }) => {
    const budgets =
      what === 'day' || what === 'month'
        ? [{ budget: what, label: what === 'day' ? 'all agents today' : 'all agents this month' }]
        : (await readHoldScopes(database.rows, what, config)).map(({ key, label }) => ({
            budget: key,
            label,
          }));
    if (budgets.some(({ budget }) => budget === 'all' || budget.startsWith('credential'))) {
      throw new NotFound(
        `${oneLine(what)} has no budget of its own. Give day, month, agent:<name>, owner/name or an item.`,
      );
    }
    const done = [];
    for (const { budget, label } of budgets) {
      const raise = { budget, ...amount, until: options.until ?? null, by, now: Date.now() };
      const { until, lifted } = await raiseBudget(database, config.budgets, raise);
      done.push({
        label,
        ...amount,
        until: until === null ? null : new Date(until).toISOString(),
        lifted: lifted.length,
      });
    }
    return done;
  });
  answer(command, raised, renderRaised);
}
