/** From a run's outcome to the settlement of its dispatch. */
import type { RunOutcome } from '../agent-runner/contract.ts';
import { faultPoint } from '../faults.ts';
import type { Snapshot } from '../flows/changes.ts';
import { parkCredential } from '../mailbox/parks.ts';
import type { Publication } from '../outcome.ts';
import { contextToPublish, type DispatchContext } from './context.ts';
import { contextRequest } from './parts.ts';
import { publish, tellPeople } from './publish.ts';
import { storeAnswer } from './rows.ts';
import { limitEnd, MOST_TROUBLES, troubleEnd } from './waits.ts';
import { ABORT, type DispatchDeps, type Finished, finish, seenItems, type Work } from './work.ts';

export async function settleOutcome(
  work: Work,
  deps: DispatchDeps,
  context: DispatchContext,
  outcome: RunOutcome,
): Promise<Finished> {
  switch (outcome.kind) {
    case 'answered': {
      faultPoint('run.verified');
      // A comment of nothing but our mark would look as if nobody had answered.
      const answer =
        outcome.answer.trim() === '' ? 'I am done, and ended without a word about it.' : outcome.answer;
      await storeRun(work, deps, context, outcome, answer);
      faultPoint('answer.stored');
      await publish(work, deps, context, {
        answer,
        continuity: outcome.continuity,
        continuityReason: outcome.reason,
        messages: outcome.adopted ? carriedBefore(work, context) : context.messages,
      });
      return succeeded(work, context, outcome.adopted);
    }
    case 'capped': {
      const answer = `I stopped at my limit (${outcome.why}) before I was done. Write here to let me go on.`;
      await storeRun(work, deps, context, outcome, answer);
      return await tellCap(work, deps, { answer, why: outcome.why });
    }
    case 'limited':
      return await park(work, deps, outcome);
    case 'transient':
      return await postpone(work, deps, outcome.why);
    case 'interrupted':
      return isLost(work.signal) ? { lost: true } : await interrupted(work, deps, outcome.why);
    case 'refused':
      await tellPeople(work, deps, `I could not run. ${outcome.reason}. A person must look at this.`);
      return finish({ state: 'failed', reason: outcome.reason });
  }
}

function isLost(signal: AbortSignal): boolean {
  return signal.reason === ABORT.leaseLost;
}

async function interrupted(work: Work, deps: DispatchDeps, why: string): Promise<Finished> {
  if (why !== ABORT.timeout) return finish({ state: 'interrupted', reason: why });
  const minutes = deps.config().worker.runTimeoutMinutes;
  await tellPeople(
    work,
    deps,
    `I was stopped after ${minutes} minutes (worker.run_timeout_minutes) before I was done. Write here to let me go on.`,
  );
  return finish({ state: 'failed', reason: `${why}: ${minutes} minutes` });
}

async function storeRun(
  work: Work,
  deps: DispatchDeps,
  context: DispatchContext,
  outcome: Extract<RunOutcome, { kind: 'answered' | 'capped' }>,
  answer: string,
): Promise<void> {
  await storeAnswer(deps.database, work.lease, {
    outcome,
    answer,
    snapshot: JSON.stringify(seenAfter(work, context)),
    branch: context.branch?.name ?? null,
    now: deps.now(),
  });
}

function seenAfter({ lease }: Work, context: DispatchContext): Record<number, Snapshot> {
  const shown = [context, ...context.elsewhere].map(({ item, snapshot }) => [item.number, snapshot] as const);
  return { ...seenItems(lease.conversation.seen), ...Object.fromEntries(shown) };
}

/** An answer from before a crash belongs to what was asked then, not to what has come since. */
function carriedBefore({ lease }: Work, { messages }: DispatchContext): DispatchContext['messages'] {
  const carried = lease.previous?.carried ?? [];
  return messages.filter(({ id }) => carried.includes(id));
}

/** Messages that were not in the answered prompt (they came while the service was down) go on waiting. */
function succeeded(work: Work, context: DispatchContext, adopted: boolean): Finished {
  const { lease } = work;
  const answered = adopted ? (lease.previous?.carried ?? []) : lease.messages.map((m) => m.id);
  const unanswered = lease.messages.map((m) => m.id).filter((id) => !answered.includes(id));
  const seen = seenAfter(work, context);
  return {
    settlement: { state: 'succeeded' },
    // Comments that were not in the answered prompt must be new to the next one.
    seen: unanswered.length > 0 ? lease.conversation.seen : JSON.stringify(seen),
    unanswered,
  };
}

async function tellCap(
  work: Work,
  deps: DispatchDeps,
  cap: { answer: string; why: string },
): Promise<Finished> {
  await tellPeople(work, deps, cap.answer);
  return finish({ state: 'failed', reason: cap.why });
}

/** The service died between the answer and its publication: publish it, and do not run again. */
export async function publishStoredAnswer(work: Work, deps: DispatchDeps, answer: string): Promise<Finished> {
  const { lease } = work;
  const context = await contextToPublish(contextRequest(work, deps));
  const { continuity, session_id, ending } = lease.dispatch;
  if (ending !== null && ending !== 'answered') {
    return await tellCap(work, deps, { answer, why: ending });
  }
  await publish(work, deps, context, {
    answer,
    continuity: (continuity ?? 'resumed') as Publication['continuity'],
    continuityReason: `session ${session_id ?? 'unknown'}`,
    messages: carriedBefore(work, context),
  });
  const finished = succeeded(work, context, true);
  return 'lost' in finished ? finished : { ...finished, seen: lease.dispatch.snapshot };
}

/** Everything on the credential waits, and not one attempt of the dispatch is used up by it. */
async function park(
  work: Work,
  deps: DispatchDeps,
  limit: Extract<RunOutcome, { kind: 'limited' }>,
): Promise<Finished> {
  const { attempt: attempts, troubles } = work.lease.dispatch;
  const now = deps.now();
  const until = limitEnd(limit, { earlier: attempts - 1 - troubles, now });
  await parkCredential(deps.database.rows, { credential: 'model', until, why: limit.why, now });
  deps.log.warn(`model credential parked until ${new Date(until).toISOString()}: ${limit.why}`);
  return finish({ state: 'parked', reason: limit.why, until });
}

/** Later again; after the last time a person is told, as far as the forge can be reached. */
export async function postpone(work: Work, deps: DispatchDeps, why: string): Promise<Finished> {
  const { troubles: earlier, id } = work.lease.dispatch;
  if (earlier + 1 < MOST_TROUBLES) {
    const until = troubleEnd({ earlier, now: deps.now() });
    return finish({ state: 'parked', reason: why, until, isTrouble: true });
  }
  const reason = `${why} (after ${MOST_TROUBLES} attempts)`;
  await tellPeople(
    work,
    deps,
    `I gave up: ${reason}. A person must look at this; write here to let me try again.`,
  ).catch((error: unknown) => deps.log.error(`dispatch ${id}: nobody could be told: ${String(error)}`));
  return finish({ state: 'failed', reason });
}
