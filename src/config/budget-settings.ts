/** Budgets as everybody else reads them. */
import type { z } from 'zod';
import type { budgetOptions } from './budget-options.ts';

export interface Caps {
  usd: number | null;
  tokens: number | null;
}

/** null = not limited, or not said here */
export interface OwnBudgets {
  run: Caps | null;
  conversation: Caps | null;
  day: Caps | null;
  quietHours: readonly string[] | null;
  startWhenLeftPercent: number | null;
}

export interface BudgetSettings {
  timeZone: string;
  warnPercent: number;
  run: Caps | null;
  conversation: Caps | null;
  repositoryDay: Caps | null;
  agentDay: Caps | null;
  day: Caps | null;
  month: Caps | null;
  quietHours: readonly string[];
  startWhenLeftPercent: number;
  agents: Readonly<Record<string, OwnBudgets>>;
  /** by `owner/name` in lower case */
  repositories: Readonly<Record<string, OwnBudgets>>;
}

type Given = z.output<typeof budgetOptions>;
type GivenCaps = { usd?: number | undefined; tokens?: number | undefined } | undefined;

export function budgetSettings(given: Given): BudgetSettings {
  return {
    timeZone: given.time_zone,
    warnPercent: given.warn_percent,
    run: capsOf(given.run),
    conversation: capsOf(given.conversation),
    repositoryDay: capsOf(given.repository_day),
    agentDay: capsOf(given.agent_day),
    day: capsOf(given.day),
    month: capsOf(given.month),
    quietHours: given.quiet_hours ?? [],
    startWhenLeftPercent: given.start_when_left_percent ?? 0,
    agents: mapped(given.agents, (name) => name),
    repositories: mapped(given.repositories, (name) => name.toLowerCase()),
  };
}

type GivenOwn = Given['repositories'][string] & { run?: GivenCaps };

function mapped(given: Record<string, GivenOwn>, key: (name: string) => string): Record<string, OwnBudgets> {
  const entries = Object.entries(given).map(([name, own]) => [key(name), ownBudgets(own)] as const);
  return Object.fromEntries(entries);
}

function ownBudgets(own: GivenOwn): OwnBudgets {
  return {
    run: capsOf(own.run),
    conversation: capsOf(own.conversation),
    day: capsOf(own.day),
    quietHours: own.quiet_hours ?? null,
    startWhenLeftPercent: own.start_when_left_percent ?? null,
  };
}

function capsOf(caps: GivenCaps): Caps | null {
  return caps === undefined ? null : { usd: caps.usd ?? null, tokens: caps.tokens ?? null };
}
