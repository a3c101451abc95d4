/** Which budgets a request counts against. Pure. */
import type { BudgetSettings, Caps, OwnBudgets } from '../config/budget-settings.ts';
import {
  agentScope,
  conversationScope,
  EVERYTHING,
  type HoldScope,
  repositoryScope,
} from '../mailbox/holds.ts';
import { type Period, periodOf } from './calendar.ts';

/** Whose request it is. */
export interface Spender {
  dispatchId: string;
  /** the conversation's */
  id: string;
  agent: string;
  forge: string;
  repository_id: string;
  repository_name: string;
  item_number: number;
}

export type LimitKind = 'run' | 'conversation' | 'repository' | 'agent' | 'day' | 'month';

export interface Limit {
  kind: LimitKind;
  /** names it in rows: `conversation:<id>`, `repository:<forge>/<id>`, `agent:<name>`, `day`, `month`, `run:<id>` */
  budget: string;
  /** for people */
  label: string;
  /** what is held when it is spent; null = the run ends */
  scope: HoldScope | null;
  period: Period;
  cap: Caps;
}

const ALWAYS: Period = { start: 0, end: null };

/** Smallest first. `runCaps`: those of the agent itself. */
export function limitsOf(settings: BudgetSettings, of: Spender, o: { now: number; runCaps: Caps }): Limit[] {
  const agent = settings.agents[of.agent];
  const repository = repositorySettings(settings, of.repository_name);
  const day = () => periodOf(o.now, 'day', settings.timeZone);
  const month = () => periodOf(o.now, 'month', settings.timeZone);
  const found: Limit[] = [];
  const add = (limit: Omit<Limit, 'cap' | 'period'>, cap: Caps | null | undefined, period: () => Period) => {
    if (cap != null && (cap.usd !== null || cap.tokens !== null))
      found.push({ ...limit, cap, period: period() });
  };
  const runCap = lower(o.runCaps, agent?.run ?? settings.run);
  add({ kind: 'run', budget: `run:${of.dispatchId}`, label: 'this run', scope: null }, runCap, () => ALWAYS);
  add(
    limitOn('conversation', conversationScope(of)),
    repository?.conversation ?? agent?.conversation ?? settings.conversation,
    () => ALWAYS,
  );
  add(limitOn('repository', repositoryScope(of)), repository?.day ?? settings.repositoryDay, day);
  add(limitOn('agent', agentScope(of.agent)), agent?.day ?? settings.agentDay, day);
  add({ kind: 'day', budget: 'day', label: 'all agents', scope: EVERYTHING }, settings.day, day);
  add({ kind: 'month', budget: 'month', label: 'all agents', scope: EVERYTHING }, settings.month, month);
  return found;
}

function limitOn(kind: LimitKind, scope: HoldScope): Omit<Limit, 'cap' | 'period'> {
  return { kind, budget: scope.key, label: scope.label, scope };
}

function repositorySettings(settings: BudgetSettings, name: string): OwnBudgets | undefined {
  return settings.repositories[name.toLowerCase()];
}

function lower(a: Caps, b: Caps | null): Caps {
  const least = (x: number | null, y: number | null) => (x === null ? y : y === null ? x : Math.min(x, y));
  return { usd: least(a.usd, b?.usd ?? null), tokens: least(a.tokens, b?.tokens ?? null) };
}

/** When no run of this conversation begins, and how much must be left of its budgets for one. */
export function startRules(
  settings: BudgetSettings,
  of: Spender,
): { scope: HoldScope; quietHours: readonly string[]; leftPercent: number } {
  const agent = settings.agents[of.agent];
  const repository = repositorySettings(settings, of.repository_name);
  const leftPercent =
    repository?.startWhenLeftPercent ?? agent?.startWhenLeftPercent ?? settings.startWhenLeftPercent;
  if (repository?.quietHours != null) {
    return { scope: repositoryScope(of), quietHours: repository.quietHours, leftPercent };
  }
  if (agent?.quietHours != null)
    return { scope: agentScope(of.agent), quietHours: agent.quietHours, leftPercent };
  // By agent and not for everything: another agent or repository may have hours of its own.
  return { scope: conversationScope(of), quietHours: settings.quietHours, leftPercent };
}
