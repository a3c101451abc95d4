/**
 * Whether a conversation runs in a circle. Only what woke it counts, and who that was: an account that is a program is one
 * whatever it says, and however seldom. Pure.
 */
export interface CourtSettings {
  /** runs in a row that only our own agents woke */
  agentRuns: number;
  /** runs in a row that only programs woke, CI and our agents among them */
  robotRuns: number;
  /** runs on one item within an hour, whoever woke them */
  runsPerHour: number;
  /** runs in a row that left nothing of what they were for */
  withoutProgress: number;
}

/** Who woke a run. A run that was woken by several is a person's when one of them was. */
export type Waker = 'person' | 'agent' | 'robot';

export interface Case {
  /** who woke each run of the conversation since a person last lifted a hold of the court, newest first; the first is the one that is to begin */
  wakers: readonly Waker[];
  /** when runs on the item began within the last hour, oldest first */
  startedAt: readonly number[];
  /** runs in a row without progress, that have ended since that lift */
  withoutProgress: number;
}

export interface Verdict {
  rule: 'agents' | 'robots' | 'per-hour' | 'progress';
  /** for people, in plain words */
  reason: string;
  /** null = until a person lifts it */
  until: number | null;
}

const HOUR_MS = 3_600_000;

/** null = it may run */
export function judge(facts: Case, settings: CourtSettings): Verdict | null {
  const { wakers, startedAt, withoutProgress } = facts;
  if (wakers[0] !== 'person') {
    // guard: court: no progress
    if (withoutProgress >= settings.withoutProgress) {
      return pause(
        'progress',
        `${withoutProgress === 1 ? 'the last run' : `${withoutProgress} runs in a row`} left nothing of what they were for`,
      );
    }
    const agents = leading(wakers, (waker) => waker === 'agent');
    // guard: court: rounds between agents
    if (agents > settings.agentRuns) {
      return pause(
        'agents',
        `agents have woken each other ${times(settings.agentRuns)} in a row, and no person has said anything`,
      );
    }
    const robots = leading(wakers, (waker) => waker !== 'person');
    // guard: court: programs in a row
    if (robots > settings.robotRuns) {
      return pause(
        'robots',
        `programs have woken this agent ${times(settings.robotRuns)} in a row, and no person has said anything`,
      );
    }
  }
  // guard: court: hourly cap of an item
  if (startedAt.length < settings.runsPerHour) return null;
  const reason = `${startedAt.length} runs began here within an hour, and ${settings.runsPerHour} are the most`;
  return { rule: 'per-hour', reason, until: startedAt.at(-settings.runsPerHour)! + HOUR_MS };
}

function pause(rule: Verdict['rule'], reason: string): Verdict {
  return { rule, reason: `${reason}; a person looks and resumes it`, until: null };
}

function times(n: number): string {
  return n === 1 ? 'once' : `${n} times`;
}

function leading(wakers: readonly Waker[], counts: (waker: Waker) => boolean): number {
  const end = wakers.findIndex((waker) => !counts(waker));
  return end < 0 ? wakers.length : end;
}
