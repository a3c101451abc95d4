/**
 * The reconciler: looks at each forge for what no webhook told, at the start, after a gap, and every few minutes. What it
 * finds becomes an event with the key that its webhook has, and goes the way of all events.
 */
import type { ForgeConfig } from './config/config.ts';
import type { Database } from './database/database.ts';
import { ForgeUnavailable } from './errors.ts';
import type { Log } from './log.ts';
import { look } from './reconciler/look.ts';
import { emptyMemory, type LookForge, type LookMemory, type LookOutcome } from './reconciler/looking.ts';
import { type Ended, firstPace, nextPace, type Pace } from './reconciler/pace.ts';
import { type LookTold, tellLook } from './reconciler/told.ts';
import type { Trust } from './trust.ts';

export interface ReconcilerDeps {
  database: Database;
  config: () => { forges: Readonly<Record<string, ForgeConfig>>; reconciler: { overlapSeconds: number } };
  /** the client that acts as this agent on this forge */
  client: (forge: ForgeConfig, agent: string) => LookForge;
  trust: Pick<Trust, 'isGone'>;
  now: () => number;
  log: Log;
  /** for the metrics; left out, nobody counts */
  looked?: (look: LookTold) => void;
  /** there are new events */
  wakeRouter?: () => void;
  /** asks the rules about what no event tells; left out, nobody does */
  askRules?: (forge: ForgeConfig) => Promise<void>;
}

interface ForgeState {
  pace: Pace;
  memory: LookMemory;
  /** unix ms */
  rulesAt: number;
}

/** Most rules ask the forge, and what they find has been so for a while. */
const RULES_EVERY_MS = 30 * 60_000;

export interface Reconciler {
  /** Looks at every forge that is due. Answers in how many milliseconds the next one is. */
  step(): Promise<number>;
}

/** So often the configuration is read for new forges and other ways of intake. */
const LONGEST_WAIT_MS = 5000;

export function createReconciler(deps: ReconcilerDeps): Reconciler {
  const states = new Map<string, ForgeState>();
  return {
    step: async () => {
      const { forges } = deps.config();
      let next = LONGEST_WAIT_MS;
      for (const forge of Object.values(forges)) {
        if (Object.keys(forge.accounts).length === 0) continue;
        const state = states.get(forge.name) ?? firstState(deps.now());
        states.set(forge.name, state);
        const isLooking = forge.intake !== 'hooks';
        if (isLooking && state.pace.dueAt <= deps.now()) await lookAt(deps, forge, state);
        await askRules(deps, forge, state);
        if (isLooking) next = Math.min(next, Math.max(1, state.pace.dueAt - deps.now()));
      }
      return next;
    },
  };
}

function firstState(now: number): ForgeState {
  return { pace: firstPace(now), memory: emptyMemory(), rulesAt: now };
}

/** Not while the forge is away, and not before the first look has told what there is. */
async function askRules(deps: ReconcilerDeps, forge: ForgeConfig, state: ForgeState): Promise<void> {
  const { pace, rulesAt } = state;
  if (deps.askRules === undefined || pace.failures > 0 || rulesAt > deps.now()) return;
  state.rulesAt = deps.now() + RULES_EVERY_MS;
  await deps.askRules(forge);
}

async function lookAt(deps: ReconcilerDeps, forge: ForgeConfig, state: ForgeState): Promise<void> {
  const { database, trust, now, log } = deps;
  const { kind } = state.pace;
  const client = (agent: string) => deps.client(forge, agent);
  const overlapMs = deps.config().reconciler.overlapSeconds * 1000;
  const { memory } = state;
  let outcome: LookOutcome | Error;
  try {
    outcome = await look({ database, forge, client, trust, overlapMs, now, log, memory }, kind);
  } catch (error) {
    outcome = error as Error;
  }
  state.pace = nextPace(state.pace, endOf(outcome), { forge, now: now() });
  const { dueAt, failures } = state.pace;
  const told = tellLook(log, { forge, kind, outcome, dueAt, failures });
  deps.looked?.(told);
  if (told.events.length > 0) deps.wakeRouter?.();
}

function endOf(outcome: LookOutcome | Error): Ended {
  if (outcome instanceof ForgeUnavailable) return { how: 'unavailable', asked: outcome.retryAfterSeconds };
  if (outcome instanceof Error) return { how: 'failed' };
  if (outcome.kind === 'looked') return { how: 'looked', missed: outcome.took.length };
  return { how: outcome.kind };
}
