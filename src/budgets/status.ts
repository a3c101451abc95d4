/** How much of each budget that is shared is spent now. */
import type { BudgetSettings } from '../config/budget-settings.ts';
import type { Rows } from '../database/database.ts';
import { standingsOf } from './admission.ts';
import { capOf, type Standing, usedShare } from './decide.ts';
import { limitsOf, type Spender } from './limits.ts';

export interface BudgetView {
  /** `day`, `month`, `agent:<name>`, `repository:<forge>/<id>` */
  budget: string;
  label: string;
  /** RFC 3339 in UTC */
  since: string;
  until: string | null;
  usd: { spent: number; cap: number | null };
  tokens: { spent: number; cap: number | null };
  /** from 0; the larger of the two */
  used: number;
  /** requests of a model without a price: they count in tokens only */
  unpriced: number;
  /** the most that requests under way may cost */
  underWay: { usd: number; tokens: number };
}

/** Series and lines for more would be a burden for whoever reads them. */
const MOST_REPOSITORIES = 200;
const NO_CAPS = { usd: null, tokens: null };

/** Of everything, of each agent and of each repository that has a budget; those of conversations are as many as these. */
export async function budgetsNow(rows: Rows, settings: BudgetSettings, now: number): Promise<BudgetView[]> {
  const spenders = await someOfEach(rows);
  const found = new Map<string, BudgetView>();
  for (const spender of spenders) {
    const limits = limitsOf(settings, spender, { now, runCaps: NO_CAPS }).filter(
      ({ kind, budget }) => kind !== 'run' && kind !== 'conversation' && !found.has(budget),
    );
    for (const standing of await standingsOf(rows, limits, { spender, now })) {
      found.set(standing.limit.budget, viewOf(standing));
    }
  }
  return [...found.values()].toSorted((a, b) => a.budget.localeCompare(b.budget));
}

/** One conversation for each agent and repository, or none that exists: budgets of everything are there at once. */
async function someOfEach(rows: Rows): Promise<Spender[]> {
  const found = await rows
    .selectFrom('conversations')
    .select(['agent', 'forge', 'repository_id', (e) => e.fn.max('repository_name').as('repository_name')])
    .groupBy(['agent', 'forge', 'repository_id'])
    .limit(MOST_REPOSITORIES)
    .execute();
  const nobody = { id: '', dispatchId: '', item_number: 0 };
  const none = { ...nobody, agent: '', forge: '', repository_id: '', repository_name: '' };
  return found.length === 0
    ? [none]
    : found.map((of) => ({ ...nobody, ...of, repository_name: of.repository_name! }));
}

function viewOf(standing: Standing): BudgetView {
  const { limit, raised, spent, open } = standing;
  const cap = capOf(limit, raised);
  return {
    budget: limit.budget,
    label: limit.label,
    since: new Date(limit.period.start).toISOString(),
    until: limit.period.end === null ? null : new Date(limit.period.end).toISOString(),
    usd: { spent: spent.microUsd / 1e6, cap: cap.usd },
    tokens: { spent: spent.tokens, cap: cap.tokens },
    used: usedShare(standing).share,
    unpriced: spent.unpriced,
    underWay: { usd: open.microUsd / 1e6, tokens: open.tokens },
  };
}
