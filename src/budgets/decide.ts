/** Whether a request may be sent, from what was spent of each of its budgets. Pure. */
import type { Caps } from '../config/budget-settings.ts';
import type { Limit } from './limits.ts';
import type { Raised, Spent } from './spent.ts';

export interface Standing {
  limit: Limit;
  raised: Raised;
  spent: Spent;
  /** the most that requests under way may cost */
  open: Spent;
}

export type Unit = 'usd' | 'tokens';

export type Decision =
  | { kind: 'admit' }
  /** it fits if those under way cost less than they may: wait for them */
  | { kind: 'busy'; standing: Standing }
  | { kind: 'spent'; standing: Standing; unit: Unit }
  /** a budget in dollars, and a model whose price is not known */
  | { kind: 'unpriced'; standing: Standing };

/**
 * A request is sent while what was spent, and the most that those under way may cost, are below each cap. So the total
 * passes a cap by what the last request costs, at most.
 */
export function decide(standings: readonly Standing[], isPriced: boolean): Decision {
  // guard: budget: a model without a price
  const unpriced = isPriced ? undefined : standings.find(({ limit }) => limit.cap.usd !== null);
  if (unpriced !== undefined) return { kind: 'unpriced', standing: unpriced };
  for (const standing of standings) {
    const unit = spentUnit(standing);
    // guard: budget: spent
    if (unit !== null) return { kind: 'spent', standing, unit };
  }
  for (const standing of standings) {
    // guard: budget: requests under way count at their most
    if (unitOver(standing, standing.open) !== null) return { kind: 'busy', standing };
  }
  return { kind: 'admit' };
}

const NOTHING = { microUsd: 0, tokens: 0 };

export function spentUnit(standing: Standing): Unit | null {
  return unitOver(standing, NOTHING);
}

function unitOver({ limit, raised, spent }: Standing, more: Pick<Spent, 'microUsd' | 'tokens'>): Unit | null {
  const { usd, tokens } = capOf(limit, raised);
  if (usd !== null && spent.microUsd + more.microUsd >= Math.round(usd * 1e6)) return 'usd';
  return tokens !== null && spent.tokens + more.tokens >= tokens ? 'tokens' : null;
}

export function capOf({ cap }: Limit, raised: Raised): Caps {
  return {
    usd: cap.usd === null ? null : cap.usd + raised.usd,
    tokens: cap.tokens === null ? null : cap.tokens + raised.tokens,
  };
}

/** How much of it is spent, from 0; the larger of dollars and tokens. */
export function usedShare({ limit, raised, spent }: Standing): { share: number; unit: Unit } {
  const { usd, tokens } = capOf(limit, raised);
  const ofUsd = usd === null ? 0 : spent.microUsd / (usd * 1e6);
  const ofTokens = tokens === null ? 0 : spent.tokens / tokens;
  return ofUsd >= ofTokens ? { share: ofUsd, unit: 'usd' } : { share: ofTokens, unit: 'tokens' };
}

const PERIODS: Record<Limit['kind'], string> = {
  run: '',
  conversation: '',
  repository: ' of this day',
  agent: ' of this day',
  day: ' of this day',
  month: ' of this month',
};

/** As `the budget of repository home:ada/greeter of this day is spent: $5.02 of $5`. */
export function saySpent(standing: Standing, unit: Unit): string {
  return `the budget of ${standing.limit.label}${PERIODS[standing.limit.kind]} is spent: ${sayShare(standing, unit)}`;
}

export function sayShare({ limit, raised, spent }: Standing, unit: Unit): string {
  const cap = capOf(limit, raised);
  return unit === 'usd'
    ? `$${sayUsd(spent.microUsd / 1e6)} of $${sayUsd(cap.usd!)}`
    : `${spent.tokens} of ${cap.tokens} tokens`;
}

function sayUsd(usd: number): string {
  return usd.toFixed(usd < 1 ? 4 : 2).replace(/\.?0+$/, '');
}
