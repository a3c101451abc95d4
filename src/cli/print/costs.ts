/** Money in words. */
import type { BudgetView } from '../../budgets/status.ts';
import { count, oneLine, type Paint, plain, showTime } from '../../terminal-text.ts';
import type { CostList, CostView } from '../../views/costs.ts';
import { columns, indent } from './columns.ts';

export function renderCosts(
  found: CostList & { budgets: readonly BudgetView[] },
  paint: Paint = plain,
): string {
  const lines = columns([
    [found.by, 'dollars', 'requests', 'new input', 'cache writes', 'cache reads', 'output'].map((t) =>
      paint('title', t),
    ),
    ...found.costs.map((cost) => lineOf(oneLine(cost.of, 80), cost)),
    lineOf('in all', found.total),
  ]);
  return [
    ...lines,
    ...unknownLines(found),
    ...(found.budgets.length === 0
      ? ['No budget is set; see docs/budgets.md.']
      : [paint('title', 'budgets'), ...indent(columns(found.budgets.map(budgetLine)))]),
  ].join('\n');
}

function lineOf(name: string, { usd, unpriced, requests, tokens }: Omit<CostView, 'of'>): string[] {
  const { input, cacheWrite, cacheRead, output } = tokens;
  const cost = `$${usd.toFixed(4)}${unpriced > 0 ? ' +?' : ''}`;
  return [name, cost, ...[requests, input, cacheWrite, cacheRead, output].map(String)];
}

function unknownLines({ total, unknown }: CostList): string[] {
  const unpriced = `+? ${count(total.unpriced, 'request')} of a model without a known price: not in the dollars, and in the tokens.`;
  const lost = `${count(unknown.requests, 'request')} cut off before the cost was known: $${unknown.atMostUsd.toFixed(4)} at most, not in these sums; budgets count it.`;
  return [...(total.unpriced > 0 ? [unpriced] : []), ...(unknown.requests > 0 ? [lost] : [])];
}

function budgetLine({ label, budget, usd, tokens, used, until }: BudgetView): string[] {
  const dollars = usd.cap === null ? [] : [`$${usd.spent.toFixed(2)} of $${usd.cap}`];
  const counted = tokens.cap === null ? [] : [`${tokens.spent} of ${tokens.cap} tokens`];
  const period = budget === 'month' ? 'this month' : 'today';
  return [
    `${oneLine(label)} ${period}`,
    [...dollars, ...counted].join(', '),
    `${Math.floor(used * 100)} %`,
    `until ${showTime(until)}`,
  ];
}

export function renderRaised(
  raised: readonly { label: string; usd: number; tokens: number; until: string | null; lifted: number }[],
): string {
  return raised
    .map(({ label, usd, tokens, until, lifted }) => {
      const amount = usd > 0 ? `$${usd}` : `${tokens} tokens`;
      const end = until === null ? 'for good' : `until ${showTime(until)}`;
      return `${oneLine(label)} may spend ${amount} more, ${end}.${lifted > 0 ? ' What its budget had held goes on now.' : ''}`;
    })
    .join('\n');
}
