/** From a run's outcome to the settlement of its dispatch. */

import type { RunOutcome } from '../../agent-runner/contract.ts';
import { faultPoint } from '../../faults.ts';
import { describePark, parkCredential, parkName } from '../../mailbox/parks.ts';
import { isLastAnswered, unpostedSentence } from '../../mailbox/unposted.ts';
import { type Cause, type FailureText, failureText } from '../../outcome/failure-texts.ts';
import { type Publication, type Published, unpostedReason } from '../../outcome.ts';
import { storeAnswer } from '../converse/announced.ts';
import { ABORT, type DispatchDeps, type Finished, finish, finishParked, type Work } from '../dispatch.ts';
import { contextToPublish, type DispatchContext } from '../gather/context.ts';
import { contextRequest } from '../gather/context-request.ts';
import { publish, tellPeople } from '../publish/publish.ts';
import { setTextsAside } from '../screen/set-aside.ts';
import { withSeen } from '../seen-items.ts';
import { about } from './told.ts';
import type { Trouble } from './troubles.ts';
import { limitEnd, MOST_TROUBLES, outageEnd, troubleEnd } from './waits.ts';

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
      const words =
        outcome.answer.trim() === '' ? 'I am done, and ended without a word about it.' : outcome.answer;
      const answer = outcome.aside === null ? words : `${words}\n\n${failureText({ kind: 'not-read' })}`;
      if (outcome.aside !== null) await putAside(work, deps, context, { why: outcome.aside, answered: true });
      await storeRun(work, deps, context, outcome, answer);
      faultPoint('answer.stored');
      const published = await publish(work, deps, context, {
        answer,
        continuity: outcome.continuity,
        continuityReason: outcome.reason,
        model: outcome.model,
        isLive: !outcome.adopted,
        messages: outcome.adopted ? carriedBefore(work, context) : context.messages,
      });
      return answered(work, context, { adopted: outcome.adopted, published });
    }
    case 'capped': {
      const answer = failureText({ kind: 'capped', why: outcome.why });
      await storeRun(work, deps, context, outcome, answer);
      return await tellCap(work, deps, { answer, why: outcome.why });
    }
    case 'limited':
      return await park(work, deps, outcome);
    case 'transient':
      return await postpone(work, deps, {
        why: outcome.why,
        cause: 'model',
        trouble: outcome.outage ? 'passes' : 'unknown',
      });
    case 'declined': {
      const { all } = await putAside(work, deps, context, {
        why: outcome.reason,
        answered: false,
        isSure: true,
      });
      await tellPeople(work, deps, failureText({ kind: 'declined', all }));
      const reason = `the model does not take this text, which is set aside: ${outcome.reason}`;
      return finish({ state: 'failed', reason });
    }
    case 'interrupted':
      return isLost(work.signal) ? { lost: true } : await interrupted(work, deps, outcome.why);
    case 'refused':
      if (outcome.suspectsText) await putAside(work, deps, context, { why: outcome.reason, answered: false });
      await tellPeople(
        work,
        deps,
        failureText(
          outcome.suspectsText
            ? { kind: 'declined', all: false }
            : { kind: 'could-not-run', cause: outcome.cause },
        ),
      );
      return finish({ state: 'failed', reason: outcome.reason });
  }
}

async function putAside(
  work: Work,
  deps: DispatchDeps,
  context: DispatchContext,
  o: { why: string; answered: boolean; isSure?: boolean },
): Promise<{ all: boolean }> {
  const aside = await setTextsAside(deps.database, work.lease, { context, ...o, now: deps.now() });
  deps.log.warn('text set aside, the model does not take it', {
    ...about(work.lease),
    reason: o.why,
    all: aside.all,
  });
  return aside;
}

function isLost(signal: AbortSignal): boolean {
  return signal.reason === ABORT.leaseLost;
}

async function interrupted(work: Work, deps: DispatchDeps, why: string): Promise<Finished> {
  if (why !== ABORT.timeout) return finish({ state: 'interrupted', reason: why });
  const minutes = deps.config().worker.runTimeoutMinutes;
  await tellPeople(work, deps, failureText({ kind: 'too-long', minutes }));
  return finish({ state: 'failed', reason: `${why}: ${minutes} minutes` });
}

export async function storeRun(
  work: Work,
  deps: DispatchDeps,
  context: DispatchContext,
  outcome: Extract<RunOutcome, { kind: 'answered' | 'capped' }>,
  answer: string,
): Promise<void> {
  await storeAnswer(deps.database, work.lease, {
    outcome,
    answer,
    snapshot: seenAfter(work, context),
    branch: context.branch?.name ?? null,
    now: deps.now(),
  });
}

function seenAfter({ lease }: Work, context: DispatchContext): string {
  return withSeen(lease.conversation.seen, [context, ...context.elsewhere]);
}

/** An answer from before a crash belongs to what was asked then, not to what has come since. */
function carriedBefore({ lease }: Work, { messages }: DispatchContext): DispatchContext['messages'] {
  const carried = lease.previous?.carried ?? [];
  return messages.filter(({ id }) => carried.includes(id));
}

/** Messages that were not in the answered prompt (they came while the service was down) go on waiting. */
function answered(
  work: Work,
  context: DispatchContext,
  { adopted, published }: { adopted: boolean; published: Published },
): Finished {
  const { lease } = work;
  const refusal = unpostedReason(published);
  const carried = adopted ? (lease.previous?.carried ?? []) : lease.messages.map((m) => m.id);
  const unanswered = lease.messages.map((m) => m.id).filter((id) => !carried.includes(id));
  const seen = seenAfter(work, context);
  return {
    settlement:
      refusal === null
        ? { state: 'succeeded' }
        : { state: 'unposted', reason: unpostedSentence(lease.dispatch.id, refusal) },
    // Comments that were not in the answered prompt must be new to the next one.
    seen: unanswered.length > 0 ? lease.conversation.seen : seen,
    unanswered,
  };
}

async function tellCap(
  work: Work,
  deps: DispatchDeps,
  cap: { answer: FailureText; why: string },
): Promise<Finished> {
  await tellPeople(work, deps, cap.answer);
  return finish({ state: 'failed', reason: cap.why });
}

/** The service died between the answer and its publication: publish it, and do not run again. */
export async function publishStoredAnswer(work: Work, deps: DispatchDeps, answer: string): Promise<Finished> {
  const { lease } = work;
  const context = await contextToPublish(contextRequest(work, deps));
  const { continuity, session_id, ending, model, former_model: former } = lease.dispatch;
  if (ending !== null && ending !== 'answered') {
    return await tellCap(work, deps, { answer: failureText({ kind: 'capped', why: ending }), why: ending });
  }
  const published = await publish(work, deps, context, {
    answer,
    continuity: (continuity ?? 'resumed') as Publication['continuity'],
    continuityReason: `session ${session_id ?? 'unknown'}`,
    model: { name: model, former },
    isLive: false,
    messages: carriedBefore(work, context),
  });
  const finished = answered(work, context, { adopted: true, published });
  // One that is posted long after it was written must not take back what later runs have seen.
  const seen = (await isLastAnswered(deps.database.rows, lease.dispatch)) ? lease.dispatch.snapshot : null;
  return 'lost' in finished ? finished : { ...finished, seen };
}

/** Everything on the credential waits, or on one model of it, and not one attempt of the dispatch is used up by it. */
async function park(
  work: Work,
  deps: DispatchDeps,
  limit: Extract<RunOutcome, { kind: 'limited' }>,
): Promise<Finished> {
  const { attempt: attempts, troubles } = work.lease.dispatch;
  const now = deps.now();
  const until = limitEnd(limit, { earlier: attempts - 1 - troubles, now });
  const credential = parkName(limit.model);
  await parkCredential(deps.database.rows, { credential, until, why: limit.why, now });
  deps.log.warn(`${describePark(credential)} parked, all that needs it waits`, {
    credential,
    until: new Date(until).toISOString(),
    reason: limit.why,
    dispatch: work.lease.dispatch.id,
  });
  return finishParked('limit', { reason: limit.why, until });
}

export interface Put {
  /** for the rows and the log */
  why: string;
  /** for people */
  cause: Cause;
  trouble: Trouble;
  /** seconds that the other side asked us to wait, or null */
  asked?: number | null;
}

/** Later again, or never; what will not pass people are told, as far as the forge can be reached. */
export async function postpone(
  work: Work,
  deps: DispatchDeps,
  { why, cause, trouble, asked = null }: Put,
): Promise<Finished> {
  const { troubles: earlier } = work.lease.dispatch;
  const now = deps.now();
  // guard: an outage has no end
  if (trouble === 'passes') {
    const until = outageEnd({ earlier, asked, now });
    return finishParked('outage', { reason: why, until, isTrouble: true });
  }
  if (trouble === 'unknown' && earlier + 1 < MOST_TROUBLES) {
    return finishParked('trouble', { reason: why, until: troubleEnd({ earlier, now }), isTrouble: true });
  }
  const stays = trouble === 'stays';
  const text = failureText(
    stays ? { kind: 'could-not-run', cause } : { kind: 'gave-up', cause, attempts: MOST_TROUBLES },
  );
  await tellPeople(work, deps, text).catch((error: unknown) =>
    deps.log.error('nobody could be told', { ...about(work.lease), error }),
  );
  const reason = stays ? why : `${why} (after ${MOST_TROUBLES} attempts)`;
  return finish({ state: 'failed', reason });
}
