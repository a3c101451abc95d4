/** From a run's outcome to the settlement of its dispatch. */
import type { RunOutcome } from '../../agent-runner/contract.ts';
import { faultPoint } from '../../faults.ts';
import type { Snapshot } from '../../flows/changes.ts';
import { describePark, parkCredential, parkName } from '../../mailbox/parks.ts';
import { isLastAnswered, unpostedSentence } from '../../mailbox/unposted.ts';
import { type Cause, type FailureText, failureText } from '../../outcome/failure-texts.ts';
import { type Publication, type Published, unpostedReason } from '../../outcome.ts';
import { storeAnswer } from '../converse/announced.ts';
import { ABORT, type Dispatch, type DispatchDeps } from '../dispatch.ts';
import { gatherAnswered } from '../gather/gather.ts';
import { seenItems } from '../gather/snapshot.ts';
import { publish, tellPeople } from '../publish/publish.ts';
import type { Prepared } from '../screen/context.ts';
import { unscreened } from '../screen/screen.ts';
import { setTextsAside } from '../screen/set-aside.ts';
import { type Finished, finish, finishParked } from './ending.ts';
import { about } from './told.ts';
import type { Trouble } from './troubles.ts';
import { limitEnd, MOST_TROUBLES, outageEnd, troubleEnd } from './waits.ts';

export async function settleOutcome(
  dispatch: Prepared,
  deps: DispatchDeps,
  outcome: RunOutcome,
): Promise<Finished> {
  switch (outcome.kind) {
    case 'answered': {
      faultPoint('run.verified');
      // An empty comment would look as if nobody had answered.
      const words = outcome.answer.trim() === '' ? 'Finished without a written answer.' : outcome.answer;
      const answer = outcome.aside === null ? words : `${words}\n\n${failureText({ kind: 'not-read' })}`;
      if (outcome.aside !== null) await putAside(dispatch, deps, { why: outcome.aside, answered: true });
      await storeRun(dispatch, deps, outcome, answer);
      faultPoint('answer.stored');
      const published = await publish(dispatch, deps, {
        answer,
        continuity: outcome.continuity,
        continuityReason: outcome.reason,
        model: outcome.model,
        isLive: !outcome.adopted,
        messages: outcome.adopted ? carriedBefore(dispatch) : dispatch.messages,
      });
      return answered(dispatch, { adopted: outcome.adopted, published });
    }
    case 'capped': {
      const answer = failureText({ kind: 'capped', why: outcome.why });
      await storeRun(dispatch, deps, outcome, answer);
      return await tellCap(dispatch, deps, { answer, why: outcome.why });
    }
    case 'limited':
      return await park(dispatch, deps, outcome);
    case 'transient':
      return await postpone(dispatch, deps, {
        why: outcome.why,
        cause: 'model',
        trouble: outcome.outage ? 'passes' : 'unknown',
      });
    case 'declined': {
      const { all } = await putAside(dispatch, deps, {
        why: outcome.reason,
        answered: false,
        isSure: true,
      });
      await tellPeople(dispatch, deps, failureText({ kind: 'declined', all }));
      const reason = `the model does not take this text, which is set aside: ${outcome.reason}`;
      return finish({ state: 'failed', reason });
    }
    case 'interrupted':
      return isLost(dispatch.signal) ? { lost: true } : await interrupted(dispatch, deps, outcome.why);
    case 'refused':
      if (outcome.suspectsText) await putAside(dispatch, deps, { why: outcome.reason, answered: false });
      await tellPeople(
        dispatch,
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
  dispatch: Prepared,
  deps: DispatchDeps,
  o: { why: string; answered: boolean; isSure?: boolean },
): Promise<{ all: boolean }> {
  const aside = await setTextsAside(deps.database, dispatch.lease, {
    context: dispatch.context,
    ...o,
    now: deps.now(),
  });
  deps.log.warn('text set aside, the model does not take it', {
    ...about(dispatch.lease),
    reason: o.why,
    all: aside.all,
  });
  return aside;
}

function isLost(signal: AbortSignal): boolean {
  return signal.reason === ABORT.leaseLost;
}

async function interrupted(dispatch: Dispatch, deps: DispatchDeps, why: string): Promise<Finished> {
  if (why !== ABORT.timeout) return finish({ state: 'interrupted', reason: why });
  const minutes = deps.config().worker.runTimeoutMinutes;
  await tellPeople(dispatch, deps, failureText({ kind: 'too-long', minutes }));
  return finish({ state: 'failed', reason: `${why}: ${minutes} minutes` });
}

export async function storeRun(
  dispatch: Prepared,
  deps: DispatchDeps,
  outcome: Extract<RunOutcome, { kind: 'answered' | 'capped' }>,
  answer: string,
): Promise<void> {
  await storeAnswer(deps.database, dispatch.lease, {
    outcome,
    answer,
    snapshot: JSON.stringify(seenAfter(dispatch)),
    branch: dispatch.place.branch?.name ?? null,
    now: deps.now(),
  });
}

function seenAfter({ lease, context }: Prepared): Record<number, Snapshot> {
  const shown = [context, ...context.elsewhere].map(({ item, snapshot }) => [item.number, snapshot] as const);
  return { ...seenItems(lease.conversation.seen), ...Object.fromEntries(shown) };
}

/** The messages that an answer from before a crash was given to; later ones are not answered by it. */
function carriedBefore({ lease, messages }: Prepared): Prepared['messages'] {
  const carried = lease.previous?.carried ?? [];
  return messages.filter(({ id }) => carried.includes(id));
}

/** Messages that were not in the answered prompt (they came while the service was down) go on waiting. */
function answered(
  dispatch: Prepared,
  { adopted, published }: { adopted: boolean; published: Published },
): Finished {
  const { lease } = dispatch;
  const refusal = unpostedReason(published);
  const carried = adopted ? (lease.previous?.carried ?? []) : lease.messages.map((m) => m.id);
  const unanswered = lease.messages.map((m) => m.id).filter((id) => !carried.includes(id));
  const seen = seenAfter(dispatch);
  return {
    settlement:
      refusal === null
        ? { state: 'succeeded' }
        : { state: 'unposted', reason: unpostedSentence(lease.dispatch.id, refusal) },
    // Comments that were not in the answered prompt must be new to the next one.
    seen: unanswered.length > 0 ? lease.conversation.seen : JSON.stringify(seen),
    unanswered,
  };
}

async function tellCap(
  dispatch: Dispatch,
  deps: DispatchDeps,
  cap: { answer: FailureText; why: string },
): Promise<Finished> {
  await tellPeople(dispatch, deps, cap.answer);
  return finish({ state: 'failed', reason: cap.why });
}

/** The service died between the answer and its publication: publish it, and do not run again. */
export async function publishStoredAnswer(
  leased: Dispatch,
  deps: DispatchDeps,
  answer: string,
): Promise<Finished> {
  const dispatch = unscreened(await gatherAnswered(leased, deps), deps);
  const { lease } = dispatch;
  const { continuity, session_id, ending, model, former_model: former } = lease.dispatch;
  if (ending !== null && ending !== 'answered') {
    return await tellCap(dispatch, deps, {
      answer: failureText({ kind: 'capped', why: ending }),
      why: ending,
    });
  }
  const published = await publish(dispatch, deps, {
    answer,
    continuity: (continuity ?? 'resumed') as Publication['continuity'],
    continuityReason: `session ${session_id ?? 'unknown'}`,
    model: { name: model, former },
    isLive: false,
    messages: carriedBefore(dispatch),
  });
  const finished = answered(dispatch, { adopted: true, published });
  // An answer that is posted late must not reset what later runs have seen.
  const seen = (await isLastAnswered(deps.database.rows, lease.dispatch)) ? lease.dispatch.snapshot : null;
  return 'lost' in finished ? finished : { ...finished, seen };
}

/** Parks the credential, or one model of it. A limit does not count as a failed attempt. */
async function park(
  dispatch: Dispatch,
  deps: DispatchDeps,
  limit: Extract<RunOutcome, { kind: 'limited' }>,
): Promise<Finished> {
  const { attempt: attempts, troubles } = dispatch.lease.dispatch;
  const now = deps.now();
  const until = limitEnd(limit, { earlier: attempts - 1 - troubles, now });
  const credential = parkName(limit.model);
  await parkCredential(deps.database.rows, { credential, until, why: limit.why, now });
  deps.log.warn(`${describePark(credential)} parked, all that needs it waits`, {
    credential,
    until: new Date(until).toISOString(),
    reason: limit.why,
    dispatch: dispatch.lease.dispatch.id,
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

/** Parks the dispatch for later, or fails it and tells people, if the forge can be reached. */
export async function postpone(
  dispatch: Dispatch,
  deps: DispatchDeps,
  { why, cause, trouble, asked = null }: Put,
): Promise<Finished> {
  const { troubles: earlier } = dispatch.lease.dispatch;
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
  await tellPeople(dispatch, deps, text).catch((error: unknown) =>
    deps.log.error('nobody could be told', { ...about(dispatch.lease), error }),
  );
  const reason = stays ? why : `${why} (after ${MOST_TROUBLES} attempts)`;
  return finish({ state: 'failed', reason });
}
