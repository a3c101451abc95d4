/** Budgets: how much may be spent, asked before each run and each request. See docs/budgets.md. */
import { loseEarlier, type Most, type Reserved, reserve } from './budgets/admission.ts';
import { sayShare, saySpent } from './budgets/decide.ts';
import type { Spender } from './budgets/limits.ts';
import { liftNeedless, mayStart } from './budgets/starting.ts';
import type { BudgetSettings, Caps } from './config/budget-settings.ts';
import type { Database } from './database/database.ts';
import type { ConversationRow } from './database/tables.ts';
import type { Log } from './log.ts';
import type { Hold } from './mailbox/holds.ts';

export interface BudgetDeps {
  database: Database;
  /** asked each time, so that a changed configuration counts at once */
  settings: () => BudgetSettings;
  log: Log;
  now: () => number;
}

export interface SpendingRun {
  dispatchId: string;
  conversationId: string;
  agent: string;
  caps: Caps;
}

export type Permit =
  | { kind: 'free' }
  | { kind: 'reserved'; id: string }
  /** those under way may cost too much: ask again when one has ended */
  | { kind: 'busy' }
  /** `cap`: a cap of the run itself, or a budget whose scope is held now */
  | { kind: 'spent'; cap: 'max-usd' | 'max-tokens' | 'budget'; why: string };

export interface Budgets {
  /** what an earlier attempt of the same dispatch left */
  opened(dispatchId: string): Promise<void>;
  permit(run: SpendingRun, most: Most): Promise<Permit>;
  /** the hold that keeps a run of this conversation from beginning; null = it may begin */
  startHeld(conversation: ConversationRow): Promise<Hold | null>;
  /** lifts holds of budgets that were raised, or configured anew */
  look(): Promise<void>;
}

const LOOK_EVERY_MS = 10_000;

export function createBudgets(deps: BudgetDeps): Budgets {
  let lookedAt = 0;
  return {
    opened: async (dispatchId) => {
      const lost = await loseEarlier(deps.database.rows, dispatchId);
      if (lost > 0) {
        deps.log.warn(
          'requests to the model were cut off by a crash; budgets count each at the most it may have cost',
          {
            dispatch: dispatchId,
            requests: lost,
          },
        );
      }
    },
    permit: async (run, most) => {
      const spender = await spenderOf(deps.database, run);
      const request = { spender, runCaps: run.caps, most, now: deps.now() };
      return told(deps.log, run, await reserve(deps.database, deps.settings(), request));
    },
    startHeld: async (conversation) => {
      const hold = await mayStart(deps.database, deps.settings(), {
        spender: { ...conversation, dispatchId: '' },
        now: deps.now(),
      });
      if (hold !== null) deps.log.warn(`${hold.label} is held: ${hold.reason}`, aboutHold(hold));
      return hold;
    },
    look: async () => {
      if (deps.now() - lookedAt < LOOK_EVERY_MS) return;
      lookedAt = deps.now();
      for (const hold of await liftNeedless(deps.database, deps.settings(), deps.now())) {
        deps.log.info(`${hold.label} is not held any more: its budgets allow more`, { hold: hold.id });
      }
    },
  };
}

function aboutHold(hold: Hold) {
  return { hold: hold.id, until: hold.until === null ? null : new Date(hold.until).toISOString() };
}

async function spenderOf({ rows }: Database, run: SpendingRun): Promise<Spender> {
  const found = await rows
    .selectFrom('conversations')
    .select(['forge', 'repository_id', 'repository_name', 'item_number'])
    .where('id', '=', run.conversationId)
    .executeTakeFirst();
  // Probes of `smoke` have no conversation.
  const none = { forge: '', repository_id: '', repository_name: '', item_number: 0 };
  return { ...(found ?? none), id: run.conversationId, agent: run.agent, dispatchId: run.dispatchId };
}

function told(log: Log, run: SpendingRun, reserved: Reserved): Permit {
  switch (reserved.kind) {
    case 'free':
    case 'busy':
      return { kind: reserved.kind };
    case 'reserved':
      for (const { label, share, standing, unit } of reserved.warned) {
        log.warn(
          `${Math.floor(share * 100)} % of the budget of ${label} is spent: ${sayShare(standing, unit)}`,
          {
            budget: standing.limit.budget,
          },
        );
      }
      return { kind: 'reserved', id: reserved.id };
    case 'unpriced': {
      const why = `${reserved.standing.limit.label} has a budget in dollars, and the price of this model is not known. Name a listed model, or give the budget in tokens.`;
      return { kind: 'spent', cap: 'max-usd', why };
    }
    case 'spent': {
      const { standing, unit, hold } = reserved;
      const why = saySpent(standing, unit);
      if (hold === null) return { kind: 'spent', cap: unit === 'usd' ? 'max-usd' : 'max-tokens', why };
      log.warn(`${hold.label} is held: ${why}`, { ...aboutHold(hold), dispatch: run.dispatchId });
      return { kind: 'spent', cap: 'budget', why };
    }
  }
}
